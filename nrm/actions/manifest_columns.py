"""Columns of arrival lists that a person matched with ours, remembered for the organisation that sends such lists.

What is kept of a column's title is a keyed fingerprint: should somebody take a row of people for the titles, none of
their names stays.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import delete, func, select

from nrm.actions._action import Work, action
from nrm.actors import Actor
from nrm.credentials import purpose_key
from nrm.db import db
from nrm.installation import installation
from nrm.models import ManifestColumn
from nrm.rules.manifest_columns import HEADER_ROWS, header_word
from nrm.rules.manifest_files import Row, Table

_MOST: Final = 1_000
"""Most titles that are remembered for an organisation."""


def _fingerprint(word: str) -> str:
    key = purpose_key(installation().config.secret, "manifest-columns")
    return hmac.digest(key, word.encode(), hashlib.sha256).hex()


def remembered(actor: Actor, tables: Iterable[Table]) -> Mapping[str, str]:
    """Give what an actor's organisations chose before for titles that stand in a list: title → our key or ""."""
    rows = db.session.execute(
        select(ManifestColumn.fingerprint, ManifestColumn.column).where(
            ManifestColumn.organisation_id.in_(actor.organisations)
        )
    )
    known = {row.fingerprint: row.column for row in rows}
    if not known:
        return {}
    titles = {cell for table in tables for row in table.rows[:HEADER_ROWS] for cell in _texts(row)}
    marks = {title: _fingerprint(header_word(title)) for title in titles}
    return {title: known[mark] for title, mark in marks.items() if mark in known}


def _texts(row: Row) -> Sequence[str]:
    return [cell for cell in row if isinstance(cell, str)]


@action("manifest.remember_columns", permission="manifest.import")
def remember_columns(work: Work, mapping: Mapping[str, str]) -> None:
    """Remember for the actor's organisation how columns were matched; those without a title of their own are not.

    Args:
        work: the transaction.
        mapping: title → our key, "" to leave the column out.
    """
    if not work.actor.organisations:
        return
    own = ManifestColumn.organisation_id == work.actor.organisations[0]
    chosen = {_fingerprint(header_word(title)): key for title, key in mapping.items() if not title.startswith("#")}
    work.session.execute(delete(ManifestColumn).where(own, ManifestColumn.fingerprint.in_(chosen)))
    kept = work.session.scalar(select(func.count()).select_from(ManifestColumn).where(own)) or 0
    for fingerprint, key in list(chosen.items())[: max(0, _MOST - kept)]:
        work.add(
            ManifestColumn,
            organisation_id=work.actor.organisations[0],
            fingerprint=fingerprint,
            column=key,
            chosen_at=work.now,
        )
