"""Which entries of the directory somebody who keeps it may change: those of the governorates that the seat is for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Governorates: TypeAlias = "frozenset[str] | None"
"""Keys of governorates; None for the whole country."""


def together(parts: Iterable[Governorates]) -> Governorates:
    """Join some parts of the country; the whole country where one of them is that."""
    found: set[str] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return frozenset(found)


def keeps(area: Governorates, lies_in: Governorates) -> bool:
    """Say whether somebody who keeps the directory of an area may change an entry.

    What lies in several governorates is kept by those who keep all of them: else the colleagues of one would change
    what those of another send people to.

    Args:
        area: what the seats are for.
        lies_in: where the entry counts; of an organisation, all places in which it has a desk or a service.
    """
    return area is None or (bool(lies_in) and lies_in is not None and lies_in <= area)
