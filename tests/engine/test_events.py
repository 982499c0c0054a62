"""Messages, signals, errors, escalations, terminate, and how far each of them goes."""

from __future__ import annotations

import pytest

from nrm.engine.effects import (
    CancelChildRun,
    CancelTimer,
    CloseTask,
    Escalate,
    FailParent,
    FinishRun,
    RunStatus,
    StartChildRun,
    Subscribe,
    ThrowMessage,
    Unsubscribe,
)
from tests.engine.diagrams import (
    Play,
    boundary,
    box,
    call,
    chain,
    check,
    compiled,
    end,
    ext,
    message,
    ref,
    start,
    task,
    timer,
)

ERROR = '<bpmn:error id="e1" errorCode="no_consent"/><bpmn:error id="e2" errorCode="other"/>'
ESCALATION = '<bpmn:escalation id="esc" escalationCode="danger"/>'
SIGNAL = '<bpmn:signal id="sig" name="plan.changed"/>'


def sub(id: str, body: str) -> str:
    return box("subProcess", id, body)


def test_a_boundary_message_takes_the_task_away():
    spec = compiled(
        start() + task("a") + task("b") + end() + boundary("m", "a", ref("message", "m1")) + boundary("t", "a", timer("P1D"))
        + chain("start", "a", "end") + chain("m", "b", "end") + chain("t", "b"), root=message("m1", "case.transferred", "case"),
    )  # fmt: skip
    run = Play(spec)
    assert run.found(Subscribe)[0].correlation == "case"
    run.tell("m")
    assert [type(effect) for effect in run.last.effects[:3]] == [Unsubscribe, CancelTimer, CloseTask]
    assert run.waiting == ["b"]


def test_completing_the_task_forgets_its_boundary_events():
    spec = compiled(
        start() + task("a") + task("b") + end() + boundary("m", "a", ref("message", "m1")) + boundary("t", "a", timer("P1D"))
        + chain("start", "a", "end") + chain("m", "b", "end") + chain("t", "b"), root=message("m1", "case.transferred", "case"),
    )  # fmt: skip
    run = Play(spec)
    run.do("a")
    assert run.waiting == []
    assert {type(effect) for effect in run.last.effects} >= {Unsubscribe, CancelTimer}


def test_a_boundary_timer_that_does_not_interrupt_fires_once_beside_the_task():
    spec = compiled(
        start() + task("a") + task("nudge") + end() + boundary("t", "a", timer("P1D"), interrupting=False)
        + chain("start", "a", "end") + chain("t", "nudge", "end"),
    )  # fmt: skip
    run = Play(spec)
    run.ring("t")
    assert run.waiting == ["a", "nudge"]
    run.do("a")
    assert run.waiting == ["nudge"]
    run.do("nudge")
    assert run.last.status is RunStatus.FINISHED


def test_what_the_event_takes_enters_the_values_and_nothing_else_of_the_message():
    spec = compiled(
        start() + box("intermediateCatchEvent", "m", ext('<nrm:take name="why" from="reason"/>') + ref("message", "m1"))
        + check("next", "some_check", a="why", b="reason") + end() + chain("start", "m", "next", "end"),
        root=message("m1", "referral.declined"),
    )  # fmt: skip
    run = Play(spec)
    run.tell("m", reason="full", note="his name is …")
    assert run.last.values == {"why": "full"}


def test_a_thrown_message_carries_what_it_passes():
    spec = compiled(
        start() + box("intermediateThrowEvent", "tell", ext('<nrm:pass name="level" from="risk"/>') + ref("message", "m1"))
        + end("end", "ok", ref("message", "m1")) + chain("start", "tell", "end"), root=message("m1", "risk.raised", "case"),
    )  # fmt: skip
    run = Play(spec, {"risk": "high"})
    assert run.found(ThrowMessage) == [
        ThrowMessage(step="tell", message="risk.raised", correlation="case", values={"level": "high"}),
        ThrowMessage(step="end", message="risk.raised", correlation="case"),
    ]


def test_an_error_goes_to_the_nearest_handler_with_its_code():
    inner = sub("inner", start("s2") + task("a") + end("bad", None, ref("error", "e1")) + chain("s2", "a", "bad"))
    spec = compiled(
        start() + sub("outer", start("s1") + inner + end("o1") + chain("s1", "inner", "o1")
                      + boundary("wrong", "inner", ref("error", "e2")) + end("o2") + chain("wrong", "o2"))
        + end() + task("mend") + boundary("right", "outer", ref("error", "e1")) + boundary("any", "outer", ref("error"))
        + end("end2") + chain("start", "outer", "end") + chain("right", "mend", "end") + chain("any", "end2"), root=ERROR,
    )  # fmt: skip
    run = Play(spec)
    run.do("a")
    assert run.waiting == ["mend"]


