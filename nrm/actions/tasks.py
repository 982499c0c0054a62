"""What people do with tasks: take, put back, hand over, hold, write down, complete, undo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions import runs
from nrm.actions._action import Work, action
from nrm.actions.access import give_access, review_access
from nrm.actions.inputs import Input
from nrm.actions.openings import enqueue_clock, time_kind
from nrm.actions.task_answers import as_json, check_answers, decisions_of, finish_task
from nrm.actions.task_loading import (
    LoadedTask,
    TaskResult,
    load_task,
    record,
    result,
    undo_row,
)
from nrm.actions.task_undo import RunBefore, offer_undo, put_back
from nrm.engine.steps import Due
from nrm.errors import AlreadyDone, IllegalMove, NotValid, Problem, StaleVersion
from nrm.models import Membership, Task, TaskComment, TaskDraft, User
from nrm.queries import packs, paths
from nrm.rules.deadlines import add_back, remaining
from nrm.rules.texts import WrongValue, clean_text, is_code
from nrm.sealing import seal, unseal
from nrm.vocabulary import Access, Holder, HoldReason, Level, TaskStatus

LONGEST_HOLD: Final = timedelta(days=180)
"""A hold ends by itself, and not later than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    """What completing a task did.

    Attributes:
        id: the task.
        version: its version now.
        opened: ids of the tasks that it opened.
        undo_until: until when it can be undone; None when it cannot.
        incident: id of the incident when the path could not go on; the answers are kept.
    """

    id: str
    version: int
    opened: tuple[str, ...]
    undo_until: datetime | None
    incident: str | None


@action("task.claim", permission="task.work")
def claim_task(work: Work, task_id: str, *, version: int | None = None) -> TaskResult:
    """Take an open task from one's desk; also one of a colleague who is away and for whom one stands in.

    Raises:
        NotFound: not the actor's to know of.
        IllegalMove: somebody was quicker, or it is not open.
        StaleVersion: it changed since.
    """
    loaded = load_task(work, task_id, version=None)
    if loaded.task.assignee_id == work.actor.id and loaded.task.status == TaskStatus.OPEN:
        return result(loaded.task, version=loaded.task.version)
    loaded.must("claim")
    if version is not None and loaded.task.version != version:
        raise StaleVersion(loaded.task.version)
    task = loaded.task
    before = task.assignee_id
    work.change(Task, task.id, version=task.version, assignee_id=work.actor.id, claimed_at=work.now)
    if before is not None and loaded.case.level == Level.STRICT:
        review_access(work, loaded.case.id)
        give_access(work, loaded.case.id, holder=(Holder.USER, work.actor.id), access=Access.WORK, reason="task")
    record(work, loaded, "task.claimed", **({"instead_of": before} if before else {}))
    return result(task, assignee_id=work.actor.id)


@action("task.release", permission="task.work")
def release_task(work: Work, task_id: str, *, version: int | None, reason: str | None = None) -> TaskResult:
    """Put a task back to its desk.

    Args:
        work: the transaction.
        task_id: the task.
        version: the version that the actor saw.
        reason: why, in a few words; kept as a comment.

    Raises:
        NotFound: not the actor's to know of.
        IllegalMove: the actor does not hold it.
        StaleVersion: it changed since.
    """
    loaded = load_task(work, task_id, version=version)
    loaded.must("release")
    task = loaded.task
    work.change(Task, task.id, version=task.version, assignee_id=None, claimed_at=None)
    if reason:
        _comment(work, loaded, reason)
    if loaded.case.level == Level.STRICT:
        review_access(work, loaded.case.id)
    record(work, loaded, "task.released")
    return result(task, assignee_id=None)


@action("task.hand_over", permission="task.work")
def hand_over_task(
    work: Work, task_id: str, *, to_user: str, version: int | None, note: str | None = None
) -> TaskResult:
    """Hand a task that one holds to a colleague of the same desk.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the colleague does not sit at the desk.
        IllegalMove: the actor does not hold it.
        StaleVersion: it changed since.
    """
    return _give_to(work, load_task(work, task_id, version=version), "hand_over", to_user, note)


@action("task.assign", permission="task.assign")
def assign_task(work: Work, task_id: str, *, to_user: str, version: int | None, note: str | None = None) -> TaskResult:
    """Give a task to a member of its desk, as a supervisor.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: that person does not sit at the desk.
        IllegalMove: it is not open.
        StaleVersion: it changed since.
    """
    return _give_to(work, load_task(work, task_id, version=version), "assign", to_user, note)


