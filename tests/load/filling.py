"""Fill a stage with many plausible rows: copies of one real case, its run, tasks and jobs, spread over desks and years.

The rows go in by SQL, keys in random order as the product's are, without the indexes, which are made again at the end;
statistics are gathered. Nothing of this is timed.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import psycopg
from sqlalchemy import Table, select
from sqlalchemy.schema import CreateIndex, DropIndex

from nrm.db import Base, db
from nrm.models import Case, CaseAccess, Job, Person, Run, Task
from tests.load.days import day_on
from tests.load.stages import Stage, file_of, libpq

TASKS_PER_CASE = 20
"""One of them is open."""

DESK_TASKS = 2_000
"""Open tasks of the handler's desk, where there are enough cases."""


@dataclass(frozen=True, slots=True)
class Seed:
    """Ids of the real rows that are copied, and the desks over which the copies are spread."""

    person: str
    case: str
    run: str
    task: str
    access: str
    desk: str
    others: tuple[str, ...]


def fill(stage: Stage, *, tasks: int, jobs: int) -> str:
    """Fill a stage, and give the id of the desk that has at most `DESK_TASKS` open tasks.

    Args:
        stage: with an application, outside of its context.
        tasks: how many tasks, one in twenty open.
        jobs: how many pending jobs, due in a year and later.
    """
    with stage.app.app_context():
        seed = _seed(stage)
        tables = {model: _table(model) for model in (Person, Case, CaseAccess, Run, Task, Job)}
        dialect = db.engine.dialect
        indexes = [index for table in tables.values() for index in sorted(table.indexes, key=lambda one: str(one.name))]
        drops = [str(DropIndex(index).compile(dialect=dialect)) for index in indexes]
        makes = [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
        db.session.remove()
        db.engine.dispose()
    with closing(door_to(stage)) as door:
        for statement in drops:
            door.run(statement)
        _fill_all(door, seed, tables, tasks=tasks, jobs=jobs)
        for statement in makes:
            door.run(statement)
        door.finish()
    return seed.desk


def door_to(stage: Stage) -> Door:
    """Open a plain connection that fills; whoever opens it closes it."""
    return _Sqlite(stage.url) if stage.kind == "sqlite" else _Postgres(stage.url)


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _seed(stage: Stage) -> Seed:
    day = day_on(stage)
    case_id = day.open_case()
    session = db.session()
    case = session.execute(select(Case).where(Case.id == case_id)).scalar_one()
    task = session.execute(select(Task).where(Task.case_id == case_id)).scalar_one()
    access = select(CaseAccess.id).where(CaseAccess.case_id == case_id, CaseAccess.holder_kind == "desk")
    from nrm.queries import packs

    others = tuple(desk.id for desk in packs.pack().desks if desk.id != task.desk_id)
    return Seed(
        person=case.person_id,
        case=case_id,
        run=task.run_id,
        task=task.id,
        access=session.execute(access).scalars().first() or "",
        desk=task.desk_id,
        others=others,
    )


class Door(Protocol):
    """One plain connection that fills."""

    def run(self, statement: str) -> None:
        """Run one statement."""

    def series(self, count: int) -> str:
        """Give a row source `s(n)`, n from 1 to count."""

    def moment(self, minutes: str) -> str:
        """Give the expression of a moment so many minutes after the first of March 2026."""

    def pick(self, values: tuple[str, ...], number: str) -> str:
        """Give the expression that picks one of the values by a number from 0."""

    def finish(self) -> None:
        """Gather statistics."""

    def close(self) -> None:
        """Close the connection."""


def _fill_all(door: Door, seed: Seed, tables: Mapping[type[Base], Table], *, tasks: int, jobs: int) -> None:
    cases = tasks // TASKS_PER_CASE
    near = min(DESK_TASKS, cases // 2)
    of_case = f"((s.n - 1) / {TASKS_PER_CASE} + 1)"
    is_open = f"s.n % {TASKS_PER_CASE} = 0"

    def desk(number: str) -> str:
        return f"CASE WHEN {number} <= {near} THEN '{seed.desk}' ELSE {door.pick(seed.others, number)} END"

    def key(prefix: str, number: str) -> str:
        return f"'{prefix}_' || substr(md5('{prefix}' || {number}), 1, 26)"

    def put(model: type[Base], template: str, count: int, values: Mapping[str, str]) -> None:
        table = tables[model]
        names = [column.name for column in table.columns if not (column.name == "id" and model is Job)]
        shown = ", ".join(values.get(name, f"t.{name}") for name in names)
        door.run(
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {shown} "
            f"FROM {table.name} t, {door.series(count)} WHERE {template}"
        )

    put(Person, f"t.id = '{seed.person}'", cases, {"id": key("per", "s.n")})
    put(
        Case,
        f"t.id = '{seed.case}'",
        cases,
        {
            "id": key("cas", "s.n"),
            "number": "'XX-2020-' || s.n",
            "person_id": key("per", "s.n"),
            "desk_id": desk("s.n"),
            "active_at": door.moment("-(s.n % 700000)"),
        },
    )
    put(
        CaseAccess,
        f"t.id = '{seed.access}'",
        cases,
        {"id": key("acc", "s.n"), "case_id": key("cas", "s.n"), "holder_id": desk("s.n")},
    )
    put(Run, f"t.id = '{seed.run}'", cases, {"id": key("run", "s.n"), "case_id": key("cas", "s.n")})
    put(
        Task,
        f"t.id = '{seed.task}'",
        tasks,
        {
            "id": key("tsk", "s.n"),
            "case_id": key("cas", of_case),
            "run_id": key("run", of_case),
            "token": "'step.' || s.n",
            "desk_id": desk(of_case),
            "status": f"CASE WHEN {is_open} THEN 'open' ELSE 'completed' END",
            "priority": door.pick(("normal", "normal", "normal", "urgent"), of_case),
            "opened_at": door.moment("-(s.n * 7919 % 900000) - 1000 - (s.n * 31 % 4000)"),
            "due_at": door.moment("-(s.n * 7919 % 900000) + 20000"),
            "ended_at": f"CASE WHEN {is_open} THEN NULL ELSE {door.moment('-(s.n * 7919 % 900000)')} END",
            "ended_by": f"CASE WHEN {is_open} THEN NULL ELSE 'usr_somebody' END",
            "version": f"CASE WHEN {is_open} THEN 1 ELSE 3 END",
        },
    )
    put(
        Job,
        f"t.dedup_key = 'task:{seed.task}'",
        jobs,
        {
            "case_id": key("cas", f"(s.n % {cases} + 1)"),
            "due_at": door.moment("(s.n * 7919 % 900000) + 600000"),
            "dedup_key": "'task:filled' || s.n",
        },
    )


class _Sqlite:
    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(file_of(url), isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1500000", "foreign_keys=OFF"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.create_function(
            "md5", 1, lambda word: hashlib.md5(str(word).encode()).hexdigest(), deterministic=True
        )

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def series(self, count: int) -> str:
        return f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c) s"

    def moment(self, minutes: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', '2026-03-01 08:00:00', ({minutes}) || ' minutes')"

    def pick(self, values: tuple[str, ...], number: str) -> str:
        arms = " ".join(f"WHEN {place} THEN '{value}'" for place, value in enumerate(values))
        return f"CASE {number} % {len(values)} {arms} END"

    def finish(self) -> None:
        self._connection.execute("ANALYZE")

    def close(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.close()


class _Postgres:
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(libpq(url), autocommit=True)
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '512MB'"):
            self._connection.execute(f"SET {setting}")

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def series(self, count: int) -> str:
        return f"(SELECT n FROM generate_series(1, {count}::bigint) n) s"

    def moment(self, minutes: str) -> str:
        return f"timestamptz '2026-03-01 08:00:00+00' + ({minutes}) * interval '1 minute'"

    def pick(self, values: tuple[str, ...], number: str) -> str:
        listed = ", ".join(f"'{value}'" for value in values)
        return f"(ARRAY[{listed}])[{number} % {len(values)} + 1]"

    def finish(self) -> None:
        self._connection.execute("VACUUM ANALYZE")
        self._connection.execute("CHECKPOINT")

    def close(self) -> None:
        self._connection.close()
