"""Where cases wait, on a path that a million tasks went through: what the page asks, for a year and for all years."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from statistics import median

from sqlalchemy import select

from nrm.actors import SYSTEM
from nrm.db import db
from nrm.models import Path, PathVersion, Task
from nrm.queries.waiting import LONGEST, where_cases_wait
from tests.load.filling import door_to
from tests.load.rounds import Measure
from tests.load.sizes import Sizes
from tests.load.stages import Stage, Stages

GOAL_SECONDS = 2.0
WAITS_PER_RUN = 5
"""Messages and times that each case waited for."""
PERIODS = {"90 days": timedelta(days=90), "all that may be asked for": LONGEST}


def reading(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (i): the numbers of the page, worst of all where every task is of one path."""
    stage = stages.filled("large", sizes)
    with stage.app.app_context():
        seen = db.session.execute(
            select(Path.key, PathVersion.id)
            .join(PathVersion, PathVersion.path_id == Path.id)
            .join(Task, Task.path_version_id == PathVersion.id)
            .limit(1)
        ).one()
        path = seen.key
        db.session.remove()
        db.engine.dispose()
    _wait(stage)
    return [_measure(stage, sizes, path, name, period) for name, period in PERIODS.items()]


def _wait(stage: Stage) -> None:
    """Let each case have waited for messages and times; nothing of this is timed."""
    with closing(door_to(stage)) as door:
        door.run(
            "INSERT INTO run_steps (run_id, number, step, way, at, waited) "
            f"SELECT r.id, 1000 + s.n, 'wait' || s.n, NULL, {door.moment('-(s.n * 7919 % 900000)')}, s.n * 3600 "
            f"FROM runs r, {door.series(WAITS_PER_RUN)} WHERE r.id LIKE 'run_%'"
        )
        door.finish()


def _measure(stage: Stage, sizes: Sizes, path: str, name: str, period: timedelta) -> Measure:
    until = stage.clock.now() + timedelta(days=1)
    spent = []
    with stage.app.app_context():
        for _ in range(sizes.rounds):
            started = time.perf_counter()
            found = where_cases_wait(SYSTEM, stage.clock.now(), path, begin=until - period, until=until)
            db.session.close()
            spent.append(time.perf_counter() - started)
            if not any(step.figures.waiting for step in found.steps):
                raise RuntimeError("nobody waits on the measured path")
    value = median(spent)
    return Measure(
        name=f"i where cases wait, {sizes.many:,} tasks of one path, {name}",
        value=value,
        unit="s",
        floor=None,
        ratio=None,
        goal=f"≤ {GOAL_SECONDS:g} s",
        ok=value <= GOAL_SECONDS if sizes.decide else None,
        database=stage.kind,
        spread=(min(spent), max(spent)),
    )
