"""The values by which a run decides, as somebody repairs them on a page: a kind and a text for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from nrm.errors import NotValid, Problem

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
KINDS: Final = ("none", "text", "yes", "no", "whole", "decimal", "date", "list")
"""What a value may be; yes and no need no text."""


class Sent(Protocol):
    """What a browser sent."""

    def get(self, key: str) -> str | None:
        """Give the first value of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueField:
    """One value.

    Attributes:
        name: its name in the diagram.
        kind: one of `KINDS`.
        text: as it is written in the field.
    """

    name: str
    kind: str
    text: str


def fields_of(names: Iterable[str], values: Mapping[str, Json]) -> tuple[ValueField, ...]:
    """Write the values of a run into fields."""
    return tuple(ValueField(name=name, kind=_kind(values.get(name)), text=_text(values.get(name))) for name in names)


def fields_sent(names: Iterable[str], sent: Sent) -> tuple[ValueField, ...]:
    """Read the fields as they were filled in."""
    return tuple(
        ValueField(
            name=name,
            kind=kind if (kind := sent.get(f"kind.{name}") or "none") in KINDS else "none",
            text=(sent.get(f"value.{name}") or "").strip(),
        )
        for name in names
    )


def changed(sent: Iterable[ValueField], before: Mapping[str, Json]) -> dict[str, Json]:
    """Give the values that were changed, as the action takes them.

    Args:
        sent: the fields as they were filled in.
        before: the values that the run has.

    Raises:
        NotValid: a text does not fit its kind, by pointer.
    """
    found: dict[str, Json] = {}
    problems = []
    for field in sent:
        if field.kind == _kind(before.get(field.name)) and field.text == _text(before.get(field.name)):
            continue
        try:
            found[field.name] = _value(field)
        except ValueError:
            problems.append(Problem(pointer=f"/values/{field.name}", code="not_an_integer"))
    if problems:
        raise NotValid(problems)
    return found


def _value(field: ValueField) -> Json:
    match field.kind:
        case "none":
            return None
        case "yes" | "no":
            return field.kind == "yes"
        case "whole":
            if len(field.text) > _LONGEST_NUMBER:
                raise ValueError(field.name)
            return int(field.text)
        case "decimal" | "date":
            return {field.kind: field.text}
        case "list":
            return [line.strip() for line in field.text.splitlines() if line.strip()]
        case _:
            return field.text


_LONGEST_NUMBER: Final = 15
_TYPES: Final = {"whole": int, "decimal": float, "list": list, "text": str}


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "decimal" if "decimal" in value else "date"
    return next((kind for kind, types in _TYPES.items() if isinstance(value, types)), "none")


def _text(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        return "\n".join(str(entry) for entry in value)
    if isinstance(value, dict):
        return str(next(iter(value.values()), ""))
    return str(value)
