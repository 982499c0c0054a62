"""Runs: an input goes into the engine, its effects become rows, all in the locked case's transaction.

Effects are worked off in order, over all runs that one input wakes (a child that ends wakes its parent, a thrown
message wakes other runs of the case). When something fails, everything that this input did is taken back, and
an incident keeps the input: the run waits there, visibly, until somebody retries, repairs or cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.closing import MAIN_PATH
from nrm.actions.failures import open_incident
from nrm.actions.inputs import Input, input_to_json, values_to_json
from nrm.actions.run_book import RunBook
from nrm.actions.run_effects import apply_waiting
from nrm.actions.run_messages import deliver_kept, deliver_thrown, send
from nrm.engine import effects as fx
from nrm.engine.failures import StepFailed
from nrm.errors import IllegalMove, NotFound, NotValid, Problem
from nrm.models import Case, InboxMessage, Path, PathVersion, Run
from nrm.rules.texts import is_code

_PARENT: Final = aliased(Run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What one input did.

    Attributes:
        effects: kinds of effects that were applied.
        opened: ids of opened tasks.
        timers: names of the timer jobs that were set.
        incident: id of the incident when it failed.
        run_version: the version of the run's row afterwards.
    """

    effects: frozenset[type[object]]
    opened: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()
    incident: str | None = None
    run_version: int = 0


def _drain(book: RunBook) -> None:
    """Apply everything that waits, and everything that follows from it.

    Raises:
        StepFailed: when a path cannot go on.
    """
    while book.waiting or book.subscribed or book.thrown:
        apply_waiting(book)
        deliver_kept(book)
        if not book.waiting:
            deliver_thrown(book)


def _params(failure: StepFailed) -> dict[str, str | int | None]:
    return {name: value for name, value in failure.params.items() if name != "element"}


def drive(
    work: Work,
    case: Case,
    run_id: str,
    given: Input,
    *,
    row: Run | None = None,
    known_desks: frozenset[str] = frozenset(),
) -> Driven:
    """Give an input to a run and do everything that follows; a failure becomes an incident, not an exception.

    Args:
        work: the transaction; the case is locked.
        case: the run's case.
        run_id: the run.
        given: the input.
        row: the run's row, when the caller has loaded it under the lock.
        known_desks: desks that are known to have access to the case.

    Raises:
        NotFound: when the run is not one of this case.
    """
    book = RunBook(work=work, case=case, known_desks=known_desks)
    run = book.load(run_id, row)
    stage = case.stage
    try:
        book.give(run, given)
        with _guard(work, book):
            _drain(book)
            book.save()
    except StepFailed as failure:
        case.stage = stage
        incident = open_incident(
            work,
            kind="step",
            code=failure.code,
            case_id=case.id,
            run_id=run_id,
            step=failure.element,
            params=_params(failure),
            retry=input_to_json(given),
            is_sensitive=run.is_sensitive,
        )
        return Driven(effects=frozenset(), incident=incident, run_version=run.row_version)
    return Driven(
        effects=frozenset(book.kinds),
        opened=tuple(book.opened),
        timers=tuple(book.timers),
        run_version=run.row_version,
    )


def carry_on(work: Work, case: Case, run_id: str, advance: fx.Advance) -> Driven:
    """Do what an advance asks for that was made outside, for a run that was moved to another path version.

    Args:
        work: the transaction; the case is locked.
        case: the run's case.
        run_id: the run; its row names the version already with which the advance was made.
        advance: the run's new state and the effects.

    Raises:
        StepFailed: when the path cannot go on; the caller takes back what was written.
    """
    book = RunBook(work=work, case=case)
    run = book.load(run_id)
    book.take(run, advance)
    _drain(book)
    book.save()
    return Driven(effects=frozenset(book.kinds), opened=tuple(book.opened), run_version=run.row_version)


def _guard(work: Work, book: RunBook) -> AbstractContextManager[None]:
    return work.buffered() if book.is_plain() else work.savepoint()


def begin(
    work: Work,
    case: Case,
    path: str,
    *,
    values: fx.Values | None = None,
    context: Mapping[str, str] | None = None,
    version: int | None = None,
) -> str:
    """Start a path for a case, inside an action that has locked it.

    Args:
        work: the transaction.
        case: the locked case.
        path: path key.
        values: decision values to begin with.
        context: ids that registered checks will need.
        version: a version's number; None for the latest published.

    Returns:
        The run's id.

    Raises:
        IllegalMove: when the path cannot start; nothing was written for it.
    """
    book = RunBook(work=work, case=case)
    try:
        with work.savepoint():
            run = book.start(path, version=version, values=values or {}, context=context or {})
            _drain(book)
            book.save()
    except StepFailed as failure:
        raise IllegalMove((), "path_cannot_start", path=path, cause=failure.code, step=failure.element) from failure
    return run.id