def _give_to(work: Work, loaded: LoadedTask, verb: str, to_user: str, note: str | None) -> TaskResult:
    loaded.must(verb)
    task = loaded.task
    if not _sits_at(work, to_user, task.desk_id):
        raise NotValid([Problem(pointer="/to_user", code="not_at_desk")])
    work.change(Task, task.id, version=task.version, assignee_id=to_user, claimed_at=work.now)
    if note:
        _comment(work, loaded, note)
    if loaded.case.level == Level.STRICT:
        review_access(work, loaded.case.id)
        give_access(work, loaded.case.id, holder=(Holder.USER, to_user), access=Access.WORK, reason="task")
    record(work, loaded, "task.handed_over" if verb == "hand_over" else "task.assigned", user=to_user)
    return result(task, assignee_id=to_user)


def _sits_at(work: Work, user_id: str, desk_id: str) -> bool:
    found = select(Membership.id).join(User, User.id == Membership.user_id)
    found = found.where(
        Membership.user_id == user_id,
        Membership.desk_id == desk_id,
        Membership.until.is_(None) | (Membership.until > work.now),
        User.disabled_at.is_(None),
    )
    return work.session.execute(found).first() is not None


@action("task.hold", permission="task.work")
def hold_task(work: Work, task_id: str, *, until: datetime, reason: str, version: int | None) -> TaskResult:
    """Put a task on hold until a date; its time stands still, and it comes back by itself.

    Args:
        work: the transaction.
        task_id: the task.
        until: when it comes back, aware, in the future, at most 180 days away.
        reason: one of `nrm.vocabulary.HoldReason`.
        version: the version that the actor saw.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the date or the code is wrong.
        IllegalMove: it is not open, or not the actor's to hold.
        StaleVersion: it changed since.
    """
    loaded = load_task(work, task_id, version=version)
    loaded.must("hold")
    if not work.now < until <= work.now + LONGEST_HOLD:
        raise NotValid([Problem(pointer="/until", code="hold_date", params={"days": LONGEST_HOLD.days})])
    if reason not in set(HoldReason):
        raise NotValid([Problem(pointer="/reason", code="unknown_code")])
    task = loaded.task
    left = _time_left(work, loaded)
    work.change(
        Task,
        task.id,
        version=task.version,
        status=TaskStatus.ON_HOLD,
        hold_until=until,
        hold_reason=reason,
        hold_ended_at=None,
        pause_left=left,
    )
    work.cancel_jobs(f"task:{task.id}")
    work.enqueue(
        "task_resume",
        {"task": task.id},
        due_at=until,
        queue="timers",
        case_id=task.case_id,
        dedup_key=f"resume:{task.id}",
    )
    record(work, loaded, "task.held", reason=reason)
    return result(task, status=TaskStatus.ON_HOLD)


@action("task.resume")
def resume_task(work: Work, task_id: str, *, version: int | None = None) -> TaskResult:
    """Take a task off hold; it gets the time back that it had left.

    Raises:
        NotFound: not the actor's to know of.
        IllegalMove: it is not on hold.
        StaleVersion: it changed since.
    """
    loaded = load_task(work, task_id, version=version)
    task = loaded.task
    if work.actor.is_system:
        if task.status != TaskStatus.ON_HOLD:
            return result(task, version=task.version)
    else:
        loaded.must("resume")
    due = _due_of(work, loaded)
    due_at = task.due_at
    if task.pause_left is not None and due is not None:
        calendar = packs.pack().calendar_for(loaded.case.jurisdiction)
        left = timedelta(seconds=task.pause_left)
        due_at = add_back(work.now, left, calendar=calendar, kind=time_kind(due, loaded.case))
    work.change(
        Task,
        task.id,
        version=task.version,
        status=TaskStatus.OPEN,
        hold_until=None,
        hold_ended_at=work.now,
        pause_left=None,
        due_at=due_at,
    )
    work.cancel_jobs(f"resume:{task.id}")
    if due_at is not None:
        enqueue_clock(work, task.id, task.case_id, max(due_at, work.now) if task.reminded_at else work.now)
    record(work, loaded, "task.resumed")
    return result(task, status=TaskStatus.OPEN, due_at=due_at)


def _due_of(work: Work, loaded: LoadedTask) -> Due | None:
    spec = paths.version(loaded.task.path_version_id).spec
    step = spec.steps.get(loaded.task.step)
    return step.due if step else None


def _time_left(work: Work, loaded: LoadedTask) -> int | None:
    due = _due_of(work, loaded)
    if due is None or loaded.task.due_at is None:
        return None
    calendar = packs.pack().calendar_for(loaded.case.jurisdiction)
    left = remaining(work.now, loaded.task.due_at, calendar=calendar, kind=time_kind(due, loaded.case))
    return int(left.total_seconds())


@action("task.comment", permission="task.work")
def comment_task(work: Work, task_id: str, *, text: str) -> str:
    """Add a comment to a task, and give its id.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the text is empty or cannot be stored.
        IllegalMove: the actor has nothing to do with it.
    """
    loaded = load_task(work, task_id, version=None)
    loaded.must("comment")
    return _comment(work, loaded, text)


