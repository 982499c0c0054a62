"""What partners' programs asked, kept for them for a month, and when their keys were last used.

Written in batches, a little later than the requests; a process that is killed loses its last seconds of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, update

from nrm.actions._action import Work, action
from nrm.models import ApiKey, RequestRecord

KEEP: Final = timedelta(days=30)
"""How long a partner can read what its programs asked."""

USED_EVERY: Final = timedelta(minutes=1)
"""How exactly the last use of a key is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request.

    Attributes:
        organisation_id: whose program asked.
        key_id: with which key or client.
        livemode: False for a test key.
        at: when, in the installation's time.
        method: the HTTP method.
        route: the pattern of the address, without the ids in it.
        status: of the answer.
        code: code of the problem; None for a good answer.
        request_id: id that the answer carried.
    """

    organisation_id: str
    key_id: str
    livemode: bool
    at: datetime
    method: str
    route: str
    status: int
    code: str | None
    request_id: str


@action("request.keep")
def keep_requests(work: Work, asked: Sequence[Asked]) -> None:
    """Store requests, and the last use of their keys.

    Args:
        work: the transaction.
        asked: in the order in which they came.
    """
    used: dict[str, datetime] = {}
    for one in asked:
        work.add(
            RequestRecord,
            organisation_id=one.organisation_id,
            key_id=one.key_id,
            livemode=one.livemode,
            at=one.at,
            method=one.method,
            route=one.route,
            status=one.status,
            code=one.code,
            request_id=one.request_id,
        )
        used[one.key_id] = max(one.at, used.get(one.key_id, one.at))
    for key_id, at in sorted(used.items()):
        stale = or_(ApiKey.used_at.is_(None), ApiKey.used_at <= at - USED_EVERY)
        work.session.execute(update(ApiKey).where(ApiKey.id == key_id, stale).values(used_at=at))


def forget_old_requests(work: Work) -> None:
    """Remove requests that are older than `KEEP`, inside another action."""
    work.session.execute(delete(RequestRecord).where(RequestRecord.at < work.now - KEEP))
