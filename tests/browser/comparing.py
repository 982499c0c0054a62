"""What a diagram says, without its drawing and its spelling: to compare a file with itself after an editor had it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lxml import etree

from nrm.engine.lint import lint_path
from nrm.engine.reading import BPMN, NRM
from nrm.engine.steps import Resources

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "workflows").glob("*/paths/*.bpmn"))
QUIET = {
    ("due", "calendar", "working"),
    ("due", "anchor", "opened"),
    ("due", "ladder", "task"),
    ("text", "kind", "name"),
    ("correlation", "key", "run"),
    ("multiInstanceLoopCharacteristics", "isSequential", "false"),
}
"""Attributes with the value that they have anyway; an editor may leave them out."""
DERIVED = {"incoming", "outgoing", "flowNodeRef"}


def sayings(xml: bytes) -> Counter[tuple[object, ...]]:
    """Give every element with its attributes, its text and what holds it, in no order."""
    found: Counter[tuple[object, ...]] = Counter()
    for element in etree.fromstring(xml).iter(etree.Element):
        name = etree.QName(element)
        if name.namespace not in {BPMN, NRM}:
            continue
        attributes = {
            (etree.QName(key).localname, value)
            for key, value in element.attrib.items()
            if (name.localname, key, value) not in QUIET and etree.QName(key).namespace is None
        }
        if name.localname == "definitions":
            attributes = set()
        held = next((one.get("id") for one in element.iterancestors() if one.get("id")), None)
        text = " ".join((element.text or "").split())
        found[(name.localname, held, frozenset(attributes), text)] += 1
    return found


def codes(xml: bytes) -> list[tuple[str, str]]:
    """Give the findings of a file by code and element."""
    return sorted((finding.code, finding.element) for finding in lint_path(xml, resources=Resources(), known=None))
