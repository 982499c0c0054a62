"""Letters as text: templates with {places}, what each place discloses, dates and digits as offices write them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from nrm.errors import NotValid, Problem
from nrm.rules.redaction import FIELD_CATEGORIES
from nrm.vocabulary import DataCategory, Purpose

LETTER_LANGUAGES: Final = ("ar", "ckb")
"""Languages in which offices write to each other."""

DIGITS: Final[Mapping[str, str]] = {"latin": "0123456789", "arab": "٠١٢٣٤٥٦٧٨٩"}
"""Name of a set of digits → its ten digits. Arabic-Indic ones (U+0660…) serve Arabic and Sorani alike."""

PLACES: Final[Mapping[str, str | None]] = {
    "person": None,
    "age": "age",
    "born": "born",
    "mother": "mother",
    "document": "documents",
    "phone": "phones",
    "governorate": "governorate",
    "host_country": "host_country",
    "case_number": None,
    "referral_number": None,
    "service": None,
    "reason": None,
    "expected_result": None,
}
"""Place in a template → the field of the person that it shows, None for what discloses no field.

`person` is the name where the category contact is disclosed, else the code that stands for the person."""

LEFT_TO_RIGHT: Final = frozenset({"phone", "document", "case_number", "referral_number", "born"})
"""Places whose value is written from left to right also inside Arabic."""

_DAY: Final = re.compile(r"\d{4}(-\d{2}){0,2}")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")

Segment: TypeAlias = tuple[str, str]
"""Kind ("text", "value" or "ltr") and text of a piece of a line."""

Line: TypeAlias = tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterTemplate:
    """A kind of letter.

    Attributes:
        key: its name.
        purpose: what the data are disclosed for.
        categories: data categories that it discloses when it goes without a referral.
        subject: language → line after "Subject:".
        body: language → paragraphs.
        closing: language → last sentence.
        copies: language → who gets a copy.
    """

    key: str
    purpose: str
    categories: frozenset[str]
    subject: Mapping[str, str]
    body: Mapping[str, tuple[str, ...]]
    closing: Mapping[str, str]
    copies: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The words of one letter: subject, paragraphs, closing and copies, each in pieces."""

    subject: Line
    body: tuple[Line, ...]
    closing: str
    copies: tuple[str, ...]


def parse_letter(data: Mapping[str, object]) -> LetterTemplate:
    """Read a template of a pack.

    Args:
        data: {"letter", "names", "purpose", "subject": {ar, ckb}, "body": {ar: […], ckb: […]}, "closing", "copies"}.

    Raises:
        NotValid: a text is missing in a language, a place or purpose is unknown; by pointer.
    """
    problems: list[Problem] = []
    subject, closing = (_texts(data, name, problems) for name in ("subject", "closing"))
    body, copies = _lists(data, "body", problems), _lists(data, "copies", problems, required=False)
    purpose = str(data.get("purpose", Purpose.SHARE_PROVIDER))
    if purpose not in set(Purpose):
        problems.append(Problem(pointer="/purpose", code="unknown_code"))
    lines = {"subject": tuple(subject.values()), "body": tuple(line for text in body.values() for line in text)}
    for name, texts in lines.items():
        problems += [
            Problem(pointer=f"/{name}", code="unknown_letter_place", params={"name": place[:64]})
            for text in texts
            for place in _PLACE.findall(text)
            if place not in PLACES
        ]
    if problems:
        raise NotValid(problems)
    return LetterTemplate(
        key=str(data.get("letter", "")),
        purpose=purpose,
        categories=_disclosed([text for texts in lines.values() for text in texts]),
        subject=subject,
        body=body,
        closing=closing,
        copies=copies,
    )


def _disclosed(texts: Collection[str]) -> frozenset[str]:
    places = {place for text in texts for place in _PLACE.findall(text)}
    shown = {field for place in places if (field := PLACES[place]) is not None}
    named = {str(DataCategory.CONTACT)} if "person" in places else set()
    return frozenset(named | {str(FIELD_CATEGORIES[field]) for field in shown})


def _texts(data: Mapping[str, object], name: str, problems: list[Problem]) -> dict[str, str]:
    given = data.get(name)
    found = given if isinstance(given, Mapping) else {}
    for language in LETTER_LANGUAGES:
        if not isinstance(found.get(language), str) or not found[language]:
            problems.append(Problem(pointer=f"/{name}/{language}", code="required"))
    return {language: str(found.get(language, "")) for language in LETTER_LANGUAGES}


def _lists(
    data: Mapping[str, object], name: str, problems: list[Problem], *, required: bool = True
) -> dict[str, tuple[str, ...]]:
    given = data.get(name)
    found = given if isinstance(given, Mapping) else {}
    lists: dict[str, tuple[str, ...]] = {}
    for language in LETTER_LANGUAGES:
        entries = found.get(language)
        lists[language] = tuple(str(entry) for entry in entries) if isinstance(entries, list) else ()
        if required and not lists[language]:
            problems.append(Problem(pointer=f"/{name}/{language}", code="required"))
    return lists


def write_letter(template: LetterTemplate, language: str, values: Mapping[str, str], *, digits: str) -> Written:
    """Fill a template.

    A paragraph with a place that has no value is left out: a letter shows no gaps, and what was not disclosed is
    not hinted at.

    Args:
        template: the kind of letter.
        language: one of `LETTER_LANGUAGES`.
        values: place → text, only those that may be shown.
        digits: one of `DIGITS`.
    """
    lines = [_fill(text, values, digits) for text in template.body[language]]
    subject = _fill(template.subject[language], values, digits)
    return Written(
        subject=subject or (("text", _PLACE.sub("", template.subject[language]).strip()),),
        body=tuple(line for line in lines if line is not None),
        closing=template.closing[language],
        copies=template.copies[language],
    )


def _fill(text: str, values: Mapping[str, str], digits: str) -> Line | None:
    pieces: list[Segment] = []
    for place, part in enumerate(_PLACE.split(text)):
        if place % 2 == 0:
            if part:
                pieces.append(("text", part))
        elif not values.get(part):
            return None
        else:
            pieces.append(("ltr" if part in LEFT_TO_RIGHT else "value", write_digits(values[part], digits)))
    return tuple(pieces)


def write_digits(text: str, digits: str) -> str:
    """Write the digits of a text in another set; the numbers of papers with Latin letters stay as they are.

    Args:
        text: with digits 0 to 9.
        digits: one of `DIGITS`.
    """
    if digits == "latin" or re.search("[A-Za-z]", text):
        return text
    return text.translate(str.maketrans(DIGITS["latin"], DIGITS[digits]))


def write_day(text: str) -> str:
    """Write a day, month or year as offices write it in a line of data: day/month/year.

    Slashes keep the order of the parts also in Arabic-Indic digits, where hyphens would turn it round (Unicode
    bidirectional algorithm, rule W4).

    Args:
        text: 1991-04-02, 1991-04 or 1991; anything else stays as it is.
    """
    if not _DAY.fullmatch(text):
        return text
    return "/".join(str(int(part)) for part in reversed(text.split("-")))


def write_date(day: date, months: Sequence[str], digits: str) -> str:
    """Write a date with the month's name; with numbers, year first, where the country gives no names.

    Args:
        day: the date.
        months: twelve names, January first.
        digits: one of `DIGITS`.
    """
    if len(months) != 12:
        return write_digits(f"{day:%Y/%m/%d}", digits)
    return write_digits(f"{day.day} {months[day.month - 1]} {day.year}", digits)
