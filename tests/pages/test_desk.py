"""A supervisor's day over the desks, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from nrm.actions.cases import share_case
from nrm.actions.plans import WantedService, record_plan
from nrm.actions.tasks import claim_task
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.models import Plan, Run
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader


@pytest.fixture
def supervisor(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(office.land.at_desk("supervisor", "norvale"))


def ticks(page: Page) -> list[str]:
    """Give what the ticks of a list would send."""
    found = page.text.split('name="task" form="many" value="')[1:]
    return [part.partition('"')[0] for part in found]


def test_a_supervisor_sees_what_waits_at_each_desk_and_opens_the_list_of_it(
    opened: Callable[..., str], supervisor: Reader
):
    opened()
    opened()
    page = supervisor.open(supervisor.open("/work").links["Desks"])
    assert "Norvale" in page.says
    assert "No task is late." in page.says
    free = supervisor.open("/desk?list=unassigned")
    assert len(ticks(free)) == 2
    assert "with nobody" in free.says


def test_what_waits_outside_the_desks_has_a_link_for_those_who_may_see_to_it(supervisor: Reader):
    page = supervisor.open("/desk")
    assert page.links["Failures"] == "/incidents"
    assert page.links["Complaints without an answer"] == "/complaints"
    assert not {"Paths to review", "Roles to approve", "Moves of cases to approve"} & set(page.links)


def test_a_late_task_is_listed_as_late_and_counted(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], supervisor: Reader
):
    opened()
    assert "No task is late." in supervisor.open("/desk").says
    office.clock.move(timedelta(days=40))
    page = reader(supervisor.actor).open("/desk")
    assert "days late" in page.says
    assert len(ticks(page)) == 1


def test_many_tasks_are_given_to_a_member_and_each_that_fails_says_why(
    office: Office, opened: Callable[..., str], supervisor: Reader
):
    for _ in range(3):
        opened()
    handler = office.land.at_desk("case_handler", "norvale", "one")
    page = supervisor.open("/desk?list=unassigned")
    chosen = ticks(page)
    taken = chosen[0].partition(" ")[0]
    claim_task(office.land.at_desk("case_handler", "norvale", "two"), taken)

    done = supervisor.send(page, "/tasks/many", task=[*chosen, "tsk_nobody 1"], verb="assign", to_user=handler.id)

    assert done.status == 200
    assert "2 were done" in done.says
    assert "2 could not be changed" in done.says
    assert "Somebody changed this since you read it" in done.says
    assert "not yours to know of" in done.says
    assert len(ticks(supervisor.open("/desk?list=unassigned"))) == 0
    assert "3" in supervisor.open("/desk").says


def test_many_tasks_are_put_on_hold_resumed_and_released(
    office: Office, opened: Callable[..., str], supervisor: Reader
):
    opened()
    opened()
    page = supervisor.open("/desk?list=open")
    held = supervisor.send(page, "/tasks/many", task=ticks(page), verb="hold", days="7", reason="other")
    assert "It is on hold." in held.says
    resting = supervisor.open("/desk?list=on_hold")
    assert len(ticks(resting)) == 2
    back = supervisor.send(resting, "/tasks/many", task=ticks(resting), verb="resume")
    assert "It is off hold." in back.says
    free = supervisor.open("/desk?list=open")
    refused = supervisor.send(free, "/tasks/many", task=ticks(free), verb="release")
    assert "2 could not be changed" in refused.says


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"verb": "assign", "task": []}, "not be done"),
        ({"verb": "burn", "task": ["tsk_x 1"]}, "Choose what is to be done"),
        ({"verb": "release", "task": [f"tsk_{number} 1" for number in range(101)]}, "at most 100"),
        ({"verb": "release", "task": ["tsk_x yesterday"]}, "not yours to know of"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told(supervisor: Reader, opened: Callable[..., str], sent, words: str):
    opened()
    page = supervisor.open("/desk?list=open")
    assert words in supervisor.send(page, "/tasks/many", **sent).says


def test_a_handler_watches_over_no_desk(handler: Reader, opened: Callable[..., str]):
    opened()
    assert "Desks" not in handler.open("/work").links
    assert handler.open("/desk").status == 403


def test_a_supervisor_elsewhere_neither_counts_nor_changes_the_work_of_this_desk(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], supervisor: Reader
):
    opened()
    chosen = ticks(supervisor.open("/desk?list=open"))
    other = reader(office.land.at_desk("supervisor", "lakemar"))
    assert ticks(other.open("/desk?list=open")) == []
    token = dict(other.open("/me").form("/my-language").fields)["token"]
    beaten = other.post("/tasks/many", {"token": token, "task": chosen, "verb": "hold", "reason": "other"})
    assert "1 could not be changed" in beaten.says
    assert "not yours to know of" in beaten.says


def test_a_disclosure_without_consent_waits_for_a_second_supervisor(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], supervisor: Reader
):
    from nrm.actions.overrides import ask_override
    from nrm.queries.directory import organisations

    case_id = opened()
    asker = office.land.at_desk("supervisor", "norvale", "two")
    receiver = organisations(asker).items[0].id
    ask_override(
        asker, case_id, organisation_id=receiver, ground="life_threat", reason="invented", categories=["contact"]
    )
    assert "Sharing without consent" in supervisor.open("/desk").says
    assert "Sharing without consent" not in reader(asker).open("/desk").says


def test_only_the_latest_plan_that_no_path_takes_care_of_waits_for_a_second_person(
    office: Office, opened: Callable[..., str], supervisor: Reader
):
    case_id = opened()
    writer = office.land.at_desk("case_handler", "norvale", "writer")
    for _ in range(2):
        record_plan(writer, case_id, services=[WantedService(category="HOU")], agreed=True)
    share_case(SYSTEM, case_id, holder_kind="user", holder_id=supervisor.actor.id, access="work")
    page = supervisor.open("/desk")
    assert page.text.count('/plan"') == page.text.count(f'"/cases/{case_id}/plan"') == 1
    assert "Approve" in supervisor.open(f"/cases/{case_id}/plan").says
    db.session.remove()
    with db.engine.begin() as connection:
        run = connection.execute(select(Run.id).where(Run.case_id == case_id)).scalar_one()
        connection.execute(update(Plan).values(run_id=run))
    assert "Waiting for a second person" not in supervisor.open("/desk").says


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_the_desks_are_there_in_each_language(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], language: str
):
    opened()
    one = reader(office.land.at_desk("supervisor", "norvale"), language)
    page = one.open("/desk?list=unassigned")
    assert (page.status, page.language, page.direction, page.inline) == (200, language, "rtl", [])
    done = one.send(page, "/tasks/many", task=ticks(page), verb="release")
    assert (done.status, done.inline) == (200, [])
