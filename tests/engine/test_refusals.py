"""What cannot run is refused by name, at the element."""

from __future__ import annotations

import pytest

from nrm.engine.findings import Finding
from nrm.engine.parsing import compile_path
from nrm.engine.steps import Resources
from nrm.errors import BadPath
from tests.engine.diagrams import (
    boundary,
    box,
    call,
    chain,
    check,
    compiled,
    diagram,
    end,
    ext,
    flow,
    multi,
    ref,
    start,
    task,
    timer,
)


def found(body: str, root: str = "", resources: Resources | None = None) -> set[tuple[str, str]]:
    """Give the codes and elements of what is refused."""
    with pytest.raises(BadPath) as caught:
        compile_path(diagram(body, root=root), resources=resources or Resources())
    findings = [finding for finding in caught.value.findings if isinstance(finding, Finding)]
    return {(finding.code, finding.element) for finding in findings}


def around(step: str, more: str = "") -> str:
    """Put one step "x" between start and end."""
    return start() + step + end() + chain("start", "x", "end") + more


SUB = start("s1") + end("e1") + chain("s1", "e1")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (box("task", "x"), "plain_task"),
        (box("scriptTask", "x", "<bpmn:script>1</bpmn:script>"), "script_task"),
        (box("complexGateway", "x"), "complex_gateway"),
        (box("transaction", "x", SUB), "transaction"),
        (box("adHocSubProcess", "x", SUB), "ad_hoc"),
        (box("subProcess", "x", SUB, triggeredByEvent="true"), "event_subprocess"),
        (box("userTask", "x", isForCompensation="true"), "compensation"),
        (box("userTask", "x", startQuantity="2"), "token_quantity"),
        (box("userTask", "x", ext("<preScript>import os</preScript>")), "script_task"),
        (box("userTask", "x", "<bpmn:standardLoopCharacteristics/>"), "loop_marker"),
        (box("userTask", "x", "<bpmn:ioSpecification/>"), "data_mapping"),
        (box("userTask", "x", "<bpmn:resourceRole/>"), "unknown_element"),
        (box("intermediateThrowEvent", "x", "<bpmn:linkEventDefinition/>"), "link_event"),
        (box("intermediateThrowEvent", "x", "<bpmn:compensateEventDefinition/>"), "compensation"),
        (box("intermediateCatchEvent", "x", "<bpmn:conditionalEventDefinition/>"), "conditional_event"),
        (box("intermediateCatchEvent", "x", timer("R3/PT1H", "timeCycle")), "timer_cycle"),
        (box("intermediateCatchEvent", "x", timer("PT1H") + ref("message", "m")), "several_event_definitions"),
        (box("intermediateCatchEvent", "x", timer("3 days")), "bad_duration"),
        (box("intermediateCatchEvent", "x", timer("setting:NONE")), "timer_without_time"),
        (box("intermediateCatchEvent", "x", "<bpmn:timerEventDefinition/>"), "timer_without_time"),
        (box("intermediateCatchEvent", "x"), "event_misplaced"),
        (box("intermediateCatchEvent", "x", ref("message")), "unnamed_message"),
        (box("intermediateCatchEvent", "x", ref("message", "unnamed")), "unnamed_message"),
        (box("receiveTask", "x"), "unnamed_message"),
        (box("intermediateThrowEvent", "x", ref("error", "e")), "event_misplaced"),
        (box("intermediateThrowEvent", "x", ref("signal")), "event_without_name"),
        (box("serviceTask", "x"), "step_without_check"),
        (box("sendTask", "x"), "step_without_check"),
        (box("businessRuleTask", "x"), "step_without_table"),
        (box("businessRuleTask", "x", ext('<nrm:table key="none"/>')), "unknown_table"),
        (box("callActivity", "x"), "call_without_path"),
        (call("x", "p", "", '<nrm:call table="t" key="k"/>'), "call_of_two"),
        (box("callActivity", "x", ext('<nrm:call table="t" key="k"/>')), "unknown_call_table"),
        (call("x", "p", "", '<nrm:call version="latest"/>'), "bad_version"),
        (call("x", "p", "", '<nrm:pass name="a.b" from="c"/>'), "bad_value_name"),
        (task("x", multi("")), "multi_without_list"),
        (task("x", multi("people", "")), "multi_without_item"),
        (task("x", multi("people").replace('"false"', '"no"')), "bad_boolean"),
        (box("exclusiveGateway", "x", multi("people")), "multi_on_wrong_step"),
        (task("x", "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3</bpmn:loopCardinality>"
              "</bpmn:multiInstanceLoopCharacteristics>"), "multi_without_list"),
        (box("userTask", "x", ext('<nrm:due time="soon"/>')), "bad_due"),
        (box("eventBasedGateway", "x"), "event_gateway_without_event"),
        (box("subProcess", "x", task("y") + end("e1") + chain("y", "e1")), "no_start"),
        (box("subProcess", "x", start("s1") + SUB.replace("s1", "s2") + chain("s1", "e1")), "several_starts"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_run_is_refused(step, code):
    assert (code, "x") in found(around(step), root='<bpmn:message id="unnamed"/><bpmn:error id="e" errorCode="e"/>')


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (task("a") + end() + chain("a", "end"), ("no_start", "path")),
        (start() + start("start2") + end() + chain("start", "end") + chain("start2", "end"), ("several_starts", "path")),
        (start() + task("a") + chain("start", "a"), ("dead_end", "a")),
        (start() + end() + task("a") + chain("start", "end", "a", "end"), ("flow_out_of_end", "end")),
        (start() + task("a") + end() + chain("start", "a", "end") + chain("a", "start"), ("flow_into_start", "start")),
        (start() + task("a") + end() + chain("start", "a", "end") + flow("start", "end"), ("implicit_split", "start")),
        (start() + task("a") + end() + chain("start", "a") + flow("a", "end", "x"), ("condition_after_step", "a_end")),
        (around(box("parallelGateway", "x"), flow("x", "end", "a", id="f2")), ("condition_after_gateway", "f2")),
        (around(box("exclusiveGateway", "x"), flow("x", "end", "a", id="f2")), ("flow_without_condition", "x")),
        (start() + box("exclusiveGateway", "x") + end() + chain("start", "x") + flow("x", "end", "a"),
         ("condition_without_choice", "x")),
        (start() + box("exclusiveGateway", "x", default="f") + end() + chain("start", "x") + flow("x", "end", "a =")
         + flow("x", "end", id="f"), ("bad_expression", "x_end")),
        (around(task("x")) + boundary("b", "x", ref("error"), interrupting=False) + chain("b", "end"),
         ("error_must_interrupt", "b")),
        (around(task("x")) + boundary("b", "end", timer("P1D")) + chain("b", "end"), ("boundary_on_wrong_step", "b")),
        (around(task("x")) + boundary("b", "nobody", timer("P1D")) + chain("b", "end"), ("boundary_without_host", "b")),
        (around(task("x")) + boundary("b", "x", timer("P1D")) + chain("b", "end") + flow("x", "b"),
         ("flow_into_boundary", "b")),
        (around(box("subProcess", "x", SUB)) + flow("s1", "end", id="out"), ("flow_crosses_subprocess", "out")),
        (around(task("x")) + flow("x", "nobody", id="lost"), ("flow_to_nothing", "lost")),
        (box("startEvent", "start", timer("P1D")) + end() + chain("start", "end"), ("start_event_kind", "start")),
        (around(check("x", "c", it="a +")), ("bad_expression", "x")),
        (start() + end("x", None, ref("error")) + chain("start", "x"), ("event_without_name", "x")),
    ],
)  # fmt: skip
def test_a_shape_that_cannot_run_is_refused(body, finding):
    assert finding in found(body)


