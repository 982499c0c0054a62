"""Each seeded defect is found, with its code, at its element; a whole path has no finding."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from nrm.engine.findings import Finding, Severity
from nrm.engine.lint import Known, has_errors, lint_path
from nrm.engine.lint.words import EXTENSIONS
from nrm.engine.steps import Resources
from tests.engine import samples as s
from tests.engine.defects.table import TABLE
from tests.engine.samples import KNOWN, RESOURCES, SMALL, SMALL_INNER, whole


class Defect(NamedTuple):
    """A path with one mistake, the finding for it, and its severity."""

    code: str
    element: str
    xml: bytes
    severity: Severity = Severity.ERROR


def lint(xml: bytes, known: Known | None = KNOWN, resources: Resources = RESOURCES) -> tuple[Finding, ...]:
    return lint_path(xml, resources=resources, known=known)


def changed(old: str, new: str) -> bytes:
    """The small path with one text of its inner part replaced."""
    assert old in SMALL.decode(), old
    return SMALL.decode().replace(old, new).encode()


def with_step(step: str, name: str = "extra") -> bytes:
    """The small path with one more step between the check and the gateway."""
    inner = SMALL_INNER.replace(s.flow("record", "which"), s.flow("record", name) + step + s.flow(name, "which"))
    return whole(inner)


def inside(*parts: str) -> bytes:
    return whole("".join(parts))


def straight(*steps: tuple[str, str], before: str = "go", after: str = "done") -> str:
    """Steps in a row between a start and an end."""
    order = [before, *(name for name, _ in steps), after]
    flows = "".join(s.flow(a, b) for a, b in pairwise(order))
    return s.start(before) + "".join(step for _, step in steps) + s.end(after) + flows


def left(message: str, to: str) -> bytes:
    """The small path, which leaves a message of the case to somebody."""
    return changed(
        '<bpmn:subProcess id="whole" name="whole"><bpmn:extensionElements>',
        f'<bpmn:subProcess id="whole" name="whole"><bpmn:extensionElements><nrm:leave message="{message}" to="{to}"/>',
    )


MARKER = '<bpmn:multiInstanceLoopCharacteristics isSequential="false"/>'
VISIT = ("visit", s.user("visit"))
LOOP = (
    s.start("go") + s.flow("go", "merge") + s.gateway("merge") + s.flow("merge", "record") + s.check("record")
    + s.flow("record", "again") + s.gateway("again", default="out") + s.flow("again", "merge", "new_need")
    + s.flow("again", "done", name="out") + s.end("done")
)  # fmt: skip
PARALLEL = (
    s.start("go") + s.flow("go", "split") + s.gateway("split", "parallel") + s.flow("split", "a") + s.flow("split", "b")
    + s.user("a") + s.user("b")
)  # fmt: skip
EVENTS = (
    s.start("go") + s.flow("go", "wait") + s.gateway("wait", "event") + s.flow("wait", "yes") + s.flow("wait", "late")
    + s.catch("yes", s.message("m.accepted")) + s.catch("late", s.timer("setting:answer_time"))
    + s.flow("yes", "done") + s.flow("late", "expired") + s.end("done") + s.end("expired", "unmet")
)  # fmt: skip

DEFECTS = [
    # what the engine cannot run
    Defect("plain_task", "extra", with_step('<bpmn:task id="extra" name="x"/>')),
    Defect("script_task", "extra", with_step('<bpmn:scriptTask id="extra"><bpmn:script>1</bpmn:script></bpmn:scriptTask>')),
    Defect("complex_gateway", "extra", with_step('<bpmn:complexGateway id="extra"/>')),
    Defect("transaction", "extra", with_step('<bpmn:transaction id="extra"/>')),
    Defect("ad_hoc", "extra", with_step('<bpmn:adHocSubProcess id="extra"/>')),
    Defect("data_object", "thing", inside(SMALL_INNER, '<bpmn:dataObjectReference id="thing"/>')),
    Defect("data_store", "thing", inside(SMALL_INNER, '<bpmn:dataStoreReference id="thing"/>')),
    Defect("data_mapping", "visit", inside(straight(("visit", s.user("visit", inner="<bpmn:ioSpecification/>"))))),
    Defect("loop_marker", "visit", inside(straight(("visit", s.user("visit", inner="<bpmn:standardLoopCharacteristics/>"))))),
    Defect("event_subprocess", "whole", changed('<bpmn:subProcess id="whole"', '<bpmn:subProcess triggeredByEvent="true" id="whole"')),
    Defect("compensation", "visit", changed('<bpmn:userTask id="visit"', '<bpmn:userTask isForCompensation="true" id="visit"')),
    Defect("compensation", "served", inside(SMALL_INNER.replace(s.end("served"), s.end("served", inner="<bpmn:compensateEventDefinition/>")))),
    Defect("link_event", "extra", with_step(s.catch("extra", '<bpmn:linkEventDefinition name="x"/>'))),
    Defect("conditional_event", "extra", with_step(s.catch("extra", "<bpmn:conditionalEventDefinition/>"))),
    Defect("token_quantity", "visit", changed('<bpmn:userTask id="visit"', '<bpmn:userTask startQuantity="2" id="visit"')),
    Defect("not_executable", "small_path", changed('isExecutable="true"', 'isExecutable="false"')),
    Defect("bad_boolean", "small_path", changed('isExecutable="true"', 'isExecutable="yes"')),
    Defect("bad_path_key", "Small-Path", whole(SMALL_INNER, key="Small-Path")),
    # words of others
    Defect("unknown_element", "visit", inside(straight(("visit", s.user("visit", inner="<bpmn:rendering/>"))))),
    Defect("misplaced_element", "visit", inside(straight(("visit", s.user("visit", inner="<bpmn:lane/>"))))),
    Defect("unknown_attribute", "visit", changed('<bpmn:userTask id="visit"', '<bpmn:userTask onclick="x" id="visit"')),
    Defect("vendor_code", "visit", changed('<bpmn:userTask id="visit"', '<bpmn:userTask xmlns:camunda="http://camunda.org/schema/1.0/bpmn" camunda:expression="x" id="visit"')),
    Defect("vendor_code", "visit", inside(straight(("visit", s.user("visit", extra='<zeebe:script xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" expression="=1"/>'))))),
    Defect("pre_post_script", "visit", inside(straight(("visit", s.user("visit", extra='<f:preScript xmlns:f="http://spiffworkflow.org/bpmn/schema/1.0/core">x=1</f:preScript>'))))),
    Defect("vendor_note", "visit", inside(straight(("visit", s.user("visit", extra='<v:note xmlns:v="urn:v"/>')))), Severity.NOTE),
    Defect("unknown_extension", "visit", inside(straight(("visit", s.user("visit", extra="<nrm:script/>"))))),
    Defect("extension_misplaced", "served", inside(SMALL_INNER.replace('<nrm:outcome code="provided"/>', '<nrm:outcome code="provided"/><nrm:form key="visit"/>'))),
    Defect("extension_repeated", "visit", inside(straight(("visit", s.user("visit", extra='<nrm:form key="visit"/>'))))),
    Defect("extension_with_id", "x", inside(straight(("visit", s.user("visit", extra='<nrm:stage id="x" code="plan"/>'))))),
    Defect("hidden_character", "visit", changed('name="visit"', 'name="vi\u202esit"')),
    Defect("reserved_name", "record", inside(SMALL_INNER.replace('<nrm:param name="from"', '<nrm:param name="typename"'))),
    Defect("bad_value_name", "record", inside(SMALL_INNER.replace('<nrm:param name="from"', '<nrm:param name="a b"'))),
    # shape
    Defect("no_start", "whole", inside(s.user("visit") + s.flow("visit", "done") + s.end("done"))),
    Defect("several_starts", "two", inside(straight(VISIT) + s.start("two") + s.flow("two", "visit"))),
    Defect("no_end", "whole", inside(s.start("go") + s.flow("go", "visit") + s.user("visit"))),
    Defect("dead_end", "visit", inside(s.start("go") + s.flow("go", "visit") + s.user("visit") + s.end("done"))),
    Defect("unreachable", "lost", inside(straight(VISIT) + s.user("lost") + s.flow("lost", "done"))),
    Defect("no_way_to_end", "a", inside(s.start("go") + s.flow("go", "a") + s.user("a") + s.flow("a", "b") + s.user("b") + s.flow("b", "a") + s.end("done"))),
    Defect("flow_out_of_end", "done", inside(straight(VISIT) + s.flow("done", "visit"))),
    Defect("flow_into_start", "go", inside(straight(VISIT) + s.flow("visit", "go"))),
    Defect("flow_to_nothing", "loose", inside(straight(VISIT) + s.flow("visit", "nowhere", name="loose"))),
    Defect("flow_crosses_subprocess", "crossing", whole(straight(VISIT) + s.flow("visit", "finished", name="crossing"))),
    Defect("step_without_id", "whole", inside(straight(VISIT) + "<bpmn:userTask/>")),
    Defect("flow_without_id", "whole", inside(straight(VISIT) + '<bpmn:sequenceFlow sourceRef="go" targetRef="done"/>')),
    Defect("implicit_split", "visit", inside(straight(VISIT) + s.flow("visit", "two") + s.end("two"))),
    Defect("double_flow", "visit", inside(straight(VISIT) + s.flow("visit", "done", name="twice")), Severity.WARNING),
    Defect("condition_after_step", "visit.done", inside(s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "done", "met") + s.end("done"))),
    Defect("condition_after_gateway", "split.a", inside(PARALLEL.replace(s.flow("split", "a"), s.flow("split", "a", "met")))),
    Defect("gateway_without_default", "which", inside(SMALL_INNER.replace(' default="to_none"', ""))),
    Defect("default_is_no_flow", "which", inside(SMALL_INNER.replace(' default="to_none"', ' default="visit.record"'))),
    Defect("default_without_choice", "split", inside(PARALLEL.replace('id="split"', 'id="split" default="split.a"'))),
    Defect("condition_on_default", "to_none", inside(SMALL_INNER.replace(s.flow("which", "not_served", name="to_none"), s.flow("which", "not_served", "met", name="to_none"))), Severity.WARNING),
    Defect("flow_without_condition", "which.served", inside(SMALL_INNER.replace(s.flow("which", "served", "new_need and visits > 0"), s.flow("which", "served")))),
    Defect("gateway_without_purpose", "extra", with_step(s.gateway("extra")), Severity.WARNING),
    Defect("condition_without_choice", "only", inside(straight(VISIT, ("g", s.gateway("g"))).replace(s.flow("g", "done"), s.flow("g", "done", "met", name="only")))),
    Defect("loop_without_wait", "merge", inside(LOOP)),
    Defect("parallel_in_loop", "split", inside(straight(("merge", s.gateway("merge")), ("split", s.gateway("split", "parallel")), VISIT) + s.flow("split", "b") + s.user("b") + s.flow("b", "merge")), Severity.WARNING),
    Defect("soundness_lack_of_synchronisation", "c", inside(PARALLEL, s.flow("a", "c"), s.flow("b", "c"), s.user("c"), s.flow("c", "done"), s.end("done"))),
    Defect("soundness_lack_of_synchronisation", "meet", inside(PARALLEL, s.flow("a", "meet"), s.flow("b", "meet"), s.gateway("meet"), s.flow("meet", "done"), s.end("done"))),
    Defect("soundness_deadlock", "join", inside(
        s.start("go"), s.flow("go", "visit"), s.user("visit"), s.flow("visit", "x"), s.gateway("x", default="x.b"), s.flow("x", "a", "met"), s.flow("x", "b"), s.user("a"), s.user("b"),
        s.flow("a", "join"), s.flow("b", "join"), s.gateway("join", "parallel"), s.flow("join", "done"), s.end("done"))),
    Defect("soundness_never_ends", "a", inside(
        s.start("go"), s.flow("go", "a"), s.user("a"), s.flow("a", "x"), s.gateway("x", default="x.m"), s.flow("x", "done", "met and not met"), s.flow("x", "m"),
        s.gateway("m"), s.flow("m", "b"), s.user("b"), s.flow("b", "x"), s.end("done"))),
    Defect("soundness_dead_step", "b", inside(
        s.start("go"), s.flow("go", "a"), s.user("a"), s.flow("a", "x"), s.gateway("x", default="x.done"), s.flow("x", "b", "met and not met"), s.flow("x", "done"),
        s.user("b"), s.flow("b", "done"), s.end("done"))),
    # events
    Defect("start_event_kind", "begin", changed('<bpmn:startEvent id="begin">', '<bpmn:startEvent id="begin"><bpmn:timerEventDefinition/>')),
    Defect("inner_start_with_event", "go", inside(straight(VISIT).replace(s.start("go"), s.start("go", s.message("m.accepted"))))),
    Defect("event_without_definition", "extra", with_step('<bpmn:intermediateCatchEvent id="extra"/>')),
    Defect("event_misplaced", "extra", with_step(s.catch("extra", '<bpmn:errorEventDefinition errorRef="e.broken"/>'))),
    Defect("several_event_definitions", "extra", with_step(s.catch("extra", s.message("m.accepted") + s.timer()))),
    Defect("event_without_name", "extra", with_step(s.catch("extra", "<bpmn:messageEventDefinition/>"))),
    Defect("event_without_name", "extra", with_step('<bpmn:receiveTask id="extra" name="x"/>')),
    Defect("reference_to_nothing", "extra", with_step(s.catch("extra", s.message("m.nobody")))),
    Defect("unnamed_message", "m.accepted", with_step(s.catch("extra", s.message("m.accepted"))).replace(b' name="referral.accepted"', b"")),
    Defect("unknown_message", "extra", with_step(s.catch("extra", s.message("m.accepted"))).replace(b'"referral.accepted"', b'"never.sent"'), Severity.WARNING),
    Defect("message_defined_twice", "m.declined", changed('"referral.declined"', '"referral.accepted"')),
    Defect("bad_correlation", "m.died", changed('name="person.deceased"><bpmn:extensionElements><nrm:correlation key="case"', 'name="person.deceased"><bpmn:extensionElements><nrm:correlation key="world"')),
    Defect("timer_cycle", "extra", with_step(s.catch("extra", "<bpmn:timerEventDefinition><bpmn:timeCycle>R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>"))),
    Defect("timer_without_time", "extra", with_step(s.catch("extra", "<bpmn:timerEventDefinition/>"))),
    Defect("bad_duration", "extra", with_step(s.catch("extra", s.timer("three days")))),
    Defect("bad_duration", "extra", with_step(s.catch("extra", s.timer("P0D")))),
    Defect("unknown_setting", "extra", with_step(s.catch("extra", s.timer("setting:no_such")))),
    Defect("setting_is_no_duration", "extra", with_step(s.catch("extra", s.timer("setting:most_visits")))),
    Defect("bad_date", "extra", with_step(s.catch("extra", "<bpmn:timerEventDefinition><bpmn:timeDate>2026-01-01T00:00</bpmn:timeDate></bpmn:timerEventDefinition>"))),
    Defect("boundary_without_host", "late", inside(straight(VISIT) + s.boundary("late", "nobody", s.timer()) + s.flow("late", "done"))),
    Defect("boundary_on_wrong_step", "late", inside(straight(VISIT) + s.boundary("late", "go", s.timer()) + s.flow("late", "done"))),
    Defect("boundary_never_fires", "late", inside(SMALL_INNER + s.boundary("late", "record", s.timer()) + s.flow("late", "served")), Severity.WARNING),
    Defect("flow_into_boundary", "late", inside(straight(VISIT) + s.boundary("late", "visit", s.timer()) + s.flow("late", "done") + s.flow("visit", "late"))),
    Defect("error_must_interrupt", "bad", inside(straight(VISIT) + s.boundary("bad", "visit", '<bpmn:errorEventDefinition errorRef="e.broken"/>', "false") + s.flow("bad", "done"))),
    Defect("event_gateway_without_event", "late", inside(EVENTS.replace(s.catch("late", s.timer("setting:answer_time")), s.user("late")))),
    Defect("event_gateway_with_one_way", "wait", inside(straight(("wait", s.gateway("wait", "event")), ("yes", s.catch("yes", s.message("m.accepted")))))),
    Defect("event_with_other_way_in", "late", inside(EVENTS.replace(s.flow("yes", "done"), s.flow("yes", "late")))),
    Defect("several_timers", "wait", inside(EVENTS, s.flow("wait", "later"), s.catch("later", s.timer("P9D")), s.flow("later", "done"))),
    Defect("same_message_twice", "wait", inside(EVENTS, s.flow("wait", "too"), s.catch("too", s.message("m.accepted")), s.flow("too", "done"))),
    Defect("starting_gateway", "wait", inside(EVENTS.replace('id="wait"', 'id="wait" instantiate="true"'))),
    Defect("parallel_event_gateway", "wait", inside(EVENTS.replace('id="wait"', 'id="wait" eventGatewayType="Parallel"'))),
    Defect("case_message_missing", "whole", changed('name="risk.raised"', 'name="something.else"'), Severity.WARNING),
    Defect("case_message_left_wrongly", "whole", left("consent.withdrawn", "caller")),
    Defect("case_message_left_wrongly", "whole", left("risk.raised", "nobody")),
    Defect("case_message_not_interrupting", "on_died", changed('attachedToRef="whole" cancelActivity="true"', 'attachedToRef="whole" cancelActivity="false"'), Severity.WARNING),
    Defect("no_whole_path_subprocess", "small_path", s.process(straight(VISIT)), Severity.WARNING),
    # what steps name
    Defect("task_without_form", "visit", changed('<nrm:form key="visit"/>', "")),
    Defect("unknown_form", "visit", changed('<nrm:form key="visit"/>', '<nrm:form key="no_such"/>')),
    Defect("task_without_desk", "visit", changed('<nrm:desk role="case_handler"/>', "")),
    Defect("desk_without_role", "visit", changed('<nrm:desk role="case_handler"/>', "<nrm:desk/>")),
    Defect("unknown_role", "visit", changed('<nrm:desk role="case_handler"/>', '<nrm:desk role="king"/>')),
    Defect("unknown_organisation", "visit", changed('<nrm:desk role="case_handler"/>', '<nrm:desk role="case_handler" organisation="circus"/>')),
    Defect("task_without_due", "visit", changed('<nrm:due time="P3D"/>', "")),
    Defect("bad_duration", "visit", changed('<nrm:due time="P3D"/>', '<nrm:due time="3 days"/>')),
    Defect("bad_due", "visit", changed('<nrm:due time="P3D"/>', '<nrm:due time="P3D" calendar="moon"/>')),
    Defect("bad_due", "visit", changed('<nrm:due time="P3D"/>', '<nrm:due time="P3D" reminder="175"/>')),
    Defect("unknown_ladder", "visit", changed('<nrm:due time="P3D"/>', '<nrm:due time="P3D" ladder="rope"/>')),
    Defect("unknown_service", "visit", changed('<nrm:form key="visit"/>', '<nrm:form key="visit"/><nrm:service category="magic"/>')),
    Defect("unknown_stage", "visit", changed('<nrm:form key="visit"/>', '<nrm:form key="visit"/><nrm:stage code="limbo"/>')),
    Defect("unknown_level", "small_path", changed("<bpmn:extensionElements>" + s.names("small_path"), '<bpmn:extensionElements><nrm:level code="x"/>' + s.names("small_path"))),
    Defect("step_without_check", "record", inside(SMALL_INNER.replace('<nrm:check name="record_visit">', "<nrm:check>"))),
    Defect("unknown_check", "record", changed('name="record_visit"', 'name="os.system"')),
    Defect("unknown_param", "record", changed('<nrm:param name="from"', '<nrm:param name="form"')),
    Defect("param_missing", "extra", with_step(s.check("extra", "close_case"))),
    Defect("param_twice", "record", changed("value=\"'visit'\"/>", "value=\"'visit'\"/><nrm:param name=\"from\" value=\"1\"/>")),
    Defect("bad_param", "record", changed("value=\"'visit'\"", 'value="open(1).read()"')),
    Defect("step_without_table", "extra", with_step('<bpmn:businessRuleTask id="extra" name="x"/>')),
    Defect("unknown_table", "extra", with_step(f'<bpmn:businessRuleTask id="extra" name="x">{s.ext("<nrm:table key=" + chr(34) + "no" + chr(34) + "/>")}</bpmn:businessRuleTask>')),
    Defect("table_without_result", "extra", with_step(f'<bpmn:businessRuleTask id="extra" name="x">{s.ext("<nrm:table key=" + chr(34) + "priority" + chr(34) + " result=" + chr(34) + "rank" + chr(34) + "/>")}</bpmn:businessRuleTask>')),
    Defect("call_without_path", "extra", with_step(s.call("extra", ""))),
    Defect("call_of_two", "extra", with_step(s.call("extra", extra='<nrm:call table="service_paths" key="visits"/>'))),
    Defect("call_table_without_key", "extra", with_step(s.call("extra", "", '<nrm:call table="service_paths"/>'))),
    Defect("unknown_call_table", "extra", with_step(s.call("extra", "", '<nrm:call table="no" key="visits"/>'))),
    Defect("unknown_path", "extra", with_step(s.call("extra", "no_such"))),
    Defect("bad_version", "extra", with_step(s.call("extra", extra='<nrm:call version="latest"/>'))),
    Defect("calls_itself", "extra", with_step(s.call("extra", "small_path")), Severity.WARNING),
    Defect("calls_itself_without_wait", "again", inside(straight(("again", s.call("again", "small_path"))))),
    Defect("calls_in_circle", "extra", with_step(s.call("extra", "back_path")), Severity.WARNING),
    Defect("multi_without_list", "extra", with_step(s.call("extra", inner=s.multi("")))),
    Defect("multi_without_list", "extra", with_step(s.call("extra", extra='<nrm:multi item="service_id"/>', inner=MARKER))),
    Defect("multi_without_item", "extra", with_step(s.call("extra", extra='<nrm:multi list="service_ids"/>', inner=MARKER))),
    Defect("multi_without_marker", "extra", with_step(s.call("extra", extra='<nrm:multi list="service_ids" item="service_id"/>'))),
    Defect("multi_without_item", "extra", with_step(s.call("extra", inner=s.multi().replace("<bpmn:inputDataItem", "<bpmn:documentation").replace('name="service_id"', "")))),
    Defect("multi_on_wrong_step", "extra", with_step(f'<bpmn:receiveTask id="extra" name="x" messageRef="m.accepted">{s.multi()}</bpmn:receiveTask>')),
    Defect("loop_cardinality", "extra", with_step(s.call("extra", inner=s.multi(inner="<bpmn:loopCardinality>99999</bpmn:loopCardinality>")))),
    Defect("end_without_outcome", "finished", inside(straight(VISIT).replace('<nrm:outcome code="provided"/>', ""))),
    Defect("end_without_outcome", "end_died", changed('<bpmn:endEvent id="end_died" name="end_died"><bpmn:extensionElements><nrm:outcome code="withdrawn"/>', '<bpmn:endEvent id="end_died" name="end_died"><bpmn:extensionElements>')),
    Defect("unknown_outcome", "served", changed('<nrm:outcome code="provided"/>', '<nrm:outcome code="splendid"/>')),
    Defect("lane_of_nothing", "lane", inside(SMALL_INNER, f'<bpmn:laneSet id="lanes"><bpmn:lane id="lane" name="l">{s.ext(s.names("l"))}<bpmn:flowNodeRef>nobody</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'), Severity.WARNING),
    Defect("step_in_two_lanes", "lane2", inside(SMALL_INNER, '<bpmn:laneSet id="lanes"><bpmn:lane id="lane1"><bpmn:flowNodeRef>visit</bpmn:flowNodeRef></bpmn:lane><bpmn:lane id="lane2"><bpmn:flowNodeRef>visit</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>')),
    Defect("flow_list_differs", "visit", inside(straight(("visit", s.user("visit", inner="<bpmn:incoming>other</bpmn:incoming>")))), Severity.WARNING),
    # values
    Defect("bad_condition", "which.served", inside(SMALL_INNER.replace("new_need and visits", "new_need and and visits"))),
    Defect("bad_condition", "which.served", inside(SMALL_INNER.replace("new_need and visits", "__import__('os').system('id') or visits"))),
    Defect("doubtful_condition", "which.served", inside(SMALL_INNER.replace("new_need and visits", "1 > 2 and visits")), Severity.WARNING),
    Defect("value_never_given", "which.served", inside(SMALL_INNER.replace("new_need and visits", "happiness and visits"))),
    Defect("value_never_given", "early", inside(straight(("early", s.call("early", extra='<nrm:pass name="a" from="visits"/>')), VISIT)), Severity.WARNING),
    Defect("value_never_given", "early", inside(straight(("early", s.call("early", inner=s.multi("visits"))), VISIT))),
    Defect("value_may_be_missing", "which.c", inside(
        s.start("go"), s.flow("go", "first"), s.user("first", "story"), s.flow("first", "x"), s.gateway("x", default="x.y"), s.flow("x", "visit", "1 > 0"), s.flow("x", "y"), s.user("visit"), s.flow("visit", "y"),
        s.gateway("y"), s.flow("y", "which"), s.gateway("which", default="which.d"), s.flow("which", "c", "met"), s.flow("which", "d"), s.end("c"), s.end("d")), Severity.WARNING),
    Defect("free_text_decision", "visit", inside(SMALL_INNER.replace("new_need and visits", "notes == 'x' and visits"))),
    Defect("type_not_for_decisions", "extra", with_step(s.user("extra", "story")).replace(b"new_need and", b"place == 1 and")),
    # texts and drawing
    Defect("text_missing", "visit", changed('<nrm:text lang="ckb">visit ک</nrm:text>', "")),
    Defect("instruction_missing", "visit", inside(straight(("visit", s.user("visit", extra='<nrm:text kind="instruction" lang="en">Ask first.</nrm:text>'))))),
    Defect("title_with_value", "visit", changed('name="visit"', 'name="Visit {person_name}"')),
    Defect("title_with_value", "visit", changed("visit ک", "visit ${name}")),
    Defect("bad_text_language", "visit", changed('<nrm:text lang="ckb">visit ک', '<nrm:text lang="fr">visit ک')),
    Defect("bad_text_kind", "visit", changed('<nrm:text lang="ckb">visit ک', '<nrm:text lang="ckb" kind="song">visit ک')),
    Defect("text_twice", "visit", changed('<nrm:text lang="ckb">visit ک', '<nrm:text lang="ar">visit ک')),
    Defect("drawing_missing", "small_path", whole(SMALL_INNER, drawing=False), Severity.WARNING),
    Defect("step_not_drawn", "visit", changed('bpmnElement="visit"', 'bpmnElement="elsewhere"'), Severity.WARNING),
    Defect("bad_coordinates", "visit_di", changed('bpmnElement="visit"><dc:Bounds x="1"', 'bpmnElement="visit"><dc:Bounds x="1e309"'), Severity.WARNING),
]  # fmt: skip


def test_a_whole_path_has_no_finding() -> None:
    assert lint(SMALL) == ()


def test_a_path_that_waits_for_an_answer_or_a_time_has_no_finding() -> None:
    assert lint(inside(EVENTS)) == ()


def test_parallel_branches_that_join_have_no_finding() -> None:
    joined = PARALLEL + s.flow("a", "join") + s.flow("b", "join") + s.gateway("join", "parallel")
    assert lint(inside(joined + s.flow("join", "done") + s.end("done"))) == ()


def test_an_inclusive_choice_may_be_joined_inclusively() -> None:
    inner = (
        s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "split")
        + s.gateway("split", "inclusive", default="split.b") + s.flow("split", "a", "met") + s.flow("split", "b")
        + s.flow("split", "c", "visits > 1") + s.user("a") + s.user("b") + s.user("c") + s.flow("a", "join") + s.flow("b", "join")
        + s.flow("c", "join") + s.gateway("join", "inclusive") + s.flow("join", "done") + s.end("done")
    )  # fmt: skip
    assert lint(inside(inner)) == ()


def test_a_loop_in_which_a_person_decides_has_no_finding() -> None:
    assert lint(inside(LOOP.replace(s.check("record"), s.user("record")).replace("new_need", "met"))) == ()


def test_a_call_over_a_list_that_a_form_gives_has_no_finding() -> None:
    step = s.call(
        "extra",
        extra='<nrm:pass name="service" from="service_id"/><nrm:take name="cost" from="cost"/>',
        inner=s.multi(),
    )
    assert lint(with_step(step)) == ()


def test_a_side_branch_needs_no_outcome_of_its_own() -> None:
    """A reminder that runs beside the path, or a call that is made beside a referral, ends without one."""
    reminder = s.boundary("nudge", "visit", s.timer(), "false") + s.flow("nudge", "nudged") + s.end("nudged", "")
    assert lint(inside(straight(VISIT) + reminder)) == ()
    beside = PARALLEL + s.flow("a", "done") + s.flow("b", "called") + s.end("done") + s.end("called", "")
    assert lint(inside(beside)) == ()


def test_two_branches_that_both_end_without_outcome_are_found() -> None:
    beside = PARALLEL + s.flow("a", "done") + s.flow("b", "called") + s.end("done", "") + s.end("called", "")
    assert [finding.element for finding in lint(inside(beside))] == ["finished"]


def test_steps_after_the_messages_of_the_case_may_stand_outside_of_the_sub_process() -> None:
    xml = SMALL.decode().replace(
        s.flow("on_died", "end_died"), s.flow("on_died", "close") + s.check("close") + s.flow("close", "end_died")
    )
    found = [finding.code for finding in lint(xml.encode()) if finding.code != "step_not_drawn"]
    assert found == []


def test_a_lane_gives_the_desk() -> None:
    lane = (
        f'<bpmn:laneSet id="lanes"><bpmn:lane id="lane" name="Branch">{s.ext("<nrm:desk role=" + chr(34) + "supervisor" + chr(34) + "/>", s.names("Branch"))}'
        "<bpmn:flowNodeRef>whole</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    xml = (
        SMALL.decode()
        .replace('<nrm:desk role="case_handler"/>', "")
        .replace('<bpmn:startEvent id="begin">', lane + '<bpmn:startEvent id="begin">', 1)
    )
    assert lint(xml.encode()) == ()


def test_values_that_a_caller_passes_are_given() -> None:
    xml = inside(SMALL_INNER.replace("new_need and visits", "emergency and visits"))
    assert [finding.code for finding in lint(xml)] == ["value_never_given"]
    assert lint(xml, dataclasses.replace(KNOWN, passed={"small_path": frozenset({"emergency"})})) == ()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.code}-{defect.element}")
def test_a_defect_is_found_with_its_code_at_its_element(defect: Defect) -> None:
    found = {(finding.code, finding.element, finding.severity) for finding in lint(defect.xml)}
    assert (defect.code, defect.element, defect.severity) in found


def test_every_finding_of_the_lint_has_a_defect_that_shows_it() -> None:
    from nrm.engine.lint import words
    from tests.engine.test_finding_texts import codes_in
    from tests.engine.test_lint_calls import SHOWN

    shown = SHOWN | {defect.code for defect in DEFECTS} | {seeded.code for seeded in TABLE}
    folder = Path(words.__file__).parent
    elsewhere = set(words.REFUSED.values()) | {"soundness_unknown", "case_message_left_to_nobody"}
    assert codes_in(folder) - shown - elsewhere == set()


def test_without_a_pack_only_the_diagram_is_checked() -> None:
    assert lint(SMALL, None, Resources()) == ()


def test_the_same_file_gives_the_same_list_each_time() -> None:
    xml = inside(LOOP, PARALLEL)
    assert lint(xml) == lint(xml)
    lines = [finding.line or 0 for finding in lint(xml)]
    assert lines == sorted(lines)


def test_an_unreadable_file_is_a_finding_and_not_an_exception() -> None:
    assert [finding.code for finding in lint(b"<")] == ["not_xml"]


def test_ten_parallel_branches_of_choices_end_soon() -> None:
    inner = s.start("go") + s.flow("go", "split") + s.gateway("split", "parallel")
    for n in range(10):
        inner += (
            s.flow("split", f"u{n}") + s.user(f"u{n}") + s.flow(f"u{n}", f"x{n}") + s.gateway(f"x{n}", default=f"no{n}")
        )
        inner += (
            s.flow(f"x{n}", f"m{n}", "met")
            + s.flow(f"x{n}", f"m{n}", name=f"no{n}")
            + s.gateway(f"m{n}")
            + s.flow(f"m{n}", "join")
        )
    xml = inside(inner + s.gateway("join", "parallel") + s.flow("join", "done") + s.end("done"))
    assert not has_errors(lint(xml))


def test_more_ways_than_can_be_tried_are_said() -> None:
    inner = s.start("go") + s.flow("go", "split") + s.gateway("split", "parallel")
    for n in range(13):
        inner += (
            s.flow("split", f"u{n}") + s.user(f"u{n}") + s.flow(f"u{n}", f"x{n}") + s.gateway(f"x{n}", default=f"no{n}")
        )
        inner += (
            s.flow(f"x{n}", f"a{n}", "met")
            + s.flow(f"x{n}", f"b{n}", name=f"no{n}")
            + s.user(f"a{n}")
            + s.user(f"b{n}")
        )
        inner += s.flow(f"a{n}", "join") + s.flow(f"b{n}", "join")
    xml = inside(inner + s.gateway("join", "inclusive") + s.flow("join", "done") + s.end("done"))
    assert "soundness_unknown" in [finding.code for finding in lint(xml)]


def test_a_called_path_may_leave_a_raised_risk_to_the_path_that_started_it() -> None:
    """One risk asks for one emergency task: a case has many runs, and each of them hears the message."""
    silent = left("risk.raised", "caller").decode().replace('name="risk.raised"', 'name="something.else"').encode()
    assert "case_message_missing" not in {finding.code for finding in lint(silent)}
    assert "case_message_left_to_nobody" not in {finding.code for finding in lint(silent)}
    alone = dataclasses.replace(KNOWN, paths={"small_path": frozenset({"small_path"}), "other_path": frozenset()})
    assert "case_message_left_to_nobody" in {finding.code for finding in lint(silent, alone)}


def test_a_list_may_be_named_in_both_ways() -> None:
    """`nrm:multi` says what BPMN's own reference to a data object said in older files; both are read."""
    old = with_step(s.call("extra", inner=s.multi()))
    new = with_step(s.call("extra", extra='<nrm:multi list="service_ids" item="service_id"/>', inner=MARKER))
    assert lint(old) == lint(new)


def test_the_allow_list_says_what_the_editor_reads() -> None:
    """`nrm-moddle.json` is what the BPMN editor loads: both must allow the same extension elements and attributes."""
    moddle = json.loads((Path(__file__).parents[2] / "workflows" / "nrm-moddle.json").read_text("utf-8"))
    for kind in moddle["types"]:
        name = kind["name"].lower()
        if name == "param":
            continue
        attributes, owners = EXTENSIONS[name]
        assert attributes == {each["name"] for each in kind["properties"] if each.get("isAttr")}, name
        allowed = {owner.removeprefix("bpmn:") for owner in kind["meta"]["allowedIn"]}
        if "*" not in allowed and "FlowNode" not in allowed:
            assert {owner[0].lower() + owner[1:] for owner in allowed} == owners, name
    assert len(moddle["types"]) == len(EXTENSIONS) + 1
