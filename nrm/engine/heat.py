"""A path's drawing with how many wait at each step, and how long: colours for those who see them, numbers for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from nrm.engine.drawing import SVG, draw_path

LEVELS: Final = 4
"""Heats are 1 to 4; 0 is not coloured."""

_HALF: Final = 13.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """What is drawn at a step.

    Attributes:
        level: 0 to `LEVELS`: how long it takes beside the other steps.
        count: a short text, how many wait there; "" for none.
    """

    level: int
    count: str = ""


def draw_heat(xml: bytes, heats: Mapping[str, Heat], *, language: str, links: Mapping[str, str] | None = None) -> str:
    """Draw a path with heats; arguments and errors as for `draw_path`, for a page that has the style itself.

    Args:
        xml: a BPMN file with diagram interchange.
        heats: step id → what is drawn there.
        language: language of the texts.
        links: step id → address.
    """
    root = etree.fromstring(draw_path(xml, language=language, links=links, styled=False).encode())
    for group in root.iter(f"{{{SVG}}}g"):
        heat = heats.get(group.get("data-step", ""))
        if heat is not None:
            _warm(group, heat)
    return etree.tostring(root, encoding="unicode")


def _warm(group: etree._Element, heat: Heat) -> None:
    shape = next((part for part in group if "shape" in part.get("class", "").split()), None)
    if shape is None:
        return
    if heat.level:
        shape.set("class", f"{shape.get('class')} heat-{min(heat.level, LEVELS)}")
    if heat.count:
        x, y = _corner(shape)
        width = _HALF * 2 + 7 * max(0, len(heat.count) - 2)
        mark = etree.SubElement(group, f"{{{SVG}}}rect", {"class": "count-mark"})
        for name, value in (("x", x - width / 2), ("y", y - _HALF), ("width", width), ("height", 2 * _HALF)):
            mark.set(name, f"{value:g}")
        mark.set("rx", f"{_HALF:g}")
        text = etree.SubElement(group, f"{{{SVG}}}text", {"text-anchor": "middle", "class": "count-text"})
        text.set("direction", "ltr")
        text.set("x", f"{x:g}")
        text.set("y", f"{y + 4:g}")
        text.text = heat.count


def _corner(shape: etree._Element) -> tuple[float, float]:
    """Give the upper corner of a shape, where the number is written."""
    if shape.get("cx") is not None:
        return float(shape.get("cx", "0")), float(shape.get("cy", "0")) - float(shape.get("r", "0"))
    if shape.get("x") is not None:
        return float(shape.get("x", "0")) + float(shape.get("width", "0")), float(shape.get("y", "0"))
    x, _, y = shape.get("d", "M0,0").partition("l")[0].lstrip("M").partition(",")
    return float(x), float(y)
