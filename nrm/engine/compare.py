"""What differs between two diagrams of a path: elements, everything that they say, and apart from it the drawing.

Elements are told apart by their ids, as every editor keeps them. What an element says is taken apart into single
facts (its condition, the role of its desk, its name in one language), so that a change is one fact before and after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from nrm.engine.reading import BPMN, BPMNDI, DC, DI, NRM, local_name, processes, read_diagram

Facts = Mapping[str, str]

_REFERENCES: Final = frozenset({"messageRef", "errorRef", "escalationRef", "signalRef"})
_CODES: Final = ("name", "errorCode", "escalationCode")
_PLAIN: Final[Mapping[str, str]] = {
    "sourceRef": "source",
    "targetRef": "target",
    "default": "default",
    "attachedToRef": "host",
    "cancelActivity": "interrupting",
    "calledElement": "called",
    "isSequential": "sequential",
}
"""Attributes that mean something, and what a change of them is called."""
_IGNORED: Final = frozenset(
    {
        "id", "isExecutable", "processRef", "exporter", "exporterVersion", "targetNamespace", "gatewayDirection",
        "triggeredByEvent", "isCollection", "implementation", "startQuantity", "completionQuantity",
        "isForCompensation", "isInterrupting", "processType", "isClosed", "operationRef", "parallelMultiple",
    }
)  # fmt: skip
_TIMERS: Final = ("timeDuration", "timeDate", "timeCycle")
_DEFAULTS: Final[Mapping[str, str]] = {"interrupting": "true", "sequential": "false"}
_SKIPPED: Final = frozenset(
    {"incoming", "outgoing", "extensionElements", "laneSet", "flowNodeRef", "definitions", "collaboration"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One fact of one element that differs.

    Attributes:
        element: id of the element.
        kind: its BPMN name ("userTask").
        what: what differs ("condition", "desk.role", "name").
        detail: more of it: a language, the name of a parameter; "" for none.
        before: what it was; None when it was nothing.
        after: what it is; None when it is nothing.
    """

    element: str
    kind: str
    what: str
    detail: str = ""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element that was added or removed.

    Attributes:
        names: its name in each language.
    """

    id: str
    kind: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How a diagram differs from an earlier one.

    Attributes:
        added: elements that only the later one has.
        removed: elements that only the earlier one has.
        changed: facts that differ, of elements that both have, in the order of the later file.
        layout_only: ids of elements that only look different.
        names: name of each element in each language, the later file's first.
    """

    added: tuple[Element, ...]
    removed: tuple[Element, ...]
    changed: tuple[Difference, ...]
    layout_only: tuple[str, ...]
    names: Mapping[str, Mapping[str, str]]

    @property
    def touched(self) -> frozenset[str]:
        """Ids of all elements that say something else."""
        return frozenset([each.id for each in (*self.added, *self.removed)] + [each.element for each in self.changed])


def compare_diagrams(before: bytes, after: bytes) -> Compared:
    """Compare two diagrams.

    Args:
        before: the earlier file.
        after: the later file.

    Raises:
        BadPath: one of them cannot be read.
    """
    old, new = _Side(before), _Side(after)
    changed = tuple(
        difference
        for element, facts in new.facts.items()
        if element in old.facts
        for difference in _differences(element, new.kinds[element], old.facts[element], facts)
    )
    told = {each.element for each in changed}
    both = new.facts.keys() & old.facts.keys()
    return Compared(
        added=tuple(new.element(each) for each in new.facts if each not in old.facts),
        removed=tuple(old.element(each) for each in old.facts if each not in new.facts),
        changed=changed,
        layout_only=tuple(
            each for each in new.facts if each in both - told and old.shapes.get(each) != new.shapes.get(each)
        ),
        names={**old.names, **new.names},
    )


def _differences(element: str, kind: str, old: Facts, new: Facts) -> Iterator[Difference]:
    for key in dict.fromkeys([*new, *old]):
        before, after = old.get(key), new.get(key)
        if before != after:
            what, _, detail = key.partition("/")
            yield Difference(element=element, kind=kind, what=what, detail=detail, before=before, after=after)


