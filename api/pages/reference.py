"""What the pages of the documentation list: calls with examples, states, verbs and code lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from api.pages import examples
from api.transport.endpoint import Operation
from api.transport.shapes import schema_of
from nrm.queries import directory
from nrm.queries.directory import CodeList
from nrm.rules.statuses import REFERRAL_STATES, REFERRAL_VERBS, StateFacts, Verb
from nrm.vocabulary import ReferralState

_SHOWN_LISTS: Final = (
    "service_category",
    "decline_reason",
    "not_served_reason",
    "cancel_reason",
    "withdraw_reason",
    "hold_reason",
    "referral_outcome",
    "urgency",
    "data_category",
    "governorate",
)
"""The code lists that a referral speaks in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an answer or of a query.

    Attributes:
        kind: its JSON type, or the name of an object.
    """

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call with its examples.

    Attributes:
        id: its operationId, the anchor.
        scope: the scope that it needs; "any" for every key; None where nobody signs in.
        parameters: what may stand in the query string.
        answer: name of the answer's type; None when it is empty.
        paged: the answer is a list.
        members: members of the answer.
        path: its address with examples in the open parts.
        body: an example of the body as JSON; None when it has none.
    """

    id: str
    method: str
    rule: str
    summary: str
    description: str
    scope: str | None
    parameters: tuple[Member, ...]
    answer: str | None
    paged: bool
    members: tuple[Member, ...]
    curl: str
    python: str | None
    path: str
    body: str | None


@lru_cache(maxsize=1)
def groups() -> tuple[tuple[str, tuple[Call, ...]], ...]:
    """Give the calls by noun."""
    found: dict[str, list[Call]] = {}
    for operation in examples.for_partners():
        found.setdefault(operation.noun, []).append(_call(operation))
    return tuple((noun, tuple(calls)) for noun, calls in found.items())


def _call(operation: Operation) -> Call:
    definitions: dict[str, Any] = {}
    schema = schema_of(operation.answer, definitions) if operation.answer is not None else {}
    body = examples.body_of(operation)
    query = operation.query.fields if operation.query is not None else {}
    return Call(
        id=f"{operation.noun}.{operation.name}",
        method=operation.method,
        rule=operation.rule.replace("<", "{").replace(">", "}"),
        summary=operation.summary,
        description=operation.description,
        scope=operation.scope if operation.signed_in else None,
        parameters=tuple(Member(name=name, kind=type(field).__name__.lower()) for name, field in query.items()),
        answer=_name(schema) if operation.answer is not None else None,
        paged=operation.paged,
        members=_members(schema, definitions),
        curl=examples.curl_of(operation),
        python=examples.python_of(operation),
        path=examples.path_of(operation),
        body=None if body is None else json.dumps(body, ensure_ascii=False, indent=2),
    )


def _members(schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[Member, ...]:
    target = definitions.get(_name(schema), schema)
    if "items" in schema:
        target = definitions.get(_name(schema["items"]), schema["items"])
    return tuple(Member(name=name, kind=_name(kind)) for name, kind in target.get("properties", {}).items())


def _name(schema: dict[str, Any]) -> str:
    """Say a type in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_name(part) for part in schema["anyOf"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_name(schema.get('items', {}))}"
    words = kind if isinstance(kind, str) else " | ".join(kind)
    return f"{words} ({schema['format']})" if "format" in schema else str(words)


def states() -> Sequence[tuple[ReferralState, StateFacts]]:
    """Give the states of a referral with their names in other standards."""
    return tuple(REFERRAL_STATES.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbRow:
    """One way in which a verb changes a referral."""

    verb: str
    sources: tuple[str, ...]
    target: str
    who: tuple[str, ...]
    needs: tuple[str, ...]
    optional: tuple[str, ...]
    reasons: tuple[str, ...]
    event: str


def verbs() -> tuple[VerbRow, ...]:
    """Give the verbs in the order of the normative table."""
    return tuple(row for name, verb in REFERRAL_VERBS.items() for row in _verb_rows(name, verb))


def _verb_rows(name: str, verb: Verb) -> list[VerbRow]:
    return [
        VerbRow(
            verb=name.replace("_", "-"),
            sources=tuple(state for state in ReferralState if state in move.sources),
            target=str(move.target or ""),
            who=tuple(sorted(move.who)),
            needs=(("reason",) if verb.reasons else ()) + verb.needed,
            optional=verb.optional,
            reasons=tuple(verb.reasons or ()),
            event=verb.event,
        )
        for move in verb.moves
    ]


def code_lists() -> tuple[CodeList, ...]:
    """Give the code lists that a referral speaks in, as far as the country has them."""
    known = set(directory.code_list_names())
    return tuple(directory.code_list(name) for name in _SHOWN_LISTS if name in known)
