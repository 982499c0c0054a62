"""The job that this thread has in hand, so that the next commit takes its row along.

A handler calls one action; the action's transaction deletes the job's row just before its commit and gives up when
the row is no longer this runner's. So a job's effects and its end are one commit: done once, whatever dies when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Table, delete, literal_column
from sqlalchemy.orm import Session

from nrm.models import Job
from nrm.sealing import Json

JOBS: Table = Job.__table__  # type: ignore[assignment]  # a mapped class has a Table
RUNNING = JOBS.c.state == literal_column("'running'")


class LostJob(Exception):
    """The job's row is no longer this runner's: cancelled, replaced, or given to another after a missed lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job that a runner has leased; `id`, `owner` and `attempts` together prove the lease."""

    id: int
    kind: str
    queue: str
    case_id: str | None
    args: Mapping[str, Json]
    due_at: datetime
    attempts: int
    max_attempts: int
    owner: str
    dedup_key: str | None


@dataclass(slots=True)
class InHand:
    """The claimed job of this thread and how far it is."""

    job: ClaimedJob
    deleted: bool = field(default=False)
    done: bool = field(default=False)

    def begin(self) -> None:
        """Note that a transaction begins (again): whatever was deleted before was rolled back.

        Raises:
            RuntimeError: when an earlier transaction of the same handler has ended the job.
        """
        if self.done:
            raise RuntimeError(f"the handler of {self.job.kind} commits twice: wrap the first part in keep_job()")
        self.deleted = False

    def finish(self, session: Session) -> None:
        """Delete the job's row in this transaction; a second call does nothing.

        Raises:
            LostJob: when the row is no longer this runner's.
        """
        if self.deleted:
            return
        proof = (JOBS.c.id == self.job.id, JOBS.c.lease_owner == self.job.owner, JOBS.c.attempts == self.job.attempts)
        gone = session.execute(delete(JOBS).where(*proof, RUNNING))
        if gone.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult
            raise LostJob
        self.deleted = True


_in_hand: ContextVar[InHand | None] = ContextVar("job_in_hand", default=None)


def in_hand() -> InHand | None:
    """Give the job that the next commit ends, None outside a runner."""
    return _in_hand.get()


@contextmanager
def holding(job: ClaimedJob) -> Iterator[InHand]:
    """Let the next action in this context end the job."""
    held = InHand(job)
    token = _in_hand.set(held)
    try:
        yield held
    finally:
        _in_hand.reset(token)


@contextmanager
def keep_job() -> Iterator[None]:
    """Let actions in this block leave the job alone: the first of two transactions around a sending."""
    token = _in_hand.set(None)
    try:
        yield
    finally:
        _in_hand.reset(token)
