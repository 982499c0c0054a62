"""Providers keep their own entries: places, pauses, and the word that an entry is still right."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from nrm.actions import capacity, schedules
from nrm.actions._action import transact
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.errors import Conflict, NotAllowed, NotValid, StaleVersion
from nrm.models import Delivery, Event, Notification, Service
from tests.actions.test_races import at_once
from tests.actions.test_referrals import Loop
from tests.world import World


@pytest.fixture
def loop(land: World) -> Loop:
    return Loop(land)


def kinds(land: World, subject: str) -> list[str]:
    land.session.close()
    found = select(Event.kind).where(Event.subject_id == subject).order_by(Event.at, Event.seq)
    return list(land.session.execute(found).scalars())


def test_a_provider_says_how_many_places_it_has_and_confirms_its_entry_with_it(loop: Loop):
    row = capacity.set_capacity(loop.provider, loop.service.id, accepting=True, available=3, unit="families")
    assert (row.accepting, row.open_slots, row.unit, row.stale) == (True, 3, "families", False)
    assert row.last_verified_on == loop.land.clock.now().date()
    assert kinds(loop.land, loop.service.id) == ["service.capacity_changed"]


def test_a_pause_with_an_end_ends_by_itself(loop: Loop):
    until = loop.land.clock.now().date() + timedelta(days=9)
    row = capacity.set_capacity(loop.provider, loop.service.id, accepting=False, until=until)
    assert (row.accepting, row.paused_until) == (True, until)
    row = capacity.set_capacity(loop.provider, loop.service.id, accepting=False)
    assert (row.accepting, row.paused_until) == (False, None)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"accepting": True, "until": date(2026, 3, 20)}, "until_without_pause"),
        ({"accepting": False, "until": date(2026, 2, 1)}, "day_out_of_range"),
        ({"accepting": False, "until": date(2029, 2, 1)}, "day_out_of_range"),
    ],
)
def test_a_pause_that_cannot_be_right_is_refused(loop: Loop, given: dict, code: str):
    with pytest.raises(NotValid) as refused:
        capacity.set_capacity(loop.provider, loop.service.id, **given)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert kinds(loop.land, loop.service.id) == []


def test_only_the_provider_itself_says_so(loop: Loop):
    with pytest.raises(NotAllowed) as refused:
        capacity.set_capacity(loop.land.receiver_of("open_door"), loop.service.id, accepting=False)
    assert refused.value.code == "not_your_service"
    with pytest.raises(StaleVersion):
        capacity.verify_service(loop.provider, loop.service.id, version=77)


def test_places_are_never_fewer_than_none_whoever_comes_first(installed, land: World):
    """Four acceptances and the provider's own figure at the same moment: each order leaves a possible number."""
    loops = []
    for _ in range(4):
        loop = Loop(land)
        loop.consent()
        loops.append((loop, loop.send()))
    service = loops[0][0].service.id
    capacity.set_capacity(loops[0][0].provider, service, accepting=True, available=2)
    land.session.close()
    verbs = [lambda loop=loop, sent=sent: loop.do(loop.provider, "accept", sent.id) for loop, sent in loops]
    provider = loops[0][0].provider
    verbs.insert(2, lambda: capacity.set_capacity(provider, service, accepting=True, available=1))
    answers = at_once(installed, *verbs)
    taken = sum(not isinstance(answer, Conflict) for place, answer in enumerate(answers) if place != 2)
    land.session.close()
    left = land.session.execute(select(Service.open_slots).where(Service.id == service)).scalar_one()
    before = 2
    assert left >= 0
    # Before the new figure at most two were taken, after it one: what is left says how many came after.
    after = 1 - left
    assert after in (0, 1)
    assert after <= taken <= before + after


def test_the_database_itself_refuses_a_count_below_none(loop: Loop):
    with pytest.raises(Exception, match=r"(?i)check|constraint"), db.engine.begin() as connection:
        connection.execute(update(Service).where(Service.id == loop.service.id).values(open_slots=-1))


def test_a_stale_entry_is_asked_about_once_and_the_answer_ends_it(land: World):
    loop = Loop(land, service="papers_help")
    with db.engine.begin() as connection:
        connection.execute(update(Service).values(last_verified_on=land.clock.now().date()))
        connection.execute(
            update(Service)
            .where(Service.id == loop.service.id)
            .values(last_verified_on=land.clock.now().date() - timedelta(days=91))
        )
    land.session.close()
    assert transact(SYSTEM, capacity.ask_about_stale_entries) == 1
    assert transact(SYSTEM, capacity.ask_about_stale_entries) == 0, "not again the same day"
    land.session.close()
    told = land.session.execute(select(Delivery.template, Delivery.organisation_id)).all()
    assert [tuple(row) for row in told] == [("service_stale", loop.service.organisation_id)]
    asked = select(func.count()).select_from(Notification).where(Notification.kind == "service.verify_asked")
    assert land.session.execute(asked).scalar_one() == 1
    land.move(days=14)
    assert transact(SYSTEM, capacity.ask_about_stale_entries) == 1, "two weeks without a word"
    assert not capacity.verify_service(loop.provider, loop.service.id).stale
    assert kinds(land, loop.service.id) == ["service.verify_asked", "service.verify_asked", "service.verified"]
    land.move(days=20)
    assert transact(SYSTEM, capacity.ask_about_stale_entries) == 0


def test_asking_is_done_every_day():
    assert schedules.SCHEDULES["ask_stale"].every == "daily 05:00"
