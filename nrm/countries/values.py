"""What a country pack holds, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Texts: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackProblem:
    """One mistake in a pack.

    Attributes:
        file: path of the file inside the pack ("organisations.json").
        pointer: JSON pointer to the value, "" for the whole file.
        code: stable code ("required", "unknown_organisation").
        params: values for the sentence.
        warning: it is doubtful, but the pack can be loaded with it.
    """

    file: str
    pointer: str
    code: str
    params: Mapping[str, str | int | None] = field(default_factory=dict)
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A governorate or a district of one."""

    key: str
    kind: str
    names: Texts
    parent: str | None = None
    iso: str | None = None
    pcode: str | None = None
    jurisdiction: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation of the directory."""

    code: str
    names: Texts
    kind: str
    jurisdiction: str | None = None
    channel: str = "portal"
    email: str | None = None
    phone: str | None = None
    languages: tuple[str, ...] = ()
    letter_language: str | None = None
    letter_digits: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A desk of an organisation, for one role in one place."""

    code: str
    organisation: str
    role: str
    names: Texts
    governorate: str | None = None
    jurisdiction: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A signed data-sharing agreement with an organisation; `signed_on` tells it from the organisation's others."""

    organisation: str
    categories: tuple[str, ...]
    signed_on: date
    expires_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that an organisation offers.

    Attributes:
        coverage: pairs of governorate and district; district None means the whole governorate.
        slots: places per month; None when nobody counts them.
        details: what else the directory shows (cost, documents needed, schedule …).
        accepting: with `paused_until`, `open_slots`, `waiting_days` and `last_verified_on` the first value of a
            fact that the provider keeps up to date later.
    """

    code: str
    organisation: str
    category: str
    names: Texts
    coverage: tuple[tuple[str, str | None], ...]
    desk: str | None = None
    description: Texts = field(default_factory=dict)
    eligibility: str = ""
    languages: tuple[str, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)
    visibility: str = "public"
    slots: int | None = None
    valid_until: date | None = None
    active: bool = True
    livemode: bool = True
    accepting: bool = True
    paused_until: date | None = None
    open_slots: int | None = None
    waiting_days: int | None = None
    last_verified_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code of a code list."""

    list: str
    code: str
    names: Texts
    position: int
    extra: Mapping[str, Json] = field(default_factory=dict)
    active: bool = True


class ItemKind(StrEnum):
    """Pieces of a pack that are kept as one document each."""

    COUNTRY = "country"
    CALENDAR = "calendar"
    JURISDICTION = "jurisdiction"
    ROLE = "role"
    LADDER = "ladder"
    SETTING = "setting"
    CLOCKS = "clocks"
    CALL_TABLE = "call_table"
    TABLE = "table"
    CODE_LIST = "code_list"
    MANIFEST = "manifest"
    LABELS = "labels"
    LETTER = "letter"
    INDICATOR = "indicator"
    SURVEY = "survey"
    MARKS = "marks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One such document; a decision table's content is its DMN text.

    Marks are what a pack says about an entry for its readers only (verified, invented, demo), by "kind:key".
    """

    kind: ItemKind
    key: str
    content: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A whole country pack.

    Attributes:
        key: the country's key, also its folder's name.
        forms: form key → the form file as it is.
        paths: path key → the diagram's bytes.
        scenarios: path key → name of a scenario → the scenario file as it is.
    """

    key: str
    places: tuple[Place, ...]
    organisations: tuple[Organisation, ...]
    desks: tuple[Desk, ...]
    agreements: tuple[Agreement, ...]
    services: tuple[Service, ...]
    codes: tuple[Code, ...]
    items: tuple[Item, ...]
    forms: Mapping[str, dict[str, Json]]
    paths: Mapping[str, bytes]
    scenarios: Mapping[str, Mapping[str, dict[str, Json]]] = field(default_factory=dict)

    @property
    def started_with(self) -> dict[str, frozenset[str]]:
        """Names of the values with which the scenarios start each path."""
        return {path: names_at_start(scenarios.values()) for path, scenarios in self.scenarios.items()}

    def contents(self, kind: ItemKind) -> dict[str, Json]:
        """Give the documents of a kind by key."""
        return {item.key: item.content for item in self.items if item.kind is kind}


def names_at_start(scenarios: Iterable[Mapping[str, Json]]) -> frozenset[str]:
    """Give the names of the values with which some scenarios start their path."""
    starts = [scenario.get("start") for scenario in scenarios]
    return frozenset(name for start in starts if isinstance(start, dict) for name in start)
