"""What cannot run: the engine's own guarantee that nothing starts which would not mean what its drawing shows.

`nrm.engine.lint` tells an author much more, with the same codes; here stands only what the machine relies on.
An element that is not known to be right is refused, never skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from lxml import etree

from nrm.engine.durations import parse_duration
from nrm.engine.extensions import KINDS, Facts, Flow, event_definitions, own_all
from nrm.engine.findings import Finding
from nrm.engine.reading import BPMN, local_name, namespace, printable
from nrm.engine.steps import Resources, Step, StepKind
from nrm.engine.values import is_name

REFUSED: Final = {
    "task": "plain_task",
    "scriptTask": "script_task",
    "complexGateway": "complex_gateway",
    "transaction": "transaction",
    "adHocSubProcess": "ad_hoc",
    "dataObject": "data_object",
    "dataObjectReference": "data_object",
    "dataStore": "data_store",
    "dataStoreReference": "data_store",
    "dataInputAssociation": "data_mapping",
    "dataOutputAssociation": "data_mapping",
    "ioSpecification": "data_mapping",
    "property": "data_mapping",
    "compensateEventDefinition": "compensation",
    "linkEventDefinition": "link_event",
    "cancelEventDefinition": "cancel_event",
    "conditionalEventDefinition": "conditional_event",
    "eventDefinitionRef": "shared_event",
    "standardLoopCharacteristics": "loop_marker",
    "loopCardinality": "loop_cardinality",
    "completionCondition": "completion_condition",
    "loopDataOutputRef": "loop_output",
    "outputDataItem": "loop_output",
    "timeCycle": "timer_cycle",
    "resourceRole": "unknown_element",
}
"""BPMN elements that have a meaning which the engine does not give them → code of the finding."""

HARMLESS: Final = frozenset(
    {
        "documentation", "extensionElements", "laneSet", "childLaneSet", "lane", "flowNodeRef", "incoming", "outgoing",
        "sequenceFlow", "conditionExpression", "messageEventDefinition", "timerEventDefinition", "timeDuration",
        "timeDate", "signalEventDefinition", "errorEventDefinition", "escalationEventDefinition",
        "terminateEventDefinition", "multiInstanceLoopCharacteristics", "loopDataInputRef", "inputDataItem",
        "textAnnotation", "text", "association", "group",
    }
)  # fmt: skip
"""BPMN elements inside a process, beside its steps, that the engine reads or that only explain."""

_SCRIPTS: Final = frozenset({"script", "preScript", "postScript", "executionListener", "taskListener"})
_GATEWAYS: Final = frozenset({StepKind.EXCLUSIVE, StepKind.PARALLEL, StepKind.INCLUSIVE, StepKind.EVENT_GATEWAY})
_CHOOSING: Final = frozenset({StepKind.EXCLUSIVE, StepKind.INCLUSIVE})
_ACTIVITIES: Final = frozenset({StepKind.TASK, StepKind.CHECK, StepKind.TABLE, StepKind.CALL, StepKind.SUBPROCESS})
_EVENTS: Final = {
    StepKind.START: {"none"},
    StepKind.END: {"none", "message", "signal", "error", "escalation", "terminate"},
    StepKind.CATCH: {"message", "timer", "signal"},
    StepKind.THROW: {"none", "message", "signal", "escalation"},
    StepKind.BOUNDARY: {"message", "timer", "signal", "error", "escalation"},
}
"""The events that each kind of step may have."""


def refusals(process: etree._Element, facts: Facts, resources: Resources) -> Iterator[Finding]:
    """Give everything in a process that cannot run.

    Args:
        process: the `bpmn:process` element.
        facts: what `nrm.engine.extensions` read of it.
        resources: what the pack gives.
    """
    for element in process.iter(etree.Element):
        yield from _element(element, process)
    yield from _Scopes(facts).findings()
    for step in facts.steps.values():
        line = facts.wiring[step.id].line
        for code, params in _step(step, facts, resources):
            yield Finding(code=code, element=step.id, line=line, params=params)


Wrong = tuple[str, dict[str, str | int]]


def _element(element: etree._Element, process: etree._Element) -> Iterator[Finding]:
    """Refuse one element that is not known, or an attribute that changes its meaning."""
    name = local_name(element)
    at = next((holder.get("id", "") for holder in (element, *element.iterancestors()) if holder.get("id")), "")
    if name in _SCRIPTS:
        yield Finding(code="script_task", element=at, line=element.sourceline)
    if namespace(element) != BPMN or element is process:
        return
    if name in REFUSED:
        yield Finding(code=REFUSED[name], element=at, line=element.sourceline)
    elif name not in KINDS and name not in HARMLESS:
        yield Finding(code="unknown_element", element=at, line=element.sourceline, params={"name": printable(name)})
    if name in KINDS and not element.get("id"):
        yield Finding(code="step_without_id", element=at, line=element.sourceline)
    for attribute, allowed, code in _MEANINGS:
        if element.get(attribute, allowed).strip() != allowed:
            yield Finding(code=code, element=at, line=element.sourceline)
    for code in _oddities(element, name):
        yield Finding(code=code, element=at, line=element.sourceline)


def _oddities(element: etree._Element, name: str) -> Iterator[str]:
    """Give the codes of what would be read in another way than it is meant."""
    if len(event_definitions(element)) > 1:
        yield "several_event_definitions"
    if name == "timerEventDefinition" and sum(local_name(child).startswith("time") for child in element) > 1:
        yield "several_event_definitions"
    for attribute in ("isSequential", "cancelActivity"):
        if element.get(attribute, "true") not in {"true", "false"}:
            yield "bad_boolean"
    for call in own_all(element, "call"):
        version = call.get("version", "1")
        if not (version.isascii() and version.isdigit() and int(version)):
            yield "bad_version"


_MEANINGS: Final = (
    ("triggeredByEvent", "false", "event_subprocess"),
    ("isForCompensation", "false", "compensation"),
    ("instantiate", "false", "starting_gateway"),
    ("eventGatewayType", "Exclusive", "parallel_event_gateway"),
    ("parallelMultiple", "false", "several_event_definitions"),
    ("startQuantity", "1", "token_quantity"),
    ("completionQuantity", "1", "token_quantity"),
)
"""Attribute, the only value that it may have, code of the finding."""


class _Scopes:
    """Checks how flows connect the steps of the process and of each sub-process."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.leaving: dict[str, list[Flow]] = {}
        self.entering: dict[str, list[Flow]] = {}
        for flow in facts.flows:
            self.leaving.setdefault(flow.source, []).append(flow)
            self.entering.setdefault(flow.target, []).append(flow)

    def findings(self) -> Iterator[Finding]:
        """Give what is wrong with starts, ends and flows."""
        steps = self.facts.steps
        starts = Counter(step.parent for step in steps.values() if step.kind is StepKind.START)
        for scope in [None, *(step.id for step in steps.values() if step.kind is StepKind.SUBPROCESS)]:
            if starts[scope] != 1:
                code = "several_starts" if starts[scope] else "no_start"
                yield Finding(code=code, element=scope or self.facts.key)
        for flow in self.facts.flows:
            yield from self._flow(flow)
        for step in steps.values():
            leaving, entering = self.leaving.get(step.id, []), self.entering.get(step.id, [])
            for code in self._shape(step, leaving, entering):
                yield Finding(code=code, element=step.id, line=self.facts.wiring[step.id].line)

    def _flow(self, flow: Flow) -> Iterator[Finding]:
        """Check that a flow has an id and connects two steps of one scope."""
        source, target = self.facts.steps.get(flow.source), self.facts.steps.get(flow.target)
        if not flow.id:
            yield Finding(code="flow_without_id", element=flow.source)
        if source is None or target is None:
            yield Finding(code="flow_to_nothing", element=flow.id)
        elif source.parent != target.parent:
            yield Finding(code="flow_crosses_subprocess", element=flow.id)
        elif flow.condition is not None and source.kind not in _CHOOSING:
            code = "condition_after_gateway" if source.kind in _GATEWAYS else "condition_after_step"
            yield Finding(code=code, element=flow.id, params={"step": source.id})

    def _shape(self, step: Step, leaving: list[Flow], entering: list[Flow]) -> Iterator[str]:
        """Give the codes of what is wrong with the flows around one step."""
        if bool(leaving) is (step.kind is StepKind.END):
            yield "flow_out_of_end" if leaving else "dead_end"
        if entering and step.kind in {StepKind.START, StepKind.BOUNDARY}:
            yield "flow_into_start" if step.kind is StepKind.START else "flow_into_boundary"
        if len(leaving) > 1 and step.kind not in _GATEWAYS:
            yield "implicit_split"
        if step.kind in _CHOOSING:
            yield from self._choice(leaving)
        if step.kind is StepKind.EVENT_GATEWAY:
            yield from self._arms(leaving)

    def _choice(self, leaving: list[Flow]) -> Iterator[str]:
        """Check that each flow of a choice says when it is taken."""
        if len(leaving) == 1 and leaving[0].condition is not None:
            yield "condition_without_choice"
        elif len(leaving) > 1 and any(not flow.condition and not flow.default for flow in leaving):
            yield "flow_without_condition"

    def _arms(self, leaving: list[Flow]) -> Iterator[str]:
        """Check that only events that nothing else leads to follow an event gateway."""
        for flow in leaving:
            arm = self.facts.steps.get(flow.target)
            if arm is None or arm.kind is not StepKind.CATCH or arm.multi is not None:
                yield "event_gateway_without_event"
            elif len(self.entering[arm.id]) > 1:
                yield "event_with_other_way_in"
            elif any(step.host == arm.id for step in self.facts.steps.values()):
                yield "boundary_on_wrong_step"


