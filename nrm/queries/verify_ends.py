"""Rows whose end cannot be right: an end without an outcome, a message that reached nobody who waits for it."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import Select, and_, exists, or_, select

from nrm.models import Case, InboxMessage, Outcome, Referral, Run, Subscription, Task
from nrm.rules.statuses import OPEN, TERMINAL
from nrm.vocabulary import CaseStatus, ReferralState

Statement: TypeAlias = Select[*tuple[Any, ...]]

_ENDED = [str(state) for state in TERMINAL]
_UNDER_WAY = [str(state) for state in OPEN]


def wrong_ends() -> tuple[tuple[str, str, Statement], ...]:
    """Give for each kind of wrong end its code, the kind of its subject, and the query of ids and case ids."""
    return (
        ("message_not_delivered", "message", _kept_though_wanted()),
        ("referral_without_outcome", "referral", _closed_without_outcome()),
        ("place_not_given_back", "referral", _referrals(Referral.state.in_(_ENDED), Referral.slot_taken)),
        ("case_without_outcome", "case", _cases(Case.status == str(CaseStatus.CLOSED), Case.outcome.is_(None))),
        ("referral_of_closed_case", "referral", _of_closed_cases()),
        ("task_level_wrong", "task", _tasks_of_another_level()),
    )


def _kept_though_wanted() -> Statement:
    """Find messages that wait in the inbox while a run that was there when they came waits for them."""
    return (
        select(InboxMessage.id, InboxMessage.case_id)
        .join(
            Subscription,
            and_(
                Subscription.correlation == InboxMessage.correlation,
                Subscription.message == InboxMessage.name,
            ),
        )
        .join(Run, Run.id == Subscription.run_id)
        .where(InboxMessage.status == "waiting", Run.started_at <= InboxMessage.received_at)
        .distinct()
    )


def _closed_without_outcome() -> Statement:
    recorded = exists().where(Outcome.subject_kind == "referral", Outcome.subject_id == Referral.id)
    # What was entered in error never was.
    real = Referral.state != str(ReferralState.ENTERED_IN_ERROR)
    return _referrals(Referral.closed_at.is_not(None), real, or_(Referral.outcome.is_(None), ~recorded))


def _of_closed_cases() -> Statement:
    return _referrals(Referral.state.in_(_UNDER_WAY)).join(
        Case, and_(Case.id == Referral.case_id, Case.status == str(CaseStatus.CLOSED))
    )


def _tasks_of_another_level() -> Statement:
    return select(Task.id, Task.case_id).join(Case, Case.id == Task.case_id).where(Task.level != Case.level)


def _referrals(*conditions: Any) -> Statement:  # noqa: ANN401 - SQL conditions
    return select(Referral.id, Referral.case_id).where(*conditions)


def _cases(*conditions: Any) -> Statement:  # noqa: ANN401 - SQL conditions
    return select(Case.id, Case.id.label("case_id")).where(*conditions)
