"""How likely two records are one person, with the reasons in words that a clerk can check.

The score is a sum of evidence, not a probability. What many people share raises it little or not at all: a birth
date of 1 July (the registry's default for an unknown day), a year only, a governorate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from nrm.rules.names import fold, name_score
from nrm.vocabulary import BirthPrecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What two records are compared by; every part may be missing.

    Attributes:
        name: the names in order (own, father, grandfather …, surname), original script.
        latin: the same as on foreign papers.
        mother: the mother's name.
        born: birth date, or the first day of what is known.
        precision: how much of `born` is known.
        documents: numbers of papers.
        phones: numbers in E.164.
        governorate: key of the governorate.
        sex: code of `Sex`.
    """

    name: str = ""
    latin: str = ""
    mother: str = ""
    born: date | None = None
    precision: BirthPrecision = BirthPrecision.UNKNOWN
    documents: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    governorate: str | None = None
    sex: str | None = None


POINTS: Final[Mapping[str, float]] = {
    "same_document": 0.6,
    "name_same": 0.45,
    "name_same_short": 0.3,
    "name_alike": 0.25,
    "name_differs": -0.35,
    "mother_same": 0.17,
    "mother_differs": -0.2,
    "same_birth_date": 0.2,
    "birth_day_and_month_swapped": 0.1,
    "birth_differs": -0.15,
    "birth_year_far": -0.3,
    "same_phone": 0.2,
    "same_governorate": 0.03,
    "sex_differs": -0.3,
}
"""Reason → what it adds to the score. Same full name, mother and governorate alone stay a question; with the birth
day, a paper or a phone they become likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From where on a pair is shown (`possible`) and from where on it is taken as one person (`likely`)."""

    possible: float = 0.55
    likely: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The result of a comparison.

    Attributes:
        score: 0 to 1.
        reasons: keys of `POINTS`, the strongest first.
    """

    score: float
    reasons: tuple[str, ...] = field(default=())

    def verdict(self, thresholds: Thresholds = Thresholds()) -> str:
        """Say "likely", "possible" or "none"."""
        if self.score >= thresholds.likely:
            return "likely"
        return "possible" if self.score >= thresholds.possible else "none"


def document_token(number: str) -> str:
    """Bring a paper's number to the form in which it is compared: letters and digits only, capitals."""
    return re.sub(r"[^0-9A-Z\u0600-\u06ff]", "", fold(number).upper())


def match(one: Identity, two: Identity, points: Mapping[str, float] = POINTS) -> Match:
    """Compare two records.

    Args:
        one: a record.
        two: another.
        points: what each reason adds.
    """
    reasons = [
        reason
        for reason in (_papers(one, two), _names(one, two), _mothers(one, two), _births(one, two), *_rest(one, two))
        if reason
    ]
    score = min(1.0, max(0.0, sum(points[reason] for reason in reasons)))
    return Match(score=round(score, 4), reasons=tuple(sorted(reasons, key=lambda reason: -abs(points[reason]))))


def _papers(one: Identity, two: Identity) -> str | None:
    numbers = {document_token(number) for number in one.documents} & {document_token(n) for n in two.documents}
    return "same_document" if any(len(number) >= 5 for number in numbers) else None


def _names(one: Identity, two: Identity) -> str | None:
    pairs = [(a, b) for a in (one.name, one.latin) for b in (two.name, two.latin) if a and b]
    if not pairs:
        return None
    score, length = max((name_score(a, b), min(len(a.split()), len(b.split()))) for a, b in pairs)
    if score >= 0.9:
        return "name_same" if length >= 3 else "name_same_short"
    if score >= 0.8:
        return "name_alike"
    return "name_differs" if score < 0.65 else None


def _mothers(one: Identity, two: Identity) -> str | None:
    if not one.mother or not two.mother:
        return None
    score = name_score(one.mother, two.mother)
    return "mother_same" if score >= 0.85 else "mother_differs" if score < 0.6 else None


def _day_known(identity: Identity) -> bool:
    return (
        identity.born is not None
        and identity.precision is BirthPrecision.DAY
        and (identity.born.day, identity.born.month) != (1, 7)
    )


def _births(one: Identity, two: Identity) -> str | None:
    if one.born is None or two.born is None or BirthPrecision.UNKNOWN in (one.precision, two.precision):
        return None
    years = abs(one.born.year - two.born.year)
    if _day_known(one) and _day_known(two):
        if one.born == two.born:
            return "same_birth_date"
        if years == 0 and (one.born.day, one.born.month) == (two.born.month, two.born.day):
            return "birth_day_and_month_swapped"
        return "birth_year_far" if years > 3 else "birth_differs"
    loose = 5 if BirthPrecision.ESTIMATED in (one.precision, two.precision) else 1
    if years > loose + 3:
        return "birth_year_far"
    return "birth_differs" if years > loose else None


def _rest(one: Identity, two: Identity) -> list[str]:
    reasons = []
    if one.phones & two.phones:
        reasons.append("same_phone")
    if one.governorate and one.governorate == two.governorate:
        reasons.append("same_governorate")
    if {one.sex, two.sex} == {"female", "male"}:
        reasons.append("sex_differs")
    return reasons
