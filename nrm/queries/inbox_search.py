"""What a line of the inbox is looked for by, and whose names stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotValid
from nrm.models import Case, Task, User
from nrm.queries import absences, packs
from nrm.queries.desks import desks_of
from nrm.queries.inbox import NOT_OVER, TaskRow, tasks_where
from nrm.rules.numbers import parse_case_number
from nrm.vocabulary import TaskStatus

_TASK: Final = cast("Table", Task.__table__).c


def case_of_number(number: str) -> str | None:
    """Find the id of a case by its number as people write it; a list by that id is as scoped as any other.

    Args:
        number: in whatever digits, in capitals or not, with or without the prefix.

    Returns:
        The id; None when this is no number, or no case has it.
    """
    try:
        wanted = parse_case_number(number, str(packs.pack().country.get("case_prefix", "XX")))
    except NotValid:
        return None
    return db.session.scalar(select(Case.id).where(Case.number == wanted))


def colleague_names(actor: Actor, rows: Iterable[TaskRow]) -> Mapping[str, str]:
    """Name the colleagues who have taken tasks at desks that an actor sees or watches; elsewhere no person is named.

    Returns:
        User id → name.
    """
    pack = packs.pack()
    seen = {*desks_of(actor), *(desk.id for desk in pack.desks if pack.supervises(actor, "task.assign", desk.id))}
    ids = {row.assignee_id for row in rows if row.assignee_id and row.desk_id in seen} - {actor.id}
    if not ids:
        return {}
    found = db.session.execute(select(User.id, User.name).where(User.id.in_(sorted(ids))))
    return {row.id: row.name for row in found}


def tasks_of_absent(actor: Actor, now: datetime) -> tuple[tuple[str, tuple[TaskRow, ...]], ...]:
    """List the open tasks of colleagues who are away and for whom an actor stands in, at the desks of both.

    Returns:
        Name of the colleague, and the tasks by due date; colleagues without any are left out.
    """
    away = absences.stood_in_for(actor, now)
    if not away:
        return ()
    rows = tasks_where(
        actor,
        now,
        NOT_OVER,
        _TASK.assignee_id.in_(list(away)),
        _TASK.status == str(TaskStatus.OPEN),
        _TASK.desk_id.in_(actor.desks),
    )
    by_holder: dict[str, list[TaskRow]] = {user_id: [] for user_id in away}
    for row in rows:
        by_holder[row.assignee_id or ""].append(row)
    return tuple((away[user_id], tuple(some)) for user_id, some in by_holder.items() if some)
