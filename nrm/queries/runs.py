"""Runs of a case: where they stand, what they went through, and their drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from nrm.engine.drawing import draw_path
from nrm.errors import NotFound
from nrm.models import Incident, Run, RunStep, Subscription, Task
from nrm.queries import paths
from nrm.queries.cases import must_read
from nrm.queries.rows import read
from nrm.queries.standing import Standing, ahead, standing
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The runs of a case, and how the one that is looked at stands.

    Attributes:
        runs: all of them, in the order of their start.
        chosen: the one that is looked at; None for none.
        steps: what it went through.
        drawing: its path with the state of each step, as SVG; "" for none.
        standing: where it stands, in words.
        ahead: names of the steps that may come next.
    """

    runs: tuple[RunRow, ...]
    chosen: RunRow | None
    steps: tuple[StepPassed, ...]
    drawing: str
    standing: tuple[Standing, ...] = ()
    ahead: tuple[Mapping[str, str], ...] = ()


MOST_STEPS: Final = 2_000
"""Most steps that are told of one run."""


def not_apart() -> ColumnElement[bool]:
    """Give the condition on `Run` that leaves out what only the desks that work on it come to know of."""
    condition: ColumnElement[bool] = Run.context[APART].as_string().is_(None)
    return condition


_LISTED: Final = (
    Run.id,
    Run.version,
    Run.case_id,
    Run.path_version_id,
    Run.status,
    Run.outcome,
    Run.parent_id,
    Run.started_at,
    Run.ended_at,
)
"""What is told of a run; its state, which may be large, is nobody's to read here."""
_OF_CASE: Final = (
    select(*_LISTED).where(Run.case_id == bindparam("case"), not_apart()).order_by(Run.started_at, Run.id).limit(500)
)
_BY_ID: Final = select(*_LISTED, Run.decision_values).where(Run.id == bindparam("run"), not_apart())


def runs(actor: Actor, now: datetime, case_id: str) -> tuple[RunRow, ...]:
    """List the runs of a case in the order of their start.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it.
    """
    must_read(actor, now, case_id)
    return tuple(map(_row, read(_OF_CASE, {"case": case_id})))


def _row(row: Any) -> RunRow:  # noqa: ANN401 - a row of the columns above
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


def _readable(actor: Actor, now: datetime, run_id: str) -> Any:  # noqa: ANN401 - a row of the columns above
    found = read(_BY_ID, {"run": run_id})
    if not found:
        raise NotFound
    must_read(actor, now, found[0].case_id)
    return found[0]


def run(actor: Actor, now: datetime, run_id: str) -> RunView:
    """Give a run; errors as for `runs`."""
    row = _readable(actor, now, run_id)
    states = read(_STATES, {"run": run_id})
    return RunView(
        id=row.id,
        version=row.version,
        case_id=row.case_id,
        run=_row(row),
        steps=_passed(states, paths.version(row.path_version_id)),
        open_steps=tuple(sorted({state.step for state in states if state.kind in _HERE})),
        decision_values=row.decision_values,
    )


def _passed(states: Sequence[Any], version: paths.Version) -> tuple[StepPassed, ...]:
    steps = version.spec.steps
    done = sorted((state for state in states if state.kind == _DONE), key=lambda state: state.number)
    return tuple(
        StepPassed(
            number=state.number,
            step=state.step,
            names=steps[state.step].names if state.step in steps else {},
            way=state.way,
            at=state.at,
        )
        for state in done[:MOST_STEPS]
    )


_OPEN, _DONE, _WAITING, _FAILED = "open", "done", "waiting", "failed"
_HERE: Final = frozenset({_OPEN, _WAITING})
"""States of a step at which somebody or something is waited for."""


def _states() -> Select[Any]:
    """Say how the steps of a run stand, those that outweigh others last: gone through, waiting, open, failed."""
    run: BindParameter[str] = bindparam("run")
    told = (Task.due_at, Task.id, RunStep.number, RunStep.way, RunStep.at)

    def steps(place: int, kind: str, of: Any, *conditions: ColumnElement[bool]) -> Select[Any]:  # noqa: ANN401 - a mapped class
        about = (
            (column if column.class_ is of else cast(null(), column.type)).label(f"about_{column.key}")
            for column in told
        )
        columns = (literal_column(str(place)).label("place"), literal(kind).label("kind"), of.step, *about)
        return select(*columns).where(of.run_id == run, *conditions)

    parts = union_all(
        steps(2, _OPEN, Task, Task.status.in_(["open", "on_hold"])),
        steps(0, _DONE, RunStep),
        steps(1, _WAITING, Subscription),
        steps(3, _FAILED, Incident, Incident.status == "open", Incident.step.is_not(None)),
    ).subquery()
    named = (parts.c[f"about_{column.key}"].label(column.key) for column in told)
    return select(parts.c.kind, parts.c.step, *named).order_by(parts.c.place)


_STATES: Final = _states()
"""Built once; a run asks one question."""


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
    states = read(_STATES, {"run": run_id})
    version = paths.version(row.path_version_id)
    return _draw(version, states, now, language=language, mirrored=mirrored, on_page=on_page)


def _draw(
    version: paths.Version,
    rows: Sequence[Any],
    now: datetime,
    *,
    language: str,
    mirrored: bool | None,
    on_page: bool,
) -> str:
    states: dict[str, str] = {}
    links: dict[str, str] = {}
    for row in rows:
        kind, step, due_at, task_id = row.kind, row.step, row.due_at, row.id
        states[step] = "overdue" if kind == _OPEN and due_at is not None and due_at < now else kind
        if task_id is not None:
            links[step] = f"/tasks/{task_id}"
    return draw_path(
        version.diagram.encode(),
        language=language,
        states=states,
        mirrored=mirrored,
        links=links if on_page else None,
        here=_here(states) if on_page else None,
        styled=not on_page,
    )


def followed(
    actor: Actor,
    now: datetime,
    case_id: str,
    *,
    choose: Callable[[tuple[RunRow, ...]], RunRow | None],
    language: str,
    mirrored: bool | None = None,
) -> Followed:
    """Give the runs of a case, and how one of them stands, drawn for a page; errors as for `runs`.

    Args:
        actor: who asks.
        now: the present moment.
        case_id: the case.
        choose: says which of the runs is looked at.
        language: language of the drawing's texts.
        mirrored: draw from right to left; None for "as the language is written".
    """
    must_read(actor, now, case_id)
    found = {row.id: row for row in read(_OF_CASE, {"case": case_id})}
    listed = tuple(map(_row, found.values()))
    chosen = choose(listed)
    if chosen is None:
        return Followed(runs=listed, chosen=None, steps=(), drawing="")
    version = paths.version(found[chosen.id].path_version_id)
    states = read(_STATES, {"run": chosen.id})
    called = (row for row in listed if row.parent_id == chosen.id and row.status == "running")
    return Followed(
        runs=listed,
        chosen=chosen,
        steps=_passed(states, version),
        drawing=_draw(version, states, now, language=language, mirrored=mirrored, on_page=True),
        standing=(*standing(states, version, now), *(Standing(names=row.names, state="running") for row in called)),
        ahead=ahead(states, version),
    )
