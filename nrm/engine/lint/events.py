"""Check events, messages and timers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from nrm.engine.durations import parse_duration
from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, definition, extension, extensions, found, warn
from nrm.engine.lint.known import CASE_MESSAGES, STOPPING

_EVENTS: Final = {
    "startEvent": frozenset({"none"}),
    "endEvent": frozenset({"none", "message", "signal", "error", "escalation", "terminate"}),
    "intermediateCatchEvent": frozenset({"message", "timer", "signal"}),
    "intermediateThrowEvent": frozenset({"none", "message", "signal", "escalation"}),
    "boundaryEvent": frozenset({"message", "timer", "signal", "error", "escalation"}),
}
"""Which definitions each kind of event may have."""

_REFUSED_ELSEWHERE: Final = frozenset({"compensate", "link", "cancel", "conditional"})
_HOSTS: Final = frozenset(
    {"userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask", "callActivity"}
    | {"subProcess"}
)
_REFERENCES: Final = {
    "message": ("messageRef", "message", "name"),
    "signal": ("signalRef", "signal", "name"),
    "error": ("errorRef", "error", "errorCode"),
    "escalation": ("escalationRef", "escalation", "escalationCode"),
}
"""Kind of event → (attribute that refers, name of the BPMN element, attribute that must have a value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What an event is checked against; `thrown` names the messages that this diagram throws itself."""

    diagram: Diagram
    pack: Pack
    thrown: set[str]


def check_events(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find events that do nothing, wait for nothing, or wait for a wrong time."""
    thrown = {
        name for node in diagram.of("intermediateThrowEvent", "endEvent") if (name := message_name(diagram, node))
    }
    around = _Around(diagram=diagram, pack=pack, thrown=thrown)
    for node in diagram.nodes.values():
        if node.tag in _EVENTS:
            yield from _event(around, node)
        elif node.tag == "receiveTask":
            yield from _reference(around, node, node.element, "message")
            if node.element.get("instantiate") == "true":
                yield found(node.element, "starting_gateway")
    yield from _messages(diagram)
    yield from _case_messages(diagram, pack)


def message_name(diagram: Diagram, node: Node) -> str | None:
    """Give the name of the message that a step throws or catches, None when it has none."""
    holder = next(iter(children(node.element, "messageEventDefinition")), node.element)
    message = definition(diagram.root, "message", holder.get("messageRef"))
    return None if message is None else (message.get("name") or "").strip() or None


def _event(around: _Around, node: Node) -> Iterator[Finding]:
    if len(node.events) > 1:
        yield found(node.element, "several_event_definitions")
        return
    if node.event in _REFUSED_ELSEWHERE:
        return
    if node.event not in _EVENTS[node.tag]:
        yield found(node.element, _wrong_kind(around.diagram, node), event=node.event)
        return
    for part in children(node.element, f"{node.event}EventDefinition"):
        if node.event in _REFERENCES:
            yield from _reference(around, node, part, node.event)
        elif node.event == "timer":
            yield from _timer(around.pack, node, part)
    if node.tag == "boundaryEvent":
        yield from _boundary(around.diagram, node)


def _wrong_kind(diagram: Diagram, node: Node) -> str:
    if node.tag == "startEvent":
        return "start_event_kind" if node.scope == diagram.key else "inner_start_with_event"
    return "event_without_definition" if node.event == "none" else "event_misplaced"


def _reference(around: _Around, node: Node, holder: etree._Element, kind: str) -> Iterator[Finding]:
    attribute, element_name, value_name = _REFERENCES[kind]
    wanted = holder.get(attribute)
    if not wanted:
        if kind in {"error", "escalation"} and node.tag == "boundaryEvent":
            return
        yield found(node.element, "event_without_name", kind=kind)
        return
    target = definition(around.diagram.root, element_name, wanted)
    if target is None:
        yield found(node.element, "reference_to_nothing", reference=wanted)
    elif not (target.get(value_name) or "").strip():
        yield found(target, "unnamed_message" if kind == "message" else "event_without_name", kind=kind)
    elif kind == "message" and node.tag not in {"intermediateThrowEvent", "endEvent"}:
        name = (target.get("name") or "").strip()
        known = around.pack.known
        if known and known.messages and name not in known.messages | around.thrown | set(CASE_MESSAGES):
            yield warn(node.element, "unknown_message", message=name)


def _timer(pack: Pack, node: Node, holder: etree._Element) -> Iterator[Finding]:
    durations, dates = children(holder, "timeDuration"), children(holder, "timeDate")
    if children(holder, "timeCycle"):
        return
    if len(durations) + len(dates) != 1:
        yield found(node.element, "timer_without_time")
        return
    if durations:
        yield from check_duration(pack, node.element, (durations[0].text or "").strip())


def check_duration(pack: Pack, element: etree._Element, text: str) -> Iterator[Finding]:
    """Find a text that is neither an ISO 8601 duration nor the name of a setting that holds one."""
    if text.startswith("setting:"):
        name = text.removeprefix("setting:").strip()
        if name not in pack.resources.settings:
            yield found(element, "unknown_setting", setting=name)
        elif _bad(pack.resources.settings[name]):
            yield found(element, "setting_is_no_duration", setting=name)
    elif _bad(text):
        yield found(element, "bad_duration", text=text)


def _bad(text: str) -> bool:
    duration = parse_duration(text)
    return duration is None or (duration.months == 0 and duration.rest.total_seconds() <= 0)


def _boundary(diagram: Diagram, node: Node) -> Iterator[Finding]:
    host = diagram.nodes.get(node.host or "")
    if host is None or host.scope != node.scope:
        yield found(node.element, "boundary_without_host")
        return
    if host.tag not in _HOSTS:
        yield found(node.element, "boundary_on_wrong_step", host=host.id)
    if node.event == "error" and not node.interrupting:
        yield found(node.element, "error_must_interrupt")
    if node.event in {"timer", "message", "signal"} and host.tag in {"serviceTask", "sendTask", "businessRuleTask"}:
        yield warn(node.element, "boundary_never_fires", host=host.id)


def _messages(diagram: Diagram) -> Iterator[Finding]:
    seen: set[str] = set()
    for message in children(diagram.root, "message"):
        name = (message.get("name") or "").strip()
        if name and name in seen:
            yield found(message, "message_defined_twice", message=name)
        seen.add(name)
        correlation = extension(message, "correlation")
        if correlation is not None and correlation.get("key", "run") not in {"run", "case"}:
            yield found(message, "bad_correlation", key=correlation.get("key", ""))


def _case_messages(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Check that one sub-process holds the whole path and answers the messages of the case."""
    whole = whole_path(diagram)
    if whole is None:
        yield warn(diagram.process, "no_whole_path_subprocess")
        return
    yield from _left(diagram, pack, whole)
    left = {(part.get("message") or "").strip() for part in extensions(whole.element, "leave")}
    answered = {message_name(diagram, boundary): boundary for boundary in diagram.boundaries.get(whole.id, ())}
    for message in CASE_MESSAGES:
        boundary = answered.get(message)
        if boundary is None and message not in left:
            yield warn(whole.element, "case_message_missing", message=message)
        elif boundary is None:
            continue
        elif not boundary.interrupting and message in STOPPING:
            yield warn(boundary.element, "case_message_not_interrupting", message=message)


def _left(diagram: Diagram, pack: Pack, whole: Node) -> Iterator[Finding]:
    """Check messages that a path leaves to the path that called it: never those that stop it, never to nobody."""
    for part in extensions(whole.element, "leave"):
        message = (part.get("message") or "").strip()
        if message not in CASE_MESSAGES or message in STOPPING or (part.get("to") or "").strip() != "caller":
            yield found(whole.element, "case_message_left_wrongly", answered="risk.raised", to="caller")
        elif pack.known and pack.known.paths and not _is_called(diagram.key, pack.known.paths):
            yield warn(whole.element, "case_message_left_to_nobody", message=message)


def _is_called(path: str, calls: Mapping[str, frozenset[str]]) -> bool:
    return any(path in called for caller, called in calls.items() if caller != path)


def whole_path(diagram: Diagram) -> Node | None:
    """Give the sub-process that holds the whole path; what follows its boundary events may stand outside of it."""
    main: list[Node] = []
    waiting = [node.id for node in diagram.scopes[diagram.key] if node.tag == "startEvent"]
    seen: set[str] = set()
    while waiting:
        node = diagram.nodes[waiting.pop()]
        if node.id not in seen:
            seen.add(node.id)
            main.append(node)
            waiting += [flow.target for flow in diagram.out_of(node.id)]
    holders = [node for node in main if node.tag == "subProcess"]
    working = [node for node in main if node.tag.endswith("Task") or node.tag == "callActivity"]
    return holders[0] if len(holders) == 1 and not working else None
