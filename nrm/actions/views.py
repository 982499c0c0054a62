"""Saved views of the inbox: keep one, for oneself or for a desk, and forget one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import delete, func, select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.errors import NotFound, NotValid, Problem
from nrm.models import SavedView
from nrm.queries import packs
from nrm.queries.views import MOST_VIEWS
from nrm.rules.texts import WrongValue, clean_text

KEYS: Final = ("tab", "desk", "priority", "late", "free")
"""What of an address a view keeps; a case's number is no view."""

_WORD: Final = re.compile(r"[a-z0-9_]{1,40}")


@action("view.save")
def save_view(work: Work, *, name: str, query: Mapping[str, str], desk_id: str | None = None) -> str:
    """Keep a list under a name.

    Args:
        work: the transaction.
        name: 1 to 60 letters.
        query: what stands in the list's address; what is not one of `KEYS` is left out.
        desk_id: a desk of the actor's, for all who sit there; None for the actor alone.

    Returns:
        Id of the view.

    Raises:
        NotFound: the actor does not sit at the desk.
        NotValid: the name is missing or too long, or there are too many views.
    """
    if desk_id is not None and desk_id not in work.actor.desks:
        raise NotFound
    try:
        clean = clean_text(name, longest=60)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/name", code=error.code, params=error.params)]) from error
    if not clean:
        raise NotValid([Problem(pointer="/name", code="required")])
    same = (
        SavedView.desk_id == desk_id if desk_id else SavedView.desk_id.is_(None) & (SavedView.user_id == work.actor.id)
    )
    if (work.session.scalar(select(func.count()).select_from(SavedView).where(same)) or 0) >= MOST_VIEWS:
        raise NotValid([Problem(pointer="/name", code="too_many_views", params={"most": MOST_VIEWS})])
    kept = {key: query[key] for key in KEYS if _WORD.fullmatch(query.get(key, ""))}
    return work.add(
        SavedView,
        id=ids.new_id("view"),
        user_id=work.actor.id,
        desk_id=desk_id,
        name=clean,
        query=urlencode(kept),
        created_at=work.now,
    )


@action("view.forget")
def forget_view(work: Work, view_id: str) -> None:
    """Forget a view: one's own, one that one saved for a desk, or any of a desk over which one watches.

    Raises:
        NotFound: there is none of these.
    """
    found = work.session.get(SavedView, view_id)
    if found is None:
        raise NotFound
    watches = found.desk_id is not None and packs.pack().supervises(work.actor, "task.assign", found.desk_id)
    if found.user_id != work.actor.id and not watches:
        raise NotFound
    work.session.execute(delete(SavedView).where(SavedView.id == view_id))
