"""Notices: what came to the reader or to the reader's desks, in neutral words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from api.pages.codes import names
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.kit.words import NoText
from api.transport import cursors
from nrm.actions.notifications import mark_many_read
from nrm.queries import notifications as queries
from nrm.queries.notifications import NotificationRow
from nrm.rules.texts import unstorable

notices = Pages("notices")

_LIST: Final = "pages.notices"
_ROWS: Final = 40
_PLACES: Final = {
    "task": "/tasks/",
    "referral": "/referrals/",
    "path_draft": "/studio/reviews/",
    "migration": "/studio/moves/",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice in the list.

    Attributes:
        row: the notice.
        what: what it says.
        address: the page of what it is about; None where there is none.
        desk: name of the desk that it came to; "" for the reader alone.
    """

    row: NotificationRow
    what: str
    address: str | None
    desk: str


@notices.get("/notices")
def list_notices(visit: Visit) -> Answer:
    """List the notices, the latest first."""
    unread = visit.query.get("unread") == "1"
    cursor = visit.query.get("after")
    after = cursors.read_cursor(_LIST, cursor) if cursor else None
    page = queries.notifications(visit.actor, unread=unread, after=after, limit=_ROWS)
    kept = {"unread": "1"} if unread else {}
    following = {**kept, "after": cursors.write_cursor(_LIST, page.next_key)} if page.next_key else None
    return visit.show(
        "notices/list.html",
        notices=tuple(_shown(visit, page.items)),
        unread=unread,
        next_page="/notices?" + urlencode(following) if following else None,
    )


def _shown(visit: Visit, rows: tuple[NotificationRow, ...]) -> Iterator[Notice]:
    desks = names(visit).desks
    for row in rows:
        try:
            what = visit.words.t("events." + row.kind)
        except NoText:
            what = visit.words.t("notices.something")
        place = _PLACES.get(row.subject_kind)
        yield Notice(
            row=row,
            what=what,
            address=place + row.subject_id if place else None,
            desk=desks.get(row.desk_id or "", ""),
        )


@notices.post("/notices/read")
def mark_read(visit: Visit) -> Answer:
    """Mark one notice, or all of the page, as read."""
    chosen = [one for one in visit.form.getlist("id")[:_ROWS] if not unstorable(one)]
    mark_many_read(visit.actor, chosen)
    return see("/notices?unread=1" if visit.form.get("unread") == "1" else "/notices")
