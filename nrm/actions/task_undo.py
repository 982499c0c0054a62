"""Taking back a completed task: when that is offered, and what is put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, update

from nrm.actions import runs
from nrm.actions._action import Work
from nrm.actions.access import review_access
from nrm.actions.openings import enqueue_clock, share_with_worker
from nrm.actions.task_loading import LoadedTask
from nrm.engine import effects as fx
from nrm.models import Run, RunStep, Task, TaskAnswers, TaskDraft, TaskUndo
from nrm.queries import packs
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import TaskStatus

UNDO_WINDOW: Final = timedelta(seconds=30)
"""How long undoing a completed task is offered."""


_UNDOABLE: Final[frozenset[type[object]]] = frozenset({fx.OpenTask, fx.SetTimer, fx.PassedStep})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBefore:
    """A run as it was before a task was completed."""

    state: str
    values: dict[str, Json]
    steps: int


def offer_undo(work: Work, task: Task, before: RunBefore, driven: runs.Driven) -> datetime | None:
    """Keep what undoing needs, where completing did nothing but open tasks and set timers."""
    if driven.incident is not None or not driven.effects <= _UNDOABLE:
        return None
    until = work.now + UNDO_WINDOW
    work.add(
        TaskUndo,
        task_id=task.id,
        run_version=driven.run_version,
        state=before.state,
        decision_values=before.values,
        steps=before.steps,
        opened=list(driven.opened),
        timers=list(driven.timers),
        until=until,
    )
    return until


def put_back(work: Work, loaded: LoadedTask, row: TaskUndo) -> None:
    """Take back what completing a task did, inside the action that undoes it."""
    task, session = loaded.task, work.session
    for opened in row.opened:
        work.cancel_jobs(f"task:{opened}")
        work.record("task.cancelled", stream=task.case_id, subject=("task", opened), data={"undone": task.id})
    if row.timers:
        work.cancel_jobs(*row.timers)
    session.execute(
        update(Task)
        .where(Task.id.in_(row.opened))
        .values(
            status=TaskStatus.CANCELLED,
            ended_at=work.now,
            ended_by=work.actor.id,
            version=Task.version + 1,
            # The run will make the same token again; an id is never made again.
            token="undone:" + Task.id,
        )
        .execution_options(synchronize_session=False)
    )
    work.change(
        Run,
        task.run_id,
        version=row.run_version,
        state=row.state,
        decision_values=row.decision_values,
        steps=row.steps,
    )
    session.execute(
        delete(RunStep)
        .where(RunStep.run_id == task.run_id, RunStep.number > row.steps)
        .execution_options(synchronize_session=False)
    )
    kept = session.get(TaskAnswers, task.id)
    if kept is not None and task.ended_by is not None:
        work.add(
            TaskDraft,
            task_id=task.id,
            user_id=task.ended_by,
            answers=seal(
                unseal(kept.answers, row=task.id, column="task_answers.answers"),
                row=task.id,
                column="task_drafts.answers",
            ),
            saved_at=work.now,
        )
        session.delete(kept)
    session.delete(row)
    session.flush()
    work.change(
        Task,
        task.id,
        version=task.version,
        status=TaskStatus.OPEN,
        outcome=None,
        ended_at=None,
        ended_by=None,
    )
    desk = next((entry for entry in packs.pack().desks if entry.id == task.desk_id), None)
    if desk is not None:
        share_with_worker(work, loaded.case, desk)
    review_access(work, task.case_id)
    if task.due_at is not None:
        # Its clock finds out by itself what comes next: the reminder may still be to come.
        enqueue_clock(work, task.id, task.case_id, work.now)
