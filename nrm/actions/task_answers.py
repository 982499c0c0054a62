"""The answers of a task: checked against its form, read for the path, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sqlalchemy import delete

from nrm.actions._action import Work
from nrm.actions.access import review_access
from nrm.actions.answer_ids import check_ids
from nrm.actions.inputs import values_from_json
from nrm.actions.task_loading import LoadedTask, record
from nrm.engine import effects as fx
from nrm.errors import NotValid, Problem
from nrm.models import Run, Task, TaskAnswers, TaskDraft
from nrm.queries import packs, paths
from nrm.rules.answer_types import Clean
from nrm.rules.answers import Answers, decision_values, validate_answers
from nrm.sealing import Json, seal
from nrm.vocabulary import Level, TaskStatus


def as_json(answers: object) -> Json:
    """Give answers as they are kept: a mapping, or nothing."""
    return dict(answers) if isinstance(answers, Mapping) else None


def check_answers(work: Work, loaded: LoadedTask, answers: object, *, partial: bool = False) -> Answers:
    """Check the answers of a task against the form version that it was opened with.

    Args:
        work: the transaction.
        loaded: the task.
        answers: what was filled in.
        partial: a draft: what is still missing is no problem.

    Raises:
        NotValid: answers are missing or wrong, or the task has no form and there are some.
    """
    task = loaded.task
    form = paths.form(task.form_version_id) if task.form_version_id else None
    if form is None:
        if answers not in ({}, None):
            raise NotValid([Problem(pointer="", code="no_form")])
        return Answers(clean={})
    setting = packs.pack().answer_setting
    today = work.now.astimezone(setting.zone).date() if setting.zone else work.now.date()
    earlier = values_from_json(loaded.run.decision_values)
    checked = validate_answers(
        form, answers, today=today, setting=setting, values_from_earlier=earlier, partial=partial
    )
    if not partial:
        check_ids(work, form, checked.clean, task_id=task.id)
    return checked


def decisions_of(work: Work, task: Task, run: Run, checked: Answers) -> dict[str, fx.Value]:
    """Give the values among the answers that the task's path reads."""
    if task.form_version_id is None:
        return {}
    spec = paths.version(run.path_version_id).spec
    form = paths.form(task.form_version_id)
    return dict(decision_values(form, checked.clean, spec.decisions))


def finish_task(work: Work, loaded: LoadedTask, clean: Mapping[str, Clean], outcome: str | None) -> None:
    """Write the answers and the end of a task, inside the action that completes it."""
    task = loaded.task
    work.add(
        TaskAnswers,
        task_id=task.id,
        case_id=task.case_id,
        run_id=task.run_id,
        step=task.step,
        form_version_id=task.form_version_id,
        answers=seal(cast("Json", dict(clean)), row=task.id, column="task_answers.answers"),
        answered_by=work.actor.id,
        answered_at=work.now,
    )
    work.change_soon(
        Task,
        task.id,
        version=task.version,
        status=TaskStatus.COMPLETED,
        outcome=outcome,
        ended_at=work.now,
        ended_by=work.actor.id,
    )
    if loaded.drafted:
        work.session.execute(
            delete(TaskDraft).where(TaskDraft.task_id == task.id).execution_options(synchronize_session=False)
        )
    if task.due_at is not None:
        work.cancel_jobs(f"task:{task.id}")
    if task.desk_id != loaded.case.desk_id or task.escalation or loaded.case.level == Level.STRICT:
        review_access(work, task.case_id)
    record(work, loaded, "task.completed", step=task.step, outcome=outcome)
