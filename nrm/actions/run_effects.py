"""What each kind of effect becomes: rows, jobs, inputs of other runs."""

from __future__ import annotations

from typing import Final, assert_never

from sqlalchemy import delete, select, update

from nrm import ids
from nrm.actions.access import review_access
from nrm.actions.check_calls import REGISTRY, CheckCall
from nrm.actions.failures import open_incident
from nrm.actions.inputs import Input
from nrm.actions.openings import open_task
from nrm.actions.run_book import LiveRun, RunBook, timer_key
from nrm.engine import effects as fx
from nrm.engine.failures import StepFailed
from nrm.errors import NrmError
from nrm.models import Outcome, Run, RunStep, Subscription, Task
from nrm.vocabulary import TaskStatus

MAX_EFFECTS: Final = 2_000
"""How many effects one input may have over all runs that it wakes."""


def apply_waiting(book: RunBook) -> None:
    """Apply the effects that wait, over all runs, in order.

    Raises:
        StepFailed: when a path cannot go on, or never comes to rest.
    """
    while book.waiting:
        book.applied += 1
        if book.applied > MAX_EFFECTS:
            raise StepFailed("too_many_effects", "", limit=MAX_EFFECTS)
        run, effect = book.waiting.popleft()
        book.kinds.add(type(effect))
        _apply(book, run, effect)


def _apply(book: RunBook, run: LiveRun, effect: fx.Effect) -> None:  # noqa: C901, PLR0912 - one arm per kind of effect
    match effect:
        case fx.OpenTask():
            _open_task(book, run, effect)
        case fx.CloseTask():
            _close_task(book, run, effect)
        case fx.RunCheck():
            _run_check(book, run, effect)
        case fx.StartChildRun():
            _start_child(book, run, effect)
        case fx.CancelChildRun():
            _cancel_child(book, run, effect)
        case fx.SetTimer():
            _set_timer(book, run, effect)
        case fx.CancelTimer():
            book.work.cancel_jobs(timer_key(run.id, effect.token))
        case fx.Subscribe():
            _subscribe(book, run, effect)
        case fx.Unsubscribe():
            _unsubscribe(book, run, effect)
        case fx.ThrowMessage():
            book.thrown.append((run, effect))
        case fx.Escalate():
            _to_parent(book, run, Input(kind="child_escalated", code=effect.code))
        case fx.EnterStage():
            _enter_stage(book, effect)
        case fx.RecordOutcome():
            run.outcome = effect.code
        case fx.FailParent():
            run.error = effect.code
        case fx.FinishRun():
            _finish(book, run, effect)
        case fx.PassedStep():
            _passed(book, run, effect)
        case _:
            assert_never(effect)


def _open_task(book: RunBook, run: LiveRun, effect: fx.OpenTask) -> None:
    book.opened.append(
        open_task(
            book.work,
            book.case,
            run.spec.steps[effect.step],
            run_id=run.id,
            version_id=run.version_id,
            token=effect.token,
            item=effect.item,
            context=run.context,
            planned=run.values.get("service_id"),
            known_desks=book.known_desks,
        )
    )


