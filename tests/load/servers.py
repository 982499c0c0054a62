"""A gunicorn of one's own, and requests to it from another process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.load.stages import ROOT, SECRET, Stage

Request = tuple[str, str, str | None]
"""Method, path, body."""

CONNECTIONS = 4
"""Clients at once, each with one connection that stays open."""


@dataclass(slots=True, eq=False)
class Server:
    """A running gunicorn.

    Attributes:
        port: where it listens on loopback.
        process: its master.
        headers: of every request.
    """

    port: int
    process: subprocess.Popen[bytes]
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})

    def send(self, requests: Sequence[Request], *, expect: frozenset[int] = frozenset({200})) -> float:
        """Send requests from a separate process, and give the seconds from the first to the last answer.

        Raises:
            RuntimeError: an answer has another status than expected.
        """
        lists = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
        given = {"port": self.port, "headers": self.headers, "connections": lists}
        done = subprocess.run(
            [sys.executable, "-m", "tests.load.clients"],
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            cwd=ROOT,
            check=True,
        )
        found = json.loads(done.stdout)
        if not {int(code) for code in found["statuses"]} <= expect:
            raise RuntimeError(f"unexpected answers: {found['statuses']}")
        return float(found["seconds"])

    def sign_in(self, login: str, password: str) -> None:
        """Sign in, and send the session's cookie with all that follows."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = json.dumps({"login": login, "password": password})
        connection.request("POST", "/api/v1/session", body=body, headers=self.headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"sign-in answered {answer.status}: {text[:200]!r}")
        self.headers["Cookie"] = (answer.headers["Set-Cookie"] or "").partition(";")[0]
        connection.close()

    def resident(self) -> int:
        """Give the resident bytes of the web processes, without the master."""
        return sum(_resident(child) for child in self._workers())

    def cpu(self) -> float:
        """Give the seconds of processor time, user and system, that the web processes have spent so far."""
        return sum(_cpu(child) for child in self._workers())

    def _workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]


def _cpu(process: int) -> float:
    # The second field is the command in brackets, which may hold spaces; user and system time are the 14th and 15th.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell resident memory")


@contextmanager
def serving(
    stage: Stage, folder: Path, *, bare: bool = False, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run gunicorn on a stage for the length of a block, the product or the bare endpoint."""
    port = _free_port()
    env = {
        **os.environ,
        "NRM_DATABASE_URL": stage.url.replace("postgresql+psycopg://", "postgresql://"),
        "NRM_DATA_DIR": str(folder),
        "NRM_SECRET": SECRET,
        "NRM_COUNTRY": "testland",
        "NRM_PACKS_DIR": str(ROOT / "workflows"),
        "NRM_COOKIE_SECURE": "0",
        "NRM_DEMO": "1",  # signs in without a second factor
        "NRM_LOG_LEVEL": "warning",
        "NRM_WEB_MAX_REQUESTS": "0",
        "NRM_BIND": f"127.0.0.1:{port}",
        "PYTHONPATH": str(ROOT),
        **(more or {}),
    }
    settings, app = ("tests/load/bare_gunicorn.py", "tests.load.bare_app:app")
    if not bare:
        settings, app = ("api/gunicorn_conf.py", "api.wsgi:app")
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", "-c", settings, app], cwd=ROOT, env=env)
    try:
        _wait(port, process)
        yield Server(port=port, process=process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"gunicorn ended with {process.returncode}")
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            connection.close()
        except (OSError, HTTPException):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("gunicorn does not answer")
