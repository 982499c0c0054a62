"""Runs of a case: where they stand, what they went through, and their drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from nrm.actors import Actor
from nrm.db import db
from nrm.engine.drawing import draw_path
from nrm.errors import NotFound
from nrm.models import Incident, Run, RunStep, Subscription, Task
from nrm.queries import paths
from nrm.queries.cases import must_read
from nrm.vocabulary import APART


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run in the list of a case.

    Attributes:
        path: key of its path; `number` is the version.
        parent_id: the run that called it.
    """

    id: str
    version: int
    path: str
    number: int
    names: Mapping[str, str]
    status: str
    outcome: str | None
    parent_id: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPassed:
    """A step that a run went through."""

    number: int
    step: str
    names: Mapping[str, str]
    way: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run with its way so far.

    Attributes:
        open_steps: steps at which somebody or something is waited for.
        decision_values: the values by which the path decides.
    """

    id: str
    version: int
    case_id: str
    run: RunRow
    steps: tuple[StepPassed, ...]
    open_steps: tuple[str, ...]
    decision_values: Mapping[str, object]


def runs(actor: Actor, now: datetime, case_id: str) -> tuple[RunRow, ...]:
    """List the runs of a case in the order of their start.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it.
    """
    must_read(actor, now, case_id)
    rows = db.session.scalars(
        select(Run).where(Run.case_id == case_id, not_apart()).order_by(Run.started_at, Run.id).limit(500)
    ).all()
    return tuple(_row(row) for row in rows)


def _row(row: Run) -> RunRow:
    version = paths.version(row.path_version_id)
    return RunRow(
        id=row.id,
        version=row.version,
        path=version.path,
        number=version.number,
        names=version.spec.names,
        status=row.status,
        outcome=row.outcome,
        parent_id=row.parent_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def not_apart() -> ColumnElement[bool]:
    """Give the condition on `Run` that leaves out what only the desks that work on it come to know of."""
    condition: ColumnElement[bool] = Run.context[APART].as_string().is_(None)
    return condition


def _readable(actor: Actor, now: datetime, run_id: str) -> Run:
    row = db.session.execute(
        select(Run).where(Run.id == run_id, not_apart()).execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    must_read(actor, now, row.case_id)
    return row


def run(actor: Actor, now: datetime, run_id: str) -> RunView:
    """Give a run; errors as for `runs`."""
    row = _readable(actor, now, run_id)
    spec = paths.version(row.path_version_id).spec
    passed = db.session.scalars(
        select(RunStep).where(RunStep.run_id == run_id).order_by(RunStep.number).limit(2_000)
    ).all()
    return RunView(
        id=row.id,
        version=row.version,
        case_id=row.case_id,
        run=_row(row),
        steps=tuple(
            StepPassed(
                number=step.number,
                step=step.step,
                names=spec.steps[step.step].names if step.step in spec.steps else {},
                way=step.way,
                at=step.at,
            )
            for step in passed
        ),
        open_steps=tuple(sorted({*_open(run_id), *_waiting(run_id)})),
        decision_values=row.decision_values,
    )


def _open(run_id: str) -> list[str]:
    live = Task.status.in_(["open", "on_hold"])
    return list(db.session.scalars(select(Task.step).where(Task.run_id == run_id, live)))


def _waiting(run_id: str) -> list[str]:
    return list(db.session.scalars(select(Subscription.step).where(Subscription.run_id == run_id)))


def drawing(
    actor: Actor, now: datetime, run_id: str, *, language: str, mirrored: bool | None = None, on_page: bool = False
) -> str:
    """Draw a run's path with the steps that it went through, as SVG; errors as for `runs`.

    Args:
        actor: who asks.
        now: the present moment.
        run_id: the run.
        language: language of the texts.
        mirrored: draw from right to left; None for "as the language is written".
        on_page: draw for a page that has the style itself, with links from open steps to their tasks.
    """
    row = _readable(actor, now, run_id)
    states = dict.fromkeys(db.session.scalars(select(RunStep.step).where(RunStep.run_id == run_id)), "done")
    states |= dict.fromkeys(_waiting(run_id), "waiting")
    tasks = db.session.execute(
        select(Task.step, Task.due_at, Task.id).where(Task.run_id == run_id, Task.status.in_(["open", "on_hold"]))
    ).all()
    states |= {step: "overdue" if due_at is not None and due_at < now else "open" for step, due_at, _ in tasks}
    failed = select(Incident.step).where(Incident.run_id == run_id, Incident.status == "open")
    states |= {step: "failed" for step in db.session.scalars(failed) if step is not None}
    return draw_path(
        paths.version(row.path_version_id).diagram.encode(),
        language=language,
        states=states,
        mirrored=mirrored,
        links={step: f"/tasks/{task_id}" for step, _, task_id in tasks} if on_page else None,
        styled=not on_page,
    )
