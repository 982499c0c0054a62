"""The pages on which a handler's day is spent, in a full table, beside the bare queries of what they show.

The floor is what the page itself asked the database: every different statement once, ready made, with the same values,
over a connection taken for each page, its rows fetched and thrown away. A page that asks the same thing for each of its
rows gains nothing by that. A runner in a process of its own drains due jobs beside both sides.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, Executable, Select, event, func, insert, select, update

from api.app import create_app
from nrm.credentials import hash_password
from nrm.db import db
from nrm.jobs.hand import JOBS
from nrm.jobs.table import job_row
from nrm.models import Task, User
from tests.load.days import Day, day_on
from tests.load.rounds import Measure, Round, alternate, compare
from tests.load.sizes import Sizes
from tests.load.stages import ROOT, SECRET, Stage, Stages, config

PASSWORD = "seven green lamps"
STEPS = 8
"""Steps that the case whose page is read has behind it."""
GOAL = 4

Asked = list[tuple[Executable, Any]]
"""Statements and their values."""


def reading(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (h): the pages of a desk's inbox and of a case, as the web process makes them."""
    stage = stages.filled("large", sizes)
    with stage.app.app_context():
        day = day_on(stage)
        case_id = day.open_case()
        day.walk(day.open_task(case_id), STEPS)
        _seat(day)
    app = create_app(replace(config(stage.url, stages.folder), cookie_secure=False, log_level="error"))
    client = _signed_in(app, day)
    found = []
    with _runner(stage, stages, sizes) as drained:
        for name, address in (
            ("the inbox of a desk with 2,000 open tasks", "/work?tab=desk"),
            ("a case with its drawing and history", f"/cases/{case_id}"),
        ):
            asked = _asked(app, client, address)
            once = list({str(statement): (statement, values) for statement, values in reversed(asked)}.values())
            rounds = alternate(
                _pages(app, client, address, sizes.pages), _bare(app, once, sizes.pages), rounds=sizes.rounds
            )
            found.append(
                compare(
                    f"h {name} among {sizes.many:,} tasks / the bare queries of what it shows",
                    *rounds,
                    unit="ms",
                    database=stages.kind,
                    at_most=GOAL,
                    decide=sizes.decide,
                    note=f"{len(asked)} statements, {len(once)} different; jobs drained beside: {drained():,}",
                )
            )
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return found


def _seat(day: Day) -> None:
    hashed = hash_password(PASSWORD, memory_kib=8, rounds=1)
    with db.engine.begin() as connection:
        connection.execute(update(User).where(User.id == day.handler.id).values(password_hash=hashed, language="ar"))


def _signed_in(app: Flask, day: Day) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/api/v1/session", json={"login": day.handler.id, "password": PASSWORD})
    if answer.status_code != 200:
        raise RuntimeError(f"sign-in answered {answer.status_code}")
    return client


def _pages(app: Flask, client: FlaskClient, address: str, count: int) -> Round:
    del app

    def one_round() -> float:
        started = time.perf_counter()
        for _ in range(count):
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answered {answer.status_code}")
        return 1000 * (time.perf_counter() - started) / count

    return one_round


def _asked(app: Flask, client: FlaskClient, address: str) -> Asked:
    """Read a page once and note what it asked the database; a second reading, so that nothing is asked to be kept."""
    client.get(address)
    found: Asked = []

    def note(_connection: Any, statement: Any, many: Any, values: Any, _options: Any) -> None:
        if isinstance(statement, Select):
            found.append((statement, many or values))

    with app.app_context():
        engine: Engine = db.engine
    event.listen(engine, "before_execute", note)
    try:
        client.get(address)
    finally:
        event.remove(engine, "before_execute", note)
    return found


def _bare(app: Flask, asked: Asked, count: int) -> Round:
    def one_round() -> float:
        with app.app_context():
            engine = db.engine
        started = time.perf_counter()
        for _ in range(count):
            with engine.connect() as connection:
                for statement, values in asked:
                    connection.execute(statement, values).all()
        return 1000 * (time.perf_counter() - started) / count

    return one_round


@contextmanager
def _runner(stage: Stage, stages: Stages, sizes: Sizes) -> Iterator[Any]:
    """Run a runner for the length of a block, with more due jobs than it can do; gives how many it has done."""
    now = stage.clock.now()
    with stage.app.app_context():
        done = select(Task.id).where(Task.status == "completed").limit(sizes.beside)
        ended = db.session.execute(done).scalars().all()
        db.session.close()
        with db.engine.begin() as connection:
            rows = [job_row("task_clock", {"task": task}, due_at=now, now=now) for task in ended]
            connection.execute(insert(JOBS), rows)

    def left() -> int:
        with stage.app.app_context():
            number = db.session.scalar(
                select(func.count()).select_from(JOBS).where(JOBS.c.kind == "task_clock", JOBS.c.due_at <= now)
            )
            db.session.close()
            return number or 0

    env = {
        **os.environ,
        "NRM_DATABASE_URL": stage.url.replace("postgresql+psycopg://", "postgresql://"),
        "NRM_DATA_DIR": str(stages.folder),
        "NRM_SECRET": SECRET,
        "NRM_COUNTRY": "testland",
        "NRM_PACKS_DIR": str(ROOT / "workflows"),
        "NRM_DEMO": "1",
        "NRM_LOG_LEVEL": "warning",
        "PYTHONPATH": str(ROOT),
    }
    before = left()
    process = subprocess.Popen([sys.executable, "-m", "api.cli", "worker"], cwd=ROOT, env=env)
    try:
        deadline = time.monotonic() + 60
        while left() == before:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the runner does not work")
            time.sleep(0.2)
        yield lambda: before - left()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
