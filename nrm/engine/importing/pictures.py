"""Mend the drawing of an imported diagram: what is missing is drawn, what shows nothing is left out."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lxml import etree

from nrm.engine.importing.changes import Changes
from nrm.engine.layout import lay_out, place_scope, straight, write_drawing, write_edge, write_shape
from nrm.engine.reading import BPMN, BPMNDI, DC, DI, FLOW_NODES, local_name

Box = tuple[float, float, float, float]


def mend_drawing(
    root: etree._Element, process: etree._Element, added: list[tuple[str, str, str]], changes: Changes
) -> None:
    """See to it that every step and flow of the path that is imported is drawn.

    Args:
        root: the `bpmn:definitions`.
        process: the process that is to run.
        added: steps with the gateway and the flow that the importer put behind them.
        changes: hears what was done.
    """
    there = {element.get("id") for element in root.iter(etree.Element) if element.get("id")}
    _drop_strays(root, there, changes)
    _drop_second_drawings(root, changes)
    boxes = _boxes(root)
    for step, gateway, flow in added:
        _draw_gateway(root, boxes, step, gateway, flow)
    for scope in _hidden_scopes(process, boxes):
        write_drawing(root, scope.get("id", ""), place_scope(scope))
        changes.add(scope, "import_content_drawn")
    boxes = _boxes(root)
    if any(step.get("id") not in boxes for step in _steps(process)):
        lay_out(root)
        changes.add(process, "import_laid_out")
        return
    _draw_lines(root, process, boxes, changes)


def _steps(holder: etree._Element) -> Iterator[etree._Element]:
    return (each for each in holder.iter(f"{{{BPMN}}}*") if local_name(each) in FLOW_NODES)


def _number(text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return math.nan
    return value if abs(value) <= 100_000 else math.nan


def _boxes(root: etree._Element) -> dict[str, Box]:
    """Give the usable boxes of the drawing by the element that they show."""
    boxes: dict[str, Box] = {}
    for shape in root.iter(f"{{{BPMNDI}}}BPMNShape"):
        bounds = shape.find(f"{{{DC}}}Bounds")
        if bounds is None:
            continue
        x, y, width, height = (_number(bounds.get(name)) for name in ("x", "y", "width", "height"))
        if math.isfinite(x + y + width + height) and width > 0 and height > 0:
            boxes[shape.get("bpmnElement", "")] = (x, y, width, height)
    return boxes


def _drop_strays(root: etree._Element, there: set[str | None], changes: Changes) -> None:
    """Leave out shapes and lines of what is not in the file, or no longer."""
    count = 0
    for owner in list(root.iter(f"{{{BPMNDI}}}BPMNShape", f"{{{BPMNDI}}}BPMNEdge")):
        parent = owner.getparent()
        if parent is not None and owner.get("bpmnElement") not in there:
            parent.remove(owner)
            count += 1
    for edge in root.iter(f"{{{BPMNDI}}}BPMNEdge"):
        points = edge.findall(f"{{{DI}}}waypoint")
        if any(not math.isfinite(_number(each.get("x")) + _number(each.get("y"))) for each in points):
            edge.set("bpmnElement", "")
    for edge in [each for each in root.iter(f"{{{BPMNDI}}}BPMNEdge") if not each.get("bpmnElement")]:
        parent = edge.getparent()
        if parent is not None:
            parent.remove(edge)
            count += 1
    if count:
        changes.add(root, "import_shapes_dropped", count=count)


def _drop_second_drawings(root: etree._Element, changes: Changes) -> None:
    """Leave out drawings that show only what an earlier one shows."""
    shown: set[str] = set()
    for diagram in root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        own = {shape.get("bpmnElement", "") for shape in diagram.iter(f"{{{BPMNDI}}}BPMNShape")}
        if shown and own <= shown:
            changes.add(diagram, "import_second_drawing")
            root.remove(diagram)
        shown |= own


def _plane(root: etree._Element, step: str) -> etree._Element | None:
    shape = next((each for each in root.iter(f"{{{BPMNDI}}}BPMNShape") if each.get("bpmnElement") == step), None)
    return None if shape is None else shape.getparent()


def _draw_gateway(root: etree._Element, boxes: dict[str, Box], step: str, gateway: str, flow: str) -> None:
    """Draw an added gateway right behind its step; lines that left the step now begin at it."""
    plane, box = _plane(root, step), boxes.get(step)
    if plane is None or box is None:
        return
    size = 24.0
    own = (box[0] + box[2] + 6, box[1] + box[3] / 2 - size / 2, size, size)
    write_shape(plane, gateway, own)
    write_edge(plane, flow, [(box[0] + box[2], box[1] + box[3] / 2), (own[0], own[1] + size / 2)])
    leaving = {each.get("id") for each in root.iter(f"{{{BPMN}}}sequenceFlow") if each.get("sourceRef") == gateway}
    for edge in root.iter(f"{{{BPMNDI}}}BPMNEdge"):
        first = edge.find(f"{{{DI}}}waypoint")
        if edge.get("bpmnElement") in leaving and first is not None:
            first.set("x", f"{own[0] + size / 2:g}")
            first.set("y", f"{own[1] + size / 2:g}")


def _hidden_scopes(process: etree._Element, boxes: dict[str, Box]) -> Iterator[etree._Element]:
    """Give the outermost sub-processes that are drawn without anything of what they hold."""
    for scope in process.iter(f"{{{BPMN}}}subProcess"):
        inner = [each.get("id") for each in _steps(scope) if each is not scope]
        hidden = bool(inner) and scope.get("id") in boxes and not any(each in boxes for each in inner)
        if hidden:
            yield scope


def _draw_lines(root: etree._Element, process: etree._Element, boxes: dict[str, Box], changes: Changes) -> None:
    """Draw straight lines for flows that have none."""
    drawn = {edge.get("bpmnElement") for edge in root.iter(f"{{{BPMNDI}}}BPMNEdge")}
    count = 0
    for flow in process.iter(f"{{{BPMN}}}sequenceFlow"):
        source, target = flow.get("sourceRef", ""), flow.get("targetRef", "")
        plane = _plane(root, source)
        if flow.get("id") in drawn or plane is None or source not in boxes or target not in boxes:
            continue
        write_edge(plane, flow.get("id", ""), straight(boxes[source], boxes[target]))
        count += 1
    if count:
        changes.add(process, "import_lines_drawn", count=count)
