"""A case's history as its team reads it: the events, the latest first, with who acted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotValid, Problem
from nrm.models import Event, User
from nrm.queries.cases import must_read
from nrm.queries.page import Key, Page, cut, size


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One fact.

    Attributes:
        kind: one of `nrm.events.KINDS`.
        actor_name: name of the user who acted; None for a program.
        data: ids and codes.
    """

    id: str
    seq: int
    at: datetime
    kind: str
    actor: str
    actor_name: str | None
    organisation_id: str | None
    subject_kind: str
    subject_id: str
    data: Mapping[str, object]


def timeline(
    actor: Actor, now: datetime, case_id: str, *, after: Key | None = None, limit: int = 50
) -> Page[TimelineEntry]:
    """Read a page of a case's history.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it.
        NotValid: the key is of another list.
    """
    must_read(actor, now, case_id)
    statement = select(Event, User.name).outerjoin(User, User.id == Event.actor).where(Event.stream == case_id)
    if after is not None:
        if len(after) != 1 or not isinstance(after[0], int):
            raise NotValid([Problem(pointer="/cursor", code="bad_cursor")])
        statement = statement.where(Event.seq < after[0])
    rows = list(db.session.execute(statement.order_by(Event.seq.desc()).limit(size(limit) + 1)).all())
    return cut(rows, size(limit), key=lambda row: (row[0].seq,), make=lambda row: _entry(row[0], row[1]))


def _entry(event: Event, name: str | None) -> TimelineEntry:
    return TimelineEntry(
        id=event.id,
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        actor=event.actor,
        actor_name=name,
        organisation_id=event.organisation_id,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        data=event.data,
    )
