"""Draw a path as SVG from its own diagram interchange: for a case's page, for paper, and mirrored for right-to-left.

The picture is made of what the file says (BPMN 2.0.2, chapter 12): a step without a shape is not drawn. Colours come
from classes, so that a page or a print style can change them; without a style the drawing is black on white.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lxml import etree

from nrm.engine.frames import Frame, Marks, frame_of, marks_for
from nrm.engine.importing import read_to_draw
from nrm.engine.outlines import MARKS, THINGS, Box
from nrm.engine.reading import BPMN, BPMNDI, DC, DI, NRM, local_name

SVG: Final = "http://www.w3.org/2000/svg"
RIGHT_TO_LEFT: Final = frozenset({"ar", "ckb"})
STATES: Final[Mapping[str, str]] = {
    "done": "#d5ecdc",
    "open": "#fdf0c4",
    "waiting": "#dce9f9",
    "overdue": "#f9d9c9",
    "failed": "#f4c6c9",
    "added": "#c9ecd2",
    "changed": "#fdeeb5",
    "removed": "#f7cfd0",
}
"""The states that a step, or a change of one, may be drawn in, and the colour of each."""
STYLE: Final = (
    "text{font:12px 'Noto Sans','Noto Sans Arabic','Noto Naskh Arabic',sans-serif;fill:#1a1a1a}.small{font-size:11px}"
    ".shape{fill:#fff;stroke:#333;stroke-width:1.5}.lane,.pool{fill:none;stroke:#888}.thick{stroke-width:4}"
    ".scope{fill:none;stroke:#333;stroke-width:1.5}.flow,.mark{fill:none;stroke:#333;stroke-width:1.2}"
    ".dashed{stroke-dasharray:4 3}.solid{fill:#333}"
) + "".join(f".state-{name}{{fill:{colour}}}" for name, colour in STATES.items())
MARGIN: Final = 20.0
LARGEST: Final = 100_000.0
_SCOPES: Final = frozenset({"subProcess", "transaction", "adHocSubProcess", "subChoreography"})
_CLOSED: Final = "M-7,-7H7V7H-7ZM0,-4V4M-4,0H4"
_DASHED: Final = frozenset({"messageFlow", "association", "dataInputAssociation", "dataOutputAssociation"})
_EVENTS: Final = frozenset(
    {"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """What all parts of one drawing need to know; `left` and `right` are the limits of the diagram."""

    elements: Mapping[str, etree._Element]
    language: str
    mirrored: bool
    left: float
    right: float
    closed: frozenset[str]
    marks: Marks

    def across(self, x: float) -> float:
        return self.left + self.right - x if self.mirrored else x

    def box(self, bounds: etree._Element) -> Box:
        x, y, width, height = (_number(bounds.get(name)) for name in ("x", "y", "width", "height"))
        return Box(x=self.across(x + width) if self.mirrored else x, y=y, width=width, height=height)


def draw_path(
    xml: bytes,
    *,
    language: str,
    states: Mapping[str, str] | None = None,
    mirrored: bool | None = None,
    links: Mapping[str, str] | None = None,
    styled: bool = True,
    here: str | None = None,
) -> str:
    """Draw a path.

    Args:
        xml: a BPMN file of any tool, also one that cannot run; one without diagram interchange is laid out.
        language: language of the texts (ar, ckb, en); the diagram's own names where a text is missing.
        states: step id → one of `STATES`; a step that is not named is drawn plain.
        mirrored: draw from right to left; None for "as the language is written".
        links: step id → address that a click on it leads to.
        styled: put the style inside; False for a page that has it in its own sheet.
        here: step that a page leads to; its shape gets the id "here".

    Returns:
        An SVG document as text; steps carry `data-step` with their id. Sizes are in pixels of the diagram.

    Raises:
        BadPath: the file cannot be read, see `read_to_draw`.
    """
    right_to_left = language in RIGHT_TO_LEFT if mirrored is None else mirrored
    frame = _frame(xml, language=language, mirrored=right_to_left, styled=styled, linked=bool(links))
    known = {step: state for step, state in (states or {}).items() if state in STATES}
    drawing = frame.fill(states=known, links=links or {})
    step = f'data-step="{here}"'
    return drawing.replace(step, f'id="here" {step}', 1) if here else drawing


@lru_cache(maxsize=128)
def _frame(xml: bytes, *, language: str, mirrored: bool, styled: bool, linked: bool) -> Frame:
    """Draw all that does not depend on who looks, and when."""
    root = _laid_out(xml)
    shapes = root.findall(f".//{{{BPMNDI}}}BPMNShape")
    edges = root.findall(f".//{{{BPMNDI}}}BPMNEdge")
    area = _area(shapes, edges)
    elements = {name: element for element in root.iter() if (name := element.get("id"))}
    sheet = _Sheet(
        elements=elements,
        language=language,
        mirrored=mirrored,
        left=area.x,
        right=area.x + area.width,
        closed=_closed(shapes),
        marks=marks_for(elements, str(etree.tostring(root, encoding="unicode"))),
    )
    drawing = _canvas(area, language)
    process = root.find(f"{{{BPMN}}}process")
    if process is not None and (name := _text_of(process, sheet)):
        drawing.set("aria-label", name)
    if linked:
        drawing.set("role", "group")  # a picture may not hold links
    if styled:
        style = etree.Element(f"{{{SVG}}}style")
        style.text = STYLE
        drawing.insert(0, style)
    for edge in edges:
        _draw_edge(drawing, edge, sheet)
    for shape in sorted(shapes, key=lambda shape: _depth(shape, sheet)):
        _draw_shape(drawing, shape, sheet)
    for owner in (*shapes, *edges):
        _draw_label(drawing, owner, sheet)
    return frame_of(str(etree.tostring(drawing, encoding="unicode")), sheet.marks)


@lru_cache(maxsize=64)
def _laid_out(xml: bytes) -> etree._Element:
    """Read a file once; the tree is kept and only read from then on."""
    root = read_to_draw(xml)
    _stack(root)
    return root


def _stack(root: etree._Element) -> None:
    """Move the second and further drawings of a file below the first: sub-processes that are opened on their own."""
    below = -math.inf
    for diagram in root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        shapes = diagram.findall(f".//{{{BPMNDI}}}BPMNShape")
        area = _area(shapes, diagram.findall(f".//{{{BPMNDI}}}BPMNEdge"))
        down = max(below - area.y, 0.0)
        for part in diagram.iter(f"{{{DC}}}Bounds", f"{{{DI}}}waypoint") if down else ():
            part.set("y", f"{_number(part.get('y')) + down:g}")
        if shapes:
            below = area.y + area.height + down


def _number(text: str | None) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return max(-LARGEST, min(LARGEST, value)) if math.isfinite(value) else 0.0


def _closed(shapes: list[etree._Element]) -> frozenset[str]:
    return frozenset(shape.get("bpmnElement", "") for shape in shapes if shape.get("isExpanded") == "false")


def _area(shapes: list[etree._Element], edges: list[etree._Element]) -> Box:
    xs, ys = [], []
    for owner in (*shapes, *edges):
        for part in owner.iter(f"{{{DC}}}Bounds", f"{{{DI}}}waypoint"):
            x, y = _number(part.get("x")), _number(part.get("y"))
            xs += [x, x + _number(part.get("width"))]
            ys += [y, y + _number(part.get("height"))]
    left, top = min(xs, default=0.0) - MARGIN, min(ys, default=0.0) - MARGIN
    return Box(x=left, y=top, width=max(xs, default=0.0) + MARGIN - left, height=max(ys, default=0.0) + MARGIN - top)


def _canvas(area: Box, language: str) -> etree._Element:
    size = f"{area.x:g} {area.y:g} {area.width:g} {area.height:g}"
    drawing = etree.Element(f"{{{SVG}}}svg", nsmap={None: SVG}, viewBox=size, lang=language, role="img")
    drawing.set("width", f"{area.width:g}")
    drawing.set("height", f"{area.height:g}")
    arrow = _add(_add(drawing, "defs"), "marker", id="arrow", viewBox="0 0 10 10", refX="9", refY="5", orient="auto")
    arrow.set("markerWidth", "9")
    arrow.set("markerHeight", "9")
    _add(arrow, "path", d="M0,1L10,5L0,9Z", **{"class": "solid"})
    return drawing


def _add(parent: etree._Element, name: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{SVG}}}{name}", attributes)


def _depth(shape: etree._Element, sheet: _Sheet) -> tuple[int, float]:
    """Order shapes from the back to the front: pools, lanes, large before small, boundary events last."""
    element = sheet.elements.get(shape.get("bpmnElement", ""))
    kind = local_name(element) if element is not None else ""
    layer = {"participant": 0, "lane": 1, "boundaryEvent": 4}.get(kind, 2 if kind in _SCOPES else 3)
    bounds = shape.find(f"{{{DC}}}Bounds")
    return layer, -_number(bounds.get("width")) if bounds is not None else 0.0


def _text_of(element: etree._Element, sheet: _Sheet) -> str:
    """Give a name in the drawing's language, else as the diagram has it; a pool is named like its path."""
    for text in element.iterfind(f"{{{BPMN}}}extensionElements/{{{NRM}}}text"):
        if text.get("lang") == sheet.language and text.get("kind", "name") == "name" and text.text:
            return text.text.strip()
    if local_name(element) == "participant":
        process = sheet.elements.get(element.get("processRef", ""))
        if process is not None and process is not element and local_name(process) == "process":
            return _text_of(process, sheet) or element.get("name", "").strip()
    return element.get("name", "").strip()


