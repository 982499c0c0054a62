"""`python -m tests.load.soak`: kill -9 desks, runners and the database under load; nothing may be lost or doubled.

Desks open cases, complete tasks and send notices, each under a key that they repeat until it is acknowledged. Timers
of the cases go off while the clock is moved. At the end every acknowledged order must be there exactly once, every
timer must have opened its step once, every notice must have left, and `verify_all` must find nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
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

from sqlalchemy import func, select, text, update

from nrm.actions.schedules import SCHEDULES
from nrm.clock import MovableClock
from nrm.db import db
from nrm.models import Case, Delivery, Event, Incident, Job, Organisation, Run, Task, TaskAnswers
from nrm.queries.verify import verify_all
from tests.installations import fill_with_testland, installed
from tests.load.crash_server import KillableServer

DESKS = 3
RUNNERS = 2
LEASE = 5.0
"""Seconds; shorter than in production, so that what a killed runner held is taken up while the test still runs."""


@dataclass
class Child:
    """A process that may die at any time and is started again."""

    command: list[str]
    process: subprocess.Popen[str] | None = None
    starts: int = 0

    def start(self) -> subprocess.Popen[str]:
        """Start it and wait until it is ready; again when it was killed meanwhile or the database was away."""
        while True:
            self.starts += 1
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert self.process.stdout is not None
            if self.process.stdout.readline():
                return self.process
            self.process.wait()

    def kill(self) -> bool:
        """Kill it with signal 9 and say whether it lived."""
        process = self.process
        if process is None or process.poll() is not None:
            return False
        process.kill()
        return True


@dataclass
class Acknowledged:
    """What the desks were told to have happened."""

    cases: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)
    asked_again: int = 0


class Desk:
    """One client: gives orders to its process and repeats them until they are acknowledged."""

    def __init__(self, number: int, child: Child, told: Acknowledged, organisation: str) -> None:
        """Start the process."""
        self.child, self.told, self.organisation = child, told, organisation
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
                self._note(do, key, answer["answer"], more)
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

    def _note(self, do: str, key: str, answer: object, more: dict[str, str]) -> None:
        if do == "open":
            self.told.cases[key] = str(answer)
            self.open.append(str(answer))
        elif do == "complete":
            self.told.tasks[key] = more["task"]
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
        for task_id, step in self.order("list", case=case_id):  # type: ignore[attr-defined]  # a list of pairs
            self.order("complete", task=task_id)
            if step == "ring":
                self.open.remove(case_id)


@contextmanager
def desks_and_runners(
    url: str, data_dir: Path, told: Acknowledged, organisation: str
) -> Iterator[tuple[list[Desk], list[Child]]]:
    """Start everything; at the end stop the runners gracefully and the desks by closing their input."""
    python = [sys.executable, "-W", "ignore", "-m"]
    runners = [Child([*python, "tests.load.crash_runner", url, str(data_dir), str(LEASE)]) for _ in range(RUNNERS)]
    for runner in runners:
        runner.start()
    desk_command = [*python, "tests.load.crash_desk", url, str(data_dir)]
    desks = [Desk(number, Child(desk_command), told, organisation) for number in range(DESKS)]
    try:
        yield desks, runners
    finally:
        for child in [*runners, *(desk.child for desk in desks)]:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        for desk in desks:
            desk.stop.set()
        for child in [*runners, *(desk.child for desk in desks)]:
            if child.process is not None:
                child.process.wait(40)


def kill_at_random(
    kills: int, desks: list[Desk], runners: list[Child], server: KillableServer | None, clock: MovableClock
) -> Counter[str]:
    """Kill something every second or so, and let time pass faster than it does."""
    done: Counter[str] = Counter()
    while sum(done.values()) < kills:
        time.sleep(random.uniform(0.4, 1.6))
        clock.move(timedelta(hours=random.randint(6, 18)))
        what = random.choice(["desk", "runner", "runner"] + (["database", "session"] if server else []))
        if _kill(what, desks, runners, server):
            done[what] += 1
    return done


def _kill(what: str, desks: list[Desk], runners: list[Child], server: KillableServer | None) -> bool:
    """Kill one of a sort and say whether it lived; desks are started again by whoever gives them orders."""
    if what == "desk":
        return random.choice(desks).child.kill()
    if what == "runner":
        victim = random.choice(runners)
        killed = victim.kill()
        victim.start()
        return killed
    if server is None:
        return False
    return server.kill() if what == "database" else server.kill_session()


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


def settled(clock: MovableClock) -> bool:
    """Say whether nothing that is due waits or is in hand."""
    return (
        count(Job, Job.state == "running") == 0 and count(Job, Job.state == "waiting", Job.due_at <= clock.now()) == 0
    )


def judge(told: Acknowledged, data_dir: Path) -> list[tuple[str, int, int]]:
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
        ("notices queued", len(told.notices), count(Delivery)),
        ("notices sent", len(told.notices), count(Delivery, Delivery.state == "sent")),
        ("mails in the folder", len(told.notices), len(list((data_dir / "mail").glob("*.eml")))),
        ("tasks reminded of twice", 0, int(session.execute(select(func.count()).select_from(reminded)).scalar_one())),
        ("periodic works planned", len(SCHEDULES), count(Job, Job.kind == "schedule")),
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
    with desks_and_runners(url, data_dir, told, organisation) as (desks, runners):
        threads = [threading.Thread(target=desk.work, daemon=True) for desk in desks]
        for thread in threads:
            thread.start()
        done = kill_at_random(kills, desks, runners, server, clock)
        for desk in desks:
            desk.stop.set()
        for thread in threads:
            thread.join()
        for desk in desks:
            for case_id in list(desk.open):
                desk.do_tasks(case_id)
        loaded = time.monotonic() - begun
        clock.move(timedelta(days=4))
        in_time = until(lambda: settled(clock), 60 + 4 * LEASE)
    figures = judge(told, data_dir)
    print(
        f"\n{kind}: {sum(done.values())} kills in {loaded:.0f} s ({dict(done)}), {told.asked_again} orders asked again"
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
