"""Do what a newcomer does: `make run`, `make demo-case`, Ctrl-C; and look that nothing is left running.

    python -m tests.smoke                 on SQLite
    python -m tests.smoke --postgresql    on the PostgreSQL that pip brings, or on NRM_TEST_PG_URL

Prints how long each part took. Exit status 0 when all went well.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import databases

ROOT = Path(__file__).parent.parent
START_SECONDS = 180
STOP_SECONDS = 30
CASE_SECONDS = 300


class SmokeFailed(Exception):
    """Something did not go as a newcomer would expect; the text says what."""


def main() -> int:
    """Run the whole check once."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    wanted = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="nrm-smoke-") as folder, database(postgresql=wanted.postgresql) as url:
            follow_a_newcomer(Path(folder), url)
    except SmokeFailed as failure:
        print(f"smoke: {failure}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def database(*, postgresql: bool) -> Iterator[str]:
    """Give the address of a new database; "" leaves the choice to `make run`, which is SQLite."""
    if not postgresql:
        yield ""
        return
    server, name = databases.postgresql_server(), f"nrm_smoke_{uuid.uuid4().hex[:8]}"
    url = databases.create_database(server, name)
    try:
        yield url.replace("postgresql+psycopg://", "postgresql://", 1)
    finally:
        databases.drop_database(server, name)


def follow_a_newcomer(folder: Path, database_url: str) -> None:
    """Start, drive one case, stop, start again and stop.

    Raises:
        SmokeFailed: when a part takes too long, fails, or leaves a process behind.
    """
    port = free_port()
    env = {**os.environ, "PORT": str(port), "NRM_DATA_DIR": str(folder / "data")}
    if database_url:
        env["NRM_DATABASE_URL"] = database_url
    log = folder / "log"
    service = start(env, port, log)
    try:
        drive_a_case(env)
    finally:
        stop(service, log)
    stop(start(env, port, log), log)


def start(env: dict[str, str], port: int, log: Path) -> subprocess.Popen[bytes]:
    """`make run`, in a session of its own, until `/readyz` answers 200."""
    began = time.monotonic()
    with log.open("wb") as out:
        service = subprocess.Popen(
            ["make", "run"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    while not ready(port):
        if service.poll() is not None or time.monotonic() - began > START_SECONDS:
            stop(service, log)
            raise SmokeFailed(f"`make run` is not ready after {time.monotonic() - began:.0f} s:\n{tail(log)}")
        time.sleep(0.2)
    print(f"smoke: ready after {time.monotonic() - began:.1f} s")
    return service


def ready(port: int) -> bool:
    """Say whether `/readyz` answers 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def drive_a_case(env: dict[str, str]) -> None:
    """`make demo-case`, whose last line names the closed case."""
    began = time.monotonic()
    done = subprocess.run(
        ["make", "demo-case"], cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=CASE_SECONDS
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines or "closed" not in lines[-1]:
        raise SmokeFailed(
            f"`make demo-case` ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
    print(f"smoke: {lines[-1]} (after {time.monotonic() - began:.1f} s)")


def stop(service: subprocess.Popen[bytes], log: Path) -> None:
    """Ctrl-C: the interrupt goes to the whole foreground group; then nothing of the session may be left."""
    began = time.monotonic()
    if service.poll() is None:
        os.killpg(service.pid, signal.SIGINT)
    try:
        service.wait(STOP_SECONDS)
        while (left := processes_of(service.pid)) and time.monotonic() - began < STOP_SECONDS:
            time.sleep(0.1)
    except subprocess.TimeoutExpired:
        left = processes_of(service.pid)
    if left:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        service.wait()
        raise SmokeFailed(f"{len(left)} processes were left after Ctrl-C:\n{tail(log)}")
    print(f"smoke: stopped after {time.monotonic() - began:.1f} s, nothing left")


def processes_of(session: int) -> list[int]:
    """Give the processes of a session that are not yet gone (zombies are)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = entry.read_text().rpartition(") ")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(entry.parent.name))
    return found


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tail(log: Path) -> str:
    """Give the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])


if __name__ == "__main__":
    sys.exit(main())
