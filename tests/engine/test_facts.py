"""What a parsed path says about its steps, its limits, and what it promises about closing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from nrm.engine import runtime
from nrm.engine.durations import parse_duration
from nrm.engine.effects import CloseTask, OpenTask, RunStatus, SetTimer
from nrm.engine.parsing import compile_path
from nrm.engine.runtime import StepFailed
from nrm.engine.steps import Call, Due, Multi, Resources, StepKind
from tests.engine.diagrams import (
    NOW,
    Play,
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
    message,
    multi,
    ref,
    start,
    task,
    timer,
)

TEXTS = (
    '<nrm:text kind="name" lang="ar">مقابلة</nrm:text><nrm:text lang="ckb">چاوپێکەوتن</nrm:text>'
    '<nrm:text kind="instruction" lang="en">Ask first.</nrm:text>'
)
LANES = (
    '<bpmn:laneSet id="ls"><bpmn:lane id="l1"><bpmn:extensionElements><nrm:desk role="case_handler"/></bpmn:extensionElements>'
    "<bpmn:flowNodeRef>talk</bpmn:flowNodeRef><bpmn:flowNodeRef>whole</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
)
PATH = (
    LANES + start()
    + box("userTask", "talk", ext(TEXTS + '<nrm:form key="intake"/><nrm:service category="DOC"/><nrm:stage code="intake"/>'
          '<nrm:due time="setting:TALK_TIME" calendar="clock" anchor="arrival" reminder="0" ladder="urgent"/>'), name="Interview")
    + box("subProcess", "whole", start("s1") + task("inner") + box("manualTask", "own", ext('<nrm:desk role="doctor" organisation="clinic"/>'
          '<nrm:due time="P3D"/>')) + end("e1", "planned") + chain("s1", "inner", "own", "e1"))
    + call("serve", "service", multi("ids", "one", sequential=True), '<nrm:call result="results" version="2"/>')
    + end() + chain("start", "talk", "whole", "serve", "end")
    + boundary("moved", "whole", ref("message", "m1"), interrupting=False) + chain("moved", "end")
)  # fmt: skip


def test_the_facts_of_each_step_are_there_for_pages_and_actions():
    spec = compiled(
        PATH, root=message("m1", "case.transferred", "case"), resources=Resources(settings={"TALK_TIME": "PT12H"}),
        extensions='<nrm:level code="restricted"/><nrm:text lang="ar">مسار</nrm:text>',
    )  # fmt: skip
    talk, own = spec.steps["talk"], spec.steps["own"]
    assert talk.names == {"en": "Interview", "ar": "مقابلة", "ckb": "چاوپێکەوتن"}
    assert talk.instructions == {"en": "Ask first."}
    assert (talk.role, talk.form, talk.service, talk.stage) == ("case_handler", "intake", "DOC", "intake")
    assert talk.due == Due(time="PT12H", calendar="clock", anchor="arrival", reminder=None, ladder="urgent")
    assert (own.role, own.organisation, own.parent, own.due) == ("doctor", "clinic", "whole", Due(time="P3D"))
    assert spec.steps["inner"].role == "case_handler", "the lane of the sub-process holds for what is in it"
    assert spec.steps["e1"].outcome == "planned"
    assert spec.steps["serve"].call == Call(path="service", version=2, result="results")
    assert spec.steps["serve"].multi == Multi(list="ids", item="one", sequential=True)
    moved = spec.steps["moved"]
    assert (moved.kind, moved.host, moved.interrupting, moved.event) == (StepKind.BOUNDARY, "whole", False, "message")
    assert (moved.message, moved.correlation) == ("case.transferred", "case")
    assert (spec.key, spec.level, spec.sensitive, spec.names) == ("path", "restricted", False, {"ar": "مسار"})
    assert spec.messages == {"case.transferred": "case"}
    assert spec.decisions == {"ids"}
    assert spec.flows["start_talk"].target == "talk"


def test_what_opens_and_closes_in_one_advance_does_not_appear():
    spec = compiled(
        start() + box("parallelGateway", "p") + box("subProcess", "s", start("s1") + box("parallelGateway", "q") + task("a")
        + end("stop", None, "<bpmn:terminateEventDefinition/>") + chain("s1", "q", "a", "stop") + flow("q", "stop"))
        + boundary("t", "s", timer("P1D")) + task("b") + end() + chain("start", "p", "s", "end") + chain("p", "b", "end")
        + chain("t", "end")
    )  # fmt: skip
    run = Play(spec)
    assert run.waiting == ["b"]
    assert run.found(CloseTask) == []
    assert run.found(SetTimer) == []
    assert [effect.step for effect in run.found(OpenTask)] == ["b"]


def test_a_list_of_fifty_in_a_list_of_fifty_is_more_than_a_run_may_hold():
    inner = start("s1") + task("each", multi("l", "two")) + end("e1") + chain("s1", "each", "e1")
    spec = compiled(start() + box("subProcess", "s", inner + multi("l", "one")) + end() + chain("start", "s", "end"))
    assert len(Play(spec, {"l": [str(n) for n in range(25)]}).open) == 625
    with pytest.raises(StepFailed) as caught:
        Play(spec, {"l": [str(n) for n in range(50)]})
    assert caught.value.code == "too_many_tokens"


def test_a_condition_that_is_too_much_work_fails_the_step():
    spec = compiled(
        start() + check("c", "x", it=f"concat({', '.join(['a'] * 60)})") + end() + chain("start", "c", "end")
    )
    for length, code in ((200, "expression_limit"), (100, "bad_value")):
        with pytest.raises(StepFailed) as caught:
            Play(spec, {"a": "x" * length})
        assert (caught.value.code, caught.value.element) == (code, "c")


def test_a_run_that_has_ended_takes_nothing_more():
    run = Play(compiled(start() + task("a") + end() + chain("start", "a", "end")))
    run.do("a")
    assert run.outcome == "end", "without an outcome code the id of the end says how it ended"
    for verb in (run.cancel, run.repair):
        with pytest.raises(StepFailed, match="run_ended"):
            verb()
    with pytest.raises(StepFailed, match="step_not_open"):
        run.do("a")


@pytest.mark.parametrize("token", [["a", 2, 1], ["a", 2, 7], ["nobody", 3, 1], ["a", 3, 1, {"code": 1}], ["a", 3, 1, [], 1],
                                   ["a", 3, 1, {"index": 4}], "a", 5])  # fmt: skip
def test_a_token_that_cannot_be_is_refused(token):
    spec = compiled(start() + task("a") + end() + chain("start", "a", "end"))
    state = json.loads(Play(spec).last.state)
    state["t"].append(token)
    with pytest.raises(StepFailed) as caught:
        runtime.cancel_run(spec, json.dumps(state), now=NOW)
    assert caught.value.code in {"state_unreadable", "state_other_path"}


def test_a_state_of_another_path_is_refused():
    one = compiled(start() + task("a") + end() + chain("start", "a", "end"))
    other = compile_path(
        diagram(start() + task("a") + end() + chain("start", "a", "end"), key="other"), resources=Resources()
    )
    with pytest.raises(StepFailed, match="state_other_path"):
        runtime.cancel_run(other, Play(one).last.state, now=NOW)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "3D", "P-3D", "P1.5D", "P3DT", "PT5", "P٣D", "P1D1Y", "p3d", "P1D 2", "P1234567D"]
)
def test_what_is_no_duration(text):
    assert parse_duration(text) is None


def test_a_duration_beyond_the_calendar_is_told():
    duration = parse_duration("P999Y")
    assert duration is not None
    with pytest.raises(OverflowError):
        duration.after(datetime(9500, 1, 1, tzinfo=UTC))
    assert parse_duration(" PT90M ").rest == timedelta(minutes=90)


def test_a_receive_task_waits_and_may_be_watched():
    spec = compiled(
        start() + box("receiveTask", "r", messageRef="m1") + task("late") + end() + boundary("t", "r", timer("P1D"))
        + chain("start", "r", "end") + chain("t", "late", "end"), root=message("m1", "x.y"),
    )  # fmt: skip
    run = Play(spec)
    assert run.waiting == ["r", "t"]
    run.tell("r")
    assert run.last.status is RunStatus.FINISHED
    late = Play(spec)
    late.ring("t")
    assert late.waiting == ["late"]


def test_a_send_task_gives_its_check_what_it_passes():
    spec = compiled(
        start() + box("sendTask", "s", ext('<nrm:check name="send_referral"/><nrm:pass name="service" from="service_id"/>'))
        + end() + chain("start", "s", "end")
    )  # fmt: skip
    (effect,) = Play(spec, {"service_id": "srv_1"}).open.values()
    assert effect.params == {"service": "srv_1"}
