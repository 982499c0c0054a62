"""Needs and plans by hand: recorded, changed, approved by a second person; a service is added at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from nrm.models import Event, Run
from nrm.queries import packs
from tests.api.conftest import Browser, Office


def supervisor(office: Office) -> Browser:
    return office.browser(office.land.at_desk("supervisor", "norvale"))


def shared(office: Office, case_id: str) -> Browser:
    """A supervisor who works on the case."""
    from nrm.actions.cases import share_case
    from nrm.actors import SYSTEM

    browser = supervisor(office)
    assert browser.actor is not None
    share_case(SYSTEM, case_id, holder_kind="user", holder_id=browser.actor.id, access="work")
    return browser


def kinds(office: Office, case_id: str) -> list[str]:
    office.land.session.close()
    found = select(Event.kind).where(Event.stream == case_id).order_by(Event.seq)
    return list(office.land.session.execute(found).scalars())


def planned(handler: Browser, case_id: str, *categories: str, agreed: bool = True) -> dict[str, Any]:
    services = [{"category": category, "goal": "Own income"} for category in categories]
    answer = handler.post(f"/cases/{case_id}/plans", {"services": services, "agreed": agreed})
    assert answer.status_code == 201, answer.text
    plan: dict[str, Any] = answer.get_json()
    return plan


def test_a_need_is_recorded_once_changed_and_told(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    made = handler.post(f"/cases/{case_id}/needs", {"category": "HOU", "priority": "urgent"})
    assert made.status_code == 201, made.text
    need = made.get_json()
    again = handler.post(f"/cases/{case_id}/needs", {"category": "HOU"})
    assert (again.status_code, again.get_json()["code"]) == (409, "need_known")

    path = f"/needs/{need['id']}"
    assert handler.patch(path, {"priority": "normal"}).status_code == 428
    assert handler.patch(path, {"version": 1}).get_json()["errors"][0]["code"] == "nothing_to_change"
    unmet = handler.patch(
        path, {"status": "unmet", "reason": "no_provider"}, headers={"If-Match": made.headers["ETag"]}
    )
    assert (unmet.status_code, unmet.get_json()["version"]) == (200, 2)
    stale = handler.patch(path, {"priority": "normal", "version": 1})
    assert (stale.status_code, stale.get_json()["current_version"]) == (412, 2)
    listed = handler.get(f"/cases/{case_id}/needs").get_json()
    assert [(row["status"], row["reason"], row["priority"]) for row in listed] == [("unmet", "no_provider", "urgent")]
    met = handler.patch(path, {"status": "met", "version": 2})
    assert met.status_code == 200
    assert handler.get(f"/cases/{case_id}/needs").get_json()[0]["reason"] is None
    assert [kind for kind in kinds(office, case_id) if kind.startswith("need.")] == [
        "need.recorded",
        "need.unmet",
        "need.changed",
        "need.changed",
    ]


def test_a_need_in_words_that_the_country_does_not_know_is_refused(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    wrong = handler.post(f"/cases/{case_id}/needs", {"category": "MOON"})
    assert [(e["pointer"], e["code"]) for e in wrong.get_json()["errors"]] == [("/category", "unknown_code")]
    need = handler.post(f"/cases/{case_id}/needs", {"category": "HOU"}).get_json()
    for body, pointer, code in (
        ({"status": "unmet"}, "/reason", "required"),
        ({"status": "unmet", "reason": "bad_luck"}, "/reason", "unknown_code"),
        ({"status": "met", "reason": "no_provider"}, "/reason", "reason_of_unmet"),
        ({"reason": "no_provider"}, "/reason", "reason_of_unmet"),
        ({"status": "gone"}, "/status", "not_a_choice"),
        ({"category": "JOB"}, "/category", "unknown_field"),
    ):
        answer = handler.patch(f"/needs/{need['id']}", {**body, "version": 1})
        assert answer.status_code == 422, body
        assert [(e["pointer"], e["code"]) for e in answer.get_json()["errors"]] == [(pointer, code)]
    assert handler.get(f"/cases/{case_id}/needs").get_json()[0]["version"] == 1


def test_a_plan_is_approved_by_a_second_person_and_its_services_start(office: Office, opened: Callable[..., str]):
    case_id = opened()
    first = shared(office, case_id)
    plan = planned(first, case_id, "JOB", "HOU")
    own = first.post(f"/plans/{plan['id']}/approve", {"version": 1})
    assert (own.status_code, own.get_json()["code"]) == (403, "second_person_needed")
    handler = office.handler()
    assert handler.post(f"/plans/{plan['id']}/approve", {"version": 1}).status_code == 403

    assert first.post(f"/plans/{plan['id']}/approve", {}).status_code == 428
    second = office.browser(office.land.at_desk("supervisor", "norvale", "two"))
    stranger = office.browser(office.land.at_desk("supervisor", "hillin"))
    assert stranger.post(f"/plans/{plan['id']}/approve", {"version": 1}).status_code == 404
    done = second.post(f"/plans/{plan['id']}/approve", {"version": 1})
    assert (done.status_code, done.get_json()["status"]) == (200, "approved"), done.text
    assert len(done.get_json()["runs"]) == 2
    again = second.post(f"/plans/{plan['id']}/approve", {"version": 2})
    assert (again.status_code, again.get_json()["code"]) == (409, "approved_before")

    running = {row["id"]: row["path"] for row in handler.get(f"/cases/{case_id}/runs").get_json()}
    assert {running[run] for run in done.get_json()["runs"]} == {"service_referral"}
    office.land.session.close()
    values = [office.land.session.get_one(Run, run).decision_values for run in done.get_json()["runs"]]
    assert {value["service_id"] for value in values} == set(plan["services"])
    needs = handler.get(f"/cases/{case_id}/needs").get_json()
    assert {need["category"] for need in needs} == {"JOB", "HOU"}


def test_a_plan_to_which_the_returnee_did_not_agree_waits_for_a_revision(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    boss = shared(office, case_id)
    plan = planned(handler, case_id, "JOB", agreed=False)
    refused = boss.post(f"/plans/{plan['id']}/approve", {"version": 1})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "plan_not_agreed")
    later = planned(handler, case_id, "JOB", "SKILL")
    assert later["number"] == 2
    old = boss.post(f"/plans/{plan['id']}/approve", {"version": 1})
    assert (old.status_code, old.get_json()["code"]) == (409, "plan_replaced")
    assert boss.post(f"/plans/{later['id']}/approve", {"version": 1}).status_code == 200
    listed = handler.get(f"/cases/{case_id}/plans").get_json()
    assert [(row["number"], row["status"]) for row in listed] == [(2, "approved"), (1, "replaced")]
    assert [row["goal"] for row in listed[0]["services"]] == ["Own income", "Own income"]


def test_a_service_is_added_at_any_time_and_its_path_starts(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    boss = shared(office, case_id)
    plan = planned(handler, case_id, "JOB")
    early = handler.post(f"/plans/{plan['id']}/services", {"category": "DOC", "version": 1})
    assert (early.status_code, early.get_json()["code"]) == (409, "plan_not_approved")
    assert boss.post(f"/plans/{plan['id']}/approve", {"version": 1}).status_code == 200
    added = handler.post(f"/plans/{plan['id']}/services", {"category": "DOC", "due_on": "2031-01-05", "version": 2})
    assert (added.status_code, added.get_json()["version"]) == (201, 3), added.text
    [run_id] = added.get_json()["runs"]
    assert handler.get(f"/runs/{run_id}").status_code == 200
    view = handler.get(f"/cases/{case_id}/plans").get_json()[0]
    assert {row["category"]: row["due_on"] for row in view["services"]} == {"JOB": None, "DOC": "2031-01-05"}
    wrong = handler.post(
        f"/plans/{plan['id']}/services",
        {"category": "DOC", "preferred_organisation_id": "org_" + "0" * 26, "version": 3},
    )
    assert wrong.get_json()["errors"][0]["code"] == "unknown_organisation"
    assert len(handler.get(f"/cases/{case_id}/plans").get_json()[0]["services"]) == 2
    assert "plan.service_added" in kinds(office, case_id)


def test_a_service_goes_the_way_that_the_countrys_table_names(
    office: Office, opened: Callable[..., str], monkeypatch: Any
):
    case_id, handler = opened(), office.handler()
    boss = shared(office, case_id)
    plan = planned(handler, case_id, "JOB", "SKILL")
    table = {"JOB": "hello", "SKILL": "nowhere"}
    monkeypatch.setitem(packs.pack().call_tables, "service_paths", table)
    refused = boss.post(f"/plans/{plan['id']}/approve", {"version": 1})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "path_cannot_start")
    assert handler.get(f"/cases/{case_id}/plans").get_json()[0]["status"] == "proposed"
    del table["SKILL"]
    done = boss.post(f"/plans/{plan['id']}/approve", {"version": 1})
    running = {row["id"]: row["path"] for row in handler.get(f"/cases/{case_id}/runs").get_json()}
    assert {running[run] for run in done.get_json()["runs"]} == {"hello", "service_referral"}


def test_a_country_may_lead_the_services_of_plans_through_a_path_of_their_own(
    office: Office, opened: Callable[..., str], monkeypatch: Any
):
    case_id, handler = opened(), office.handler()
    boss = shared(office, case_id)
    plan = planned(handler, case_id, "JOB")
    monkeypatch.setitem(packs.pack().call_tables, "service_paths", {"JOB": "service_referral"})
    monkeypatch.setitem(packs.pack().call_tables, "plan_service_paths", {"JOB": "hello"})
    done = boss.post(f"/plans/{plan['id']}/approve", {"version": 1})
    running = {row["id"]: row["path"] for row in handler.get(f"/cases/{case_id}/runs").get_json()}
    assert [running[run] for run in done.get_json()["runs"]] == ["hello"]


def test_each_service_of_a_plan_is_checked_and_named_by_its_place(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    for services, pointer, code in (
        ([], "/services", "required"),
        ([{"category": "JOB"}] * 51, "/services", "too_many_entries"),
        ([{"category": "JOB"}, {"category": "MOON"}], "/services/1/category", "unknown_code"),
        ([{"category": "JOB", "goal": "a\u202eb"}], "/services/0/goal", "bad_characters"),
        ([{"category": "JOB", "colour": 1}], "/services/0/colour", "unknown_field"),
        ([7], "/services/0", "wrong_type"),
        ([{"category": "JOB", "due_on": "2031-02-30"}], "/services/0/due_on", "not_a_date"),
    ):
        answer = handler.post(f"/cases/{case_id}/plans", {"services": services, "agreed": True})
        assert answer.status_code == 422, services
        assert [(e["pointer"], e["code"]) for e in answer.get_json()["errors"]] == [(pointer, code)]
    assert handler.get(f"/cases/{case_id}/plans").get_json() == []


def test_nothing_is_recorded_in_a_closed_case(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    need = handler.post(f"/cases/{case_id}/needs", {"category": "HOU"}).get_json()
    plan = planned(handler, case_id, "JOB")
    boss = shared(office, case_id)
    version = handler.get(f"/cases/{case_id}").get_json()["version"]
    closed = boss.post(
        f"/cases/{case_id}/close", {"outcome": "progressing", "reason": "support_period_ended", "version": version}
    )
    assert closed.status_code == 200, closed.text
    for answer in (
        handler.post(f"/cases/{case_id}/needs", {"category": "DOC"}),
        handler.patch(f"/needs/{need['id']}", {"priority": "urgent", "version": 1}),
        handler.post(f"/cases/{case_id}/plans", {"services": [{"category": "DOC"}], "agreed": True}),
        boss.post(f"/plans/{plan['id']}/approve", {"version": 1}),
        handler.post(f"/plans/{plan['id']}/services", {"category": "DOC", "version": 1}),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "case_closed")
        assert answer.get_json()["allowed_actions"] == ["reopen"]
