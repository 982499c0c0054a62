"""`python -m tests.load.arrivals`: what an arrival list of 20,000 rows costs, by command line and by page.

For each database: the seconds and the most memory of `nrm import manifest`; then a web process and a runner, as they
are served: the seconds of the first look, of the import, the most memory of both, the slowest of all other pages that
are read meanwhile, and whether the progress that the page tells ever went back or beyond what is there.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import func, select, update

from nrm.credentials import hash_password
from nrm.db import db
from nrm.models import Case, Person, User
from tests.arrival_lists import as_csv, rows
from tests.load.servers import Server, serving
from tests.load.stages import ROOT, SECRET, Stage, stages
from tests.world import World

PASSWORD = "only for measuring"
_PAUSE = 1.0
_LONGEST = 3 * 3600


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen while a list went in.

    Attributes:
        told: the rows in, as the page told them, one by one.
        waits: seconds that another page took.
        memory: most resident bytes of the runner.
        web: most resident bytes of the web processes.
    """

    told: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    memory: int = 0
    web: int = 0


def environment(stage: Stage, folder: Path) -> dict[str, str]:
    """Give the settings of a process on a stage."""
    return {
        **os.environ,
        "NRM_DATABASE_URL": stage.url.replace("postgresql+psycopg://", "postgresql://"),
        "NRM_DATA_DIR": str(folder),
        "NRM_SECRET": SECRET,
        "NRM_COUNTRY": "testland",
        "NRM_PACKS_DIR": str(ROOT / "workflows"),
        "NRM_DEMO": "1",
        "NRM_LOG_LEVEL": "warning",
        "PYTHONPATH": str(ROOT),
    }


def by_command(stage: Stage, folder: Path, file: Path, count: int) -> None:
    """Import with the command, in a process of its own."""
    began = time.monotonic()
    command = [sys.executable, "-m", "api.cli", "import", "manifest", str(file)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(stage, folder), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    told = [int(done) for done in re.findall(r"(\d+)/\d+", process.stderr.read())]
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) or told != sorted(told) or told[-1] != count:
        raise RuntimeError(f"the command ended with {status}, and told {told[-3:]}")
    say(
        stage,
        "command",
        rows=count,
        seconds=seconds,
        cpu=used.ru_utime + used.ru_stime,
        memory_mb=used.ru_maxrss / 1024,
        **counted(stage),
    )


def counted(stage: Stage) -> dict[str, int]:
    """Count who is registered."""
    with stage.app.app_context():
        found = {
            "people": db.session.scalar(select(func.count()).select_from(Person)) or 0,
            "cases": db.session.scalar(select(func.count()).select_from(Case)) or 0,
        }
        db.session.remove()
    return found


def say(stage: Stage, what: str, **figures: float) -> None:
    """Print a line of figures."""
    told = ", ".join(
        f"{name} {value:,.1f}" if isinstance(value, float) else f"{name} {value:,}" for name, value in figures.items()
    )
    print(f"{stage.kind:11} {what:8} {told}  (load {os.getloadavg()[0]:.1f})", flush=True)


def importer(stage: Stage) -> str:
    """Seat somebody who may import, with a password, and give the sign-in name."""
    with stage.app.app_context():
        actor = World(stage.clock).at_desk("reception", "norvale")
        db.session.remove()
        hashed = hash_password(PASSWORD, memory_kib=8, rounds=1)
        with db.engine.begin() as connection:
            connection.execute(update(User).where(User.id == actor.id).values(password_hash=hashed))
    return actor.id


