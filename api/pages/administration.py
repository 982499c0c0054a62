"""Where those begin who administer: what there is to do, as far as the visitor may do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api.pages.kit.visits import Answer, Pages, Visit
from nrm.errors import NotAllowed
from nrm.queries import incidents

administration = Pages("administration")

ADMINISTER: Final = (
    "incident.read",
    "system.watch",
    "user.manage",
    "key.manage",
    "directory.edit",
    "pack.load",
)
"""Whoever has one of these permissions finds something to do here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A part of the administration.

    Attributes:
        address: where it leads.
        text: key of its name and, with "_says", of what is done there.
        needs: one of these permissions.
    """

    address: str
    text: str
    needs: tuple[str, ...]


ROOMS: Final = (
    Room(address="/incidents", text="incidents", needs=("incident.read", "system.watch")),
    Room(address="/admin/directory", text="directory", needs=("directory.edit",)),
    Room(address="/admin/codes", text="codes", needs=("pack.load",)),
    Room(address="/admin/labels", text="labels", needs=("pack.load",)),
    Room(address="/admin/holidays", text="holidays", needs=("pack.load",)),
    Room(address="/admin/tables", text="tables", needs=("pack.load",)),
    Room(address="/admin/settings", text="settings", needs=("pack.load",)),
    Room(address="/admin/users", text="users", needs=("user.manage",)),
    Room(address="/admin/keys", text="keys", needs=("key.manage",)),
)


@administration.get("/admin")
def show(visit: Visit) -> Answer:
    """Show what the visitor may administer.

    Raises:
        NotAllowed: nothing.
    """
    rooms = tuple(room for room in ROOMS if any(visit.may(one) for one in room.needs))
    if not rooms:
        raise NotAllowed("not_allowed", permission="user.manage")
    return visit.show(
        "admin/rooms.html",
        rooms=rooms,
        open_incidents=incidents.open_incidents(visit.actor, visit.now),
    )
