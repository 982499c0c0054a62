"""Move one run to another version of its path, or take it back: its state, and every row that names its tokens.

An open task stays who it was: its deadline, reminder, ladder, assignee and drafts are not touched. It takes over the
words of the new version only where both are due alike, since those who chase it read both from the same version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, bindparam, delete, select, update
from sqlalchemy.orm import Session

from nrm.actions import runs
from nrm.actions._action import Work
from nrm.actions.access import review_access
from nrm.actions.openings import desk_for, share_with_worker
from nrm.actions.run_book import timer_key
from nrm.engine import effects as fx
from nrm.engine.findings import Finding, Severity
from nrm.engine.move_checks import lost_answers
from nrm.engine.moving import Choice, Moved
from nrm.engine.steps import Step
from nrm.jobs.hand import JOBS
from nrm.models import Case, Incident, Run, Subscription, Task, TaskDraft
from nrm.queries import packs, paths
from nrm.queries.migrations import Migration
from nrm.rules.forms import Form
from nrm.sealing import Json, unseal
from nrm.vocabulary import TaskStatus

_LIVE: Final = (TaskStatus.OPEN, TaskStatus.ON_HOLD)
_CALM: Final[frozenset[type[object]]] = frozenset({fx.SetTimer, fx.CancelTimer, fx.Subscribe, fx.Unsubscribe})
"""What moving may do and undoing can put back."""

_SHOWN: Final = frozenset({"form_version_id", "desk_id"})

_QUIET: Final = {"synchronize_session": False}


class LiveTask(NamedTuple):
    """An open task of a run, as far as moving looks at it."""

    id: str
    run_id: str
    token: str
    step: str
    path_version_id: str
    form_version_id: str | None
    desk_id: str
    organisation_id: str
    assignee_id: str | None
    version: int


_RUNS: Final[BindParameter[list[str]]] = bindparam("runs", expanding=True)
_TASKS: Final = (
    select(*(getattr(Task, name) for name in LiveTask._fields), TaskDraft.answers)
    .outerjoin(TaskDraft, TaskDraft.task_id == Task.id)
    .where(Task.run_id.in_(_RUNS), Task.status.in_([str(status) for status in _LIVE]))
    .order_by(Task.id)
)
_HELD: Final = select(Incident.run_id).where(Incident.run_id.in_(_RUNS), Incident.status == "open")
_SUBSCRIPTIONS: Final = select(Subscription).where(Subscription.run_id == bindparam("run"))
_CHILDREN: Final = select(Run.id, Run.parent_token).where(Run.parent_id == bindparam("run"), Run.status == "running")


_RENAME_SUBSCRIPTION: Final = (
    update(Subscription)
    .where(Subscription.run_id == bindparam("run"), Subscription.token == bindparam("old"))
    .values(token=bindparam("new"), step=bindparam("named"))
    .execution_options(**_QUIET)
)
_RENAME_CALL: Final = (
    update(Run)
    .where(Run.parent_id == bindparam("run"), Run.parent_token == bindparam("old"))
    .values(parent_token=bindparam("new"))
    .execution_options(**_QUIET)
)


@dataclass(slots=True)
class RunFacts:
    """What stands around a run.

    Attributes:
        tasks: its open tasks.
        typed: open task → names of the questions to which something was typed.
        has_incident: something in it failed and waits for help.
    """

    tasks: list[LiveTask] = field(default_factory=list)
    typed: dict[str, set[str]] = field(default_factory=dict)
    has_incident: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A run with its case and what stands around it."""

    run: Run
    case: Case
    facts: RunFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What moving a run would do.

    Attributes:
        findings: what is lost, begins, stays, or stops it.
        moved: what the engine says.
        changes: open task → columns that change.
    """

    findings: tuple[Finding, ...]
    moved: Moved
    changes: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Say whether the run cannot be moved."""
        return self.moved.advance is None or any(one.severity is Severity.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What was done to a run: how to put it back, and the version of its row afterwards."""

    before: Json
    run_version: int
    undoable: bool


def facts_of(session: Session, run_ids: Iterable[str]) -> Mapping[str, RunFacts]:
    """Load what stands around some runs, in two statements."""
    wanted = {"runs": list(run_ids)}
    found: defaultdict[str, RunFacts] = defaultdict(RunFacts)
    for *columns, answers in session.execute(_TASKS, wanted):
        task = LiveTask(*columns)
        facts = found[task.run_id]
        if task not in facts.tasks:
            facts.tasks.append(task)
        if answers is not None:
            typed = unseal(answers, row=task.id, column="task_drafts.answers")
            facts.typed.setdefault(task.id, set()).update(_typed(typed))
    for run_id in session.execute(_HELD, wanted).scalars():
        found[str(run_id)].has_incident = True
    return found


def _typed(answers: Json) -> Iterator[str]:
    """Give the names of the questions to which something was typed."""
    if isinstance(answers, dict):
        yield from (name for name, value in answers.items() if value not in (None, "", []))


def look_at(migration: Migration, standing: Standing, *, now: datetime) -> Look:
    """Say what moving a run would do; nothing is written.

    Args:
        migration: the plan.
        standing: the run, its case and what stands around it.
        now: the present moment.
    """
    moved, facts = migration.mover.move(standing.run.state, now=now), standing.facts
    if moved.advance is None:
        return Look(findings=moved.findings, moved=moved)
    findings = list(moved.findings)
    if facts.has_incident and (moved.advance.effects or any(old != new for old, new in moved.renamed.items())):
        findings.append(Finding(code="move_incident_open"))
    changes = {}
    for task in facts.tasks:
        token = moved.renamed.get(task.token)
        if token is not None:
            changes[task.id] = _task_changes(migration, standing, task, token, findings)
    return Look(findings=tuple(findings), moved=moved, changes=changes)


def _task_changes(
    migration: Migration, standing: Standing, task: LiveTask, token: str, findings: list[Finding]
) -> dict[str, str | None]:
    """Give the columns of an open task that change."""
    old = paths.version(task.path_version_id).spec.steps[task.step]
    new = migration.target.spec.steps[token.rpartition(".")[0]]
    move = migration.plan[task.token.rpartition(".")[0]]
    wanted: dict[str, str | None] = {"token": token}
    if old.due == new.due:
        wanted |= {"path_version_id": migration.target.id, "step": new.id}
    if move.form is Choice.NEW:
        wanted["form_version_id"] = migration.target.forms[new.form] if new.form else None
        lost = lost_answers(_form(task.form_version_id), _form(wanted["form_version_id"]))
        count = len(lost & standing.facts.typed.get(task.id, set()))
        if count:
            findings.append(_warning("move_drafts_lose", new.id, count=count))
    if move.desk is Choice.NEW and (old.role, old.organisation) != (new.role, new.organisation):
        wanted |= _other_desk(standing, task, new, findings)
    return {name: value for name, value in wanted.items() if getattr(task, name) != value}


def _other_desk(standing: Standing, task: LiveTask, new: Step, findings: list[Finding]) -> dict[str, str]:
    """Give the desk to which an open task goes; one that somebody has taken stays in that person's hands."""
    if task.assignee_id is not None:
        findings.append(Finding(code="move_desk_taken", element=new.id, severity=Severity.NOTE))
        return {}
    desk = desk_for(standing.case, new, standing.run.context)
    if desk is None:
        findings.append(Finding(code="move_no_desk", element=new.id, params={"role": new.role or ""}))
        return {}
    return {"desk_id": desk.id, "organisation_id": desk.organisation_id}


def _form(form_version_id: str | None) -> Form | None:
    return paths.form(form_version_id) if form_version_id else None


def _warning(code: str, element: str, **params: int) -> Finding:
    return Finding(code=code, element=element, severity=Severity.WARNING, params=params)


# -- there ------------------------------------------------------------------------------------------------------------


def move_run(work: Work, standing: Standing, migration: Migration, look: Look) -> Carried:
    """Move a run for which `look_at` found nothing that stops it.

    Args:
        work: the transaction; the case is locked.
        standing: the run, its case and what stands around it, loaded under the lock.
        migration: the plan.
        look: what `look_at` gave under the lock.

    Raises:
        StepFailed: the path cannot go on in the other version; the caller takes back what was written.
        NrmError: a row changed meanwhile.
    """
    advance = look.moved.advance
    if advance is None:
        raise ValueError("a run that cannot be moved")
    run, case, facts = standing.run, standing.case, standing.facts
    before = _before(work, run, look, facts)
    _rename_rows(work, case, run, look)
    _change_tasks(work, case, look, facts)
    columns = {
        "path_version_id": migration.target.id,
        "is_sensitive": run.is_sensitive or migration.target.spec.sensitive,
    }
    if not advance.effects:
        work.change(Run, run.id, version=run.version, state=advance.state, **columns)
        return Carried(before=before, run_version=run.version + 1, undoable=True)
    work.session.execute(update(Run).where(Run.id == run.id).values(**columns).execution_options(**_QUIET))
    driven = runs.carry_on(work, case, run.id, advance)
    undoable = driven.effects <= _CALM
    return Carried(before=before if undoable else None, run_version=driven.run_version, undoable=undoable)


def _before(work: Work, run: Run, look: Look, facts: RunFacts) -> Json:
    """Keep what undoing puts back."""
    ended = [effect.token for effect in _effects(look) if isinstance(effect, fx.CancelTimer)]
    begun: list[Json] = [effect.token for effect in _effects(look) if isinstance(effect, fx.SetTimer)]
    changed = {task.id: task for task in facts.tasks if look.changes.get(task.id)}
    before: dict[str, Json] = {
        "state": run.state,
        "path_version_id": run.path_version_id,
        "is_sensitive": run.is_sensitive,
        "tasks": {
            task_id: {name: getattr(task, name) for name in look.changes[task_id]} for task_id, task in changed.items()
        },
    }
    if not _renamed(look) and not _effects(look):
        return before
    subscriptions = work.session.execute(_SUBSCRIPTIONS, {"run": run.id}).scalars()
    return before | {
        "subscriptions": [_subscription_to_json(row) for row in subscriptions],
        "timers": [[token, due.isoformat()] for token, due in _timers(work, run.id, [*_renamed(look), *ended]).items()],
        "begun": [*begun, *_renamed(look).values()],
        "children": [[row.id, row.parent_token] for row in work.session.execute(_CHILDREN, {"run": run.id})],
    }


def _effects(look: Look) -> tuple[fx.Effect, ...]:
    return look.moved.advance.effects if look.moved.advance is not None else ()


def _renamed(look: Look) -> dict[str, str]:
    return {old: new for old, new in look.moved.renamed.items() if old != new}


def _timers(work: Work, run_id: str, tokens: Iterable[str]) -> dict[str, datetime]:
    """Give when the timers of some tokens are due."""
    keys = {timer_key(run_id, token): token for token in tokens}
    if not keys:
        return {}
    alive = select(JOBS.c.dedup_key, JOBS.c.due_at).where(JOBS.c.dedup_key.in_(keys), JOBS.c.state != "dead")
    return {keys[row.dedup_key]: row.due_at for row in work.session.execute(alive)}


def _rename_rows(work: Work, case: Case, run: Run, look: Look) -> None:
    """Write the new tokens of timers, subscriptions and called runs; a timer keeps its moment."""
    renamed = _renamed(look)
    due = _timers(work, run.id, renamed)
    for old, new in renamed.items():
        if old in due:
            # A new row: a runner that has the old one in hand just now loses it, and the timer fires by its new name.
            work.cancel_jobs(timer_key(run.id, old))
            set_timer(work, case, run.id, new, due[old])
        names = {"run": run.id, "old": old, "new": new, "named": new.rpartition(".")[0]}
        work.session.execute(_RENAME_SUBSCRIPTION, names)
        work.session.execute(_RENAME_CALL, names)


def set_timer(work: Work, case: Case, run_id: str, token: str, due_at: datetime) -> None:
    """Set a timer of a run at a moment that is known."""
    work.enqueue(
        "timer",
        {"run": run_id, "token": token},
        due_at=due_at,
        queue="timers",
        case_id=case.id,
        dedup_key=timer_key(run_id, token),
    )


def _change_tasks(work: Work, case: Case, look: Look, facts: RunFacts) -> None:
    for task in facts.tasks:
        change = look.changes.get(task.id)
        if not change:
            continue
        _write_task(work, task.id, change, task.version)
        if "desk_id" in change:
            _let_in(work, case, str(change["desk_id"]))


def _write_task(work: Work, task_id: str, change: Mapping[str, str | None], version: int) -> None:
    # Whoever has the task open goes on undisturbed, unless the questions or the desk are other ones now.
    work.change(Task, task_id, version=version if change.keys() & _SHOWN else None, **change)


def _let_in(work: Work, case: Case, desk_id: str) -> None:
    """Let the desk that has a task now know of the case, and end what the one before knew for it."""
    desk = packs.pack().desk(desk_id)
    if desk is not None:
        share_with_worker(work, case, desk)
    review_access(work, case.id)


def _subscription_to_json(row: Subscription) -> dict[str, Json]:
    return {
        "id": row.id,
        "token": row.token,
        "step": row.step,
        "message": row.message,
        "correlation": row.correlation,
        "created_at": row.created_at.isoformat(),
    }


# -- and back ---------------------------------------------------------------------------------------------------------


def take_back(work: Work, case: Case, run: Run, before: Mapping[str, Any]) -> None:
    """Put a moved run back as it was; it has not gone on since.

    Args:
        work: the transaction; the case is locked.
        case: the run's case.
        run: its row, loaded under the lock, of the version that moving gave it.
        before: what `Carried.before` kept.

    Raises:
        StaleVersion: the run changed meanwhile.
    """
    work.change(
        Run,
        run.id,
        version=run.version,
        state=before["state"],
        path_version_id=before["path_version_id"],
        is_sensitive=before["is_sensitive"],
    )
    for task_id, columns in before["tasks"].items():
        _put_task_back(work, case, task_id, dict(columns))
    if "subscriptions" in before:
        _put_waits_back(work, case, run, before)


def _put_waits_back(work: Work, case: Case, run: Run, before: Mapping[str, Any]) -> None:
    """Put back the subscriptions and timers of a run, and what its called runs call its tokens."""
    gone = delete(Subscription).where(Subscription.run_id == run.id)
    work.session.execute(gone.execution_options(**_QUIET))
    for kept in before["subscriptions"]:
        stamp = datetime.fromisoformat(kept["created_at"])
        work.add(Subscription, **{**kept, "created_at": stamp}, case_id=case.id, run_id=run.id)
    if before["begun"]:
        work.cancel_jobs(*(timer_key(run.id, token) for token in before["begun"]))
    for token, due_at in before["timers"]:
        set_timer(work, case, run.id, token, datetime.fromisoformat(due_at))
    for child_id, token in before["children"]:
        called = update(Run).where(Run.id == child_id).values(parent_token=token)
        work.session.execute(called.execution_options(**_QUIET))


def _put_task_back(work: Work, case: Case, task_id: str, columns: dict[str, str | None]) -> None:
    task = work.session.execute(select(Task.assignee_id, Task.version).where(Task.id == task_id)).one()
    if "desk_id" in columns and task.assignee_id is not None:
        # Somebody at the new desk works on it by now: it stays in that person's hands.
        del columns["desk_id"], columns["organisation_id"]
    if columns:
        _write_task(work, task_id, columns, task.version)
    if "desk_id" in columns:
        _let_in(work, case, str(columns["desk_id"]))
