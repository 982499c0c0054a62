"""The register of letters that came in: a desk's letters without a case, and the letters of cases that one may read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Table, and_, exists, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, IncomingLetter
from nrm.queries import packs
from nrm.queries.page import Key, Page, cut, moment_key, newest_after
from nrm.queries.scope import sees_case
from nrm.sealing import unseal

PERMISSION = "letter.register"
LETTERS: Table = IncomingLetter.__table__  # type: ignore[assignment]  # a mapped class has a Table


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRow:
    """A line of the register of what came in.

    Attributes:
        number: our incoming number in its year.
        organisation_id: the sender, where the directory has it.
        sender: the sender's name where the directory has it not.
        their_number: the number that the sender gave the letter.
        dated: the day that the sender wrote on it.
        case_id: None while it stands in the desk's list of letters without a case.
        answers_id: our letter which it answers.
    """

    id: str
    version: int
    year: int
    number: int
    desk_id: str
    received_on: date
    organisation_id: str | None
    sender: str | None
    their_number: str | None
    dated: date | None
    subject: str
    case_id: str | None
    referral_id: str | None
    answers_id: str | None
    registered_by: str
    registered_at: datetime
    linked_at: datetime | None


def incoming_letters(
    actor: Actor,
    now: datetime,
    *,
    desk_id: str | None = None,
    case_id: str | None = None,
    unlinked: bool = False,
    after: Key | None = None,
    limit: int = 50,
) -> Page[IncomingRow]:
    """List letters that came in, the newest first: those without a case at the actor's desks, and those of cases.

    Args:
        actor: who asks.
        now: the present moment.
        desk_id: only those registered at this desk.
        case_id: only those of this case.
        unlinked: only those without a case.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotAllowed: the actor keeps no register.
        NotValid: the key is of another list.
    """
    statement: Select[*tuple[Any, ...]] = _seen(actor, now)
    if desk_id is not None:
        statement = statement.where(IncomingLetter.desk_id == desk_id)
    if case_id is not None:
        statement = statement.where(IncomingLetter.case_id == case_id)
    if unlinked:
        statement = statement.where(IncomingLetter.case_id.is_(None))
    statement = newest_after(statement, LETTERS.c.registered_at, LETTERS.c.id, after=after, limit=limit)
    return cut(
        db.session.scalars(statement).all(),
        limit,
        key=lambda row: (moment_key(row.registered_at), row.id),
        make=_row,
    )


def incoming_letter(actor: Actor, now: datetime, letter_id: str) -> IncomingRow:
    """Read one line of the register.

    Raises:
        NotFound: there is none, or it is not the actor's to know of.
        NotAllowed: the actor keeps no register.
    """
    row = db.session.scalars(_seen(actor, now).where(IncomingLetter.id == letter_id)).one_or_none()
    if row is None:
        raise NotFound
    return _row(row)


def _seen(actor: Actor, now: datetime) -> Select[IncomingLetter]:
    if not actor.may(PERMISSION):
        raise NotAllowed("not_allowed", permission=PERMISSION)
    mine = [
        desk.id for desk in packs.pack().desks if actor.may(PERMISSION, desk=desk.id, organisation=desk.organisation_id)
    ]
    of_case = exists().where(Case.id == IncomingLetter.case_id, sees_case(actor, now, reading=True))
    without = and_(IncomingLetter.case_id.is_(None), IncomingLetter.desk_id.in_(mine))
    return select(IncomingLetter).where(or_(without, of_case), IncomingLetter.livemode.is_(actor.livemode))


def _row(found: IncomingLetter) -> IncomingRow:
    sealed: Any = unseal(found.content, row=found.id, column="incoming_letters.content")
    return IncomingRow(
        id=found.id,
        version=found.version,
        year=found.year,
        number=found.number,
        desk_id=found.desk_id,
        received_on=found.received_on,
        organisation_id=found.from_organisation_id,
        sender=sealed["sender"] or None,
        their_number=sealed["their_number"] or None,
        dated=date.fromisoformat(sealed["dated"]) if sealed["dated"] else None,
        subject=sealed["subject"],
        case_id=found.case_id,
        referral_id=found.referral_id,
        answers_id=found.answers_id,
        registered_by=found.registered_by,
        registered_at=found.registered_at,
        linked_at=found.linked_at,
    )
