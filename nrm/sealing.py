"""Sealed values: the one door through which personal values enter and leave their columns.

A sealed column holds a text made here and nothing else reads or writes it. The first codec passes the value
through as JSON; encryption per person replaces it later without touching a caller, because the row's id and the
column's name are already given at every call, as the value will be bound to both.
"""

from __future__ import annotations

from typing import TypeAlias

import orjson

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_PLAIN = "0:"


def seal(value: Json, *, row: str, column: str) -> str:
    """Turn a value into the text to store.

    Args:
        value: anything that JSON can hold.
        row: id of the row, made before the insert.
        column: "table.column".
    """
    del row, column
    return _PLAIN + orjson.dumps(value).decode()


def unseal(text: str | None, *, row: str, column: str) -> Json:
    """Give the value back; None for an empty column.

    Args:
        text: what the column holds.
        row: id of the row.
        column: "table.column".

    Raises:
        ValueError: when the text was not made by `seal`.
    """
    del row, column
    if text is None:
        return None
    if not text.startswith(_PLAIN):
        raise ValueError("a sealed column holds a value of an unknown codec")
    value: Json = orjson.loads(text[2:])
    return value


def seal_bytes(content: bytes, *, row: str, column: str) -> bytes:
    """Turn a file's bytes into what lies on the disk; arguments as for `seal`."""
    del row, column
    return _PLAIN.encode() + content


def unseal_bytes(stored: bytes, *, row: str, column: str) -> bytes:
    """Give a file's bytes back; arguments as for `unseal`.

    Raises:
        ValueError: when they were not made by `seal_bytes`.
    """
    del row, column
    if not stored.startswith(_PLAIN.encode()):
        raise ValueError("a stored file is of an unknown codec")
    return stored[len(_PLAIN) :]
