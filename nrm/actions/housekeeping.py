"""What the runner records of itself, and the rows that go when their time is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, or_, update

from nrm.actions._action import Work, action
from nrm.actions.failures import open_incident
from nrm.actions.guessing import real_now
from nrm.jobs import table
from nrm.jobs.hand import ClaimedJob
from nrm.models import Delivery, IdempotencyKey, Runner, Session, SignInFailure, TaskUndo

KEEP_IDEMPOTENCY_KEYS: Final = timedelta(hours=72)
"""How long a repeated request gets its first answer again."""

KEEP_ENDED_SESSIONS: Final = timedelta(days=30)
KEEP_FAILURES: Final = timedelta(days=1)
KEEP_SILENT_RUNNERS: Final = timedelta(days=1)


@action("runner.see")
def see_runner(work: Work, name: str, *, started_at: datetime, counts: Mapping[str, int]) -> None:
    """Record a runner's sign of life, in real time.

    Args:
        work: the transaction.
        name: the runner.
        started_at: when it started.
        counts: "done" and "failed" since then.
    """
    # Real time: a demo's moved clock says nothing about whether a process lives.
    values = {"seen_at": datetime.now(UTC), "done": counts["done"], "failed": counts["failed"]}
    seen = work.session.execute(update(Runner).where(Runner.name == name).values(**values))
    if not seen.rowcount:  # type: ignore[attr-defined]  # a CursorResult
        work.session.execute(insert(Runner).values(name=name, started_at=started_at, **values))


@action("runner.end")
def end_runner(work: Work, name: str) -> None:
    """Forget a runner that stopped by itself."""
    work.session.execute(delete(Runner).where(Runner.name == name))


@action("job.sweep")
def sweep_jobs(work: Work) -> int:
    """Take back the jobs of silent runners; those that are given up become incidents.

    Returns:
        How many were given up.
    """
    dead = table.sweep(work.session)
    for job in dead:
        _open(work, job)
    return len(dead)


@action("job.fail")
def give_up(work: Work, job: ClaimedJob, *, error: str) -> bool:
    """Count a failed attempt of a job; the last one makes it an incident.

    Args:
        work: a new transaction, after the job's own was rolled back.
        job: the leased job.
        error: class, code and place of the error, never its text.

    Returns:
        Whether the job is dead now.
    """
    if job.case_id is not None and job.attempts >= job.max_attempts:
        # The case first, as everywhere: whoever holds it may be cancelling this very job.
        work.lock_case(job.case_id)
    dead = table.fail(work.session, job, error=error, now=work.now)
    if dead is not None:
        _open(work, dead)
        if dead.kind == "delivery":
            work.session.execute(update(Delivery).where(Delivery.id == str(job.args["delivery"])).values(state="dead"))
    return dead is not None


def _open(work: Work, job: table.DeadJob) -> None:
    open_incident(
        work,
        kind="delivery" if job.kind == "delivery" else "job",
        code="runner_lost" if job.error == table.LOST else "job_failed",
        case_id=job.case_id,
        job_id=job.id,
        params={"job": job.kind, "error": job.error},
    )


def forget_old_keys(work: Work) -> None:
    """Remove request keys whose answer need not be given again."""
    work.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < work.now - KEEP_IDEMPOTENCY_KEYS))


def forget_old_sessions(work: Work) -> None:
    """Remove sign-in sessions and failed sign-ins that count no more, and offers to undo that are over."""
    # Sessions and waiting times are in real time also where a demonstration moves the clock.
    now = real_now()
    before = now - KEEP_ENDED_SESSIONS
    work.session.execute(delete(Session).where(or_(Session.ended_at < before, Session.ends_at < before)))
    stale = now - KEEP_FAILURES
    free = or_(SignInFailure.locked_until.is_(None), SignInFailure.locked_until < now)
    work.session.execute(delete(SignInFailure).where(SignInFailure.first_at < stale, free))
    work.session.execute(delete(TaskUndo).where(TaskUndo.until < work.now))


def forget_silent_runners(work: Work) -> None:
    """Remove runners that gave no sign of life for a day; until then they are shown as silent."""
    work.session.execute(delete(Runner).where(Runner.seen_at < datetime.now(UTC) - KEEP_SILENT_RUNNERS))
