"""Who sees which failure, and what it tells them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from nrm.actions import cases, runs
from nrm.actions._action import transact
from nrm.actions.failures import open_incident
from nrm.actions.incidents import cancel_incident
from nrm.actions.inputs import Input
from nrm.actors import SYSTEM
from nrm.errors import NotAllowed, NotFound
from nrm.models import Task
from nrm.queries.incidents import incident, incidents, open_incidents
from tests.world import World


def failing(land: World) -> str:
    """A case in which a value arrives that the next step cannot use."""
    handler = land.at_desk("case_handler", "norvale")
    case_id = cases.open_case(handler, land.person(), governorate="norvale", path="many_visits").id
    task = land.session.execute(select(Task).where(Task.case_id == case_id)).scalar_one()
    land.session.close()

    def body(work) -> None:
        case = work.lock_case(case_id)
        given = Input(kind="complete", token=task.token, values={"house_ids": "not a list"})
        runs.drive(work, case, task.run_id, given)

    transact(SYSTEM, body)
    return case_id


def test_a_supervisor_sees_what_failed_in_words_and_what_may_be_done(land: World):
    supervisor = land.at_desk("supervisor", "norvale")
    case_id = failing(land)
    (row,) = incidents(supervisor, land.clock.now()).items
    assert (row.kind, row.code, row.path, row.case_id) == ("step", "not_a_list", "many_visits", case_id)
    assert row.step == "visit"
    assert set(row.step_names) == {"ar", "ckb", "en"}
    assert row.allowed_actions == ("retry", "repair", "cancel")
    view = incident(supervisor, land.clock.now(), row.id)
    assert "house_ids" in view.repairable
    assert open_incidents(supervisor, land.clock.now()) == 1


def test_another_office_sees_nothing_of_it(land: World):
    failing(land)
    stranger = land.at_desk("supervisor", "lakemar")
    now = land.clock.now()
    assert incidents(stranger, now).items == ()
    assert open_incidents(stranger, now) == 0
    (row,) = incidents(SYSTEM, now).items
    with pytest.raises(NotFound):
        incident(stranger, now, row.id)


def test_those_who_only_work_on_the_case_read_no_incidents(land: World):
    handler = land.at_desk("reception", "norvale")
    failing(land)
    with pytest.raises(NotAllowed):
        incidents(handler, land.clock.now())
    assert open_incidents(handler, land.clock.now()) == 0


def test_what_concerns_no_case_is_seen_by_those_who_watch_the_system(land: World):
    transact(SYSTEM, lambda work: open_incident(work, kind="verify", code="records_disagree"))
    now = land.clock.now()
    assert incidents(land.at_desk("supervisor", "norvale"), now).items == ()
    (row,) = incidents(SYSTEM, now).items
    assert (row.case_id, row.allowed_actions) == (None, ("cancel",))


def test_ended_ones_are_shown_when_asked_for_with_the_words_that_ended_them(land: World):
    supervisor = land.at_desk("supervisor", "norvale")
    case_id = failing(land)
    now = land.clock.now()
    (row,) = incidents(supervisor, now).items
    cancel_incident(supervisor, row.id, note="Opened twice", version=row.version)
    assert incidents(supervisor, now).items == ()
    (ended,) = incidents(supervisor, now, status=None, case_id=case_id).items
    assert (ended.ending, ended.allowed_actions) == ("cancelled", ())
    view = incident(supervisor, now, row.id)
    assert view.note == "Opened twice"
    assert view.values == {}


def test_a_long_list_is_read_page_by_page(land: World):
    for _ in range(5):
        transact(SYSTEM, lambda work: open_incident(work, kind="verify", code="records_disagree"))
    now, after, seen = land.clock.now(), None, []
    while True:
        page = incidents(SYSTEM, now, after=after, limit=2)
        seen += [row.id for row in page.items]
        after = page.next_key
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 5
