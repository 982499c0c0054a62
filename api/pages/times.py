"""The reader's own working day: hours, absence with a substitute, and the daily mail."""

from __future__ import annotations

from datetime import date
from typing import Final

from flask import Response

from api.pages.kit.visits import Answer, Pages, Visit, see
from nrm.actions import absences as actions
from nrm.errors import AlreadyDone, NotValid
from nrm.queries import absences, packs, users

times = Pages("times")

_DONE: Final = frozenset({"absence", "ended", "hours", "digest"})


@times.get("/me/times")
def show(visit: Visit) -> Answer:
    """Show when one works, when one is away, and whether a mail comes."""
    return _page(visit)


def _page(visit: Visit, problems: tuple[tuple[str, str], ...] = ()) -> Response:
    me = visit.actor.id
    done = visit.query.get("done")
    hours = absences.working_hours([me]).get(me)
    calendar = packs.pack().calendar_for(None)
    office = tuple(day for day in range(7) if day not in calendar.weekend)
    return visit.show(
        "me/times.html",
        status=422 if problems else 200,
        away=absences.absences_of([me], visit.now).get(me, ()),
        others=absences.deskmates(me, visit.now),
        standing=absences.stood_in_for(visit.actor, visit.now),
        hours=hours,
        week=week(office),
        office=office,
        opens=calendar.day_start.strftime("%H:%M"),
        closes=calendar.day_end.strftime("%H:%M"),
        digest=absences.digest_of(visit.actor),
        email=users.me(visit.actor, visit.now).email,
        today=visit.now.astimezone(visit.words.zone).date().isoformat(),
        done=done if done in _DONE else None,
        problems=problems,
        given=visit.form,
    )


def week(office: tuple[int, ...]) -> tuple[int, ...]:
    """Give the days of the week from the first on which offices open after the weekend."""
    first = next((day for day in office if (day - 1) % 7 not in office), 0)
    return tuple((first + step) % 7 for step in range(7))


def days_of(visit: Visit) -> tuple[date | None, date | None]:
    """Read the first and last day of an absence from a form; None for what is no day."""
    return _day(visit.text("first")), _day(visit.text("last"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def told(visit: Visit, error: NotValid) -> tuple[tuple[str, str], ...]:
    """Give each field that is wrong, and what is wrong with it."""
    return tuple((one.pointer.strip("/"), visit.problem(one.code, one.params)) for one in error.problems)


@times.post("/me/absence")
def record(visit: Visit) -> Answer:
    """Record that one is away."""
    first, last = days_of(visit)
    try:
        actions.record_absence(visit.actor, first=first, last=last, substitute=visit.text("substitute") or None)
    except NotValid as error:
        return _page(visit, told(visit, error))
    return see("/me/times?done=absence")


@times.post("/me/absence/<absence_id>/end")
def end(visit: Visit, absence_id: str) -> Answer:
    """End an absence; one that is over already is no mistake."""
    try:
        actions.end_absence(visit.actor, absence_id)
    except AlreadyDone:
        return see("/me/times")
    return see("/me/times?done=ended")


@times.post("/me/hours")
def set_hours(visit: Visit) -> Answer:
    """Tell in which hours one works."""
    days = [int(text) for text in visit.form.getlist("days") if len(text) == 1 and text in "0123456789"]
    try:
        actions.set_working_hours(visit.actor, days=days, begin=visit.text("begin")[:5], end=visit.text("end")[:5])
    except NotValid as error:
        return _page(visit, told(visit, error))
    return see("/me/times?done=hours#hours")


@times.post("/me/digest")
def choose_digest(visit: Visit) -> Answer:
    """Choose whether a mail comes on working days."""
    actions.set_digest(visit.actor, digest=visit.text("digest"))
    return see("/me/times?done=digest#digest")
