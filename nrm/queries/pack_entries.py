"""The country's data one entry at a time, for those who change them: as an object, with a stamp of what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from nrm.actors import Actor
from nrm.countries import ItemKind, Json
from nrm.countries.editing import entry_json
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.queries.directory_scope import DIRECTORY, area_of, lies_in
from nrm.queries.history import HistoryRow, events_about
from nrm.queries.pack_rows import Stored, StoredPack, entry_hash, read_stored
from nrm.rules.directory_scope import keeps

PACK: Final = "pack.load"
_SHORT: Final = 31
_KINDS: Final = ("directory.changed", "pack.changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One entry.

    Attributes:
        kind: organisation, desk, agreement, service, code or item.
        key: its key.
        data: what it says, as in a file of the pack.
        seen: a stamp of it; a change is made from it.
        under: code of the organisation that a desk, agreement or service belongs to; of a code its list.
        own: it was changed here since the pack was loaded, or does not come from the pack at all.
        editable: whoever asks may change it; an entry of the directory may lie in another governorate.
    """

    kind: str
    key: str
    data: Mapping[str, Json]
    seen: str
    under: str
    own: bool
    editable: bool = True


def stamp_of(row: Stored) -> str:  # type: ignore[type-arg]  # of whatever kind
    """Give the stamp of an entry."""
    return entry_hash(row.entry)[:16]


def subject_id(key: str) -> str:
    """Give the name of an entry in events, 40 characters at most."""
    return key if len(key) <= _SHORT else key[:_SHORT] + "~" + sha256(key.encode()).hexdigest()[:8]


def _must(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise NotAllowed("not_allowed", permission=permission)


def directory_entries(actor: Actor) -> Mapping[str, tuple[EntryView, ...]]:
    """Give the whole directory: kind → its entries, by key.

    Raises:
        NotAllowed: the actor may not change the directory.
    """
    _must(actor, DIRECTORY)
    stored = read_stored(db.session())
    area = area_of(actor)

    def view(kind: str, key: str, row: Stored) -> EntryView:  # type: ignore[type-arg]  # of whatever kind
        return replace(_view(kind, key, row), editable=keeps(area, lies_in(row.entry, stored)))

    return {kind: tuple(view(kind, key, row) for key, row in rows.items()) for kind, rows in _rows(stored).items()}


def _rows(stored: StoredPack) -> Mapping[str, Mapping[str, Stored]]:  # type: ignore[type-arg]  # of several kinds
    return {
        "organisation": stored.organisations,
        "desk": stored.desks,
        "agreement": stored.agreements,
        "service": stored.services,
    }


def _view(kind: str, key: str, row: Stored) -> EntryView:  # type: ignore[type-arg]  # of whatever kind
    entry = row.entry
    under = getattr(entry, "list", "") if kind == "code" else getattr(entry, "organisation", "")
    return EntryView(
        kind=kind,
        key=key,
        data=entry_json(entry),
        seen=stamp_of(row),
        under=str(under),
        own=row.loaded_hash != entry_hash(entry),
    )


def directory_entry(actor: Actor, kind: str, key: str) -> EntryView:
    """Give one entry of the directory.

    Raises:
        NotAllowed: the actor may not change the directory.
        NotFound: there is none.
    """
    found = next((one for one in directory_entries(actor).get(kind, ()) if one.key == key), None)
    if found is None:
        raise NotFound
    return found


def code_entries(actor: Actor) -> Mapping[str, tuple[EntryView, ...]]:
    """Give the code lists: key of the list → its codes in their order.

    Raises:
        NotAllowed: the actor may not change the country's data.
    """
    _must(actor, PACK)
    found: dict[str, list[EntryView]] = {}
    for key, row in read_stored(db.session()).codes.items():
        found.setdefault(row.entry.list, []).append(_view("code", key, row))
    return {name: tuple(entries) for name, entries in sorted(found.items())}


def items(actor: Actor, kind: ItemKind) -> tuple[EntryView, ...]:
    """Give the documents of a kind by key; the content of a table is {"text": DMN}.

    Raises:
        NotAllowed: the actor may not change the country's data.
    """
    _must(actor, PACK)
    rows = read_stored(db.session()).items
    return tuple(
        EntryView(
            kind="item",
            key=key,
            data=row.entry.content if isinstance(row.entry.content, dict) else {"text": row.entry.content},
            seen=stamp_of(row),
            under=str(kind),
            own=row.loaded_hash != entry_hash(row.entry),
        )
        for key, row in rows.items()
        if row.entry.kind is kind
    )


def item(actor: Actor, kind: ItemKind, key: str) -> EntryView:
    """Give one document.

    Raises:
        NotAllowed: the actor may not change the country's data.
        NotFound: there is none.
    """
    found = next((one for one in items(actor, kind) if one.key == f"{kind}/{key}"), None)
    if found is None:
        raise NotFound
    return found


def entry_history(actor: Actor, kind: str, key: str) -> tuple[HistoryRow, ...]:
    """List what was changed about an entry, the latest first.

    Raises:
        NotAllowed: the actor may change neither the directory nor the country's data.
    """
    if not actor.may(DIRECTORY):
        _must(actor, PACK)
    return events_about(kind, subject_id(key), kinds=_KINDS)
