"""A task under the lock of its case, how the actor stands to it, and how it stands after a verb."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, exists, select

from nrm.actions._action import Work
from nrm.errors import IllegalMove, NotFound, StaleVersion
from nrm.models import Case, Run, Task, TaskDraft, TaskUndo
from nrm.queries import packs
from nrm.queries.absences import stands_in
from nrm.queries.scope import sees_case
from nrm.rules.statuses import TaskFacts, task_actions
from nrm.vocabulary import APART, Level, TaskStatus

# Built once. The lock on all three makes PostgreSQL read them as they are after it waited for the case.
_LOADING: Final = (
    select(Case, Task, Run, exists().where(TaskDraft.task_id == Task.id).correlate(Task).label("drafted"))
    .join(Task, Task.case_id == Case.id)
    .join(Run, Run.id == Task.run_id)
    .where(Task.id == bindparam("task"))
    .with_for_update(of=[Case, Task, Run])
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """How a task stands after a verb."""

    id: str
    status: str
    version: int
    assignee_id: str | None
    due_at: datetime | None


@dataclass(slots=True)
class LoadedTask:
    """A task under the lock of its case."""

    task: Task
    case: Case
    run: Run
    facts: TaskFacts
    drafted: bool

    def must(self, verb: str) -> None:
        """Stop unless the verb fits.

        Raises:
            IllegalMove: with the verbs that do.
        """
        allowed = task_actions(self.facts)
        if verb in allowed:
            return
        if self.task.status == TaskStatus.COMPLETED:
            raise IllegalMove(allowed, "task_completed")
        if verb == "claim" and self.facts.assigned:
            raise IllegalMove(allowed, "task_taken")
        raise IllegalMove(allowed, "task_action_not_allowed", verb=verb)


def load_task(work: Work, task_id: str, *, version: int | None) -> LoadedTask:
    """Load a task with its case, both locked, and say what the actor may do with it.

    Args:
        work: the transaction.
        task_id: the task.
        version: the version that the actor saw; None when only the system asks.

    Raises:
        NotFound: when there is no such task, or it is not the actor's to know of.
        StaleVersion: when the task changed since.
    """
    actor = work.actor
    found = work.session.execute(_LOADING, {"task": task_id}).one_or_none()
    if found is None:
        raise NotFound
    case, task, run, drafted = found
    work.hold(case)
    if actor.is_program and task.level == Level.STRICT:
        # A strict case is known to people of its team, never to a program.
        raise NotFound
    facts = task_facts(work, task)
    if not actor.is_system and not facts.knows and (APART in run.context or not _sees(work, case)):
        raise NotFound
    if version is not None and task.version != version:
        raise StaleVersion(task.version)
    return LoadedTask(task=task, case=case, run=run, facts=facts, drafted=drafted)


def task_facts(work: Work, task: Task) -> TaskFacts:
    """Say how the actor stands to a task."""
    actor = work.actor
    desk, organisation = task.desk_id, task.organisation_id
    undoable = False
    if task.status == TaskStatus.COMPLETED:
        undoable = undo_row(work, task) is not None
    return TaskFacts(
        status=TaskStatus(task.status),
        assigned=task.assignee_id is not None,
        mine=actor.holds(task.assignee_id, desk=desk),
        at_desk=desk in actor.desks,
        may_work=actor.may("task.work", desk=desk, organisation=organisation),
        may_assign=task.livemode == actor.livemode and packs.pack().supervises(actor, "task.assign", desk),
        completed_by_me=task.ended_by == actor.id,
        undoable=undoable,
        stands_in=desk in actor.desks and stands_in(actor, task.assignee_id, work.now),
    )


def _sees(work: Work, case: Case) -> bool:
    condition = sees_case(work.actor, work.now)
    return work.session.execute(select(Case.id).where(Case.id == case.id, condition)).first() is not None


def result(task: Task, **changed: object) -> TaskResult:
    """Say how a task stands after a verb that changed its row."""
    facts = {
        "id": task.id,
        "status": task.status,
        "version": task.version + 1,
        "assignee_id": task.assignee_id,
        "due_at": task.due_at,
        **changed,
    }
    return TaskResult(**facts)  # type: ignore[arg-type]  # the fields just named


def record(work: Work, loaded: LoadedTask, kind: str, **data: str | None) -> None:
    """State a fact about a task."""
    work.record(
        kind,
        stream=loaded.case.id,
        subject=("task", loaded.task.id),
        data=data,
        organisation_id=loaded.task.organisation_id,
    )


def undo_row(work: Work, task: Task) -> TaskUndo | None:
    """Give what would take back a completed task; None when it is too late or something has moved since."""
    row = work.session.get(TaskUndo, task.id)
    if row is None or row.until < work.now:
        return None
    moved = work.session.execute(select(Run.version).where(Run.id == task.run_id)).scalar_one() != row.run_version
    touched = select(Task.id).where(Task.id.in_(row.opened), Task.version > 1)
    if moved or work.session.execute(touched).first() is not None:
        return None
    return row
