"""Enqueue, cancel, claim, renew, release, fail and sweep jobs. Nothing here commits: the caller's transaction does.

Due dates are in the installation's time, which a demo may move. Leases are in real time: the database's on
PostgreSQL, where several machines share the table, the machine's on SQLite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from nrm.db import UtcDateTime
from nrm.jobs.hand import JOBS, RUNNING, ClaimedJob, in_hand
from nrm.jobs.kinds import KINDS, batch_size
from nrm.sealing import Json

CHANNEL: Final = "nrm_jobs"
"""PostgreSQL's notification channel on which runners listen."""

LEASE: Final = timedelta(seconds=30)
"""How long a claim holds without a sign of life; a killed runner's jobs wait this long at most."""

LOST: Final = "lost"
"""Error of a job whose runner fell silent."""

# Literal texts, not parameters: only then do both databases see that the partial indexes fit.
_WAITING = JOBS.c.state == literal_column("'waiting'")
_DEAD = JOBS.c.state == literal_column("'dead'")
_ALIVE = text("state <> 'dead'")
_KEYED = text("dedup_key IS NOT NULL AND state <> 'dead'")


CANCEL: Final = delete(JOBS).where(JOBS.c.dedup_key == bindparam("key"), _ALIVE)
"""Removes the job with a key, called "key"; a dead one stays, its incident shows it.

When another runner has it in hand, that runner's transaction rolls back.
"""


class Later(Exception):
    """The job cannot be done just now and it is nobody's fault: try again, without counting an attempt."""

    def __init__(self, seconds: float = 2) -> None:
        """Ask to wait.

        Args:
            seconds: how long, > 0.
        """
        super().__init__("later")
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadJob:
    """A job that was given up."""

    id: int
    kind: str
    case_id: str | None
    error: str


def enqueue(
    session: Session,
    kind: str,
    args: Mapping[str, Json],
    *,
    due_at: datetime,
    now: datetime,
    queue: str | None = None,
    case_id: str | None = None,
    dedup_key: str | None = None,
    max_attempts: int | None = None,
) -> None:
    """Write a job into the caller's transaction; with a key that is there already, replace that job.

    A replaced job that a runner has in hand just now is taken from it: the runner's transaction rolls back.

    Args:
        session: the transaction that wants the job.
        kind: one of `nrm.jobs.kinds.KINDS`.
        args: ids and codes, never a personal value.
        due_at: when to do it, in the installation's time.
        now: the moment of the transaction.
        queue: another queue than the kind's.
        case_id: the case that it belongs to.
        dedup_key: at most one job that is not dead has this key.
        max_attempts: another patience than the kind's.

    Raises:
        KeyError: when the kind is not in the list of kinds.
    """
    row = job_row(
        kind, args, due_at=due_at, now=now, queue=queue, case_id=case_id, dedup_key=dedup_key, max_attempts=max_attempts
    )
    if dedup_key is None:
        session.execute(insert(JOBS), [row])
    else:
        end_own(session, dedup_key)
        session.execute(_upsert(session, row))
    if due_at <= now:
        wake_runners(session)


def job_row(
    kind: str,
    args: Mapping[str, Json],
    *,
    due_at: datetime,
    now: datetime,
    queue: str | None = None,
    case_id: str | None = None,
    dedup_key: str | None = None,
    max_attempts: int | None = None,
) -> dict[str, Any]:
    """Make the row of a new job, for whoever inserts many rows at once; arguments as for `enqueue`.

    Raises:
        KeyError: when the kind is not in the list of kinds.
    """
    known = KINDS[kind]
    return {
        "kind": kind,
        "queue": queue or known.queue,
        "case_id": case_id,
        "args": dict(args),
        "due_at": due_at,
        "state": "waiting",
        "attempts": 0,
        "max_attempts": max_attempts or known.max_attempts,
        "lease_owner": None,
        "lease_until": None,
        "dedup_key": dedup_key,
        "error": None,
        "created_at": now,
    }


def enqueue_many(
    session: Session, rows: Sequence[Mapping[str, Json]], kind: str, *, due_at: datetime, now: datetime
) -> None:
    """Write many jobs of one kind without keys at once, one per mapping of arguments."""
    if rows:
        session.execute(insert(JOBS), [job_row(kind, args, due_at=due_at, now=now) for args in rows])
    if due_at <= now:
        wake_runners(session)


def end_own(session: Session, dedup_key: str) -> None:
    """Take the cancelling of a key as the end of the job that this thread has in hand, when it is that one."""
    held = in_hand()
    if held is not None and held.job.dedup_key == dedup_key and not held.deleted:
        held.finish(session)


