"""Complaints that came in by the public door, for the desk that sees to them and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Table, and_, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Complaint
from nrm.queries import packs
from nrm.queries.page import Key, Page, cut, moment_key, newest_after
from nrm.sealing import unseal

PERMISSION = "complaint.handle"
COMPLAINTS: Table = Complaint.__table__  # type: ignore[assignment]  # a mapped class has a Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintRow:
    """A line of the list: no words of the complaint."""

    id: str
    version: int
    desk_id: str
    category: str
    sealed: bool
    state: str
    received_at: datetime
    taken_up_at: datetime | None
    taken_up_by: str | None
    answered_at: datetime | None
    run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintView:
    """A complaint in full.

    Attributes:
        complaint: its line of the list.
        text: what was said.
        threat: somebody is in danger or was threatened.
        safe_contact: how to reach the person safely; None for not at all.
        governorate: where it happened, if told.
        happened_on: when, if told.
        answer: what the holder of the receipt is told.
    """

    complaint: ComplaintRow
    text: str
    threat: bool
    safe_contact: str | None
    governorate: str | None
    happened_on: date | None
    answer: str | None


def complaints(
    actor: Actor, *, state: str | None = None, after: Key | None = None, limit: int = 50
) -> Page[ComplaintRow]:
    """List the complaints at the actor's desks, the newest first.

    Args:
        actor: who asks.
        state: only those in this state.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotAllowed: the actor does not work on complaints.
        NotValid: the key is of another list.
    """
    statement: Select[*tuple[Any, ...]] = seen(actor)
    if state is not None:
        statement = statement.where(Complaint.state == state)
    statement = newest_after(statement, COMPLAINTS.c.received_at, COMPLAINTS.c.id, after=after, limit=limit)
    return cut(
        db.session.scalars(statement).all(),
        limit,
        key=lambda row: (moment_key(row.received_at), row.id),
        make=_row,
    )


def complaint(actor: Actor, complaint_id: str) -> ComplaintView:
    """Read a complaint.

    Raises:
        NotFound: there is none at a desk of the actor's.
        NotAllowed: the actor does not work on complaints.
    """
    row = db.session.scalars(seen(actor).where(Complaint.id == complaint_id)).one_or_none()
    if row is None:
        raise NotFound
    content: Any = unseal(row.content, row=row.id, column="complaints.content")
    answer = unseal(row.answer, row=row.id, column="complaints.answer")
    return ComplaintView(
        complaint=_row(row),
        text=content["text"],
        threat=content["threat"],
        safe_contact=content["safe_contact"] or None,
        governorate=content["governorate"],
        happened_on=date.fromisoformat(content["happened_on"]) if content["happened_on"] else None,
        answer=None if answer is None else str(answer),
    )


def seen(actor: Actor) -> Select[Complaint]:
    """Select the complaints at the actor's desks.

    Raises:
        NotAllowed: the actor does not work on complaints.
    """
    if not actor.may(PERMISSION):
        raise NotAllowed("not_allowed", permission=PERMISSION)
    mine = [
        desk.id for desk in packs.pack().desks if actor.may(PERMISSION, desk=desk.id, organisation=desk.organisation_id)
    ]
    # What is under seal is for those who sit at its desk, not for all who lead the organisation.
    seats = [desk_id for desk_id in mine if desk_id in actor.desks]
    at_desk = or_(Complaint.desk_id.in_(seats), and_(Complaint.sealed.is_(False), Complaint.desk_id.in_(mine)))
    return select(Complaint).where(at_desk, Complaint.livemode.is_(actor.livemode))


def _row(found: Complaint) -> ComplaintRow:
    return ComplaintRow(
        id=found.id,
        version=found.version,
        desk_id=found.desk_id,
        category=found.category,
        sealed=found.sealed,
        state=found.state,
        received_at=found.received_at,
        taken_up_at=found.taken_up_at,
        taken_up_by=found.taken_up_by,
        answered_at=found.answered_at,
        run_id=found.run_id,
    )
