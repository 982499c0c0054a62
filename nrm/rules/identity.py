"""Who a person is: names in parts and both scripts, birth with its precision, contact, papers; read and compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

from nrm.errors import NotValid, Problem
from nrm.rules.answer_types import clean_phone
from nrm.rules.matching import Identity
from nrm.rules.texts import WrongValue, clean_text, fold_digits
from nrm.vocabulary import BirthPrecision, Sex

T = TypeVar("T")

NAME_PARTS: Final = ("own", "father", "grandfather", "great_grandfather", "surname")
"""The official name in order, the surname last."""
OTHER_NAMES: Final = ("mother", "latin", "mother_latin")
_BORN: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_MEMBER: Final = re.compile(r"[a-z][a-z_]{0,31}")
_PAPER_STATES: Final = ("held", "lost", "expired", "applied", "refused")
_MOST: Final = 20
_OLDEST: Final = 125
_FIELDS: Final = frozenset(
    {
        "names",
        "born",
        "birth_precision",
        "sex",
        "nationality",
        "language",
        "governorate",
        "phones",
        "safe_contact",
        "address",
        "documents",
    }
)

Facts = Mapping[str, str | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """An identity paper.

    Attributes:
        kind: code of the pack's list "document_type".
        number: as printed; "" when it is unknown.
        status: held, lost, expired, applied or refused.
    """

    kind: str
    number: str = ""
    status: str = "held"
    issued_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonData:
    """Everything that is recorded of a person.

    Attributes:
        names: parts of the name (`NAME_PARTS`), "mother", and "latin", "mother_latin" as on foreign papers.
        born: "1980-05-02", "1980-05" or "1980"; "" when it is unknown.
        precision: how much of `born` is known, and whether it is a guess.
        phones: in E.164, the first the usual one.
        safe_contact: how to reach the person without putting anybody in danger.
        address: where the person lives.
        papers: identity papers; kept in rows of their own.
    """

    names: Mapping[str, str]
    born: str = ""
    precision: BirthPrecision = BirthPrecision.UNKNOWN
    sex: str | None = None
    nationality: str | None = None
    language: str | None = None
    governorate: str | None = None
    phones: tuple[str, ...] = ()
    safe_contact: Facts = field(default_factory=dict)
    address: Facts = field(default_factory=dict)
    papers: tuple[Paper, ...] = ()

    @property
    def full_name(self) -> str:
        """The name in its order; the Latin one when there is no other."""
        written = " ".join(self.names[part] for part in NAME_PARTS if self.names.get(part))
        return written or self.names.get("latin", "")

    @property
    def birth_year(self) -> int | None:
        """The year of birth."""
        return int(self.born[:4]) if self.born else None

    @property
    def birth_date(self) -> date | None:
        """The birth date, or the first day of what is known."""
        return (
            date.fromisoformat((self.born + "-01-01")[:10] if len(self.born) == 4 else (self.born + "-01")[:10])
            if self.born
            else None
        )

    def to_match(self) -> Identity:
        """Give what two records are compared by."""
        return Identity(
            name=self.full_name,
            latin=self.names.get("latin", ""),
            mother=self.names.get("mother", "") or self.names.get("mother_latin", ""),
            born=self.birth_date,
            precision=self.precision,
            documents=frozenset(paper.number for paper in self.papers if paper.number),
            phones=frozenset(self.phones),
            governorate=self.governorate,
            sex=self.sex,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """What reading a person's data needs to know of the country.

    Attributes:
        code_lists: code list → codes; a list that is missing is not checked.
        places: keys of governorates.
        region: two-letter country of phone numbers without a country code.
        today: no birth date is later.
    """

    code_lists: Mapping[str, Collection[str]]
    places: Collection[str]
    region: str | None
    today: date


def read_person(data: object, country: Country) -> PersonData:
    """Check what was entered about a person.

    Args:
        data: {"names": {"own", "father", …}, "born", "birth_precision", "sex", "nationality", "language",
            "governorate", "phones": […], "safe_contact": {…}, "address": {…}, "documents": [{"kind", "number",
            "status", "issued_on", "expires_on"}]}; null counts as missing.
        country: codes and places.

    Raises:
        NotValid: all mistakes, by pointer; none of the texts of the problems holds what was entered.
    """
    if not isinstance(data, Mapping):
        raise NotValid([Problem(pointer="", code="wrong_type", params={"expected": "object"})])
    reader = _Reader(country)
    person = reader.person({str(key): value for key, value in data.items() if value is not None})
    if reader.problems:
        raise NotValid(reader.problems)
    return person


def read_born(text: str, *, today: date) -> tuple[str, BirthPrecision]:
    """Read a birth date of which a part may be missing.

    Args:
        text: "1980-05-02", "1980-05" or "1980", digits of any script.
        today: it is not later.

    Raises:
        WrongValue: it is not one ("not_a_date"), in the future, or impossibly long ago.
    """
    text = fold_digits(text).strip()
    found = _BORN.fullmatch(text)
    if found is None:
        raise WrongValue("not_a_date")
    year, month, day = found.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise WrongValue("not_a_date") from None
    if first > today:
        raise WrongValue("date_in_future")
    if first.year < today.year - _OLDEST:
        raise WrongValue("year_out_of_range", least=today.year - _OLDEST, most=today.year)
    known = BirthPrecision.DAY if day else BirthPrecision.MONTH if month else BirthPrecision.YEAR
    return text, known


class _Reader:
    """Reads one person and collects what is wrong."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.problems: list[Problem] = []

    def wrong(self, pointer: str, code: str, **params: str | int | None) -> None:
        self.problems.append(Problem(pointer=pointer, code=code, params=params))

    def person(self, data: Mapping[str, object]) -> PersonData:
        for name in sorted(data.keys() - _FIELDS):
            self.wrong(f"/{name[:64]}", "unknown_field")
        born, precision = self.born(data)
        return PersonData(
            names=self.names(data.get("names")),
            born=born,
            precision=precision,
            sex=self.one_of(data, "sex", set(Sex)),
            nationality=self.code(data, "nationality", "nationality"),
            language=self.code(data, "language", "language"),
            governorate=self.place(data),
            phones=self.phones(data.get("phones")),
            safe_contact=self.facts(data.get("safe_contact"), "/safe_contact"),
            address=self.facts(data.get("address"), "/address"),
            papers=self.papers(data.get("documents")),
        )

    def take(self, pointer: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except WrongValue as wrong:
            self.wrong(pointer, wrong.code, **wrong.params)
            return otherwise

    def names(self, data: object) -> dict[str, str]:
        if data is None or not isinstance(data, Mapping):
            self.wrong("/names", "required" if data is None else "wrong_type")
            return {}
        names: dict[str, str] = {}
        for part, value in data.items():
            pointer = f"/names/{str(part)[:64]}"
            if part not in (*NAME_PARTS, *OTHER_NAMES):
                self.wrong(pointer, "unknown_field")
            elif value is not None and (text := self.take(pointer, lambda v=value: clean_text(v, longest=100), "")):  # type: ignore[misc]
                names[part] = text
        if not names.get("own") and not names.get("latin") and not self.problems:
            self.wrong("/names/own", "required")
        return names

    def born(self, data: Mapping[str, object]) -> tuple[str, BirthPrecision]:
        value, nothing = data.get("born"), ("", BirthPrecision.UNKNOWN)
        if value in (None, ""):
            return nothing
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        born, precision = self.take("/born", lambda: read_born(text, today=self.country.today), nothing)
        said = self.one_of(data, "birth_precision", set(BirthPrecision))
        if born and said == BirthPrecision.ESTIMATED:
            return born, BirthPrecision.ESTIMATED
        return born, precision

    def not_one_of(self, pointer: str, choices: Collection[str]) -> None:
        self.wrong(pointer, "not_a_choice", choices=", ".join(sorted(choices)[:40]))

    def one_of(self, data: Mapping[str, object], name: str, choices: Collection[str]) -> str | None:
        value = data.get(name)
        if value is None or (isinstance(value, str) and value in choices):
            return value
        self.not_one_of(f"/{name}", choices)
        return None

    def code(self, data: Mapping[str, object], name: str, code_list: str) -> str | None:
        codes = self.country.code_lists.get(code_list)
        value = data.get(name)
        if codes is None and isinstance(value, str) and re.fullmatch(r"[A-Za-z_-]{2,32}", value):
            return value
        return self.one_of(data, name, codes or ())

    def place(self, data: Mapping[str, object]) -> str | None:
        value = data.get("governorate")
        if value is None or (isinstance(value, str) and value in self.country.places):
            return value
        self.wrong("/governorate", "unknown_place")
        return None

    def phones(self, data: object) -> tuple[str, ...]:
        if data is None:
            return ()
        if not isinstance(data, list) or len(data) > _MOST:
            self.wrong("/phones", "wrong_type", expected="list")
            return ()
        found = []
        for place, value in enumerate(data):
            phone = self.take(f"/phones/{place}", lambda v=value: clean_phone(v, self.country.region), None)  # type: ignore[misc]
            if phone:
                found.append(phone)
        return tuple(dict.fromkeys(found))

    def facts(self, data: object, pointer: str) -> dict[str, str | bool]:
        if data is None:
            return {}
        if not isinstance(data, Mapping) or len(data) > _MOST:
            self.wrong(pointer, "wrong_type", expected="object")
            return {}
        facts: dict[str, str | bool] = {}
        for name, value in data.items():
            place = f"{pointer}/{str(name)[:64]}"
            if not _MEMBER.fullmatch(str(name)):
                self.wrong(place, "unknown_field")
            elif isinstance(value, bool):
                facts[name] = value
            elif value is not None and (text := self.take(place, lambda v=value: clean_text(v, longest=500), "")):  # type: ignore[misc]
                facts[name] = text
        return facts

    def papers(self, data: object) -> tuple[Paper, ...]:
        if data is None:
            return ()
        if not isinstance(data, list) or len(data) > _MOST:
            self.wrong("/documents", "wrong_type", expected="list")
            return ()
        return tuple(self.paper(value, f"/documents/{place}") for place, value in enumerate(data))

    def paper(self, data: object, pointer: str) -> Paper:
        if not isinstance(data, Mapping):
            self.wrong(pointer, "wrong_type", expected="object")
            return Paper(kind="")
        for name in sorted({str(key) for key in data} - {"kind", "number", "status", "issued_on", "expires_on"}):
            self.wrong(f"{pointer}/{name[:64]}", "unknown_field")
        kinds = self.country.code_lists.get("document_type", ())
        kind = data.get("kind")
        if not isinstance(kind, str) or kind not in kinds:
            self.not_one_of(f"{pointer}/kind", kinds)
            kind = ""
        status = data.get("status", "held")
        if status not in _PAPER_STATES:
            self.wrong(f"{pointer}/status", "not_a_choice", choices=", ".join(_PAPER_STATES))
        number = data.get("number")
        return Paper(
            kind=kind,
            number=self.take(f"{pointer}/number", lambda: clean_text(number, longest=60), "") if number else "",
            status=str(status),
            issued_on=self.day(data.get("issued_on"), f"{pointer}/issued_on"),
            expires_on=self.day(data.get("expires_on"), f"{pointer}/expires_on"),
        )

    def day(self, value: object, pointer: str) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            self.wrong(pointer, "not_a_date")
            return None
