"""The demonstration's clock: time that can be moved, never with real people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.schemas.demonstration import Advance
from api.transport.endpoint import Ask, Noun
from nrm.clock import Clock, FixedClock, MovableClock
from nrm.errors import NotFound, NotValid, Problem
from nrm.installation import installation
from nrm.rules.deadlines import parse_duration

demonstration = Noun("demonstration")

_FURTHEST = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """What time the demonstration has."""

    now: datetime


def _clock() -> Clock:
    place = installation()
    if not place.config.demo:
        raise NotFound("demo_off")
    return place.clock


@demonstration.get("/demo/clock", answer=Time)
def read_clock(ask: Ask) -> Time:
    """Say what time the demonstration has."""
    del ask
    return Time(now=_clock().now())


@demonstration.post("/demo/clock", body=Advance, answer=Time)
def move_clock(ask: Ask) -> Time:
    """Move time on, for web and runner together; a month counts thirty days."""
    clock = _clock()
    try:
        wished = parse_duration(ask.body["advance"])
        by = timedelta(weeks=wished.weeks, days=wished.days + 30 * wished.months) + wished.time
    except NotValid:
        by = timedelta()
    if not timedelta() < by <= _FURTHEST:
        raise NotValid([Problem(pointer="/advance", code="not_a_duration")])
    if not isinstance(clock, MovableClock | FixedClock):
        raise NotFound("demo_off")
    return Time(now=clock.move(by))
