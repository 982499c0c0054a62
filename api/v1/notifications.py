"""Notices to somebody or to their desks."""

from __future__ import annotations

from api.schemas.directory import NoticeQuery
from api.transport.endpoint import Ask, Noun
from nrm.actions.notifications import mark_read
from nrm.queries import notifications as queries
from nrm.queries.notifications import NotificationRow
from nrm.queries.page import Page

notifications = Noun("notifications")


@notifications.get("/notifications", query=NoticeQuery, answer=NotificationRow, paged=True)
def list_notifications(ask: Ask) -> Page[NotificationRow]:
    """List one's notices, the latest first."""
    return queries.notifications(ask.actor, unread=ask.query["unread"], after=ask.after, limit=ask.limit)


@notifications.post("/notifications/<notification_id>/read")
def read(ask: Ask, notification_id: str) -> None:
    """Mark a notice as read."""
    mark_read(ask.actor, notification_id)
