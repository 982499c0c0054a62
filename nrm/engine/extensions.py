"""What a diagram says about its steps: our `nrm:` extension elements and the BPMN attributes around them.

Nothing is refused here: a missing or wrong part becomes None, and `nrm.engine.refusals` names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from nrm.engine.reading import BPMN, NRM, local_name
from nrm.engine.steps import Call, Due, Multi, Resources, Step, StepKind, Texts

KINDS: Final[Mapping[str, StepKind]] = {
    "userTask": StepKind.TASK,
    "manualTask": StepKind.TASK,
    "serviceTask": StepKind.CHECK,
    "sendTask": StepKind.CHECK,
    "businessRuleTask": StepKind.TABLE,
    "callActivity": StepKind.CALL,
    "subProcess": StepKind.SUBPROCESS,
    "exclusiveGateway": StepKind.EXCLUSIVE,
    "parallelGateway": StepKind.PARALLEL,
    "inclusiveGateway": StepKind.INCLUSIVE,
    "eventBasedGateway": StepKind.EVENT_GATEWAY,
    "startEvent": StepKind.START,
    "endEvent": StepKind.END,
    "intermediateCatchEvent": StepKind.CATCH,
    "receiveTask": StepKind.CATCH,
    "intermediateThrowEvent": StepKind.THROW,
    "boundaryEvent": StepKind.BOUNDARY,
}
"""BPMN element name → kind of step; what is not here cannot run."""

EVENTS: Final[Mapping[str, str]] = {
    "messageEventDefinition": "message",
    "timerEventDefinition": "timer",
    "signalEventDefinition": "signal",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "terminateEventDefinition": "terminate",
}
"""BPMN event definition → kind of event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sequence flow.

    Attributes:
        id: element id.
        source: id of the step that it leaves.
        target: id of the step that it enters.
        condition: text of its condition, None when it has none.
        default: whether it is its gateway's default flow.
        names: its label in each language.
    """

    id: str
    source: str
    target: str
    condition: str | None = None
    default: bool = False
    names: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the engine needs of a step beyond its facts.

    Attributes:
        takes: value's name in the run → name in the message that brings it.
        passes: name in the message that leaves → value's name in the run.
        timer: the timer's text, as in the diagram but with a setting's name resolved; None when it names nothing.
        timer_is_date: the text is a date expression (`timeDate`) and not a duration.
        is_task: the element is a task and no event (a receive task).
        line: line in the file.
    """

    takes: Mapping[str, str] = field(default_factory=dict)
    passes: Mapping[str, str] = field(default_factory=dict)
    timer: str | None = None
    timer_is_date: bool = False
    is_task: bool = False
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a diagram says, in the order of the file."""

    key: str
    names: Texts
    level: str
    steps: Mapping[str, Step]
    wiring: Mapping[str, Wiring]
    flows: tuple[Flow, ...]


def bpmn(name: str) -> str:
    """Give the full name of a BPMN element."""
    return f"{{{BPMN}}}{name}"


def own(element: etree._Element, name: str) -> etree._Element | None:
    """Give the first `nrm:` element of this name in the element's own `extensionElements`."""
    return next(own_all(element, name), None)


