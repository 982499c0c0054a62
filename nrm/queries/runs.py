"""Runs of a case: where they stand, what they went through, and their drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    cast,
    literal,
    literal_column,
    null,
    select,
    union_all,
)

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


_OPEN: Final = "open"


def _states() -> Select[Any]:
    """Say how the steps of a run stand, those that outweigh others last: gone through, waiting, open, failed."""
    run: BindParameter[str] = bindparam("run")

    def steps(place: int, kind: str, of: Any, *conditions: ColumnElement[bool], task: bool = False) -> Select[Any]:  # noqa: ANN401 - a mapped class
        about = (of.due_at, of.id) if task else (cast(null(), Task.due_at.type), cast(null(), Task.id.type))
        columns = (literal_column(str(place)).label("place"), literal(kind).label("kind"), of.step, *about)
        return select(*columns).where(of.run_id == run, *conditions)

    parts = union_all(
        steps(2, _OPEN, Task, Task.status.in_(["open", "on_hold"]), task=True),
        steps(0, "done", RunStep),
        steps(1, "waiting", Subscription),
        steps(3, "failed", Incident, Incident.status == "open", Incident.step.is_not(None)),
    ).subquery()
    return select(parts.c.kind, parts.c.step, parts.c.due_at, parts.c.id).order_by(parts.c.place)


_STATES: Final = _states()
"""Built once; a drawing asks one question."""


_PRESSING: Final = ("failed", "overdue", "open", "waiting")
"""The states of a step at which a run stands, the most pressing first."""


def _here(states: Mapping[str, str]) -> str | None:
    """Give the step at which a run stands, the most pressing where there are several."""
    return next((step for state in _PRESSING for step, its in states.items() if its == state), None)


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
    states: dict[str, str] = {}
    links: dict[str, str] = {}
    for kind, step, due_at, task_id in db.session.connection().execute(_STATES, {"run": run_id}):
        states[step] = "overdue" if kind == _OPEN and due_at is not None and due_at < now else kind
        if task_id is not None:
            links[step] = f"/tasks/{task_id}"
    return draw_path(
        paths.version(row.path_version_id).diagram.encode(),
        language=language,
        states=states,
        mirrored=mirrored,
        links=links if on_page else None,
        here=_here(states) if on_page else None,
        styled=not on_page,
    )