def send_message(
    work: Work,
    case: Case,
    name: str,
    *,
    values: fx.Values | None = None,
    run_id: str | None = None,
    message_id: str | None = None,
) -> None:
    """Give a message to the runs that wait for it, or keep it; a failure becomes an incident.

    Args:
        work: the transaction.
        case: the locked case.
        name: message name.
        values: its decision values.
        run_id: the run that it is for; None for all runs of the case.
        message_id: the sender's id of it; the same id again changes nothing.
    """
    book = RunBook(work=work, case=case)
    stage = case.stage
    key = message_id or ids.new_id("msg")
    try:
        with work.savepoint():
            send(book, name, values=values or {}, run_id=run_id, message_id=key)
            _drain(book)
            book.save()
    except StepFailed as failure:
        case.stage = stage
        retry: dict[str, object] = {"kind": "send", "message": name, "run": run_id, "message_id": key}
        open_incident(
            work,
            kind="step",
            code=failure.code,
            case_id=case.id,
            run_id=run_id,
            step=failure.element,
            params=_params(failure),
            retry={**retry, "values": values_to_json(values or {})},  # type: ignore[dict-item]  # all of it is JSON
            is_sensitive=case.level == "strict",
        )


@action("run.start", permission="run.start")
def start_run(work: Work, case_id: str, path: str, *, version: int | None = None) -> str:
    """Start another path for a case: this is how a service is added at any time.

    Args:
        work: the transaction.
        case_id: the case.
        path: path key.
        version: a version's number; None for the latest published.

    Raises:
        NotFound: when the case is not one that the actor may know of.
        IllegalMove: when the case is closed, the path cannot start, or it is the main path and runs already.
    """
    case = lock_visible_case(work, case_id, writing=True)
    if case.status != "open":
        raise IllegalMove(("reopen",), "case_closed")
    if path == MAIN_PATH and _has_run_of(work, case, path):
        raise IllegalMove((), "path_is_running", path=path)
    return begin(work, case, path, version=version)


def _has_run_of(work: Work, case: Case, path: str) -> bool:
    versions = [PathVersion.id == Run.path_version_id, Path.id == PathVersion.path_id, Path.key == path]
    found = select(Run.id).where(Run.case_id == case.id, Run.status == "running", *versions)
    return work.session.execute(found).first() is not None


@action("run.cancel", permission="run.cancel")
def cancel_run(work: Work, run_id: str, *, reason: str) -> None:
    """Cancel a run with everything that it opened.

    Args:
        work: the transaction.
        run_id: a run of a case that the actor may work on.
        reason: code of the reason.

    Raises:
        NotFound: when there is no such run, or it is not the actor's to know of.
        NotValid: when the reason is no code.
        IllegalMove: when it has ended.
    """
    if not is_code(reason):
        raise NotValid([Problem(pointer="/reason", code="not_a_code")])
    case_id = work.session.execute(select(Run.case_id).where(Run.id == run_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    case = lock_visible_case(work, case_id, writing=True)
    status = work.session.execute(select(Run.status).where(Run.id == run_id)).scalar_one()
    if status != "running":
        raise IllegalMove((), "run_ended")
    work.record("run.cancelled", stream=case.id, subject=("run", run_id), data={"reason": reason})
    give_up(work, case, run_id)


def give_up(work: Work, case: Case, run_id: str) -> None:
    """Cancel a run inside an action that has locked its case; a run that called it sees its call fail.

    Args:
        work: the transaction.
        case: the locked case.
        run_id: a running run of it.
    """
    drive(work, case, run_id, Input(kind="cancel"))
    work.flush()
    parent = (
        select(Run.parent_id, Run.parent_token)
        .where(Run.id == run_id, Run.parent_token.is_not(None))
        .where(exists().where(_PARENT.id == Run.parent_id, _PARENT.status == "running"))
    )
    found = work.session.execute(parent).one_or_none()
    if found is not None:
        drive(work, case, found.parent_id, Input(kind="child_failed", token=found.parent_token, code=fx.GIVEN_UP))


@action("run.fire_timer")
def fire_timer(work: Work, run_id: str, token: str) -> bool:
    """Let a timer of a run go off; only the runner does.

    Args:
        work: the transaction.
        run_id: the run.
        token: the timer's token.

    Returns:
        Whether the run still wanted it.

    Raises:
        NotFound: when anybody but the system asks, or there is no such run.
    """
    if not work.actor.is_system:
        raise NotFound
    case_id = work.session.execute(select(Run.case_id).where(Run.id == run_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    case = work.lock_case(case_id)
    status = work.session.execute(select(Run.status).where(Run.id == run_id)).scalar_one()
    if status != "running":
        return False
    drive(work, case, run_id, Input(kind="timer", token=token))
    return True


@action("run.receive")
def receive_message(
    work: Work, case_id: str, name: str, *, values: fx.Values | None = None, message_id: str | None = None
) -> None:
    """Give a case-level message to the runs of a case; only the system does.

    Args:
        work: the transaction.
        case_id: the case.
        name: message name.
        values: its decision values.
        message_id: the sender's id of it.

    Raises:
        NotFound: when anybody but the system asks, or there is no such case.
    """
    if not work.actor.is_system:
        raise NotFound
    send_message(work, work.lock_case(case_id), name, values=values, message_id=message_id)


def expire_messages(work: Work, now: datetime) -> int:
    """Give up messages that nobody wanted in time, and say how many.

    Args:
        work: the transaction.
        now: messages whose time ended before this.
    """
    found = work.session.execute(
        update(InboxMessage)
        .where(InboxMessage.status == "waiting", InboxMessage.expires_at < now)
        .values(status="expired")
        .execution_options(synchronize_session=False)
    )
    return int(found.rowcount)  # type: ignore[attr-defined]  # a CursorResult
