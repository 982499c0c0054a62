"""Plans that move running cases, for those who make and approve them: what a plan says, would do, and has done.

Numbers of cases are for everybody who reads paths, but none from which single people could be guessed: None stands for
a number that is not shown. Which cases they are is told only of those that one may know of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import ColumnElement, Text, cast, false, func, select

from nrm.actors import Actor
from nrm.db import db
from nrm.engine.findings import Finding, Severity
from nrm.engine.moving import is_watcher, may_wait
from nrm.engine.steps import Step
from nrm.engine.wording import render_finding
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, MigrationPlan, MigrationRun, Path, PathVersion, Run
from nrm.queries.exact_counts import sees_exact_counts
from nrm.queries.migrations import Migration, facts_for, migration
from nrm.queries.page import Key, Page, cut, size, text_of
from nrm.queries.scope import sees_case
from nrm.rules.migrations import migration_actions
from nrm.rules.small_numbers import shown, shown_part
from nrm.vocabulary import MovedStatus, PathStatus

_MOST: Final = 200
"""Plans of a path that a list shows, the latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRow:
    """A plan in a list.

    Attributes:
        path: key of its path.
        number_from: number of the version that runs leave; `number_to` of the one that they go to.
        counts: how many runs stand how: ready, refused, moved, gone, undone, kept; None for a number not shown.
        stopped_for: what stopped it without anybody asking: "target_retired", or None.
    """

    id: str
    version: int
    path: str
    number_from: int
    number_to: int
    status: str
    counts: Mapping[str, int | None]
    created_at: datetime
    created_by: str
    changed_by: str
    approved_at: datetime | None
    approved_by: str | None
    ended_at: datetime | None
    stopped_for: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFinding:
    """What is wrong or doubtful about a plan, or about some of its runs.

    Attributes:
        code: stable code.
        severity: error, warning or note.
        element: id of the step, "" for the whole.
        names: what the step is called.
        text: what it is and what to do.
        count: how many runs it is about; 0 where it is about the plan itself, None for a number not shown.
    """

    code: str
    severity: str
    element: str
    names: Mapping[str, str]
    text: str
    count: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChoice:
    """A step of the other version to which runs may go."""

    id: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step at which runs may stand, and where the plan sends them.

    Attributes:
        kind: task, call, catch, boundary, subprocess, event_gateway, parallel or inclusive.
        planned: the plan names the step; where it does not, runs that stand there stay on their version.
        to: where they go; None for "let go".
        form: keep or new, for tasks.
        desk: keep or new, for tasks.
        may_end: a timer or message, which may be let go.
        choices: the steps that it may go to.
    """

    id: str
    kind: str
    names: Mapping[str, str]
    planned: bool
    to: str | None
    form: str
    desk: str
    may_end: bool
    choices: tuple[StepChoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationView:
    """A plan, opened.

    Attributes:
        names: what the path is called.
        running: how many cases run on the version that is left, now; None for a number not shown.
        exact: small numbers are shown too.
        steps: every step at which runs may stand.
        findings: about the plan itself.
        reasons: what the dry run, or the move, found about runs, the most frequent first.
        allowed_actions: what the asker may do with it now.
    """

    id: str
    version: int
    plan: MigrationRow
    names: Mapping[str, str]
    source_id: str
    target_id: str
    running: int | None
    exact: bool
    steps: tuple[PlannedStep, ...]
    findings: tuple[PlanFinding, ...]
    reasons: tuple[PlanFinding, ...]
    allowed_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedCase:
    """One run of a plan, of a case that the asker may know of."""

    id: str
    run_id: str
    case_id: str
    case_number: str
    status: str
    findings: tuple[PlanFinding, ...] = field(default_factory=tuple)


def migrations(actor: Actor, *, path: str | None = None) -> tuple[MigrationRow, ...]:
    """List the plans, the latest first.

    Args:
        actor: who asks.
        path: key of a path; None for all.

    Raises:
        NotAllowed: the actor may not read paths.
    """
    _must_read(actor)
    statement = select(MigrationPlan, Path).join(Path, Path.id == MigrationPlan.path_id)
    if path is not None:
        statement = statement.where(Path.key == path)
    ordered = statement.order_by(MigrationPlan.created_at.desc(), MigrationPlan.id).limit(_MOST)
    rows = db.session.execute(ordered.execution_options(populate_existing=True)).all()
    counts = _counts([row.id for row, _ in rows])
    return tuple(
        _row(row, found.key, counts.get(row.id, {}), exact=sees_exact_counts(actor, found.level)) for row, found in rows
    )


def migration_view(actor: Actor, plan_id: str, *, language: str) -> MigrationView:
    """Open a plan.

    Args:
        actor: who asks.
        plan_id: the plan.
        language: of the texts.

    Raises:
        NotFound: there is no such plan.
        NotAllowed: the actor may not read paths.
    """
    row, path = _found(actor, plan_id)
    prepared = migration(row)
    on_source = select(func.count()).where(Run.path_version_id == row.source_id, Run.status == "running")
    running = int(db.session.execute(on_source).scalar_one())
    exact = sees_exact_counts(actor, path.level)
    counts = _counts([row.id]).get(row.id, {})
    return MigrationView(
        id=row.id,
        version=row.version,
        plan=_row(row, path.key, counts, exact=exact),
        names=path.names,
        source_id=row.source_id,
        target_id=row.target_id,
        running=shown_part(running, running, exact=exact),
        exact=exact,
        steps=tuple(_planned(prepared)),
        findings=tuple(_told(prepared, finding, language) for finding in prepared.findings),
        reasons=_reasons(prepared, row.id, language, whole=None if exact else sum(counts.values())),
        allowed_actions=migration_actions(facts_for(actor, row)),
    )


def moved_cases(
    actor: Actor,
    now: datetime,
    plan_id: str,
    *,
    status: MovedStatus | None = None,
    language: str,
    after: Key | None = None,
    limit: int = 50,
) -> Page[MovedCase]:
    """List the cases of a plan that the actor may know of.

    Args:
        actor: who asks.
        now: the present moment.
        plan_id: the plan.
        status: only runs that stand so.
        language: of the texts.
        after: where the page begins.
        limit: rows of the page.

    Raises:
        NotFound: there is no such plan.
        NotAllowed: the actor may not read paths.
        NotValid: the page mark is of another list.
    """
    row, _ = _found(actor, plan_id)
    prepared = migration(row)
    statement = (
        select(MigrationRun, Case.number)
        .join(Case, Case.id == MigrationRun.case_id)
        .where(MigrationRun.plan_id == plan_id, *_named(actor, now))
    )
    if status is not None:
        statement = statement.where(MigrationRun.status == str(status))
    if after is not None:
        statement = statement.where(MigrationRun.id > text_of(after, 0))
    rows = db.session.execute(statement.order_by(MigrationRun.id).limit(size(limit) + 1)).all()
    return cut(
        rows,
        size(limit),
        key=lambda found: (found[0].id,),
        make=lambda found: _moved(prepared, found[0], found[1], language),
    )


def _named(actor: Actor, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions on `Case` under which an actor may learn that it is among those that are moved.

    Whoever only designs paths has nothing to do with cases, also where a seat is for a whole organisation.
    """
    knows = actor.may("case.read") or actor.may("case.overview")
    return (sees_case(actor, now),) if knows else (false(),)


