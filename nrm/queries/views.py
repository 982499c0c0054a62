"""Saved views of the inbox: one's own and those of one's desks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.models import SavedView

MOST_VIEWS: Final = 12
"""Views that one person, or one desk, can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRow:
    """A saved view.

    Attributes:
        query: what stands in the address of the list after "?".
        desk_id: the desk whose view it is; None for one's own.
        mine: the asker saved it.
    """

    id: str
    name: str
    query: str
    desk_id: str | None
    mine: bool


def saved_views(actor: Actor) -> tuple[ViewRow, ...]:
    """List one's own views and those of one's desks, by name."""
    own = SavedView.desk_id.is_(None) & (SavedView.user_id == actor.id)
    rows = db.session.execute(
        select(SavedView.id, SavedView.name, SavedView.query, SavedView.desk_id, SavedView.user_id)
        .where(or_(own, SavedView.desk_id.in_(actor.desks)))
        .order_by(SavedView.desk_id.is_not(None), SavedView.name, SavedView.id)
        .limit(4 * MOST_VIEWS)
    )
    return tuple(
        ViewRow(id=row.id, name=row.name, query=row.query, desk_id=row.desk_id, mine=row.user_id == actor.id)
        for row in rows
    )
