"""The work of the desks that somebody watches over: how much waits where, since when, and with whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, cast

from sqlalchemy import Table, case, func, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed
from nrm.models import Membership, Task, User
from nrm.queries import packs
from nrm.queries.desks import desks_of
from nrm.queries.inbox import NOT_OVER, InboxFilter, Tab, TaskRow, tasks_where, work_at
from nrm.queries.packs import DeskEntry
from nrm.queries.page import Key, Page
from nrm.vocabulary import TaskStatus

ASSIGN: Final = "task.assign"
MOST_MEMBERS: Final = 300
"""Colleagues who are listed at most."""

_TASK: Final = cast("Table", Task.__table__).c
_OPEN: Final = (str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD))


class Kind(StrEnum):
    """Which tasks of a desk are listed."""

    OVERDUE = "overdue"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    ON_HOLD = "on_hold"


_LISTS: Final[Mapping[Kind, tuple[Tab, InboxFilter]]] = {
    Kind.OVERDUE: (Tab.DESK, InboxFilter(overdue=True)),
    Kind.UNASSIGNED: (Tab.DESK, InboxFilter(unclaimed=True)),
    Kind.OPEN: (Tab.DESK, InboxFilter()),
    Kind.ON_HOLD: (Tab.ON_HOLD, InboxFilter()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLoad:
    """How much waits at a desk.

    Attributes:
        desk: the desk.
        open: open tasks, taken or not.
        overdue: those of them that are late.
        unassigned: those of them that nobody has taken.
        on_hold: tasks that rest.
        oldest: since when the oldest open task waits; None where none is open.
    """

    desk: DeskEntry
    open: int = 0
    overdue: int = 0
    unassigned: int = 0
    on_hold: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody at a watched desk, with how much is in their hands: numbers, and nothing of how they work.

    Attributes:
        desks: ids of the watched desks at which they sit.
        open: open tasks of these desks that they have taken.
        overdue: those of them that are late.
    """

    id: str
    name: str
    desks: tuple[str, ...]
    open: int
    overdue: int


def watched_desks(actor: Actor) -> tuple[DeskEntry, ...]:
    """Give the desks over which an actor watches, in the pack's order.

    Raises:
        NotAllowed: the actor watches over none.
    """
    if not actor.may(ASSIGN):
        raise NotAllowed("not_allowed", permission=ASSIGN)
    pack = packs.pack()
    return tuple(desk for desk in pack.desks if pack.supervises(actor, ASSIGN, desk.id))


def loads(actor: Actor, now: datetime, desks: Sequence[DeskEntry]) -> tuple[DeskLoad, ...]:
    """Count what waits at some desks, in one statement along the index of desks.

    Args:
        actor: who asks; practice is counted apart from work.
        now: the present moment.
        desks: of `watched_desks`.
    """
    statement = (
        select(
            _TASK.desk_id,
            _TASK.status,
            func.count().label("number"),
            func.sum(case((_TASK.due_at < now, 1), else_=0)).label("late"),
            func.sum(case((_TASK.assignee_id.is_(None), 1), else_=0)).label("free"),
            func.min(_TASK.opened_at).label("oldest"),
        )
        .where(_TASK.desk_id.in_([desk.id for desk in desks]), _TASK.status.in_(_OPEN))
        .where(NOT_OVER, _TASK.livemode.is_(actor.livemode))
        .group_by(_TASK.desk_id, _TASK.status)
    )
    rows = {(row.desk_id, row.status): row for row in db.session.execute(statement)}
    found = []
    for desk in desks:
        waiting, resting = rows.get((desk.id, _OPEN[0])), rows.get((desk.id, _OPEN[1]))
        on_hold = int(resting.number) if resting else 0
        if waiting is None:
            found.append(DeskLoad(desk=desk, on_hold=on_hold))
            continue
        found.append(
            DeskLoad(
                desk=desk,
                open=int(waiting.number),
                overdue=int(waiting.late),
                unassigned=int(waiting.free),
                on_hold=on_hold,
                oldest=waiting.oldest,
            )
        )
    return tuple(found)


def desk_tasks(
    actor: Actor,
    now: datetime,
    *,
    kind: Kind,
    desk: str | None = None,
    after: Key | None = None,
    limit: int = 50,
) -> Page[TaskRow]:
    """Read a page of the tasks of watched desks, by due date.

    Args:
        actor: who asks.
        now: the present moment.
        kind: which tasks.
        desk: only this desk; None for all that the actor watches over.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotAllowed: the actor watches over no desk.
        NotFound: the actor does not watch over this desk.
        NotValid: the key is of another list.
    """
    tab, only = _LISTS[kind]
    only = InboxFilter(desk=desk, overdue=only.overdue, unclaimed=only.unclaimed)
    return work_at(
        actor, now, tuple(one.id for one in watched_desks(actor)), tab=tab, only=only, after=after, limit=limit
    )


def members(actor: Actor, now: datetime, desks: Sequence[DeskEntry]) -> tuple[Member, ...]:
    """List who sits at some desks, with the number of tasks in their hands, by name."""
    ids = [desk.id for desk in desks]
    seats = (
        select(User.id, User.name, Membership.desk_id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.desk_id.in_(ids),
            Membership.since <= now,
            or_(Membership.until.is_(None), Membership.until > now),
            User.disabled_at.is_(None),
        )
        .order_by(User.name, User.id, Membership.desk_id)
        .limit(MOST_MEMBERS)
    )
    people: dict[str, tuple[str, list[str]]] = {}
    for user_id, name, desk_id in db.session.execute(seats):
        sits = people.setdefault(user_id, (name, []))[1]
        if desk_id is not None and desk_id not in sits:
            sits.append(desk_id)
    held = _held(actor, now, list(people), ids)
    return tuple(
        Member(
            id=user_id,
            name=name,
            desks=tuple(sits),
            open=held.get(user_id, (0, 0))[0],
            overdue=held.get(user_id, (0, 0))[1],
        )
        for user_id, (name, sits) in people.items()
    )


def _held(actor: Actor, now: datetime, users: list[str], desks: list[str]) -> Mapping[str, tuple[int, int]]:
    statement = (
        select(_TASK.assignee_id, func.count(), func.sum(case((_TASK.due_at < now, 1), else_=0)))
        .where(NOT_OVER, _TASK.assignee_id.in_(users), _TASK.status == _OPEN[0])
        .where(_TASK.desk_id.in_(desks), _TASK.livemode.is_(actor.livemode))
        .group_by(_TASK.assignee_id)
    )
    return {user: (int(number), int(late)) for user, number, late in db.session.execute(statement)}


def tasks_by_id(actor: Actor, now: datetime, task_ids: Collection[str]) -> Mapping[str, TaskRow]:
    """Read some tasks of desks that an actor sees or watches over, or that the actor holds; others are left out."""
    watched = (desk.id for desk in watched_desks(actor)) if actor.may(ASSIGN) else ()
    known = or_(_TASK.desk_id.in_([*desks_of(actor), *watched]), _TASK.assignee_id == actor.id)
    return {row.id: row for row in tasks_where(actor, now, _TASK.id.in_(task_ids), known)}
