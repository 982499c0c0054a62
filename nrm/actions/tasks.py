"""What people do with tasks: take, put back, hand over, hold, write down, complete, undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import bindparam, delete, exists, select, update

from nrm import ids
from nrm.actions import runs
from nrm.actions._action import Work, action
from nrm.actions.access import give_access, review_access
from nrm.actions.answer_ids import check_ids
from nrm.actions.inputs import Input, values_from_json
from nrm.actions.openings import enqueue_clock, share_with_worker, time_kind
from nrm.engine import effects as fx
from nrm.engine.steps import Due
from nrm.errors import AlreadyDone, IllegalMove, NotFound, NotValid, Problem, StaleVersion
from nrm.models import Case, Membership, Run, RunStep, Task, TaskAnswers, TaskComment, TaskDraft, TaskUndo, User
from nrm.queries import packs, paths
from nrm.queries.scope import sees_case
from nrm.rules.answer_types import Clean
from nrm.rules.answers import Answers, decision_values, validate_answers
from nrm.rules.deadlines import add_back, remaining
from nrm.rules.statuses import TaskFacts, task_actions
from nrm.rules.texts import WrongValue, clean_text, is_code
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import APART, Access, Holder, Level, TaskStatus

UNDO_WINDOW: Final = timedelta(seconds=30)
"""How long undoing a completed task is offered."""

LONGEST_HOLD: Final = timedelta(days=180)
"""A hold ends by itself, and not later than this."""

# Built once. The lock on all three makes PostgreSQL read them as they are after it waited for the case.
_LOADING: Final = (
    select(Case, Task, Run, exists().where(TaskDraft.task_id == Task.id).correlate(Task).label("drafted"))
    .join(Task, Task.case_id == Case.id)
    .join(Run, Run.id == Task.run_id)
    .where(Task.id == bindparam("task"))
    .with_for_update(of=[Case, Task, Run])
    .execution_options(populate_existing=True)
)

_UNDOABLE: Final[frozenset[type[object]]] = frozenset({fx.OpenTask, fx.SetTimer, fx.PassedStep})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """How a task stands after a verb."""

    id: str
    status: str
    version: int
    assignee_id: str | None
    due_at: datetime | None


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


@dataclass(slots=True)
class Loaded:
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


def load_task(work: Work, task_id: str, *, version: int | None) -> Loaded:
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
    facts = task_facts(work, task)
    if not actor.is_system and not facts.knows and (APART in run.context or not _sees(work, case)):
        raise NotFound
    if version is not None and task.version != version:
        raise StaleVersion(task.version)
    return Loaded(task=task, case=case, run=run, facts=facts, drafted=drafted)


def task_facts(work: Work, task: Task) -> TaskFacts:
    """Say how the actor stands to a task."""
    actor = work.actor
    desk, organisation = task.desk_id, task.organisation_id
    undoable = False
    if task.status == TaskStatus.COMPLETED:
        undoable = _undo_row(work, task) is not None
    return TaskFacts(
        status=TaskStatus(task.status),
        assigned=task.assignee_id is not None,
        mine=task.assignee_id == actor.id,
        at_desk=desk in actor.desks,
        may_work=actor.may("task.work", desk=desk, organisation=organisation),
        may_assign=task.livemode == actor.livemode and packs.pack().supervises(actor, "task.assign", desk),
        completed_by_me=task.ended_by == actor.id,
        undoable=undoable,
    )


def _sees(work: Work, case: Case) -> bool:
    condition = sees_case(work.actor, work.now)
    return work.session.execute(select(Case.id).where(Case.id == case.id, condition)).first() is not None


def _result(task: Task, **changed: object) -> TaskResult:
    facts = {
        "id": task.id,
        "status": task.status,
        "version": task.version + 1,
        "assignee_id": task.assignee_id,
        "due_at": task.due_at,
        **changed,
    }
    return TaskResult(**facts)  # type: ignore[arg-type]  # the fields just named


def _record(work: Work, loaded: Loaded, kind: str, **data: str | None) -> None:
    work.record(
        kind,
        stream=loaded.case.id,
        subject=("task", loaded.task.id),
        data=data,
        organisation_id=loaded.task.organisation_id,
    )


@action("task.claim", permission="task.work")
def claim_task(work: Work, task_id: str, *, version: int | None = None) -> TaskResult:
    """Take an open task from one's desk.

    Raises:
        NotFound: not the actor's to know of.
        IllegalMove: somebody was quicker, or it is not open.
        StaleVersion: it changed since.
    """
    loaded = load_task(work, task_id, version=None)
    if loaded.task.assignee_id == work.actor.id and loaded.task.status == TaskStatus.OPEN:
        return _result(loaded.task, version=loaded.task.version)
    loaded.must("claim")
    if version is not None and loaded.task.version != version:
        raise StaleVersion(loaded.task.version)
    task = loaded.task
    work.change(Task, task.id, version=task.version, assignee_id=work.actor.id, claimed_at=work.now)
    _record(work, loaded, "task.claimed")
    return _result(task, assignee_id=work.actor.id)


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
    _record(work, loaded, "task.released")
    return _result(task, assignee_id=None)


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


def _give_to(work: Work, loaded: Loaded, verb: str, to_user: str, note: str | None) -> TaskResult:
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
    _record(work, loaded, "task.handed_over" if verb == "hand_over" else "task.assigned", user=to_user)
    return _result(task, assignee_id=to_user)


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
        reason: code of the reason.
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
    if not is_code(reason):
        raise NotValid([Problem(pointer="/reason", code="not_a_code")])
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
    _record(work, loaded, "task.held", reason=reason)
    return _result(task, status=TaskStatus.ON_HOLD)


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
            return _result(task, version=task.version)
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
    _record(work, loaded, "task.resumed")
    return _result(task, status=TaskStatus.OPEN, due_at=due_at)


def _due_of(work: Work, loaded: Loaded) -> Due | None:
    spec = paths.version(loaded.task.path_version_id).spec
    step = spec.steps.get(loaded.task.step)
    return step.due if step else None


def _time_left(work: Work, loaded: Loaded) -> int | None:
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


def _comment(work: Work, loaded: Loaded, text: str) -> str:
    try:
        clean = clean_text(text, longest=2_000)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/text", code=error.code)]) from error
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
    _record(work, loaded, "task.commented")
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
        version: the draft's version that this one follows; None to save in any case.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the answers cannot be stored at all.
        IllegalMove: the actor does not hold the task.
        StaleVersion: another window saved a newer draft.
    """
    loaded = load_task(work, task_id, version=None)
    loaded.must("draft")
    task = loaded.task
    checked = _check(work, loaded, answers, partial=True)
    try:
        sealed = seal(_as_json(answers), row=task.id, column="task_drafts.answers")
    except TypeError as error:
        # In a question that is not asked just now, so that the form's check did not look at it.
        raise NotValid([Problem(pointer="", code="broken_text")]) from error
    known = work.session.get(TaskDraft, (task.id, work.actor.id))
    if known is None:
        work.add(TaskDraft, task_id=task.id, user_id=work.actor.id, answers=sealed, saved_at=work.now)
        return DraftSaved(saved_at=work.now, version=1, problems=checked.problems)
    if version is not None and known.version != version:
        raise StaleVersion(known.version)
    known.answers, known.saved_at, known.version = sealed, work.now, known.version + 1
    return DraftSaved(saved_at=work.now, version=known.version, problems=checked.problems)


