"""Runs that go on in another version of their path: what they wait for stays, what cannot be moved is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nrm.engine import effects as fx
from nrm.engine.effects import RunStatus
from nrm.engine.findings import Severity
from nrm.engine.move_checks import Crossing, check_plan
from nrm.engine.moving import Choice, Mover, StepMove, suggest_plan
from nrm.engine.parsing import compile_path
from nrm.engine.steps import Resources
from tests.engine.diagrams import (
    NOW,
    Play,
    boundary,
    box,
    call,
    chain,
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
from tests.engine.test_properties import BLOCKS, Writer

MESSAGES = message("m1", "letter.answered") + message("m2", "letter.returned", "case")


def path(*steps: str, extra: str = "", root: str = MESSAGES):
    """Compile a straight path of tasks, with whatever else is given."""
    body = start() + "".join(task(step) for step in steps) + end() + chain("start", *steps, "end")
    return compiled(body + extra, root=root)


def moved(source, target, state, plan=None, now=NOW):
    plan = suggest_plan(source, target) if plan is None else plan
    errors = [found for found in check_plan(Crossing(source=source, target=target, plan=plan)) if is_error(found)]
    assert errors == []
    return Mover(source, target, plan).move(state, now=now)


def is_error(finding) -> bool:
    return finding.severity is Severity.ERROR


def codes(findings) -> dict[str, str]:
    return {finding.code: finding.element for finding in findings}


def carry(run: Play, target, plan=None) -> Play:
    """Let a played run go on in another version."""
    result = moved(run.spec, target, run.last.state, plan, run.now)
    assert result.advance is not None, result.findings
    other = Play.__new__(Play)
    other.runtime, other.spec, other.now = run.runtime, target, run.now
    other.open = {
        new: replace(run.open[old], token=new, step=new.rpartition(".")[0])
        for old, new in result.renamed.items()
        if old in run.open
    }
    for effect in result.advance.effects:
        if isinstance(effect, fx.SetTimer | fx.Subscribe | fx.OpenTask):
            other.open[effect.token] = effect
    other.last = result.advance
    return other


def test_a_run_that_stands_at_a_task_goes_on_behind_it_in_the_new_version():
    old, new = path("ask", "visit"), path("ask", "call_first", "visit")
    run = Play(old)
    after = carry(run, new)
    assert after.last.state == run.last.state, "the same steps: not a letter of the state changes"
    after.do("ask")
    assert after.waiting == ["call_first"]


def test_a_step_of_another_name_keeps_its_number():
    run = Play(path("ask", "visit"))
    result = moved(run.spec, path("question", "visit"), run.last.state, {"ask": StepMove(to="question")})
    assert dict(result.renamed) == {run.token("ask"): run.token("ask").replace("ask", "question")}
    assert result.advance.effects == ()


def test_a_run_at_a_step_that_the_plan_does_not_name_stays_where_it_is():
    run = Play(path("ask", "visit"))
    result = moved(run.spec, path("visit"), run.last.state)
    assert result.advance is None
    assert codes(result.findings) == {"move_stands_unmapped": "ask"}


def test_a_timer_that_runs_keeps_its_moment_and_one_that_is_gone_does_not_come_back():
    watch = boundary("late", "ask", timer("P3D"), interrupting=False) + chain("late", "end")
    slower = boundary("late", "ask", timer("P9D"), interrupting=False) + chain("late", "end")
    old, new = path("ask", extra=watch), path("ask", extra=slower)
    run = Play(old)
    result = moved(old, new, run.last.state, now=NOW + timedelta(days=2))
    assert result.advance.effects == (), "nobody sets it again"
    assert result.renamed[run.token("late")] == run.token("late")
    run.ring("late")
    fired = moved(old, new, run.last.state)
    assert fired.advance.effects == ()
    assert not any(token.startswith("late") for token in fired.renamed)


def test_a_timer_and_a_message_that_only_the_new_version_has_begin_with_the_move():
    watch = boundary("late", "ask", timer("P3D")) + boundary("back", "ask", ref("message", "m1"))
    new = path("ask", extra=watch + chain("late", "end") + chain("back", "end"))
    run = Play(path("ask"))
    now = NOW + timedelta(days=10)
    result = moved(run.spec, new, run.last.state, now=now)
    assert codes(result.findings) == {"move_timer_begins": "late", "move_message_begins": "back"}
    timers = [effect for effect in result.advance.effects if isinstance(effect, fx.SetTimer)]
    assert [(effect.step, effect.due_at) for effect in timers] == [("late", now + timedelta(days=3))]
    assert [e.message for e in result.advance.effects if isinstance(e, fx.Subscribe)] == ["letter.answered"]
    after = carry(run, new)
    assert after.ring("late").status is RunStatus.FINISHED


def test_a_timer_and_a_message_that_the_new_version_does_not_have_end_with_the_move():
    watch = boundary("late", "ask", timer("P3D")) + boundary("back", "ask", ref("message", "m1"))
    old = path("ask", extra=watch + chain("late", "end") + chain("back", "end"))
    run = Play(old)
    result = moved(old, path("ask"), run.last.state)
    ended = {type(effect).__name__: effect.token for effect in result.advance.effects}
    assert ended == {"CancelTimer": run.token("late"), "Unsubscribe": run.token("back")}
    assert codes(result.findings) == {"move_timer_ends": "late", "move_message_ends": "back"}


def test_another_message_is_waited_for_instead():
    def waiting(name):
        return compiled(
            start() + box("intermediateCatchEvent", "hear", ref("message", name)) + end()
            + chain("start", "hear", "end"), root=MESSAGES,
        )  # fmt: skip

    run = Play(waiting("m1"))
    result = moved(run.spec, waiting("m2"), run.last.state)
    ended, begun = result.advance.effects
    assert isinstance(ended, fx.Unsubscribe)
    assert (begun.message, begun.correlation, begun.token) == ("letter.returned", "case", run.token("hear"))
    assert dict(result.renamed) == {}


def fork(*branches: str, join: str = "join"):
    flows = "".join(chain("split", branch, join) for branch in branches)
    body = start() + box("parallelGateway", "split") + box("parallelGateway", join) + end()
    return compiled(
        body + "".join(task(branch) for branch in branches) + flows + chain("start", "split") + chain(join, "end")
    )


def test_a_run_past_a_split_is_not_moved_to_where_a_join_would_wait_for_ever():
    run = Play(fork("a", "b"))
    result = moved(run.spec, fork("a", "b", "c"), run.last.state)
    assert result.advance is None
    assert codes(result.findings) == {"move_join_starves": "join"}
    run.do("a")
    assert moved(run.spec, fork("a", "b", "c"), run.last.state).advance is None


def test_a_run_whose_join_has_all_it_needs_in_the_new_version_goes_on_at_once():
    run = Play(fork("a", "b", "c"))
    run.do("a")
    run.do("b")
    body = start() + box("parallelGateway", "split") + box("parallelGateway", "join") + task("after")
    body += "".join(task(step) for step in "abc") + end() + end("other") + chain("start", "split", "a", "join")
    new = compiled(body + chain("split", "b", "join", "after", "end") + chain("split", "c", "other"))
    result = moved(run.spec, new, run.last.state)
    assert codes(result.findings) == {"move_goes_on": ""}
    assert result.goes_on
    assert sorted(carry(run, new).waiting) == ["after", "c"]


def test_a_half_full_join_keeps_the_token_that_has_come():
    run = Play(fork("a", "b"))
    run.do("a")
    renamed = fork("a", "b", join="meet")
    plan = {"a": StepMove(to="a"), "b": StepMove(to="b"), "join": StepMove(to="meet")}
    assert carry(run, renamed, plan).do("b").status is RunStatus.FINISHED


def test_rounds_over_a_list_go_on_with_their_entries():
    old = compiled(start() + box("userTask", "visit", multi("places")) + end() + chain("start", "visit", "end"))
    new = compiled(
        start()
        + box("userTask", "see", multi("places"))
        + task("report")
        + end()
        + chain("start", "see", "report", "end")
    )
    run = Play(old, {"places": ["p1", "p2", "p3"]})
    run.do("visit", item="p2")
    after = carry(run, new, {"visit": StepMove(to="see")})
    assert {effect.item for effect in after.open.values()} == {"p1", "p3"}
    after.do("see", item="p1")
    after.do("see", item="p3")
    assert after.waiting == ["report"]


def test_what_stands_in_a_sub_process_stays_in_it():
    def nested(*steps):
        inside = start("s") + "".join(task(step) for step in steps) + end("e") + chain("s", *steps, "e")
        return compiled(start() + box("subProcess", "sub", inside) + end() + chain("start", "sub", "end"))

    run = Play(nested("ask"))
    after = carry(run, nested("ask", "visit"))
    after.do("ask")
    assert after.do("visit").status is RunStatus.FINISHED


def test_an_event_gateway_keeps_its_arms_and_gets_the_new_ones():
    def gate(*arms):
        written = "".join(
            box("intermediateCatchEvent", name, event) + chain("gate", name, "end") for name, event in arms
        )
        return compiled(
            start() + box("eventBasedGateway", "gate") + end() + chain("start", "gate") + written, root=MESSAGES
        )

    heard, late = ("hear", ref("message", "m1")), ("late", timer("P5D"))
    returned = ("back", ref("message", "m2"))
    run = Play(gate(heard, late))
    result = moved(run.spec, gate(late, returned), run.last.state)
    assert codes(result.findings) == {"move_message_ends": "hear", "move_message_begins": "back"}
    after = carry(run, gate(late, returned))
    assert after.waiting == ["back", "late"]
    assert after.ring("late").status is RunStatus.FINISHED


def test_a_state_that_cannot_be_read_is_a_finding_and_not_an_exception():
    spec = path("ask")
    result = Mover(spec, spec, suggest_plan(spec, spec)).move("{}", now=NOW)
    assert codes(result.findings) == {"move_unreadable": ""}


SUB = box("subProcess", "sub", start("s") + task("inner") + end("e") + chain("s", "inner", "e")) + chain("sub", "end")
LATE = boundary("late", "ask", timer("P3D")) + chain("late", "end")
GATE = (
    box("eventBasedGateway", "gate") + box("intermediateCatchEvent", "hear", ref("message", "m1"))
    + box("intermediateCatchEvent", "wait", timer("P2D")) + chain("gate", "hear", "end") + chain("gate", "wait", "end")
)  # fmt: skip


def whole(*, ask: str = "", extra: str = "", last: str = "visit", key: str = "path"):
    body = start() + task("ask", ask) + task(last) + end() + chain("start", "ask", last, "end")
    return compile_path(diagram(body + extra, root=MESSAGES, key=key), resources=Resources())


def due(time: str) -> str:
    return ext(f'<nrm:due time="{time}"/>')


def desk(role: str) -> str:
    return ext(f'<nrm:desk role="{role}"/>')


def called(**attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return call("ring", "child", extra=f"<nrm:binding{more}/>" if attributes else "") + chain("ring", "end")


TO = StepMove
PLANS = {
    "move_other_path": (whole(), whole(key="other"), {"ask": TO(to="ask")}),
    "move_unknown_source": (whole(), whole(), {"end": TO(to="end")}),
    "move_unknown_target": (whole(), whole(), {"ask": TO(to="nowhere")}),
    "move_kind_differs": (whole(), whole(extra=SUB), {"ask": TO(to="sub")}),
    "move_event_differs": (whole(extra=LATE), whole(extra=boundary("back", "ask", ref("message", "m1")) + chain("back", "end")), {"ask": TO(to="ask"), "late": TO(to="back")}),
    "move_scope_differs": (whole(), whole(extra=SUB), {"ask": TO(to="inner")}),
    "move_rounds_differ": (whole(), whole(ask=multi("places")), {"ask": TO(to="ask")}),
    "move_order_differs": (whole(ask=multi("places")), whole(ask=multi("places", sequential=True)), {"ask": TO(to="ask")}),
    "move_host_differs": (whole(extra=LATE), whole(extra=boundary("late", "visit", timer("P3D")) + chain("late", "end")), {"ask": TO(to="ask"), "late": TO(to="late")}),
    "move_arm_differs": (whole(extra=GATE), whole(extra=box("intermediateCatchEvent", "alone", ref("message", "m1")) + chain("alone", "end")), {"hear": TO(to="alone")}),
    "move_two_on_one": (whole(extra=LATE + boundary("later", "ask", timer("P4D")) + chain("later", "end")), whole(extra=LATE), {"ask": TO(to="ask"), "late": TO(to="late"), "later": TO(to="late")}),
    "move_cannot_drop": (whole(), whole(), {"ask": TO(to=None)}),
    "move_unmapped": (whole(), whole(), {"ask": TO(to="ask")}),
    "move_timer_ends": (whole(extra=LATE), whole(), {"ask": TO(to="ask"), "late": TO(to=None)}),
    "move_message_ends": (whole(extra=GATE), whole(), {"hear": TO(to=None)}),
    "move_timer_begins": (whole(), whole(extra=LATE), {"ask": TO(to="ask")}),
    "move_message_begins": (whole(), whole(extra=boundary("back", "ask", ref("message", "m1")) + chain("back", "end")), {"ask": TO(to="ask")}),
    "move_interrupting_differs": (whole(extra=LATE), whole(extra=boundary("late", "ask", timer("P3D"), interrupting=False) + chain("late", "end")), {"ask": TO(to="ask"), "late": TO(to="late")}),
    "move_timer_differs": (whole(extra=LATE), whole(extra=boundary("late", "ask", timer("P4D")) + chain("late", "end")), {"ask": TO(to="ask"), "late": TO(to="late")}),
    "move_message_changes": (whole(extra=GATE), whole(extra=GATE.replace('"m1"', '"m2"')), {"gate": TO(to="gate"), "hear": TO(to="hear"), "wait": TO(to="wait")}),
    "move_call_differs": (whole(extra=called()), whole(extra=called().replace("child", "nephew")), {"ring": TO(to="ring")}),
    "move_call_takes_differ": (whole(extra=called()), whole(extra=call("ring", "child", extra='<nrm:take name="x" from="y"/>') + chain("ring", "end")), {"ring": TO(to="ring")}),
    "move_list_differs": (whole(ask=multi("places")), whole(ask=multi("houses")), {"ask": TO(to="ask")}),
    "move_desk_follows": (whole(), whole(ask=desk("supervisor")), {"ask": TO(to="ask")}),
    "move_desk_stays": (whole(), whole(ask=desk("supervisor")), {"ask": TO(to="ask", desk=Choice.KEEP)}),
    "move_due_stays": (whole(ask=due("P2D")), whole(ask=due("P9D")), {"ask": TO(to="ask")}),
    "move_value_unknown": (whole(), whole(extra=box("exclusiveGateway", "which", default="which_end") + flow("which", "end") + flow("which", "visit", "age == 3")), {"ask": TO(to="ask")}),
    "move_join_differs": (fork("a", "b"), fork("a", "b", "c"), {"join": TO(to="join")}),
}  # fmt: skip


@pytest.mark.parametrize("code", PLANS)
def test_each_validator_names_its_defect(code):
    source, target, plan = PLANS[code]
    found = check_plan(Crossing(source=source, target=target, plan=plan))
    assert code in codes(found)


@pytest.mark.parametrize("code", PLANS)
def test_no_validator_speaks_of_a_plan_from_a_version_to_itself(code):
    source, _, _ = PLANS[code]
    assert check_plan(Crossing(source=source, target=source, plan=suggest_plan(source, source))) == ()


FEW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = st.fixed_dictionaries({"v1": st.integers(0, 1), "v2": st.integers(0, 1)})


def block_path(block):
    head, tail, xml = Writer().write(block)
    return compile_path(
        diagram(start() + xml + end() + chain("start", head) + chain(tail, "end")), resources=Resources()
    )


def play_some(run: Play, choice, most: int) -> None:
    for _ in range(choice.draw(st.integers(0, most))):
        if run.last.status is RunStatus.RUNNING:
            run.do(choice.draw(st.sampled_from(run.waiting)))


@FEW
@given(block=BLOCKS, choice=st.data(), values=VALUES)
def test_a_run_moved_to_the_same_diagram_behaves_as_if_it_had_not_been_moved(block, choice, values):
    run = Play(block_path(block), values)
    play_some(run, choice, 5)
    if run.last.status is not RunStatus.RUNNING:
        return
    twin = carry(run, block_path(block))
    assert twin.last.state == run.last.state
    while run.last.status is RunStatus.RUNNING:
        step = choice.draw(st.sampled_from(run.waiting))
        assert twin.do(step) == run.do(step)


@FEW
@given(block=BLOCKS, choice=st.data(), values=VALUES)
def test_a_run_moved_to_a_version_with_more_steps_plays_to_its_end(block, choice, values):
    old = block_path(block)
    head, tail, xml = Writer().write(block)
    body = start() + xml + task("more") + end() + chain("start", head) + chain(tail, "more", "end")
    new = compile_path(diagram(body), resources=Resources())
    run = Play(old, values)
    play_some(run, choice, 6)
    if run.last.status is not RunStatus.RUNNING:
        return
    run = carry(run, new)
    done = []
    while run.last.status is RunStatus.RUNNING:
        done.append(choice.draw(st.sampled_from(run.waiting)))
        run.do(done[-1])
    assert done[-1] == "more"
    assert json.loads(run.last.state)["t"] == []
