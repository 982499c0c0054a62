"""Give every element an id that is plain and its own, and lead every reference to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from nrm.engine.importing.changes import Changes
from nrm.engine.reading import BPMN, FLOW_NODES, PLAIN_ID, local_name, namespace

_NEED: Final = FLOW_NODES | {
    "process", "choreography", "sequenceFlow", "message", "error", "escalation", "signal", "participant", "lane",
    "messageFlow", "textAnnotation", "association", "group", "collaboration",
}  # fmt: skip
_REFERENCES: Final = frozenset(
    {
        "sourceRef", "targetRef", "default", "attachedToRef", "processRef", "bpmnElement", "messageRef", "errorRef",
        "signalRef", "escalationRef", "categoryValueRef", "dataStoreRef", "dataObjectRef", "activityRef",
        "calledElement", "participantRef", "initiatingParticipantRef", "choreographyRef", "itemSubjectRef",
        "calledChoreographyRef", "definitionalCollaborationRef", "operationRef",
    }
)  # fmt: skip
_REFERRING: Final = frozenset(
    {"incoming", "outgoing", "flowNodeRef", "sourceRef", "targetRef", "eventDefinitionRef", "participantRef"}
    | {"messageFlowRef", "loopDataInputRef", "source", "target"}
)
_LONGEST: Final = 50


def mend_ids(root: etree._Element, changes: Changes) -> None:
    """Give ids where they are missing, and others where they are not plain or stand twice; follow all references."""
    names = _Names(root)
    renamed: dict[str, str] = {}
    for element in _in_turn(root):
        _mend(element, names, renamed, changes)
    for element in root.iter(etree.Element):
        for attribute in _REFERENCES & {str(name) for name in element.attrib}:
            element.set(attribute, names.meant(element.get(attribute, ""), renamed))
        if namespace(element) == BPMN and local_name(element) in _REFERRING and element.text:
            element.text = names.meant(element.text, renamed)


def rename(root: etree._Element, old: str, new: str) -> None:
    """Give an element another id, and lead its references there."""
    for element in root.iter(etree.Element):
        for attribute in (_REFERENCES - {"calledElement"}) | {"id"}:
            if element.get(attribute) == old:
                element.set(attribute, new)
        if namespace(element) == BPMN and local_name(element) in _REFERRING and (element.text or "").strip() == old:
            element.text = new


def fresh_id(root: etree._Element, wish: str) -> str:
    """Give an id like the wish that nothing in the file has."""
    return _Names(root).fresh(wish)


def _in_turn(root: etree._Element) -> Iterator[etree._Element]:
    """Give the elements of the diagram before those of its drawing: the drawing gives way."""
    drawing = []
    for element in root.iter(etree.Element):
        if namespace(element) == BPMN:
            yield element
        else:
            drawing.append(element)
    yield from drawing


def _mend(element: etree._Element, names: _Names, renamed: dict[str, str], changes: Changes) -> None:
    old = element.get("id")
    ours = namespace(element) == BPMN
    if old is None or not old.strip():
        if ours and local_name(element) in _NEED:
            element.set("id", names.take(names.fresh(local_name(element))))
            changes.add(element, "import_id_given", name=local_name(element))
        elif old is not None:
            del element.attrib["id"]
        return
    plain = old.strip()
    if PLAIN_ID.fullmatch(plain) and plain not in names.taken:
        element.set("id", names.take(plain))
        return
    repeated = plain in names.taken or plain in renamed
    new = names.take(names.fresh(plain if PLAIN_ID.match(plain) else f"{local_name(element)}_{plain}"))
    element.set("id", new)
    if not repeated:
        renamed[plain] = new
    if ours:
        changes.add(element, "import_id_repeated" if repeated else "import_new_id", id=plain)


class _Names:
    """The ids of a file."""

    def __init__(self, root: etree._Element) -> None:
        self.taken: set[str] = set()
        self.there = {(element.get("id") or "").strip() for element in root.iter(etree.Element)}

    def take(self, name: str) -> str:
        self.taken.add(name)
        return name

    def fresh(self, wish: str) -> str:
        base = re.sub(r"[^A-Za-z0-9_.-]+", "_", wish).strip("_")[:_LONGEST] or "element"
        base = base if re.match(r"[A-Za-z_]", base) else f"_{base}"
        number, name = 1, base
        while name in self.there or name in self.taken:
            number += 1
            name = f"{base}_{number}"
        return name

    def meant(self, text: str, renamed: dict[str, str]) -> str:
        """Give the id that a reference means: renamed, or without the prefix of a qualified name."""
        plain = text.strip()
        if plain in renamed:
            return renamed[plain]
        _, colon, rest = plain.partition(":")
        if colon and plain not in self.there and (rest in self.there or rest in renamed):
            return renamed.get(rest, rest)
        return plain