def _as_json(answers: object) -> Json:
    return dict(answers) if isinstance(answers, Mapping) else None


def _check(work: Work, loaded: Loaded, answers: object, *, partial: bool = False) -> Answers:
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
        check_ids(work, form, checked.clean)
    return checked


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
    checked = _check(work, loaded, answers)
    run = loaded.run
    values = _decisions(work, task, run, checked)
    _finish_task(work, loaded, checked.clean, outcome)
    before = _Before(state=run.state, values=run.decision_values, steps=run.steps)
    driven = runs.drive(
        work,
        case,
        run.id,
        Input(kind="complete", token=task.token, values=values),
        row=run,
        known_desks=frozenset({task.desk_id, *([case.desk_id] if case.desk_id else [])}),
    )
    undo_until = _offer_undo(work, task, before, driven)
    return TaskDone(
        id=task.id, version=task.version + 1, opened=driven.opened, undo_until=undo_until, incident=driven.incident
    )


def _decisions(work: Work, task: Task, run: Run, checked: Answers) -> dict[str, fx.Value]:
    if task.form_version_id is None:
        return {}
    spec = paths.version(run.path_version_id).spec
    form = paths.form(task.form_version_id)
    return dict(decision_values(form, checked.clean, spec.decisions))


def _finish_task(work: Work, loaded: Loaded, clean: Mapping[str, Clean], outcome: str | None) -> None:
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
    work.change(
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
    _record(work, loaded, "task.completed", step=task.step, outcome=outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """A run as it was before a task was completed."""

    state: str
    values: dict[str, Json]
    steps: int


def _offer_undo(work: Work, task: Task, before: _Before, driven: runs.Driven) -> datetime | None:
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


def _undo_row(work: Work, task: Task) -> TaskUndo | None:
    row = work.session.get(TaskUndo, task.id)
    if row is None or row.until < work.now:
        return None
    moved = work.session.execute(select(Run.version).where(Run.id == task.run_id)).scalar_one() != row.run_version
    touched = select(Task.id).where(Task.id.in_(row.opened), Task.version > 1)
    if moved or work.session.execute(touched).first() is not None:
        return None
    return row


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
    row = _undo_row(work, task)
    if row is None:
        raise IllegalMove((), "undo_is_over")
    _put_back(work, loaded, row)
    _record(work, loaded, "task.undone")
    return _result(task, status=TaskStatus.OPEN)


def _put_back(work: Work, loaded: Loaded, row: TaskUndo) -> None:
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
