"""When one works and when one is away, who stands in, whether the daily mail comes; and saved views of the inbox."""

from __future__ import annotations

from dataclasses import dataclass

from api.schemas.own_work import AbsenceQuery, RecordAbsence, SaveView, SetDigest, SetHours
from api.transport.endpoint import Ask, Noun
from api.transport.shapes import Made, made
from nrm.actions import absences as actions
from nrm.actions import views as view_actions
from nrm.installation import installation
from nrm.queries import absences as queries
from nrm.queries import desk_work
from nrm.queries.absences import AbsenceRow
from nrm.queries.views import ViewRow, saved_views

times = Noun("times")


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitute:
    """Somebody who may stand in: who sits at a desk of the asker's."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTimes:
    """When one works.

    Attributes:
        days: weekday numbers, Monday 0; none when one has not told.
        begin: local time "08:00"; "" when one has not told.
        end: local time; "" when one has not told.
        digest: whether a mail comes on working days: daily or off.
    """

    days: tuple[int, ...]
    begin: str
    end: str
    digest: str


@times.get("/absences", query=AbsenceQuery, answer=tuple[AbsenceRow, ...])
def list_absences(ask: Ask) -> tuple[AbsenceRow, ...]:
    """List one's own absences that are not over; with `desk` those of everybody at the desks one watches over."""
    now = installation().clock.now()
    whose = [ask.actor.id]
    if ask.query["desk"]:
        watched = desk_work.watched_desks(ask.actor)
        whose = [one.id for one in desk_work.members(ask.actor, now, watched)]
    found = queries.absences_of(whose, now)
    return tuple(row for user_id in whose for row in found.get(user_id, ()))


@times.post("/absences", body=RecordAbsence, answer=Made, status=201, shape=made)
def record_absence(ask: Ask) -> str:
    """Record that one is away, or, as a supervisor, that somebody at one's desk is; who stands in may do the tasks."""
    return actions.record_absence(ask.actor, **ask.body)


@times.post("/absences/<absence_id>/end")
def end_absence(ask: Ask, absence_id: str) -> None:
    """End an absence now, or take back one that has not begun."""
    actions.end_absence(ask.actor, absence_id)


@times.get("/substitutes", answer=tuple[Substitute, ...])
def list_substitutes(ask: Ask) -> tuple[Substitute, ...]:
    """List who may stand in for the asker."""
    found = queries.deskmates(ask.actor.id, installation().clock.now())
    return tuple(Substitute(id=user_id, name=name) for user_id, name in found)


@times.get("/working-times", answer=OwnTimes)
def read_times(ask: Ask) -> OwnTimes:
    """Read one's own working hours, and whether the daily mail comes."""
    hours = queries.working_hours([ask.actor.id]).get(ask.actor.id)
    days, begin, end = (hours.days, hours.begin, hours.end) if hours else ((), "", "")
    return OwnTimes(days=days, begin=begin, end=end, digest=queries.digest_of(ask.actor))


@times.put("/working-times/hours", body=SetHours)
def set_hours(ask: Ask) -> None:
    """Tell in which hours one works; deadlines keep to the office's calendar all the same."""
    actions.set_working_hours(ask.actor, **ask.body)


@times.put("/working-times/digest", body=SetDigest)
def set_digest(ask: Ask) -> None:
    """Choose whether a mail comes on working days that says how much waits."""
    actions.set_digest(ask.actor, digest=ask.body["digest"])


@times.get("/views", answer=tuple[ViewRow, ...])
def list_views(ask: Ask) -> tuple[ViewRow, ...]:
    """List the saved views of one's inbox, one's own and those of one's desks."""
    return saved_views(ask.actor)


@times.post("/views", body=SaveView, answer=Made, status=201, shape=made)
def save_view(ask: Ask) -> str:
    """Keep a list of the inbox under a name, for oneself or for all at one of one's desks."""
    wanted: dict[str, str | bool] = ask.body["filter"]
    query = {name: ("1" if value else "") if isinstance(value, bool) else value for name, value in wanted.items()}
    return view_actions.save_view(ask.actor, name=ask.body["name"], query=query, desk_id=ask.body["desk_id"])


@times.delete("/views/<view_id>")
def forget_view(ask: Ask, view_id: str) -> None:
    """Forget a saved view."""
    view_actions.forget_view(ask.actor, view_id)
