"""The OpenAPI 3.1 document, made of the same declarations that answer requests."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, TypeVar

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from api.transport.endpoint import ANY_KEY, OPERATIONS, PURPOSE, Operation
from api.transport.shapes import schema_of
from nrm.rules.partner_events import TYPES, Envelope
from nrm.rules.permissions import SCOPES
from nrm.vocabulary import ReadPurpose

T = TypeVar("T")

TITLE: Final = "National Referral Mechanism"
_PART: Final = re.compile(r"<(?:\w+:)?(\w+)>")
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A problem (RFC 9457) with a stable code and words in the asker's language",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "code", "detail"],
                "additionalProperties": False,
            },
        },
        "allowed_actions": {"type": "array", "items": {"type": "string"}},
        "current_version": {"type": "integer"},
        "existing_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
    "additionalProperties": False,
}
_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-nrm", "description": "People who signed in"},
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "Programs of partner organisations: the key that the organisation was given. "
        "Scopes: " + ", ".join(SCOPES) + ".",
    },
    "oauth": {
        "type": "oauth2",
        "description": "Programs of partner organisations: a token that their client got",
        "flows": {
            "clientCredentials": {"tokenUrl": "/api/v1/oauth/token", "scopes": {scope: scope for scope in SCOPES}}
        },
    },
}
_SAYS: Final = {
    400: "The request cannot be read",
    401: "Nobody is signed in",
    403: "Not allowed",
    404: "There is no such thing, or it is not yours to know of",
    406: "The answer cannot be sent as what Accept asks for",
    409: "It does not fit the present state",
    412: "Somebody changed it since you read it",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The input has mistakes",
    428: "The version is missing: send If-Match, or version (of pack data: seen)",
    429: "Too many requests",
    503: "Busy; try again",
}


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Give the whole document."""
    plugin = MarshmallowPlugin(schema_name_resolver=_input_name)
    spec = APISpec(
        title=TITLE,
        version="1",
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": "Returnees, cases, tasks and referrals. All texts are UTF-8; times are RFC 3339."},
        servers=[{"url": "/"}],
    )
    for name, scheme in _SCHEMES.items():
        spec.components.security_scheme(name, dict(scheme))
    definitions: dict[str, Any] = {}
    for operation in OPERATIONS:
        spec.path(
            path=_PART.sub(r"{\1}", operation.rule),
            operations={operation.method.lower(): _operation(operation, plugin, definitions)},
        )
    content: dict[str, Any] = spec.to_dict()
    content["webhooks"] = {name: {"post": _webhook(name, says, definitions)} for name, says in TYPES.items()}
    schemas = content.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in definitions.items():
        if name in schemas:
            raise RuntimeError(f"an input and an answer are both called {name}")
        schema.pop("x-python", None)
        schemas[name] = schema
    schemas["Problem"] = _PROBLEM
    return content


def _webhook(name: str, says: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Describe what a partner's own program gets; the answers are its own."""
    event = {**schema_of(Envelope, definitions)}
    return {
        "operationId": f"webhook.{name}",
        "tags": ["webhooks"],
        "summary": says.rstrip("."),
        "description": "Signed as Standard Webhooks 1.0.0 says. Each event comes at least once, always under one id.",
        "parameters": [
            _header("webhook-id", "The same at every attempt", "^whd_[0-9a-z]{26}$"),
            _header("webhook-timestamp", "Seconds since 1970, of this attempt", "^[0-9]{10,}$"),
            _header("webhook-signature", "One signature, or two with a space between", "^v1a?,[A-Za-z0-9+/=]+"),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"allOf": [event, {"type": "object", "properties": {"type": {"const": name}}}]}
                }
            },
        },
        "responses": {
            "2XX": {"description": "Taken. It must come within 15 seconds"},
            "410": {"description": "Send nothing more to this address"},
            "default": {"description": "Not taken: it is tried again, ten times over about three days"},
        },
    }


def _input_name(schema: Any) -> str:  # noqa: ANN401 - a schema class or instance
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__ + "Input"


