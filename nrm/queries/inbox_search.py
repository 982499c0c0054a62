"""What a line of the inbox is looked for by, and whose names stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotValid
from nrm.models import Case, User
from nrm.queries import packs
from nrm.queries.desks import desks_of
from nrm.queries.inbox import TaskRow
from nrm.rules.numbers import parse_case_number


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
