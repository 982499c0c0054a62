"""A measure: a ratio of two rates or times, taken in alternating rounds of one run."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

Round = Callable[[], float]
"""Does one round and gives what it measured, always the same unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of the table.

    Attributes:
        name: letter and what is measured.
        value: median over the rounds of what the product does.
        floor: median of what it is held against; None where it is held against a figure of its own.
        ratio: median over the rounds of value divided by floor.
        spread: smallest and largest ratio.
        goal: the goal in words of a comparison ("≥ 0.5"), "" for figures without one.
        ok: whether the goal is met; None where there is none, or nothing is decided (a quick run).
    """

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    goal: str
    ok: bool | None
    database: str
    spread: tuple[float, float] | None = None
    note: str = ""
    parts: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Give what build/bench.json says of it, figures rounded to what they are worth."""
        found = asdict(self)
        for name in ("value", "floor", "ratio"):
            if found[name] is not None:
                found[name] = float(f"{found[name]:.4g}")
        return found


def alternate(product: Round, floor: Round, *, rounds: int, warm: bool = True) -> tuple[list[float], list[float]]:
    """Take rounds of both sides in turn.

    Args:
        product: a round of the product.
        floor: a round of what it is held against.
        rounds: how many of each.
        warm: take one of each first that does not count.
    """
    if warm:
        product()
        floor()
    ours, theirs = [], []
    for number in range(rounds):
        sides = [(product, ours), (floor, theirs)]
        # Who begins changes too: what one round leaves to be written falls on the next.
        for side, found in sides if number % 2 else reversed(sides):
            gc.collect()
            found.append(side())
    return ours, theirs


def compare(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    unit: str,
    database: str,
    at_least: float | None = None,
    at_most: float | None = None,
    decide: bool = True,
    note: str = "",
    parts: Mapping[str, float] | None = None,
) -> Measure:
    """Make a measure of two lists of rounds; the ratio is taken round by round."""
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    goal, ok = "", None
    if at_least is not None:
        goal, ok = f"≥ {at_least:g}", ratio >= at_least
    elif at_most is not None:
        goal, ok = f"≤ {at_most:g}", ratio <= at_most
    return Measure(
        name=name,
        value=statistics.median(ours),
        unit=unit,
        floor=statistics.median(theirs),
        ratio=ratio,
        goal=goal,
        ok=ok if decide else None,
        database=database,
        spread=(min(ratios), max(ratios)),
        note=note,
        parts=dict(parts or {}),
    )
