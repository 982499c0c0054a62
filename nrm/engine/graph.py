"""The boxes and flows of one path, made by SpiffWorkflow's parser with our own classes.

The parser's own handling of loops, boundary events, conditions, scripts, data objects and extensions is replaced: it
rewrites the diagram in ways that lose what we need, and some of it never ends. What reaches it has been refused or
approved by `nrm.engine.refusals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag

from nrm.engine.boxes import Activity, Body, Box, Exclusive, Scope, Start, SubProcess, Top, Way
from nrm.engine.conditions import Condition
from nrm.engine.durations import parse_duration
from nrm.engine.effects import Value
from nrm.engine.events import Boundary, Catch, Catching, End, EventGateway, Receive, Throw
from nrm.engine.extensions import Facts, Wiring
from nrm.engine.joins import Inclusive, Joining, Parallel
from nrm.engine.steps import Resources, Step, StepKind
from nrm.engine.tables import Table
from nrm.engine.values import checked
from nrm.engine.work import CallRun, Check, Decision, Human

BOXES: Final[Mapping[str, type[Box]]] = {
    "userTask": Human,
    "manualTask": Human,
    "serviceTask": Check,
    "sendTask": Check,
    "businessRuleTask": Decision,
    "callActivity": CallRun,
    "subProcess": SubProcess,
    "exclusiveGateway": Exclusive,
    "parallelGateway": Parallel,
    "inclusiveGateway": Inclusive,
    "eventBasedGateway": EventGateway,
    "startEvent": Start,
    "endEvent": End,
    "intermediateCatchEvent": Catch,
    "receiveTask": Receive,
    "intermediateThrowEvent": Throw,
    "boundaryEvent": Boundary,
}


class Graph:
    """The boxes of a path, wired; read-only after it is made, shared between threads.

    Attributes:
        key: the path's key.
        top: the scope of the whole run.
        boxes: box name → box; a round of a multi-instance step is named "id [child]".
        decisions: the value names that may enter the state.
        has_inclusive_joins: whether tokens may wait at an inclusive gateway.
    """

    def __init__(self, key: str, top: Top, boxes: Mapping[str, Box], decisions: frozenset[str]) -> None:
        self.key = key
        self.top = top
        self.boxes = boxes
        self.decisions = decisions
        self.has_inclusive_joins = any(box.is_inclusive_join for box in boxes.values())

    def kept(self, values: Mapping[str, object], element: str) -> dict[str, Value]:
        """Give those of the values that the path reads, checked.

        Raises:
            StepFailed: `bad_value`.
        """
        return checked(values, keep=self.decisions, element=element)


class _StepParser(TaskParser):  # type: ignore[misc]
    """Makes the box of one element; flows are connected when all boxes are there."""

    def parse_node(self) -> Box:
        """Make the box, and the body around it when it is repeated over a list."""
        parser: PathParser = self.process_parser.parser
        step, wiring = parser.facts.steps[self.bpmn_id], parser.facts.wiring[self.bpmn_id]
        if step.multi is None:
            box: Box = self.spec_class(self.spec, step.id, step=step, wiring=wiring)
        else:
            inner: Activity = self.spec_class(self.spec, f"{step.id} [child]", step=step, wiring=wiring)
            parser.boxes[inner.name] = inner
            box = Body(self.spec, step.id, step=step, wiring=wiring, inner=inner)
        parser.boxes[box.name] = box
        inside = box.inner if isinstance(box, Body) else box
        if isinstance(inside, SubProcess):
            parser.create_parser(self.node)
            inside.scope = parser.get_spec(step.id)
            inside.start = inside.scope.start
        return box


class _ScopeParser(ProcessParser):  # type: ignore[misc]
    """Makes the boxes of one process or sub-process."""

    def create_spec(self) -> Scope:
        """Make an empty scope, without the library's own start and end."""
        return Scope(name=self.bpmn_id)

    def add_tasks(self) -> None:
        """Make the boxes one after another: depth does not grow with the length of the path."""
        for node in self.node:
            if node.tag in PathParser.OVERRIDE_PARSER_CLASSES:
                box = self.parse_node(node)
                if isinstance(box, Start):
                    self.spec.start = box


