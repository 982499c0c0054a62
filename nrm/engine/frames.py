"""A drawing whose places are left open: made once, and filled in with how each step stands whenever somebody looks.

Where its lines run and what is written on it depends on the diagram, the language and the side from which one reads,
none of which changes between two looks. What does change is the state of a step and where a click on it leads.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count

from lxml import etree


class _Kind(Enum):
    STATE = auto()
    LINK = auto()
    LINK_END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A place that belongs to a step, with the text up to the next place."""

    kind: _Kind
    step: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A drawing with its open places.

    Attributes:
        begins: the text before the first place.
        places: the places, in the order of the text.
    """

    begins: str
    places: tuple[_Place, ...]

    def fill(self, *, states: Mapping[str, str], links: Mapping[str, str]) -> str:
        """Give the drawing as it stands.

        Args:
            states: step id → its state; a step that is not named stands plain.
            links: step id → address; a step that is not named leads nowhere.
        """
        openings = {step: _opening(address) for step, address in links.items()}
        parts = [self.begins]
        for place in self.places:
            if place.kind is _Kind.STATE:
                if place.step in states:
                    parts.append(f" state-{states[place.step]}")
            elif place.step in openings:
                parts.append(openings[place.step] if place.kind is _Kind.LINK else "</a>")
            parts.append(place.text)
        return "".join(parts)


def _opening(address: str) -> str:
    """Write the beginning of a link as the rest of the drawing is written."""
    return str(etree.tostring(etree.Element("a", href=address), encoding="unicode")).removesuffix("/>") + ">"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The words that stand in a drawing for its open places.

    Attributes:
        word: occurs nowhere else in the drawing.
        numbers: step id → its number.
    """

    word: str
    numbers: Mapping[str, int]

    def of(self, step: str) -> str:
        """Give what stands for a step: as the address of a link around it, and behind the class of its shape."""
        return f"{self.word}{self.numbers[step]};"


def marks_for(steps: Collection[str], source: str) -> Marks:
    """Choose the words for open places.

    Args:
        steps: ids of the steps.
        source: all that is written in the diagram.
    """
    words = (f"place{number}-" for number in count())
    return Marks(
        word=next(word for word in words if word not in source),
        numbers={step: number for number, step in enumerate(steps)},
    )


def frame_of(drawing: str, marks: Marks) -> Frame:
    """Find the open places of a drawing in which every link is one of them.

    Args:
        drawing: SVG with the marks.
        marks: the marks.
    """
    begins, *rest = _cut(drawing, marks)
    return Frame(begins=begins.text, places=tuple(rest))


def _cut(drawing: str, marks: Marks) -> Iterator[_Place]:
    steps = {str(number): step for step, number in marks.numbers.items()}
    kind, step, since = _Kind.STATE, "", 0
    for found in re.finditer(rf'<a href="{marks.word}([0-9]+);">|{marks.word}([0-9]+);|</a>', drawing):
        yield _Place(kind=kind, step=step, text=drawing[since : found.start()])
        since, link, state = found.end(), found[1], found[2]
        if link is None and state is None:
            kind = _Kind.LINK_END
        else:
            kind, step = (_Kind.STATE, steps[state]) if link is None else (_Kind.LINK, steps[link])
    yield _Place(kind=kind, step=step, text=drawing[since:])
