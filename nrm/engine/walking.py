"""A diagram as one reads it aloud: its steps in the order in which they follow each other, and where each leads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from nrm.engine.reading import BPMN, FLOW_NODES, NRM, local_name, processes, read_diagram

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStep:
    """A step as it is read.

    Attributes:
        id: its id.
        kind: BPMN's word for it ("userTask").
        names: its name in each language; empty for none.
        instruction: what to know before, in each language.
        desk: name of the lane that it stands in.
        inside: id of the part of the path that it belongs to; "" for none.
        beside: id of the step on whose border it waits; "" for none.
        leads: name of each flow that leads on, and id of the step that it leads to.
    """

    id: str
    kind: str
    names: Names
    instruction: Names
    desk: Names
    inside: str
    beside: str
    leads: tuple[tuple[Names, str], ...]


def walk_diagram(xml: bytes) -> tuple[ReadStep, ...]:
    """Give the steps of a path in the order of its flows, the steps of a part right after it.

    What no flow leads to comes last, in the order of the file.

    Raises:
        BadPath: it cannot be read.
    """
    process = processes(read_diagram(xml))[0]
    lanes = {
        (reference.text or "").strip(): _texts(lane, "name")
        for lane in process.iter(f"{{{BPMN}}}lane")
        for reference in lane.findall(f"{{{BPMN}}}flowNodeRef")
    }
    return tuple(_scope(process, "", lanes))


def _scope(scope: etree._Element, inside: str, lanes: Mapping[str, Names]) -> Iterator[ReadStep]:
    """Read the steps of a path or of a part of it."""
    steps = {step.get("id", ""): step for step in scope if local_name(step) in FLOW_NODES}
    leads: dict[str, list[tuple[Names, str]]] = {}
    for flow in scope.findall(f"{{{BPMN}}}sequenceFlow"):
        if flow.get("targetRef", "") in steps:
            leads.setdefault(flow.get("sourceRef", ""), []).append((_texts(flow, "name"), flow.get("targetRef", "")))
    for name in _order(steps, leads):
        step = steps[name]
        yield ReadStep(
            id=name,
            kind=local_name(step),
            names=_texts(step, "name"),
            instruction=_texts(step, "instruction"),
            desk=lanes.get(name, {}),
            inside=inside,
            beside=step.get("attachedToRef", ""),
            leads=tuple(leads.get(name, ())),
        )
        if local_name(step) == "subProcess":
            yield from _scope(step, name, lanes)


def _order(steps: Mapping[str, etree._Element], leads: Mapping[str, list[tuple[Names, str]]]) -> Iterator[str]:
    """Go along the flows from the starts; a border's event follows its step."""
    borders: dict[str, list[str]] = {}
    for name, step in steps.items():
        borders.setdefault(step.get("attachedToRef", ""), []).append(name)
    starts = [name for name, step in steps.items() if local_name(step) == "startEvent"]
    seen: set[str] = set()
    for first in [*starts, *steps]:
        ahead = deque([first])
        while ahead:
            name = ahead.popleft()
            if name in seen:
                continue
            seen.add(name)
            yield name
            ahead.extend(target for _, target in leads.get(name, ()))
            ahead.extend(borders.get(name, ()))


def _texts(element: etree._Element, kind: str) -> dict[str, str]:
    """Give a text in each language; BPMN's own name counts as English."""
    label = " ".join((element.get("name") or "").split()) if kind == "name" else ""
    found = {"en": label} if label else {}
    for extension in element.findall(f"{{{BPMN}}}extensionElements"):
        for text in extension.findall(f"{{{NRM}}}text"):
            if text.get("kind", "name") == kind and (said := " ".join((text.text or "").split())):
                found[text.get("lang", "en")] = said
    return found
