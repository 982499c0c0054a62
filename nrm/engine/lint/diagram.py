"""A diagram as lint sees it: steps, flows and scopes, built so that no mistake in the file can stop the building."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from nrm.engine.findings import Finding, Severity
from nrm.engine.lint.known import Known
from nrm.engine.reading import BPMN, FLOW_NODES, NRM, local_name, namespace, printable, processes
from nrm.engine.steps import Resources

VALUE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
"""What a decision value may be called."""

WAITING = frozenset({"userTask", "manualTask", "receiveTask", "intermediateCatchEvent"})
"""Steps at which a run always stops until somebody or something answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step: its id, BPMN element name, XML element, and the id of the process or sub-process that holds it."""

    id: str
    tag: str
    element: etree._Element
    scope: str
    events: tuple[str, ...] = ()
    host: str | None = None

    @property
    def event(self) -> str:
        """The kind of its event definition ("message", "timer", …), "none" without one."""
        return self.events[0] if self.events else "none"

    @property
    def interrupting(self) -> bool:
        """Whether a boundary event takes the token away from its host."""
        return self.element.get("cancelActivity", "true").strip() != "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One arrow between two steps of one scope; `condition` is None without one."""

    id: str
    source: str
    target: str
    element: etree._Element
    condition: str | None = None


@dataclass(slots=True, kw_only=True)
class Diagram:
    """The one process of a file."""

    root: etree._Element
    process: etree._Element
    key: str
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    incoming: dict[str, list[Flow]] = field(default_factory=dict)
    outgoing: dict[str, list[Flow]] = field(default_factory=dict)
    boundaries: dict[str, list[Node]] = field(default_factory=dict)
    scopes: dict[str, list[Node]] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)

    def into(self, node: str) -> list[Flow]:
        """Give the flows that lead to a step."""
        return self.incoming.get(node, [])

    def out_of(self, node: str) -> list[Flow]:
        """Give the flows that leave a step."""
        return self.outgoing.get(node, [])

    def of(self, *tags: str) -> Iterator[Node]:
        """Give the steps with one of these BPMN element names."""
        return (node for node in self.nodes.values() if node.tag in tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What the diagram is checked against; `known` is None when only the diagram itself is to be checked."""

    resources: Resources
    known: Known | None


def found(element: etree._Element, code: str, severity: Severity = Severity.ERROR, /, **params: str | int) -> Finding:
    """Build a finding at an element, or at the nearest one around it that has an id."""
    at: etree._Element | None = element
    while at is not None and not at.get("id"):
        at = at.getparent()
    clean = {name: printable(value) if isinstance(value, str) else value for name, value in params.items()}
    line = int(element.sourceline) if element.sourceline else None
    identity = "" if at is None else at.get("id") or ""
    return Finding(code=code, element=identity, severity=severity, params=clean, line=line)


def warn(element: etree._Element, code: str, /, **params: str | int) -> Finding:
    """Build a finding that asks rather than stops."""
    return found(element, code, Severity.WARNING, **params)


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """Give the direct BPMN children of one name."""
    return element.findall(f"{{{BPMN}}}{name}")


def extensions(element: etree._Element, name: str) -> list[etree._Element]:
    """Give our own extension elements of one name on an element."""
    return element.findall(f"{{{BPMN}}}extensionElements/{{{NRM}}}{name}")


def extension(element: etree._Element, name: str) -> Mapping[str, str] | None:
    """Give the attributes of our extension element of this name, None without one."""
    first = next(iter(extensions(element, name)), None)
    return None if first is None else {str(key): str(value).strip() for key, value in first.attrib.items()}


def definition(root: etree._Element, name: str, identity: str | None) -> etree._Element | None:
    """Give the definition (message, error, …) of this id at the top of the file, None when there is none."""
    if not identity:
        return None
    return next((element for element in children(root, name) if element.get("id") == identity), None)


def build(root: etree._Element) -> Diagram:
    """Build the diagram of a tree that `read_diagram` gave."""
    process = processes(root)[0]
    diagram = Diagram(root=root, process=process, key=process.get("id") or "")
    diagram.scopes[diagram.key] = []
    _add_nodes(diagram, process, diagram.key)
    for element in process.iter(f"{{{BPMN}}}sequenceFlow"):
        _add_flow(diagram, element)
    return diagram


def _add_nodes(diagram: Diagram, holder: etree._Element, scope: str) -> None:
    for element in holder:
        if namespace(element) != BPMN or local_name(element) not in FLOW_NODES:
            continue
        identity = element.get("id")
        if not identity:
            diagram.problems.append(found(element, "step_without_id", name=local_name(element)))
            continue
        node = Node(
            id=identity,
            tag=local_name(element),
            element=element,
            scope=scope,
            events=tuple(_event_kinds(element)),
            host=element.get("attachedToRef"),
        )
        diagram.nodes[identity] = node
        diagram.scopes[scope].append(node)
        if node.host:
            diagram.boundaries.setdefault(node.host, []).append(node)
        if node.tag in {"subProcess", "transaction", "adHocSubProcess"}:
            diagram.scopes[identity] = []
            _add_nodes(diagram, element, identity)


def _event_kinds(element: etree._Element) -> Iterator[str]:
    for child in element:
        name = local_name(child)
        if namespace(child) == BPMN and name.endswith("EventDefinition"):
            yield name.removesuffix("EventDefinition")


def _add_flow(diagram: Diagram, element: etree._Element) -> None:
    identity, source, target = element.get("id"), element.get("sourceRef"), element.get("targetRef")
    if not identity:
        diagram.problems.append(found(element, "flow_without_id"))
        return
    if source not in diagram.nodes or target not in diagram.nodes:
        diagram.problems.append(found(element, "flow_to_nothing", source=source or "?", target=target or "?"))
        return
    holder = element.getparent()
    scope = None if holder is None else holder.get("id")
    if not diagram.nodes[source].scope == diagram.nodes[target].scope == scope:
        diagram.problems.append(found(element, "flow_crosses_subprocess", source=source, target=target))
        return
    condition = next(iter(children(element, "conditionExpression")), None)
    text = None if condition is None else "".join(str(part) for part in condition.itertext()).strip()
    flow = Flow(id=identity, source=source, target=target, element=element, condition=text)
    diagram.flows[identity] = flow
    diagram.outgoing.setdefault(source, []).append(flow)
    diagram.incoming.setdefault(target, []).append(flow)
