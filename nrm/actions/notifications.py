"""Notices: seen and done with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import or_, update

from nrm.actions._action import Work, action
from nrm.errors import NotFound
from nrm.models import Notification

AT_ONCE: Final = 100
"""Most notices that are marked at a time."""


@action("notification.read")
def mark_read(work: Work, notification_id: str) -> None:
    """Mark a notice as read: one's own, or one of a desk at which one sits.

    Raises:
        NotFound: there is no such notice for the actor.
    """
    mine = or_(Notification.user_id == work.actor.id, Notification.desk_id.in_(work.actor.desks))
    change = update(Notification).where(Notification.id == notification_id, mine)
    done = work.session.execute(change.values(read_at=work.now).execution_options(synchronize_session=False))
    if done.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult
        raise NotFound


@action("notification.read_many")
def mark_many_read(work: Work, notification_ids: Sequence[str]) -> None:
    """Mark the notices that somebody has seen in a list as read; those of others and unknown ones are left alone."""
    mine = or_(Notification.user_id == work.actor.id, Notification.desk_id.in_(work.actor.desks))
    seen = Notification.id.in_(notification_ids[:AT_ONCE]) & Notification.read_at.is_(None)
    change = update(Notification).where(seen, mine).values(read_at=work.now)
    work.session.execute(change.execution_options(synchronize_session=False))
