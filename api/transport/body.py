"""Read what a client sent: the JSON body, the query string and the version that a change is based on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from flask import Request
from marshmallow import Schema, ValidationError

from api.transport.fields import Coded
from api.transport.refusals import Refused
from nrm.errors import NotValid, Problem

LIMIT: Final = 1_000_000
"""Most bytes of a body, where an endpoint does not say otherwise."""

DEEPEST: Final = 32
"""Most objects and lists inside each other."""

_STAMP_MATCH: Final = re.compile(r'(?:W/)?"([0-9a-f]{16})"')
_IF_MATCH: Final = re.compile(r'(?:W/)?"v([1-9][0-9]{0,9})"')


def read_json(request: Request, limit: int) -> dict[str, Any]:
    """Give the body as an object; an empty body is an empty object.

    Args:
        request: the request.
        limit: most bytes.

    Raises:
        Refused: 400 when it cannot be read, 413 when it is too large, 415 when it is not JSON.
        NotValid: it is not an object.
    """
    if (request.content_length or 0) > limit:
        raise Refused(413, "body_too_large", limit=limit)
    # One byte more than allowed tells a longer chunked body apart without reading all of it.
    request.max_content_length = limit
    data = request.get_data(cache=False)
    if not data:
        return {}
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Refused(415, "not_json_type")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "unreadable_json", position=error.pos) from None
    if data.count(b"{") + data.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise Refused(400, "json_too_deep", deepest=DEEPEST)
    if b"\\u0000" in data and any("\x00" in text for text in _texts(value)):
        raise Refused(400, "nul_character")
    if not isinstance(value, dict):
        raise NotValid([Problem(pointer="", code="wrong_type", params={"expected": "object"})])
    return value


def _depth(value: object) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        current, depth = waiting.pop()
        inner = current.values() if isinstance(current, dict) else current if isinstance(current, list) else ()
        if isinstance(current, dict | list):
            deepest = max(deepest, depth)
        waiting.extend((entry, depth + 1) for entry in inner)
    return deepest


def _texts(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict):
            waiting.extend(current)
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)


def load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """Check an object against a schema.

    Raises:
        NotValid: with all mistakes, each by its JSON pointer.
    """
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        raise NotValid(list(_problems(error.messages, ""))) from None
    return loaded


def _problems(messages: object, pointer: str) -> Iterator[Problem]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            place = "" if key == "_schema" else "/" + str(key)[:64].replace("~", "~0").replace("/", "~1")
            yield from _problems(inner, pointer + place)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _problems(inner, pointer)
    elif isinstance(messages, Coded):
        yield Problem(pointer=pointer, code=messages.code, params=messages.params)
    else:
        yield Problem(pointer=pointer, code=str(messages))


def read_query(request: Request, schema: Schema) -> dict[str, Any]:
    """Check the query string; a field that is given twice is refused.

    Raises:
        NotValid: with all mistakes.
    """
    given = request.args.to_dict(flat=False)
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        raise NotValid([Problem(pointer=f"/{name[:64]}", code="given_twice") for name in twice])
    return load(schema, {name: values[0] for name, values in given.items()})


def read_version(request: Request, body: dict[str, Any]) -> int | None:
    """Take the version that a change is based on out of If-Match or the body.

    Raises:
        Refused: 400 when If-Match is not one of our ETags.
        NotValid: header and body name different versions.
    """
    given: int | None = body.pop("version", None)
    header = request.headers.get("If-Match")
    if header is None:
        return given
    found = _IF_MATCH.fullmatch(header.strip())
    if found is None:
        raise Refused(400, "bad_if_match")
    version = int(found[1])
    if given is not None and given != version:
        raise NotValid([Problem(pointer="/version", code="versions_differ")])
    return version


def read_stamp(request: Request, body: dict[str, Any]) -> str:
    """Take the stamp that a change is based on out of If-Match or the body.

    Raises:
        Refused: 400 when If-Match is no stamp, 428 when there is none at all.
        NotValid: header and body name different stamps.
    """
    given: str = body.pop("seen", "")
    header = request.headers.get("If-Match")
    if header is not None:
        found = _STAMP_MATCH.fullmatch(header.strip())
        if found is None:
            raise Refused(400, "bad_if_match")
        if given and given != found[1]:
            raise NotValid([Problem(pointer="/seen", code="versions_differ")])
        given = found[1]
    if not given:
        raise Refused(428, "stamp_required")
    return given
