"""Read what a browser sends of a form: field names lead to the question, rounds of a repeat have a number.

`a.phone` is a question, `a.children.0.name` one in the first round of a repeat, `a.cost.amount` part of an amount.
`a.children.rounds` says how many rounds the page showed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, TypeAlias

from nrm.rules.forms import ROUNDS, Field, Form

Filled: TypeAlias = "str | list[str] | dict[str, Filled] | list[dict[str, Filled]]"
PREFIX: Final = "a"
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {"money": ("amount", "currency"), "geopoint": ("lat", "lon")}


class Sent(Protocol):
    """What a browser sent: names, each with one or more values."""

    def get(self, key: str) -> str | None:
        """Give the first value of a name."""

    def getlist(self, key: str) -> list[str]:
        """Give all values of a name."""


def read_answers(form: Form, sent: Sent) -> dict[str, Filled]:
    """Read the answers of a form; what was left empty is left out.

    Args:
        form: the form that the page showed.
        sent: what the browser sent.
    """
    return _fields(form.fields, sent, PREFIX)


def _fields(fields: tuple[Field, ...], sent: Sent, before: str) -> dict[str, Filled]:
    found: dict[str, Filled] = {}
    for item in fields:
        if item.type == "group":
            found |= _fields(item.fields, sent, before)
            continue
        value = _value(item, sent, f"{before}.{item.name}")
        if value:
            found[item.name] = value
    return found


def _value(item: Field, sent: Sent, name: str) -> Filled | None:
    if item.type in {"note", "calculate"}:
        return None
    if item.type == "repeat":
        return [_fields(item.fields, sent, f"{name}.{place}") for place in range(rounds_sent(sent, name))]
    if item.type == "select_multiple":
        return sent.getlist(name)
    if item.type in _PARTS:
        parts: dict[str, Filled] = {part: text for part in _PARTS[item.type] if (text := _text(sent, f"{name}.{part}"))}
        return parts if any(part != "currency" for part in parts) else None
    return _text(sent, name)


def _text(sent: Sent, name: str) -> str:
    return (sent.get(name) or "").replace("\r\n", "\n").strip()


def rounds_sent(sent: Sent, name: str) -> int:
    """Give how many rounds of a repeat a page showed.

    Args:
        sent: what the browser sent.
        name: field name of the repeat.
    """
    text = sent.get(f"{name}.rounds") or ""
    return min(int(text), ROUNDS) if text.isascii() and text.isdigit() and len(text) < 4 else 0
