"""Versions of a path for tests that move runs, and what a migration must leave as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, insert, select, update

from nrm import ids
from nrm.actions import migration_parts, migrations
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.models import (
    Job,
    MigrationPlan,
    MigrationRun,
    Path,
    PathVersion,
    Run,
    Subscription,
    Task,
    TaskDraft,
)
from tests.drafting import designer
from tests.world import World

KEPT_OF_TASKS = (
    "id", "status", "assignee_id", "opened_at", "claimed_at", "due_at", "hold_until", "hold_reason", "hold_ended_at",
    "pause_left", "reminded_at", "escalation", "priority", "level",
)  # fmt: skip
"""Columns of a task that no migration may touch."""


def next_version(land: World, key: str, *changes: tuple[str, str], forms: Mapping[str, str] | None = None) -> str:
    """Publish a version of a path whose diagram differs by some replacements, and give its id."""
    version_id = ids.new_id("ver")
    with db.engine.begin() as connection:
        latest = connection.execute(
            select(PathVersion).join(Path, Path.latest_id == PathVersion.id).where(Path.key == key)
        ).one()
        text = latest.diagram
        for old, new in changes:
            assert old in text, f"{old} is not in the diagram"
            text = text.replace(old, new)
        values = {name: getattr(latest, name) for name in PathVersion.__table__.columns.keys()}  # noqa: SIM118
        values |= {"id": version_id, "number": latest.number + 1, "diagram": text, "published_at": land.clock.now()}
        values |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "forms": {**latest.forms, **(forms or {})}}
        connection.execute(insert(PathVersion).values(**values))
        connection.execute(update(Path).where(Path.key == key).values(latest_id=version_id))
    return version_id


def latest_version(key: str) -> str:
    """Give the id of the latest version of a path."""
    with db.engine.begin() as connection:
        return str(connection.execute(select(Path.latest_id).where(Path.key == key)).scalar_one())


def work_off(plan_id: str) -> None:
    """Do what the runner does with a plan until it asks for nothing more."""
    while True:
        db.session.close()
        waiting = db.session.execute(select(Job.id).where(Job.dedup_key == f"migration:{plan_id}")).first()
        db.session.close()
        if waiting is None:
            return
        with db.engine.begin() as connection:
            connection.execute(Job.__table__.delete().where(Job.dedup_key == f"migration:{plan_id}"))
        migration_parts.work_part(plan_id)
        migration_parts.end_part(SYSTEM, plan_id)


def checked_plan(land: World, source: str, target: str) -> str:
    """Make a plan as it is proposed, and look at all runs."""
    maker = designer(land, "maker")
    plan_id = migrations.plan_migration(maker, source, target)
    migrations.check_migration(maker, plan_id, version=None)
    work_off(plan_id)
    return plan_id


def carried_out(land: World, source: str, target: str) -> str:
    """Make a plan, check it, let a second person approve it, and move all runs."""
    plan_id = checked_plan(land, source, target)
    migrations.approve_migration(designer(land, "second"), plan_id, version=None)
    work_off(plan_id)
    return plan_id


def plan_of(plan_id: str) -> MigrationPlan:
    """Give a plan as it stands."""
    db.session.close()
    return db.session.execute(select(MigrationPlan).where(MigrationPlan.id == plan_id)).scalar_one()


def runs_of(plan_id: str) -> dict[str, MigrationRun]:
    """Give the rows of a plan by run."""
    db.session.close()
    rows = db.session.execute(select(MigrationRun).where(MigrationRun.plan_id == plan_id)).scalars()
    return {row.run_id: row for row in rows}


def deadlines(path: str | None = None) -> dict[str, Any]:
    """Give every moment and holder that moving must leave as it was: tasks, their drafts, and the jobs of the clocks.

    Args:
        path: only those of the cases that run on this path; None for all.
    """
    db.session.close()
    mine = _cases_on(path)
    tasks = db.session.execute(select(Task).where(Task.case_id.in_(mine))).scalars()
    jobs = select(Job.case_id, Job.kind, Job.due_at, Job.queue).where(Job.case_id.in_(mine))
    drafts = select(TaskDraft.task_id, TaskDraft.user_id, TaskDraft.answers).join(Task, Task.id == TaskDraft.task_id)
    return {
        "tasks": sorted([str(getattr(task, name)) for name in KEPT_OF_TASKS] for task in tasks),
        "jobs": sorted([str(value) for value in row] for row in db.session.execute(jobs)),
        "drafts": sorted(str(row) for row in db.session.execute(drafts.where(Task.case_id.in_(mine)))),
    }


def _cases_on(path: str | None) -> Select[str]:
    versions = select(PathVersion.id).join(Path, Path.id == PathVersion.path_id)
    versions = versions if path is None else versions.where(Path.key == path)
    return select(Run.case_id).where(Run.path_version_id.in_(versions))


def whole_runs(path: str | None = None) -> dict[str, Any]:
    """Give every row of runs and what they wait for, without the counters that only rise; `path` as for `deadlines`."""
    db.session.close()
    mine = _cases_on(path)
    found: dict[str, Any] = {}
    for name, model in (("runs", Run), ("tasks", Task), ("subscriptions", Subscription)):
        rows = db.session.execute(select(model.__table__).where(model.case_id.in_(mine))).mappings()
        found[name] = sorted(str({key: value for key, value in row.items() if key != "version"}) for row in rows)
    jobs = select(Job.kind, Job.queue, Job.case_id, Job.args, Job.due_at, Job.state, Job.dedup_key)
    found["jobs"] = sorted(str(tuple(row)) for row in db.session.execute(jobs.where(Job.case_id.in_(mine))))
    return found | {"drafts": deadlines(path)["drafts"]}
