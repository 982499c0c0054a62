"""How an idle runner learns at once that something was committed, instead of asking the table again and again.

PostgreSQL tells its listeners. SQLite has no such thing, but counts the commits of other connections
(`PRAGMA data_version`, a read of shared memory): looking at that number every few milliseconds costs nothing
and works across processes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Protocol

import psycopg
from sqlalchemy import Engine

from nrm.jobs.table import CHANNEL

LOOK_SECONDS = 0.02
"""Pause between two looks at SQLite's number: the wake-up is late by half of it on average."""

_LISTEN_SECONDS = 0.5


class Waker(Protocol):
    """Something that waits for a commit by somebody else."""

    def wait(self, stopped: Callable[[float], bool]) -> bool:
        """Wait a moment and say whether something was committed.

        Args:
            stopped: waits so many seconds at most and says whether the runner stops.
        """
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class PostgresWaker:
    """Listens on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        """Connect and listen."""
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True, application_name="nrm")
        self._connection.execute(f"LISTEN {CHANNEL}")

    def wait(self, stopped: Callable[[float], bool]) -> bool:
        """Wait half a second at most for a notification."""
        del stopped
        return any(True for _ in self._connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class SqliteWaker:
    """Watches the number that grows with every commit of another connection."""

    def __init__(self, engine: Engine) -> None:
        """Open the file."""
        self._connection = sqlite3.connect(engine.url.database or "", isolation_level=None, check_same_thread=False)
        self._seen = self._version()

    def wait(self, stopped: Callable[[float], bool]) -> bool:
        """Wait a few milliseconds and compare."""
        if stopped(LOOK_SECONDS):
            return False
        version = self._version()
        if version == self._seen:
            return False
        self._seen = version
        return True

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


def make_waker(engine: Engine) -> Waker:
    """Give the waker that fits the database."""
    return PostgresWaker(engine) if engine.dialect.name == "postgresql" else SqliteWaker(engine)
