"""The columns of an arrival list as a person matches them with ours, where the pack's words do not know them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nrm.errors import NotValid, Problem
from nrm.rules.manifest_files import Cell, Row
from nrm.rules.names import fold

HEADER_ROWS: Final = 25
"""Rows from the top among which the column titles stand."""
NAME_COLUMNS: Final = frozenset({"full_name", "first_name"})
"""One of these a list must have."""
NEEDED: Final = ("full_name", "governorate")
"""Without these no row can be taken; the first may also come in parts."""
_PLACE: Final = re.compile(r"#([1-9][0-9]{0,2})")
_SAMPLES: Final = 3


def header_word(text: str) -> str:
    """Fold a column title, so that its usual spellings are one."""
    return re.sub(r"[\W_]+", " ", fold(text)).strip() or fold(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """How a person matched columns.

    Attributes:
        words: folded column title → our key; "" leaves the column out.
        places: column index (from 0) → our key; comes before the words.
    """

    words: Mapping[str, str]
    places: Mapping[int, str]

    def told(self, place: int, cell: Cell) -> str | None:
        """Give what was said of a column; None for nothing."""
        if place in self.places:
            return self.places[place]
        return self.words.get(header_word(cell)) if isinstance(cell, str) else None

    def widened(self, row: Row) -> Row:
        """Give a row with empty cells up to the last column that something was said of."""
        return (*row, *[None] * (max(self.places, default=-1) + 1 - len(row)))


def by_hand(mapping: Mapping[str, str] | None) -> ByHand:
    """Read a mapping: column title → key, or "#3" → key for the third column, whatever its title."""
    given = mapping or {}
    places = {int(found[1]) - 1: key for text, key in given.items() if (found := _PLACE.fullmatch(text.strip()))}
    words = {header_word(text): key for text, key in given.items() if not _PLACE.fullmatch(text.strip())}
    return ByHand(words=words, places=places)


def check_mapping(mapping: Mapping[str, str] | None, known: Collection[str]) -> None:
    """Stop a mapping to a column that there is not.

    Raises:
        NotValid: "unknown_column", with those that there are.
    """
    if any(key and key not in known for key in (mapping or {}).values()):
        choices = ", ".join(sorted(known))
        raise NotValid([Problem(pointer="/columns", code="unknown_column", params={"choices": choices})])


def mapping_of(titles: Sequence[str], chosen: Mapping[int, str]) -> dict[str, str]:
    """Write what was chosen for each column as a mapping: by its title where that tells it from the others.

    Args:
        titles: the cells of the header as text.
        chosen: column index → our key, "" to leave it out.

    Raises:
        NotValid: one of ours was chosen for two columns ("/columns/<place>"), or none for the name.
    """
    problems: list[Problem] = []
    taken: set[str] = set()
    for place, key in sorted(chosen.items()):
        if key and key in taken:
            problems.append(Problem(pointer=f"/columns/{place}", code="column_chosen_twice"))
        taken.add(key)
    if not taken & NAME_COLUMNS:
        problems.append(Problem(pointer="/columns", code="name_column_needed"))
    if problems:
        raise NotValid(problems)
    words = [header_word(title) for title in titles]
    by_title = {place: title for place, title in enumerate(titles) if words[place] and words.count(words[place]) == 1}
    return {by_title.get(place, f"#{place + 1}"): key for place, key in chosen.items()}


def likely_header(rows: Sequence[Row]) -> int | None:
    """Guess the row of the column titles: the first of those with the most different texts without digits.

    Args:
        rows: the rows of a table from the top.

    Returns:
        Its number from 1; None where no row has two titles.
    """
    counts = [_titles(row) for row in rows[:HEADER_ROWS]]
    most = max(counts, default=0)
    return counts.index(most) + 1 if most > 1 else None


def _titles(row: Row) -> int:
    return len({fold(cell) for cell in row if isinstance(cell, str) and not re.search(r"\d", cell)} - {""})


def samples(rows: Sequence[Sequence[str]], head: int, place: int) -> tuple[str, ...]:
    """Give the first values below the header in a column that are not empty."""
    found = (row[place] for row in rows[head:] if place < len(row))
    return tuple(text[:60] for text in found if text)[:_SAMPLES]
