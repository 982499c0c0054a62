"""`python -m tests.load.soak_moving`: move many running cases by real runners while the service goes on answering.

Thousands of cases stand at tasks that are open, taken, half typed and late, and at timers and messages. All are moved
to a version in which steps have other names and other times; then all are taken back; then all are moved again, and
the runner is killed with signal 9 in the middle. Every deadline, reminder, timer and holder must be as it was after
each move, every row as it was after taking back, and desks must have been answered all the time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select, update

from nrm import ids
from nrm.actions import cases, migrations, runs, tasks
from nrm.actors import SYSTEM, Actor
from nrm.clock import MovableClock
from nrm.credentials import hash_password
from nrm.db import Base, db
from nrm.engine.moving import StepMove
from nrm.models import (
    Case,
    CaseAccess,
    Incident,
    Job,
    MigrationPlan,
    MigrationRun,
    Person,
    Run,
    Subscription,
    Task,
    TaskDraft,
    User,
)
from nrm.queries.verify import CHECKS
from tests.drafting import designer
from tests.installations import ROOT, fill_with_testland, installed
from tests.load.crash_client import Client
from tests.load.crash_server import KillableServer
from tests.load.soak import PASSWORD, SECRET, Child, _free_port, count, until
from tests.moving import deadlines, latest_version, next_version, whole_runs
from tests.world import World

Row = dict[str, Any]

GOAL: Final = 120.0
"""Seconds of a processor that moving 10,000 cases may take: what else the machine does counts not."""

_PREFIXES: Final = {Person: "per", Case: "cas", CaseAccess: "acc", Run: "run", Task: "tsk", Subscription: "sub"}
_COPIED: Final = (Person, Case, CaseAccess, Run, Task, TaskDraft, Subscription, Job)
_SHIFTED: Final = {Task: ("due_at", "opened_at"), Job: ("due_at",)}
PROCESSOR: Final = "moving, of that the runner's processor"
OTHER: Final = "timed_subprocess"
OTHERS: Final = 4_000
"""Cases of another path, on which a desk works meanwhile."""

_LOT: Final = 500
_RENAMES: Final = (("ring", "call_them"), ("too_late", "no_answer"))


# -- many cases -------------------------------------------------------------------------------------------------------


def seeds(land: World, handler: Actor) -> list[str]:
    """Open one case in each state in which cases of the path wait, and give their ids."""
    opened = [_open(land, handler) for _ in range(5)]
    fresh, taken, waiting, late, typed = opened
    tasks.claim_task(handler, _task(taken))
    for case_id in (waiting, late, typed):
        _complete(handler, case_id)
    for case_id in (late, typed):
        _ring(case_id)
    held = tasks.claim_task(handler, _task(typed)).id
    tasks.save_draft(handler, held, answers={"note": "half of it"})
    return [fresh, taken, waiting, late, typed]


def _open(land: World, handler: Actor, path: str = "wait_for_answer") -> str:
    return cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def _task(case_id: str) -> str:
    db.session.close()
    found = select(Task.id).where(Task.case_id == case_id, Task.status == "open")
    return str(db.session.execute(found).scalar_one())


def _complete(handler: Actor, case_id: str) -> None:
    taken = tasks.claim_task(handler, _task(case_id))
    tasks.complete_task(handler, taken.id, answers={"note": "Done"}, version=taken.version)


def _ring(case_id: str) -> None:
    db.session.close()
    found = select(Job.id, Job.args).where(Job.case_id == case_id, Job.kind == "timer")
    job = db.session.execute(found).one()
    db.session.close()
    runs.fire_timer(SYSTEM, job.args["run"], job.args["token"])
    with db.engine.begin() as connection:
        connection.execute(Job.__table__.delete().where(Job.id == job.id))


def copy_cases(seed_ids: list[str], wanted: int) -> None:
    """Copy cases with everything that waits for them until there are so many, each with moments of its own."""
    templates = [_templates(case_id) for case_id in seed_ids]
    left = wanted - len(seed_ids)
    number = 0
    while left > 0:
        rows: dict[type[Base], list[Row]] = {model: [] for model in _COPIED}
        for _ in range(min(left, _LOT)):
            _copy(templates[number % len(templates)], rows, timedelta(minutes=random.randint(1, 80_000)))
            number += 1
        left -= _LOT
        with db.engine.begin() as connection:
            for model, copied in rows.items():
                if copied:
                    connection.execute(insert(model), copied)


def _templates(case_id: str) -> dict[type[Base], list[Row]]:
    person = select(Case.person_id).where(Case.id == case_id).scalar_subquery()
    of_case = select(Task.id).where(Task.case_id == case_id)
    wanted: dict[type[Base], Any] = {model: getattr(model, "case_id", None) == case_id for model in _COPIED}
    wanted |= {Person: Person.id == person, Case: Case.id == case_id, TaskDraft: TaskDraft.task_id.in_(of_case)}
    with db.engine.connect() as connection:
        return {
            model: [dict(row._mapping) for row in connection.execute(select(model.__table__).where(condition))]
            for model, condition in wanted.items()
        }


def _copy(templates: Mapping[type[Base], list[Row]], rows: dict[type[Base], list[Row]], shift: timedelta) -> None:
    fresh: dict[str, str] = {}
    for model, found in templates.items():
        for template in found:
            rows[model].append(_copied(model, template, fresh, shift))


def _copied(model: type[Base], template: Mapping[str, Any], fresh: dict[str, str], shift: timedelta) -> Row:
    """Copy a row under a new id and later; whatever names an id that was copied before names the copy."""
    row = dict(template)
    if model in _PREFIXES:
        fresh[row["id"]] = ids.new_id(_PREFIXES[model])
        row["id"] = fresh[row["id"]]
    if model is Job:
        del row["id"]
        row["args"] = {name: fresh.get(value, value) for name, value in row["args"].items()}
        row["dedup_key"] = ":".join(fresh.get(part, part) for part in row["dedup_key"].split(":"))
    if model is Case:
        # A copy has no history of its own.
        row |= {"number": row["id"][-20:], "event_seq": 0, "event_hash": ""}
    for name in ("person_id", "case_id", "run_id", "task_id", "correlation"):
        if row.get(name) in fresh:
            row[name] = fresh[row[name]]
    for name in _SHIFTED.get(model, ()):
        row[name] = row[name] + shift if row[name] is not None else None
    return row


# -- the service ------------------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """Somebody who works on other cases all the time; how long each completion took, in seconds."""

    client: Client
    work: list[tuple[str, int]]
    took: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Take and complete one task after the other."""
        for number, (task_id, version) in enumerate(self.work):
            if self.stop.wait(0.1):
                return
            begun = time.monotonic()
            self.client.complete(f"key-{task_id}", task_id, version)
            if number:
                # The first one waits for the service to start.
                self.took.append(time.monotonic() - begun)


