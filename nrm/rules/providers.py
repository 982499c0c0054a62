"""Rank the services that could serve a need, with the reasons, so that a handler can choose with open eyes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from nrm.expressions import Expression, LimitExceeded, Value, evaluate, truthy
from nrm.vocabulary import Visibility

STALE_AFTER_DAYS: Final = 90
"""A directory entry that nobody verified for so long is stale (domain reference §3.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One service as the directory knows it.

    Attributes:
        id: id of the service.
        organisation: id of its organisation.
        category: service category code.
        places: covered places: governorate and district; district None for all of the governorate.
        eligibility: who may be served; None for everybody.
        visibility: who may find it.
        accepting: it takes referrals.
        paused_until: it takes none until then.
        valid_until: last day of the offer.
        open_slots: free places; None when nobody counts them.
        waiting_days: usual waiting time; None when unknown.
        acceptance_rate: share of past referrals that were accepted, 0 to 1; None without enough of them.
        last_verified_on: when somebody last confirmed the entry.
        active: the entry is in use.
    """

    id: str
    organisation: str
    category: str
    places: frozenset[tuple[str, str | None]]
    eligibility: Expression | None = None
    visibility: Visibility = Visibility.PUBLIC
    accepting: bool = True
    paused_until: date | None = None
    valid_until: date | None = None
    open_slots: int | None = None
    waiting_days: int | None = None
    acceptance_rate: float | None = None
    last_verified_on: date | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is looked for, and for whom.

    Attributes:
        category: service category code.
        governorate: where the person lives now.
        district: the district, when known.
        facts: what eligibility may read (age, sex, return_type …); a missing fact is absent or None.
        visibilities: the entries that the handler may find.
        tried: organisations that are not to be asked again.
    """

    category: str
    governorate: str | None
    district: str | None = None
    facts: Mapping[str, Value]
    visibilities: frozenset[Visibility] = frozenset({Visibility.PUBLIC, Visibility.PARTNERS})
    tried: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A service that could serve the need.

    Attributes:
        offer: the service.
        score: higher is better; only for comparing.
        reasons: codes that speak for it or against it ("in_district", "no_open_slots", "stale" …).
    """

    offer: Offer
    score: float
    reasons: tuple[str, ...]


def why_not(offer: Offer, need: Need, *, today: date) -> str | None:
    """Say why a service cannot get the referral; None when it can.

    Returns:
        "hidden" for an entry that the handler may not know of: leave it out of lists of refused entries, too.
    """
    checks = (
        ("hidden", offer.visibility not in need.visibilities),
        ("other_category", offer.category != need.category),
        ("inactive", not offer.active or (offer.valid_until is not None and offer.valid_until < today)),
        ("paused", not offer.accepting or (offer.paused_until is not None and today < offer.paused_until)),
        ("already_tried", offer.organisation in need.tried),
        ("out_of_area", not _covers(offer, need)),
    )
    found = next((code for code, fails in checks if fails), None)
    return found or ("not_eligible" if _eligible(offer, need, today) is False else None)


def _covers(offer: Offer, need: Need) -> bool:
    return any(
        governorate == need.governorate and (district is None or need.district in (None, district))
        for governorate, district in offer.places
    )


def _eligible(offer: Offer, need: Need, today: date) -> bool | None:
    """Tell whether the person fits; None when a fact that decides it is missing."""
    if offer.eligibility is None:
        return True
    try:
        fits = truthy(evaluate(offer.eligibility, need.facts, today=today))
    except LimitExceeded:
        return None
    unknown = any(need.facts.get(name) is None for name in offer.eligibility.names)
    return True if fits else None if unknown else False


def rank_providers(offers: Iterable[Offer], need: Need, *, today: date) -> tuple[Ranked, ...]:
    """Order the services that could serve a need, the best first; ties by id, so that the order is always the same."""
    able = [offer for offer in offers if why_not(offer, need, today=today) is None]
    ranked = [_rank(offer, need, today) for offer in able]
    return tuple(sorted(ranked, key=lambda entry: (-entry.score, entry.offer.id)))


def _rank(offer: Offer, need: Need, today: date) -> Ranked:
    marks: list[tuple[str, float]] = []
    if need.district is not None and (need.governorate, need.district) in offer.places:
        marks.append(("in_district", 10))
    if _eligible(offer, need, today) is None:
        marks.append(("eligibility_unknown", -15))
    marks.append(_slots(offer.open_slots))
    if offer.waiting_days is not None:
        marks.append(("short_wait" if offer.waiting_days <= 7 else "wait", -min(offer.waiting_days, 90) / 3))
    if offer.acceptance_rate is not None:
        marks.append(("accepts_often" if offer.acceptance_rate >= 0.5 else "accepts_seldom", _share(offer) * 20 - 10))
    verified = offer.last_verified_on
    if verified is None or (today - verified).days > STALE_AFTER_DAYS:
        marks.append(("stale", -10))
    return Ranked(
        offer=offer,
        score=round(sum(points for _, points in marks), 3),
        reasons=tuple(code for code, _ in marks if code != "slots_unknown"),
    )


def _share(offer: Offer) -> float:
    return min(1.0, max(0.0, offer.acceptance_rate or 0.0))


def _slots(open_slots: int | None) -> tuple[str, float]:
    if open_slots is None:
        return "slots_unknown", 0
    return ("open_slots", 10 + min(open_slots, 10)) if open_slots > 0 else ("no_open_slots", -30)


def refused_offers(offers: Collection[Offer], need: Need, *, today: date) -> tuple[tuple[Offer, str], ...]:
    """List the services of the category that cannot get the referral with their reasons, without the hidden ones."""
    found = [(offer, why_not(offer, need, today=today)) for offer in offers]
    return tuple((offer, code) for offer, code in found if code and code not in ("hidden", "other_category"))