def test_an_arm_of_an_event_gateway_has_no_other_way_in():
    body = (
        start() + box("parallelGateway", "p") + box("eventBasedGateway", "g") + box("intermediateCatchEvent", "x", timer("P1D"))
        + end() + chain("start", "p", "g", "x", "end") + chain("p", "x")
    )  # fmt: skip
    assert ("event_with_other_way_in", "g") in found(body)


def test_a_data_object_two_levels_deep_is_refused_and_not_waited_for():
    inner = box(
        "subProcess", "deep", SUB.replace("s1", "s2").replace("e1", "e2") + '<bpmn:dataObjectReference id="d"/>'
    )
    body = around(box("subProcess", "x", start("s1") + inner + end("e1") + chain("s1", "deep", "e1")))
    assert ("data_object", "d") in found(body)


def test_every_finding_of_a_diagram_is_told_at_once():
    codes = {code for code, _ in found(around(box("task", "x")) + box("complexGateway", "y"))}
    assert codes >= {"plain_task", "complex_gateway"}


def test_a_wrong_decision_table_is_told_at_the_step_that_uses_it():
    body = around(box("businessRuleTask", "x", ext('<nrm:table key="t"/>')))
    bad = '<definitions><decision><decisionTable hitPolicy="COLLECT"/></decision></definitions>'
    codes = found(body, resources=Resources(tables={"t": bad}))
    assert codes == {("table_policy", "x"), ("table_shape", "x")}


def test_a_path_with_three_hundred_steps_in_a_row_is_parsed():
    names = [f"t{number}" for number in range(298)]
    spec = compiled(start() + "".join(task(name) for name in names) + end() + chain("start", *names, "end"))
    assert len(spec.steps) == 300