def _step(step: Step, facts: Facts, resources: Resources) -> Iterator[Wrong]:
    """Check one step by itself."""
    allowed = _EVENTS.get(step.kind, {"none"})
    if step.event not in allowed:
        code = "start_event_kind" if step.kind is StepKind.START else "event_misplaced"
        yield code, {"event": step.event}
    yield from _event(step, facts)
    yield from _boundary(step, facts)
    yield from _multi(step)
    if step.kind is StepKind.CHECK and not step.check:
        yield "step_without_check", {}
    if step.kind is StepKind.TABLE and step.table not in resources.tables:
        yield ("unknown_table", {"table": step.table}) if step.table else ("step_without_table", {})
    if step.kind is StepKind.CALL:
        yield from _call(step, resources)
    if step.due is not None and parse_duration(step.due.time) is None:
        yield "bad_due", {"name": "time", "value": printable(step.due.time)}
    wiring = facts.wiring[step.id]
    yield from _names([*wiring.takes.items(), *wiring.passes.items()])


def _event(step: Step, facts: Facts) -> Iterator[Wrong]:
    """Check that an event says what it waits for or throws."""
    catches = step.kind in {StepKind.CATCH, StepKind.BOUNDARY}
    wiring = facts.wiring[step.id]
    if step.event == "message" and step.message is None:
        yield "unnamed_message", {"kind": "message"}
    if step.correlation not in {"run", "case"}:
        yield "bad_correlation", {"key": printable(step.correlation)}
    any_code = step.kind is StepKind.BOUNDARY and step.event != "signal"
    needs_code = step.event in {"signal", "error", "escalation"} and not any_code
    if needs_code and step.code is None:
        yield "event_without_name", {"kind": step.event}
    if step.event == "timer" and catches:
        if wiring.timer is None:
            yield "timer_without_time", {}
        elif not wiring.timer_is_date and parse_duration(wiring.timer) is None:
            yield "bad_duration", {"text": printable(wiring.timer)}


