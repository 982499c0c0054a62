"""What failed, on the pages of those who help: tried again, repaired, given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from nrm.actions import tasks
from nrm.actions._action import Work, transact
from nrm.actions.failures import open_incident
from nrm.actors import SYSTEM
from nrm.installation import installation
from nrm.models import Desk, Incident, Runner, TaskAnswers
from nrm.queries import health, packs
from nrm.sealing import seal
from tests.api.conftest import Office
from tests.pages.administrators import administrator
from tests.pages.conftest import Reader

Opened = Callable[..., str]


def staff_desks(active: bool) -> None:
    def body(work: Work) -> None:
        work.session.execute(update(Desk).values(active=active))
        packs.touch(work)

    transact(SYSTEM, body)


@pytest.fixture
def repairer(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(office.land.at_desk("supervisor", "norvale"))


@pytest.fixture
def stopped(office: Office, opened: Opened) -> str:
    """A case whose answer could not be worked on, because nobody sat at the next desk."""
    case_id = opened()
    handler = office.land.at_desk("case_handler", "norvale", "one")
    task = office.land.open_tasks(case_id)["ask"]
    version = tasks.claim_task(handler, task.id).version
    staff_desks(False)
    tasks.complete_task(handler, task.id, answers={"wants_tea": True, "tea_kind": "black"}, version=version)
    return case_id


def only_incident(office: Office) -> Incident:
    office.land.session.close()
    return office.land.session.execute(select(Incident)).scalar_one()


def test_a_step_that_failed_is_told_in_words_and_tried_again_when_the_desk_is_staffed(
    repairer: Reader, office: Office, stopped: str
):
    page = repairer.open(repairer.open("/work").links["Administration"])
    page = repairer.open(page.links["Incidents"])
    assert page.status == 200
    incident = only_incident(office)
    page = repairer.open(f"/incidents/{incident.id}")
    assert page.status == 200
    assert page.inline == []
    assert f"/cases/{stopped}" in page.links.values()
    again = repairer.send(page, "/retry")
    assert again.status == 422
    assert "failed again" in " ".join(again.alerts)
    staff_desks(True)
    done = repairer.send(again, "/retry")
    assert "the work goes on" in done.says
    assert set(office.land.open_tasks(stopped))
    assert "No incidents here" in repairer.open("/incidents").says


def test_a_wrong_answer_is_corrected_after_a_warning(repairer: Reader, office: Office, stopped: str):
    staff_desks(True)
    page = repairer.open(f"/incidents/{only_incident(office).id}")
    address = next(link for link in page.links.values() if "/answers/" in link)
    page = repairer.open(address)
    empty = repairer.send(page, address, a__wants_tea="false")
    assert empty.status == 422
    assert "#reason" in empty.links.values()
    warned = repairer.send(empty, address, a__wants_tea="false", reason="The guest said no")
    assert warned.status == 409
    assert any("tea" in words for words in warned.alerts)
    office.land.session.close()
    kept = office.land.session.execute(select(TaskAnswers)).scalar_one()
    assert kept.answers == seal({"wants_tea": True, "tea_kind": "black"}, row="", column="")
    done = repairer.send(warned, address, confirmed="1")
    assert "the work goes on" in done.says
    incident = only_incident(office)
    assert (incident.ending, incident.ended_by) == ("repaired", repairer.actor.id)
    assert "The guest said no" in done.says


def test_a_decision_value_is_repaired_with_its_kind(repairer: Reader, office: Office, stopped: str):
    staff_desks(True)
    page = repairer.open(f"/incidents/{only_incident(office).id}")
    name = next(name for name, _ in page.form("/repair").fields if name.startswith("kind."))
    wrong = repairer.post(
        page.form("/repair").action,
        dict([*page.form("/repair").fields, (name, "whole"), (name.replace("kind", "value", 1), "many")]),
    )
    assert wrong.status == 422
    assert wrong.alerts
    missing = repairer.send(page, "/repair", **{name: "no"})
    assert missing.status == 422
    done = repairer.send(page, "/repair", **{name: "no", "reason": "Typed wrongly"})
    assert done.status == 200
    assert only_incident(office).ending == "repaired"


def test_giving_up_takes_a_reason(repairer: Reader, office: Office, stopped: str):
    page = repairer.open(f"/incidents/{only_incident(office).id}")
    refused = repairer.send(page, "/cancel", note="  ")
    assert refused.status == 422
    done = repairer.send(refused, "/cancel", note="It is done on paper")
    assert "It was given up" in done.says
    assert only_incident(office).status == "cancelled"
    stale = repairer.send(page, "/cancel", note="Once more")
    assert stale.status == 412
    listed = repairer.open("/incidents?status=cancelled")
    assert f"/incidents/{only_incident(office).id}" in listed.links.values()


def test_other_offices_and_handlers_know_nothing_of_it(
    office: Office, reader: Callable[..., Reader], stopped: str, handler: Reader
):
    staff_desks(True)
    stranger = reader(office.land.at_desk("supervisor", "lakemar"))
    incident = only_incident(office).id
    assert "No incidents here" in stranger.open("/incidents").says
    assert stranger.open(f"/incidents/{incident}").status == 404
    assert stranger.open(f"/incidents/{incident}/answers/tsk_{'0' * 26}").status == 404
    assert handler.open("/incidents").status == 403
    assert handler.open("/admin").status == 403
    assert "Administration" not in handler.open("/work").links


def test_who_watches_the_system_sees_what_concerns_no_case_and_no_case(
    office: Office, reader: Callable[..., Reader], stopped: str
):
    staff_desks(True)
    transact(SYSTEM, lambda work: open_incident(work, kind="delivery", code="no_address"))
    boss = reader(administrator(office, "hro"))
    page = boss.open("/incidents")
    assert "Sending a message" in page.says
    assert len([link for link in page.links.values() if link.startswith("/incidents/inc_")]) == 1
    assert "No incidents here" in boss.open("/incidents?kind=step").says
    assert "No incidents here" in boss.open("/incidents?path=hello").says


def test_a_silent_runner_is_told_on_every_page_until_it_gives_a_sign_of_life(
    repairer: Reader, office: Office, reader: Callable[..., Reader]
):
    for address in ("/incidents", "/admin", "/work", "/desk", "/me"):
        assert "silent" in repairer.open(address).says
    assert "silent" not in reader(office.land.at_desk("case_handler", "norvale")).open("/work").says
    now = datetime.now(UTC)
    transact(SYSTEM, lambda work: work.add(Runner, name="one", started_at=now, seen_at=now, done=0, failed=0))
    health.forget()
    assert "silent" not in repairer.open("/incidents").says


def test_a_runner_that_was_heard_is_asked_for_once_and_a_silent_one_every_few_seconds(
    office: Office, query_counter: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
):
    moment = [1000.0]
    monkeypatch.setattr(health, "monotonic", lambda: moment[0])
    health.forget()
    for pause, silent, asked in ((0, True, 1), (9, True, 0), (1, True, 1)):
        moment[0] += pause
        with query_counter() as count:
            assert health.runner_is_silent() is silent
        assert count() == asked
    now = datetime.now(UTC)
    transact(SYSTEM, lambda work: work.add(Runner, name="one", started_at=now, seen_at=now, done=0, failed=0))
    moment[0] += 10
    allowed = installation().config.worker_silent_seconds
    for pause, asked in ((0, 1), (allowed - 2, 0), (3, 1)):
        moment[0] += pause
        with query_counter() as count:
            assert not health.runner_is_silent()
        assert count() == asked
    health.forget()


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_it_is_told_in_the_readers_language(office: Office, reader: Callable[..., Reader], stopped: str, language: str):
    staff_desks(True)
    one = reader(office.land.at_desk("supervisor", "norvale"), language)
    for address in ("/admin", "/incidents", f"/incidents/{only_incident(office).id}"):
        page = one.open(address)
        assert (page.status, page.language, page.direction) == (200, language, "rtl")


@pytest.mark.parametrize("query", ["status=nothing", "kind=<b>", "path=%00", "after=x", "path=' or 1=1"])
def test_filters_that_are_none_do_no_harm(repairer: Reader, query: str):
    assert repairer.open(f"/incidents?{query}").status in {200, 404, 422}
