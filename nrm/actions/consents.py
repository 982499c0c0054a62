"""Consents: recorded, withdrawn with everything that follows at once, replaced on a legal ground by two people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, select, update

from nrm import ids
from nrm.actions import referral_moves, runs
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.restrictions import ask_to_restrict
from nrm.errors import IllegalMove, NotFound, NotValid, Problem
from nrm.models import Case, Consent, Disclosure, Organisation
from nrm.queries import packs
from nrm.vocabulary import DataCategory, Purpose, WithdrawReason

LONGEST_CONSENT: Final = timedelta(days=365 * 3)


class GivenBy(StrEnum):
    """Who gave a consent."""

    SELF = "self"
    GUARDIAN = "guardian"
    REPRESENTATIVE = "representative"


@action("consent.record", permission="consent.record")
def record_consent(
    work: Work,
    case_id: str,
    *,
    purposes: Sequence[str],
    categories: Sequence[str],
    mode: str,
    given_by: str = GivenBy.SELF,
    assent_child: bool | None = None,
    language: str | None = None,
    interpreter: bool = False,
    organisations_allowed: Sequence[str] = (),
    organisations_denied: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> str:
    """Record what the person of a case agreed to, and give the consent's id.

    Args:
        work: the transaction.
        case_id: the case.
        purposes: codes of `Purpose`.
        categories: codes of `DataCategory`.
        mode: how it was given (code of the pack).
        given_by: self, guardian or representative.
        assent_child: a child's own assent, beside the guardian's consent.
        language: language in which it was explained.
        interpreter: somebody interpreted.
        organisations_allowed: only these organisations; empty for every one that is not denied.
        organisations_denied: never these.
        expires_at: when it ends, at most three years away; None for no end.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotValid: a code, an organisation or the date is wrong.
    """
    case = lock_visible_case(work, case_id, writing=True)
    return add_consent(
        work,
        case,
        purposes=purposes,
        categories=categories,
        mode=mode,
        given_by=given_by,
        assent_child=assent_child,
        language=language,
        interpreter=interpreter,
        organisations_allowed=organisations_allowed,
        organisations_denied=organisations_denied,
        expires_at=expires_at,
    )


def add_consent(
    work: Work,
    case: Case,
    *,
    purposes: Collection[str],
    categories: Collection[str],
    mode: str,
    given_by: str = GivenBy.SELF,
    assent_child: bool | None = None,
    language: str | None = None,
    interpreter: bool = False,
    organisations_allowed: Collection[str] = (),
    organisations_denied: Collection[str] = (),
    expires_at: datetime | None = None,
) -> str:
    """Record a consent inside an action that has locked the case; arguments and errors as for `record_consent`."""
    problems = unknown_codes("/purposes", purposes, set(Purpose)) + unknown_codes(
        "/categories", categories, set(DataCategory)
    )
    problems += unknown_organisations(work, "/organisations_allowed", organisations_allowed)
    problems += unknown_organisations(work, "/organisations_denied", organisations_denied)
    if given_by not in set(GivenBy):
        problems.append(Problem(pointer="/given_by", code="unknown_code"))
    problems += [
        Problem(pointer=f"/{name}", code="unknown_code")
        for name, code, code_list in (("mode", mode, "consent_mode"), ("language", language, "language"))
        if code is not None and code not in packs.pack().codes_of(code_list)
    ]
    if not purposes:
        problems.append(Problem(pointer="/purposes", code="required"))
    if expires_at is not None and not work.now < expires_at <= work.now + LONGEST_CONSENT:
        problems.append(Problem(pointer="/expires_at", code="moment_out_of_range"))
    if problems:
        raise NotValid(problems)
    consent_id = ids.new_id("con")
    work.add(
        Consent,
        id=consent_id,
        person_id=case.person_id,
        case_id=case.id,
        given_by=given_by,
        assent_child=assent_child,
        mode=mode,
        language=language,
        interpreter=interpreter,
        purposes=sorted(set(purposes)),
        categories=sorted(set(categories)),
        organisations_allowed=sorted(set(organisations_allowed)),
        organisations_denied=sorted(set(organisations_denied)),
        given_at=work.now,
        expires_at=expires_at,
        recorded_by=work.actor.id,
    )
    work.record(
        "consent.given",
        stream=case.id,
        subject=("consent", consent_id),
        data={"purposes": sorted(set(purposes)), "given_by": given_by},
    )
    return consent_id


def unknown_codes(pointer: str, codes: Collection[str], known: Collection[str]) -> list[Problem]:
    """Name the codes that are not known."""
    return [
        Problem(pointer=f"{pointer}/{place}", code="unknown_code")
        for place, code in enumerate(codes)
        if code not in known
    ]


def unknown_organisations(work: Work, pointer: str, found: Collection[str]) -> list[Problem]:
    """Name the organisations that there are not."""
    if not found:
        return []
    known = set(work.session.execute(select(Organisation.id).where(Organisation.id.in_(found))).scalars())
    return [
        Problem(pointer=f"{pointer}/{place}", code="unknown_organisation")
        for place, code in enumerate(found)
        if code not in known
    ]


@action("consent.withdraw", permission="consent.record")
def withdraw_consent(work: Work, consent_id: str, *, scope: Sequence[str] = (), version: int | None = None) -> int:
    """Withdraw a consent, wholly or for some purposes, organisations or categories.

    Open referrals that stand on it end at once, their receivers lose access and are told to restrict what they
    hold, and the paths of the case are told.

    Args:
        work: the transaction.
        consent_id: the consent.
        scope: codes of purposes or categories, or ids of organisations; empty for all of it.
        version: the version that the actor saw.

    Returns:
        How many referrals ended.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotValid: a code of the scope is unknown.
        IllegalMove: it was withdrawn before.
        StaleVersion: it changed since.
    """
    known = set(Purpose) | set(DataCategory)
    codes = [code for code in scope if not code.startswith("org_")]
    problems = [
        Problem(pointer=f"/scope/{scope.index(code)}", code="unknown_code") for code in codes if code not in known
    ]
    if problems:
        raise NotValid(problems)
    case_id = work.session.execute(select(Consent.case_id).where(Consent.id == consent_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    case = lock_visible_case(work, case_id, writing=True)
    found = work.session.get(Consent, consent_id, populate_existing=True)
    if found is None:
        raise NotFound
    if found.withdrawn_at is not None and not found.withdrawn_scope:
        raise IllegalMove((), "consent_withdrawn_before")
    wide = sorted({*(found.withdrawn_scope or ()), *scope}) if scope else []
    work.change(
        Consent,
        consent_id,
        version=found.version if version is None else version,
        withdrawn_at=work.now,
        withdrawn_scope=wide,
    )
    work.record("consent.withdrawn", stream=case.id, subject=("consent", consent_id), data={"scope": wide})
    ended = _end_disclosures(work, case, consent_id, frozenset(scope))
    if not scope or Purpose.SHARE_PROVIDER in scope or Purpose.CASEWORK in scope:
        runs.send_message(work, case, "consent.withdrawn", message_id=f"{consent_id}:{found.version}")
    return ended


def _end_disclosures(work: Work, case: Case, consent_id: str, scope: frozenset[str]) -> int:
    organisations = frozenset(code for code in scope if code.startswith("org_"))
    narrow = organisations if scope and organisations == scope else None
    categories = scope & set(DataCategory)
    if scope and scope == categories:
        narrow = _holding(work, case, consent_id, categories)
    ended = referral_moves.withdraw_all(
        work, case, reason=WithdrawReason.CONSENT_WITHDRAWN, organisation_ids=narrow, consent_id=consent_id
    )
    work.flush()
    held = [Disclosure.consent_id == consent_id, Disclosure.restricted_at.is_(None)]
    if narrow is not None:
        held.append(Disclosure.organisation_id.in_(narrow))
    _tell_holders(work, case, consent_id, held)
    statement = update(Disclosure).where(*held).values(restricted_at=work.now)
    work.session.execute(statement.execution_options(synchronize_session=False))
    return ended


def _tell_holders(work: Work, case: Case, consent_id: str, held: list[ColumnElement[bool]]) -> None:
    """Ask each organisation that holds data to stop, once, and state for each referral that its receiver must."""
    found = select(Disclosure.organisation_id, Disclosure.referral_id).where(*held).distinct()
    held_by: dict[str, list[str]] = {}
    for organisation_id, referral_id in work.session.execute(found.order_by(Disclosure.referral_id)).all():
        held_by.setdefault(organisation_id, []).extend([referral_id] if referral_id else [])
    for organisation_id, referral_ids in sorted(held_by.items()):
        first = referral_ids[0] if referral_ids else None
        ask_to_restrict(work, case, organisation_id, referral_id=first, consent_id=consent_id)
        for referral_id in referral_ids[1:]:
            work.record(
                "disclosure.restricted",
                stream=case.id,
                subject=("referral", referral_id),
                organisation_id=organisation_id,
            )


def _holding(work: Work, case: Case, consent_id: str, categories: frozenset[str]) -> frozenset[str]:
    rows = work.session.execute(
        select(Disclosure.organisation_id, Disclosure.categories).where(
            Disclosure.case_id == case.id, Disclosure.consent_id == consent_id
        )
    ).all()
    return frozenset(organisation for organisation, held in rows if categories & set(held))
