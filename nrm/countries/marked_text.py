"""Find and replace the texts inside a diagram without touching any other character of the file.

Diagrams are drawn by hand and by editors; rewriting them through a parser would change every line. The texts stand
in `<nrm:text kind lang>` elements; a change of an English name also changes the `name` attribute beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Final
from xml.sax.saxutils import escape, quoteattr

_PART: Final = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|<(?P<close>/?)(?P<name>[A-Za-z_][\w:.-]*)(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"([\w:.-]+)\s*=\s*(\"[^\"]*\"|'[^']*')")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One text of a diagram.

    Attributes:
        element: id of the element that it belongs to.
        kind: name or instruction.
        language: its language.
        text: what it says.
        start: place of its first character in the file.
        end: place after its last character.
        owner: place and end of the start tag of the element.
    """

    element: str
    kind: str
    language: str
    text: str
    start: int
    end: int
    owner: tuple[int, int]


def read_marks(source: str) -> Iterator[Mark]:
    """Give the texts of a diagram in order.

    Args:
        source: the whole file.
    """
    open_elements: list[tuple[str, tuple[int, int]]] = []
    pending: tuple[dict[str, str], int] | None = None
    for part in _PART.finditer(source):
        name = part["name"]
        if name is None:
            continue
        attributes = {key: unescape(value[1:-1]) for key, value in _ATTRIBUTE.findall(part["attributes"])}
        if name == "nrm:text":
            if pending is not None and part["close"]:
                yield _mark(source, pending, part.start(), open_elements)
            pending = None if part["close"] or part["empty"] else (attributes, part.end())
        elif part["close"]:
            open_elements.pop()
        elif not part["empty"]:
            open_elements.append((attributes.get("id", ""), part.span()))


def _mark(
    source: str, pending: tuple[dict[str, str], int], end: int, opened: list[tuple[str, tuple[int, int]]]
) -> Mark:
    attributes, start = pending
    element, owner = next((entry for entry in reversed(opened) if entry[0]), ("", (0, 0)))
    return Mark(
        element=element,
        kind=attributes.get("kind", "name"),
        language=attributes.get("lang", ""),
        text=unescape(source[start:end]),
        start=start,
        end=end,
        owner=owner,
    )


def replace_marks(source: str, changes: Mapping[tuple[str, str, str], str]) -> str:
    """Put other texts into a diagram.

    Args:
        source: the whole file.
        changes: (element, kind, language) → new text.

    Returns:
        The file with nothing else changed.
    """
    edits: list[tuple[int, int, str]] = []
    for mark in read_marks(source):
        new = changes.get((mark.element, mark.kind, mark.language))
        if new is None or new == mark.text:
            continue
        edits.append((mark.start, mark.end, escape(new)))
        if (mark.kind, mark.language) == ("name", "en"):
            edits += _name_attribute(source, mark, new)
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    return source


def _name_attribute(source: str, mark: Mark, new: str) -> Iterator[tuple[int, int, str]]:
    start, end = mark.owner
    for found in _ATTRIBUTE.finditer(source, start, end):
        if found[1] == "name" and unescape(found[2][1:-1]) == mark.text:
            yield found.start(2), found.end(2), quoteattr(new)
