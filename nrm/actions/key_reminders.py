"""Reminders that a key or client ends soon: a month, a week and a day before."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select, update

from nrm.actions._action import Work
from nrm.actions.deliveries import mail_organisation, tell_user
from nrm.ids import is_id
from nrm.models import ApiKey

DAYS: Final = (1, 7, 30)
"""How long before its end one is reminded of a key, the shortest first."""


def remind_of_keys(work: Work) -> None:
    """Tell each organisation, and whoever issued the key, that one ends soon; inside another action.

    Each of the three reminders goes out once; one that was missed is not made up for when a later one is due.
    """
    ending = select(ApiKey).where(
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > work.now,
        ApiKey.expires_at <= work.now + timedelta(days=DAYS[-1]),
    )
    for key in work.session.execute(ending.order_by(ApiKey.id)).scalars():
        due = next(days for days in DAYS if key.expires_at <= work.now + timedelta(days=days))
        if key.reminded_days is not None and key.reminded_days <= due:
            continue
        template = "key_ends_tomorrow" if due == DAYS[0] else "key_ends"
        mail_organisation(work, key.organisation_id, template=template, subject=("key", key.id))
        if is_id(key.created_by, "usr"):
            tell_user(work, key.created_by, template=template, subject=("key", key.id))
        work.session.execute(update(ApiKey).where(ApiKey.id == key.id).values(reminded_days=due))
