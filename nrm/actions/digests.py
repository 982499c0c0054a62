"""The daily mail: on working days, to those who want it and for whom something is new; it says only how much waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from nrm.actions._action import Work
from nrm.actions.deliveries import DIGEST, tell_user
from nrm.db import db
from nrm.installation import installation
from nrm.models import User, UserChoice
from nrm.queries import inbox, notifications, packs
from nrm.queries.absences import absences_of
from nrm.queries.users import actor_of_user

FIRST: Final = timedelta(days=1)
"""What counts as new for somebody who never got one."""


def find_news() -> Mapping[str, int]:
    """Count what is new for each who wants a mail, before the transaction that queues the mails.

    Returns:
        User id → new tasks and notices since the last mail; nobody on a day on which the offices are closed.
    """
    now = installation().clock.now()
    calendar = packs.pack().calendar_for(None)
    if not calendar.is_working_day(now.astimezone(calendar.zone).date()):
        return {}
    wished = select(UserChoice.user_id, UserChoice.digest_at).join(User, User.id == UserChoice.user_id)
    wished = wished.where(UserChoice.digest == "daily", User.disabled_at.is_(None), User.email.is_not(None))
    rows = db.session.execute(wished.order_by(UserChoice.user_id)).all()
    away = absences_of([row.user_id for row in rows], now)
    found = {}
    for user_id, last in rows:
        if any(absence.starts_at <= now for absence in away.get(user_id, ())):
            continue
        number = _news(user_id, last or now - FIRST, now)
        if number:
            found[user_id] = number
    return found


def _news(user_id: str, since: datetime, now: datetime) -> int:
    actor = actor_of_user(user_id, now)
    # What one has taken oneself is no news.
    return inbox.new_since(actor, since, in_hand=False) + notifications.new_since(actor, since)


def send_digests(work: Work, news: Mapping[str, int]) -> None:
    """Queue a mail to each for whom something is new, once a day.

    Args:
        work: the transaction.
        news: what `find_news` gave.
    """
    for user_id in sorted(news):
        row = work.session.get(UserChoice, user_id, populate_existing=True, with_for_update=True)
        if row is None or row.digest != "daily":
            continue
        if row.digest_at is not None and row.digest_at > work.now - FIRST / 2:
            continue
        row.digest_at = work.now
        tell_user(work, user_id, template=DIGEST, subject=("user", user_id))