def _must_read(actor: Actor) -> None:
    if not actor.may("path.read"):
        raise NotAllowed("not_allowed", permission="path.read")


def _found(actor: Actor, plan_id: str) -> tuple[MigrationPlan, Path]:
    _must_read(actor)
    statement = select(MigrationPlan, Path).join(Path, Path.id == MigrationPlan.path_id)
    found = statement.where(MigrationPlan.id == plan_id).execution_options(populate_existing=True)
    row = db.session.execute(found).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def _counts(plan_ids: list[str]) -> dict[str, dict[str, int]]:
    counted = (
        select(MigrationRun.plan_id, MigrationRun.status, func.count())
        .where(MigrationRun.plan_id.in_(plan_ids))
        .group_by(MigrationRun.plan_id, MigrationRun.status)
    )
    found: dict[str, dict[str, int]] = {}
    for plan_id, status, count in db.session.execute(counted):
        found.setdefault(plan_id, {})[status] = count
    return found


def _row(row: MigrationPlan, path: str, counts: Mapping[str, int], *, exact: bool) -> MigrationRow:
    prepared = migration(row)
    return MigrationRow(
        id=row.id,
        version=row.version,
        path=path,
        number_from=prepared.source.number,
        number_to=prepared.target.number,
        status=row.status,
        counts=shown({str(status): counts.get(str(status), 0) for status in MovedStatus}, exact=exact),
        created_at=row.created_at,
        created_by=row.created_by,
        changed_by=row.changed_by,
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        ended_at=row.ended_at,
        stopped_for=row.stopped_for,
    )


