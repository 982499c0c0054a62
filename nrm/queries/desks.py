"""Which desks somebody works at, and which they watch over."""

from __future__ import annotations

from nrm.actors import Actor
from nrm.queries import packs


def desks_of(actor: Actor) -> tuple[str, ...]:
    """Give the desks whose work an actor sees: those with a seat, and all of an organisation that it leads.

    Args:
        actor: who asks; a seat for a whole organisation counts when it may assign tasks there.
    """
    led = {seat.organisation_id for seat in actor.seats if seat.desk_id is None and "task.assign" in seat.permissions}
    watched = (desk.id for desk in packs.pack().desks if desk.organisation_id in led) if led else ()
    return tuple(dict.fromkeys((*actor.desks, *watched)))
