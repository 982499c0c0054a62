"""A small whole path, written so that each test can break one thing in it."""

from __future__ import annotations

from nrm.engine.lint import Known, KnownCheck, KnownTable
from nrm.engine.steps import Resources

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:nrm="urn:nrm-engine:bpmn:1" id="file" targetNamespace="urn:testland">\n'
)


def ext(*parts: str) -> str:
    return "<bpmn:extensionElements>" + "".join(parts) + "</bpmn:extensionElements>"


def names(text: str) -> str:
    return f'<nrm:text lang="ar">{text} ع</nrm:text><nrm:text lang="ckb">{text} ک</nrm:text>'


def user(step: str, form: str = "visit", due: str = "P3D", extra: str = "", inner: str = "") -> str:
    parts = f'<nrm:form key="{form}"/><nrm:desk role="case_handler"/><nrm:due time="{due}"/>{extra}{names(step)}'
    return f'<bpmn:userTask id="{step}" name="{step}">{ext(parts)}{inner}</bpmn:userTask>\n'


def check(step: str, name: str = "record_visit", params: str = "", tag: str = "serviceTask") -> str:
    parts = f'<nrm:check name="{name}">{params}</nrm:check>{names(step)}'
    return f'<bpmn:{tag} id="{step}" name="{step}">{ext(parts)}</bpmn:{tag}>\n'


def end(step: str, outcome: str = "provided", inner: str = "") -> str:
    parts = (f'<nrm:outcome code="{outcome}"/>' if outcome else "") + names(step)
    return f'<bpmn:endEvent id="{step}" name="{step}">{ext(parts)}{inner}</bpmn:endEvent>\n'


def start(step: str = "begin", inner: str = "") -> str:
    return f'<bpmn:startEvent id="{step}">{inner}</bpmn:startEvent>\n'


def gateway(step: str, kind: str = "exclusive", default: str = "") -> str:
    chosen = f' default="{default}"' if default else ""
    tag = "eventBasedGateway" if kind == "event" else f"{kind}Gateway"
    return f'<bpmn:{tag} id="{step}"{chosen}/>\n'


def catch(step: str, definition: str, extra: str = "") -> str:
    return (
        f'<bpmn:intermediateCatchEvent id="{step}">{ext(extra) if extra else ""}'
        f"{definition}</bpmn:intermediateCatchEvent>\n"
    )


def message(reference: str) -> str:
    return f'<bpmn:messageEventDefinition messageRef="{reference}"/>'


def timer(time: str = "P3D") -> str:
    return f"<bpmn:timerEventDefinition><bpmn:timeDuration>{time}</bpmn:timeDuration></bpmn:timerEventDefinition>"


def boundary(step: str, host: str, definition: str, cancel: str = "true", extra: str = "") -> str:
    return (
        f'<bpmn:boundaryEvent id="{step}" name="{step}" attachedToRef="{host}" cancelActivity="{cancel}">'
        f"{ext(extra, names(step))}{definition}</bpmn:boundaryEvent>\n"
    )


def flow(source: str, target: str, condition: str | None = None, name: str = "") -> str:
    inner = ""
    if condition is not None:
        text = condition.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        inner = f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{text}</bpmn:conditionExpression>'
    identity = name or f"{source}.{target}"
    return f'<bpmn:sequenceFlow id="{identity}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>\n'


def call(step: str, path: str = "other_path", extra: str = "", inner: str = "") -> str:
    called = f' calledElement="{path}"' if path else ""
    return (
        f'<bpmn:callActivity id="{step}" name="{step}"{called}>{ext(extra, names(step))}{inner}</bpmn:callActivity>\n'
    )


def sub(step: str, inner: str) -> str:
    return f'<bpmn:subProcess id="{step}" name="{step}">{ext(names(step))}\n{inner}</bpmn:subProcess>\n'


def multi(values: str = "service_ids", item: str = "service_id", inner: str = "") -> str:
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="false">{inner}'
        f"<bpmn:loopDataInputRef>{values}</bpmn:loopDataInputRef>"
        f'<bpmn:inputDataItem id="item.{item}" name="{item}"/></bpmn:multiInstanceLoopCharacteristics>'
    )


