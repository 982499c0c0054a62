"""Random diagrams: against SpiffWorkflow itself where it is right, and against what must always hold.

SpiffWorkflow keeps the whole history of a run in its tree; ours keeps only what is alive and is saved and loaded at
every step. On block-structured diagrams both must open the same tasks, whatever is chosen.
"""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from nrm.engine import runtime
from nrm.engine.effects import RunStatus
from nrm.engine.parsing import compile_path
from nrm.engine.runtime import StepFailed
from nrm.engine.steps import Resources
from tests.engine.diagrams import NOW, Play, box, chain, diagram, end, flow, start, task, timer

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

BLOCKS = st.recursive(
    st.just("task"),
    lambda inner: st.one_of(
        st.tuples(st.just("seq"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["parallel", "choice", "some"]), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("sub"), st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=7,
)


class Writer:
    """Writes a block as BPMN; every block has one step that is entered and one that is left."""

    def __init__(self) -> None:
        self.count = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def write(self, block) -> tuple[str, str, str]:
        """Give first step, last step, XML."""
        if block == "task":
            name = self.name("t")
            return name, name, task(name)
        kind, parts = block
        if kind == "seq":
            return self.row(parts)
        if kind == "sub":
            name, first, last = self.name("sub"), self.name("s"), self.name("e")
            head, tail, xml = self.row(parts)
            inside = start(first) + xml + end(last) + chain(first, head) + chain(tail, last)
            return name, name, box("subProcess", name, inside)
        return self.fork(kind, parts)

    def row(self, parts) -> tuple[str, str, str]:
        written = [self.write(part) for part in parts]
        links = "".join(flow(one[1], two[0]) for one, two in pairwise(written))
        return written[0][0], written[-1][1], "".join(xml for *_, xml in written) + links

    def fork(self, kind, parts) -> tuple[str, str, str]:
        tag = {"parallel": "parallelGateway", "choice": "exclusiveGateway", "some": "inclusiveGateway"}[kind]
        split, join = self.name("split"), self.name("join")
        xml = ""
        for number, part in enumerate(parts):
            head, tail, inside = self.write(part)
            condition = None if kind == "parallel" or number == 0 else f"v{number} == 1"
            xml += inside + flow(split, head, condition) + flow(tail, join)
            default = f"{split}_{head}" if number == 0 and kind != "parallel" else None
            xml += box(tag, split, **({"default": default} if default else {})) if number == 0 else ""
        return split, join, xml + box("exclusiveGateway" if kind == "choice" else tag, join)


class Bare:
    """The same diagram in bare SpiffWorkflow."""

    def __init__(self, xml: bytes, values: dict[str, int]) -> None:
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(xml))
        self.flow = BpmnWorkflow(parser.get_spec("path"), parser.get_subprocess_specs("path"))
        self.flow.task_tree.data.update(values)
        self.flow.do_engine_steps()

    def ready(self) -> list[str]:
        return sorted(at.task_spec.bpmn_id for at in self.flow.get_tasks(state=TaskState.READY, manual=True))

    def do(self, name: str) -> None:
        next(at for at in self.flow.get_tasks(state=TaskState.READY) if at.task_spec.name == name).run()
        self.flow.do_engine_steps()


@FEW
@given(block=BLOCKS, choice=st.data(), values=st.fixed_dictionaries({"v1": st.integers(0, 1), "v2": st.integers(0, 1)}))
def test_the_same_tasks_are_open_as_in_spiffworkflow(block, choice, values):
    head, tail, xml = Writer().write(block)
    path = diagram(start() + xml + end() + chain("start", head) + chain(tail, "end"))
    bare, run = Bare(path, values), Play(compile_path(path, resources=Resources()), values)
    while run.last.status is RunStatus.RUNNING:
        assert run.waiting == bare.ready()
        step = choice.draw(st.sampled_from(run.waiting))
        bare.do(step)
        run.do(step)
    assert bare.ready() == []
    assert bare.flow.is_completed()
    assert run.waiting == []


KINDS = ("task", "exclusive", "parallel", "inclusive", "event")


@st.composite
def tangles(draw) -> bytes:
    """Draw a diagram in which steps are joined at random: loops, unbalanced splits and joins, whatever."""
    count = draw(st.integers(2, 7))
    names = [f"n{number}" for number in range(count)]
    kinds = [draw(st.sampled_from(KINDS)) for _ in names]
    xml, arms = start() + end("done") + flow("start", "n0"), 0
    for name, kind in zip(names, kinds, strict=True):
        ways = 1 if kind == "task" else draw(st.integers(2 if kind == "event" else 1, 3))
        targets = draw(st.lists(st.sampled_from([*names, "done"]), min_size=ways, max_size=ways, unique=True))
        if kind == "task":
            xml += task(name) + flow(name, targets[0])
        elif kind == "event":
            xml += box("eventBasedGateway", name)
            for target in targets:
                arms += 1
                arm = f"arm{arms}"
                xml += box("intermediateCatchEvent", arm, timer(f"PT{arms}H")) + chain(name, arm, target)
        else:
            choosing = kind != "parallel" and len(targets) > 1
            default = {"default": f"{name}_{targets[0]}"} if choosing else {}
            xml += box(f"{kind}Gateway", name, **default)
            for number, target in enumerate(targets):
                xml += flow(name, target, f"v{number} == 1" if choosing and number else None)
    return diagram(xml)


@FEW
@given(path=tangles(), choice=st.data())
def test_whatever_is_drawn_a_run_never_breaks(path, choice):
    """Only named failures; the state says what is open; nothing depends on key order; cancelling closes everything."""
    spec = compile_path(path, resources=Resources())
    try:
        run = Play(spec, {"v1": choice.draw(st.integers(0, 1)), "v2": choice.draw(st.integers(0, 1))})
        for _ in range(12):
            if run.last.status is not RunStatus.RUNNING:
                break
            assert run.waiting, "a run that is not at its end waits for somebody"
            stirred = json.dumps(json.loads(run.last.state), sort_keys=True)
            assert runtime.repair_run(spec, stirred, values={}, now=NOW).state == run.last.state
            step = choice.draw(st.sampled_from(run.waiting))
            before = run.last.state
            try:
                run.ring(step) if step.startswith("arm") else run.do(step, v1=choice.draw(st.integers(0, 1)))
            except StepFailed:
                assert run.last.state == before
                raise
    except StepFailed as failure:
        assert failure.code in {"endless_loop", "join_never_complete", "too_many_tokens"}
        return
    if run.last.status is RunStatus.RUNNING:
        run.cancel()
    assert run.waiting == []


@FEW
@given(text=st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(max_size=5),
       lambda x: st.lists(x, max_size=6) | st.dictionaries(st.sampled_from(["v", "path", "n", "s", "o", "x", "t"]), x)).map(json.dumps))  # fmt: skip
def test_a_damaged_state_is_refused_by_name(text):
    spec = compile_path(diagram(start() + task("a") + end() + chain("start", "a", "end")), resources=Resources())
    with pytest.raises(StepFailed) as caught:
        runtime.complete_step(spec, text, token="a.2", values={}, now=NOW)
    assert caught.value.code in {"state_unreadable", "state_version", "state_other_path", "step_not_open"}
