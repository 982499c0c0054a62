"""Indicators as data: what is counted, among what, by which groups, and for which objectives.

An indicator says what it measures in the product's one small language; the names that it may read are listed here, so
that a wrong one is found when the country's pack is checked and not when a report is due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, TypeAlias

from nrm.errors import NotValid, Problem
from nrm.expressions import check

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

UNITS: Final = frozenset({"count", "percent", "mean", "median"})
GROUPS: Final = frozenset(
    {"sex", "age_band", "governorate", "return_type", "host_country", "category", "organisation", "reason", "programme"}
    | {"document_type", "dimension", "wave", "donor", "handler"}
)
"""What an indicator may be broken down by."""

FACTS: Final[Mapping[str, frozenset[str]]] = {
    "case": frozenset(
        {"status", "stage", "outcome", "return_type", "days_to_screening", "days_to_plan", "months_since_return"}
        | {"unaccompanied_child", "trafficking", "hours_to_assessment", "assisted", "cost"}
    ),
    "referral": frozenset(
        {"status", "category", "outcome", "round", "acknowledged", "accepted", "declined", "ended", "in_time"}
        | {"feedback", "hours_to_acknowledge", "waiting_days"}
    ),
    "need": frozenset({"category", "status", "has_provider"}),
    "training": frozenset({"started", "completed", "certified", "employed"}),
    "business": frozenset({"months", "open"}),
    "document": frozenset({"document_type", "issued", "days"}),
    "child": frozenset({"school_age", "enrolled"}),
    "survey": frozenset({"dimension", "score", "composite", "wave", "satisfaction", "re_migrated"}),
    "complaint": frozenset({"closed", "in_time"}),
    "identity_request": frozenset({"answered", "in_time"}),
    "handler": frozenset({"open_cases"}),
}
"""Thing that is counted → the facts of it that an indicator may read."""

_KNOWN: Final = frozenset({"names", "of", "unit", "where", "among", "value", "by", "gcm", "aim", "better", "note"})


def check_indicator(data: Mapping[str, Json], *, objectives: Collection[str]) -> None:
    """Check one indicator.

    Args:
        data: `of` (what is counted), `unit`, `where` and `among` (conditions), `value` (of a mean or median), `by`,
            `gcm` (numbers of objectives), `aim` and `better`.
        objectives: codes of the Global Compact's objectives that the country's code list has.

    Raises:
        NotValid: a part is unknown, a condition reads what the thing does not have, a share has no condition, a mean
            has no value, or an objective is not in the list.
    """
    problems = [*_words(data), *_conditions(data), *_objectives(data, objectives)]
    if problems:
        raise NotValid(problems)


def _words(data: Mapping[str, Json]) -> Iterator[Problem]:
    for name in sorted(data.keys() - _KNOWN):
        yield Problem(pointer=f"/{name}", code="unknown_field")
    for name, choices in (("of", FACTS.keys()), ("unit", UNITS), ("better", {"high", "low", "neither"})):
        if data.get(name) not in choices:
            yield _choice(f"/{name}", choices)
    by = data.get("by")
    for at, group in enumerate(by if isinstance(by, list) else []):
        if group not in GROUPS:
            yield _choice(f"/by/{at}", GROUPS)


def _choice(pointer: str, choices: Collection[str]) -> Problem:
    return Problem(pointer=pointer, code="not_a_choice", params={"choices": ", ".join(sorted(choices))})


def _conditions(data: Mapping[str, Json]) -> Iterator[Problem]:
    facts = FACTS.get(str(data.get("of")), frozenset())
    unit = data.get("unit")
    needed = {"percent": "where", "mean": "value", "median": "value"}.get(str(unit))
    if needed and not data.get(needed):
        yield Problem(pointer=f"/{needed}", code="required")
    for name in ("where", "among", "value"):
        text = data.get(name)
        for mistake in check(str(text), facts) if text else ():
            yield Problem(pointer=f"/{name}", code=mistake.code, params=mistake.params)


def _objectives(data: Mapping[str, Json], objectives: Collection[str]) -> Iterator[Problem]:
    tags = data.get("gcm")
    for at, tag in enumerate(tags if isinstance(tags, list) else []):
        if str(tag) not in objectives:
            yield Problem(pointer=f"/gcm/{at}", code="unknown_objective", params={"value": str(tag)})