def own_all(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Give the `nrm:` elements of this name in the element's own `extensionElements`."""
    for extension in element.findall(bpmn("extensionElements")):
        yield from extension.findall(f"{{{NRM}}}{name}")


def texts(element: etree._Element, kind: str) -> Texts:
    """Give the texts of one kind ("name", "instruction") by language; the `name` attribute is the English name."""
    found = {
        text.get("lang", ""): (text.text or "").strip()
        for text in own_all(element, "text")
        if text.get("kind", "name") == kind
    }
    label = (element.get("name") or "").strip()
    if kind == "name" and label:
        found.setdefault("en", label)
    return found


def resolved(text: str | None, resources: Resources) -> str | None:
    """Give a text with `setting:NAME` replaced by the pack's setting; None when there is none."""
    if text is None or not text.strip():
        return None
    text = text.strip()
    return resources.settings.get(text.removeprefix("setting:").strip()) if text.startswith("setting:") else text


def read_facts(process: etree._Element, resources: Resources) -> Facts:
    """Read what one process says.

    Args:
        process: the `bpmn:process` element of a tree that `nrm.engine.reading` let through.
        resources: the pack's settings.
    """
    level = own(process, "level")
    reader = _Reader(process, resources)
    elements = [element for element in process.iter(bpmn("*")) if local_name(element) in KINDS and element.get("id")]
    defaults = {(element.get("id", ""), element.get("default")) for element in elements}
    return Facts(
        key=process.get("id", ""),
        names=texts(process, "name"),
        level="standard" if level is None else level.get("code", "standard"),
        steps={element.get("id", ""): reader.step(element) for element in elements},
        wiring={element.get("id", ""): reader.wiring(element) for element in elements},
        flows=tuple(_flow(element, defaults) for element in process.iter(bpmn("sequenceFlow"))),
    )


def event_definitions(element: etree._Element) -> list[etree._Element]:
    """Give the event definitions of an event."""
    return [child for child in element if local_name(child).endswith("EventDefinition")]


def _flow(element: etree._Element, defaults: Set[tuple[str, str | None]]) -> Flow:
    """Read one sequence flow; `defaults` holds each step with its default flow."""
    condition = element.find(bpmn("conditionExpression"))
    source = element.get("sourceRef", "")
    return Flow(
        id=element.get("id", ""),
        source=source,
        target=element.get("targetRef", ""),
        condition=None if condition is None else (condition.text or "").strip(),
        default=(source, element.get("id", "")) in defaults,
        names=texts(element, "name"),
    )


def _attributes(element: etree._Element, name: str, key: str, value: str) -> dict[str, str]:
    """Read the `nrm:` elements of one name as a mapping."""
    return {found.get(key, ""): found.get(value, "") for found in own_all(element, name)}


class _Reader:
    """Reads steps, with the definitions and lanes of the file at hand."""

    def __init__(self, process: etree._Element, resources: Resources) -> None:
        self._resources = resources
        root = process.getroottree().getroot()
        self._definitions = {child.get("id"): child for child in root if child.get("id")}
        self._desks: dict[str, etree._Element] = {}
        for lane in root.iter(bpmn("lane")):
            desk = own(lane, "desk")
            if desk is not None:
                self._desks.update({(ref.text or "").strip(): desk for ref in lane.findall(bpmn("flowNodeRef"))})

    def step(self, element: etree._Element) -> Step:
        """Read the facts of one step."""
        kind = KINDS[local_name(element)]
        event, definition = self._event(element)
        desk = self._desk(element) if kind in {StepKind.TASK, StepKind.CATCH, StepKind.CALL} else None
        check, table = own(element, "check"), own(element, "table")
        parent = element.getparent()
        inside = parent is not None and local_name(parent) == "subProcess"
        return Step(
            id=element.get("id", ""),
            kind=kind,
            names=texts(element, "name"),
            instructions=texts(element, "instruction"),
            role=None if desk is None else desk.get("role"),
            organisation=None if desk is None else desk.get("organisation"),
            form=_value(element, "form", "key"),
            due=self._due(element),
            check=None if check is None else check.get("name"),
            params={} if check is None else _params(check),
            service=_value(element, "service", "category"),
            outcome=_value(element, "outcome", "code"),
            stage=_value(element, "stage", "code"),
            call=_call(element) if kind is StepKind.CALL else None,
            table=None if table is None else table.get("key"),
            multi=_multi(element),
            message=self._message(definition if event == "message" else None),
            correlation=self._correlation(definition if event == "message" else None),
            parent=parent.get("id") if inside and parent is not None else None,
            host=element.get("attachedToRef"),
            interrupting=element.get("cancelActivity", "true").strip() != "false",
            event=event,
            code=self._code(event, definition),
        )

    def wiring(self, element: etree._Element) -> Wiring:
        """Read what the engine needs beyond the facts."""
        timer, is_date = None, False
        for definition in element.findall(bpmn("timerEventDefinition")):
            date, duration = definition.find(bpmn("timeDate")), definition.find(bpmn("timeDuration"))
            chosen = duration if date is None else date
            is_date = date is not None
            timer = None if chosen is None else resolved(chosen.text, self._resources)
        return Wiring(
            takes=_attributes(element, "take", "name", "from"),
            passes=_attributes(element, "pass", "name", "from"),
            timer=timer,
            timer_is_date=is_date,
            is_task=local_name(element) == "receiveTask",
            line=element.sourceline,
        )

    def _desk(self, element: etree._Element) -> etree._Element | None:
        """Give the step's own desk, else that of its lane, else that of the sub-process's lane."""
        found = own(element, "desk")
        at: etree._Element | None = element
        while found is None and at is not None:
            found = self._desks.get(at.get("id", ""))
            at = at.getparent()
        return found

    def _due(self, element: etree._Element) -> Due | None:
        """Read `nrm:due`; its time may name a setting."""
        due = own(element, "due")
        if due is None:
            return None
        reminder = due.get("reminder", "75").strip()
        return Due(
            time=resolved(due.get("time"), self._resources) or "",
            calendar=due.get("calendar", "working"),
            anchor=due.get("anchor", "opened"),
            reminder=int(reminder) if reminder.isascii() and reminder.isdigit() and int(reminder) else None,
            ladder=due.get("ladder", "task"),
        )

    def _event(self, element: etree._Element) -> tuple[str, etree._Element | None]:
        """Give the kind of event and the element that refers to its definition."""
        if local_name(element) == "receiveTask":
            return "message", element
        for definition in event_definitions(element):
            return EVENTS.get(local_name(definition), "none"), definition
        return "none", None

    def _message(self, definition: etree._Element | None) -> str | None:
        """Give the name of the message that a definition refers to."""
        found = None if definition is None else self._definitions.get(definition.get("messageRef"))
        return None if found is None else (found.get("name") or "").strip() or None

    def _correlation(self, definition: etree._Element | None) -> str:
        """Give "case" or "run"."""
        found = None if definition is None else self._definitions.get(definition.get("messageRef"))
        return (_value(found, "correlation", "key") or "run") if found is not None else "run"

    def _code(self, event: str, definition: etree._Element | None) -> str | None:
        """Give the code of an error or escalation, or the name of a signal."""
        if definition is None:
            return None
        attributes = {"error": "errorCode", "escalation": "escalationCode", "signal": "name"}
        attribute = attributes.get(event)
        if attribute is None:
            return None
        found = self._definitions.get(definition.get(f"{event}Ref"))
        return None if found is None else (found.get(attribute) or "").strip() or None


def _value(element: etree._Element, name: str, attribute: str) -> str | None:
    """Give one attribute of the first `nrm:` element of a name."""
    found = own(element, name)
    return None if found is None else found.get(attribute)


def _params(check: etree._Element) -> dict[str, str]:
    """Read the parameters of a check: name → text of an expression."""
    return {param.get("name", ""): param.get("value", "") for param in check.findall(f"{{{NRM}}}param")}


def _call(element: etree._Element) -> Call:
    """Read what a call activity calls and what crosses."""
    call = own(element, "call")
    version = "" if call is None else (call.get("version") or "").strip()
    return Call(
        path=element.get("calledElement") or None,
        table=None if call is None else call.get("table"),
        key=None if call is None else call.get("key"),
        version=int(version) if version.isascii() and version.isdigit() else None,
        passes=_attributes(element, "pass", "name", "from"),
        takes=_attributes(element, "take", "name", "from"),
        result=None if call is None else call.get("result"),
    )


def _multi(element: etree._Element) -> Multi | None:
    """Read multi-instance: the list and the name of one entry."""
    marker = element.find(bpmn("multiInstanceLoopCharacteristics"))
    if marker is None:
        return None
    values, item = list_and_item(element, marker)
    return Multi(list=values, item=item, sequential=marker.get("isSequential") == "true")


def list_and_item(element: etree._Element, marker: etree._Element) -> tuple[str, str]:
    """Give the names of the list that a repeated step runs over and of one entry, "" for what is not said.

    `nrm:multi` says both. BPMN's own `loopDataInputRef` is read where it is missing: that refers to a data object,
    which a path has none of, so modelling tools warn about it.
    """
    said = own(element, "multi")
    if said is not None:
        return (said.get("list") or "").strip(), (said.get("item") or "").strip()
    source, entry = marker.find(bpmn("loopDataInputRef")), marker.find(bpmn("inputDataItem"))
    values = "" if source is None else (source.text or "").strip()
    return values, "" if entry is None else (entry.get("name") or "").strip()
