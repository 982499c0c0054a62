"""Being away with a substitute; the hours in which one works; whether one gets the daily mail."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.users import lock_user
from nrm.errors import AlreadyDone, NotFound, NotValid, Problem
from nrm.models import Absence, Membership, UserChoice
from nrm.queries import packs
from nrm.queries.absences import deskmates, still_sits

LONGEST: Final = timedelta(days=366)
"""Longest absence; who is away for longer gives the seat back."""
DIGESTS: Final = ("off", "daily")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@action("absence.record")
def record_absence(
    work: Work, *, first: date | None, last: date | None, substitute: str | None = None, user_id: str | None = None
) -> str:
    """Record that somebody is away; whoever stands in may take that person's tasks at the desks of both.

    Args:
        work: the transaction.
        first: first day, in the country's time.
        last: last day.
        substitute: who stands in, somebody at a desk of the same; None for nobody.
        user_id: who is away, for a supervisor of one of the desks; None for the actor.

    Returns:
        Id of the absence.

    Raises:
        NotFound: the user is not one over whose desk the actor watches.
        NotValid: the days or the substitute do not fit, or the person is away on some of these days already.
    """
    away = user_id or work.actor.id
    _must_be_over(work, away)
    lock_user(work, away)
    begin, end = _span(work, first, last)
    if substitute is not None and substitute not in dict(deskmates(away, work.now)):
        raise NotValid([Problem(pointer="/substitute", code="substitute_elsewhere")])
    overlap = select(Absence.id).where(
        Absence.user_id == away, Absence.ended_at.is_(None), Absence.starts_at < end, Absence.ends_at > begin
    )
    if work.session.execute(overlap).first() is not None:
        raise NotValid([Problem(pointer="/first", code="absence_overlaps")])
    absence_id = work.add(
        Absence,
        id=ids.new_id("abs"),
        user_id=away,
        substitute_id=substitute,
        starts_at=begin,
        ends_at=end,
        recorded_by=work.actor.id,
        recorded_at=work.now,
    )
    data = {"what": "absence", "substitute": substitute}
    work.record("user.changed", stream=away, subject=("user", away), data=data)
    return absence_id


def _span(work: Work, first: date | None, last: date | None) -> tuple[datetime, datetime]:
    zone = packs.pack().zone
    problems = [
        Problem(pointer=pointer, code="required")
        for pointer, day in (("/first", first), ("/last", last))
        if day is None
    ]
    if first is None or last is None:
        raise NotValid(problems)
    if last < first or last < work.now.astimezone(zone).date():
        raise NotValid([Problem(pointer="/last", code="absence_ends_before")])
    if last == date.max:
        # No calendar has the day after it.
        raise NotValid([Problem(pointer="/last", code="not_a_date")])
    if last - first > LONGEST:
        raise NotValid([Problem(pointer="/last", code="absence_too_long", params={"days": LONGEST.days})])
    return _midnight(first), _midnight(last + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), packs.pack().zone)


def _must_be_over(work: Work, user_id: str) -> None:
    """Stop unless the user is the actor, or sits at a desk over which the actor watches."""
    if user_id == work.actor.id:
        return
    seats = select(Membership.desk_id).where(
        Membership.user_id == user_id, Membership.desk_id.is_not(None), still_sits(work.now)
    )
    desks = work.session.execute(seats).scalars().all()
    if not any(desk and packs.pack().supervises(work.actor, "task.assign", desk) for desk in desks):
        raise NotFound


@action("absence.end")
def end_absence(work: Work, absence_id: str) -> None:
    """End an absence now, or take back one that has not begun.

    Raises:
        NotFound: there is none of the actor's, or of somebody over whose desk the actor watches.
        AlreadyDone: it is over.
    """
    found = work.session.get(Absence, absence_id, populate_existing=True)
    if found is None:
        raise NotFound
    _must_be_over(work, found.user_id)
    if found.ended_at is not None or found.ends_at <= work.now:
        raise AlreadyDone("absence_over")
    work.session.execute(update(Absence).where(Absence.id == absence_id).values(ended_at=work.now))
    work.record("user.changed", stream=found.user_id, subject=("user", found.user_id), data={"what": "absence_ended"})


@action("user.set_hours")
def set_working_hours(work: Work, *, days: Collection[int], begin: str, end: str) -> None:
    """Tell in which hours one works; no days for none told.

    They are shown to whoever gives out the work of the desk. Due dates keep to the office's calendar: a deadline
    belongs to the returnee, not to the person who happens to hold the task.

    Args:
        work: the transaction.
        days: weekday numbers, Monday 0.
        begin: local time "08:00".
        end: local time, later than `begin`.

    Raises:
        NotValid: a day or a time is wrong.
    """
    problems = (
        [Problem(pointer="/days", code="not_a_choice", params={"choices": "0–6"})] if set(days) - set(range(7)) else []
    )
    if days:
        problems += [
            Problem(pointer=pointer, code="not_a_time")
            for pointer, text in (("/begin", begin), ("/end", end))
            if not _TIME.fullmatch(text)
        ]
        if not problems and end <= begin:
            problems.append(Problem(pointer="/end", code="day_ends_before_it_starts"))
    if problems:
        raise NotValid(problems)
    told = sorted(set(days))
    values = {"work_days": told or None, "work_from": begin if told else None, "work_until": end if told else None}
    _choose(work, **values)
    work.record("user.changed", stream=work.actor.id, subject=("user", work.actor.id), data={"what": "working_hours"})


@action("user.set_digest")
def set_digest(work: Work, *, digest: str) -> None:
    """Choose whether one gets a mail on working days that says how much waits.

    Raises:
        NotValid: it is neither "off" nor "daily".
    """
    if digest not in DIGESTS:
        raise NotValid([Problem(pointer="/digest", code="not_a_choice", params={"choices": ", ".join(DIGESTS)})])
    _choose(work, digest=digest)
    work.record("user.changed", stream=work.actor.id, subject=("user", work.actor.id), data={"what": "digest"})


def _choose(work: Work, **values: object) -> None:
    lock_user(work, work.actor.id)
    row = work.session.get(UserChoice, work.actor.id, populate_existing=True)
    if row is None:
        work.add(UserChoice, user_id=work.actor.id, **values)
        return
    for name, value in values.items():
        setattr(row, name, value)
