"""The gate on every disclosure: purpose, organisation, data categories, time, and a signed agreement.

Refusing to share never ends casework: a refusal names what is missing so that the handler can ask, or go on
without that organisation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from nrm.vocabulary import DataCategory

OWN_CONSENT_AGE: Final = 15
"""Below it a guardian must consent; from it to 17 a mature minor may (domain reference §4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person agreed to.

    Attributes:
        id: id of the record.
        purposes: codes of `Purpose`.
        categories: codes of `DataCategory`.
        allowed: organisations that were named; empty means every organisation that is not denied.
        denied: organisations that must not get anything.
        given_at: when it was given, aware.
        expires_at: when it ends; None for no end.
        withdrawn_at: when it was withdrawn; None when it was not.
        withdrawn_scope: purposes, organisations or categories that were withdrawn; empty means all of it.
        given_by: self, guardian or representative.
    """

    id: str
    purposes: frozenset[str]
    categories: frozenset[str]
    given_at: datetime
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn_scope: frozenset[str] = frozenset()
    given_by: str = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A signed data-sharing agreement with an organisation; `categories` empty means all."""

    signed_on: date
    expires_on: date | None = None
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Sharing without consent on a legal ground; it counts only when a second person approved it."""

    id: str
    organisation: str
    categories: frozenset[str]
    asked_by: str
    approved_by: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """These categories may go; one of the two ids says on what ground."""

    categories: frozenset[str]
    consent_id: str | None = None
    override_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing may go; `code` is a key of the problem texts, `missing` what a new consent would have to cover."""

    code: str
    missing: frozenset[str] = field(default_factory=frozenset)


def gate(
    consents: Sequence[Consent],
    agreement: Agreement | None,
    *,
    organisation: str,
    purpose: str,
    categories: Collection[str],
    now: datetime,
    age: int | None = None,
    overrides: Sequence[Override] = (),
) -> Allowed | Refused:
    """Decide whether data of a person may go to an organisation.

    Args:
        consents: all consents of the person for the case.
        agreement: the newest data-sharing agreement with the organisation.
        organisation: id of the organisation that is to get it.
        purpose: code of `Purpose`.
        categories: codes of `DataCategory`, all that would go.
        now: the moment, aware, in the country's time zone (an agreement ends with the day).
        age: the person's age in years; None when unknown, then nobody is taken for a child.
        overrides: overrides for the case; an approved one replaces consent and agreement.

    Returns:
        Allowed with the ground, or Refused with the reason that is nearest to being mended.
    """
    wanted = frozenset(categories)
    for override in overrides:
        if _overrides(override, organisation, wanted, now):
            return Allowed(categories=wanted, override_id=override.id)
    found = _consent_for(consents, wanted, organisation=organisation, purpose=purpose, now=now, age=age)
    if isinstance(found, Refused):
        return found
    return _agreed(agreement, wanted, now.date()) or Allowed(categories=wanted, consent_id=found.id)


def _overrides(override: Override, organisation: str, wanted: frozenset[str], now: datetime) -> bool:
    return (
        override.organisation == organisation
        and override.approved_by not in (None, override.asked_by)
        and (override.expires_at is None or now < override.expires_at)
        and wanted <= override.categories
    )


def _consent_for(
    consents: Sequence[Consent],
    wanted: frozenset[str],
    *,
    organisation: str,
    purpose: str,
    now: datetime,
    age: int | None,
) -> Consent | Refused:
    newest_first = sorted(consents, key=lambda consent: consent.given_at, reverse=True)
    naming = [consent for consent in newest_first if organisation in consent.allowed | consent.denied]
    if naming and organisation in naming[0].denied:
        return Refused(code="organisation_denied")
    refusals = []
    for consent in newest_first:
        code = _lack(consent, organisation, purpose, now, age)
        missing = wanted - _left_categories(consent, now)
        if code is None and not missing:
            return consent
        refusals.append(Refused(code=code or "category_not_covered", missing=missing if code is None else frozenset()))
    return min(refusals, key=lambda refusal: _NEAREST.index(refusal.code), default=Refused(code="no_consent"))


_NEAREST: Final = (
    "organisation_denied",
    "category_not_covered",
    "organisation_not_named",
    "purpose_not_covered",
    "guardian_consent_required",
    "expired",
    "withdrawn",
)


def _withdrawn(consent: Consent, now: datetime) -> bool:
    return consent.withdrawn_at is not None and consent.withdrawn_at <= now


def _left_categories(consent: Consent, now: datetime) -> frozenset[str]:
    return consent.categories - consent.withdrawn_scope if _withdrawn(consent, now) else consent.categories


def _lack(consent: Consent, organisation: str, purpose: str, now: datetime, age: int | None) -> str | None:
    gone = consent.withdrawn_scope if _withdrawn(consent, now) else frozenset()
    if _withdrawn(consent, now) and (not gone or {purpose, organisation} & gone):
        return "withdrawn"
    if consent.expires_at is not None and consent.expires_at <= now:
        return "expired"
    if age is not None and age < OWN_CONSENT_AGE and consent.given_by == "self":
        return "guardian_consent_required"
    if purpose not in consent.purposes:
        return "purpose_not_covered"
    if consent.allowed and organisation not in consent.allowed:
        return "organisation_not_named"
    return "organisation_denied" if organisation in consent.denied else None


def _agreed(agreement: Agreement | None, wanted: frozenset[str], today: date) -> Refused | None:
    if agreement is None or today < agreement.signed_on:
        return Refused(code="no_agreement")
    if agreement.expires_on is not None and agreement.expires_on < today:
        return Refused(code="agreement_expired")
    missing = wanted - agreement.categories if agreement.categories else frozenset()
    return Refused(code="agreement_not_covering", missing=missing) if missing else None


class Rule(StrEnum):
    """Whether a category may go with a referral."""

    SEND = "send"
    IF_NEEDED = "if_needed"
    NEVER = "never"


_C = DataCategory
_SEND, _ASK = Rule.SEND, Rule.IF_NEEDED

PROFILES: Mapping[str, Mapping[DataCategory, Rule]] = {
    "livelihood": {_C.CONTACT: _SEND, _C.AGE: _SEND, _C.WORK: _SEND, _C.ADJUSTMENTS: _SEND},
    "housing": {_C.CONTACT: _SEND, _C.AGE: _SEND, _C.DOCUMENTS: _ASK, _C.HOUSEHOLD: _SEND, _C.ADJUSTMENTS: _SEND},
    "legal": {
        _C.CONTACT: _SEND,
        _C.BIRTH: _SEND,
        _C.AGE: _SEND,
        _C.DOCUMENTS: _SEND,
        _C.HOUSEHOLD: _SEND,
        _C.RETURN: _ASK,
    },
    "education": {
        _C.CONTACT: _SEND,
        _C.BIRTH: _SEND,
        _C.AGE: _SEND,
        _C.DOCUMENTS: _ASK,
        _C.HOUSEHOLD: _SEND,
        _C.ADJUSTMENTS: _SEND,
    },
    "health": {_C.CONTACT: _SEND, _C.BIRTH: _SEND, _C.AGE: _SEND, _C.HEALTH: _SEND, _C.ADJUSTMENTS: _SEND},
    "psychosocial": {_C.CONTACT: _ASK, _C.AGE: _SEND, _C.HOUSEHOLD: _ASK, _C.HEALTH: _ASK, _C.PROTECTION: _ASK},
    "child_protection": {
        _C.CONTACT: _ASK,
        _C.BIRTH: _SEND,
        _C.AGE: _SEND,
        _C.DOCUMENTS: _ASK,
        _C.HOUSEHOLD: _SEND,
        _C.HEALTH: _ASK,
        _C.PROTECTION: _SEND,
    },
    "shelter": {_C.CONTACT: _ASK, _C.AGE: _SEND, _C.ADJUSTMENTS: _ASK, _C.PROTECTION: _ASK},
}
"""Disclosure profile (domain reference §4.3): what each kind of service gets; a category not named never goes by
default. Where contact is only sent if needed, the person is named by a code."""

SERVICE_PROFILES: Mapping[str, str] = {
    **dict.fromkeys(("BUS", "LOAN", "JOB", "VT", "SKILL", "AGR"), "livelihood"),
    **dict.fromkeys(("HOU", "REP", "CASH", "NFI", "TRN", "REC", "COM"), "housing"),
    **dict.fromkeys(("DOC", "LEG", "SSN", "RAT", "FTR"), "legal"),
    **dict.fromkeys(("EDU", "EQV"), "education"),
    **dict.fromkeys(("HLT", "REH"), "health"),
    **dict.fromkeys(("MHP", "PSY"), "psychosocial"),
    **dict.fromkeys(("CP", "ALT"), "child_protection"),
    **dict.fromkeys(("SHE", "VOT", "GBV"), "shelter"),
}
"""Service category → profile; a pack may replace it."""


def disclosure_rule(service: str, category: str, profiles: Mapping[str, str] = SERVICE_PROFILES) -> Rule:
    """Say whether a category may go with a referral to a service; an unknown service gets as little as a shelter."""
    profile = PROFILES[profiles.get(service, "shelter")]
    return profile.get(DataCategory(category), Rule.NEVER)


def default_categories(service: str, profiles: Mapping[str, str] = SERVICE_PROFILES) -> frozenset[str]:
    """List the categories that a referral to a service carries when nobody chooses otherwise."""
    profile = PROFILES[profiles.get(service, "shelter")]
    return frozenset(str(category) for category, rule in profile.items() if rule is Rule.SEND)


def forbidden_categories(
    service: str, categories: Collection[str], profiles: Mapping[str, str] = SERVICE_PROFILES
) -> frozenset[str]:
    """List those of the chosen categories that a service never gets by default."""
    return frozenset(category for category in categories if disclosure_rule(service, category, profiles) is Rule.NEVER)


def named_by_code(service: str, profiles: Mapping[str, str] = SERVICE_PROFILES) -> bool:
    """Tell whether a person goes to a service under a code instead of a name by default."""
    return disclosure_rule(service, DataCategory.CONTACT, profiles) is not Rule.SEND
