"""Incidents as people see them: what failed, in whose case, and what may be done about it.

An incident of a case is seen by those who may know of the case and read incidents; what concerns no case, by those
who watch the system. Decision values are shown to those who may repair them, and to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, Table, and_, false, func, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, Incident, Job, Path, PathVersion, Referral, Run, Task, TaskAnswers, User
from nrm.queries import paths
from nrm.queries.page import Key, Page, cut, moment_key, newest_after
from nrm.queries.scope import sees_case
from nrm.rules.incidents import IncidentFacts, incident_actions
from nrm.rules.statuses import TERMINAL
from nrm.sealing import Json, unseal
from nrm.vocabulary import IncidentStatus, TaskStatus

READ = "incident.read"
REPAIR = "incident.repair"
WITHOUT_CASE = "system.watch"
"""Permission for what concerns no case: a periodic work, a delivery."""

_LISTED: Final = 50

INCIDENTS: Table = Incident.__table__  # type: ignore[assignment]  # a mapped class has a Table

AnyRow: TypeAlias = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """An incident in a list.

    Attributes:
        kind: "step", "job", "delivery", "webhook" or "verify".
        code: key of the sentence that explains the cause.
        params: values for that sentence; never a personal value.
        step: element id of the step that failed.
        step_names: what that step is called, in each language.
        path: key of the path; None when there is no run.
        job: kind of the dead job; None when there is none.
        allowed_actions: what the asker may do about it now.
    """

    id: str
    version: int
    kind: str
    code: str
    params: Mapping[str, Json]
    step: str | None
    step_names: Mapping[str, str]
    path: str | None
    job: str | None
    case_id: str | None
    case_number: str | None
    run_id: str | None
    status: str
    opened_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ending: str | None
    allowed_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """One incident.

    Attributes:
        row: what a list shows of it.
        values: the run's decision values, for who may repair them; empty for others.
        repairable: names of the values that the path reads, for who may repair them.
        note: the words with which it was ended.
    """

    row: IncidentRow
    values: Mapping[str, Json]
    repairable: tuple[str, ...]
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredTask:
    """A completed task of a run that failed."""

    id: str
    names: Mapping[str, str]
    answered_at: datetime


def incidents(
    actor: Actor,
    now: datetime,
    *,
    status: IncidentStatus | None = IncidentStatus.OPEN,
    case_id: str | None = None,
    kind: str | None = None,
    path: str | None = None,
    after: Key | None = None,
    limit: int = 50,
) -> Page[IncidentRow]:
    """List incidents, the newest first.

    Args:
        actor: who asks.
        now: the present moment.
        status: only these; None for all.
        case_id: only those of this case.
        kind: only those of this kind.
        path: only those of runs of the path with this key.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotAllowed: the actor may read no incidents at all.
        NotValid: the key is of another list.
    """
    statement = _select().where(_seen(actor, now))
    if status is not None:
        statement = statement.where(Incident.status == str(status))
    if case_id is not None:
        statement = statement.where(Incident.case_id == case_id)
    if kind is not None:
        statement = statement.where(Incident.kind == kind)
    if path is not None:
        versions = select(PathVersion.id).join(Path, Path.id == PathVersion.path_id).where(Path.key == path)
        statement = statement.where(Run.path_version_id.in_(versions))
    opened_at, row_id = INCIDENTS.c.opened_at, INCIDENTS.c.id
    statement = newest_after(statement, opened_at, row_id, after=after, limit=limit)
    rows = db.session.execute(statement).all()
    return cut(
        rows,
        limit,
        key=lambda row: (moment_key(row.Incident.opened_at), row.Incident.id),
        make=lambda row: _row(actor, row),
    )


def incident(actor: Actor, now: datetime, incident_id: str) -> IncidentView:
    """Read one incident.

    Raises:
        NotFound: there is none, or it is not the actor's to know of.
        NotAllowed: the actor may read no incidents at all.
    """
    row = db.session.execute(_select().where(Incident.id == incident_id, _seen(actor, now))).one_or_none()
    if row is None:
        raise NotFound
    found: Incident = row.Incident
    run: Run | None = row.Run
    shown = _row(actor, row)
    may_see = run is not None and "repair" in shown.allowed_actions
    note = unseal(found.note, row=found.id, column="incidents.note")
    return IncidentView(
        row=shown,
        values=run.decision_values if run is not None and may_see else {},
        repairable=tuple(sorted(paths.version(run.path_version_id).spec.decisions)) if run and may_see else (),
        note=None if note is None else str(note),
    )


def paths_of_incidents(actor: Actor, now: datetime) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """Give the paths, key and names, in whose runs something failed that the actor may know of.

    Raises:
        NotAllowed: the actor may read no incidents at all.
    """
    versions = (
        select(PathVersion.path_id)
        .join(Run, Run.path_version_id == PathVersion.id)
        .join(Incident, Incident.run_id == Run.id)
        .join(Case, Case.id == Incident.case_id)
        .where(_seen(actor, now))
    )
    rows = db.session.execute(select(Path.key, Path.names).where(Path.id.in_(versions)).order_by(Path.key))
    return tuple((row.key, row.names) for row in rows)


def answered_tasks(actor: Actor, now: datetime, incident_id: str) -> tuple[AnsweredTask, ...]:
    """List the completed tasks of the run that failed, the latest first, for who may repair their answers.

    Raises:
        NotFound: there is no such incident, or it is not the actor's to know of.
        NotAllowed: the actor may read no incidents at all.
    """
    row = db.session.execute(_select().where(Incident.id == incident_id, _seen(actor, now))).one_or_none()
    if row is None:
        raise NotFound
    if row.Run is None or "repair" not in _row(actor, row).allowed_actions:
        return ()
    spec = paths.version(row.Run.path_version_id).spec
    rows = db.session.execute(
        select(TaskAnswers.task_id, TaskAnswers.step, TaskAnswers.answered_at)
        .where(TaskAnswers.run_id == row.Run.id)
        .order_by(TaskAnswers.answered_at.desc(), TaskAnswers.task_id)
        .limit(_LISTED)
    )
    return tuple(
        AnsweredTask(
            id=found.task_id,
            names=spec.steps[found.step].names if found.step in spec.steps else {},
            answered_at=found.answered_at,
        )
        for found in rows
    )


def ended_by(user_id: str | None) -> str | None:
    """Give the name of the user who ended an incident; None for a program."""
    return db.session.scalar(select(User.name).where(User.id == user_id)) if user_id else None


def open_incidents(actor: Actor, now: datetime) -> int:
    """Count the open incidents that an actor may know of; 0 for those who may read none."""
    if not any(actor.may(permission) for permission in (READ, WITHOUT_CASE)):
        return 0
    statement = select(func.count()).select_from(Incident).outerjoin(Case, Case.id == Incident.case_id)
    found = db.session.execute(statement.where(Incident.status == str(IncidentStatus.OPEN), _seen(actor, now)))
    return int(found.scalar_one())


def facts_of(session: Session, found: Incident, run: Run | None, job: Job | None) -> IncidentFacts:
    """Say how an incident stands, for the verbs that fit."""
    return IncidentFacts(
        open=found.status == IncidentStatus.OPEN,
        has_input=bool(found.retry),
        run_runs=run is not None and run.status == "running",
        has_job=found.job_id is not None,
        job_is_wanted=job is not None and _is_wanted(session, job),
    )


def _is_wanted(session: Session, job: Job) -> bool:
    """Say whether somebody would wait for ever if this job were thrown away."""
    args = job.args
    if job.kind == "timer":
        wanted = select(Run.id).where(Run.id == args["run"], Run.status == "running")
    elif job.kind in {"task_clock", "task_resume"}:
        live = (str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD))
        wanted = select(Task.id).where(Task.id == args["task"], Task.status.in_(live))
    elif job.kind == "referral_clock":
        ended = [str(state) for state in TERMINAL]
        wanted = select(Referral.id).where(Referral.id == args["referral"], Referral.state.not_in(ended))
    else:
        return False
    return session.execute(wanted).first() is not None


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(Incident, Case.number.label("case_number"), Run, Job)
        .outerjoin(Case, Case.id == Incident.case_id)
        .outerjoin(Run, Run.id == Incident.run_id)
        .outerjoin(Job, Job.id == Incident.job_id)
    )


def _seen(actor: Actor, now: datetime) -> ColumnElement[bool]:
    of_cases, others = actor.may(READ), actor.may(WITHOUT_CASE)
    if not of_cases and not others:
        raise NotAllowed("not_allowed", permission=READ)
    ours = and_(Incident.case_id.is_not(None), sees_case(actor, now)) if of_cases else false()
    return or_(ours, Incident.case_id.is_(None)) if others else ours


def _row(actor: Actor, row: AnyRow) -> IncidentRow:
    found: Incident = row.Incident
    run: Run | None = row.Run
    version = paths.version(run.path_version_id) if run is not None else None
    step = version.spec.steps.get(found.step or "") if version is not None else None
    may_act = actor.may(REPAIR if found.case_id is not None else WITHOUT_CASE)
    return IncidentRow(
        id=found.id,
        version=found.version,
        kind=found.kind,
        code=found.code,
        params=found.params,
        step=found.step,
        step_names=step.names if step is not None else {},
        path=version.path if version is not None else None,
        job=row.Job.kind if row.Job is not None else None,
        case_id=found.case_id,
        case_number=row.case_number,
        run_id=found.run_id,
        status=found.status,
        opened_at=found.opened_at,
        ended_at=found.ended_at,
        ended_by=found.ended_by,
        ending=found.ending,
        allowed_actions=incident_actions(facts_of(db.session(), found, run, row.Job)) if may_act else (),
    )
