"""`python -m tests.load.soak`: kill -9 web, runners and the database under load; nothing may be lost or doubled.

The real service runs: gunicorn and two runners. Clients take and complete tasks over HTTP; cases are opened and
notices sent by helper processes, which are killed too. Each request is repeated under its key until it is
acknowledged. Timers of the cases go off while the clock is moved. At the end every acknowledged request must be there
exactly once, every timer must have opened its step once, every notice must have left, and `verify_all` must find
nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import and_, func, or_, select, text, update

from nrm.actions.schedules import SCHEDULES
from nrm.clock import MovableClock
from nrm.credentials import hash_password
from nrm.db import db
from nrm.models import Case, Delivery, Event, Incident, Job, Organisation, Run, Task, TaskAnswers, User
from nrm.queries.verify import verify_all
from tests.installations import ROOT, fill_with_testland, installed
from tests.load.crash_client import Client
from tests.load.crash_server import KillableServer
from tests.world import World

DESKS = 3
RUNNERS = 2
PASSWORD = "invented-words-7-for-tests"
SECRET = "only for tests: " + "0123456789abcdef" * 2


@dataclass
class Child:
    """A process that may die at any time and is started again."""

    command: list[str]
    env: dict[str, str]
    talks: bool = False
    process: subprocess.Popen[str] | None = None
    starts: int = 0

    def start(self) -> subprocess.Popen[str]:
        """Start it; one that talks is waited for, and started again when it died before it was ready."""
        while True:
            self.starts += 1
            pipe = subprocess.PIPE if self.talks else subprocess.DEVNULL
            self.process = subprocess.Popen(
                self.command,
                env=self.env,
                stdin=pipe,
                stdout=pipe,
                stderr=subprocess.DEVNULL,
                text=True,
                process_group=0,
            )
            if self.process.stdout is None or self.process.stdout.readline():
                return self.process
            self.process.wait()

    def kill(self) -> bool:
        """Kill it and all its children with signal 9, and say whether it lived."""
        process = self.process
        if process is None or process.poll() is not None:
            return False
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True

    def keep(self) -> None:
        """Start it again when it ended by itself, as whatever watches over a service does."""
        if self.process is None or self.process.poll() is not None:
            self.start()


@dataclass
class Acknowledged:
    """What the desks were told to have happened."""

    cases: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)
    asked_again: int = 0


class Desk:
    """One client: gives orders to its process and repeats them until they are acknowledged."""

    def __init__(self, number: int, child: Child, client: Client, *, told: Acknowledged, organisation: str) -> None:
        """Start the process."""
        self.child, self.client, self.told, self.organisation = child, client, told, organisation
        self.name = f"desk{number}"
        self.keys = itertools.count()
        self.open: list[str] = []
        self.stop = threading.Event()
        child.start()

    def order(self, do: str, **more: str) -> object:
        """Give an order until it is answered."""
        line = json.dumps({"key": f"{self.name}-{next(self.keys)}", "do": do, **more})
        key = json.loads(line)["key"]
        while True:
            answer = self._once(line)
            if answer is not None and "answer" in answer:
                self._note(do, key, answer["answer"])
                return answer["answer"]
            self.told.asked_again += 1
            time.sleep(0.05)

    def _once(self, line: str) -> dict[str, object] | None:
        process = self.child.process
        if process is None or process.poll() is not None:
            process = self.child.start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            reply = process.stdout.readline()
        except BrokenPipeError:
            return None
        return dict(json.loads(reply)) if reply.endswith("\n") else None

    def _note(self, do: str, key: str, answer: object) -> None:
        if do == "open":
            self.told.cases[key] = str(answer)
            self.open.append(str(answer))
        elif do == "tell":
            self.told.notices[key] = str(answer)

    def work(self) -> None:
        """Open cases, complete what is open in them, send notices, until told to stop."""
        while not self.stop.is_set():
            if len(self.open) < 40:
                self.order("open")
                self.order("tell", organisation=self.organisation)
            for case_id in random.sample(self.open, min(4, len(self.open))):
                self.do_tasks(case_id)

    def do_tasks(self, case_id: str) -> None:
        """Complete the open tasks of a case."""
        found = self.order("list", case=case_id)
        for task_id, step, version in found:  # type: ignore[attr-defined]  # a list of triples
            key = f"{self.name}-{next(self.keys)}"
            self.client.complete(key, task_id, version)
            self.told.tasks[key] = task_id
            if step == "ring":
                self.open.remove(case_id)


@dataclass
class Service:
    """Everything that runs."""

    web: Child
    runners: list[Child]
    desks: list[Desk]
    server: KillableServer | None


@contextmanager
def service(
    url: str, data_dir: Path, *, told: Acknowledged, organisation: str, server: KillableServer | None
) -> Iterator[Service]:
    """Start everything; at the end stop the runners gracefully."""
    port = _free_port()
    env = {
        **os.environ,
        "PORT": str(port),
        "NRM_DATABASE_URL": url,
        "NRM_DATA_DIR": str(data_dir),
        "NRM_DEMO": "1",
        "NRM_SECRET": SECRET,
        "NRM_COUNTRY": "testland",
        "NRM_PACKS_DIR": str(ROOT / "workflows"),
        "NRM_PASSWORD_MEMORY_KIB": "64",
        "NRM_PASSWORD_ROUNDS": "1",
        # The clock is moved by days: nobody is to be signed out by that.
        "NRM_SESSION_IDLE_MINUTES": "5000000",
        "NRM_SESSION_HOURS": "80000",
        "PYTHONWARNINGS": "ignore",
    }
    serving = [sys.executable, "-m", "api.serving"]
    desk = [sys.executable, "-m", "tests.load.crash_desk", url, str(data_dir)]
    runners = [Child([*serving, "runner"], env) for _ in range(RUNNERS)]
    web = Child([*serving, "web"], env)
    desks: list[Desk] = []
    logins = _logins()
    try:
        for child in (web, *runners):
            child.start()
        for number, login in enumerate(logins):
            helper = Child(desk, env, talks=True)
            desks.append(Desk(number, helper, Client(port, login, PASSWORD), told=told, organisation=organisation))
        yield Service(web=web, runners=runners, desks=desks, server=server)
    finally:
        for one in desks:
            one.stop.set()
        for child in [web, *runners, *(one.child for one in desks)]:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        for child in [web, *runners, *(one.child for one in desks)]:
            if child.process is not None:
                child.process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _logins() -> list[str]:
    """Make somebody with a password for each client."""
    land = World(clock=MovableClock(Path("/nonexistent")))  # type: ignore[arg-type]  # only `now` is asked
    people = [land.at_desk("case_handler", "norvale", f"client {number}").id for number in range(DESKS)]
    hashed = hash_password(PASSWORD, memory_kib=64, rounds=1)
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(update(User).where(User.id.in_(people)).values(password_hash=hashed))
    return people


def kill_at_random(kills: int, running: Service, clock: MovableClock) -> Counter[str]:
    """Kill something every few seconds, and let time pass faster than it does."""
    done: Counter[str] = Counter()
    while sum(done.values()) < kills:
        time.sleep(random.uniform(1.5, 4))
        clock.move(timedelta(hours=random.randint(6, 18)))
        what = random.choice(
            ["web", "web", "helper", "runner", "runner"] + (["database", "session"] if running.server else [])
        )
        if _kill(what, running):
            done[what] += 1
        for child in (running.web, *running.runners):
            child.keep()
    return done


def _kill(what: str, running: Service) -> bool:
    """Kill one of a sort and say whether it lived; helpers are started again by whoever gives them orders."""
    if what == "web":
        return running.web.kill()
    if what == "helper":
        return random.choice(running.desks).child.kill()
    if what == "runner":
        return random.choice(running.runners).kill()
    if running.server is None:
        return False
    return running.server.kill() if what == "database" else running.server.kill_session()


def until(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true, and say whether it became so in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        db.session.remove()
        time.sleep(0.2)
    return False


def count(model: type, *conditions: object) -> int:
    """Count rows."""
    db.session.remove()
    return int(db.session.execute(select(func.count()).select_from(model).where(*conditions)).scalar_one())


def unsettled(clock: MovableClock) -> int:
    """Count what is due or in hand; in one query, since between two a runner may claim what is due."""
    due = and_(Job.state == "waiting", Job.due_at <= clock.now())
    return count(Job, or_(Job.state == "running", due))


def judge(told: Acknowledged, data_dir: Path, clock: MovableClock) -> list[tuple[str, int, int]]:
    """Compare what was acknowledged with what is there: name, expected, found."""
    db.session.remove()
    rung = select(Task.run_id, func.count().label("n")).where(Task.step == "ring").group_by(Task.run_id).subquery()
    reminded = (
        select(Event.subject_id)
        .where(Event.kind == "task.reminded")
        .group_by(Event.subject_id)
        .having(func.count() > 1)
    ).subquery()
    written = count(Task, Task.step == "write", Task.status == "completed")
    session = db.session
    # Periodic work writes to organisations too: of stale entries, of keys that end.
    ours = Delivery.template == "notice"
    mails = {mail.stem for mail in (data_dir / "mail").glob("*.eml")}
    return [
        ("acknowledged cases that are there", len(told.cases), count(Case, Case.id.in_(told.cases.values()))),
        ("cases in all (none twice)", len(told.cases), count(Case)),
        ("runs (one per case)", len(told.cases), count(Run)),
        ("acknowledged completions", len(set(told.tasks.values())), count(Task, Task.status == "completed")),
        ("answers stored", len(set(told.tasks.values())), count(TaskAnswers)),
        (
            "timers that opened their step",
            written,
            int(session.execute(select(func.count()).select_from(rung)).scalar_one()),
        ),
        ("steps opened by a timer", written, count(Task, Task.step == "ring")),
        ("notices queued", len(told.notices), count(Delivery, ours)),
        ("notices sent", len(told.notices), count(Delivery, ours, Delivery.state == "sent")),
        ("mails in the folder", len(told.notices), len(mails & set(session.scalars(select(Delivery.id).where(ours))))),
        ("tasks reminded of twice", 0, int(session.execute(select(func.count()).select_from(reminded)).scalar_one())),
        ("periodic works planned", len(SCHEDULES), count(Job, Job.kind == "schedule")),
        ("due jobs left over", 0, unsettled(clock)),
        ("dead jobs", 0, count(Job, Job.state == "dead")),
        ("incidents", 0, count(Incident)),
        ("disagreements found by verify", 0, sum(1 for _ in verify_all())),
    ]


def soak(kind: str, kills: int, folder: Path) -> bool:
    """Run the crash test on one kind of database, print its figures, and say whether all is well."""
    server = KillableServer() if kind == "postgresql" else None
    url = server.url if server else f"sqlite:///{folder / 'nrm.sqlite3'}"
    data_dir = folder / "data"
    data_dir.mkdir()
    clock = MovableClock(data_dir / "demo-clock")
    try:
        fill_with_testland(url, data_dir)
        with installed(url, data_dir, clock=clock):
            return _soak(kind, kills, url=url, data_dir=data_dir, clock=clock, server=server)
    finally:
        if server is not None:
            server.close()


def _soak(
    kind: str, kills: int, *, url: str, data_dir: Path, clock: MovableClock, server: KillableServer | None
) -> bool:
    organisation = _mailed_organisation()
    told = Acknowledged()
    begun = time.monotonic()
    with service(url, data_dir, told=told, organisation=organisation, server=server) as running:
        desks = running.desks
        threads = [threading.Thread(target=desk.work, daemon=True) for desk in desks]
        for thread in threads:
            thread.start()
        done = kill_at_random(kills, running, clock)
        for desk in desks:
            desk.stop.set()
        for thread in threads:
            thread.join()
        for desk in desks:
            for case_id in list(desk.open):
                desk.do_tasks(case_id)
        loaded = time.monotonic() - begun
        clock.move(timedelta(days=4))
        in_time = until(lambda: unsettled(clock) == 0, 120)
    figures = judge(told, data_dir, clock)
    print(
        f"\n{kind}: {sum(done.values())} kills in {loaded:.0f} s ({dict(done)}), {told.asked_again + sum(desk.client.again for desk in desks)} requests repeated"
    )
    for name, expected, found in figures:
        print(f"  {'ok ' if expected == found else 'BAD'} {name}: {found} of {expected}")
    if not in_time:
        print(
            "  BAD work was left over: "
            + str(db.session.execute(text("SELECT kind, state, count(*) FROM jobs GROUP BY kind, state")).all())
        )
    for disagreement in itertools.islice(verify_all(), 5):
        print("     ", disagreement)
    return in_time and all(expected == found for _, expected, found in figures)


def _mailed_organisation() -> str:
    found = db.session.execute(select(Organisation.id).order_by(Organisation.code)).scalars().first()
    assert found is not None
    db.session.execute(
        update(Organisation).where(Organisation.id == found).values(channel="email", email="ngo@example.org")
    )
    db.session.commit()
    db.session.remove()
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the crash test.

    Returns:
        0 when nothing was lost or doubled, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many kills on each database (default 50)")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--seed", type=int, default=None, help="repeat the choices of an earlier run")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else int.from_bytes(os.urandom(3), "big")
    random.seed(seed)
    print(f"seed {seed}")
    kinds = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    well = True
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="nrm-soak-") as folder:
            well = soak(kind, given.kills, Path(folder)) and well
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
