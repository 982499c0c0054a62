"""What a line of the inbox is looked for by, and whose names stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, cast

from sqlalchemy import ColumnElement, Table, func, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotValid
from nrm.models import Case, PersonToken, Task, User
from nrm.queries import absences, packs
from nrm.queries.desks import desks_of
from nrm.queries.inbox import MOST_AT_ONCE, NOT_OVER, TaskRow, tasks_where
from nrm.queries.people import ranked
from nrm.queries.person_records import hashed
from nrm.rules.matching import Identity
from nrm.rules.names import sound_tokens
from nrm.rules.numbers import parse_case_number
from nrm.vocabulary import Level, TaskStatus

_TASK: Final = cast("Table", Task.__table__).c


def case_of_number(number: str) -> str | None:
    """Find the id of a case by its number as people write it; a list by that id is as scoped as any other.

    Args:
        number: in whatever digits, in capitals or not, with or without the prefix.

    Returns:
        The id; None when this is no number, or no case has it.
    """
    wanted = _case_number(number)
    return None if wanted is None else db.session.scalar(select(Case.id).where(Case.number == wanted))


def is_case_number(text: str) -> bool:
    """Say whether a text is written like a case's number, whether or not a case has it."""
    return _case_number(text) is not None


def _case_number(text: str) -> str | None:
    try:
        return parse_case_number(text, str(packs.pack().country.get("case_prefix", "XX")))
    except NotValid:
        return None


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


def tasks_by_name(actor: Actor, now: datetime, name: str) -> tuple[TaskRow, ...]:
    """Find open and resting tasks at one's desks, or in one's hands, by the name of the person, in any spelling.

    Strictly confidential cases stand in lists without a name, so no name finds them.

    Args:
        actor: who asks.
        now: the present moment.
        name: one or more names of the person, in Arabic, Kurdish or Latin letters.

    Returns:
        The tasks of those who fit, the likeliest first, at most `MOST_AT_ONCE`.
    """
    ids = _people_with_tasks(actor, name)
    if not ids:
        return ()
    places = {
        person_id: place for place, (person_id, _, _) in enumerate(ranked(db.session(), Identity(name=name), ids))
    }
    cases = {
        row.id: places[row.person_id]
        for row in db.session.execute(select(Case.id, Case.person_id).where(Case.person_id.in_(list(places))))
    }
    rows = tasks_where(actor, now, *_within(actor), _TASK.case_id.in_(list(cases)))
    return tuple(sorted(rows, key=lambda row: cases[row.case_id]))


def _within(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    live = [str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD)]
    at_hand = or_(_TASK.desk_id.in_(desks_of(actor)), _TASK.assignee_id == actor.id)
    return (
        NOT_OVER,
        at_hand,
        _TASK.status.in_(live),
        _TASK.level != str(Level.STRICT),
        _TASK.livemode.is_(actor.livemode),
    )


def _people_with_tasks(actor: Actor, name: str) -> list[str]:
    """List people who share sounds with a name and have tasks within reach, those who share most first."""
    sounds = sorted(token for _, token in hashed({"sound": sound_tokens([name])}))
    if not sounds:
        return []
    shared = func.count(PersonToken.token.distinct())
    statement = (
        select(Case.person_id)
        .join(Task, Task.case_id == Case.id)
        .join(PersonToken, PersonToken.person_id == Case.person_id)
        .where(*_within(actor), PersonToken.kind == "sound", PersonToken.token.in_(sounds))
        .group_by(Case.person_id)
        .order_by(shared.desc(), Case.person_id)
        .limit(MOST_AT_ONCE)
    )
    return list(db.session.scalars(statement))
