"""Notices: seen and done with."""

from __future__ import annotations

from sqlalchemy import or_, update

from nrm.actions._action import Work, action
from nrm.errors import NotFound
from nrm.models import Notification


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
