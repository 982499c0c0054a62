"""Random paths of every kind of step, with random things happening to them."""

from __future__ import annotations

import logging
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nrm.engine.effects import RunCheck, RunStatus
from nrm.engine.parsing import compile_path
from nrm.engine.steps import Resources
from nrm.engine.waiting import waits_of
from tests.engine.diagrams import (
    Play,
    boundary,
    box,
    call,
    chain,
    check,
    diagram,
    end,
    flow,
    message,
    multi,
    ref,
    start,
    task,
    timer,
)

ROOT = (
    '<bpmn:error id="e1" errorCode="broken"/><bpmn:escalation id="c1" escalationCode="danger"/>'
    '<bpmn:signal id="s1" name="go"/>' + message("m1", "case.transferred", "case")
)
LEAVES = st.sampled_from(["task", "check", "call", "many", "row", "wait", "events", "up", "signal", "error", "stop"])
BLOCKS = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.sampled_from(["seq", "parallel", "choice", "some", "sub", "each", "watched", "beside", "guarded"]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=8,
)


class Writer:
    """Writes a block; gives the step that is entered, the step that is left, and the XML."""

    def __init__(self) -> None:
        self.count = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def write(self, block) -> tuple[str, str, str]:
        if isinstance(block, str):
            return self.leaf(block)
        kind, parts = block
        if kind == "seq":
            return self.row(parts)
        if kind in {"parallel", "choice", "some"}:
            return self.fork(kind, parts)
        return self.sub(kind, parts)

    def leaf(self, kind: str) -> tuple[str, str, str]:
        name = self.name(kind)
        if kind == "events":
            return self.events(name)
        if kind in {"error", "stop"}:
            return self.maybe(name, kind)
        xml = {
            "task": task(name),
            "check": check(name, "some_check", it="who"),
            "call": call(name),
            "many": task(name, multi("people", "who")),
            "row": call(name, "child", multi("people", "who", sequential=True)),
            "wait": box("intermediateCatchEvent", name, ref("signal", "s1")),
            "up": box("intermediateThrowEvent", name, ref("escalation", "c1")),
            "signal": box("intermediateThrowEvent", name, ref("signal", "s1")),
        }[kind]
        return name, name, xml

    def events(self, name: str) -> tuple[str, str, str]:
        one, two, merge = self.name("arm"), self.name("arm"), self.name("merge")
        xml = box("eventBasedGateway", name) + box("intermediateCatchEvent", one, timer("P1D"))
        xml += box("receiveTask", two, messageRef="m1") + box("exclusiveGateway", merge)
        return name, merge, xml + chain(name, one, merge) + chain(name, two, merge)

    def maybe(self, name: str, kind: str) -> tuple[str, str, str]:
        """An end in the middle of things, taken when v1 is 1."""
        last, after = self.name("end"), self.name("t")
        event = ref("error", "e1") if kind == "error" else "<bpmn:terminateEventDefinition/>"
        xml = box("exclusiveGateway", name, default=f"{name}_{after}") + end(last, "cut", event) + task(after)
        return name, after, xml + flow(name, last, "v1 == 1") + flow(name, after)

    def row(self, parts) -> tuple[str, str, str]:
        written = [self.write(part) for part in parts]
        links = "".join(flow(one[1], two[0]) for one, two in pairwise(written))
        return written[0][0], written[-1][1], "".join(xml for *_, xml in written) + links

    def fork(self, kind, parts) -> tuple[str, str, str]:
        tag = {"parallel": "parallelGateway", "choice": "exclusiveGateway", "some": "inclusiveGateway"}[kind]
        split, join = self.name("split"), self.name("join")
        written = [self.write(part) for part in parts]
        xml = box(tag, split, **({} if kind == "parallel" else {"default": f"{split}_{written[0][0]}"}))
        for number, (head, tail, inside) in enumerate(written):
            xml += (
                inside
                + flow(split, head, f"v{number} == 1" if number and kind != "parallel" else None)
                + flow(tail, join)
            )
        return split, join, xml + box("exclusiveGateway" if kind == "choice" else tag, join)

    def sub(self, kind, parts) -> tuple[str, str, str]:
        name, first, last, merge, aside = (self.name(part) for part in ("sub", "s", "e", "merge", "aside"))
        head, tail, xml = self.row(parts[1:])
        inside = start(first) + xml + end(last, "inner") + chain(first, head) + chain(tail, last)
        body = box("subProcess", name, inside + (multi("people", "who") if kind == "each" else ""))
        if kind in {"sub", "each"}:
            return name, name, body
        event = {"watched": timer("P9D"), "beside": ref("message", "m1"), "guarded": ref("error")}[kind]
        body += boundary(f"b{name}", name, event, interrupting=kind != "beside")
        other_head, other_tail, other = self.write(parts[0])
        body += other + flow(f"b{name}", other_head)
        if kind == "beside":
            return name, name, body + end(aside) + flow(other_tail, aside)
        return name, merge, body + box("exclusiveGateway", merge) + flow(name, merge) + flow(other_tail, merge)


def act(run: Play, step: str, token: str, value: int, trouble: int) -> None:
    """Let the open step go on in its own way, or go wrong."""
    kind = type(run.open[token]).__name__
    del step
    verbs = run.runtime
    base = {"token": token, "now": run.now}
    consumed = True
    if kind in {"OpenTask", "RunCheck"}:
        if trouble == 0:
            advance = verbs.fail_step(run.spec, run.last.state, code="broken", **base)
        else:
            advance = verbs.complete_step(run.spec, run.last.state, values={"v1": value, "v2": 1 - value}, **base)
    elif kind == "StartChildRun":
        if trouble == 0:
            advance = verbs.fail_child(run.spec, run.last.state, code="broken", **base)
        elif trouble == 1:
            advance, consumed = verbs.escalate_child(run.spec, run.last.state, code="danger", **base), False
        else:
            advance = verbs.finish_child(run.spec, run.last.state, outcome="ok", values={}, **base)
    elif kind == "SetTimer":
        advance = verbs.fire_timer(run.spec, run.last.state, **base)
    else:
        advance, consumed = verbs.receive_message(run.spec, run.last.state, values={}, **base), False
    if consumed:
        run.open.pop(token)
    run._keep(advance)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(block=BLOCKS, choice=st.data(), people=st.lists(st.sampled_from("abc"), max_size=3))
def test_what_is_open_is_what_the_effects_say_until_the_run_ends(block, choice, people):
    head, tail, xml = Writer().write(block)
    path = diagram(start() + xml + end("end", "ok") + chain("start", head) + chain(tail, "end"), root=ROOT)
    run = Play(compile_path(path, resources=Resources()), {"people": people, "v1": 0})
    for _ in range(25):
        stored = {wait.token for wait in waits_of(run.spec, run.last.state)}
        checks = {token for token, effect in run.open.items() if isinstance(effect, RunCheck)}
        assert stored | checks == run.open.keys()
        assert bool(run.open) is (run.last.status is RunStatus.RUNNING)
        if not run.open:
            break
        token = choice.draw(st.sampled_from(sorted(run.open)))
        act(run, run.open[token].step, token, choice.draw(st.integers(0, 1)), choice.draw(st.integers(0, 5)))
    else:
        run.cancel()
        assert not run.open


def test_the_library_writes_nothing_about_a_run_into_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    run = Play(compile_path(diagram(start() + task("a", multi("people", "who")) + end() + chain("start", "a", "end")), resources=Resources()), {"people": ["secret"]})  # fmt: skip
    run.do("a")
    assert caplog.records == []