def _draw_shape(drawing: etree._Element, shape: etree._Element, sheet: _Sheet) -> None:
    element = sheet.elements.get(shape.get("bpmnElement", ""))
    bounds = shape.find(f"{{{DC}}}Bounds")
    if element is None or bounds is None:
        return
    kind, box = local_name(element), sheet.box(bounds)
    step = element.get("id", "")
    mark = sheet.marks.of(step)
    group = _add(_add(drawing, "a", href=mark), "g", **{"data-step": step})
    style = "shape" + mark
    if kind in ("participant", "lane"):
        upright = shape.get("isHorizontal", "true").strip() in {"false", "0"}
        _draw_band(group, kind, box, _text_of(element, sheet), sheet, upright=upright)
    elif kind in THINGS:
        _draw_thing(group, element, box, sheet)
    elif kind in _EVENTS:
        _draw_event(group, element, box, style)
    elif kind.endswith("Gateway"):
        x, y = box.middle
        half = box.width / 2
        diamond = f"M{x:g},{y - half:g}l{half:g},{half:g}l-{half:g},{half:g}l-{half:g},-{half:g}Z"
        _add(group, "path", d=diamond, **{"class": style})
        _draw_mark(group, kind, x, y)
    else:
        _draw_activity(group, element, box, style, sheet)


