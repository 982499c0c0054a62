"""An example of each request that a partner's program may send, made of the same declarations that answer it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from marshmallow import Schema
from marshmallow.fields import Field

from api.transport.endpoint import OPERATIONS, Operation
from api.transport.fields import Anything, Choice, Code, Day, Flag, Id, ListOf, Moment, Object, Whole
from nrm.rules.statuses import REFERRAL_VERBS

_PART: Final = re.compile(r"<(\w+)>")
_TAIL: Final = "0123456789abcdefghjkmnpqrs"
_PREFIXES: Final[Mapping[str, str]] = {
    "referral": "ref",
    "organisation": "org",
    "organization": "org",
    "service": "svc",
    "case": "cas",
    "desk": "dsk",
    "task": "tsk",
    "person": "per",
    "key": "key",
    "approved_by": "usr",
    "user": "usr",
    "after": "evt",
    "event": "evt",
    "endpoint": "whe",
    "delivery": "dlv",
    "document": "doc",
    "plan_service": "pls",
    "restriction": "rst",
}
"""Begin of a field's or part's name → prefix of its ids."""
_WORDS: Final[Mapping[str, object]] = {
    "reason": "no_capacity",
    "outcome": "provided",
    "note": "Seen on Tuesday",
    "text": "When can she come?",
    "name": "decline_reason",
    "external_id": "our-number-4711",
    "url": "https://partner.example.org/webhooks/nrm",
    "search": "school",
    "pcode": "TL01",
}
_TOLD: Final[Mapping[str, Mapping[str, object]]] = {
    "referrals.create": {"reason": "Work as a carpenter"},
    "referrals.change": {"reason": "Work as a carpenter"},
    "webhooks.change_endpoint": {"types": ["referral.sent", "referral.withdrawn"]},
    "tasks.hold": {"reason": "health"},
    "tasks.complete": {"answers": {"came": True}},
}
"""Endpoint → what its example says, beside what must be given."""
_FORMS: Final[Mapping[str, str]] = {
    "oauth.token": "-d grant_type=client_credentials",
    "oauth.revoke": '-d token="$NRM_TOKEN"',
}
"""Endpoint that takes a form → its fields for curl; the client shows itself by its id and secret."""
_OPEN: Final = frozenset({"fhir", "hsds", "oauth"})
"""Nouns for programs with endpoints for which nobody signs in."""
_UUID: Final = "3b0b2f6e-6f1c-5d53-9a1e-6a2f8d1c4e57"


def for_partners() -> tuple[Operation, ...]:
    """Give the endpoints that a program may ask: those with a scope, and those that nobody signs in for."""
    return tuple(
        operation
        for operation in OPERATIONS
        if operation.scope is not None or (not operation.signed_in and operation.noun in _OPEN)
    )


def path_of(operation: Operation) -> str:
    """Give the address of an endpoint with an example in each open part."""
    return _PART.sub(lambda found: str(_named(found[1].removesuffix("_id"))), operation.rule)


def query_of(operation: Operation) -> dict[str, object]:
    """Give what must stand in the query string."""
    return _example(operation.query) if operation.query is not None else {}


def body_of(operation: Operation) -> dict[str, object] | None:
    """Give an example of a body: what it must have, and the version that it is based on; None for an empty one."""
    if operation.body is None:
        return None
    body = _example(operation.body) | dict(_TOLD.get(f"{operation.noun}.{operation.name}", {}))
    verb = REFERRAL_VERBS.get(operation.name) if operation.noun == "referrals" else None
    if verb is not None and verb.reasons is not None:
        body["reason"] = str(next(iter(verb.reasons)))
    return body | ({"version": 1} if operation.versioned else {}) or None


def curl_of(operation: Operation) -> str:
    """Write the request for the command line."""
    address = path_of(operation) + _query_text(query_of(operation))
    begin = ["curl"] if operation.method == "GET" else ["curl", "-X", operation.method]
    lines = [" ".join([*begin, f'"$NRM_URL{address}"'])]
    if operation.signed_in:
        lines.append('-H "Authorization: Bearer $NRM_KEY"')
    body = body_of(operation)
    if operation.keyed:
        lines.append('-H "Idempotency-Key: my-own-key-1"')
    if body is not None:
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(body, ensure_ascii=False)}'"]
    elif f"{operation.noun}.{operation.name}" in _FORMS:
        lines += ['-u "$NRM_CLIENT:$NRM_SECRET"', _FORMS[f"{operation.noun}.{operation.name}"]]
    elif operation.upload:
        lines += [f'-H "Content-Type: {operation.upload[0]}"', "--data-binary @file"]
    return " \\\n  ".join(lines)


def python_of(operation: Operation) -> str | None:
    """Write the request for the Python client; None for what it does not send."""
    rule = path_of(operation)
    if operation.upload or not rule.startswith("/api/v1"):
        return None
    body = body_of(operation)
    parts = [json.dumps(operation.method), json.dumps(rule.removeprefix("/api/v1"))]
    if body is not None:
        parts.append(repr(body))
    if query := query_of(operation):
        parts.append(f"query={query!r}")
    return f"client.call({', '.join(parts)})"


def http_file() -> str:
    """Write all requests as one file for editors that send them (`.http`)."""
    parts = ["@url = https://referrals.example.org\n@key = nrm_test_…\n"]
    for operation in for_partners():
        lines = [f"### {operation.summary}", f"{operation.method} {{{{url}}}}{path_of(operation)}"]
        lines[1] += _query_text(query_of(operation))
        if operation.signed_in:
            lines.append("Authorization: Bearer {{key}}")
        body = body_of(operation)
        if operation.keyed:
            lines.append("Idempotency-Key: {{$guid}}")
        if body is not None:
            lines += ["Content-Type: application/json", "", json.dumps(body, ensure_ascii=False, indent=2)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _query_text(query: Mapping[str, object]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""


def _example(schema: Schema) -> dict[str, object]:
    return {name: value_of(name, field) for name, field in schema.fields.items() if field.required}


_MADE: Final[tuple[tuple[type, Callable[[str, Any], object]], ...]] = (
    (Choice, lambda _, field: field.choices[0]),
    (Whole, lambda _, field: max(field.low, 1)),
    (Flag, lambda *_: True),
    (Day, lambda *_: "2026-09-01"),
    (Moment, lambda *_: "2026-09-01T08:00:00Z"),
    (ListOf, lambda name, field: [value_of(name, field.inner)]),
    (Object, lambda _, field: _example(field.schema)),
    (Anything, lambda *_: {}),
    (Id, lambda name, _: f"{_prefix(name.removesuffix('_id'))}_{_TAIL}"),
    (Code, lambda name, _: _WORDS.get(name, "other")),
)
"""Kind of a field → a value that it takes, by the field's name."""


def value_of(name: str, field: Field[Any]) -> object:
    """Give a value that a field takes.

    Args:
        name: the field's name, which says what kind of id or word fits.
        field: a field of `api.transport.fields`.
    """
    make = next((make for kind, make in _MADE if isinstance(field, kind)), None)
    return make(name, field) if make is not None else _WORDS.get(name, "Work in a workshop")


def _prefix(name: str) -> str:
    return next((prefix for begin, prefix in _PREFIXES.items() if name.startswith(begin)), "org")


def _named(part: str) -> object:
    if part == "public_uuid":
        return _UUID
    return _WORDS[part] if part in _WORDS else f"{_prefix(part)}_{_TAIL}"
