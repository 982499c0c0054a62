"""The measuring path and its form: ten human steps, two decisions, a message that ends the whole, drawn in code.

Its conditions are single names, which mean the same in the product's expression language and in SpiffWorkflow's own
(Python), so that both sides run the very same bytes.
"""

from __future__ import annotations

import itertools

from nrm.countries import Json

STEPS = 10
"""Human steps of one round through the path."""

PATH = "measured"
TIMED = "measured_timer"

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nrm="urn:nrm-engine:bpmn:1" '
    'id="{key}_definitions" targetNamespace="urn:nrm:paths">'
    '<bpmn:message id="deceased" name="person.deceased"><bpmn:extensionElements><nrm:correlation key="case"/>'
    '</bpmn:extensionElements></bpmn:message><bpmn:process id="{key}" name="{key}" isExecutable="true">'
    '<bpmn:extensionElements><nrm:level code="standard"/></bpmn:extensionElements>'
)
_TAIL = "</bpmn:process></bpmn:definitions>"


def _flow(name: str, source: str, target: str, condition: str = "") -> str:
    inner = (
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}</bpmn:conditionExpression>'
        if condition
        else ""
    )
    return f'<bpmn:sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'


def _task(name: str) -> str:
    return (
        f'<bpmn:userTask id="{name}" name="Step {name}"><bpmn:extensionElements><nrm:desk role="case_handler"/>'
        '<nrm:form key="measured_form"/><nrm:due time="P3D" calendar="working" reminder="75" ladder="task"/>'
        "</bpmn:extensionElements></bpmn:userTask>"
    )


def _end(name: str) -> str:
    return (
        f'<bpmn:endEvent id="{name}" name="{name}"><bpmn:extensionElements><nrm:outcome code="{name}"/>'
        "</bpmn:extensionElements></bpmn:endEvent>"
    )


def _framed(key: str, inside: str) -> bytes:
    parts = [
        _HEAD.format(key=key),
        '<bpmn:startEvent id="start" name="Start"/><bpmn:subProcess id="whole" name="Whole">',
        inside,
        '</bpmn:subProcess><bpmn:boundaryEvent id="at_any_time" attachedToRef="whole" name="Died">'
        '<bpmn:messageEventDefinition id="at_any_time_event" messageRef="deceased"/></bpmn:boundaryEvent>',
        _end("done"),
        _end("ended"),
        _flow("f_start", "start", "whole"),
        _flow("f_whole", "whole", "done"),
        _flow("f_any", "at_any_time", "ended"),
        _TAIL,
    ]
    return "".join(parts).encode()


def _measured() -> bytes:
    steps = [f"step_{number:02d}" for number in range(1, STEPS + 1)]
    parts = ['<bpmn:startEvent id="inner_start" name="Begin"/>', _flow("f_inner", "inner_start", steps[0])]
    parts += [_task(name) for name in steps]
    parts.append('<bpmn:exclusiveGateway id="extra" name="More?" default="f_skip"/>')
    parts.append('<bpmn:exclusiveGateway id="round" name="Again?" default="f_end"/>')
    for here, there in itertools.pairwise(steps):
        if here == steps[4]:
            parts.append(_flow(f"f_{here}", here, "extra"))
            parts.append(_flow("f_extra", "extra", there, "extra_step"))
            parts.append(_flow("f_skip", "extra", steps[6]))
        else:
            parts.append(_flow(f"f_{here}", here, there))
    parts.append(_flow(f"f_{steps[-1]}", steps[-1], "round"))
    parts.append(_flow("f_again", "round", steps[0], "again"))
    parts.append(_flow("f_end", "round", "inner_end"))
    parts.append('<bpmn:endEvent id="inner_end" name="End"/>')
    return _framed(PATH, "".join(parts))


def _timed() -> bytes:
    wait = (
        '<bpmn:intermediateCatchEvent id="wait" name="Wait"><bpmn:timerEventDefinition id="wait_event">'
        '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">P1D</bpmn:timeDuration></bpmn:timerEventDefinition>'
        "</bpmn:intermediateCatchEvent>"
    )
    inside = [
        '<bpmn:startEvent id="inner_start" name="Begin"/>',
        wait,
        _task("after"),
        '<bpmn:endEvent id="inner_end" name="End"/>',
        _flow("f_inner", "inner_start", "wait"),
        _flow("f_wait", "wait", "after"),
        _flow("f_after", "after", "inner_end"),
    ]
    return _framed(TIMED, "".join(inside))


def _texts(text: str) -> dict[str, Json]:
    return {"ar": text, "ckb": text, "en": text}


def _field(kind: str, name: str, **more: Json) -> dict[str, Json]:
    return {"type": kind, "name": name, "label": _texts(name), "required": False, "class": "personal", **more}


def _form() -> dict[str, Json]:
    fields: list[Json] = [
        _field("yes_no", "extra_step", required=True),
        _field("yes_no", "again", required=True),
        _field("date", "seen_on", required=True),
        _field("select_one", "mood", list="moods", required=True),
        _field("integer", "household_size", constraint=". > 0", constraint_message=_texts("at least one")),
        _field("text", "met_at", relevant="household_size > 1"),
        _field("decimal", "income"),
        _field("long", "remarks"),
    ]
    choices: list[Json] = [{"name": code, "label": _texts(code)} for code in ("calm", "sad")]
    return {
        "form": "measured_form",
        "version": 1,
        "title": {"ar": "قياس", "ckb": "پێوانە", "en": "Measuring"},
        "choices": {"moods": choices},
        "fields": fields,
    }


DIAGRAMS = {PATH: _measured(), TIMED: _timed()}
"""Path key → BPMN."""

FORMS = {"measured_form": _form()}
"""Form key → content."""

REMARKS = "Came with her brother; the roof is repaired, the well is not. Asked for a second visit in spring. " * 3


def answers(*, again: bool = False) -> dict[str, Json]:
    """Give the answers of one step, 500 bytes; the same for both sides."""
    return {
        "extra_step": True,
        "again": again,
        "seen_on": "2026-02-27",
        "mood": "calm",
        "household_size": 5,
        "met_at": "at the cousin's house behind the mill",
        "income": "312.50",
        "remarks": REMARKS,
    }
