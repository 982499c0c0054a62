"""Notices to somebody, or to a desk at which they sit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import BindParameter, Select, Table, bindparam, func, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.models import Notification
from nrm.queries.page import Key, Page, cut, moment_key, newest_after, size

COUNTED: Final = 99
"""Unread notices are counted up to this number."""
FRESH: Final = timedelta(days=30)
"""Older notices are listed, but call for nobody any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRow:
    """A notice.

    Attributes:
        subject_kind: what it is about: task, referral or another noun.
    """

    id: str
    kind: str
    subject_kind: str
    subject_id: str
    desk_id: str | None
    created_at: datetime
    read_at: datetime | None


def notifications(
    actor: Actor, *, unread: bool = False, after: Key | None = None, limit: int = 50
) -> Page[NotificationRow]:
    """List one's notices, the latest first.

    Raises:
        NotValid: the key is of another list.
    """
    mine = or_(Notification.user_id == actor.id, Notification.desk_id.in_(actor.desks))
    statement = select(Notification).where(mine).execution_options(populate_existing=True)
    if unread:
        statement = statement.where(Notification.read_at.is_(None))
    created, row_id = _column(Notification.created_at), _column(Notification.id)
    rows = db.session.scalars(newest_after(statement, created, row_id, after=after, limit=limit)).all()
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row.created_at), row.id),
        make=lambda row: NotificationRow(
            id=row.id,
            kind=row.kind,
            subject_kind=row.subject_kind,
            subject_id=row.subject_id,
            desk_id=row.desk_id,
            created_at=row.created_at,
            read_at=row.read_at,
        ),
    )


def unread_count(actor: Actor, now: datetime) -> int:
    """Count one's unread notices of the last 30 days, up to `COUNTED`."""
    return new_since(actor, now - FRESH)


def new_since(actor: Actor, since: datetime) -> int:
    """Count the unread notices that came after a moment, up to `COUNTED`."""
    given = {"user": actor.id, "desks": list(actor.desks), "since": since}
    return db.session.connection().execute(_UNREAD, given).scalar_one()


def _unread() -> Select[int]:
    table = cast("Table", Notification.__table__).c
    desks: BindParameter[str] = bindparam("desks", expanding=True)
    mine = or_(table.user_id == bindparam("user"), table.desk_id.in_(desks))
    fresh = select(table.id).where(mine, table.created_at > bindparam("since"), table.read_at.is_(None))
    return select(func.count()).select_from(fresh.limit(COUNTED).subquery())


_UNREAD: Final = _unread()
"""Built once: every page begins with it."""


def _column(column: Any) -> Any:  # noqa: ANN401 - a mapped column as a plain one
    return column
