"""Take out what other tools wrote for themselves; what we have a word for is said in ours first."""

from __future__ import annotations

from collections import Counter
from typing import Final

from lxml import etree

from nrm.engine.durations import parse_duration
from nrm.engine.importing.changes import Changes
from nrm.engine.lint.words import EXTENSIONS, QUIET_VENDORS
from nrm.engine.reading import BPMN, BPMNDI, DC, DI, NRM, XML, XSI, local_name, namespace

_OURS: Final = frozenset({BPMN, BPMNDI, DC, DI, NRM})
_FORMS: Final = frozenset({"formKey", "formRef", "formId"})
_ROLES: Final = frozenset({"candidateGroups"})
_DUE: Final = frozenset({"dueDate"})


def drop_vendors(root: etree._Element, changes: Changes) -> None:
    """Take out every element and attribute that is neither BPMN, nor its drawing, nor our own.

    Forms, groups of people and due times of other engines are kept under our own words; called processes too.
    """
    for element in list(root.iter(f"{{{BPMN}}}*")):
        _take_over(element, changes)
    lost: dict[etree._Element, Counter[str]] = {}
    for element in [each for each in root.iter(etree.Element) if _is_foreign(each)]:
        parent = element.getparent()
        if parent is None or _is_foreign(parent):
            continue
        lost.setdefault(_owner(parent), Counter())[namespace(element)] += 1
        element.tail = None
        parent.remove(element)
    for element in list(root.iter(etree.Element)):
        for name in [str(name) for name in element.attrib if _is_foreign_attribute(str(name))]:
            lost.setdefault(_owner(element), Counter())[etree.QName(name).namespace or ""] += 1
            del element.attrib[name]
    for owner, found in lost.items():
        for name, count in sorted(found.items()):
            changes.add(owner, "import_vendor", namespace=name or "-", count=count)
    _drop_empty(root)


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
    for words, ours, attribute in ((_FORMS, "form", "key"), (_ROLES, "desk", "role"), (_DUE, "due", "time")):
        value = next((said[word] for word in sorted(words) if said.get(word)), "")
        if ours == "due" and parse_duration(value) is None:
            continue
        if value and name in EXTENSIONS[ours][1] and "${" not in value and not value.startswith(("=", "#{")):
            _extend(element, ours, attribute, value.split(",")[0].strip())
            changes.add(element, "import_taken_over", name=f"nrm:{ours}", value=value)
    called = said.get("processId", "")
    if name == "callActivity" and called and not element.get("calledElement"):
        element.set("calledElement", called)
        changes.add(element, "import_taken_over", name="calledElement", value=called)


def _said(element: etree._Element) -> dict[str, str]:
    """Give the attributes that other engines put on an element, or on the notes directly inside it."""
    said = {etree.QName(str(key)).localname: str(value) for key, value in element.attrib.items() if "}" in str(key)}
    for holder in element.findall(f"{{{BPMN}}}extensionElements"):
        for note in holder.iter(etree.Element):
            if namespace(note) not in _OURS:
                said |= {str(key): str(value) for key, value in note.attrib.items() if "}" not in str(key)}
    return said


def _extend(element: etree._Element, name: str, attribute: str, value: str) -> None:
    holder = element.find(f"{{{BPMN}}}extensionElements")
    if holder is None:
        holder = etree.Element(f"{{{BPMN}}}extensionElements")
        place = 1 if len(element) and local_name(element[0]) == "documentation" else 0
        element.insert(place, holder)
    if holder.find(f"{{{NRM}}}{name}") is None:
        etree.SubElement(holder, f"{{{NRM}}}{name}").set(attribute, value)
