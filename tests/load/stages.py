"""Where the measures are taken: real databases that keep what they were told, with testland and one measuring path.

SQLite: a file with write-ahead logging and `synchronous=FULL`, as the product opens it. PostgreSQL: the server that pip
brings (or `NRM_TEST_PG_URL`), with fsync on.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import psycopg
from flask import Flask

from nrm.actions._action import transact
from nrm.actions.path_loading import load_forms, load_paths
from nrm.actions.seeding import load_pack
from nrm.actors import SYSTEM
from nrm.clock import FixedClock
from nrm.config import Config
from nrm.countries import read_pack
from nrm.db import db, engine_options, prepare_engine
from nrm.engine.steps import Resources
from nrm.installation import install
from nrm.migrations import run
from nrm.queries import packs, paths
from tests import databases
from tests.load import diagrams
from tests.load.sizes import Sizes

ROOT = Path(__file__).parents[2]
MORNING = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
"""A Sunday, on which offices in testland are open; past, since web processes live in real time."""
SECRET = "only for measuring: " + "0123456789abcdef" * 2

_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@cache
def durable_server() -> str:
    """Give the URL of a PostgreSQL server that writes to the disk before it answers.

    Raises:
        SystemExit: the server that `NRM_TEST_PG_URL` names does not.
    """
    url = databases.postgresql_server()
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        if not os.environ.get("NRM_TEST_PG_URL"):
            for setting in _DURABLE:
                connection.execute(f"ALTER SYSTEM RESET {setting}")
            connection.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
            connection.execute("ALTER SYSTEM SET log_min_messages = 'error'")
            connection.execute("SELECT pg_reload_conf()")
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        for setting in _DURABLE:
            found = connection.execute(f"SHOW {setting}").fetchone()
            if found is None or found[0] != "on":
                raise SystemExit(f"the PostgreSQL server has {setting} off: figures of it would promise too much")
    return url


def libpq(url: str) -> str:
    """Give a SQLAlchemy URL as psycopg takes it."""
    return "postgresql://" + url.partition("://")[2]


@dataclass(slots=True)
class Stage:
    """One database, filled to a known state, with an application on it.

    Attributes:
        kind: sqlite or postgresql.
        url: SQLAlchemy URL.
        app: for `with stage.app.app_context():`.
        clock: stands until a measure moves it.
    """

    kind: str
    url: str
    app: Flask
    clock: FixedClock


@dataclass(slots=True)
class Stages:
    """The databases of one kind: an empty-handed original, and copies of it, which share every id with it."""

    kind: str
    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(MORNING))
    opened: dict[str, Stage] = field(default_factory=dict)

    def original(self) -> Stage:
        """Give the database that holds the pack and the measuring path and nothing else."""
        return self.opened.get("original") or self._make_original()

    def copy(self, name: str) -> Stage:
        """Give a copy of the original by its name, made at the first call."""
        if name not in self.opened:
            source = self.original()
            with source.app.app_context():
                db.session.remove()
                db.engine.dispose()
            self.opened[name] = self._open(self._copy_database(source.url))
        return self.opened[name]

    def filled(self, name: str, sizes: Sizes) -> Stage:
        """Give the copy "large" with many tasks and jobs, or "small" with few; filled at the first call."""
        if name not in self.opened:
            from tests.load.filling import fill

            rows = sizes.many if name == "large" else sizes.few
            fill(self.copy(name), tasks=rows, jobs=rows)
        return self.opened[name]

    def close(self) -> None:
        """Drop all of them."""
        for stage in self.opened.values():
            with stage.app.app_context():
                db.session.remove()
                db.engine.dispose()
            if self.kind == "postgresql":
                databases.drop_database(durable_server(), _name(stage.url))
        self.opened.clear()
        packs.forget()
        paths.forget()

    def _make_original(self) -> Stage:
        url = self._new_url()
        run.upgrade(url)
        stage = self._open(url)
        self.opened["original"] = stage
        with stage.app.app_context():
            load_pack(SYSTEM, read_pack(ROOT / "workflows" / "testland"))
            transact(
                SYSTEM, lambda work: load_paths(work, diagrams.DIAGRAMS, load_forms(work, diagrams.FORMS), Resources())
            )
        return stage

    def _new_url(self) -> str:
        name = f"nrm_bench_{uuid.uuid4().hex[:12]}"
        if self.kind == "sqlite":
            return f"sqlite:///{self.folder / name}.sqlite3"
        return databases.create_database(durable_server(), name)

    def _copy_database(self, source: str) -> str:
        if self.kind == "sqlite":
            url = self._new_url()
            with closing(sqlite3.connect(file_of(source))) as now:
                now.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(file_of(source), file_of(url))
            return url
        name = f"nrm_bench_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(libpq(durable_server()), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {_name(source)}")
        return source.replace(_name(source), name)

    def _open(self, url: str) -> Stage:
        app = Flask("measuring")
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, pool_size=5)
        db.init_app(app)
        install(config(url, self.folder), self.clock)
        with app.app_context():
            prepare_engine(db.engine)
        return Stage(kind=self.kind, url=url, app=app, clock=self.clock)


def config(url: str, folder: Path) -> Config:
    """Give the settings of an installation on a database."""
    return Config(
        database_url=url,
        data_dir=folder,
        secret=SECRET,
        country="testland",
        packs_dir=ROOT / "workflows",
        demo=True,
        password_memory_kib=8,
        password_rounds=1,
    )


@contextmanager
def stages(kind: str, folder: Path) -> Iterator[Stages]:
    """Open the databases of one kind for the length of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    packs.forget()
    paths.forget()
    opened = Stages(kind, folder)
    try:
        yield opened
    finally:
        opened.close()


def file_of(url: str) -> Path:
    """Give the file of a SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


def _name(url: str) -> str:
    return url.rpartition("://")[2].partition("?")[0].rpartition("/")[2]
