"""The directory for those who keep it: organisations, desks, services and agreements, read and changed one by one."""

from __future__ import annotations

from typing import Final

from api.schemas.pack import AddEntry, ChangeEntry, EntryQuery
from api.transport.endpoint import Ask, Noun
from nrm.actions import directory_editing as actions
from nrm.actions.pack_editing import Edited
from nrm.errors import NotFound
from nrm.queries import pack_entries as queries
from nrm.queries.directory_scope import DIRECTORY
from nrm.queries.pack_entries import EntryView

pack_directory = Noun("pack_directory")

_RULE: Final = "/pack/directory/<entry_kind>"


def _kind(kind: str) -> str:
    if kind not in actions.KINDS:
        raise NotFound
    return kind


def _key(text: str) -> str:
    """Give a key as it is stored: an address has ":" where the key of an agreement has "/"."""
    return text.replace(":", "/")


@pack_directory.get(_RULE, query=EntryQuery, answer=tuple[EntryView, ...], permission=DIRECTORY)
def list_entries(ask: Ask, entry_kind: str) -> tuple[EntryView, ...]:
    """List entries of the directory as a pack holds them; kinds are organisation, desk, service and agreement.

    With `under` only those of one organisation.
    """
    under = ask.query["under"]
    found = queries.directory_entries(ask.actor)[_kind(entry_kind)]
    return tuple(one for one in found if not under or one.under == under)


@pack_directory.get(_RULE + "/<entry_key>", answer=EntryView, permission=DIRECTORY)
def read_entry(ask: Ask, entry_kind: str, entry_key: str) -> EntryView:
    """Read an entry of the directory; in the key of an agreement ":" stands for "/"."""
    return queries.directory_entry(ask.actor, _kind(entry_kind), _key(entry_key))


@pack_directory.post(_RULE, body=AddEntry, answer=Edited, status=201, permission=DIRECTORY)
def add(ask: Ask, entry_kind: str) -> Edited:
    """Add an entry to the directory; all but an organisation belong to the organisation `under`."""
    return actions.add_entry(ask.actor, _kind(entry_kind), data=ask.body["data"], under=ask.body["under"] or "")


@pack_directory.patch(_RULE + "/<entry_key>", body=ChangeEntry, answer=EntryView, permission=DIRECTORY)
def change(ask: Ask, entry_kind: str, entry_key: str) -> EntryView:
    """Change an entry of the directory; what is not among the changes stays, null takes a value away."""
    kind, key = _kind(entry_kind), _key(entry_key)
    actions.change_entry(ask.actor, kind, key, changes=ask.body["changes"], seen=ask.seen)
    return queries.directory_entry(ask.actor, kind, key)
