"""Read a printed page back: where each character stands, and how many pieces of ink a word is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

SCALE = 4
"""Dots of the picture for one point of the page: 288 dpi."""
DARK = 128
SPECK = 6
"""Dots; less ink than this is the edge of a neighbour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A character on the page; lengths in points from the left and from the bottom."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


class Printed:
    """The one page of a PDF."""

    def __init__(self, pdf: bytes) -> None:
        document = pypdfium2.PdfDocument(pdf)
        self.pages = len(document)
        page = document[0]
        self.width, self.height = page.get_size()
        self.picture = page.render(scale=SCALE).to_pil().convert("L")
        text = page.get_textpage()
        self.text = text.get_text_range()
        self.marks = [Mark(text=self.text[at], **_box(text.get_charbox(at))) for at in range(len(self.text))]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.picture.save(path)

    def find(self, word: str) -> list[Mark]:
        """Give the characters of the last place where a word stands.

        Raises:
            AssertionError: it does not stand on the page.
        """
        at = self.text.rfind(word)
        assert at >= 0, f"{word!r} is not in {self.text!r}"
        return self.marks[at : at + len(word)]

    def pieces(self, marks: list[Mark]) -> int:
        """Count the pieces of ink that hang together inside the box of some characters."""
        left, right = min(mark.left for mark in marks), max(mark.right for mark in marks)
        bottom, top = min(mark.bottom for mark in marks), max(mark.top for mark in marks)
        box = [round(length * SCALE) for length in (left, self.height - top, right, self.height - bottom)]
        word = self.picture.crop((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1))
        dots = {
            (at % word.width, at // word.width) for at, shade in enumerate(word.get_flattened_data()) if shade < DARK
        }
        return sum(1 for piece in _pieces(dots) if piece > SPECK)

    def ink(self) -> tuple[float, float, float, float]:
        """Give the box of all ink: left, top, right, bottom, in points from the left and from the top."""
        box = self.picture.point(lambda shade: 255 if shade < DARK else 0).getbbox()
        left, top, right, bottom = (length / SCALE for length in box or (0, 0, 0, 0))
        return left, top, right, bottom


def _box(box: tuple[float, float, float, float]) -> dict[str, float]:
    return dict(zip(("left", "bottom", "right", "top"), box, strict=True))


def _pieces(dots: set[tuple[int, int]]) -> Iterator[int]:
    left = set(dots)
    while left:
        edge, size = [left.pop()], 0
        while edge:
            x, y = edge.pop()
            size += 1
            near = {(x + across, y + down) for across in (-1, 0, 1) for down in (-1, 0, 1)} & left
            left -= near
            edge.extend(near)
        yield size
