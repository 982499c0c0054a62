"""Disclosures without consent, on a legal ground: asked for by one person, approved or refused by another."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.consents import unknown_codes, unknown_organisations
from nrm.actions.disclosing import OVERRIDE_LASTS
from nrm.actions.referral_sending import seal_text
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, Problem
from nrm.models import Case, CaseAccess, ConsentOverride, Desk, Notification
from nrm.queries import packs
from nrm.rules.texts import WrongValue, clean_text
from nrm.sealing import seal
from nrm.vocabulary import DataCategory, Ground


@action("consent.ask_override", permission="consent.override")
def ask_override(
    work: Work, case_id: str, *, organisation_id: str, ground: str, reason: str, categories: Sequence[str]
) -> str:
    """Ask for a disclosure without consent; a second person must approve, and give the request's id.

    Args:
        work: the transaction.
        case_id: the case.
        organisation_id: who would get the data.
        ground: one of `Ground`.
        reason: why; sealed.
        categories: codes of `DataCategory`.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotValid: a code is unknown, or the reason is missing.
    """
    case = lock_visible_case(work, case_id, writing=True)
    problems = unknown_codes("/categories", categories, set(DataCategory))
    problems += unknown_organisations(work, "/organisation_id", [organisation_id])
    if ground not in set(Ground):
        problems.append(Problem(pointer="/ground", code="unknown_code"))
    if not categories:
        problems.append(Problem(pointer="/categories", code="required"))
    try:
        clean = clean_text(reason, longest=2_000, lines=True)
    except WrongValue as error:
        problems.append(Problem(pointer="/reason", code=error.code, params=error.params))
        clean = ""
    if not clean and not problems:
        problems.append(Problem(pointer="/reason", code="required"))
    if problems:
        raise NotValid(problems)
    override_id = ids.new_id("ovr")
    work.add(
        ConsentOverride,
        id=override_id,
        case_id=case.id,
        person_id=case.person_id,
        organisation_id=organisation_id,
        ground=ground,
        reason=seal(clean, row=override_id, column="consent_overrides.reason"),
        categories=sorted(set(categories)),
        asked_by=work.actor.id,
        asked_at=work.now,
    )
    work.record(
        "consent.override_asked",
        stream=case.id,
        subject=("override", override_id),
        data={"ground": ground, "organisation": organisation_id},
    )
    _tell_approvers(work, case, override_id)
    return override_id


def _tell_approvers(work: Work, case: Case, override_id: str) -> None:
    """Leave a notice at each desk that knows of the case and whose role may approve."""
    roles = [role for role, given in packs.pack().roles.items() if "consent.approve" in given]
    lasting = CaseAccess.until.is_(None) | (CaseAccess.until > work.now)
    found = (
        select(Desk.id)
        .join(CaseAccess, CaseAccess.holder_id == Desk.id)
        .where(CaseAccess.case_id == case.id, lasting, Desk.role.in_(roles))
        .distinct()
        .order_by(Desk.id)
    )
    for desk_id in work.session.execute(found).scalars().all():
        _notice(work, "consent.override_asked", override_id, desk_id=desk_id)


def _notice(work: Work, kind: str, override_id: str, *, desk_id: str | None = None, user_id: str | None = None) -> None:
    work.add(
        Notification,
        id=ids.new_id("ntf"),
        user_id=user_id,
        desk_id=desk_id,
        kind=kind,
        subject_kind="override",
        subject_id=override_id,
        created_at=work.now,
    )


@action("consent.approve_override", permission="consent.approve")
def approve_override(work: Work, override_id: str) -> None:
    """Approve, as the second person, a disclosure without consent; it holds for seven days.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor asked for it.
        IllegalMove: it was approved or refused before.
    """
    found = _undecided(work, override_id)
    found.approved_by, found.approved_at = work.actor.id, work.now
    found.expires_at = work.now + OVERRIDE_LASTS
    _tell_decision(work, found, "consent.overridden")


@action("consent.refuse_override", permission="consent.approve")
def refuse_override(work: Work, override_id: str, *, reason: str) -> None:
    """Refuse, as the second person, a disclosure without consent; whoever asked is told, and may ask anew.

    Args:
        work: the transaction.
        override_id: the request.
        reason: why not; sealed.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor asked for it.
        NotValid: the reason is missing or cannot be stored.
        IllegalMove: it was approved or refused before.
    """
    found = _undecided(work, override_id)
    found.refusal = seal_text(reason, "/reason", override_id, "consent_overrides.refusal", longest=2_000)
    if found.refusal is None:
        raise NotValid([Problem(pointer="/reason", code="required")])
    found.refused_by, found.refused_at = work.actor.id, work.now
    _tell_decision(work, found, "consent.override_refused")


def _undecided(work: Work, override_id: str) -> ConsentOverride:
    found = work.session.get(ConsentOverride, override_id)
    if found is None:
        raise NotFound
    lock_visible_case(work, found.case_id, writing=False)
    # Somebody else may have decided while this request waited for the case.
    work.session.refresh(found)
    if found.asked_by == work.actor.id:
        raise NotAllowed("second_person_needed")
    if found.approved_at is not None:
        raise IllegalMove((), "approved_before")
    if found.refused_at is not None:
        raise IllegalMove((), "refused_before")
    return found


def _tell_decision(work: Work, found: ConsentOverride, kind: str) -> None:
    work.record(
        kind,
        stream=found.case_id,
        subject=("override", found.id),
        data={"ground": found.ground, "asked_by": found.asked_by, "organisation": found.organisation_id},
    )
    if found.asked_by.startswith("usr_"):
        _notice(work, kind, found.id, user_id=found.asked_by)