def _planned(prepared: Migration) -> Iterator[PlannedStep]:
    source, target = prepared.source.spec, prepared.target.spec
    offered = [step for step in target.steps.values() if may_wait(target, step)]
    for step in source.steps.values():
        if not may_wait(source, step):
            continue
        move = prepared.plan.get(step.id)
        yield PlannedStep(
            id=step.id,
            kind=str(step.kind),
            names=step.names,
            planned=move is not None,
            to=move.to if move is not None else None,
            form=str(move.form) if move is not None else "new",
            desk=str(move.desk) if move is not None else "new",
            may_end=is_watcher(source, step),
            choices=tuple(StepChoice(id=one.id, names=one.names) for one in offered if _alike(step, one)),
        )


def _alike(old: Step, new: Step) -> bool:
    return (old.kind, old.event, old.multi is None) == (new.kind, new.event, new.multi is None)


def _told(prepared: Migration, finding: Finding, language: str, count: int | None = 0) -> PlanFinding:
    step = prepared.source.spec.steps.get(finding.element) or prepared.target.spec.steps.get(finding.element)
    return PlanFinding(
        code=finding.code,
        severity=str(finding.severity),
        element=finding.element,
        names=step.names if step is not None else {},
        text=render_finding(finding, language),
        count=count,
    )


def _findings(stored: object) -> Iterator[Finding]:
    """Read the findings of a run back."""
    for one in stored if isinstance(stored, list) else ():
        yield Finding(
            code=one["code"], element=one["element"], severity=Severity(one["severity"]), params=one["params"]
        )


def _reasons(prepared: Migration, plan_id: str, language: str, *, whole: int | None) -> tuple[PlanFinding, ...]:
    """Count what was found about runs; runs with the same findings are counted by the database.

    Args:
        prepared: the plan.
        plan_id: its id.
        language: of the texts.
        whole: how many runs the plan is about, for somebody who may not know small numbers; None for exact ones.
    """
    told = cast(MigrationRun.findings, Text)
    rows = db.session.execute(select(told, func.count()).where(MigrationRun.plan_id == plan_id).group_by(told))
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for text, count in rows:
        for one in _findings(orjson.loads(text)):
            params = orjson.dumps(dict(one.params), option=orjson.OPT_SORT_KEYS).decode()
            counts[one.code, one.element, str(one.severity), params] += count
    order = [str(severity) for severity in Severity]
    found = sorted(counts.items(), key=lambda entry: (order.index(entry[0][2]), -entry[1], entry[0]))
    return tuple(
        _told(
            prepared,
            Finding(code=code, element=element, severity=Severity(severity), params=orjson.loads(params)),
            language,
            count if whole is None else shown_part(count, whole, exact=False),
        )
        for (code, element, severity, params), count in found
    )


def _moved(prepared: Migration, row: MigrationRun, number: str, language: str) -> MovedCase:
    return MovedCase(
        id=row.id,
        run_id=row.run_id,
        case_id=row.case_id,
        case_number=number,
        status=row.status,
        findings=tuple(_told(prepared, finding, language) for finding in _findings(row.findings)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCases:
    """A version of a path and how many cases run on it now; None for a number not shown."""

    id: str
    number: int
    status: str
    running: int | None
    is_latest: bool


def versions_with_cases(actor: Actor, path: str) -> tuple[Mapping[str, str], tuple[VersionCases, ...]]:
    """Give a path's names and its versions, the latest first, each with how many cases run on it.

    Raises:
        NotFound: there is no such path.
        NotAllowed: the actor may not read paths.
    """
    _must_read(actor)
    found = db.session.execute(select(Path).where(Path.key == path)).scalar_one_or_none()
    if found is None:
        raise NotFound
    running = (
        select(func.count())
        .where(Run.path_version_id == PathVersion.id, Run.status == "running")
        .correlate(PathVersion)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(PathVersion.id, PathVersion.number, PathVersion.status, running.label("running"))
        .where(PathVersion.path_id == found.id, PathVersion.status != str(PathStatus.DRAFT))
        .order_by(PathVersion.number.desc())
    ).all()
    running_now = shown({str(row.id): int(row.running) for row in rows}, exact=sees_exact_counts(actor, found.level))
    return found.names, tuple(
        VersionCases(
            id=row.id,
            number=row.number,
            status=row.status,
            running=running_now[row.id],
            is_latest=row.id == found.latest_id,
        )
        for row in rows
    )
