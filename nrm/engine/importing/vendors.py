"""Take out what other tools wrote for themselves; what we have a word for is said in ours first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from lxml import etree

from nrm.engine.durations import parse_duration
from nrm.engine.importing.changes import Changes
from nrm.engine.lint.diagram import VALUE_NAME
from nrm.engine.lint.words import EXTENSIONS, QUIET_VENDORS
from nrm.engine.reading import BPMN, BPMNDI, DC, DI, NRM, XML, XSI, local_name, namespace

_OURS: Final = frozenset({BPMN, BPMNDI, DC, DI, NRM})
_FORMS: Final = frozenset({"formKey", "formRef", "formId"})
_ROLES: Final = frozenset({"candidateGroups"})
_DUE: Final = frozenset({"dueDate"})
_TABLES: Final = frozenset({"decisionRef", "decisionId"})
_LISTS: Final = ("collection", "inputCollection")
_ITEMS: Final = ("elementVariable", "inputElement")
_WORDS: Final = (
    (_FORMS, "form", "key"),
    (_ROLES, "desk", "role"),
    (_DUE, "due", "time"),
    (_TABLES, "table", "key"),
)
MOST_SIGNS: Final = 60
"""How long the list of what was left out may be; the count beside it tells of all."""


def drop_vendors(root: etree._Element, changes: Changes) -> None:
    """Take out every element and attribute that is neither BPMN, nor its drawing, nor our own.

    Forms, groups of people and due times of other engines are kept under our own words; called processes too.
    """
    for element in list(root.iter(f"{{{BPMN}}}*")):
        _take_over(element, changes)
    lost: dict[etree._Element, dict[str, Counter[str]]] = {}
    for element in [each for each in root.iter(etree.Element) if _is_foreign(each)]:
        parent = element.getparent()
        if parent is None or _is_foreign(parent):
            continue
        _note(lost, _owner(parent), namespace(element), local_name(element))
        element.tail = None
        parent.remove(element)
    for element in list(root.iter(etree.Element)):
        for name in [str(name) for name in element.attrib if _is_foreign_attribute(str(name))]:
            _note(lost, _owner(element), etree.QName(name).namespace or "", etree.QName(name).localname)
            del element.attrib[name]
    for owner, found in lost.items():
        for where, names in sorted(found.items()):
            changes.add(owner, "import_vendor", namespace=where or "-", count=names.total(), names=_first(names))
    _drop_empty(root)


def _note(lost: dict[etree._Element, dict[str, Counter[str]]], owner: etree._Element, where: str, name: str) -> None:
    lost.setdefault(owner, {}).setdefault(where, Counter())[name] += 1


def _first(names: Counter[str]) -> str:
    """Give as many of the names as a text has room for."""
    there = sorted(names)
    while len(there) > 1 and len(", ".join(there)) > MOST_SIGNS:
        there.pop()
    return ", ".join(there)


def _owner(element: etree._Element) -> etree._Element:
    """Give the element of the diagram to which a note belongs."""
    at = element
    while at.get("id") is None:
        parent = at.getparent()
        if parent is None:
            break
        at = parent
    return at


def _is_foreign(element: etree._Element) -> bool:
    """Tell whether an element stands where it may not, or says what only another tool understands."""
    where, parent = namespace(element), element.getparent()
    inside = parent is not None and parent.tag == f"{{{BPMN}}}extensionElements"
    if where == NRM:
        return not inside and (parent is None or namespace(parent) != NRM)
    if where in QUIET_VENDORS:
        return not inside
    if where == DI and local_name(element) == "extension":
        return True
    return where not in _OURS


def _is_foreign_attribute(name: str) -> bool:
    where = etree.QName(name).namespace or ""
    return bool(where) and where not in {XSI, XML} and where not in QUIET_VENDORS


def _drop_empty(root: etree._Element) -> None:
    for holder in list(root.iter(f"{{{BPMN}}}extensionElements")):
        parent = holder.getparent()
        if len(holder) == 0 and parent is not None:
            parent.remove(holder)


def _take_over(element: etree._Element, changes: Changes) -> None:
    """Say in our own words what other engines say about people's work and about calls."""
    said = _said(element)
    name = local_name(element)
    for words, ours, attribute in _WORDS:
        value = next((said[word] for word in sorted(words) if said.get(word)), "")
        if ours == "due" and parse_duration(value) is None:
            continue
        if value and name in EXTENSIONS[ours][1] and "${" not in value and not value.startswith(("=", "#{")):
            first, *others = value.split(",")
            _extend(element, ours, {attribute: first.strip()})
            tell = changes.lost if others else changes.add
            tell(element, "import_taken_over", name=f"nrm:{ours}", value=value)
    called = said.get("processId", "")
    if name == "callActivity" and called and not element.get("calledElement"):
        element.set("calledElement", called)
        changes.add(element, "import_taken_over", name="calledElement", value=called)
    for marker in element.findall(f"{{{BPMN}}}multiInstanceLoopCharacteristics"):
        _take_list(element, marker, changes)


def _take_list(element: etree._Element, marker: etree._Element, changes: Changes) -> None:
    """Say in our own words over which list another engine repeats a step."""
    said = _said(marker)
    values = next((said[word] for word in _LISTS if said.get(word)), "").strip()
    bare = re.sub(r"^=\s*|^[$#]\{\s*|\s*\}$", "", values)
    item = next((said[word] for word in _ITEMS if said.get(word)), "").strip()
    if VALUE_NAME.fullmatch(bare) and local_name(element) in EXTENSIONS["multi"][1]:
        _extend(element, "multi", {"list": bare} | ({"item": item} if VALUE_NAME.fullmatch(item) else {}))
        changes.add(element, "import_taken_over", name="nrm:multi", value=values)


def _said(element: etree._Element) -> dict[str, str]:
    """Give the attributes that other engines put on an element, or on the notes directly inside it."""
    said = {etree.QName(str(key)).localname: str(value) for key, value in element.attrib.items() if "}" in str(key)}
    for holder in element.findall(f"{{{BPMN}}}extensionElements"):
        for note in holder.iter(etree.Element):
            if namespace(note) not in _OURS:
                said |= {str(key): str(value) for key, value in note.attrib.items() if "}" not in str(key)}
    return said


def _extend(element: etree._Element, name: str, attributes: Mapping[str, str]) -> None:
    holder = element.find(f"{{{BPMN}}}extensionElements")
    if holder is None:
        holder = etree.Element(f"{{{BPMN}}}extensionElements")
        place = 1 if len(element) and local_name(element[0]) == "documentation" else 0
        element.insert(place, holder)
    if holder.find(f"{{{NRM}}}{name}") is None:
        etree.SubElement(holder, f"{{{NRM}}}{name}", dict(attributes))
