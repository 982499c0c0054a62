"""Two path designers move running cases over the API: planned, looked at, approved, watched, taken back."""

from __future__ import annotations

from typing import Any

import pytest

from nrm.actions import cases
from tests.api.conftest import Browser, Office
from tests.drafting import designer
from tests.moving import latest_version, next_version, work_off


@pytest.fixture
def maker(office: Office) -> Browser:
    return office.browser(designer(office.land, "maker"))


@pytest.fixture
def second(office: Office) -> Browser:
    return office.browser(designer(office.land, "second"))


@pytest.fixture
def versions(office: Office) -> dict[str, str]:
    """Two versions of a path, with a case in two places on the older one."""
    source = latest_version("wait_for_answer")
    for place in ("norvale", "hillin"):
        handler = office.land.at_desk("case_handler", place)
        cases.open_case(handler, office.land.person(governorate=place), governorate=place, path="wait_for_answer")
    return {"source": source, "target": next_version(office.land, "wait_for_answer", ("P2D", "P9D"))}


def planned(maker: Browser, versions: dict[str, str]) -> str:
    answer = maker.post("/path-migrations", versions)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def seen(browser: Browser, plan_id: str) -> dict[str, Any]:
    answer = browser.get(f"/path-migrations/{plan_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def do(browser: Browser, plan_id: str, verb: str) -> int:
    version = seen(browser, plan_id)["version"]
    status = browser.post(f"/path-migrations/{plan_id}/{verb}", {"version": version}).status_code
    work_off(plan_id)
    return int(status)


@pytest.fixture
def unit(office: Office) -> Browser:
    return office.browser(office.land.at_desk("national_unit", "norvale"))


def test_a_plan_goes_from_its_maker_over_a_second_person_to_its_end_and_back(
    maker: Browser, second: Browser, unit: Browser, versions: dict[str, str]
):
    plan_id = planned(maker, versions)
    view = seen(maker, plan_id)
    assert (view["running"], view["plan"]["status"]) == (None, "draft")
    assert seen(unit, plan_id)["running"] == 2
    assert {step["id"]: step["to"] for step in view["steps"]} == {
        name: name for name in ("write", "wait", "answered", "too_late", "ring")
    }
    told = [(finding["code"], finding["element"]) for finding in view["findings"]]
    assert told == [("move_due_stays", "ring"), ("move_due_stays", "write")]
    assert view["allowed_actions"] == ["change", "check", "discard"]
    assert do(maker, plan_id, "check") == 204
    assert seen(maker, plan_id)["plan"]["counts"]["ready"] is None
    assert seen(unit, plan_id)["plan"]["counts"]["ready"] == 2
    refused = maker.post(f"/path-migrations/{plan_id}/approve", {"version": seen(maker, plan_id)["version"]})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "second_person_approves")
    assert do(second, plan_id, "approve") == 204
    view = seen(unit, plan_id)
    assert (view["plan"]["status"], view["plan"]["counts"]["moved"], view["running"]) == ("done", 2, 0)
    assert do(second, plan_id, "undo") == 204
    assert seen(unit, plan_id)["plan"]["counts"]["undone"] == 2


def test_a_plan_says_where_each_step_goes_and_what_cannot_be_moved(
    maker: Browser, unit: Browser, versions: dict[str, str]
):
    plan_id = planned(maker, versions)
    steps = {"ring": {"to": "ring"}, "wait": {"to": "wait"}, "answered": {"to": None}}
    changed = maker.put(f"/path-migrations/{plan_id}/steps", {"steps": steps, "version": 1})
    assert changed.status_code == 204, changed.text
    codes = {(one["code"], one["element"]) for one in seen(maker, plan_id)["findings"]}
    assert {("move_unmapped", "write"), ("move_message_ends", "answered")} <= codes
    assert do(maker, plan_id, "check") == 204
    view = seen(unit, plan_id)
    assert view["plan"]["counts"]["refused"] == 2
    assert [(one["code"], one["element"], one["count"]) for one in view["reasons"]] == [
        ("move_stands_unmapped", "write", 2)
    ]


def test_only_those_cases_are_named_that_one_may_know_of(office: Office, maker: Browser, versions: dict[str, str]):
    plan_id = planned(maker, versions)
    do(maker, plan_id, "check")
    assert maker.get(f"/path-migrations/{plan_id}/cases").get_json()["data"] == []
    supervisor = office.browser(office.land.at_desk("supervisor", "norvale"))
    rows = supervisor.get(f"/path-migrations/{plan_id}/cases?status=ready").get_json()["data"]
    assert [row["status"] for row in rows] == ["ready"]
    assert rows[0]["case_number"]
    assert supervisor.get(f"/path-migrations/{plan_id}/cases?status=moved").get_json()["data"] == []
    assert office.handler().get(f"/path-migrations/{plan_id}/cases").status_code == 403


@pytest.mark.parametrize(
    ("steps", "pointer", "code"),
    [
        ([], "/steps", "wrong_type"),
        ({"write": 3}, "/steps/write", "wrong_type"),
        ({"write": {"to": 3}}, "/steps/write", "wrong_type"),
        ({"write": {"to": "write", "form": "old"}}, "/steps/write", "wrong_type"),
        ({"write": {"to": "write", "more": 1}}, "/steps/write", "wrong_type"),
        ({"nowhere": {"to": "write"}}, "/steps/nowhere", "unknown_step"),
    ],
)
def test_a_plan_of_a_wrong_shape_is_refused_and_changes_nothing(
    maker: Browser, versions: dict[str, str], steps: object, pointer: str, code: str
):
    plan_id = planned(maker, versions)
    answer = maker.put(f"/path-migrations/{plan_id}/steps", {"steps": steps, "version": 1})
    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.get_json()["errors"]] == [(pointer, code)]
    assert seen(maker, plan_id)["version"] == 1


def test_plans_are_listed_by_path_and_only_for_those_who_read_paths(
    office: Office, maker: Browser, versions: dict[str, str]
):
    plan_id = planned(maker, versions)
    assert [row["id"] for row in maker.get("/path-migrations?path=wait_for_answer").get_json()] == [plan_id]
    assert maker.get("/path-migrations?path=hello").get_json() == []
    handler = office.handler()
    assert handler.get("/path-migrations").status_code == 403
    assert handler.get(f"/path-migrations/{plan_id}").status_code == 403
    assert maker.get("/path-migrations/mig_" + "0" * 26).status_code == 404
    same = maker.post("/path-migrations", {"source": versions["source"], "target": versions["source"]})
    assert (same.status_code, same.get_json()["errors"][0]["code"]) == (422, "migration_target")
