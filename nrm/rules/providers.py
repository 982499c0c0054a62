"""Rank the services that could serve a need, with the reasons, so that a handler can choose with open eyes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import fmean, median
from typing import Final

from nrm.expressions import Expression, LimitExceeded, Value, evaluate, truthy
from nrm.vocabulary import Visibility

STALE_AFTER_DAYS: Final = 90
"""A directory entry that nobody verified for so long is stale (domain reference §3.4); a pack may say otherwise."""

LOOK_BACK_DAYS: Final = 365
"""Older answers say little about a provider of today."""
LAST_ANSWERS: Final = 50
"""Of each service, so many of the latest answers count."""
_WEIGHT: Final = 5
"""As many answers as the average of all providers counts for: fewer own answers than these prove little."""
_SHARE_POINTS: Final = 40.0
_DAY_POINTS: Final = 2.0
_MOST_DAYS: Final = 10.0
"""A difference of more days changes the order no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one past referral to a service.

    Attributes:
        service: id of the service.
        accepted: the provider took it; False when it declined or named another, and when nobody answered in time.
        sent_at: when it came.
        decided_at: when it was answered, or given up.
    """

    service: str
    accepted: bool
    sent_at: datetime
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a provider's past answers say of one service.

    Attributes:
        answers: how many there are.
        accepted: how many of them were a yes.
        days: median days until the answer; None without answers.
        share: expected share of acceptance, 0 to 1, smoothed towards the average of the providers compared.
        slower: expected days of waiting for an answer beyond that average, smoothed; negative when it is faster.
    """

    answers: int
    accepted: int
    days: float | None
    share: float
    slower: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The records of the providers compared, and their average.

    Attributes:
        records: service → its record; a service without answers has none.
        share: average share of acceptance; what is expected of a new provider.
    """

    records: Mapping[str, Record]
    share: float


def learn(answers: Iterable[Answer]) -> Pool:
    """Learn from past answers what may be expected of each service.

    A share is smoothed towards the average with the weight of a few answers, so a new provider is expected to be
    like the others, and one lucky or unlucky answer changes little.
    """
    by_service: dict[str, list[Answer]] = {}
    for answer in answers:
        by_service.setdefault(answer.service, []).append(answer)
    every = [answer for own in by_service.values() for answer in own]
    share = (sum(answer.accepted for answer in every) + 1) / (len(every) + 2)
    usual = fmean(_days(answer) for answer in every) if every else 0.0
    return Pool(records={name: _record(own, share, usual) for name, own in by_service.items()}, share=share)


def _days(answer: Answer) -> float:
    return max(0.0, (answer.decided_at - answer.sent_at).total_seconds() / 86_400)


def _record(own: Sequence[Answer], share: float, usual: float) -> Record:
    count, accepted = len(own), sum(answer.accepted for answer in own)
    days = median(_days(answer) for answer in own)
    return Record(
        answers=count,
        accepted=accepted,
        days=round(days, 1),
        share=(accepted + _WEIGHT * share) / (count + _WEIGHT),
        slower=(days - usual) * count / (count + _WEIGHT),
    )


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
        record: what past answers say of it; None for a new one.
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
    record: Record | None = None
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


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a service or against it.

    Attributes:
        code: key of its sentence.
        figures: values for the sentence.
    """

    code: str
    figures: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A service that could serve the need.

    Attributes:
        offer: the service.
        score: higher is better; only for comparing.
        reasons: codes that speak for it or against it ("in_district", "no_open_slots", "stale" …), with the figures
            of their sentences.
    """

    offer: Offer
    score: float
    reasons: tuple[Reason, ...]


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


def rank_providers(
    offers: Iterable[Offer], need: Need, *, today: date, pool: Pool | None = None, stale_days: int = STALE_AFTER_DAYS
) -> tuple[Ranked, ...]:
    """Order the services that could serve a need, the best first; ties by id, so that the order is always the same.

    Args:
        offers: the services of the directory.
        need: what is looked for.
        today: the present day.
        pool: what was learned from past answers; None to leave them out.
        stale_days: an entry that was not verified for longer is stale.
    """
    able = [offer for offer in offers if why_not(offer, need, today=today) is None]
    share = pool.share if pool is not None else 0.0
    ranked = [_rank(offer, need, today, share, stale_days) for offer in able]
    return tuple(sorted(ranked, key=lambda entry: (-entry.score, entry.offer.id)))


def is_stale(verified: date | None, *, today: date, days: int = STALE_AFTER_DAYS) -> bool:
    """Tell whether a directory entry was not verified for too long."""
    return verified is None or (today - verified).days > days


def _rank(offer: Offer, need: Need, today: date, share: float, stale_days: int) -> Ranked:
    marks: list[tuple[Reason, float]] = []
    if need.district is not None and (need.governorate, need.district) in offer.places:
        marks.append((Reason("in_district"), 10))
    if _eligible(offer, need, today) is None:
        marks.append((Reason("eligibility_unknown"), -15))
    marks.append(_slots(offer.open_slots))
    if offer.waiting_days is not None:
        code = "short_wait" if offer.waiting_days <= 7 else "wait"
        marks.append((Reason(code), -min(offer.waiting_days, 90) / 3))
    marks += _learned(offer.record, share)
    if is_stale(offer.last_verified_on, today=today, days=stale_days):
        marks.append((Reason("stale", {"days": stale_days}), -10))
    return Ranked(
        offer=offer,
        score=round(sum(points for _, points in marks), 3),
        reasons=tuple(reason for reason, _ in marks if reason.code != "slots_unknown"),
    )


def _learned(record: Record | None, share: float) -> list[tuple[Reason, float]]:
    if record is None:
        return [(Reason("no_answers_yet"), 0)]
    code = "accepts_often" if record.share >= 0.5 else "accepts_seldom"
    accepted = Reason(code, {"accepted": record.accepted, "answers": record.answers})
    days = Reason("answers_in_days", {"days": f"{record.days:g}"})
    slower = max(-_MOST_DAYS, min(_MOST_DAYS, record.slower))
    return [(accepted, (record.share - share) * _SHARE_POINTS), (days, -slower * _DAY_POINTS)]


def _slots(open_slots: int | None) -> tuple[Reason, float]:
    if open_slots is None:
        return Reason("slots_unknown"), 0
    if open_slots > 0:
        return Reason("open_slots", {"places": open_slots}), 10 + min(open_slots, 10)
    return Reason("no_open_slots"), -30


def refused_offers(offers: Collection[Offer], need: Need, *, today: date) -> tuple[tuple[Offer, str], ...]:
    """List the services of the category that cannot get the referral with their reasons, without the hidden ones."""
    found = [(offer, why_not(offer, need, today=today)) for offer in offers]
    return tuple((offer, code) for offer, code in found if code and code not in ("hidden", "other_category"))
