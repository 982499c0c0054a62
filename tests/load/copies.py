"""Many cases at their first step, quickly: copies of one real case with its run, task, subscription and job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from nrm import ids
from nrm.db import Base, db
from nrm.models import Case, CaseAccess, Job, Person, Run, Subscription, Task
from tests.load.days import Day

Row = dict[str, Any]

_PREFIXES = {Person: "per", Case: "cas", CaseAccess: "acc", Run: "run", Task: "tsk", Subscription: "sub"}


def taken_tasks(day: Day, count: int) -> list[str]:
    """Give ids of open tasks that the handler holds, each of a case of its own, at version 1.

    A copied case begins its chain of events where the original's ended; measuring does not mind.
    """
    case_id = day.open_case()
    templates = _templates(case_id)
    rows: dict[type[Base], list[Row]] = {model: [] for model in templates}
    for _ in range(count):
        fresh: dict[str, str] = {}
        for model, found in templates.items():
            for template in found:
                rows[model].append(_copied(model, template, fresh))
    for task in rows[Task]:
        task["assignee_id"] = day.handler.id
    with db.engine.begin() as connection:
        for model, copied in rows.items():
            if copied:
                connection.execute(insert(model), copied)
    return [str(task["id"]) for task in rows[Task]]


def _templates(case_id: str) -> dict[type[Base], list[Row]]:
    person = select(Case.person_id).where(Case.id == case_id).scalar_subquery()
    wanted = {
        Person: Person.id == person,
        Case: Case.id == case_id,
        CaseAccess: CaseAccess.case_id == case_id,
        Run: Run.case_id == case_id,
        Task: Task.case_id == case_id,
        Subscription: Subscription.case_id == case_id,
        Job: Job.case_id == case_id,
    }
    with db.engine.connect() as connection:
        return {
            model: [dict(row._mapping) for row in connection.execute(select(model.__table__).where(condition))]
            for model, condition in wanted.items()
        }


def _copied(model: type[Base], template: Mapping[str, Any], fresh: dict[str, str]) -> Row:
    """Copy a row under a new id; whatever names an id that was copied before names the copy."""
    row = dict(template)
    if model is Job:
        row["dedup_key"] = f"task:{fresh[row['args']['task']]}"
        row["args"] = {"task": fresh[row["args"]["task"]]}
        del row["id"]
    else:
        fresh[row["id"]] = ids.new_id(_PREFIXES[model])
        row["id"] = fresh[row["id"]]
    if model is Case:
        row["number"] = row["id"][-20:]
    for name in ("person_id", "case_id", "run_id", "correlation"):
        if name in row:
            row[name] = fresh.get(row[name], row[name])
    return row