def _close_task(book: RunBook, run: LiveRun, effect: fx.CloseTask) -> None:
    book.work.flush()
    task_id = book.work.session.execute(
        update(Task)
        .where(
            Task.run_id == run.id,
            Task.token == effect.token,
            Task.status.in_([TaskStatus.OPEN, TaskStatus.ON_HOLD]),
        )
        .values(
            status=TaskStatus.CANCELLED,
            ended_at=book.work.now,
            ended_by=book.work.actor.id,
            version=Task.version + 1,
        )
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if task_id is not None:
        book.work.cancel_jobs(f"task:{task_id}", f"resume:{task_id}")
        review_access(book.work, book.case.id)
        book.work.record("task.cancelled", stream=book.case.id, subject=("task", task_id), data={})


def _run_check(book: RunBook, run: LiveRun, effect: fx.RunCheck) -> None:
    check = REGISTRY.get(effect.name)
    if check is None:
        raise StepFailed("unknown_check", effect.step, check=effect.name)
    call = CheckCall(
        case=book.case,
        run_id=run.id,
        step=effect.step,
        token=effect.token,
        params=effect.params,
        item=effect.item,
        context=run.context,
        values=run.values,
    )
    try:
        result = check(book.work, call)
    except StepFailed:
        raise
    except NrmError as error:
        raise StepFailed("check_failed", effect.step, check=effect.name, cause=error.code) from error
    run.context.update(result.context)
    book.give(run, Input(kind="complete", token=effect.token, values=result.values))


def _start_child(book: RunBook, run: LiveRun, effect: fx.StartChildRun) -> None:
    context = dict(run.context)
    if effect.item is not None:
        context["item"] = effect.item
    try:
        book.start(
            effect.path,
            version=effect.version,
            values=effect.values,
            context=context,
            parent=run,
            token=effect.token,
        )
    except StepFailed as error:
        raise StepFailed(error.code, effect.step, **error.params) from error


def _cancel_child(book: RunBook, run: LiveRun, effect: fx.CancelChildRun) -> None:
    book.work.flush()
    child_id = book.work.session.execute(
        select(Run.id).where(Run.parent_id == run.id, Run.parent_token == effect.token, Run.status == "running")
    ).scalar_one_or_none()
    if child_id is not None:
        child = book.load(child_id)
        if child.status is fx.RunStatus.RUNNING:
            book.give(child, Input(kind="cancel"))


def _set_timer(book: RunBook, run: LiveRun, effect: fx.SetTimer) -> None:
    name = timer_key(run.id, effect.token)
    book.timers.append(name)
    book.work.enqueue(
        "timer",
        {"run": run.id, "token": effect.token},
        due_at=effect.due_at,
        queue="timers",
        case_id=book.case.id,
        dedup_key=name,
    )


def _subscribe(book: RunBook, run: LiveRun, effect: fx.Subscribe) -> None:
    book.work.add(
        Subscription,
        id=ids.new_id("sub"),
        case_id=book.case.id,
        run_id=run.id,
        token=effect.token,
        step=effect.step,
        message=effect.message,
        correlation=run.id if effect.correlation == "run" else book.case.id,
        created_at=book.work.now,
    )
    book.subscribed.append((run, effect))


def _unsubscribe(book: RunBook, run: LiveRun, effect: fx.Unsubscribe) -> None:
    book.work.flush()
    since = book.work.session.execute(
        delete(Subscription)
        .where(Subscription.run_id == run.id, Subscription.token == effect.token)
        .returning(Subscription.created_at)
        .execution_options(synchronize_session=False)
    ).scalars()
    if (begun := min(since, default=None)) is not None and run.only_waits(effect.step):
        book.waited[run.id, effect.step] = begun
    book.subscribed = [entry for entry in book.subscribed if (entry[0].id, entry[1].token) != (run.id, effect.token)]


def _enter_stage(book: RunBook, effect: fx.EnterStage) -> None:
    if book.case.stage == effect.stage:
        return
    book.work.record(
        "case.stage_entered",
        stream=book.case.id,
        subject=("case", book.case.id),
        data={"from": book.case.stage, "stage": effect.stage},
    )
    book.case.stage = effect.stage


def _passed(book: RunBook, run: LiveRun, effect: fx.PassedStep) -> None:
    run.steps += 1
    since = book.waited.pop((run.id, effect.step), None)
    waited = None if since is None else max(0, round((book.work.now - since).total_seconds()))
    book.work.add(
        RunStep,
        run_id=run.id,
        number=run.steps,
        step=effect.step,
        way=effect.way,
        at=book.work.now,
        waited=waited,
    )


def _finish(book: RunBook, run: LiveRun, effect: fx.FinishRun) -> None:
    run.status = effect.status
    run.outcome = effect.outcome or run.outcome
    run.changed = True
    kind = {"finished": "run.finished", "cancelled": "run.cancelled"}.get(effect.status, "run.failed")
    book.work.record(
        kind, stream=book.case.id, subject=("run", run.id), data={"outcome": run.outcome, "error": run.error}
    )
    if run.outcome is not None:
        book.work.add(
            Outcome,
            id=ids.new_id("out"),
            case_id=book.case.id,
            subject_kind="run",
            subject_id=run.id,
            code=run.outcome,
            actor=book.work.actor.id,
            at=book.work.now,
        )
    if effect.status is fx.RunStatus.FINISHED:
        _to_parent(book, run, Input(kind="child", outcome=run.outcome or "", values=run.values))
    elif effect.status is fx.RunStatus.FAILED:
        code = run.error or "failed"
        if run.parent_id is None:
            open_incident(
                book.work,
                kind="step",
                code="uncaught_error",
                case_id=book.case.id,
                run_id=run.id,
                params={"error": code},
                is_sensitive=run.is_sensitive,
            )
        _to_parent(book, run, Input(kind="child_failed", code=code))


def _to_parent(book: RunBook, run: LiveRun, given: Input) -> None:
    if run.parent_id is None or run.parent_token is None:
        return
    parent = book.load(run.parent_id)
    if parent.status is not fx.RunStatus.RUNNING:
        return
    book.give(
        parent,
        Input(
            kind=given.kind,
            token=run.parent_token,
            values=given.values,
            code=given.code,
            outcome=given.outcome,
        ),
    )
