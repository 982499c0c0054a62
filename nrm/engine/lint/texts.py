"""Check what people read: names in every language, titles that carry no value, and the drawing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Pack, extensions, found, warn
from nrm.engine.reading import BPMN, BPMNDI, DC, DI, local_name

LANGUAGES: Final = frozenset({"ar", "ckb", "en"})
_KINDS: Final = frozenset({"name", "instruction"})
_CARRIES_VALUE: Final = re.compile(r"\{|\}|\$\w|%\(|%[sd]\b|\[\[|<%|#\w+#")
_NEEDS_NAME: Final = frozenset(
    {"userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask", "callActivity"}
    | {"subProcess", "endEvent", "process", "lane"}
)
_MAX_COORDINATE: Final = 100_000.0


def check_texts(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find names that a reader of one of the pack's languages would miss, and titles that could tell a secret."""
    languages = pack.known.languages if pack.known else ()
    elements = [diagram.process, *diagram.process.iter(f"{{{BPMN}}}lane")]
    elements += [node.element for node in diagram.nodes.values()] + [flow.element for flow in diagram.flows.values()]
    for element in elements:
        yield from _texts(element)
        yield from _missing(element, languages)
    yield from _drawing(diagram)


def _texts(element: etree._Element) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    if _CARRIES_VALUE.search(element.get("name") or ""):
        yield found(element, "title_with_value", text=element.get("name") or "")
    for text in extensions(element, "text"):
        kind, language = text.get("kind", "name"), text.get("lang", "")
        if kind not in _KINDS:
            yield found(text, "bad_text_kind", kind=kind)
        if language not in LANGUAGES:
            yield found(text, "bad_text_language", language=language)
        if (kind, language) in seen:
            yield found(text, "text_twice", kind=kind, language=language)
        seen.add((kind, language))
        if _CARRIES_VALUE.search(text.text or ""):
            yield found(text, "title_with_value", text=text.text or "")


def _missing(element: etree._Element, languages: tuple[str, ...]) -> Iterator[Finding]:
    label = (element.get("name") or "").strip()
    texts = [text for text in extensions(element, "text") if (text.text or "").strip()]
    have = {text.get("lang", "") for text in texts if text.get("kind", "name") == "name"} | ({"en"} if label else set())
    if not have and local_name(element) not in _NEEDS_NAME:
        return
    for language in languages:
        if language not in have:
            yield found(element, "text_missing", language=language)
    told = {text.get("lang", "") for text in texts if text.get("kind") == "instruction"}
    for language in languages if told else ():
        if language not in told:
            yield found(element, "instruction_missing", language=language)


def _drawing(diagram: Diagram) -> Iterator[Finding]:
    drawn = {shape.get("bpmnElement") for shape in diagram.root.iter(f"{{{BPMNDI}}}BPMNShape", f"{{{BPMNDI}}}BPMNEdge")}
    if not drawn:
        yield warn(diagram.process, "drawing_missing")
        return
    for element in [node.element for node in diagram.nodes.values()] + [
        flow.element for flow in diagram.flows.values()
    ]:
        if element.get("id") not in drawn:
            yield warn(element, "step_not_drawn")
    for point in diagram.root.iter(f"{{{DC}}}Bounds", f"{{{DI}}}waypoint"):
        if not all(_sane(str(point.get(name, "0"))) for name in ("x", "y", "width", "height")):
            yield warn(point, "bad_coordinates")


def _sane(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return math.isfinite(number) and abs(number) <= _MAX_COORDINATE
