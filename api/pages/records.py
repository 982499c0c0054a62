"""Forms that are made from a list of fields, for entries that are objects: what stands in them, and what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict

from nrm.countries import Json
from nrm.i18n import LANGUAGES

_LONGEST_NUMBER: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """One field.

    Attributes:
        name: member of the object.
        kind: texts (in each language), long_texts, text, latin, choice, codes, places, day, whole or flag.
        label: key of its text.
        hint: key of a hint; "" for none.
        needed: it must be filled in.
        fixed: it is shown and cannot be changed.
        choices: code and words.
        groups: for places: governorate, its words, and its districts with their words.
    """

    name: str
    kind: str
    label: str
    hint: str = ""
    needed: bool = False
    fixed: bool = False
    choices: Sequence[tuple[str, str]] = ()
    groups: Sequence[tuple[str, str, Sequence[tuple[str, str]]]] = ()


def read_sent(blanks: Sequence[Blank], form: MultiDict[str, str]) -> dict[str, Json]:
    """Read what was sent of a form; an empty field takes the value away."""
    return {blank.name: _read(blank, form) for blank in blanks if not blank.fixed}


def _read(blank: Blank, form: MultiDict[str, str]) -> Json:
    match blank.kind:
        case "texts" | "long_texts":
            texts: dict[str, Json] = {
                language: text for language in LANGUAGES if (text := form.get(f"{blank.name}.{language}", "").strip())
            }
            return texts or None
        case "codes":
            return list(form.getlist(blank.name))
        case "places":
            return [_place(text) for text in form.getlist(blank.name)]
        case "flag":
            return form.get(blank.name) == "1"
        case "whole":
            return _whole(form.get(blank.name, "").strip())
        case _:
            return form.get(blank.name, "").strip() or None


def _place(text: str) -> dict[str, Json]:
    governorate, _, district = text.partition("/")
    return {"governorate": governorate, "district": district} if district else {"governorate": governorate}


def _whole(text: str) -> Json:
    """Give a number; what is none stays as it is, for the reader to refuse."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else text


def filled(blanks: Sequence[Blank], data: Mapping[str, Json]) -> dict[str, object]:
    """Write an object's members as the form shows them: texts by language, ticked codes as a set, others as text."""
    return {blank.name: _written(blank, data.get(blank.name)) for blank in blanks}


def _written(blank: Blank, value: Json) -> object:
    match blank.kind:
        case "texts" | "long_texts":
            return dict(value) if isinstance(value, dict) else {}
        case "codes":
            return frozenset(str(one) for one in value) if isinstance(value, list) else frozenset()
        case "places":
            entries = value if isinstance(value, list) else []
            return frozenset(
                "/".join(str(one[name]) for name in ("governorate", "district") if one.get(name))
                for one in entries
                if isinstance(one, dict)
            )
        case "flag":
            return value is not False if blank.name in {"active"} else value is True
        case _:
            return "" if value is None else str(value)