def _operation(operation: Operation, plugin: MarshmallowPlugin, definitions: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{operation.noun}.{operation.name}",
        "tags": [operation.noun],
        "summary": operation.summary,
        "parameters": [*_path_parts(operation), *_query(operation, plugin), *_headers(operation)],
        "responses": _responses(operation, definitions),
        "security": _security(operation),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.lifetime is not None:
        described["deprecated"] = True
        if operation.lifetime.sunset is not None:
            described["x-sunset"] = operation.lifetime.sunset.isoformat().replace("+00:00", "Z")
    if operation.body is not None and operation.body.fields:
        reference = _ready(plugin.resolver).resolve_schema_dict(operation.body)  # type: ignore[no-untyped-call]
        required = any(field.required for field in operation.body.fields.values())
        described["requestBody"] = {"required": required, "content": {"application/json": {"schema": reference}}}
    if operation.upload:
        file = {media: {"schema": {"type": "string", "contentMediaType": media}} for media in operation.upload}
        described["requestBody"] = {"required": True, "content": file}
    return described


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """List what one may ask with; a key's roles are the scopes that it needs (OpenAPI 3.1 §4.8.30)."""
    if not operation.signed_in:
        return []
    people: list[dict[str, list[str]]] = [{"session": []}]
    if operation.scope is None:
        return people
    scopes = [] if operation.scope == ANY_KEY else [operation.scope]
    return [*people, {"key": scopes}, {"oauth": scopes}]


def _ready(part: T | None) -> T:
    if part is None:
        raise RuntimeError("the plugin belongs to no document yet")
    return part


def _path_parts(operation: Operation) -> list[dict[str, Any]]:
    shape = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$"}
    return [{"name": name, "in": "path", "required": True, "schema": shape} for name in _PART.findall(operation.rule)]


def _query(operation: Operation, plugin: MarshmallowPlugin) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    found: list[dict[str, Any]] = _ready(plugin.converter).schema2parameters(operation.query, location="query")
    return found


def _headers(operation: Operation) -> list[dict[str, Any]]:
    headers = []
    if operation.body is not None and "version" in operation.body.fields:
        headers.append(
            _header("If-Match", 'The version that the change is based on: "v3"', '^(W/)?"v[1-9][0-9]{0,9}"$')
        )
    if _is_stamped(operation):
        headers.append(
            _header("If-Match", "The ETag of the entry that the change is based on", '^(W/)?"[0-9a-f]{16}"$')
        )
    if operation.purposed:
        purposes = "|".join(ReadPurpose)
        headers.append(_header(PURPOSE, "What a program reads restricted personal data for", f"^({purposes})$"))
    if operation.keyed:
        headers.append(_header("Idempotency-Key", "Makes a repeated request harmless", "^[!-~]{1,200}$"))
    return headers


def _is_stamped(operation: Operation) -> bool:
    return operation.body is not None and "seen" in operation.body.fields


def _header(name: str, says: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": says, "schema": {"type": "string", "pattern": pattern}}


def _responses(operation: Operation, definitions: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done" if operation.method != "GET" else "Found"}
    if operation.answer is not None:
        good["content"] = {operation.media: {"schema": _answer_schema(operation, definitions)}}
    responses = {str(operation.status): good}
    for status in sorted(_refusals(operation)):
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        if operation.refusal is not None and status in (400, 401):
            problem["application/json"] = {"schema": schema_of(operation.refusal, definitions)}
        responses[str(status)] = {"description": _SAYS[status], "content": problem}
    if operation.tagged:
        responses["304"] = {"description": "Unchanged since the ETag that was sent"}
    return responses


def _answer_schema(operation: Operation, definitions: dict[str, Any]) -> dict[str, Any]:
    if not operation.media.endswith("json"):
        return {"type": "string"}
    schema = schema_of(operation.answer, definitions)
    if not operation.paged:
        return schema
    return {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": schema},
            "next_cursor": {"type": ["string", "null"]},
            "has_more": {"type": "boolean"},
        },
        "required": ["data", "next_cursor", "has_more"],
        "additionalProperties": False,
    }


def _refusals(operation: Operation) -> set[int]:
    refusals = {400, 404, 406, 422, 503}
    if operation.signed_in:
        refusals |= {401, 403, 429}
    if operation.limited:
        refusals.add(429)
    if operation.body is not None or operation.upload:
        refusals |= {401, 403, 409, 412, 413, 415, 422, 429}
    if operation.versioned or _is_stamped(operation):
        refusals.add(428)
    return refusals