def _draw_thing(group: etree._Element, element: etree._Element, box: Box, sheet: _Sheet) -> None:
    """Draw what only explains: notes, groups and data, as other tools draw them."""
    kind = local_name(element)
    _add(group, "path", d=THINGS[kind](box), **{"class": "mark dashed" if kind == "group" else "mark"})
    text = element.findtext(f"{{{BPMN}}}text") if kind == "textAnnotation" else _text_of(element, sheet)
    _write(group, (text or "").strip(), box, sheet.language, small=True)


def _rect(group: etree._Element, box: Box, style: str, radius: int = 0) -> None:
    attributes = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": radius}
    _add(group, "rect", **{name: f"{value:g}" for name, value in attributes.items()}, **{"class": style})


def _draw_band(group: etree._Element, kind: str, box: Box, text: str, sheet: _Sheet, *, upright: bool) -> None:
    """Draw a pool or a lane with its name written upwards along its first edge, that of an upright one at its top."""
    _rect(group, box, "pool" if kind == "participant" else "lane")
    if upright:
        _write(group, text, Box(x=box.x, y=box.y, width=box.width, height=30), sheet.language)
        return
    x = box.x + box.width - 15 if sheet.mirrored else box.x + 15
    y = box.middle[1]
    turn = _add(group, "g", transform=f"rotate({90 if sheet.mirrored else -90} {x:g} {y:g})")
    _write(turn, text, Box(x=x - box.height / 2, y=y - 15, width=box.height, height=30), sheet.language)


def _draw_event(group: etree._Element, element: etree._Element, box: Box, style: str) -> None:
    kind = local_name(element)
    x, y = box.middle
    dashed = " dashed" if element.get("cancelActivity") == "false" else ""
    thick = " thick" if kind == "endEvent" else ""
    _add(group, "circle", cx=f"{x:g}", cy=f"{y:g}", r=f"{box.width / 2:g}", **{"class": style + thick + dashed})
    if kind not in ("startEvent", "endEvent"):
        _add(group, "circle", cx=f"{x:g}", cy=f"{y:g}", r=f"{box.width / 2 - 3:g}", **{"class": "mark" + dashed})
    for part in element:
        if isinstance(part.tag, str) and local_name(part) in MARKS:
            solid = kind in ("endEvent", "intermediateThrowEvent")
            _draw_mark(group, local_name(part), x, y, "mark solid" if solid else "mark")


def _draw_mark(group: etree._Element, kind: str, x: float, y: float, style: str = "mark") -> None:
    if kind in MARKS:
        _add(group, "path", d=MARKS[kind], transform=f"translate({x:g} {y:g})", **{"class": style})