def _comment(work: Work, loaded: LoadedTask, text: str) -> str:
    try:
        clean = clean_text(text, longest=2_000, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/text", code=error.code, params=error.params)]) from error
    if not clean:
        raise NotValid([Problem(pointer="/text", code="required")])
    comment_id = ids.new_id("cmt")
    work.add(
        TaskComment,
        id=comment_id,
        task_id=loaded.task.id,
        author=work.actor.id,
        text=seal(clean, row=comment_id, column="task_comments.text"),
        created_at=work.now,
    )
    record(work, loaded, "task.commented")
    return comment_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSaved:
    """When a draft was saved, and what would still stop completing."""

    saved_at: datetime
    version: int
    problems: tuple[Problem, ...]


@action("task.draft", permission="task.work")
def save_draft(work: Work, task_id: str, *, answers: object, version: int | None = None) -> DraftSaved:
    """Keep answers that are typed but not yet given.

    Args:
        work: the transaction.
        task_id: a task that the actor holds.
        answers: the answers so far; what was typed is kept even where it is still wrong.
        version: the draft's version that this one follows, 0 for none; None to save in any case.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the answers cannot be stored at all.
        IllegalMove: the actor does not hold the task.
        StaleVersion: another window saved a newer draft.
    """
    loaded = load_task(work, task_id, version=None)
    loaded.must("draft")
    task = loaded.task
    checked = check_answers(work, loaded, answers, partial=True)
    try:
        sealed = seal(as_json(answers), row=task.id, column="task_drafts.answers")
    except TypeError as error:
        # In a question that is not asked just now, so that the form's check did not look at it.
        raise NotValid([Problem(pointer="", code="broken_text")]) from error
    known = work.session.get(TaskDraft, (task.id, work.actor.id))
    if known is None:
        work.add(TaskDraft, task_id=task.id, user_id=work.actor.id, answers=sealed, saved_at=work.now)
        return DraftSaved(saved_at=work.now, version=1, problems=checked.problems)
    if version is not None and known.version != version:
        if unseal(known.answers, row=task.id, column="task_drafts.answers") != as_json(answers):
            raise StaleVersion(known.version)
        # The same once more: the answer to the first time was lost on the way.
        return DraftSaved(saved_at=known.saved_at, version=known.version, problems=checked.problems)
    known.answers, known.saved_at, known.version = sealed, work.now, known.version + 1
    return DraftSaved(saved_at=work.now, version=known.version, problems=checked.problems)


@action("task.complete", permission="task.work")
def complete_task(
    work: Work, task_id: str, *, answers: object, outcome: str | None = None, version: int | None
) -> TaskDone:
    """Complete a task: keep its answers and let the path go on.

    When the path cannot go on, the answers are kept all the same and an incident says what is wrong.

    Args:
        work: the transaction.
        task_id: a task that the actor holds.
        answers: the answers to its form.
        outcome: a coded result, where the form does not say it.
        version: the version that the actor saw.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: answers are missing or wrong.
        AlreadyDone: the actor has completed it before: a second click.
        IllegalMove: the actor does not hold it, or it is not open.
        StaleVersion: it changed since.
    """
    loaded = load_task(work, task_id, version=None)
    task, case = loaded.task, loaded.case
    if task.status == TaskStatus.COMPLETED and task.ended_by == work.actor.id:
        raise AlreadyDone("task_completed_by_you")
    loaded.must("complete")
    if version is not None and task.version != version:
        raise StaleVersion(task.version)
    if outcome is not None and not is_code(outcome):
        raise NotValid([Problem(pointer="/outcome", code="not_a_code")])
    checked = check_answers(work, loaded, answers)
    run = loaded.run
    values = decisions_of(work, task, run, checked)
    finish_task(work, loaded, checked.clean, outcome)
    before = RunBefore(state=run.state, values=run.decision_values, steps=run.steps)
    driven = runs.drive(
        work,
        case,
        run.id,
        Input(kind="complete", token=task.token, values=values),
        row=run,
        known_desks=frozenset({task.desk_id, *([case.desk_id] if case.desk_id else [])}),
    )
    undo_until = offer_undo(work, task, before, driven)
    return TaskDone(
        id=task.id, version=task.version + 1, opened=driven.opened, undo_until=undo_until, incident=driven.incident
    )


@action("task.undo", permission="task.work")
def undo_task(work: Work, task_id: str) -> TaskResult:
    """Take back the completion of a task: it is open again, with the answers as a draft.

    Only where completing did nothing but open tasks and set timers, and nobody has touched them since.

    Raises:
        NotFound: not the actor's to know of.
        IllegalMove: it can no longer be undone.
    """
    loaded = load_task(work, task_id, version=None)
    loaded.must("undo")
    task = loaded.task
    row = undo_row(work, task)
    if row is None:
        raise IllegalMove((), "undo_is_over")
    put_back(work, loaded, row)
    record(work, loaded, "task.undone")
    return result(task, status=TaskStatus.OPEN)
