"""Small numbers in statistics: a count that could point at single people is not shown.

Counts of fewer than five are hidden from those who may not see cases, as statistical offices do; and where one hidden
count could be worked out from the total and the others, the next smallest is hidden too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

LEAST: Final = 5
"""The smallest count that is shown to those who may not see cases."""

K = TypeVar("K", bound=str)


def shown(counts: Mapping[K, int], *, exact: bool) -> dict[K, int | None]:
    """Give the parts of a total, None for those that are not shown.

    Args:
        counts: name of a part → how many it counts.
        exact: the reader may know small numbers.
    """
    left_out = frozenset() if exact else hidden(counts)
    return {name: None if name in left_out else count for name, count in counts.items()}


def shown_part(part: int, whole: int, *, exact: bool) -> int | None:
    """Give how many of a whole something is about; None where so few are, or all but so few.

    Args:
        part: how many it is about.
        whole: how many there are, which the reader may know.
        exact: the reader may know small numbers.
    """
    near = 0 < part < LEAST or 0 < whole - part < LEAST
    return None if near and not exact else part


def hidden(counts: Mapping[K, int]) -> frozenset[K]:
    """Give the parts of a total whose counts are not shown.

    Args:
        counts: name of a part → how many it counts; 0 hides nothing and tells nothing.
    """
    there = sorted(((count, name) for name, count in counts.items() if count > 0), key=lambda entry: entry)
    small = [name for count, name in there if count < LEAST]
    if len(small) == 1 and len(there) > 1:
        small.append(there[1][1])
    return frozenset(small)