def _draw_activity(group: etree._Element, element: etree._Element, box: Box, style: str, sheet: _Sheet) -> None:
    kind = local_name(element)
    if kind in _SCOPES and not _is_closed(element, sheet):
        _rect(group, box, "scope", 10)
        top = Box(x=box.x, y=box.y + 4, width=box.width, height=18)
        _write(group, _text_of(element, sheet), top, sheet.language)
        return
    _rect(group, box, style + (" thick" if kind == "callActivity" else ""), 10)
    if kind in _SCOPES:
        _add(
            group,
            "path",
            d=_CLOSED,
            transform=f"translate({box.middle[0]:g} {box.y + box.height - 9:g})",
            **{"class": "mark"},
        )
    _draw_mark(group, kind, box.x + (box.width - 14 if sheet.mirrored else 14), box.y + 14)
    _write(group, _text_of(element, sheet), box, sheet.language)
    rounds = element.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics")
    if rounds is not None:
        x, y = box.middle[0], box.y + box.height - 9
        lines = "M-6,-4H6M-6,0H6M-6,4H6" if rounds.get("isSequential") == "true" else "M-4,-5V5M0,-5V5M4,-5V5"
        _add(group, "path", d=lines, transform=f"translate({x:g} {y:g})", **{"class": "mark thick-line"})


def _is_closed(element: etree._Element, sheet: _Sheet) -> bool:
    """Tell whether a sub-process is drawn without what it holds."""
    return element.get("id") in sheet.closed


def _draw_edge(drawing: etree._Element, edge: etree._Element, sheet: _Sheet) -> None:
    points = [(sheet.across(_number(p.get("x"))), _number(p.get("y"))) for p in edge.iterfind(f"{{{DI}}}waypoint")]
    if len(points) < 2:
        return
    line = "M" + "L".join(f"{x:g},{y:g}" for x, y in points)
    flow = edge.get("bpmnElement", "")
    element = sheet.elements.get(flow)
    kind = "" if element is None else local_name(element)
    path = _add(drawing, "path", d=line, **{"class": "flow dashed" if kind in _DASHED else "flow", "data-flow": flow})
    if kind != "association":
        path.set("marker-end", "url(#arrow)")
    source = sheet.elements.get(element.get("sourceRef", "")) if element is not None else None
    if source is not None and source.get("default") == flow:
        _draw_default(drawing, points)


def _draw_default(drawing: etree._Element, points: list[tuple[float, float]]) -> None:
    """Cross the beginning of a gateway's default flow with a short stroke."""
    (x, y), (to_x, to_y) = points[0], points[1]
    length = math.hypot(to_x - x, to_y - y) or 1.0
    x, y = x + (to_x - x) / length * 9, y + (to_y - y) / length * 9
    _add(drawing, "path", d=f"M{x - 4:g},{y + 4:g}L{x + 4:g},{y - 4:g}", **{"class": "mark"})


def _is_named_outside(kind: str) -> bool:
    """Tell whether a kind of element has its name beside its shape and not inside."""
    return kind not in THINGS and not kind.endswith(("Task", "task", "Activity", "rocess", "lane", "participant"))


def _draw_label(drawing: etree._Element, owner: etree._Element, sheet: _Sheet) -> None:
    element = sheet.elements.get(owner.get("bpmnElement", ""))
    bounds = owner.find(f"{{{BPMNDI}}}BPMNLabel/{{{DC}}}Bounds")
    if element is None or bounds is None or not _is_named_outside(local_name(element)):
        return
    _write(drawing, _text_of(element, sheet), sheet.box(bounds), sheet.language, small=True)


def _write(parent: etree._Element, text: str, box: Box, language: str, *, small: bool = False) -> None:
    """Write a text into the middle of a box, in as many lines as its width needs."""
    size = 11 if small else 12
    lines = _lines(text, box.width - (0 if small else 10), size * 0.55)
    x, y = box.middle
    top = y - (len(lines) - 1) * (size + 2) / 2 + size * 0.35
    for index, line in enumerate(lines):
        place = {"x": f"{x:g}", "y": f"{top + index * (size + 2):g}", "text-anchor": "middle"}
        if language in RIGHT_TO_LEFT:
            place["direction"] = "rtl"
        _add(parent, "text", **place, **({"class": "small"} if small else {})).text = line


def _lines(text: str, width: float, letter: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and (len(lines[-1]) + 1 + len(word)) * letter <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
