"""The database: one base class for tables, times in UTC, and how transactions begin on each database.

Reads begin plainly. Changes begin with the writer's lock on SQLite (`BEGIN IMMEDIATE`), so that a transaction
that has read never fails when it writes; on PostgreSQL the case row is locked instead.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

WRITING = {"nrm_writing": True}
"""Execution options of a connection whose transaction will write."""

LONG_REST: Final = 1.0
"""Seconds of rest after which a connection to PostgreSQL is asked whether it still stands."""

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",
    "PRAGMA cache_size=-16000",
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


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database (SQLite would hand back naive values)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC.

        Raises:
            ValueError: when the value has no time zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give an aware value in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": pool_size, "max_overflow": pool_size}
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": 30, "check_same_thread": False}
    else:
        # So that whoever looks at the server sees whose sessions these are.
        options["connect_args"] = {"application_name": "nrm"}
    return options


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
    event.listen(engine, "begin", _on_sqlite_begin)


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
    # The driver must not begin transactions by itself: `_on_sqlite_begin` decides how one begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    options: Mapping[str, Any] = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("nrm_writing") else "BEGIN")
