"""What goes out: frozen values are written as JSON as they are, and their types are published as JSON Schema.

An answer holds exactly the fields of its type: the type is the list of what may leave, checked by the type
checker, published in the OpenAPI document and written by orjson without a step in between.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import orjson

Json = dict[str, Any]

_OPTIONS: Final = orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_PLAIN: Final[Mapping[object, Json]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
}
_LIST_ORIGINS: Final = frozenset({list, tuple, Sequence, frozenset, set})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The id of what was just made."""

    id: str


def made(result: object) -> Made:
    """Make the answer of an action that gives the id of what it made."""
    return Made(id=str(result))


def write_json(value: object) -> bytes:
    """Write an answer."""
    return orjson.dumps(value, default=_other, option=_OPTIONS)


def _other(value: object) -> object:
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


@lru_cache(maxsize=512)
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def schema_of(kind: Any, definitions: Json) -> Json:  # noqa: ANN401 - any type
    """Give the JSON Schema of a type; named types go into `definitions`.

    Args:
        kind: a type, as in an annotation.
        definitions: name → schema; added to.

    Raises:
        TypeError: answers cannot hold this type.
    """
    if isinstance(kind, str | typing.ForwardRef):
        # An alias that names itself: any JSON value.
        return {}
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin = typing.get_origin(kind)
    if origin is not None:
        return _generic(kind, origin, definitions)
    return _class(kind, definitions)


def _class(kind: Any, definitions: Json) -> Json:  # noqa: ANN401
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, definitions)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"type": "string", "enum": [str(member.value) for member in kind]}
    if kind in (dict, Mapping):
        return {"type": "object"}
    raise TypeError(f"an answer cannot hold {kind!r}")


def _generic(kind: Any, origin: Any, definitions: Json) -> Json:  # noqa: ANN401
    arguments = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments, definitions)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in _LIST_ORIGINS:
        inner = next((argument for argument in arguments if argument is not Ellipsis), object)
        return {"type": "array", "items": schema_of(inner, definitions)}
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {"type": "object", "additionalProperties": schema_of(arguments[1], definitions)}
    if dataclasses.is_dataclass(origin):
        raise TypeError("an answer names its type without parameters")
    return schema_of(origin, definitions)


def _union(arguments: Sequence[Any], definitions: Json) -> Json:
    parts = [schema_of(argument, definitions) for argument in arguments]
    if {} in parts:
        return {}
    if all(set(part) <= {"type", "format"} and isinstance(part.get("type"), str) for part in parts):
        formats = {key: value for part in parts for key, value in part.items() if key == "format"}
        return {"type": [part["type"] for part in parts], **formats}
    return {"anyOf": parts}


def _object(kind: type, definitions: Json) -> Json:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}
        hints = _hints(kind)
        fields = dataclasses.fields(kind)
        definitions[name].update(
            {
                "type": "object",
                "description": re.sub(r"\s+", " ", (kind.__doc__ or "").split("\n\n")[0]).strip(),
                "properties": {field.name: schema_of(hints[field.name], definitions) for field in fields},
                "required": [field.name for field in fields],
                "additionalProperties": False,
                "x-python": f"{kind.__module__}.{kind.__qualname__}",
            }
        )
    elif definitions[name].get("x-python") != f"{kind.__module__}.{kind.__qualname__}":
        raise TypeError(f"two types of answers are called {name}")
    return {"$ref": f"#/components/schemas/{name}"}
