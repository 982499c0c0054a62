"""What an organisation's programs asked, for the organisation itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select

from nrm.actors import Actor, ActorKind
from nrm.db import db
from nrm.errors import NotValid, Problem
from nrm.models import RequestRecord
from nrm.queries.keys import managed_organisations
from nrm.queries.page import Key, Page, cut, moment_key, moment_of, size


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request of a program.

    Attributes:
        key_id: with which key or client.
        route: the pattern of the address, without the ids in it.
        code: code of the problem; None for a good answer.
    """

    at: datetime
    key_id: str
    method: str
    route: str
    status: int
    code: str | None
    request_id: str


def requests(actor: Actor, *, key_id: str | None = None, after: Key | None = None, limit: int = 50) -> Page[RequestRow]:
    """List what programs asked, the latest first: a key sees its organisation's, in its own mode.

    Args:
        actor: a key, or somebody who manages keys.
        key_id: only those with this key or client.
        after: the key after which the page begins.
        limit: rows of the page.

    Raises:
        NotAllowed: a user who manages no keys.
        NotValid: the key is of another list.
    """
    # Who asks was looked up in a transaction that may be older than what was just stored.
    db.session.rollback()
    statement = select(RequestRecord)
    if actor.kind is ActorKind.KEY:
        statement = statement.where(
            RequestRecord.organisation_id == actor.organisations[0], RequestRecord.livemode.is_(actor.livemode)
        )
    else:
        managed = managed_organisations(actor)
        if managed is not None:
            statement = statement.where(RequestRecord.organisation_id.in_(managed))
    if key_id is not None:
        statement = statement.where(RequestRecord.key_id == key_id)
    if after is not None:
        at, last = moment_of(after, 0), _number(after)
        statement = statement.where(or_(RequestRecord.at < at, and_(RequestRecord.at == at, RequestRecord.id < last)))
    statement = statement.order_by(RequestRecord.at.desc(), RequestRecord.id.desc()).limit(size(limit) + 1)
    rows = db.session.scalars(statement).all()
    return cut(rows, size(limit), key=lambda row: (moment_key(row.at), row.id), make=_row)


def _number(after: Key) -> int:
    number = after[1] if len(after) > 1 else None
    if not isinstance(number, int):
        raise NotValid([Problem(pointer="/cursor", code="bad_cursor")])
    return number


def _row(row: RequestRecord) -> RequestRow:
    return RequestRow(
        at=row.at,
        key_id=row.key_id,
        method=row.method,
        route=row.route,
        status=row.status,
        code=row.code,
        request_id=row.request_id,
    )
