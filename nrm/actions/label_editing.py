"""Change the words by which the country calls states, verbs, stages, levels, roles and places; they count at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sqlalchemy import update

from nrm.actions._action import Work, action
from nrm.actions.pack_editing import Edited, hold_pack, must_be_seen, read_names, tell
from nrm.countries import ItemKind, Json
from nrm.countries.editing import differences
from nrm.errors import NotFound
from nrm.models import PackItem, Place
from nrm.queries.pack_entries import PACK
from nrm.queries.pack_labels import LABEL, NAMED, PLACES, label_stamp, read_groups
from nrm.queries.pack_rows import StoredPack, read_stored


@action("label.change", permission=PACK)
def change_label(work: Work, group: str, code: str, *, names: Mapping[str, Json], seen: str) -> Edited:
    """Change the words of a label.

    Args:
        work: the transaction.
        group: the group of labels (`nrm.queries.pack_labels`).
        code: the code inside the group.
        names: language → words, all three of them.
        seen: stamp of what the change was made from.

    Raises:
        NotFound: there is no such label.
        NotValid: a language is missing, or words are too long, hold signs that hide something, or markup.
        Conflict: "changed_since".
    """
    hold_pack(work)
    stored = read_stored(work.session)
    before = read_groups(stored).get(group, {}).get(code)
    if before is None:
        raise NotFound
    must_be_seen(seen, label_stamp(before))
    words = read_names(names)
    found = differences({"names": dict(before)}, {"names": dict(words)})
    if found:
        _save(work, stored, group, code, words)
    return tell(work, "pack.changed", LABEL, f"{group}/{code}", found)


def _save(work: Work, stored: StoredPack, group: str, code: str, words: Mapping[str, str]) -> None:
    if group == PLACES:
        place = stored.places[code]
        work.session.execute(update(Place).where(Place.id == place.id).values(names=dict(words)))
    elif group in NAMED:
        content = _content(stored, NAMED[group], code)
        _write(work, NAMED[group], code, {**content, "names": cast("Json", dict(words))})
    else:
        for language, text in words.items():
            content = _content(stored, ItemKind.LABELS, language)
            labels = content.get(group)
            old = labels if isinstance(labels, dict) else {}
            if old.get(code) != text:
                _write(work, ItemKind.LABELS, language, {**content, group: {**old, code: text}})


def _content(stored: StoredPack, kind: ItemKind, key: str) -> dict[str, Json]:
    row = stored.items.get(f"{kind}/{key}")
    return row.entry.content if row is not None and isinstance(row.entry.content, dict) else {}


def _write(work: Work, kind: ItemKind, key: str, content: Json) -> None:
    change = update(PackItem).where(PackItem.kind == str(kind), PackItem.key == key)
    work.session.execute(change.values(content=content, updated_at=work.now, version=PackItem.version + 1))
