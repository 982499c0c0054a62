"""The figures as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.load.rounds import Measure

_HEADS = ("measure", "database", "value", "floor", "unit", "ratio", "min–max", "goal", "")


def print_table(found: Sequence[Measure]) -> None:
    """Print one line per measure."""
    rows = [_HEADS, *map(_cells, found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for measure in found:
        if measure.note:
            print(f"{measure.database}: {measure.name}: {measure.note}")


def print_parts(found: Sequence[Measure]) -> None:
    """Print where the time of a completion goes, where a measure tells it."""
    for measure in found:
        if measure.parts:
            shown = ", ".join(f"{part} {spent:.2f}" for part, spent in measure.parts.items())
            print(f"{measure.database}: milliseconds of a completion by part: {shown} (together {_sum(measure):.2f})")


def markdown(found: Sequence[Measure]) -> str:
    """Give the table as docs/performance.md shows it."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|" + "---|" * len(_HEADS)]
    lines += ["| " + " | ".join(_cells(measure)) + " |" for measure in found]
    for measure in found:
        if measure.parts:
            lines += ["", f"Milliseconds of a completion by part, {measure.database}:", ""]
            lines.append("| " + " | ".join(measure.parts) + " | together |")
            lines.append("|" + "---|" * (len(measure.parts) + 1))
            cells = [f"{spent:.2f}" for spent in measure.parts.values()]
            lines.append("| " + " | ".join([*cells, f"{_sum(measure):.2f}"]) + " |")
    return "\n".join(lines)


def _cells(measure: Measure) -> tuple[str, ...]:
    verdict = {True: "met", False: "MISSED", None: ""}[measure.ok]
    spread = f"{measure.spread[0]:.2f}–{measure.spread[1]:.2f}" if measure.spread else ""
    ratio = f"{measure.ratio:.2f}" if measure.ratio is not None else ""
    floor = _figure(measure.floor) if measure.floor is not None else ""
    figures = (_figure(measure.value), floor, measure.unit, ratio, spread)
    return (measure.name, measure.database, *figures, measure.goal, verdict)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _sum(measure: Measure) -> float:
    return sum(measure.parts.values())
