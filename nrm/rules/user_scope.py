"""Whom somebody who manages users may act on: those who sit, or last sat, where the manager manages.

A user is managed by those over the seats that the user has. Whoever has none any more stays with those over the last
ones, so that nobody else takes over an account by seating it; whoever never had one belongs to whoever added the
account. Who manages the users of the whole country may act on all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

SOON: Final = timedelta(days=30)
"""A seat that ends within this time does not count where somebody has to be left who manages users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of an organisation.

    Attributes:
        organisation_id: the organisation.
        governorate: key of the governorate; None for all of it.
    """

    organisation_id: str
    governorate: str | None = None

    def holds(self, other: Area) -> bool:
        """Say whether another area lies in this one."""
        return self.organisation_id == other.organisation_id and self.governorate in {None, other.governorate}


@dataclass(frozen=True, slots=True, kw_only=True)
class SatAt:
    """A seat that a user has or had.

    Attributes:
        area: where; a seat for a whole organisation is in no governorate.
        until: when it ends or ended; None for no end.
    """

    area: Area
    until: datetime | None


class Grasp(Enum):
    """How far somebody's managing reaches over a user: not at all, over some of the seats, over all of them."""

    NONE = auto()
    PART = auto()
    WHOLE = auto()


def grasp_on(areas: Collection[Area] | None, seats: Iterable[SatAt], *, added: bool, now: datetime) -> Grasp:
    """Say how far a manager reaches over a user.

    Args:
        areas: where the manager manages users; None for the whole country.
        seats: all that the user has or had.
        added: the manager added the user.
        now: the present moment.
    """
    if areas is None:
        return Grasp.WHOLE
    known = list(seats)
    counting = [one.area for one in known if one.until is None or one.until > now] or _last(known)
    if not counting:
        return Grasp.WHOLE if added else Grasp.NONE
    inside = [any(area.holds(seat) for area in areas) for seat in counting]
    return Grasp.WHOLE if all(inside) else Grasp.PART if any(inside) else Grasp.NONE


def _last(seats: Collection[SatAt]) -> list[Area]:
    """Give where the seats were that ended last; several end at one moment when somebody is shut out."""
    latest = max((one.until for one in seats if one.until is not None), default=None)
    return [one.area for one in seats if one.until == latest]


def lasts(until: datetime | None, now: datetime) -> bool:
    """Say whether a seat does not end soon."""
    return until is None or until > now + SOON
