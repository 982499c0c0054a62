"""When a webhook is tried again, when its receiver is left alone for a while, and when it is given up.

The times are those that Standard Webhooks 1.0.0 suggests: ten attempts over about three days.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

PAUSES: Final = tuple(
    timedelta(**{unit: number})
    for unit, number in (
        ("seconds", 0),
        ("seconds", 5),
        ("minutes", 5),
        ("minutes", 30),
        ("hours", 2),
        ("hours", 5),
        ("hours", 10),
        ("hours", 14),
        ("hours", 20),
        ("hours", 24),
    )
)
"""Pause before each attempt, the first at once; after the last one the delivery is given up."""

FAILING: Final = timedelta(days=5)
"""After failing for so long without one success an endpoint is switched off."""

OVERLAP: Final = timedelta(hours=24)
"""How long both secrets sign after a new one was given out."""

LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
MOST_ENDPOINTS: Final = 10
"""Endpoints of one organisation, in each of the two modes."""

SLOW_MS: Final = 2_000
"""A receiver whose last answer took longer waits in the line of the slow ones."""

TIMEOUTS: Final = frozenset({"timeout", "not_reachable", "name_unknown", "tls_failed", "address_refused"})
"""Causes that concern the receiver as a whole: one is enough to leave it alone for a while."""

_FIRST_REST: Final = 5.0
_LONGEST_REST: Final = 300.0
_TRIES_BEFORE_REST: Final = 3


def next_try(attempts: int, *, retry_after: int | None = None, share: float | None = None) -> timedelta | None:
    """Give the pause after a failed attempt; None when it was the last one.

    Args:
        attempts: how often it was tried, ≥ 1.
        retry_after: seconds that the receiver asked to wait.
        share: where in the spread of a fifth either way, 0 to 1; random when None.
    """
    if attempts >= len(PAUSES):
        return None
    pause = PAUSES[attempts] * (0.8 + 0.4 * _share(share))
    if retry_after is not None:
        pause = max(pause, min(timedelta(seconds=retry_after), LONGEST_RETRY_AFTER))
    return pause


def rest(failures: int, cause: str | None, *, retry_after: int | None = None, share: float | None = None) -> timedelta:
    """Give how long nothing is sent to a receiver after failures in a row.

    A refusal of one event leaves the others their chance; a receiver that does not answer at all, or asks to wait, is
    left alone at once, longer each time up to five minutes.

    Args:
        failures: how many in a row, ≥ 1.
        cause: one of `TIMEOUTS`, or another code, or None for an answer with a bad status.
        retry_after: seconds that the receiver asked to wait.
        share: as for `next_try`.
    """
    if retry_after is not None:
        return min(timedelta(seconds=retry_after), LONGEST_RETRY_AFTER)
    if cause not in TIMEOUTS and failures < _TRIES_BEFORE_REST:
        return timedelta()
    seconds = min(_FIRST_REST * 2 ** min(failures - 1, 10), _LONGEST_REST)
    return timedelta(seconds=seconds * (0.8 + 0.4 * _share(share)))


def is_good(status: int | None) -> bool:
    """Say whether an answer means that the event was taken."""
    return status is not None and 200 <= status < 300


def why_off(
    status: int | None,
    *,
    exhausted: bool,
    failing_since: datetime,
    waiting_since: datetime,
    now: datetime,
) -> str | None:
    """Say why an endpoint is switched off after a failed attempt; None when it goes on.

    Args:
        status: of the answer; 410 is the receiver's own wish.
        exhausted: it was the delivery's last attempt.
        failing_since: when the first of the failures in a row was.
        waiting_since: since when the delivery was tried.
        now: the present moment.
    """
    if status == 410:
        return "gone"
    if now - failing_since >= FAILING or (exhausted and failing_since <= waiting_since):
        return "failing"
    return None


def _share(share: float | None) -> float:
    return random.random() if share is None else share  # noqa: S311 - spreads retries, hides nothing
