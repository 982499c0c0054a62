"""Eight programs at the same moment: one accepts, places are never fewer than none, every answer fits some order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import Barrier

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from nrm.actions import capacity
from nrm.actions.keys import issue_key
from nrm.actors import SYSTEM
from nrm.models import Referral, Service
from tests.actions.test_referrals import Loop
from tests.api.conftest import Office

CLIENTS = 8


@dataclass(frozen=True)
class Step:
    """What a client asked for and got: the places that it set, or None for an acceptance."""

    sets: int | None
    done: bool


def fits_an_order(before: int, steps: Sequence[Step], after: int) -> bool:
    """Tell whether the steps, one after the other in some order, give these answers and end with these places."""

    @cache
    def search(left: frozenset[int], places: int) -> bool:
        if not left:
            return places == after
        for number in left:
            step, rest = steps[number], left - {number}
            if step.sets is not None:
                if search(rest, step.sets):
                    return True
            elif step.done == (places > 0) and search(rest, places - 1 if step.done else places):
                return True
        return False

    return search(frozenset(range(len(steps))), before)


def test_the_judge_of_orders_knows_right_from_wrong():
    yes, no = Step(sets=None, done=True), Step(sets=None, done=False)
    assert fits_an_order(1, [yes, no], 0)
    assert not fits_an_order(1, [yes, yes], 0), "one place, two winners"
    assert not fits_an_order(2, [yes, no], 1), "refused although there was a place"
    assert not fits_an_order(1, [yes], 1), "the place was not counted"
    assert fits_an_order(0, [no, Step(sets=2, done=True), yes], 1)
    assert not fits_an_order(0, [yes, Step(sets=1, done=True)], 1)


def at_the_same_moment(office: Office, calls: Sequence[Callable[[], TestResponse]]) -> list[TestResponse]:
    ready = Barrier(len(calls))

    def ask(call: Callable[[], TestResponse]) -> TestResponse:
        ready.wait()
        return call()

    office.land.session.close()
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(ask, calls))


class Provider:
    """A provider's program with referrals that wait for its answer."""

    def __init__(self, office: Office, count: int, places: int) -> None:
        self.office = office
        self.loops = [Loop(office.land) for _ in range(count)]
        self.sent = []
        for loop in self.loops:
            loop.consent()
            self.sent.append(loop.send())
        self.service = self.loops[0].service
        capacity.set_capacity(self.loops[0].provider, self.service.id, accepting=True, available=places)
        scopes = ("referrals:read", "referrals:act", "directory:write")
        self.key = issue_key(SYSTEM, self.service.organisation_id, name="eight at once", scopes=scopes).text

    def call(self, method: str, path: str, body: dict[str, object], **headers: str) -> Callable[[], TestResponse]:
        client = self.office.app.test_client(use_cookies=False)
        headers["Authorization"] = f"Bearer {self.key}"
        return lambda: client.open(f"/api/v1{path}", method=method, json=body, headers=headers)

    def accept(self, number: int, **headers: str) -> Callable[[], TestResponse]:
        sent = self.sent[number]
        return self.call("POST", f"/referrals/{sent.id}/accept", {"version": sent.version}, **headers)

    def places(self) -> int:
        self.office.land.session.close()
        found = select(Service.open_slots).where(Service.id == self.service.id)
        return int(self.office.land.session.execute(found).scalar_one() or 0)


def test_of_eight_who_accept_one_referral_one_wins_and_one_place_is_taken(office: Office):
    provider = Provider(office, 1, places=5)
    answers = at_the_same_moment(office, [provider.accept(0) for _ in range(CLIENTS)])
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [412] * (CLIENTS - 1), [answer.text for answer in answers]
    assert provider.places() == 4
    assert office.land.session.get(Referral, provider.sent[0].id).state == "accepted"  # type: ignore[union-attr]


def test_eight_who_repeat_one_request_are_one_acceptance(office: Office):
    provider = Provider(office, 1, places=5)
    same = {"Idempotency-Key": "the-same-call"}
    answers = at_the_same_moment(office, [provider.accept(0, **same) for _ in range(CLIENTS)])
    bodies = {answer.get_data() for answer in answers if answer.status_code == 200}
    assert [answer.status_code for answer in answers] == [200] * CLIENTS
    assert len(bodies) == 1
    assert provider.places() == 4


@pytest.mark.parametrize("places", [0, 2, 5])
def test_acceptances_and_new_figures_at_once_fit_some_order_and_no_count_falls_below_none(office: Office, places: int):
    provider = Provider(office, CLIENTS - 2, places=places)
    figures = (1, 3)
    path = f"/services/{provider.service.id}/capacity"
    sets = [provider.call("PUT", path, {"accepting": True, "available": figure}) for figure in figures]
    accepts = [provider.accept(number) for number in range(CLIENTS - 2)]
    answers = at_the_same_moment(office, [sets[0], *accepts, sets[1]])
    statuses = [answer.status_code for answer in answers]
    assert statuses[0] == statuses[-1] == 200
    assert set(statuses[1:-1]) <= {200, 409}
    refusals = {answer.get_json()["code"] for answer in answers if answer.status_code == 409}
    assert refusals <= {"no_capacity"}
    steps = [
        Step(sets=figures[0], done=True),
        *(Step(sets=None, done=status == 200) for status in statuses[1:-1]),
        Step(sets=figures[1], done=True),
    ]
    after = provider.places()
    assert after >= 0
    assert fits_an_order(places, steps, after), (places, steps, after)