class PathParser(BpmnParser):  # type: ignore[misc]
    """SpiffWorkflow's parser with our classes for every element that can run, and for no other."""

    PARSER_CLASSES: Final[dict[str, object]] = {}
    OVERRIDE_PARSER_CLASSES: Final = {full_tag(name): (_StepParser, box) for name, box in BOXES.items()}
    PROCESS_PARSER_CLASS = _ScopeParser

    def __init__(self, facts: Facts) -> None:
        """Parse with the facts of the same diagram at hand."""
        super().__init__()
        self.facts = facts
        self.boxes: dict[str, Box] = {}


def build_graph(
    process: etree._Element,
    facts: Facts,
    *,
    conditions: Mapping[str, Condition],
    tables: Mapping[str, Table],
    resources: Resources,
    decisions: frozenset[str],
) -> Graph:
    """Make the boxes of a process and wire them.

    Args:
        process: the `bpmn:process` element.
        facts: what it says, approved by `nrm.engine.refusals`.
        conditions: parsed expressions by where they stand: flow id, `step id`, or `step id/parameter`.
        tables: decision tables by key.
        resources: the pack's call tables.
        decisions: the value names that may enter the state.
    """
    parser = PathParser(facts)
    parser.create_parser(process)
    scope: Scope = parser.get_spec(facts.key)
    top = Top(scope, "#run", step=Step(id="", kind=StepKind.SUBPROCESS), wiring=Wiring())
    top.scope, top.start = scope, scope.start
    boxes = parser.boxes | {top.name: top}
    _connect(facts, boxes, conditions)
    for box in boxes.values():
        _equip(box, conditions, tables, resources)
    _find_sources(boxes)
    return Graph(facts.key, top, boxes, decisions)


def _connect(facts: Facts, boxes: Mapping[str, Box], conditions: Mapping[str, Condition]) -> None:
    """Connect the boxes by the flows, and the boundary events with what they watch."""
    for flow in facts.flows:
        source, target = boxes[flow.source], boxes[flow.target]
        source.connect(target)
        way = Way(id=flow.id, target=target, condition=conditions.get(flow.id), default=flow.default)
        source.ways = (*source.ways, way)
        target.incoming = (*target.incoming, flow.id)
    for box in boxes.values():
        if isinstance(box, Boundary) and box.step.host is not None:
            host = boxes[box.step.host]
            host.boundaries = (*host.boundaries, box)


def _equip(box: Box, conditions: Mapping[str, Condition], tables: Mapping[str, Table], resources: Resources) -> None:
    """Give a box its parsed expressions, its timer, its table."""
    step = box.step
    if isinstance(box, Check):
        box.params = {name: conditions[f"{step.id}/{name}"] for name in step.params}
    elif isinstance(box, Decision):
        box.table = tables[step.table or ""]
    elif isinstance(box, CallRun):
        box.table = resources.call_tables.get(box.call.table or "", {})
    elif isinstance(box, Catching) and step.event == "timer":
        if box.wiring.timer_is_date:
            box.date = conditions[step.id]
        else:
            box.duration = parse_duration(box.wiring.timer or "")


def _find_sources(boxes: Mapping[str, Box]) -> None:
    """Find for each inclusive join from where a token may still come to each of its flows."""
    for box in boxes.values():
        if isinstance(box, Joining) and box.is_inclusive_join:
            box.sources = sources_of(box, boxes)


def sources_of(gateway: Box, boxes: Mapping[str, Box]) -> dict[str, frozenset[str]]:
    """Give, for each flow into a gateway, the steps from which a token may come along it without passing the gateway.

    Args:
        gateway: a box of the path.
        boxes: all its boxes, wired.
    """
    before: dict[str, set[str]] = {}
    flows: dict[str, str] = {}
    for box in boxes.values():
        for way in box.ways:
            flows[way.id] = box.step.id
            before.setdefault(way.target.step.id, set()).add(box.step.id)
        for boundary in box.boundaries:
            before.setdefault(boundary.step.id, set()).add(box.step.id)
    return {flow: _reaching(flows[flow], gateway.step.id, before) for flow in gateway.incoming}


def _reaching(step: str, gateway: str, before: Mapping[str, set[str]]) -> frozenset[str]:
    """Give the steps from which a step can be reached without passing the gateway."""
    found: set[str] = set()
    todo = [step]
    while todo:
        at = todo.pop()
        if at != gateway and at not in found:
            found.add(at)
            todo.extend(before.get(at, ()))
    return frozenset(found)