def _env(url: str, data_dir: Path, port: int) -> dict[str, str]:
    return {
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
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def service(url: str, data_dir: Path, land: World, handler: Actor) -> Iterator[tuple[Child, Desk]]:
    """Start the web service, a runner, and a desk that works; end all of them."""
    port = _free_port()
    env = _env(url, data_dir, port)
    web, runner = (Child([sys.executable, "-m", "api.serving", what], env) for what in ("web", "runner"))
    _give_password(handler)
    copy_cases([_open(land, handler, OTHER)], OTHERS)
    found = select(Task.id).join(Run, Run.id == Task.run_id).where(Run.path_version_id == latest_version(OTHER))
    opened = db.session.execute(found).scalars().all()
    desk = Desk(Client(port, handler.id, PASSWORD), [(task_id, 1) for task_id in opened])
    thread = threading.Thread(target=desk.run, daemon=True)
    try:
        web.start()
        runner.start()
        thread.start()
        yield runner, desk
    finally:
        desk.stop.set()
        for child in (web, runner):
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
                child.process.wait(60)


def _give_password(handler: Actor) -> None:
    hashed = hash_password(PASSWORD, memory_kib=64, rounds=1)
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(update(User).where(User.id == handler.id).values(password_hash=hashed))


# -- the day ----------------------------------------------------------------------------------------------------------


def renamed(old: str, new: str) -> tuple[tuple[str, str], ...]:
    """Give the replacements that call a step of a diagram by another name."""
    return (f'="{old}"', f'="{new}"'), (f">{old}<", f">{new}<")


def make_versions(land: World) -> tuple[str, str]:
    """Publish a version with other names and other times, and give both versions."""
    source = latest_version("wait_for_answer")
    changes = [change for old, new in _RENAMES for change in renamed(old, new)]
    slower = [('time="P2D"', 'time="P9D"'), ("setting:answer_wait", "P8D"), (">Write the letter<", ">Write it down<")]
    return source, next_version(land, "wait_for_answer", *changes, *slower)


def make_plan(land: World, source: str, target: str) -> str:
    """Make a plan for all steps, and ask for the dry run."""
    maker = designer(land, "maker")
    plan_id = migrations.plan_migration(maker, source, target)
    steps = {name: StepMove(to=name) for name in ("write", "wait", "answered")}
    steps |= {old: StepMove(to=new) for old, new in _RENAMES}
    migrations.change_migration(maker, plan_id, steps=steps, version=None)
    migrations.check_migration(maker, plan_id, version=None)
    return plan_id


def status_of(plan_id: str) -> str:
    """Say how a plan stands."""
    db.session.remove()
    return str(db.session.execute(select(MigrationPlan.status).where(MigrationPlan.id == plan_id)).scalar_one())


def wait_for(plan_id: str, status: str, seconds: float) -> float:
    """Wait until a plan stands so, and give how long it took.

    Raises:
        SystemExit: it did not come to that in time.
    """
    begun = time.monotonic()
    if not until(lambda: status_of(plan_id) == status, seconds):
        raise SystemExit(f"the plan is still {status_of(plan_id)} after {seconds:.0f} s")
    return time.monotonic() - begun


def moved(plan_id: str, status: str = "moved") -> int:
    """Count the runs of a plan that stand so."""
    return count(MigrationRun, MigrationRun.plan_id == plan_id, MigrationRun.status == status)


def cpu_seconds(child: Child) -> float:
    """Give the seconds of processor time that a process and its children have taken."""
    pid = child.process.pid if child.process is not None else 0
    spent = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            spent += (int(fields[11]) + int(fields[12])) * (int(fields[2]) == pid)
    return spent / os.sysconf("SC_CLK_TCK")


def has_moved(plan_id: str, least: int) -> bool:
    """Say whether a plan has moved so many runs."""
    return moved(plan_id) >= least


@dataclass
class Figures:
    """What was measured: seconds by name, and what is as it must be."""

    wanted: int
    seconds: dict[str, float] = field(default_factory=dict)
    checks: list[tuple[str, bool]] = field(default_factory=list)

    def took(self, name: str, seconds: float) -> None:
        """Note how long something took, and print it."""
        self.seconds[name] = seconds
        print(f"  {name}: {seconds:.1f} s ({1000 * seconds / self.wanted:.1f} ms a case)", flush=True)

    def hold(self, name: str, true: bool) -> None:
        """Note whether something is as it must be, and print it."""
        self.checks.append((name, true))
        print(f"  {'ok ' if true else 'BAD'} {name}", flush=True)


def play(land: World, runner: Child, wanted: int, kills: int) -> Figures:
    """Move all, take all back, move all again under fire."""
    figures = Figures(wanted)
    source, target = make_versions(land)
    before, whole = deadlines("wait_for_answer"), whole_runs("wait_for_answer")
    plan_id = make_plan(land, source, target)
    figures.took("dry run", wait_for(plan_id, "checked", 600))
    figures.hold("the dry run finds every case ready", moved(plan_id, "ready") == wanted)
    figures.hold("the dry run changes nothing", whole_runs("wait_for_answer") == whole)
    second = designer(land, "second")
    spent = cpu_seconds(runner)
    migrations.approve_migration(second, plan_id, version=None)
    figures.took("moving", wait_for(plan_id, "done", 1_800))
    figures.took(PROCESSOR, cpu_seconds(runner) - spent)
    figures.hold("every case is moved", moved(plan_id) == wanted)
    figures.hold("every deadline is as it was", deadlines("wait_for_answer") == before)
    figures.hold("the records agree", agree())
    migrations.undo_migration(second, plan_id)
    figures.took("taking back", wait_for(plan_id, "undone", 1_800))
    figures.hold("taking back restores every row byte for byte", whole_runs("wait_for_answer") == whole)
    again = make_plan(land, source, target)
    wait_for(again, "checked", 600)
    migrations.approve_migration(second, again, version=None)
    begun = time.monotonic()
    for number in range(kills):
        until(partial(has_moved, again, wanted * (number + 1) // (kills + 1)), 600)
        runner.kill()
        figures.hold(f"kill {number + 1} came in the middle", 0 < moved(again) < wanted)
        runner.start()
    wait_for(again, "done", 1_800)
    figures.took("moving, runner killed", time.monotonic() - begun)
    figures.hold("every case is moved once", moved(again) == wanted)
    figures.hold("every deadline is as it was after the kills", deadlines("wait_for_answer") == before)
    figures.hold("the records agree after the kills", agree())
    failed = db.session.execute(select(Incident.code, Incident.params)).all()
    figures.hold(f"no incident {failed or ''}".strip(), not failed)
    return figures


def agree() -> bool:
    """Say whether runs, what waits for them, and clocks agree."""
    db.session.remove()
    return not [found for name in ("runs", "ended", "clocks", "jobs") for found in CHECKS[name](db.session())]


def soak(kind: str, folder: Path, *, wanted: int, kills: int) -> bool:
    """Run it on one kind of database, print what was found, and say whether all is well."""
    server = KillableServer() if kind == "postgresql" else None
    url = server.url if server else f"sqlite:///{folder / 'nrm.sqlite3'}"
    data_dir = folder / "data"
    data_dir.mkdir()
    clock = MovableClock(data_dir / "demo-clock")
    try:
        fill_with_testland(url, data_dir)
        with installed(url, data_dir, clock=clock):
            print(f"\n{kind}: {wanted} running cases", flush=True)
            land = World(clock=clock)  # type: ignore[arg-type]  # only `now` is asked
            handler = land.at_desk("case_handler", "norvale")
            copy_cases(seeds(land, handler), wanted)
            with service(url, data_dir, land, handler) as (runner, desk):
                figures = play(land, runner, wanted, kills)
            return report(figures, desk)
    finally:
        if server is not None:
            server.close()


def report(figures: Figures, desk: Desk) -> bool:
    """Print how the desk fared, and say whether all is well."""
    took = sorted(desk.took)
    if took:
        worst, usual = took[-1], took[len(took) // 2]
        print(
            f"  a desk meanwhile completed {len(took)} tasks: median {1000 * usual:.0f} ms, worst {1000 * worst:.0f} ms"
        )
    figures.hold("a desk was answered all the time", bool(took) and took[-1] < 10)
    spent = figures.seconds[PROCESSOR] * 10_000 / figures.wanted
    figures.hold(f"10,000 cases take {spent:.0f} s of a processor, at most {GOAL:.0f} s", spent <= GOAL)
    return all(true for _, true in figures.checks)


def main(arguments: list[str] | None = None) -> int:
    """Run the test.

    Returns:
        0 when everything is as it must be, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak_moving", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="how many running cases (default 10000)")
    parser.add_argument("--kills", type=int, default=2, help="how often the runner is killed (default 2)")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    given = parser.parse_args(arguments)
    kinds = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    well = True
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="nrm-moving-") as folder:
            well = soak(kind, Path(folder), wanted=given.runs, kills=given.kills) and well
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
