"""What waits for a second person, and for whom: plans, disclosures without consent, referrals sent by mistake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from nrm.actors import Actor
from nrm.db import db
from nrm.models import Case, ConsentOverride, Event, Plan, Referral
from nrm.queries.scope import sees_case
from nrm.vocabulary import CaseStatus, PlanStatus, ReferralState

LISTED: Final = 50
"""Most things of a kind that are listed; the oldest come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Something that waits for a second person.

    Attributes:
        kind: "plan", "override" or "referral" (one that should never have existed).
        id: of the plan, the request or the referral.
        case_id: the case that it is about.
        case_number: its number.
        since: when the first person asked.
    """

    kind: str
    id: str
    case_id: str
    case_number: str
    since: datetime


def approvals(actor: Actor, now: datetime) -> tuple[Approval, ...]:
    """List what an actor may decide as the second person, the oldest first; what the actor asked for is left out."""
    found: list[Approval] = []
    if actor.may("plan.approve"):
        found += _plans(actor, now)
    if actor.may("consent.approve"):
        found += _overrides(actor, now)
    if actor.may("referral.correct"):
        found += _mistakes(actor, now)
    return tuple(sorted(found, key=lambda one: (one.since, one.id)))


def _plans(actor: Actor, now: datetime) -> list[Approval]:
    mine = exists().where(
        Event.stream == Plan.case_id,
        Event.kind == "plan.recorded",
        Event.subject_id == Plan.id,
        Event.actor == actor.id,
    )
    later = aliased(Plan)
    newest = select(func.max(later.number)).where(later.case_id == Plan.case_id).scalar_subquery()
    rows = db.session.execute(
        select(Plan.id, Plan.case_id, Case.number, Plan.created_at)
        .join(Case, Case.id == Plan.case_id)
        .where(Plan.status == str(PlanStatus.PROPOSED), Plan.agreed, ~mine, sees_case(actor, now, writing=True))
        # A plan that a path recorded is approved in a task of that path; a closed case waits for nobody.
        .where(Plan.run_id.is_(None), Case.status == str(CaseStatus.OPEN), Plan.number == newest)
        .order_by(Plan.created_at, Plan.id)
        .limit(LISTED)
    )
    return [Approval(kind="plan", id=row[0], case_id=row[1], case_number=row[2], since=row[3]) for row in rows]


def _overrides(actor: Actor, now: datetime) -> list[Approval]:
    rows = db.session.execute(
        select(ConsentOverride.id, ConsentOverride.case_id, Case.number, ConsentOverride.asked_at)
        .join(Case, Case.id == ConsentOverride.case_id)
        .where(
            ConsentOverride.approved_at.is_(None),
            ConsentOverride.refused_at.is_(None),
            ConsentOverride.asked_by != actor.id,
            sees_case(actor, now),
        )
        .order_by(ConsentOverride.asked_at, ConsentOverride.id)
        .limit(LISTED)
    )
    return [Approval(kind="override", id=row[0], case_id=row[1], case_number=row[2], since=row[3]) for row in rows]


def _mistakes(actor: Actor, now: datetime) -> list[Approval]:
    rows = db.session.execute(
        select(Referral.id, Referral.case_id, Case.number, Referral.error_asked_at)
        .join(Case, Case.id == Referral.case_id)
        .where(
            Referral.error_asked_at.is_not(None),
            Referral.error_asked_by != actor.id,
            Referral.state != str(ReferralState.ENTERED_IN_ERROR),
            sees_case(actor, now),
        )
        .order_by(Referral.error_asked_at, Referral.id)
        .limit(LISTED)
    )
    return [
        Approval(kind="referral", id=row[0], case_id=row[1], case_number=row[2], since=row[3])
        for row in rows
        if row[3] is not None
    ]