def wake_runners(session: Session) -> None:
    """Tell PostgreSQL's listeners at commit that something is due; SQLite's runners watch the file's version."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))


def claim(
    session: Session, *, owner: str, queues: Sequence[str], limit: int, now: datetime, lease: timedelta = LEASE
) -> tuple[ClaimedJob, ...]:
    """Lease due jobs, the oldest of each queue first; the caller commits before it works on them.

    Of the jobs whose runner was lost at least once, one is taken at most: a job that kills its runner must not
    use up the attempts of its neighbours.

    Args:
        session: a writing transaction.
        owner: the runner's name.
        queues: in the order in which they are looked into.
        limit: how many at most, > 0.
        now: the installation's time.
        lease: how long they are this runner's.
    """
    found: list[ClaimedJob] = []
    for queue in queues:
        room = min(limit - len(found), batch_size(queue, limit))
        if room > 0:
            found += _claim(session, owner=owner, queue=queue, limit=room, now=now, lease=lease)
    return tuple(found)


def _claim(
    session: Session, *, owner: str, queue: str, limit: int, now: datetime, lease: timedelta
) -> list[ClaimedJob]:
    due = (
        select(JOBS.c.id)
        .where(JOBS.c.queue == queue, _WAITING, JOBS.c.due_at <= now)
        .order_by(JOBS.c.due_at)
        # A literal: with a parameter PostgreSQL would guess a tenth of the table and read all of it.
        .limit(literal_column(str(int(limit))))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(JOBS)
        .where(JOBS.c.id.in_(select(due.c.id)))
        .values(
            state="running", lease_owner=owner, lease_until=_lease_end(session, lease), attempts=JOBS.c.attempts + 1
        )
        .returning(*_SHOWN, JOBS.c.error)
    )
    rows = sorted(session.execute(statement), key=lambda row: (row.due_at, row.id))
    lost = [row for row in rows if row.error == LOST]
    _put_back(session, [row.id for row in lost[1:]])
    return [_claimed(row) for row in rows if row.error != LOST] + [_claimed(row) for row in lost[:1]]


def next_due(session: Session, queues: Sequence[str]) -> dict[str, datetime]:
    """Give the earliest due date of each queue that has waiting jobs; a cheap look before a claim."""
    first = [
        select(JOBS.c.due_at)
        .where(JOBS.c.queue == queue, _WAITING)
        .order_by(JOBS.c.due_at)
        .limit(literal_column("1"))
        .scalar_subquery()
        .label(f"q{number}")
        for number, queue in enumerate(queues)
    ]
    row = session.execute(select(*first)).one()
    return {queue: due for queue, due in zip(queues, row, strict=True) if due is not None}


def renew(session: Session, *, owner: str, job_ids: Sequence[int], lease: timedelta = LEASE) -> None:
    """Prolong the leases of jobs that this runner is working on."""
    mine = select(JOBS.c.id).where(JOBS.c.id.in_(job_ids), JOBS.c.lease_owner == owner, RUNNING)
    # A row that is being deleted with its effects just now is locked: leave it.
    mine = mine.with_for_update(skip_locked=True)
    ids = list(session.execute(mine).scalars())
    if ids:
        end = _lease_end(session, lease)
        session.execute(update(JOBS).where(JOBS.c.id.in_(ids)).values(lease_until=end))


def release(session: Session, jobs: Sequence[ClaimedJob]) -> None:
    """Give leased jobs back without counting the attempt: the runner stops, or the database went away."""
    for job in jobs:
        session.execute(_held(job).values(**_FREE, attempts=JOBS.c.attempts - 1))


def postpone(session: Session, job: ClaimedJob, *, due_at: datetime) -> None:
    """Put a leased job off without counting the attempt."""
    session.execute(_held(job).values(**_FREE, attempts=JOBS.c.attempts - 1, due_at=due_at))


def fail(session: Session, job: ClaimedJob, *, error: str, now: datetime) -> DeadJob | None:
    """Count a failed attempt: try again after a pause, or give up.

    Args:
        session: a new transaction, after the rollback of the job's own.
        job: the leased job.
        error: class and code of the error, never its text, which may hold personal values.
        now: the installation's time.

    Returns:
        The dead job when it was given up: the caller opens an incident in the same transaction.
    """
    error = error[:200]
    if job.attempts < job.max_attempts:
        due_at = now + KINDS[job.kind].pause(job.attempts)
        session.execute(_held(job).values(**_FREE, due_at=due_at, error=error))
        return None
    done = session.execute(_held(job).values(state="dead", lease_owner=None, lease_until=None, error=error))
    return DeadJob(id=job.id, kind=job.kind, case_id=job.case_id, error=error) if _count(done) else None


def sweep(session: Session, *, limit: int = 500) -> tuple[DeadJob, ...]:
    """Take back the jobs of runners that fell silent.

    Returns:
        The jobs that were given up: the caller opens their incidents in the same transaction.
    """
    late = (
        select(JOBS.c.id)
        .where(RUNNING, JOBS.c.lease_until < _lease_end(session, timedelta()))
        .order_by(JOBS.c.lease_until)
        .limit(literal_column(str(int(limit))))
        .with_for_update(skip_locked=True)
    )
    ids = list(session.execute(late).scalars())
    if not ids:
        return ()
    state = case((JOBS.c.attempts >= JOBS.c.max_attempts, literal("dead")), else_=literal("waiting"))
    statement = (
        update(JOBS).where(JOBS.c.id.in_(ids)).values(state=state, lease_owner=None, lease_until=None, error=LOST)
    )
    rows = session.execute(statement.returning(JOBS.c.id, JOBS.c.kind, JOBS.c.case_id, JOBS.c.state))
    dead = [DeadJob(id=row.id, kind=row.kind, case_id=row.case_id, error=LOST) for row in rows if row.state == "dead"]
    wake_runners(session)
    return tuple(dead)


def revive(session: Session, job_id: int, *, now: datetime) -> bool:
    """Let a dead job try again from the start.

    Returns:
        Whether there was such a dead job. When another job took its key meanwhile, the dead one is removed.
    """
    dead = session.execute(select(JOBS.c.dedup_key).where(JOBS.c.id == job_id, _DEAD).with_for_update()).one_or_none()
    if dead is None:
        return False
    taken = select(JOBS.c.id).where(JOBS.c.dedup_key == dead.dedup_key, JOBS.c.state != "dead")
    if dead.dedup_key is not None and session.execute(taken).first() is not None:
        return discard(session, job_id)
    values = {"state": "waiting", "attempts": 0, "due_at": now, "error": None}
    session.execute(update(JOBS).where(JOBS.c.id == job_id).values(**values))
    wake_runners(session)
    return True


def discard(session: Session, job_id: int) -> bool:
    """Remove a dead job for good.

    Returns:
        Whether there was such a dead job.
    """
    return _count(session.execute(delete(JOBS).where(JOBS.c.id == job_id, _DEAD))) > 0


_SHOWN = (
    JOBS.c.id,
    JOBS.c.kind,
    JOBS.c.queue,
    JOBS.c.case_id,
    JOBS.c.args,
    JOBS.c.due_at,
    JOBS.c.attempts,
    JOBS.c.max_attempts,
    JOBS.c.lease_owner,
    JOBS.c.dedup_key,
)

_FREE: Final[Mapping[str, Any]] = {"state": "waiting", "lease_owner": None, "lease_until": None}


def _claimed(row: Row[Any]) -> ClaimedJob:
    return ClaimedJob(
        id=row.id,
        kind=row.kind,
        queue=row.queue,
        case_id=row.case_id,
        args=row.args,
        due_at=row.due_at,
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        owner=row.lease_owner,
        dedup_key=row.dedup_key,
    )


def _held(job: ClaimedJob) -> Any:  # noqa: ANN401 - an Update, to which the caller adds values
    proof = (JOBS.c.id == job.id, JOBS.c.lease_owner == job.owner, JOBS.c.attempts == job.attempts)
    return update(JOBS).where(*proof, RUNNING)


def _put_back(session: Session, job_ids: Sequence[int]) -> None:
    if job_ids:
        values = {**_FREE, "attempts": JOBS.c.attempts - 1}
        session.execute(update(JOBS).where(JOBS.c.id.in_(job_ids)).values(**values))


def _upsert(session: Session, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an Insert of either dialect
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(JOBS).values(**row)
    values = {name: value for name, value in row.items() if name != "dedup_key"}
    return statement.on_conflict_do_update(index_elements=["dedup_key"], index_where=_KEYED, set_=values)


def _lease_end(session: Session, lease: timedelta) -> ColumnElement[datetime]:
    if session.get_bind().dialect.name == "postgresql":
        return func.clock_timestamp() + literal(lease)
    return literal(datetime.now(UTC) + lease, UtcDateTime())


def _count(result: Any) -> int:  # noqa: ANN401 - a CursorResult, which Session.execute does not say
    return int(result.rowcount)
