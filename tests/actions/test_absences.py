"""Who stands in for whom, as the actions see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions import cases
from nrm.actions.absences import end_absence, record_absence, set_digest, set_working_hours
from nrm.actions.tasks import claim_task, hold_task, release_task
from nrm.actors import Actor
from nrm.errors import AlreadyDone, IllegalMove, NotFound, NotValid
from nrm.models import CaseAccess, Event, Task
from nrm.queries.absences import stood_in_for
from nrm.vocabulary import Holder
from tests.world import World


@pytest.fixture
def one(land: World) -> Actor:
    return land.at_desk("case_handler", "norvale", "one")


@pytest.fixture
def two(land: World) -> Actor:
    return land.at_desk("case_handler", "norvale", "two")


def away(land: World, actor: Actor, substitute: Actor | None, days: int = 2) -> str:
    today = land.clock.now().date()
    found = substitute.id if substitute else None
    return record_absence(actor, first=today, last=today + timedelta(days=days), substitute=found)


def held_by(land: World, holder: Actor) -> Task:
    case = cases.open_case(holder, land.person(), governorate="norvale", path="hello")
    task = next(iter(land.open_tasks(case.id).values()))
    claim_task(holder, task.id)
    return task


def test_a_substitute_takes_the_task_of_the_absent_and_the_history_says_instead_of_whom(
    land: World, one: Actor, two: Actor
):
    task = held_by(land, one)
    away(land, one, two)
    assert claim_task(two, task.id, version=2).assignee_id == two.id
    told = land.session.execute(
        select(Event.actor, Event.data).where(Event.subject_id == task.id, Event.kind == "task.claimed")
    ).all()
    assert {row.actor: dict(row.data) for row in told} == {one.id: {}, two.id: {"instead_of": one.id}}


def test_without_standing_in_a_task_that_is_taken_stays_taken(land: World, one: Actor, two: Actor):
    task = held_by(land, one)
    away(land, one, None)
    with pytest.raises(IllegalMove):
        claim_task(two, task.id)


def test_standing_in_lets_nobody_release_or_hold_what_is_not_taken_over(land: World, one: Actor, two: Actor):
    task = held_by(land, one)
    away(land, one, two)
    with pytest.raises(IllegalMove):
        release_task(two, task.id, version=2)
    with pytest.raises(IllegalMove):
        hold_task(two, task.id, until=land.clock.now() + timedelta(days=1), reason="other", version=2)


def test_a_substitute_of_one_desk_gets_nothing_at_another(land: World, one: Actor):
    """The absent sits at two desks; the substitute at one of them."""
    reception = land.at_desk("reception", "norvale")
    with pytest.raises(NotValid):
        away(land, one, reception)
    task = held_by(land, one)
    with pytest.raises(NotFound):
        claim_task(land.at_desk("case_handler", "lakemar"), task.id)


def test_taking_over_in_a_strict_case_moves_the_access_with_the_task(land: World, one: Actor):
    first = land.at_desk("child_specialist", "norvale", "first")
    second = land.at_desk("child_specialist", "norvale", "second")
    case = cases.open_case(first, land.person(), governorate="norvale", path="hello", desk_id=first.desks[0])
    task = next(iter(land.open_tasks(case.id).values()))
    supervisor = land.at_desk("supervisor", "norvale")
    cases.set_level(supervisor, case.id, level="strict", version=None)
    holder = first if task.desk_id in first.desks else one
    claim_task(holder, task.id)
    substitute = second if holder is first else land.at_desk("case_handler", "norvale", "two")
    away(land, holder, substitute)
    claim_task(substitute, task.id)
    held = land.session.execute(
        select(CaseAccess.holder_id).where(
            CaseAccess.case_id == case.id, CaseAccess.holder_kind == str(Holder.USER), CaseAccess.reason == "task"
        )
    ).scalars()
    assert substitute.id in set(held)


def test_an_absence_is_ended_once_and_only_by_those_it_concerns(land: World, one: Actor, two: Actor):
    absence = away(land, one, two)
    assert set(stood_in_for(two, land.clock.now())) == {one.id}
    with pytest.raises(NotFound):
        end_absence(two, absence)
    with pytest.raises(NotFound):
        end_absence(one, "abs_unknown")
    end_absence(one, absence)
    assert stood_in_for(two, land.clock.now()) == {}
    with pytest.raises(AlreadyDone):
        end_absence(one, absence)


def test_two_absences_on_the_same_days_are_refused(land: World, one: Actor, two: Actor):
    away(land, one, two)
    with pytest.raises(NotValid) as refused:
        away(land, one, two, days=9)
    assert refused.value.problems[0].code == "absence_overlaps"


def test_choices_that_there_are_not_are_refused(one: Actor):
    with pytest.raises(NotValid):
        set_digest(one, digest="hourly")
    with pytest.raises(NotValid):
        set_working_hours(one, days=[7], begin="08:00", end="15:00")
    set_digest(one, digest="daily")
    set_working_hours(one, days=[0], begin="08:00", end="15:00")
    set_digest(one, digest="off")
