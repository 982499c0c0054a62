"""The words that the country gives to what the program knows by a code, one label at a time.

States, verbs, stages and levels are labels; so are the names of roles, places and the like. The words of code lists
have their own place (`nrm.queries.pack_entries`).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import orjson
from sqlalchemy import select

from nrm.actors import Actor
from nrm.countries import ItemKind, Json
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Event
from nrm.queries.pack_entries import PACK, EntryView, subject_id
from nrm.queries.pack_rows import StoredPack, read_stored
from nrm.vocabulary import Language

LABEL: Final = "label"
"""Kind of a label's entry in events."""
NAMED: Final[Mapping[str, ItemKind]] = {
    f"names.{kind}": kind
    for kind in (ItemKind.ROLE, ItemKind.JURISDICTION, ItemKind.CODE_LIST, ItemKind.CALENDAR, ItemKind.SETTING)
}
"""Groups whose words are the names of a kind of document."""
PLACES: Final = "names.place"
"""The group of governorates and districts."""

Groups = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Group → code → language → words."""


def read_groups(stored: StoredPack) -> Groups:
    """Give all labels of a country, groups and codes in the order of the pack; what has no words is left out."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for language in Language:
        row = stored.items.get(f"{ItemKind.LABELS}/{language}")
        content = row.entry.content if row is not None else None
        for group, words in content.items() if isinstance(content, dict) else ():
            for code, text in words.items() if isinstance(words, dict) else ():
                if isinstance(text, str):
                    found.setdefault(group, {}).setdefault(code, {})[str(language)] = text
    for key, row in stored.items.items():
        kind, _, name = key.partition("/")
        names = row.entry.content.get("names") if isinstance(row.entry.content, dict) else None
        if f"names.{kind}" in NAMED and isinstance(names, dict):
            found.setdefault(f"names.{kind}", {})[name] = _texts(names)
    for key, place in stored.places.items():
        found.setdefault(PLACES, {})[key] = dict(place.entry.names)
    return found


def _texts(names: Mapping[str, Json]) -> dict[str, str]:
    return {language: str(text) for language, text in names.items()}


def label_stamp(names: Mapping[str, str]) -> str:
    """Give the stamp of a label's words; a change is made from it."""
    return sha256(orjson.dumps(dict(names), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def label_entries(actor: Actor) -> Mapping[str, tuple[EntryView, ...]]:
    """Give the labels: group → its labels, each with the key "group/code".

    Raises:
        NotAllowed: the actor may not change the country's data.
    """
    if not actor.may(PACK):
        raise NotAllowed("not_allowed", permission=PACK)
    session = db.session()
    changed = set(
        session.scalars(
            select(Event.subject_id).where(Event.subject_kind == LABEL, Event.kind == "pack.changed").distinct()
        )
    )
    return {
        group: tuple(_view(f"{group}/{code}", group, names, changed) for code, names in labels.items())
        for group, labels in read_groups(read_stored(session)).items()
    }


def _view(key: str, group: str, names: Mapping[str, str], changed: set[str]) -> EntryView:
    words: dict[str, Json] = dict(names)
    return EntryView(
        kind=LABEL,
        key=key,
        data={"names": words},
        seen=label_stamp(names),
        under=group,
        own=subject_id(key) in changed,
    )


def label_entry(actor: Actor, group: str, code: str) -> EntryView:
    """Give one label.

    Raises:
        NotAllowed: the actor may not change the country's data.
        NotFound: there is none.
    """
    found = next((one for one in label_entries(actor).get(group, ()) if one.key == f"{group}/{code}"), None)
    if found is None:
        raise NotFound
    return found
