"""The gate and the ledger: whether personal data may leave, and the line that says that they did."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work
from nrm.models import Case, Consent, ConsentOverride, Disclosure, Person, Referral, SharingAgreement
from nrm.queries import packs
from nrm.rules import consent as rules
from nrm.sealing import seal
from nrm.vocabulary import Purpose

OVERRIDE_LASTS: Final = timedelta(days=7)
"""An approved override opens the gate for this long: it is for one emergency, not a standing right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPeople:
    """Two people who stand behind a disclosure without consent, and why.

    Attributes:
        asked_by: who gave the ground.
        approved_by: who judged it; somebody else.
        ground: code of `Ground`.
        reason: why it cannot wait, in words.
    """

    asked_by: str
    approved_by: str
    ground: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The gate's word.

    Attributes:
        code: "ok", or why nothing may leave.
        consent_id: the consent that allows it.
        override_id: the override that allows it.
        missing: categories that a new consent would have to cover, as one text.
    """

    code: str
    consent_id: str | None = None
    override_id: str | None = None
    missing: str = ""

    @property
    def ok(self) -> bool:
        """Say whether data may leave."""
        return self.code == "ok"


def check_gate(
    work: Work,
    case: Case,
    *,
    organisation_id: str,
    categories: Collection[str],
    purpose: str = Purpose.SHARE_PROVIDER,
) -> Gate:
    """Ask whether these categories of a person may go to an organisation now.

    Args:
        work: the transaction.
        case: the locked case.
        organisation_id: who would get them.
        categories: codes of data categories.
        purpose: what for.
    """
    work.flush()
    now = work.now.astimezone(packs.pack().zone)
    word = rules.gate(
        _consents(work, case),
        # Nobody signs an agreement about invented people.
        _agreement(work, organisation_id) if case.livemode else rules.Agreement(signed_on=now.date()),
        organisation=organisation_id,
        purpose=purpose,
        categories=categories,
        now=now,
        age=_age(work, case, now),
        overrides=_overrides(work, case),
    )
    if isinstance(word, rules.Allowed):
        return Gate(code="ok", consent_id=word.consent_id, override_id=word.override_id)
    return Gate(code=word.code, missing=", ".join(sorted(word.missing)))


def _consents(work: Work, case: Case) -> list[rules.Consent]:
    rows = work.session.execute(
        select(Consent).where(Consent.case_id == case.id, Consent.person_id == case.person_id)
    ).scalars()
    return [
        rules.Consent(
            id=row.id,
            purposes=frozenset(row.purposes),
            categories=frozenset(row.categories),
            allowed=frozenset(row.organisations_allowed),
            denied=frozenset(row.organisations_denied),
            given_at=row.given_at,
            expires_at=row.expires_at,
            withdrawn_at=row.withdrawn_at,
            withdrawn_scope=frozenset(row.withdrawn_scope or ()),
            given_by=row.given_by,
        )
        for row in rows
    ]


def _agreement(work: Work, organisation_id: str) -> rules.Agreement | None:
    row = (
        work.session.execute(
            select(SharingAgreement)
            .where(SharingAgreement.organisation_id == organisation_id)
            .order_by(SharingAgreement.signed_on.desc())
        )
        .scalars()
        .first()
    )
    if row is None:
        return None
    return rules.Agreement(signed_on=row.signed_on, expires_on=row.expires_on, categories=frozenset(row.categories))


def _overrides(work: Work, case: Case) -> list[rules.Override]:
    rows = work.session.execute(select(ConsentOverride).where(ConsentOverride.case_id == case.id)).scalars()
    return [
        rules.Override(
            id=row.id,
            organisation=row.organisation_id,
            categories=frozenset(row.categories),
            asked_by=row.asked_by,
            approved_by=row.approved_by,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def _age(work: Work, case: Case, now: datetime) -> int | None:
    person = work.session.get(Person, case.person_id)
    return None if person is None or person.birth_year is None else now.year - person.birth_year


def override(work: Work, case: Case, organisation_id: str, people: TwoPeople, *, categories: Collection[str]) -> Gate:
    """Record an override of consent that two people stand behind already, and give the gate that it opens."""
    override_id = ids.new_id("ovr")
    work.add(
        ConsentOverride,
        id=override_id,
        case_id=case.id,
        person_id=case.person_id,
        organisation_id=organisation_id,
        ground=people.ground,
        reason=seal(people.reason, row=override_id, column="consent_overrides.reason"),
        categories=sorted(set(categories)),
        asked_by=people.asked_by,
        asked_at=work.now,
        approved_by=people.approved_by,
        approved_at=work.now,
        expires_at=work.now + OVERRIDE_LASTS,
    )
    work.record(
        "consent.overridden",
        stream=case.id,
        subject=("override", override_id),
        data={"ground": people.ground, "asked_by": people.asked_by, "organisation": organisation_id},
    )
    return Gate(code="ok", override_id=override_id)


def disclose(work: Work, case: Case, referral: Referral, gate: Gate, *, kind: str = "sent") -> str:
    """Write the line of the ledger for data that leave with a referral, and give its id."""
    return _write(
        work,
        case,
        gate,
        organisation_id=referral.to_organisation_id,
        referral_id=referral.id,
        purpose=str(Purpose.SHARE_PROVIDER),
        categories=referral.categories,
        kind=kind,
    )


def disclose_to(
    work: Work,
    case: Case,
    organisation_id: str,
    gate: Gate,
    *,
    purpose: str,
    categories: Collection[str],
    kind: str = "shown",
) -> str:
    """Write the line of the ledger for data that a task shows to another organisation's desk, or a letter tells it.

    Returns:
        The line's id.
    """
    return _write(
        work,
        case,
        gate,
        organisation_id=organisation_id,
        referral_id=None,
        purpose=purpose,
        categories=categories,
        kind=kind,
    )


def _write(
    work: Work,
    case: Case,
    gate: Gate,
    *,
    organisation_id: str | None,
    referral_id: str | None,
    purpose: str,
    categories: Collection[str],
    kind: str,
) -> str:
    disclosure_id = ids.new_id("dis")
    work.add(
        Disclosure,
        id=disclosure_id,
        person_id=case.person_id,
        case_id=case.id,
        organisation_id=organisation_id,
        referral_id=referral_id,
        consent_id=gate.consent_id,
        override_id=gate.override_id,
        purpose=purpose,
        categories=list(categories),
        kind=kind,
        actor=work.actor.id,
        at=work.now,
    )
    work.record(
        "disclosure.made",
        stream=case.id,
        subject=("disclosure", disclosure_id),
        data={"referral": referral_id, "organisation": organisation_id},
        organisation_id=organisation_id,
    )
    return disclosure_id