@contextmanager
def runner(stage: Stage, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a runner for the length of a block."""
    process = subprocess.Popen([sys.executable, "-m", "api.cli", "worker"], cwd=ROOT, env=environment(stage, folder))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


def read(
    server: Server, path: str, form: dict[str, str] | None = None, body: bytes = b"", kind: str = ""
) -> tuple[str, str]:
    """Ask for a page, or send a form or body, and give where it leads and what it says."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Cookie": server.headers["Cookie"]}
    if form is not None:
        body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
    connection.request(
        "POST" if body else "GET",
        path,
        body=body or None,
        headers={**headers, **({"Content-Type": kind} if kind else {})},
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{path} answered {answer.status}: {text[:300]}")
    return answer.headers.get("Location") or "", text


def token_of(text: str) -> str:
    """Give the token that a page's forms send along."""
    found = re.search(r'name="token" value="([^"]+)"', text)
    if found is None:
        raise RuntimeError("the page has no token")
    return found[1]


def by_page(stage: Stage, folder: Path, file: Path, count: int) -> None:
    """Send the list on its page, look at it, let it be imported, and read pages meanwhile."""
    login = importer(stage)
    with serving(stage, folder) as server, runner(stage, folder) as work:
        server.sign_in(login, PASSWORD)
        _, page = read(server, "/manifests")
        began, spent = time.monotonic(), server.cpu()
        place, _ = read(
            server, "/manifests", body=multipart(token_of(page), file), kind="multipart/form-data; boundary=x-x"
        )
        say(
            stage,
            "look",
            rows=count,
            seconds=time.monotonic() - began,
            cpu=server.cpu() - spent,
            web_mb=server.resident() / 2**20,
        )
        _, page = read(server, place)
        began = time.monotonic()
        read(server, f"{place}/import", form={"token": token_of(page)})
        seen = follow(server, place, work.pid)
        seconds = time.monotonic() - began
    if seen.told != sorted(seen.told) or (seen.told and seen.told[-1] > count):
        raise RuntimeError(f"the progress was not true: {seen.told}")
    waits = sorted(seen.waits)
    figures = {"median_wait": waits[len(waits) // 2], "longest_wait": waits[-1], "told": len(set(seen.told))}
    memory = {"runner_mb": seen.memory / 2**20, "web_mb": seen.web / 2**20}
    say(stage, "page", rows=count, seconds=seconds, **memory, **figures, **counted(stage))


def multipart(token: str, file: Path) -> bytes:
    """Write a form with a file as a browser does."""
    head = '--x-x\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + token
    part = f'\r\n--x-x\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    return (head + part).encode() + file.read_bytes() + b"\r\n--x-x--\r\n"


def follow(server: Server, place: str, process: int) -> Seen:
    """Read the page of the list, and another one, until the list is in."""
    seen = Seen()
    for _ in range(_LONGEST):
        _, page = read(server, place)
        far = re.search(r'<progress [^>]*value="(\d+)"', page)
        if far is None:
            return seen
        seen.told.append(int(far[1]))
        print(f"\r{far[1]}", end="", file=sys.stderr, flush=True)
        began = time.monotonic()
        read(server, "/work?tab=desk")
        seen.waits.append(time.monotonic() - began)
        seen.memory = max(seen.memory, resident(process))
        seen.web = max(seen.web, server.resident())
        time.sleep(_PAUSE)
    raise RuntimeError("the list never went in")


def resident(process: int) -> int:
    """Give the resident bytes of a process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    status = Path(f"/proc/{process}/status").read_text()
    own = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024
    return own + sum(resident(int(child)) for child in children)


WAYS: Final[Mapping[str, Callable[[Stage, Path, Path, int], None]]] = {"command": by_command, "page": by_page}


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for."""
    reader = argparse.ArgumentParser(prog="python -m tests.load.arrivals", description=__doc__)
    reader.add_argument("--rows", type=int, default=20_000)
    reader.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    reader.add_argument("--way", choices=sorted(WAYS), action="append")
    options = reader.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="nrm-arrivals-") as name:
        file = Path(name) / "arrivals.csv"
        file.write_bytes(as_csv(rows(options.rows)))
        for kind in options.database or ["sqlite", "postgresql"]:
            folder = Path(name) / kind
            with stages(kind, folder) as opened:
                for way in options.way or sorted(WAYS):
                    WAYS[way](opened.copy(way), folder, file, options.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
