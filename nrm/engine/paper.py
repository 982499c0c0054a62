"""Cut the drawing of a path into A4 pages that can be read on paper.

A wide path would be printed so small that nobody can read it. Here it is cut between its steps, as rarely as possible
through a line; the names of the lanes stand on every page, and a line that goes on has the same letter on both pages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from lxml import etree

from nrm.engine.drawing import RIGHT_TO_LEFT, SVG, draw_path

LABEL: Final = 11.0
"""Height of a label's letters in the drawing, in pixels."""
SMALLEST: Final = 1.9
"""Height in mm under which a label is not read with ease: about 5.5 points."""
LARGEST: Final = 2.6
"""Height in mm above which a label needs not grow."""
BAND: Final = 30.0
"""Width of the names of lanes, in pixels."""

_GAP: Final = 6.0
_HEADER: Final = 9.0
_SHORT, _LONG = 190.0, 277.0
_LETTER: Final = 6.0
_STEP: Final = 2.5
_CLEAR: Final = 5.0
_ROOM: Final = 22.0
"""Clear room on each side of a cut, and what the letter of a line needs, in pixels."""
_DRIFT: Final = 120.0
"""As many pixels away from an even cut weigh as much as one line that is cut."""
_STYLE: Final = (
    "html{color:#1a1a1a;background:#fff}body{margin:0;font:11pt 'Noto Sans','Noto Sans Arabic',sans-serif}"
    "section{break-after:page}section:last-child{break-after:auto}"
    "header{display:flex;justify-content:space-between;height:8mm}section>svg{display:block}"
    ".tag{fill:#fff;stroke:#1a1a1a}.whole{position:absolute;width:0;height:0}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPage:
    """One page: the part of the drawing on it, from `start` to `end`, both in pixels from where reading begins."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How a drawing is cut.

    Attributes:
        landscape: the paper lies on its long side.
        scale: mm per pixel of the drawing.
        pages: the parts in the order of reading.
    """

    landscape: bool
    scale: float
    pages: tuple[PaperPage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A piece of a flow that goes sideways; `low` and `high` are measured from where reading begins."""

    low: float
    high: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A drawing taken apart: its size, what must not be cut, its lines, and where the names of its lanes stand."""

    left: float
    top: float
    width: float
    height: float
    mirrored: bool
    boxes: tuple[tuple[float, float], ...]
    lines: tuple[_Line, ...]
    names_at: float | None

    def across(self, x: float) -> float:
        """Give the distance of a place from where reading begins."""
        return self.left + self.width - x if self.mirrored else x - self.left


def draw_pages(xml: bytes, *, language: str, mirrored: bool | None = None) -> str:
    """Draw a path on A4 pages, as one page of HTML for the browser's print command.

    Args:
        xml: a BPMN file with diagram interchange.
        language: language of the texts (ar, ckb, en).
        mirrored: draw from right to left; None for "as the language is written".

    Raises:
        BadPath: the file cannot be read, see `read_diagram`.
    """
    rtl = language in RIGHT_TO_LEFT if mirrored is None else mirrored
    whole = etree.fromstring(draw_path(xml, language=language, mirrored=rtl).encode())
    drawn = _take_apart(whole, mirrored=rtl)
    cut = _cut(drawn)
    name = _name(whole)
    sheets = "".join(_sheet(drawn, cut, number, name) for number in range(len(cut.pages)))
    size = "A4 landscape" if cut.landscape else "A4"
    inner = "".join(etree.tostring(part, encoding="unicode") for part in whole)
    return (
        f'<!doctype html><html lang="{language}" dir="{"rtl" if rtl else "ltr"}"><meta charset="utf-8">'
        f"<title>{escape(name)}</title><style>@page{{size:{size};margin:10mm}}{_STYLE}</style>"
        f'<svg xmlns="{SVG}" class="whole"><defs><g id="whole">{inner}</g></defs></svg>{sheets}</html>\n'
    )


def cut_pages(xml: bytes, *, language: str) -> Pages:
    """Say how a path's drawing is cut for A4.

    Args:
        xml: a BPMN file with diagram interchange.
        language: language of the texts; right-to-left ones are drawn mirrored.

    Raises:
        BadPath: the file cannot be read, see `read_diagram`.
    """
    whole = etree.fromstring(draw_path(xml, language=language).encode())
    return _cut(_take_apart(whole, mirrored=language in RIGHT_TO_LEFT))


def _take_apart(whole: etree._Element, *, mirrored: bool) -> _Drawn:
    left, top, width, height = (float(part) for part in whole.get("viewBox", "0 0 0 0").split())
    empty = _Drawn(left=left, top=top, width=width, height=height, mirrored=mirrored, boxes=(), lines=(), names_at=None)
    lanes = [rect for rect in whole.iter(f"{{{SVG}}}rect") if rect.get("class") == "lane"]
    starts = [_number(lane, "x") + (_number(lane, "width") - BAND if mirrored else 0) for lane in lanes]
    return _Drawn(
        left=left,
        top=top,
        width=width,
        height=height,
        mirrored=mirrored,
        boxes=tuple(tuple(sorted(map(empty.across, box)))[:2] for box in _boxes(whole)),  # type: ignore[misc]
        lines=tuple(_lines(whole, empty)),
        names_at=min(starts, default=None),
    )


def _number(element: etree._Element, name: str) -> float:
    return float(element.get(name, "0"))


def _boxes(whole: etree._Element) -> Iterator[tuple[float, float]]:
    """Give from where to where each step and each line of text reaches."""
    for rect in whole.iter(f"{{{SVG}}}rect"):
        if (rect.get("class") or "").startswith("shape"):
            yield _number(rect, "x"), _number(rect, "x") + _number(rect, "width")
    for circle in whole.iter(f"{{{SVG}}}circle"):
        yield _number(circle, "cx") - _number(circle, "r"), _number(circle, "cx") + _number(circle, "r")
    for path in whole.iter(f"{{{SVG}}}path"):
        if (path.get("class") or "").startswith("shape"):
            middle, half = (float(part) for part in re.findall(r"-?[\d.]+", path.get("d", ""))[:3:2])
            yield middle - half, middle + half
    for text in whole.iter(f"{{{SVG}}}text"):
        holder = text.getparent()
        if holder is None or holder.get("transform") is None:
            half = len(text.text or "") * _LETTER / 2
            yield _number(text, "x") - half, _number(text, "x") + half


def _lines(whole: etree._Element, drawn: _Drawn) -> Iterator[_Line]:
    for path in whole.iterfind(f"{{{SVG}}}path[@data-flow]"):
        corners = [tuple(map(float, corner.split(","))) for corner in path.get("d", "M")[1:].split("L")]
        for (x, y), (to_x, to_y) in pairwise(corners):
            low, high = sorted((drawn.across(x), drawn.across(to_x)))
            yield _Line(low=low, high=high, y=(y + to_y) / 2)


def _cut(drawn: _Drawn) -> Pages:
    """Take the direction of the paper that needs fewer pages; the lying paper where both need the same."""
    lying, standing = _cut_for(drawn, _LONG, _SHORT), _cut_for(drawn, _SHORT, _LONG)
    readable = SMALLEST / LABEL
    better = standing.scale >= readable > lying.scale or len(standing.pages) < len(lying.pages)
    return standing if better and standing.scale >= min(lying.scale, readable) else lying


def _cut_for(drawn: _Drawn, width: float, height: float) -> Pages:
    """Cut for a sheet of that many mm inside its margins."""
    high = (height - _HEADER) / max(drawn.height, 1.0)
    scale = min(high, SMALLEST / LABEL)
    room = width / scale
    ends = list(_ends(drawn, room)) if drawn.width > room else [drawn.width]
    pages = tuple(PaperPage(start=start, end=end) for start, end in zip([0.0, *ends], ends, strict=False))
    widest = max((page.end - page.start + (BAND + _GAP) * bool(page.start) for page in pages), default=1.0)
    return Pages(landscape=width > height, scale=min(high, width / max(widest, 1.0), LARGEST / LABEL), pages=pages)


def _ends(drawn: _Drawn, room: float) -> Iterator[float]:
    """Give where each page ends: near the place that makes all pages alike, where it cuts least."""
    start = 0.0
    while True:
        rest, most = drawn.width - start, room - (BAND + _GAP if start else 0.0)
        if rest <= most:
            yield drawn.width
            return
        wanted = start + rest / math.ceil(rest / (room - BAND - _GAP))
        last = start + most
        places = [last - _STEP * back for back in range(int(most * 0.5 / _STEP))]
        start = min(places, key=lambda place: _harm(drawn, place) + abs(place - wanted) / _DRIFT)
        yield start


def _harm(drawn: _Drawn, place: float) -> int:
    """Count what a cut at a place would go through; a step or a word weighs as much as a hundred lines."""
    cut = sum(low - _CLEAR < place < high + _CLEAR for low, high in drawn.boxes)
    crowded = sum(low - _ROOM < place < high + _ROOM for low, high in drawn.boxes)
    return 100 * cut + crowded + len(_crossings(drawn, place))


def _crossings(drawn: _Drawn, place: float) -> list[float]:
    """Give the heights at which lines go through a cut, lines that lie upon each other once."""
    return sorted({line.y for line in drawn.lines if line.low < place < line.high})


def _name(whole: etree._Element) -> str:
    """Give the path's name, as its pool has it."""
    for group in whole.iterfind(f"{{{SVG}}}g"):
        rect = group.find(f"{{{SVG}}}rect")
        if rect is not None and rect.get("class") == "pool":
            return " ".join(text.text or "" for text in group.iter(f"{{{SVG}}}text"))
    return ""


def _sheet(drawn: _Drawn, cut: Pages, number: int, name: str) -> str:
    """Write one page."""
    page = cut.pages[number]
    band = BAND + _GAP if number and drawn.names_at is not None else 0.0
    width = page.end - page.start
    total, at = width + band, 0.0 if drawn.mirrored else band
    left = drawn.left + (drawn.width - page.end if drawn.mirrored else page.start)
    parts = [_window(drawn, at, left, width)]
    if band and drawn.names_at is not None:
        parts.append(_window(drawn, total - BAND if drawn.mirrored else 0.0, drawn.names_at, BAND))
    parts += [_tag(drawn, at + (width if drawn.mirrored else 0.0), cut, number, edge) for edge in (0, 1)]
    place = f'<span dir="ltr">{number + 1} / {len(cut.pages)}</span>'
    return (
        f'<section><header><b dir="auto">{escape(name)}</b>{place}</header>'
        f'<svg xmlns="{SVG}" viewBox="0 0 {total:g} {drawn.height:g}" width="{total * cut.scale:.2f}mm" '
        f'height="{drawn.height * cut.scale:.2f}mm">{"".join(parts)}</svg></section>'
    )


def _window(drawn: _Drawn, at: float, left: float, width: float) -> str:
    view = f"{left:g} {drawn.top:g} {width:g} {drawn.height:g}"
    return (
        f'<svg x="{at:g}" y="0" width="{width:g}" height="{drawn.height:g}" viewBox="{view}"><use href="#whole"/></svg>'
    )


def _tag(drawn: _Drawn, begin: float, cut: Pages, number: int, edge: int) -> str:
    """Write the letters of the lines that go over one edge of a page: 0 where it begins, 1 where it ends."""
    if number + edge in (0, len(cut.pages)):
        return ""
    page = cut.pages[number]
    place = page.end if edge else page.start
    along = place - page.start + (-11.0 if edge else 11.0)
    x = begin - along if drawn.mirrored else begin + along
    before = sum(len(_crossings(drawn, each.end)) for each in cut.pages[: number + edge - 1])
    return "".join(
        f'<circle class="tag" cx="{x:g}" cy="{y:g}" r="9"/>'
        f'<text class="small" x="{x:g}" y="{y + 4:g}" text-anchor="middle">{_letters(before + index)}</text>'
        for index, y in enumerate(each - drawn.top for each in _crossings(drawn, place))
    )


def _letters(index: int) -> str:
    """Give A, B, … Z, AA, AB, … for 0, 1, … 25, 26, 27 and so on."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
