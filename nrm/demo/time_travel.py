"""Let time pass in one process: a clock that is set at will, and the runner's due work done in its order.

Only the making of a demonstration uses it. A service that runs has real runners and a clock that moves by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from nrm.actions._action import transact
from nrm.actors import SYSTEM
from nrm.clock import FixedClock
from nrm.db import db
from nrm.jobs import table
from nrm.jobs.hand import ClaimedJob, holding
from nrm.jobs.kinds import QUEUES
from nrm.worker.handlers import HANDLERS

OWNER: Final = "demo"
"""Name under which jobs are claimed."""


def pass_time(clock: FixedClock, until: datetime) -> int:
    """Move the clock on, stopping wherever something is due and doing it.

    Args:
        clock: the installation's clock.
        until: the moment at which it stands afterwards; an earlier one than now does what is due now.

    Returns:
        How many jobs were done.
    """
    done = 0
    while (moment := _next_moment()) is not None and moment <= max(until, clock.at):
        clock.at = max(clock.at, moment)
        for job in _claim():
            _do(job)
            done += 1
    clock.at = max(clock.at, until)
    return done


def do_what_is_due() -> int:
    """Do all that is due at the installation's present moment, and give how many jobs that was."""
    done = 0
    while jobs := _claim():
        for job in jobs:
            _do(job)
            done += 1
    return done


def _next_moment() -> datetime | None:
    session = db.session()
    upcoming = table.next_due(session, QUEUES)
    session.close()
    return min(upcoming.values(), default=None)


def _claim() -> tuple[ClaimedJob, ...]:
    return transact(
        SYSTEM,
        lambda work: table.claim(work.session, owner=OWNER, queues=QUEUES, limit=1, now=work.now),
    )


def _do(job: ClaimedJob) -> None:
    with holding(job) as held:
        HANDLERS[job.kind](job)
        if not held.done:
            transact(SYSTEM, lambda work: None)