CASE_MESSAGES = {
    "withdrawn": "consent.withdrawn",
    "moved": "case.transferred",
    "died": "person.deceased",
    "danger": "risk.raised",
}
DEFINITIONS = "".join(
    f'<bpmn:message id="m.{key}" name="{name}">{ext(chr(60) + "nrm:correlation key=" + chr(34) + "case" + chr(34) + "/>")}</bpmn:message>\n'
    for key, name in CASE_MESSAGES.items()
) + (
    '<bpmn:message id="m.accepted" name="referral.accepted"/>\n<bpmn:message id="m.declined" name="referral.declined"/>\n'
    '<bpmn:error id="e.broken" errorCode="broken"/>\n<bpmn:escalation id="x.late" escalationCode="late"/>\n'
    '<bpmn:signal id="s.all" name="all"/>\n<bpmn:message id="m.letter" name="letter.came"/>\n'
)


def process(inner: str, key: str = "small_path", definitions: str = DEFINITIONS, drawing: bool = True) -> bytes:
    """Give a file with one process; every step and flow of it is drawn, somewhere."""
    body = f'<bpmn:process id="{key}" name="{key}" isExecutable="true">{ext(names(key))}\n{inner}</bpmn:process>\n'
    return (HEAD + definitions + body + (_drawing(body, key) if drawing else "") + "</bpmn:definitions>").encode()


def _drawing(body: str, key: str) -> str:
    import re

    shapes = ""
    for tag, identity in re.findall(r'<bpmn:(\w+) id="([^"]+)"', body):
        if tag == "sequenceFlow":
            shapes += f'<bpmndi:BPMNEdge id="{identity}_di" bpmnElement="{identity}"><di:waypoint x="1" y="2"/></bpmndi:BPMNEdge>'
        elif tag.endswith(("Task", "Event", "Gateway", "Activity", "Process")):
            shapes += (
                f'<bpmndi:BPMNShape id="{identity}_di" bpmnElement="{identity}">'
                '<dc:Bounds x="1" y="2" width="3" height="4"/></bpmndi:BPMNShape>'
            )
    return f'<bpmndi:BPMNDiagram id="drawing"><bpmndi:BPMNPlane id="plane" bpmnElement="{key}">{shapes}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>'


def whole(inner: str, **options: object) -> bytes:
    """Give a path as the conventions want it: one sub-process holds `inner`, case messages end it."""
    outside = start() + sub("whole", inner) + flow("begin", "whole") + end("finished", "") + flow("whole", "finished")
    for key in CASE_MESSAGES:
        outside += boundary(f"on_{key}", "whole", message(f"m.{key}")) + end(f"end_{key}", "withdrawn")
        outside += flow(f"on_{key}", f"end_{key}")
    return process(outside, **options)  # type: ignore[arg-type]


SMALL_INNER = (
    start("inner_begin")
    + flow("inner_begin", "visit")
    + user("visit")
    + flow("visit", "record")
    + check("record", params='<nrm:param name="from" value="\'visit\'"/>')
    + flow("record", "which")
    + gateway("which", default="to_none")
    + flow("which", "served", "new_need and visits > 0")
    + flow("which", "not_served", name="to_none")
    + end("served")
    + end("not_served", "unmet")
)
SMALL = whole(SMALL_INNER)

RESOURCES = Resources(
    settings={"answer_time": "P5D", "most_visits": "3"},
    call_tables={"service_paths": {"housing": "other_path"}},
)
KNOWN = Known(
    roles=frozenset({"case_handler", "supervisor"}),
    organisations=frozenset({"ministry", "ngo"}),
    forms={
        "visit": {
            "met": "yes_no",
            "visits": "integer",
            "notes": "long",
            "service_ids": "select_multiple",
            "day": "date",
        },
        "story": {"story": "text", "place": "geopoint"},
    },
    services=frozenset({"housing"}),
    outcomes=frozenset({"provided", "unmet", "withdrawn"}),
    stages=frozenset({"plan"}),
    paths={
        "small_path": frozenset(),
        "other_path": frozenset({"third_path"}),
        "third_path": frozenset({"other_path"}),
        "back_path": frozenset({"small_path"}),
    },
    tables={"priority": KnownTable(inputs=frozenset({"visits"}), outputs=frozenset({"priority"}))},
    ladders=frozenset({"task"}),
    checks={
        "record_visit": KnownCheck(
            params=frozenset({"from"}), required=frozenset(), values=frozenset({"new_need", "concern"})
        ),
        "close_case": KnownCheck(params=frozenset({"from"}), required=frozenset({"from"})),
    },
    messages=frozenset({"referral.accepted", "referral.declined"}),
    chased=frozenset({"referral.accepted", "referral.declined"}),
)
