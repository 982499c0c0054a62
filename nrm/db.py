"""The database: one base class for tables, times in UTC, and how transactions begin on each database.

Reads begin plainly. Changes begin with the writer's lock on SQLite (`BEGIN IMMEDIATE`), so that a transaction
that has read never fails when it writes; on PostgreSQL the case row is locked instead.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast

import orjson
import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import ExecStatus
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeEngine

_IS_WRITING: Final = "nrm_writing"
WRITING = {_IS_WRITING: True}
"""Execution options of a connection whose transaction will write."""

LONG_REST: Final = 1.0
"""Seconds of rest after which a connection to PostgreSQL is asked whether it still stands."""

LONGEST_TURN: Final = 30.0
"""Seconds that a thread waits at most until another one of the process has written to SQLite."""

_GIVES_ROWS: Final = frozenset({ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE})

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",
    "PRAGMA cache_size=-16000",
    # Pages of the log that are carried over into the file at once: 16 MB instead of 4. A page that many transactions
    # write is carried over once, and the two flushes of it come more rarely.
    "PRAGMA wal_autocheckpoint=4000",
)


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class _SqliteMoment(sqlite.DATETIME):
    """How SQLite keeps a moment: as text in UTC that does not name its zone, and so sorts as it should."""

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:
        """Give what writes a moment."""
        del dialect
        return _moment_as_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], datetime | None]:
        """Give what reads one."""
        del dialect, coltype
        return _moment_from_text


def _moment_as_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment_from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


class _PostgresMoment(DateTime):
    """A moment that PostgreSQL keeps with its zone."""

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], datetime | None]:
        """Give what writes a moment."""
        del dialect
        return lambda value: None if value is None else _utc(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[datetime | None], datetime | None]:
        """Give what reads one; the server answers in the zone of the connection."""
        del dialect, coltype
        return lambda value: None if value is None else value.astimezone(UTC)


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return value.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database (SQLite would hand back naive values).

    A value without a time zone is a ValueError.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the type of one kind of database, which reads and writes without a step in between."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_SqliteMoment())  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(_PostgresMoment(timezone=True))


db = SQLAlchemy(
    model_class=Base,
    session_options={"expire_on_commit": False, "autoflush": False},
)


def engine_options(url: str, *, pool_size: int) -> dict[str, Any]:
    """Give SQLAlchemy's engine options for a database URL.

    Args:
        url: SQLAlchemy URL.
        pool_size: connections that one process keeps.
    """
    options: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "json_serializer": _write_json,
    }
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": 30, "check_same_thread": False}
    else:
        # So that whoever looks at the server sees whose sessions these are.
        options["connect_args"] = {"application_name": "nrm", "cursor_factory": _Cursor}
    return options


def _write_json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Numbers beyond 64 bits and halves of characters, which the slower writer takes.
        return json.dumps(value, ensure_ascii=True)


@contextmanager
def in_one_trip(connection: Connection) -> Iterator[psycopg.Connection[Any] | sqlite3.Connection]:
    """Send the statements inside to PostgreSQL one after another and wait for their answers once, at the end.

    Only for statements whose answer nobody reads inside; on SQLite, where there is no way to go, each runs as it comes.

    Yields:
        The driver's own connection, for whoever has no need of SQLAlchemy's.

    Raises:
        DBAPIError: one of them failed; the others after it were not run.
    """
    driver = cast("psycopg.Connection[Any] | sqlite3.Connection", connection.connection.driver_connection)
    try:
        if isinstance(driver, sqlite3.Connection):
            yield driver
        else:
            with driver.pipeline():
                yield driver
    except (psycopg.Error, sqlite3.Error) as error:
        closed = isinstance(driver, psycopg.Connection) and driver.closed
        if closed:
            connection.invalidate(error)
        base = psycopg.Error if isinstance(error, psycopg.Error) else sqlite3.Error
        raise DBAPIError.instance(
            None, None, error, base, connection_invalidated=closed, dialect=connection.dialect
        ) from error


def write_from_now_on(connection: Connection) -> None:
    """Let the open transaction of a connection, which has only read, become one that writes.

    On SQLite it begins anew, with the writer's lock and what is stored by then. On PostgreSQL every statement sees
    what is committed when it begins: there it simply goes on.

    Raises:
        DBAPIError: the writer's lock could not be had in time.
    """
    if connection.dialect.name != "sqlite":
        return
    with in_one_trip(connection):
        connection.dialect.do_rollback(connection.connection)
        connection.info[_IS_WRITING] = True
        connection.dialect.do_begin(connection.connection)


class _Cursor(psycopg.Cursor[Any]):
    """A cursor that describes columns as plainly as SQLAlchemy reads them: by name and by number of the type.

    psycopg makes an object of each column that looks its type up; for the 65 columns under which a task is loaded
    that takes longer than the query.
    """

    @property
    def description(self) -> list[Any] | None:
        """Give name, type and five empty places of each column (PEP 249); None where the statement gave no rows."""
        found = self.pgresult
        if found is None or found.status not in _GIVES_ROWS:
            return None
        rest = (None,) * 5
        return [((found.fname(place) or b"").decode(), found.ftype(place), *rest) for place in range(found.nfields)]


def prepare_engine(engine: Engine) -> None:
    """Attach what a database needs.

    SQLite: durable write-ahead logging, foreign keys, and explicit transaction starts. PostgreSQL: a connection that
    rested for long is asked whether it still stands; asking at each use would cost every request a round trip.
    """
    if engine.dialect.name != "sqlite":
        event.listen(engine, "checkin", _on_rest)
        event.listen(engine, "checkout", _on_use)
        return
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "checkin", _on_sqlite_rest)
    _begin_by_ourselves(engine.dialect)


def _on_rest(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    del connection
    record.info["rests_since"] = time.monotonic()


def _on_use(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
    del proxy
    if time.monotonic() - record.info.get("rests_since", math.inf) < LONG_REST:
        return
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
        connection.rollback()
    except psycopg.Error as error:
        # The pool makes new ones of this and of all that are as old.
        raise InvalidatePoolError from error


def _on_sqlite_connect(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    del record
    # The driver must not begin transactions by itself: `_begin_by_ourselves` decides how one begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _on_sqlite_rest(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    del connection
    record.info.pop(_IS_WRITING, None)


def _begin_by_ourselves(dialect: Dialect) -> None:
    """Let transactions begin as the options of their connection say.

    A listener of the engine would do it too; but with one of them SQLAlchemy asks at each step of each statement who
    wants to know of it.
    """
    take_options, store, take_back = dialect.set_connection_execution_options, dialect.do_commit, dialect.do_rollback

    def note_options(connection: Connection, options: Mapping[str, Any]) -> None:
        take_options(connection, options)
        if _IS_WRITING in options:
            connection.info[_IS_WRITING] = options[_IS_WRITING]

    turns = _Turns()

    def begin(connection: PoolProxiedConnection) -> None:
        writes = connection.info.get(_IS_WRITING)
        if writes:
            turns.take(connection)
        try:
            cursor = connection.cursor()
            cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            cursor.close()
        except sqlite3.Error:
            turns.give_back(connection)
            raise

    def commit(connection: PoolProxiedConnection) -> None:
        store(connection)
        turns.give_back(connection)

    def rollback(connection: PoolProxiedConnection) -> None:
        take_back(connection)
        turns.give_back(connection)

    dialect.set_connection_execution_options = note_options  # type: ignore[assignment, method-assign]
    dialect.do_begin = begin  # type: ignore[assignment, method-assign]
    dialect.do_commit = commit  # type: ignore[assignment, method-assign]
    dialect.do_rollback = rollback  # type: ignore[assignment, method-assign]


class _Turns:
    """Lets the threads of a process write to SQLite one after another.

    SQLite does not wake who waits for its lock: each sleeps for longer and longer and asks again, while the lock lies
    idle. Threads that queue here are woken at once, and only one of each process asks SQLite.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._writer: DBAPIConnection | None = None

    def take(self, connection: PoolProxiedConnection) -> None:
        """Wait for the turn of a connection's transaction.

        Raises:
            OperationalError: (SQLite's) it did not come within `LONGEST_TURN` seconds.
        """
        if not self._turn.acquire(timeout=LONGEST_TURN):
            raise sqlite3.OperationalError("database is locked")
        self._writer = connection.dbapi_connection

    def give_back(self, connection: PoolProxiedConnection) -> None:
        """Let the next one write, when it was this connection's turn."""
        if self._writer is not None and self._writer is connection.dbapi_connection:
            self._writer = None
            self._turn.release()
