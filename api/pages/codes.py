"""The words of codes, places and organisations on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from api.pages.kit.visits import Visit
from api.pages.kit.words import Words
from nrm.queries import directory, packs


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the things that a page names are called, in the reader's language; read when the page names the first.

    Attributes:
        words: the reader's language.
    """

    words: Words

    @cached_property
    def organisations(self) -> Mapping[str, str]:
        """Give the names of organisations by their ids."""
        return {key: self.words.name(value) for key, value in directory.organisation_names().items()}

    @cached_property
    def desks(self) -> Mapping[str, str]:
        """Give the names of desks by their ids."""
        return {desk.id: self.words.name(desk.names) for desk in packs.pack().desks}


def names(visit: Visit) -> Names:
    """Give the names of organisations and desks."""
    return Names(words=visit.words)


def label(visit: Visit, group: str, code: object) -> str:
    """Say a code in words: by the country's labels, else by its code lists, else the code itself."""
    if code in (None, ""):
        return ""
    pack = packs.pack()
    words = pack.labels.get(visit.language, {}).get(group)
    if isinstance(words, dict) and str(code) in words:
        return str(words[str(code)])
    entry = pack.codes.get(group, {}).get(str(code))
    return visit.words.name(entry.names) if entry else str(code)


def labels(visit: Visit, group: str) -> tuple[tuple[str, str], ...]:
    """Give the active codes of a code list with their words, in the list's order."""
    entries = packs.pack().codes.get(group, {})
    return tuple((code, visit.words.name(entry.names)) for code, entry in entries.items() if entry.active)


def place(visit: Visit, key: str | None) -> str:
    """Give the name of a governorate or district."""
    found = packs.pack().places.get(key or "")
    return visit.words.name(found.names) if found else key or ""


def governorates(visit: Visit) -> tuple[tuple[str, str], ...]:
    """Give the governorates with their names."""
    places = packs.pack().places.values()
    return tuple((one.key, visit.words.name(one.names)) for one in places if one.parent is None)


def sayers(visit: Visit) -> dict[str, Any]:
    """Give the functions by which templates say codes."""
    return {"label": lambda group, code: label(visit, group, code), "place": lambda key: place(visit, key)}
