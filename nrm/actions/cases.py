"""What people do with cases: open, change, transfer, share, note, raise a risk, close, open again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, Unpack

from sqlalchemy import select, update

from nrm import ids
from nrm.actions import referral_moves, runs
from nrm.actions._action import Work, action
from nrm.actions.access import end_access, end_reasons, give_access, lock_visible_case, review_access
from nrm.actions.case_moving import move_referrals, move_tasks
from nrm.actions.case_opening import CaseFacts, CaseResult, begin_case, check_codes, no_open_case, works_on_cases
from nrm.actions.case_sharing import may_know_strict, raise_level, share_with_owner
from nrm.actions.closing import end_case, open_referrals
from nrm.actions.inputs import Input
from nrm.errors import IllegalMove, NotValid, Problem
from nrm.models import Case, CaseNote, Desk, Organisation, Person, Run, Task, User
from nrm.queries import packs
from nrm.rules.texts import WrongValue, clean_text, is_code
from nrm.sealing import seal
from nrm.vocabulary import (
    Access,
    CaseStatus,
    Holder,
    Level,
    Priority,
    ReopenReason,
    TaskStatus,
    TransferReason,
    WithdrawReason,
)

CASE_MESSAGES: Final = frozenset({"person.deceased", "risk.raised", "arrival.confirmed", "case.transferred"})
"""Messages that a person may send to a case; withdrawing consent has a verb of its own. "case.transferred" says that
somebody outside this system has taken the case over: moving it to another desk here is `transfer_case`."""


_ENDS_REFERRALS: Final = {"person.deceased": WithdrawReason.DECEASED, "case.transferred": WithdrawReason.CASE_CLOSED}
"""Message after which nothing is to be done for the returnee here: open referrals end, receivers lose access."""


@action("case.open", permission="case.open")
def open_case(work: Work, person_id: str, **facts: Unpack[CaseFacts]) -> CaseResult:
    """Open a case for a person and start its main path.

    Args:
        work: the transaction.
        person_id: the person; one open case at most.
        facts: the place, and what else is known (`CaseFacts`).

    Raises:
        NotValid: a code or the place is unknown.
        IllegalMove: the person has an open case.
        NotFound: there is no such person.
    """
    return begin_case(work, person_id, **facts)


@action("case.change", permission="case.work")
def change_case(work: Work, case_id: str, *, version: int | None, changes: Mapping[str, object]) -> CaseResult:
    """Change facts of a case: priority, handler, dates, programme, kind of return, host country.

    Args:
        work: the transaction.
        case_id: the case.
        version: the version that the actor saw.
        changes: column → new value; only the ones named here.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: a field cannot be changed like this.
        StaleVersion: it changed since.
    """
    case = lock_visible_case(work, case_id, writing=True, version=version)
    allowed = {"priority", "handler_id", "returned_on", "arrived_on", "programme", "return_type", "host_country"}
    problems = [Problem(pointer=f"/{name}", code="unknown_field") for name in changes if name not in allowed]
    problems += [
        Problem(pointer=f"/{name}", code="not_a_date")
        for name in ("returned_on", "arrived_on")
        if not isinstance(changes.get(name), date | None)
    ]
    if problems:
        raise NotValid(problems)
    priority = str(changes.get("priority", case.priority))
    check_codes(
        {name: _text(changes.get(name)) for name in ("return_type", "host_country", "programme")}, case.level, priority
    )
    if changes.get("handler_id") is not None and work.session.get(User, str(changes["handler_id"])) is None:
        raise NotValid([Problem(pointer="/handler_id", code="unknown_user")])
    work.change(Case, case_id, version=case.version, **dict(changes))
    if "priority" in changes:
        set_priority(work, case, priority, write=False)
    work.record("case.changed", stream=case_id, subject=("case", case_id), data={"fields": sorted(changes)})
    return _result(case)


def set_priority(work: Work, case: Case, priority: str, *, write: bool = True) -> None:
    """Set how pressing a case is, and with it its open tasks.

    Args:
        work: the transaction.
        case: the locked case.
        priority: one of `Priority`.
        write: also store it in the case's row.

    Raises:
        NotValid: no such priority.
    """
    if priority not in set(Priority):
        raise NotValid([Problem(pointer="/priority", code="unknown_code")])
    if write:
        case.priority = priority
    work.flush()
    work.session.execute(
        update(Task)
        .where(Task.case_id == case.id, Task.status.in_([TaskStatus.OPEN, TaskStatus.ON_HOLD]))
        .values(priority=priority)
        .execution_options(synchronize_session=False)
    )
    work.record("case.priority_set", stream=case.id, subject=("case", case.id), data={"priority": priority})


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _result(case: Case, **changed: str) -> CaseResult:
    status = changed.get("status", case.status)
    return CaseResult(id=case.id, number=case.number, status=status, version=case.version + 1)


@action("case.transfer", permission="case.transfer")
def transfer_case(work: Work, case_id: str, *, desk_id: str, reason: str, version: int | None) -> CaseResult:
    """Move a case to another desk: another branch, or the other jurisdiction.

    The new desk and its organisation get access, the old ones lose it, and open tasks of the old organisation move
    to the desk that does their work at the new place, with their due dates. The runs go on.

    Args:
        work: the transaction.
        case_id: the case.
        desk_id: the desk that takes it.
        reason: one of `nrm.vocabulary.TransferReason`.
        version: the version that the actor saw.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: no such desk, or it is the same, or one that has no cases; the reason is unknown.
        StaleVersion: it changed since.
    """
    _check_reason(reason, TransferReason)
    case = lock_visible_case(work, case_id, writing=True, version=version)
    desk = work.session.get(Desk, desk_id)
    if desk is None or not desk.active or desk.id == case.desk_id:
        raise NotValid([Problem(pointer="/desk_id", code="unknown_desk")])
    if not works_on_cases(desk.role):
        raise NotValid([Problem(pointer="/desk_id", code="unknown_desk")])
    old_desk, old_organisation = case.desk_id, case.organisation_id
    jurisdiction = desk.jurisdiction or case.jurisdiction
    work.change(
        Case,
        case_id,
        version=case.version,
        desk_id=desk.id,
        organisation_id=desk.organisation_id,
        jurisdiction=jurisdiction,
        governorate=desk.governorate or case.governorate,
        handler_id=None,
    )
    result = _result(case)
    moved = work.lock_case(case_id)
    move_tasks(work, moved, old_organisation)
    move_referrals(work, moved, old_organisation)
    if old_desk is not None:
        end_access(work, case_id, holder=(Holder.DESK, old_desk))
    end_reasons(work, moved, "owner", "team")
    share_with_owner(work, moved)
    review_access(work, case_id)
    work.record(
        "case.transferred",
        stream=case_id,
        subject=("case", case_id),
        data={"from": old_desk, "desk": desk.id, "reason": reason},
        organisation_id=desk.organisation_id,
    )
    return result


@action("case.set_level", permission="case.level")
def set_level(work: Work, case_id: str, *, level: str, version: int | None) -> CaseResult:
    """Set who may know of a case; making it strict ends the access of whole organisations at once.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: no such level.
        StaleVersion: it changed since.
    """
    case = lock_visible_case(work, case_id, writing=True, version=version)
    if level not in set(Level):
        raise NotValid([Problem(pointer="/level", code="unknown_code")])
    before = case.level
    raise_level(work, case, level)
    if before == Level.STRICT and level != Level.STRICT:
        share_with_owner(work, case)
    work.change(Case, case_id, version=case.version)
    return _result(case)


@action("case.share", permission="case.level")
def share_case(work: Work, case_id: str, *, holder_kind: str, holder_id: str, access: str) -> None:
    """Let a desk, a person or a whole organisation (its leads and its programs) know of a case.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the holder or the access is unknown, or the case is strict and nothing for the holder's role.
    """
    case = lock_visible_case(work, case_id, writing=True)
    known = {"desk": Desk, "user": User, "organisation": Organisation}.get(holder_kind)
    if known is None or work.session.get(known, holder_id) is None:
        raise NotValid([Problem(pointer="/holder_id", code="unknown_holder")])
    if access not in set(Access):
        raise NotValid([Problem(pointer="/access", code="unknown_code")])
    if case.level == Level.STRICT and not may_know_strict(work, holder_kind, holder_id):
        raise NotValid([Problem(pointer="/holder_id", code="not_for_strict_cases")])
    give_access(work, case.id, holder=(Holder(holder_kind), holder_id), access=Access(access), reason="shared")


@action("case.unshare", permission="case.level")
def unshare_case(work: Work, case_id: str, *, holder_kind: str, holder_id: str) -> None:
    """End the access of a desk or a person, other than the desk that owns the case.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: it is the owning desk, or no kind of holder.
    """
    case = lock_visible_case(work, case_id, writing=True)
    if holder_kind not in set(Holder) or holder_id == case.desk_id:
        raise NotValid([Problem(pointer="/holder_id", code="unknown_holder")])
    end_access(work, case.id, holder=(Holder(holder_kind), holder_id))


@action("case.add_note", permission="case.work")
def add_note(work: Work, case_id: str, *, text: str, pinned: bool = False) -> str:
    """Add a note to a case, and give its id.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the text is empty or cannot be stored.
    """
    case = lock_visible_case(work, case_id, writing=True)
    try:
        clean = clean_text(text, longest=10_000, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/text", code=error.code, params=error.params)]) from error
    if not clean:
        raise NotValid([Problem(pointer="/text", code="required")])
    note_id = ids.new_id("not")
    work.add(
        CaseNote,
        id=note_id,
        case_id=case.id,
        author_id=work.actor.id,
        text=seal(clean, row=note_id, column="case_notes.text"),
        pinned=pinned,
        created_at=work.now,
    )
    work.record("case.note_added", stream=case.id, subject=("note", note_id), data={})
    return note_id


@action("case.tell", permission="case.work")
def tell_case(work: Work, case_id: str, *, message: str, values: Mapping[str, str] | None = None) -> None:
    """Tell all runs of a case what has happened: the person arrived, died, or is at risk.

    Args:
        work: the transaction.
        case_id: the case.
        message: one of `CASE_MESSAGES`.
        values: codes that the runs may read.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: no such message, or a value that is no code.
        IllegalMove: the case is closed.
    """
    if message not in CASE_MESSAGES:
        raise NotValid([Problem(pointer="/message", code="unknown_code")])
    wrong = [name for name, value in (values or {}).items() if not (is_code(name) and is_code(value))]
    if wrong:
        raise NotValid([Problem(pointer="/values", code="not_a_code")])
    case = lock_visible_case(work, case_id, writing=True)
    if case.status != CaseStatus.OPEN:
        raise IllegalMove(("reopen",), "case_closed")
    if message == "person.deceased":
        person = work.session.get(Person, case.person_id)
        if person is not None and person.deceased_on is None:
            person.deceased_on = work.now.date()
    if message == "arrival.confirmed" and case.arrived_on is None:
        case.arrived_on = work.now.date()
    work.session.flush()
    if message in _ENDS_REFERRALS:
        referral_moves.withdraw_all(work, case, reason=_ENDS_REFERRALS[message])
    runs.send_message(work, case, message, values=values or {})


@action("case.close", permission="case.close")
def close_case(work: Work, case_id: str, *, outcome: str, reason: str, version: int | None) -> CaseResult:
    """Close a case by hand, where no path does it; what still runs is cancelled.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: outcome or reason is unknown.
        IllegalMove: it is closed, or a referral is still open.
        StaleVersion: it changed since.
    """
    case = lock_visible_case(work, case_id, writing=True, version=version)
    if case.status != CaseStatus.OPEN:
        raise IllegalMove(("reopen",), "case_closed")
    _check_closing(outcome, reason)
    if open_referrals(work, case_id):
        raise IllegalMove(("cancel_referrals",), "referrals_open")
    _cancel_runs(work, case)
    end_case(work, case, outcome=outcome, reason=reason)
    return CaseResult(id=case.id, number=case.number, status=case.status, version=case.version)


def _cancel_runs(work: Work, case: Case) -> None:
    """Cancel what still runs: at closing everything, at reopening the wait for a reopening."""
    live = select(Run.id).where(Run.case_id == case.id, Run.status == "running", Run.parent_id.is_(None))
    for run_id in work.session.execute(live).scalars().all():
        runs.drive(work, case, run_id, Input(kind="cancel"))


def _check_reason(reason: str, known: type[StrEnum]) -> None:
    if reason not in set(known):
        raise NotValid([Problem(pointer="/reason", code="unknown_code")])


def _check_closing(outcome: str, reason: str) -> None:
    problems = []
    if outcome not in packs.pack().codes_of("case_outcome"):
        problems.append(Problem(pointer="/outcome", code="unknown_code"))
    if reason not in packs.pack().codes_of("closure_reason"):
        problems.append(Problem(pointer="/reason", code="unknown_code"))
    if problems:
        raise NotValid(problems)


@action("case.reopen", permission="case.close")
def reopen_case(work: Work, case_id: str, *, reason: str, version: int | None, path: str | None = None) -> CaseResult:
    """Open a closed case again, end the wait for a reopening and, if asked, start a path.

    Args:
        work: the transaction.
        case_id: the case.
        reason: one of `nrm.vocabulary.ReopenReason`.
        version: the version that the actor saw.
        path: key of the path to start.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the reason is unknown.
        IllegalMove: it is open, or the person has another open case.
        StaleVersion: it changed since.
    """
    _check_reason(reason, ReopenReason)
    case = lock_visible_case(work, case_id, writing=True, version=version)
    if case.status == CaseStatus.OPEN:
        raise IllegalMove(("close",), "case_open")
    work.session.get(Person, case.person_id, with_for_update=True, populate_existing=True)
    no_open_case(work, case.person_id)
    _cancel_runs(work, case)
    case.status, case.outcome, case.closing_reason, case.closed_at = CaseStatus.OPEN, None, None, None
    case.version += 1
    work.record("case.reopened", stream=case.id, subject=("case", case.id), data={"reason": reason})
    work.session.flush()
    if path is not None:
        runs.begin(work, case, path)
    return CaseResult(id=case.id, number=case.number, status=case.status, version=case.version)