def test_an_error_of_a_check_is_caught_at_the_check_or_fails_the_run():
    body = start() + check("c") + end() + chain("start", "c", "end")
    caught = Play(
        compiled(body + task("mend") + boundary("b", "c", ref("error", "e1")) + chain("b", "mend", "end"), root=ERROR)
    )
    caught.fail("c", "no_consent")
    assert caught.waiting == ["mend"]
    assert caught.found(CloseTask) == []
    failed = Play(compiled(body))
    failed.fail("c", "no_consent")
    assert failed.last.effects == (
        FailParent(step="c", code="no_consent"),
        FinishRun(outcome="no_consent", status=RunStatus.FAILED),
    )


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_is_caught_around_the_sub_process(interrupting):
    body = start("s1") + box("intermediateThrowEvent", "up", ref("escalation", "esc")) + task("a") + end("e1")
    spec = compiled(
        start() + sub("s", body + chain("s1", "up", "a", "e1")) + task("help") + end()
        + boundary("b", "s", ref("escalation", "esc"), interrupting=interrupting)
        + chain("start", "s", "end") + chain("b", "help", "end"), root=ESCALATION,
    )  # fmt: skip
    run = Play(spec)
    assert run.waiting == (["help"] if interrupting else ["a", "help"])
    assert run.found(Escalate) == []


def test_an_escalation_that_nobody_catches_goes_to_the_parent_run_and_this_one_goes_on():
    spec = compiled(
        start() + box("intermediateThrowEvent", "up", ref("escalation", "esc")) + task("a") + end()
        + chain("start", "up", "a", "end"), root=ESCALATION,
    )  # fmt: skip
    run = Play(spec)
    assert run.found(Escalate) == [Escalate(step="up", code="danger")]
    assert run.waiting == ["a"]


def test_terminate_ends_only_its_own_sub_process():
    inside = (
        start("s1") + box("parallelGateway", "p") + task("a") + task("b") + end("stop", None, "<bpmn:terminateEventDefinition/>")
        + end("e1") + chain("s1", "p", "a", "stop") + chain("p", "b", "e1")
    )  # fmt: skip
    run = Play(compiled(start() + sub("s", inside) + task("after") + end() + chain("start", "s", "after", "end")))
    run.do("a")
    assert [effect.step for effect in run.found(CloseTask)] == ["b"]
    assert run.waiting == ["after"]


def test_terminate_at_the_top_ends_the_run_with_its_outcome():
    spec = compiled(
        start() + box("parallelGateway", "p") + task("a") + call("c") + end("stop", "moved", "<bpmn:terminateEventDefinition/>")
        + end() + chain("start", "p", "a", "stop") + chain("p", "c", "end")
    )  # fmt: skip
    run = Play(spec)
    run.do("a")
    assert len(run.found(CancelChildRun)) == 1
    assert run.outcome == "moved"


def test_a_signal_wakes_every_waiting_event_of_the_run_and_leaves_it():
    spec = compiled(
        start() + box("parallelGateway", "p") + task("a") + box("intermediateCatchEvent", "w1", ref("signal", "sig"))
        + box("intermediateCatchEvent", "w2", ref("signal", "sig")) + task("t1") + task("t2")
        + box("intermediateThrowEvent", "call_out", ref("signal", "sig")) + end()
        + chain("start", "p", "a", "call_out", "end") + chain("p", "w1", "t1", "end") + chain("p", "w2", "t2", "end"), root=SIGNAL,
    )  # fmt: skip
    run = Play(spec)
    assert [(s.message, s.correlation) for s in run.found(Subscribe)] == [("signal:plan.changed", "case")] * 2
    run.do("a")
    assert run.waiting == ["t1", "t2"]
    assert run.found(ThrowMessage) == [ThrowMessage(step="call_out", message="signal:plan.changed", correlation="case")]


def test_cancelling_a_run_closes_everything_that_is_open():
    spec = compiled(
        start() + box("parallelGateway", "p") + sub("s", start("s1") + task("a") + end("e1") + chain("s1", "a", "e1"))
        + call("c") + box("intermediateCatchEvent", "t", timer("PT2H")) + box("receiveTask", "m", messageRef="m1") + end()
        + boundary("b", "s", timer("P1D")) + chain("b", "end")
        + "".join(chain("p", step, "end") for step in ("s", "c", "t", "m")) + chain("start", "p"), root=message("m1", "x.y"),
    )  # fmt: skip
    run = Play(spec)
    assert run.waiting == ["a", "b", "c", "m", "t"]
    run.cancel()
    assert run.waiting == []
    assert run.found(FinishRun) == [FinishRun(outcome=None, status=RunStatus.CANCELLED)]


def test_a_stage_is_entered_once():
    spec = compiled(
        start() + box("userTask", "a", ext('<nrm:stage code="intake"/>')) + end() + chain("start", "a", "end")
    )
    assert [effect.stage for effect in Play(spec).last.effects if type(effect).__name__ == "EnterStage"] == ["intake"]


def test_an_event_that_interrupts_a_sub_process_cancels_the_child_runs_in_it():
    spec = compiled(
        start() + sub("s", start("s1") + call("c") + end("e1") + chain("s1", "c", "e1")) + end()
        + boundary("b", "s", timer("P1D")) + end("late", "late") + chain("start", "s", "end") + chain("b", "late"),
    )  # fmt: skip
    run = Play(spec)
    token = run.found(StartChildRun)[0].token
    run.ring("b")
    assert run.found(CancelChildRun) == [CancelChildRun(token=token, step="c")]
    assert run.outcome == "late"