def _boundary(step: Step, facts: Facts) -> Iterator[Wrong]:
    """Check that a boundary event sits on a step that can be watched."""
    if step.kind is not StepKind.BOUNDARY:
        return
    host = facts.steps.get(step.host or "")
    if host is None or host.parent != step.parent:
        yield "boundary_without_host", {}
    elif host.kind not in _ACTIVITIES and not (host.kind is StepKind.CATCH and _is_receive(host, facts)):
        yield "boundary_on_wrong_step", {"host": host.id}
    if step.event == "error" and not step.interrupting:
        yield "error_must_interrupt", {}


def _is_receive(host: Step, facts: Facts) -> bool:
    """Tell whether a catching step is a receive task."""
    return facts.wiring[host.id].is_task


def _multi(step: Step) -> Iterator[Wrong]:
    """Check that a multi-instance step names its list and its entry."""
    if step.multi is None:
        return
    if step.kind not in _ACTIVITIES | {StepKind.CATCH} or step.event not in {"none", "message"}:
        yield "multi_on_wrong_step", {}
    if not is_name(step.multi.list):
        yield "multi_without_list", {}
    if not is_name(step.multi.item):
        yield "multi_without_item", {}


def _call(step: Step, resources: Resources) -> Iterator[Wrong]:
    """Check that a call activity says which path it calls, and that the names that cross can be names."""
    call = step.call
    if call is None or (call.path is None and call.table is None):
        yield "call_without_path", {}
        return
    if call.path is not None and call.table is not None:
        yield "call_of_two", {}
    if call.table is not None:
        if call.table not in resources.call_tables:
            yield "unknown_call_table", {"table": call.table}
        if not is_name(call.key or ""):
            yield "call_table_without_key", {"table": call.table}
    if call.result is not None and not is_name(call.result):
        yield "bad_value_name", {"name": printable(call.result)}


def _names(pairs: Iterable[tuple[str, str]]) -> Iterator[Wrong]:
    """Check the names of `nrm:take` and `nrm:pass`."""
    for pair in pairs:
        for name in pair:
            if not is_name(name):
                yield "bad_value_name", {"name": printable(name)}
