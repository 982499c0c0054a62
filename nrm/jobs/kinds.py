"""The kinds of jobs: on which queue they wait, how patient they are, how long they may take."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

TIMERS: Final = "timers"
DEFAULT: Final = "default"
DELIVERIES: Final = "deliveries"
BULK: Final = "bulk"

QUEUES: Final = (TIMERS, DEFAULT, DELIVERIES, BULK)
"""Every queue, in the order in which a runner looks into them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of job is treated.

    Attributes:
        queue: where it waits.
        first_pause: seconds until the second attempt.
        factor: by how much the pause grows with every attempt.
        longest_pause: seconds that a pause never exceeds.
        max_attempts: attempts after which it is dead and an incident shows it.
        time_limit: seconds after which its lease is no longer renewed: the work counts as hung.
        alone: claimed one at a time, because one may take long.
    """

    queue: str = DEFAULT
    first_pause: float = 5
    factor: float = 3
    longest_pause: float = 3600
    max_attempts: int = 8
    time_limit: float = 120
    alone: bool = False

    def pause(self, attempts: int, *, share: float | None = None) -> timedelta:
        """Give the pause after a failed attempt, spread by a fifth so that failures do not come back together.

        Args:
            attempts: how often it was tried, ≥ 1.
            share: where in the spread, 0 to 1; random when None.
        """
        plain = min(self.first_pause * self.factor ** (attempts - 1), self.longest_pause)
        spread = random.random() if share is None else share  # noqa: S311 - spreads retries, hides nothing
        return timedelta(seconds=plain * (0.8 + 0.4 * spread))


KINDS: Final[Mapping[str, Kind]] = {
    "timer": Kind(queue=TIMERS),
    "task_clock": Kind(queue=TIMERS),
    "task_resume": Kind(queue=TIMERS),
    "referral_clock": Kind(queue=TIMERS),
    "restriction_clock": Kind(queue=TIMERS),
    # A mail server may be away over a night: ten attempts in about two days.
    "delivery": Kind(queue=DELIVERIES, first_pause=30, factor=4, longest_pause=12 * 3600, max_attempts=10),
    "manifest_part": Kind(queue=BULK, first_pause=30, max_attempts=5, time_limit=900, alone=True),
    "migration_part": Kind(queue=BULK, max_attempts=5, time_limit=600, alone=True),
    "sandbox_answer": Kind(),
    "schedule": Kind(first_pause=60, max_attempts=5, time_limit=1800),
}
"""Every kind of job; `nrm/worker/handlers` has one function for each."""


def batch_size(queue: str, wanted: int) -> int:
    """Give how many jobs of a queue are claimed at once, where `wanted` would suit the runner."""
    return 1 if any(kind.alone for kind in KINDS.values() if kind.queue == queue) else wanted
