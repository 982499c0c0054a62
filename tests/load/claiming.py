"""The runner: claiming a due job among many that are not, and draining many that are."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from sqlalchemy import delete, insert, select, text

from nrm.actions._action import transact
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.jobs import table
from nrm.jobs.hand import JOBS
from nrm.jobs.kinds import QUEUES, TIMERS
from nrm.jobs.table import job_row
from nrm.models import Task
from nrm.worker.loop import Runner
from tests.load import diagrams, floors
from tests.load.days import day_on
from tests.load.rounds import Measure, Round, alternate, compare
from tests.load.sizes import Sizes
from tests.load.stages import Stage, Stages

RUNNER_THREADS = 2


def claiming(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (e), the first: looking for what is due and claiming it, among many pending jobs and among few."""
    full, empty = stages.filled("large", sizes), stages.filled("small", sizes)
    found = alternate(_claims(full, sizes.claims), _claims(empty, sizes.claims), rounds=sizes.rounds)
    return [
        compare(
            f"e claiming one due job among {sizes.many:,} pending / among {sizes.few:,}",
            *found,
            unit="ms",
            database=stages.kind,
            at_most=1.5,
            decide=sizes.decide,
        )
    ]


def _claims(stage: Stage, count: int) -> Round:
    """Claim a due job as a runner does, look first, then lease: milliseconds each."""

    def one_claim() -> float:
        now = stage.clock.now()
        with db.engine.begin() as connection:
            connection.execute(insert(JOBS), [job_row("task_clock", {"task": "none"}, due_at=now, now=now)])
        started = time.perf_counter()
        table.next_due(db.session(), QUEUES)
        claimed = transact(
            SYSTEM, lambda work: table.claim(work.session, owner="measuring", queues=QUEUES, limit=1, now=work.now)
        )
        spent = time.perf_counter() - started
        if len(claimed) != 1:
            raise RuntimeError("the due job was not found")
        with db.engine.begin() as connection:
            connection.execute(delete(JOBS).where(JOBS.c.id == claimed[0].id))
        return spent

    def one_round() -> float:
        with stage.app.app_context():
            return 1000 * sum(one_claim() for _ in range(count)) / count

    return one_round


def draining(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (e), the others: jobs done per second by one runner, beside two commits of one number each."""
    kept = floors.shelf(stages.kind, stages.folder)
    full = stages.filled("large", sizes)
    # Rounds of many seconds need none before them.
    clocks = alternate(_drains(full, sizes.due), _commits(kept, min(sizes.due, 1000)), rounds=sizes.rounds, warm=False)
    timed = stages.copy("timers")
    timers = alternate(_fires(timed, sizes.timers), _commits(kept, sizes.timers), rounds=sizes.rounds)
    kept.close()
    return [
        compare(
            f"e draining {sizes.due * sizes.rounds:,} due clocks of ended tasks, {RUNNER_THREADS} threads",
            *clocks,
            unit="jobs/s",
            database=stages.kind,
            note="floor: two durable commits of one number each per job",
        ),
        compare(
            f"e draining {sizes.timers * sizes.rounds:,} due timers that open a task, {RUNNER_THREADS} threads",
            *timers,
            unit="jobs/s",
            database=stages.kind,
            note="floor: two durable commits of one number each per job",
        ),
    ]


def _commits(kept: floors.Shelf, count: int) -> Round:
    def one_round() -> float:
        started = time.perf_counter()
        for _ in range(count):
            kept.touch()
            kept.touch()
        return count / (time.perf_counter() - started)

    return one_round


def _drains(stage: Stage, count: int) -> Round:
    """Wake ended tasks: a handler that finds nothing left to do, the cheapest honest job."""

    def one_round() -> float:
        now = stage.clock.now()
        with stage.app.app_context():
            ended = db.session.execute(select(Task.id).where(Task.status == "completed").limit(count)).scalars().all()
            db.session.close()
            rows = [job_row("task_clock", {"task": task}, due_at=now, now=now) for task in ended]
            with db.engine.begin() as connection:
                connection.execute(insert(JOBS), rows)
        return _drain(stage, len(rows))

    return one_round


def _fires(stage: Stage, count: int) -> Round:
    """Start runs that wait for a day, let two pass, and let the timers open their tasks."""

    def one_round() -> float:
        with stage.app.app_context():
            day = day_on(stage)
            for _ in range(count):
                day.open_case(diagrams.TIMED)
            with db.engine.begin() as connection:
                # The clocks of the tasks that earlier timers opened are not what is measured.
                connection.execute(delete(JOBS).where(JOBS.c.kind == "task_clock"))
        stage.clock.move(timedelta(days=2))
        return _drain(stage, count)

    return one_round


def _drain(stage: Stage, count: int) -> float:
    # Only this queue: schedules, which a runner plans when it starts, would be counted too.
    runner = Runner(stage.app.app_context, threads=RUNNER_THREADS, queues=(TIMERS,))
    thread = threading.Thread(target=runner.run)
    started = time.perf_counter()
    thread.start()
    try:
        while runner.counts["done"] < count:
            if runner.counts["failed"] or time.perf_counter() - started > 600:
                raise RuntimeError(f"draining stopped at {dict(runner.counts)}")
            time.sleep(0.005)
        spent = time.perf_counter() - started
    finally:
        runner.stop()
        thread.join()
    with stage.app.app_context():
        left = db.session.execute(text("SELECT count(*) FROM jobs WHERE kind = 'timer' AND state = 'waiting'")).scalar()
        db.session.close()
    if left:
        raise RuntimeError(f"{left} timers were left behind")
    return count / spent
