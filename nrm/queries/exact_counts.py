"""Who is told exact numbers of cases: those who may see how many there are; all others hear no small ones."""

from __future__ import annotations

from nrm.actors import Actor
from nrm.queries import packs
from nrm.vocabulary import Level


def sees_exact_counts(actor: Actor, level: str) -> bool:
    """Say whether somebody may know how many cases exactly are on a path, in the whole country.

    A seat at a desk of one governorate tells of the cases there, and the country's numbers less one's own are those
    of the others.

    Args:
        actor: who asks.
        level: the path's level of confidentiality.
    """
    return _overlooks(actor, "case.overview") and (level != Level.STRICT or _overlooks(actor, "case.read_strict"))


def _overlooks(actor: Actor, permission: str) -> bool:
    """Say whether a seat gives a permission that no governorate limits."""
    if actor.is_system:
        return True
    country = packs.pack()
    for seat in actor.seats:
        if permission in seat.permissions:
            desk = country.desk(seat.desk_id)
            if seat.desk_id is None or (desk is not None and desk.governorate is None):
                return True
    return False
