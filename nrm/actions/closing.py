"""The end of a case: with an outcome and a reason, by a closing task, by hand, or because its main path has ended."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work
from nrm.models import Case, Outcome, PlanService, Referral, Run
from nrm.queries import packs
from nrm.rules.statuses import OPEN
from nrm.vocabulary import CaseStatus, ReferralOutcome

MAIN_PATH: Final = "reintegration_case"
"""Key of the path that every case follows, in every country."""

DEFAULT_OUTCOME: Final = "not_achieved"
"""Outcome of a case whose main path ended with a code that is no case outcome (nobody arrived, no consent)."""


def end_case(work: Work, case: Case, *, outcome: str, reason: str) -> None:
    """Close a locked case with its outcome; referrals that ended and were not answered end with what is known.

    Args:
        work: the transaction.
        case: the locked case.
        outcome: code of the case's outcome.
        reason: code of the closing reason.
    """
    case.status = CaseStatus.CLOSED
    case.outcome, case.closing_reason, case.closed_at = outcome, reason, work.now
    case.version += 1
    work.add(
        Outcome,
        id=ids.new_id("out"),
        case_id=case.id,
        subject_kind="case",
        subject_id=case.id,
        code=outcome,
        reason=reason,
        actor=work.actor.id,
        at=work.now,
    )
    unanswered = select(Referral).where(
        Referral.case_id == case.id, Referral.closed_at.is_(None), Referral.state.not_in([str(state) for state in OPEN])
    )
    for referral in work.session.execute(unanswered).scalars():
        # Nobody will ask the returnee any more: `confirmed` stays empty, the outcome is the reported one.
        record_end(work, referral)
    work.record("case.closed", stream=case.id, subject=("case", case.id), data={"outcome": outcome, "reason": reason})


def end_if_over(work: Work, case: Case, *, path: str, outcome: str | None) -> None:
    """Close a case whose main path has ended with nothing else running: no case stays open with nobody at it.

    Args:
        work: the transaction; the ended run is written.
        case: the locked case.
        path: key of the path that ended.
        outcome: the code with which it ended.
    """
    if path != MAIN_PATH or case.status != CaseStatus.OPEN:
        return
    work.flush()
    live = select(Run.id).where(Run.case_id == case.id, Run.status == "running", Run.parent_id.is_(None))
    if work.session.execute(live).first() is not None:
        return
    known = packs.pack().codes_of("case_outcome")
    end_case(
        work,
        case,
        outcome=outcome if outcome in known else DEFAULT_OUTCOME,
        reason=outcome or DEFAULT_OUTCOME,
    )


def open_referrals(work: Work, case_id: str) -> list[str]:
    """List the referrals of a case that have not ended, drafts included."""
    found = select(Referral.id).where(Referral.case_id == case_id, Referral.state.in_([str(state) for state in OPEN]))
    return list(work.session.execute(found).scalars())


def record_end(work: Work, referral: Referral) -> None:
    """Close the loop of an ended referral with its outcome; one that is closed stays as it is."""
    if referral.closed_at is not None:
        return
    referral.closed_at = work.now
    outcome = referral.outcome or str(ReferralOutcome.NOT_PROVIDED)
    referral.outcome = outcome
    work.add(
        Outcome,
        id=ids.new_id("out"),
        case_id=referral.case_id,
        subject_kind="referral",
        subject_id=referral.id,
        code=outcome,
        reason=referral.end_reason,
        actor=work.actor.id,
        at=work.now,
    )
    work.record(
        "referral.closed",
        stream=referral.case_id,
        subject=("referral", referral.id),
        data={"outcome": outcome, "state": str(referral.state), "version": referral.version},
        organisation_id=referral.to_organisation_id,
        sender_id=referral.from_organisation_id,
    )
    note_plan_service(work, referral, "ended", outcome)


def note_plan_service(work: Work, referral: Referral, status: str, outcome: str | None = None) -> None:
    """Say in the plan how the service stands that a referral is for."""
    planned = work.session.get(PlanService, referral.plan_service_id) if referral.plan_service_id else None
    if planned is not None:
        planned.status = status
        planned.outcome = outcome or planned.outcome
