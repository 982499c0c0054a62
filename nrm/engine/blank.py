"""The diagram with which a new path begins: one lane, a beginning and an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from nrm.engine.reading import BPMN, BPMNDI, DC, DI, NRM

_PREFIXES: Final = {"bpmn": BPMN, "bpmndi": BPMNDI, "dc": DC, "di": DI, "nrm": NRM}
_BEGIN: Final[Mapping[str, str]] = {"ar": "البداية", "ckb": "دەستپێک", "en": "Begin"}
_END: Final[Mapping[str, str]] = {"ar": "النهاية", "ckb": "کۆتایی", "en": "End"}
_POOL: Final = (160.0, 80.0, 900.0, 320.0)
_LANE: Final = (190.0, 80.0, 870.0, 320.0)
_START: Final = (242.0, 222.0, 36.0, 36.0)
_LAST: Final = (962.0, 222.0, 36.0, 36.0)


def blank_diagram(key: str, names: Mapping[str, str]) -> str:
    """Write a diagram that has nothing between its beginning and its end.

    Args:
        key: the path's key, also the id of the process.
        names: the path's name in each language.
    """
    root = etree.Element(f"{{{BPMN}}}definitions", nsmap=_PREFIXES)
    root.set("id", f"{key}_definitions"[-64:])
    root.set("targetNamespace", "urn:nrm:paths")
    collaboration = _add(root, "collaboration", id="pool_collaboration")
    pool = _add(collaboration, "participant", id="pool", name=names.get("en", key))
    pool.set("processRef", key)
    process = _add(root, "process", id=key, name=names.get("en", key), isExecutable="true")
    extensions = _named(process, names)
    extensions.insert(0, etree.Element(f"{{{NRM}}}level", code="standard"))
    lane = _add(_add(process, "laneSet", id="lanes"), "lane", id="lane_1")
    for name in ("start", "end"):
        _add(lane, "flowNodeRef").text = name
    start = _add(process, "startEvent", id="start", name=_BEGIN["en"])
    _named(start, _BEGIN)
    _add(start, "outgoing").text = "flow_1"
    end = _add(process, "endEvent", id="end", name=_END["en"])
    _named(end, _END)
    _add(end, "incoming").text = "flow_1"
    _add(process, "sequenceFlow", id="flow_1", sourceRef="start", targetRef="end")
    _draw(root)
    return etree.tostring(root, encoding="unicode", pretty_print=True)


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{BPMN}}}{tag}", dict(attributes))


def _named(element: etree._Element, names: Mapping[str, str]) -> etree._Element:
    extensions = _add(element, "extensionElements")
    for language, name in names.items():
        etree.SubElement(extensions, f"{{{NRM}}}text", kind="name", lang=language).text = name
    return extensions


def _draw(root: etree._Element) -> None:
    diagram = etree.SubElement(root, f"{{{BPMNDI}}}BPMNDiagram", id="drawing")
    plane = etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane", id="plane", bpmnElement="pool_collaboration")
    for element, box in (("pool", _POOL), ("lane_1", _LANE), ("start", _START), ("end", _LAST)):
        shape = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNShape", id=f"{element}_shape", bpmnElement=element)
        if element in {"pool", "lane_1"}:
            shape.set("isHorizontal", "true")
        sizes = zip(("x", "y", "width", "height"), box, strict=True)
        etree.SubElement(shape, f"{{{DC}}}Bounds", {name: f"{size:g}" for name, size in sizes})
    edge = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge", id="flow_1_edge", bpmnElement="flow_1")
    for x in (_START[0] + _START[2], _LAST[0]):
        etree.SubElement(edge, f"{{{DI}}}waypoint", x=f"{x:g}", y="240")