class _Side:
    """One of the two diagrams, taken apart."""

    def __init__(self, xml: bytes) -> None:
        root = read_diagram(xml)
        process = processes(root)[0]
        self.referred = {
            element.get("id", ""): next((element.get(code, "") for code in reversed(_CODES) if element.get(code)), "")
            for element in root
            if isinstance(element.tag, str)
        }
        self.correlations = {
            message.get("id", ""): correlation.get("key", "run")
            for message in root.findall(f"{{{BPMN}}}message")
            for correlation in message.iter(f"{{{NRM}}}correlation")
        }
        self.lanes = {
            (reference.text or "").strip(): lane.get("id", "")
            for lane in process.iter(f"{{{BPMN}}}lane")
            for reference in lane.findall(f"{{{BPMN}}}flowNodeRef")
        }
        self.facts: dict[str, dict[str, str]] = {}
        self.kinds: dict[str, str] = {}
        self.names: dict[str, dict[str, str]] = {}
        for element in (process, *process.iterdescendants(f"{{{BPMN}}}*")):
            if element.get("id") and _stands_for_itself(element):
                self._take(element)
        self.shapes = _shapes(root)

    def element(self, element_id: str) -> Element:
        """Give an element as added or removed."""
        return Element(id=element_id, kind=self.kinds[element_id], names=self.names[element_id])

    def _take(self, element: etree._Element) -> None:
        element_id = element.get("id", "")
        facts = dict(self._facts(element))
        self.facts[element_id] = facts
        self.kinds[element_id] = local_name(element)
        names = {key.removeprefix("name/"): text for key, text in facts.items() if key.startswith("name/")}
        self.names[element_id] = names

    def _facts(self, element: etree._Element) -> Iterator[tuple[str, str]]:
        yield "kind", local_name(element)
        yield from _names(element)
        for name, value in element.attrib.items():
            text = str(value).strip()
            what = _PLAIN.get(str(name))
            if what is not None and text != _DEFAULTS.get(what):
                yield what, text
            elif what is None and name != "name" and name not in _IGNORED:
                yield f"other/{etree.QName(str(name)).localname}", text
        parent = element.getparent()
        if parent is not None and local_name(parent) == "subProcess":
            yield "scope", parent.get("id", "")
        if element.get("id", "") in self.lanes:
            yield "lane", self.lanes[element.get("id", "")]
        yield from _own_words(element)
        for child in element.iterchildren(f"{{{BPMN}}}*"):
            yield from self._part(child)

    def _part(self, child: etree._Element) -> Iterator[tuple[str, str]]:
        """Give the facts of what stands inside an element and is no element of its own."""
        name = local_name(child)
        if name in _SKIPPED or (child.get("id") and _stands_for_itself(child)):
            return
        if name == "conditionExpression":
            yield "condition", _text(child)
        elif name == "documentation":
            yield "documentation", _text(child)
        elif name.endswith("EventDefinition"):
            yield "event", name.removesuffix("EventDefinition")
            yield from self._event(child)
        elif name == "multiInstanceLoopCharacteristics":
            yield "rounds", "sequential" if child.get("isSequential") == "true" else "parallel"
            yield from _own_words(child)
        else:
            yield f"other/{name}", _text(child) or "…"

    def _event(self, definition: etree._Element) -> Iterator[tuple[str, str]]:
        for reference in _REFERENCES & {str(name) for name in definition.attrib}:
            target = definition.get(reference, "")
            yield reference.removesuffix("Ref"), self.referred.get(target) or target
            if target in self.correlations:
                yield "correlation", self.correlations[target]
        for timer in _TIMERS:
            for found in definition.findall(f"{{{BPMN}}}{timer}"):
                yield f"timer/{timer.removeprefix('time').lower()}", _text(found)


def _stands_for_itself(element: etree._Element) -> bool:
    """Say whether an element is one that people see, and no part of another one."""
    name = local_name(element)
    inner = ("EventDefinition", "Expression", "Characteristics", "Specification", "Set", "Association")
    return not name.endswith(inner) and name not in {*_TIMERS, "documentation", "condition"}


def _names(element: etree._Element) -> Iterator[tuple[str, str]]:
    label = (element.get("name") or "").strip()
    texts = {
        (text.get("kind", "name"), text.get("lang", "")): " ".join((text.text or "").split())
        for extension in element.findall(f"{{{BPMN}}}extensionElements")
        for text in extension.findall(f"{{{NRM}}}text")
    }
    if label:
        texts.setdefault(("name", "en"), label)
    for (kind, language), text in texts.items():
        yield f"{kind}/{language}", text


def _own_words(element: etree._Element) -> Iterator[tuple[str, str]]:
    """Give what our own words in an element say: one fact for each attribute, named entries by their name."""
    for extension in element.findall(f"{{{BPMN}}}extensionElements"):
        for word in extension.iterchildren(f"{{{NRM}}}*"):
            yield from _word(word)


def _word(word: etree._Element) -> Iterator[tuple[str, str]]:
    name = local_name(word)
    if name == "text":
        return
    if name in {"pass", "take"}:
        yield f"{name}/{word.get('name', '')}", word.get("from", "")
    elif name == "leave":
        yield f"leave/{word.get('message', '')}", word.get("to", "")
    else:
        for attribute, value in word.attrib.items():
            yield f"{name}.{attribute}", str(value)
    for param in word.iterchildren(f"{{{NRM}}}param"):
        yield f"param/{param.get('name', '')}", param.get("value", "")


def _text(element: etree._Element) -> str:
    return " ".join("".join(str(part) for part in element.itertext()).split())


def _shapes(root: etree._Element) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Give where each element is drawn."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for drawn in root.iter(f"{{{BPMNDI}}}BPMNShape", f"{{{BPMNDI}}}BPMNEdge"):
        places = [*drawn.findall(f"{{{DC}}}Bounds"), *drawn.findall(f"{{{DI}}}waypoint")]
        found[drawn.get("bpmnElement", "")] = tuple(
            tuple(_number(place.get(name, "")) for name in ("x", "y", "width", "height")) for place in places
        )
    return found


def _number(text: str) -> str:
    """Write a number as every tool would: "100.0" is "100"."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def forms_named(xml: bytes) -> frozenset[str]:
    """Give the keys of the forms that a diagram names.

    Raises:
        BadPath: it cannot be read.
    """
    return frozenset(key for form in read_diagram(xml).iter(f"{{{NRM}}}form") if (key := form.get("key")))
