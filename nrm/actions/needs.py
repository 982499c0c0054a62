"""What people record of a returnee's needs: a new one, how pressing it is, whether it was met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.checks_plans import add_need
from nrm.errors import AlreadyDone, IllegalMove, NotFound, NotValid, Problem, StaleVersion
from nrm.models import Case, Need
from nrm.queries import packs
from nrm.vocabulary import CaseStatus, NeedStatus, Priority

CATEGORIES: Final = "service_category"
"""The code list in whose words a need stands."""

_REASONS: Final = "unmet_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedResult:
    """A need after a verb."""

    id: str
    status: str
    priority: str
    version: int


@action("need.record", permission="case.work")
def record_need(work: Work, case_id: str, *, category: str, priority: str = Priority.NORMAL) -> NeedResult:
    """Record that a returnee needs something.

    Args:
        work: the transaction.
        case_id: the case.
        category: code of the service category.
        priority: how pressing it is.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor may only read it.
        NotValid: a code is unknown.
        IllegalMove: the case is closed.
        AlreadyDone: the case has this need already, and it is not met.
    """
    case = lock_open_case(work, case_id)
    check_codes(category, priority)
    known = select(Need.id).where(Need.case_id == case.id, Need.category == category, Need.status != NeedStatus.MET)
    if work.session.execute(known).first() is not None:
        raise AlreadyDone("need_known")
    need_id = add_need(work, case, category, priority)
    return NeedResult(id=need_id, status=NeedStatus.OPEN, priority=priority, version=1)


@action("need.change", permission="case.work")
def change_need(
    work: Work,
    need_id: str,
    *,
    version: int | None,
    status: str | None = None,
    priority: str | None = None,
    reason: str | None = None,
) -> NeedResult:
    """Change how pressing a need is, or say that it was met or cannot be met.

    Args:
        work: the transaction.
        need_id: the need.
        version: the version that the actor saw.
        status: one of `NeedStatus`; None to leave it.
        priority: one of `Priority`; None to leave it.
        reason: code of why it cannot be met; only, and always, of an unmet need.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor may only read it.
        NotValid: a code is unknown, or the reason is missing or does not fit.
        IllegalMove: the case is closed.
        StaleVersion: it changed since.
    """
    case_id = work.session.execute(select(Need.case_id).where(Need.id == need_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    case = lock_open_case(work, case_id)
    need = work.session.get_one(Need, need_id, populate_existing=True)
    if version is not None and need.version != version:
        raise StaleVersion(need.version)
    new_status, new_priority = status or need.status, priority or need.priority
    reason = reason or (need.reason if new_status == NeedStatus.UNMET else None)
    check_codes(need.category, new_priority)
    _check_status(new_status, reason)
    work.change(
        Need,
        need_id,
        version=need.version,
        status=new_status,
        priority=new_priority,
        reason=reason,
        updated_at=work.now,
    )
    if new_status == NeedStatus.UNMET and (need.status != new_status or need.reason != reason):
        work.record("need.unmet", stream=case.id, subject=("need", need_id), data={"reason": reason})
    if (need.status, need.priority) != (new_status, new_priority):
        changed = {"status": new_status, "priority": new_priority}
        work.record("need.changed", stream=case.id, subject=("need", need_id), data=changed)
    return NeedResult(id=need_id, status=new_status, priority=new_priority, version=need.version + 1)


def lock_open_case(work: Work, case_id: str) -> Case:
    """Lock a case that the actor may work on and that is open.

    Raises:
        NotFound: it is not the actor's to know of.
        NotAllowed: the actor may only read it.
        IllegalMove: it is closed.
    """
    case = lock_visible_case(work, case_id, writing=True)
    if case.status != CaseStatus.OPEN:
        raise IllegalMove(("reopen",), "case_closed")
    return case


def check_codes(category: str, priority: str, *, at: str = "") -> None:
    """Stop unless category and priority are known.

    Args:
        category: code of the service category.
        priority: how pressing it is.
        at: JSON pointer to the object that holds both.

    Raises:
        NotValid: one is unknown.
    """
    problems = []
    if category not in packs.pack().codes_of(CATEGORIES):
        problems.append(Problem(pointer=f"{at}/category", code="unknown_code"))
    if priority not in set(Priority):
        problems.append(Problem(pointer=f"{at}/priority", code="unknown_code"))
    if problems:
        raise NotValid(problems)


def _check_status(status: str, reason: str | None) -> None:
    if status not in set(NeedStatus):
        raise NotValid([Problem(pointer="/status", code="unknown_code")])
    if status != NeedStatus.UNMET and reason is not None:
        raise NotValid([Problem(pointer="/reason", code="reason_of_unmet")])
    if status == NeedStatus.UNMET:
        if reason is None:
            raise NotValid([Problem(pointer="/reason", code="required")])
        if reason not in packs.pack().codes_of(_REASONS):
            raise NotValid([Problem(pointer="/reason", code="unknown_code")])
