"""Where cases wait: how many now, and how long it took, per step of a path and per organisation.

Medians and 90th percentiles are by nearest rank: the smallest time that so many of a hundred did not exceed. They are
worked out over tasks that were completed in a period, and over messages and times that came in it; steps are told by
the token, which a case that was moved to another version has under its new name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, String, and_, case, cast, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from nrm.actors import Actor
from nrm.db import db
from nrm.engine.heat import LEVELS, Heat, draw_heat
from nrm.engine.parsing import PathSpec
from nrm.engine.steps import StepKind
from nrm.errors import NotAllowed, NotFound, NotValid, Problem
from nrm.models import Case, Job, Path, PathVersion, Run, RunStep, Subscription, Task
from nrm.queries import paths
from nrm.queries.exact_counts import sees_exact_counts
from nrm.queries.inbox import NOT_OVER
from nrm.queries.page import Key, Page, cut, moment_key, moment_of, size, text_of
from nrm.queries.scope import sees_case
from nrm.rules.small_numbers import LEAST, hidden, shown_part
from nrm.vocabulary import PathStatus, TaskStatus

LONGEST: Final = timedelta(days=1100)
"""The longest period that is looked at."""

_LIVE: Final = (TaskStatus.OPEN, TaskStatus.ON_HOLD)
_DIGITS: Final[ColumnElement[str]] = literal_column("'0123456789'")
"""A literal: with a parameter PostgreSQL would not see that what is selected is what is grouped by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Numbers of a step, or of an organisation at a step; None where a number is too small to be shown.

    Attributes:
        waiting: how many wait there now.
        overdue: how many of them are late.
        completed: how many were completed in the period.
        median: seconds that half of them did not exceed.
        ninetieth: seconds that nine of ten did not exceed.
        late: how many of the completed were late.
    """

    waiting: int | None = 0
    overdue: int | None = 0
    completed: int | None = 0
    median: int | None = None
    ninetieth: int | None = None
    late: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingStep:
    """A step at which cases wait, or waited.

    Attributes:
        kind: task, call or catch.
        heat: 0 to 4, how long it takes beside the other steps of the path.
        organisations: id of an organisation → its numbers.
    """

    id: str
    kind: str
    names: Mapping[str, str]
    figures: Figures
    heat: int
    organisations: Mapping[str, Figures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Where the cases of a path wait.

    Attributes:
        number: the version whose drawing is shown; the numbers are of all versions of the path.
        begin: begin of the period; `until` its end.
        exact: small numbers are shown too.
    """

    path: str
    number: int
    version_id: str
    names: Mapping[str, str]
    begin: datetime
    until: datetime
    exact: bool
    steps: tuple[WaitingStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCase:
    """A case that waits at a step, and that the asker may know of."""

    task_id: str
    case_id: str
    case_number: str
    desk_id: str
    organisation_id: str
    opened_at: datetime
    due_at: datetime | None


def where_cases_wait(actor: Actor, now: datetime, path: str, *, begin: datetime, until: datetime) -> Waiting:
    """Work out where the cases of a path wait.

    Args:
        actor: who asks.
        now: the present moment.
        path: key of the path.
        begin: begin of the period in which tasks were completed.
        until: its end.

    Raises:
        NotFound: there is no such path, or none of its versions was published.
        NotAllowed: the actor reads neither paths nor statistics.
        NotValid: the period ends before it begins, or is too long.
    """
    row = _path(actor, path)
    if not begin < until <= begin + LONGEST:
        raise NotValid([Problem(pointer="/until", code="period", params={"days": LONGEST.days})])
    version = paths.version(str(row.latest_id))
    exact = sees_exact_counts(actor, row.level)
    found = _Tally(row.id, actor.livemode, exact=exact)
    found.count_now(now)
    found.measure(begin, until)
    return Waiting(
        path=row.key,
        number=version.number,
        version_id=version.id,
        names=row.names,
        begin=begin,
        until=until,
        exact=exact,
        steps=tuple(_steps(version.spec, found)),
    )


def draw_waiting(waiting: Waiting, *, language: str, digits: Mapping[int, str] | None = None, linked: bool) -> str:
    """Draw where cases wait.

    Args:
        waiting: from `where_cases_wait`.
        language: of the texts.
        digits: how the numbers are written, where that differs from plain digits.
        linked: steps lead to the list of the cases that wait there.
    """
    version = paths.version(waiting.version_id)
    heats, links = {}, {}
    for step in waiting.steps:
        count = step.figures.waiting
        text = "" if count == 0 else f"<{LEAST}" if count is None else str(count)
        heats[step.id] = Heat(level=step.heat, count=text.translate(digits or {}))
        if linked and step.kind == "task" and count != 0:
            links[step.id] = f"/studio/paths/{waiting.path}/waiting/{step.id}"
    return draw_heat(version.diagram.encode(), heats, language=language, links=links)


def waiting_cases(
    actor: Actor, now: datetime, path: str, step: str, *, after: Key | None = None, limit: int = 50
) -> Page[WaitingCase]:
    """List the cases that wait at a step and that the actor may know of, the longest waiting first.

    Raises:
        NotFound: there is no such path.
        NotAllowed: the actor reads neither paths nor statistics.
        NotValid: the page mark is of another list.
    """
    row = _path(actor, path)
    statement = (
        select(Task, Case.number)
        .join(Run, Run.id == Task.run_id)
        .join(PathVersion, PathVersion.id == Run.path_version_id)
        .join(Case, Case.id == Task.case_id)
        .where(PathVersion.path_id == row.id, Run.status == "running", Task.status.in_(_LIVE))
        .where(_step_of(Task.token) == f"{step}.", sees_case(actor, now))
        .order_by(Task.opened_at, Task.id)
        .limit(size(limit) + 1)
    )
    if not (actor.may("case.read") or actor.may("case.overview")):
        return Page(items=())
    if after is not None:
        at, last = moment_of(after, 0), text_of(after, 1)
        statement = statement.where(or_(Task.opened_at > at, and_(Task.opened_at == at, Task.id > last)))
    return cut(
        db.session.execute(statement).all(),
        size(limit),
        key=lambda found: (moment_key(found[0].opened_at), found[0].id),
        make=lambda found: _waiting_case(found[0], found[1]),
    )


def _waiting_case(task: Task, number: str) -> WaitingCase:
    return WaitingCase(
        task_id=task.id,
        case_id=task.case_id,
        case_number=number,
        desk_id=task.desk_id,
        organisation_id=task.organisation_id,
        opened_at=task.opened_at,
        due_at=task.due_at,
    )


def _path(actor: Actor, path: str) -> Path:
    if not (actor.may("path.read") or actor.may("indicators.read")):
        raise NotAllowed("not_allowed", permission="path.read")
    row = db.session.execute(select(Path).where(Path.key == path, Path.latest_id.is_not(None))).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


# -- counting ---------------------------------------------------------------------------------------------------------


class _Tally:
    """The numbers of one path: by step, and by step and organisation."""

    def __init__(self, path_id: str, livemode: bool, *, exact: bool) -> None:
        self.path_id, self.livemode, self.exact = path_id, livemode, exact
        self.now: dict[tuple[str, str], list[int]] = {}
        self.past: dict[tuple[str, str], Mapping[str, int]] = {}

    def count_now(self, now: datetime) -> None:
        """Count what waits now: tasks by organisation; called paths, awaited messages and times as a whole."""
        late = func.sum(case((Task.due_at < now, 1), else_=0))
        tasks = (
            select(_step_of(Task.token), Task.organisation_id, func.count(), late)
            .where(
                Task.path_version_id.in_(select(PathVersion.id).where(PathVersion.path_id == self.path_id)),
                NOT_OVER,
                Task.status.in_(_LIVE),
                Task.livemode.is_(self.livemode),
            )
            .group_by(_step_of(Task.token), Task.organisation_id)
        )
        child = aliased(Run)
        called = self._of_path(select(_step_of(child.parent_token), func.count()), child.parent_id)
        called = called.where(child.status == "running").group_by(_step_of(child.parent_token))
        awaited = self._of_path(select(Subscription.step, func.count()), Subscription.run_id)
        awaited = awaited.group_by(Subscription.step)
        for step, organisation, count, overdue in db.session.execute(tasks):
            self.now[step.rstrip("."), organisation] = [count, overdue]
        timer = (
            select(Job.args["token"].as_string().label("token"), Job.args["run"].as_string().label("run_id"))
            .where(Job.kind == literal_column("'timer'"))
            .subquery()
        )
        timed = self._of_path(select(_step_of(timer.c.token), func.count()), timer.c.run_id)
        timed = timed.group_by(_step_of(timer.c.token))
        for statement in (called, awaited, timed):
            for step, count in db.session.execute(statement):
                self.now[step.rstrip("."), ""] = [count, 0]

    def _of_path(self, statement: Select[*tuple[Any, ...]], run_id: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 - a column
        return (
            statement.join(Run, Run.id == run_id)
            .join(PathVersion, PathVersion.id == Run.path_version_id)
            .join(Case, Case.id == Run.case_id)
            .where(PathVersion.path_id == self.path_id, Run.status == "running", Case.livemode.is_(self.livemode))
        )

    def measure(self, begin: datetime, until: datetime) -> None:
        """Measure how long completed tasks took: by step under the organisation "", and by both.

        Messages and times that were waited for are measured by step alone: no organisation holds them up.
        """
        versions = db.session.scalars(
            select(PathVersion.id).where(
                PathVersion.path_id == self.path_id, PathVersion.status != str(PathStatus.DRAFT)
            )
        ).all()
        taken = select(
            _step_of(Task.token), Task.organisation_id, _seconds(), case((Task.ended_at > Task.due_at, 1), else_=0)
        ).where(
            Task.path_version_id.in_(versions),
            Task.status == TaskStatus.COMPLETED,
            Task.ended_at >= begin,
            Task.ended_at < until,
            Task.livemode.is_(self.livemode),
        )
        waited = (
            select(RunStep.step, literal_column("''", String), RunStep.waited, literal_column("0", Integer))
            .join(Run, Run.id == RunStep.run_id)
            .join(Case, Case.id == Run.case_id)
            .where(
                Run.path_version_id.in_(versions),
                RunStep.waited.is_not(None),
                RunStep.at >= begin,
                RunStep.at < until,
                Case.livemode.is_(self.livemode),
            )
        )
        self._rank([*db.session.execute(taken), *db.session.execute(waited)])

    def _rank(self, rows: Sequence[Sequence[Any]]) -> None:
        """Work out the numbers of what took so long; sorting here is faster than both databases' windows."""
        took: dict[tuple[str, str], list[int]] = {}
        late: Counter[tuple[str, str]] = Counter()
        for token, organisation, seconds, was_late in rows:
            step = token.rstrip(".")
            for key in {(step, ""), (step, organisation)}:
                took.setdefault(key, []).append(seconds)
                late[key] += was_late
        for key, each in took.items():
            each.sort()
            self.past[key] = {
                "completed": len(each),
                "late": late[key],
                # Nearest rank: the ceiling of n times the share, in whole numbers.
                "median": each[(len(each) + 1) // 2 - 1],
                "ninetieth": each[(len(each) * 9 + 9) // 10 - 1],
            }

    def whole(self, step: str) -> Figures:
        """Give the numbers of a step over all organisations."""
        now = [counts for (name, _), counts in self.now.items() if name == step]
        return self._figures([sum(one) for one in zip(*now, strict=True)] or [0, 0], self.past.get((step, ""), {}))

    def parts(self, step: str) -> dict[str, Figures]:
        """Give the numbers of a step by organisation, none of which can be worked out from the others."""
        names = {name for at, name in (*self.now, *self.past) if at == step and name}
        now = {name: self.now.get((step, name), [0, 0]) for name in names}
        past = {name: self.past.get((step, name), {}) for name in names}
        if self.exact:
            return {name: self._figures(now[name], past[name]) for name in names}
        few_now = hidden({name: counts[0] for name, counts in now.items()})
        few_past = hidden({name: figures.get("completed", 0) for name, figures in past.items()})
        return {
            name: self._figures(now[name], past[name], few_now=name in few_now, few_past=name in few_past)
            for name in names
        }

    def _figures(
        self, now: list[int], past: Mapping[str, int], *, few_now: bool = False, few_past: bool = False
    ) -> Figures:
        few_now = few_now or (not self.exact and 0 < now[0] < LEAST)
        few_past = few_past or (not self.exact and 0 < past.get("completed", 0) < LEAST)
        return Figures(
            waiting=None if few_now else now[0],
            overdue=None if few_now else self._safe(now[1], now[0]),
            completed=None if few_past else past.get("completed", 0),
            late=None if few_past else self._safe(past.get("late", 0), past.get("completed", 0)),
            median=None if few_past else past.get("median"),
            ninetieth=None if few_past else past.get("ninetieth"),
        )

    def _safe(self, part: int, whole: int) -> int | None:
        """Hide a part that is small, or all but a few, as a count of its own would be."""
        return shown_part(part, whole, exact=self.exact)


def _steps(spec: PathSpec, found: _Tally) -> list[WaitingStep]:
    wholes = {step.id: _without_due(step.kind, found.whole(step.id)) for step in spec.steps.values()}
    medians = sorted({figures.median for figures in wholes.values() if figures.median})
    there = {name for name, _ in (*found.now, *found.past)}
    return [
        WaitingStep(
            id=step.id,
            kind=str(step.kind),
            names=step.names,
            figures=wholes[step.id],
            heat=_heat(wholes[step.id].median, medians),
            organisations=found.parts(step.id),
        )
        for step in spec.steps.values()
        # A boundary event waits beside its step, which is counted.
        if step.kind is StepKind.TASK or (step.id in there and step.kind is not StepKind.BOUNDARY)
    ]


def _without_due(kind: StepKind, figures: Figures) -> Figures:
    """Give no share of what was late where nothing is ever due."""
    return figures if kind is StepKind.TASK else replace(figures, late=None)


def _heat(median: int | None, medians: list[int]) -> int:
    """Say in which quarter of the steps' medians one stands."""
    return 0 if not median else 1 + medians.index(median) * LEVELS // len(medians)


def _step_of(token: Any) -> ColumnElement[str]:  # noqa: ANN401 - a column
    """Give the step of a token, with the dot that follows it: digits at the end of an id stay."""
    return func.rtrim(token, _DIGITS)


def _seconds() -> ColumnElement[int]:
    """Give the whole seconds that a task took."""
    if db.engine.dialect.name == "sqlite":
        days = func.julianday(Task.ended_at) - func.julianday(Task.opened_at)
        return cast(func.round(days * 86_400), Integer)
    return cast(func.round(func.extract("epoch", Task.ended_at - Task.opened_at)), Integer)
