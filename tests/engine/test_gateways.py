"""Choices, splits and joins."""

from __future__ import annotations

import pytest

from nrm.engine.effects import PassedStep
from nrm.engine.runtime import StepFailed
from tests.engine.diagrams import Play, box, chain, check, compiled, end, flow, ref, start, task, timer

PARALLEL = (
    start() + box("parallelGateway", "split") + task("a") + task("b") + box("parallelGateway", "join") + task("after")
    + end() + chain("start", "split", "a", "join", "after", "end") + chain("split", "b", "join")
)  # fmt: skip


def test_both_branches_are_open_and_the_join_waits_for_both():
    run = Play(compiled(PARALLEL))
    assert run.waiting == ["a", "b"]
    run.do("b")
    assert run.waiting == ["a"]
    run.do("a")
    assert run.waiting == ["after"]


def test_each_flow_of_a_split_is_recorded_for_the_drawing():
    run = Play(compiled(PARALLEL))
    ways = [effect.way for effect in run.last.effects if isinstance(effect, PassedStep) and effect.step == "split"]
    assert ways == ["split_a", "split_b"]


def test_of_two_branches_that_write_the_same_value_the_last_completed_stands():
    run = Play(compiled(PARALLEL.replace('id="after"', 'id="after" ') + read_value("level")))
    run.do("b", level="from b")
    run.do("a", level="from a")
    assert run.last.values == {"level": "from a"}


def read_value(name: str) -> str:
    """Write a separate check that reads a value, so that the path keeps it; nothing leads to it."""
    return (
        check("reader", "some_check", it=name)
        + box("boundaryEvent", "late", ref("error"), attachedToRef="after")
        + chain("late", "reader", "end")
    )


def test_a_token_too_many_waits_for_its_partner():
    # Two tokens come along the first flow before one comes along the second: one pair passes, one token stays.
    spec = compiled(
        start() + box("parallelGateway", "split") + task("a") + task("b") + task("c") + box("exclusiveGateway", "merge")
        + box("parallelGateway", "join") + task("after") + end()
        + chain("start", "split", "a", "merge", "join", "after", "end") + chain("split", "b", "merge")
        + chain("split", "c", "join")
    )  # fmt: skip
    run = Play(spec)
    run.do("a")
    run.do("b")
    run.do("c")
    assert run.waiting == ["after"]
    with pytest.raises(StepFailed) as caught:
        run.do("after")
    assert (caught.value.code, caught.value.element) == ("join_never_complete", "join")


INCLUSIVE = (
    start() + task("screen") + box("inclusiveGateway", "split", default="split_none") + task("health") + task("child")
    + task("none") + box("inclusiveGateway", "join") + task("after") + end()
    + chain("start", "screen", "split") + flow("split", "health", "sick == True") + flow("split", "child", "minor == True")
    + flow("split", "none") + chain("health", "join") + chain("child", "join") + chain("none", "join", "after", "end")
)  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "opened"),
    [
        ({"sick": True, "minor": True}, ["child", "health"]),
        ({"sick": True}, ["health"]),
        ({}, ["none"]),
    ],
)
def test_an_inclusive_gateway_opens_what_is_true_and_joins_what_it_opened(answers, opened):
    run = Play(compiled(INCLUSIVE))
    run.do("screen", **answers)
    assert run.waiting == opened
    for step in opened:
        assert "after" not in run.waiting
        run.do(step)
    assert run.waiting == ["after"]


def test_an_inclusive_join_does_not_wait_for_a_token_that_cannot_come():
    # A third branch of the split before goes past the join: it holds nothing back.
    spec = compiled(
        start() + box("parallelGateway", "split") + task("a") + task("b") + task("aside") + box("inclusiveGateway", "join")
        + task("after") + end() + end("end2")
        + chain("start", "split", "a", "join", "after", "end") + chain("split", "b", "join") + chain("split", "aside", "end2")
    )  # fmt: skip
    run = Play(spec)
    run.do("a")
    assert run.waiting == ["aside", "b"]
    run.do("b")
    assert run.waiting == ["after", "aside"]


def test_an_inclusive_join_waits_for_a_token_on_a_longer_way():
    spec = compiled(
        start() + box("parallelGateway", "split") + task("a") + task("b1") + task("b2") + box("inclusiveGateway", "join")
        + task("after") + end()
        + chain("start", "split", "a", "join", "after", "end") + chain("split", "b1", "b2", "join")
    )  # fmt: skip
    run = Play(spec)
    run.do("a")
    run.do("b1")
    assert run.waiting == ["b2"]
    run.do("b2")
    assert run.waiting == ["after"]


def test_a_choice_without_a_way_out_fails_and_says_where():
    spec = compiled(
        start() + task("ask") + box("exclusiveGateway", "choice") + end("one") + end("two")
        + chain("start", "ask", "choice") + flow("choice", "one", "x == 1") + flow("choice", "two", "x == 2")
    )  # fmt: skip
    run = Play(spec)
    with pytest.raises(StepFailed) as caught:
        run.do("ask", x=3)
    assert (caught.value.code, caught.value.element) == ("no_way_out", "choice")
    assert run.do("ask", x=2).status == "finished"


def test_the_first_true_flow_in_the_file_wins():
    spec = compiled(
        start() + task("ask") + box("exclusiveGateway", "choice", default="choice_c") + task("a") + task("b") + task("c")
        + end() + chain("start", "ask", "choice") + flow("choice", "b", "x > 1") + flow("choice", "a", "x > 0")
        + flow("choice", "c") + "".join(chain(step, "end") for step in "abc")
    )  # fmt: skip
    run = Play(spec)
    run.do("ask", x=5)
    assert run.waiting == ["b"]


EVENTS = (
    start() + box("eventBasedGateway", "wait") + box("intermediateCatchEvent", "accepted", ref("message", "m1"))
    + box("receiveTask", "declined", messageRef="m2") + box("intermediateCatchEvent", "late", timer("P3D"))
    + task("serve") + task("other") + task("chase") + end()
    + chain("start", "wait", "accepted", "serve", "end") + chain("wait", "declined", "other", "end")
    + chain("wait", "late", "chase", "end")
)  # fmt: skip
MESSAGES = '<bpmn:message id="m1" name="referral.accepted"/><bpmn:message id="m2" name="referral.declined"/>'


@pytest.mark.parametrize(("arm", "opened"), [("accepted", "serve"), ("declined", "other")])
def test_the_first_answer_wins_and_the_others_are_forgotten(arm, opened):
    run = Play(compiled(EVENTS, root=MESSAGES))
    assert run.waiting == ["accepted", "declined", "late"]
    run.tell(arm)
    assert run.waiting == [opened]
    assert PassedStep(step="wait", way=f"wait_{arm}") in run.last.effects


def test_when_nobody_answers_the_timer_wins():
    run = Play(compiled(EVENTS, root=MESSAGES))
    run.ring("late")
    assert run.waiting == ["chase"]
