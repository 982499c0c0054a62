"""The supervisor's desk: what waits where, what is late or with nobody, what needs a second person, who is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from flask import Response

from api.pages.bulk import HOLD_DAYS
from api.pages.codes import names
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.times import days_of, told
from api.pages.work import Line, groups_of
from api.transport import cursors
from nrm.actions import absences as actions
from nrm.errors import AlreadyDone, NotValid
from nrm.queries import absences, desk_work
from nrm.queries import approvals as waiting
from nrm.queries.desk_work import DeskLoad, Kind, Member
from nrm.queries.inbox import TaskRow
from nrm.queries.waiting_elsewhere import waiting_elsewhere
from nrm.vocabulary import HoldReason

desk = Pages("desk")

ROWS: Final = 50
_LIST: Final = "pages.desk"
_ELSEWHERE: Final[Mapping[str, str]] = {
    "incidents": "/incidents",
    "complaints": "/complaints",
    "reviews": "/studio#reviews",
    "migrations": "/studio#paths",
    "roles": "/admin/users#waiting",
}
"""Kind of what waits outside the desks → where one sees to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An organisation with its watched desks.

    Attributes:
        name: its name.
        loads: desk and its name, the one with most late tasks first.
    """

    name: str
    loads: tuple[tuple[str, DeskLoad], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Something that waits for a second person.

    Attributes:
        kind: what it is.
        case_number: of its case.
        address: where it is decided.
        since: when it was asked for.
    """

    kind: str
    case_number: str
    address: str
    since: datetime


@desk.get("/desk", permission="task.assign")
def show(visit: Visit) -> Answer:
    """Show how much waits at the desks that one watches over, and a list of what does."""
    return _page(visit)


def _page(visit: Visit, problems: tuple[tuple[str, str], ...] = ()) -> Response:
    desks = desk_work.watched_desks(visit.actor)
    kind = Kind(visit.query["list"]) if visit.query.get("list") in set(Kind) else Kind.OVERDUE
    chosen = visit.query.get("desk")
    chosen = chosen if chosen in {one.id for one in desks} else None
    cursor = visit.query.get("after")
    after = cursors.read_cursor(_LIST, cursor) if cursor else None
    page = desk_work.desk_tasks(visit.actor, visit.now, kind=kind, desk=chosen, after=after, limit=ROWS)
    kept = {"list": str(kind), **({"desk": chosen} if chosen else {})}
    loads = desk_work.loads(visit.actor, visit.now, desks)
    people = desk_work.members(visit.actor, visit.now, desks)
    following = {**kept, "after": cursors.write_cursor(_LIST, page.next_key)} if page.next_key else None
    return visit.show(
        "desk/desk.html",
        status=422 if problems else 200,
        bodies=tuple(_bodies(visit, loads)),
        total=_total(loads),
        kinds=tuple(Kind),
        kind=kind,
        chosen=chosen,
        lines=_lines(visit, page.items),
        next_page="/desk?" + urlencode(following) if following else None,
        here="/desk?" + urlencode(kept),
        decisions=tuple(_decisions(visit)),
        elsewhere=tuple((_ELSEWHERE[one.kind], one) for one in waiting_elsewhere(visit.actor, visit.now)),
        people=people,
        away=absences.absences_of([one.id for one in people], visit.now),
        hours=absences.working_hours([one.id for one in people]),
        problems=problems,
        given=visit.form,
        takers=takers(people, chosen),
        names=names(visit),
        hold_days=HOLD_DAYS,
        hold_reasons=tuple(HoldReason),
    )


@desk.post("/desk/absence", permission="task.assign")
def record_absence(visit: Visit) -> Answer:
    """Record that somebody at a watched desk is away, for somebody who cannot do it."""
    first, last = days_of(visit)
    substitute, user_id = visit.text("substitute") or None, visit.text("user")
    if not user_id:
        return _page(visit, (("user", visit.problem("required")),))
    try:
        actions.record_absence(visit.actor, first=first, last=last, substitute=substitute, user_id=user_id)
    except NotValid as error:
        return _page(visit, told(visit, error))
    return see("/desk#people")


@desk.post("/desk/absence/<absence_id>/end", permission="task.assign")
def end_absence(visit: Visit, absence_id: str) -> Answer:
    """End the absence of somebody at a watched desk; one that is over already is no mistake."""
    try:
        actions.end_absence(visit.actor, absence_id)
    except AlreadyDone:
        return see("/desk#people")
    return see("/desk#people")


def takers(people: Sequence[Member], desk_id: str | None) -> tuple[Member, ...]:
    """Give who may be given tasks: the members of the chosen desk, of all where none is chosen."""
    return tuple(one for one in people if desk_id is None or desk_id in one.desks)


def _bodies(visit: Visit, loads: Sequence[DeskLoad]) -> Iterator[Body]:
    known = names(visit)
    by_body: dict[str, list[DeskLoad]] = {}
    for load in loads:
        by_body.setdefault(load.desk.organisation_id, []).append(load)
    for body, some in by_body.items():
        ranked = sorted(some, key=lambda one: (-one.overdue, -one.open, known.desks.get(one.desk.id, "")))
        yield Body(
            name=known.organisations.get(body, ""),
            loads=tuple((known.desks.get(one.desk.id, ""), one) for one in ranked),
        )


def _total(loads: Sequence[DeskLoad]) -> dict[Kind, int]:
    return {
        Kind.OVERDUE: sum(one.overdue for one in loads),
        Kind.UNASSIGNED: sum(one.unassigned for one in loads),
        Kind.OPEN: sum(one.open for one in loads),
        Kind.ON_HOLD: sum(one.on_hold for one in loads),
    }


def _lines(visit: Visit, rows: Sequence[TaskRow]) -> tuple[Line, ...]:
    return tuple(line for _, lines in groups_of(visit, rows, grouped=False) for line in lines)


def _decisions(visit: Visit) -> Iterator[Decision]:
    for one in waiting.approvals(visit.actor, visit.now):
        address = {
            "plan": f"/cases/{one.case_id}/plan",
            "override": f"/cases/{one.case_id}/consent#overrides",
            "referral": f"/referrals/{one.id}",
        }[one.kind]
        yield Decision(kind=one.kind, case_number=one.case_number, address=address, since=one.since)
