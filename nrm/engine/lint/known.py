"""What a country pack has, as far as a diagram may name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CASE_MESSAGES = ("consent.withdrawn", "case.transferred", "person.deceased", "risk.raised")
"""Messages to every run of a case; each path answers all of them on the sub-process that holds the whole path."""

STOPPING = frozenset(CASE_MESSAGES) - {"risk.raised"}
"""Those of them after which the path does not go on; a raised risk may also be answered beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTable:
    """A decision table: names of the values that it reads and sets."""

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCheck:
    """A registered check or effect: names of its parameters and of the values that it sets.

    Attributes:
        params: every parameter that it takes.
        required: those of them that must be given.
        values: the values of the run that it sets.
    """

    params: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPath:
    """How the newest version of a path can end, for a path that calls it.

    Attributes:
        outcomes: what the caller may get as its outcome.
        errors: codes of errors that come out of it.
        values: names of the values that it can give; no others are in its runs.
    """

    outcomes: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCall:
    """What the newest version of a path expects of another one that it calls.

    Attributes:
        caller: key of the path that calls.
        outcomes: the outcomes that its conditions ask for.
        values: names of the values that it takes.
        errors: codes of the errors that it catches; None when it catches all.
    """

    caller: str
    outcomes: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    errors: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything in a pack that a diagram may name.

    Attributes:
        languages: codes of the languages in which every text must exist ("ar", "ckb", "en").
        roles: desk roles.
        organisations: kinds of organisations; empty for any.
        forms: form key → (field name → field type), fields inside groups included, inside repeats not.
        choices: form key → (name of a question with choices → their codes); not there when unknown.
        services: codes of service categories.
        outcomes: codes of outcomes.
        stages: codes of a case's stages; empty for any.
        paths: path key → keys of the paths that it calls (empty when unknown).
        ends: path key → how its newest version can end; not there when unknown.
        callers: path key → what the paths that call its newest version expect of it.
        versions: path key → numbers of its versions; not there when unknown.
        tables: decision tables.
        ladders: escalation ladders.
        checks: registered checks and effects.
        messages: names of messages that something sends; empty for any.
        chased: those of them that the system sees to itself, so that one of them surely comes.
        values: names of values that every run has from its start.
        passed: path key → names of values that those who start it pass to it.
    """

    languages: tuple[str, ...] = ("ar", "ckb", "en")
    roles: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    services: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    paths: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ends: Mapping[str, KnownPath] = field(default_factory=dict)
    callers: Mapping[str, tuple[KnownCall, ...]] = field(default_factory=dict)
    versions: Mapping[str, frozenset[int]] = field(default_factory=dict)
    tables: Mapping[str, KnownTable] = field(default_factory=dict)
    ladders: frozenset[str] = frozenset()
    checks: Mapping[str, KnownCheck] = field(default_factory=dict)
    messages: frozenset[str] = frozenset()
    chased: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    passed: Mapping[str, frozenset[str]] = field(default_factory=dict)
