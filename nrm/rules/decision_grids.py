"""A decision table as rows and columns of text, as people edit it; what the cells mean is checked by its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from nrm.errors import NotValid, Problem

POLICIES: Final = ("UNIQUE", "FIRST", "ANY")
"""What may count when several rules fit: none of them, the first, or any as they must agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        label: what stands above it.
        text: the expression of an input, or the value name that an output sets.
        type: the type that the file names; "" for none.
    """

    label: str
    text: str
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A rule: its description, a test for each input ("-" for any), an expression for each output."""

    description: str
    cells: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A decision table.

    Attributes:
        name: its title.
        policy: hit policy: UNIQUE, FIRST or ANY.
        inputs: the columns that are tested.
        outputs: the columns that are set.
        lines: the rules in their order.
    """

    name: str
    policy: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    lines: tuple[Line, ...]


def with_lines(grid: Grid, lines: Sequence[Line], *, policy: str | None = None) -> Grid:
    """Give a grid with other rules, and with another policy where one is given.

    Raises:
        NotValid: a rule has more or fewer cells than the table has columns, by pointer "/lines/<place>/cells".
    """
    problems = [
        Problem(pointer=f"/lines/{place}/{name}", code="wrong_number_of_cells", params={"wanted": len(columns)})
        for place, line in enumerate(lines)
        for name, cells, columns in (("cells", line.cells, grid.inputs), ("results", line.results, grid.outputs))
        if len(cells) != len(columns)
    ]
    if problems:
        raise NotValid(problems)
    return replace(grid, lines=tuple(lines), policy=policy or grid.policy)


def with_line(grid: Grid) -> Grid:
    """Give a grid with one more empty rule at its end."""
    empty = Line(description="", cells=("-",) * len(grid.inputs), results=("",) * len(grid.outputs))
    return replace(grid, lines=(*grid.lines, empty))


def without_line(grid: Grid, place: int) -> Grid:
    """Give a grid without the rule at a place; one that has no such rule stays as it is."""
    return replace(grid, lines=tuple(line for number, line in enumerate(grid.lines) if number != place))


def moved_up(grid: Grid, place: int) -> Grid:
    """Give a grid in which the rule at a place comes before the one above it."""
    lines = list(grid.lines)
    if 0 < place < len(lines):
        lines[place - 1], lines[place] = lines[place], lines[place - 1]
    return replace(grid, lines=tuple(lines))
