"""What the checker says of a path is what the engine does with it, on random diagrams and on chosen ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, assume, event, given, note, settings
from hypothesis import strategies as st

from nrm.engine.findings import Severity
from nrm.engine.lint import lint_path
from nrm.engine.lint.diagram import build
from nrm.engine.lint.structure import circles, reachable
from nrm.engine.parsing import compile_path
from nrm.engine.reading import read_diagram
from nrm.engine.soundness import Answer, check_soundness
from nrm.engine.steps import Resources
from tests.engine.diagrams import boundary, box, diagram, end, flow, ref, start, task, timer
from tests.engine.exhaustive import run_all

WHOLE = os.environ.get("NRM_WHOLE") == "1"
MANY = settings(
    max_examples=300 if WHOLE else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
KINDS = ("task", "task", "exclusive", "exclusive", "parallel", "parallel", "inclusive", "end", "terminate", "event")
TERMINATE = "<bpmn:terminateEventDefinition/>"
CONDITIONS = ("v1 == 1", "v2 == 1", "v1 == 1 and v2 == 1", "v1 != 1")


class Writer:
    """Writes steps and flows with ids of their own."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.count = 0

    def flow(self, source: str, target: str, when: str | None = None) -> str:
        self.count += 1
        name = f"f{self.count}"
        self.parts.append(flow(source, target, when, id=name))
        return name


def choose(writer: Writer, data: st.DataObject, tag: str, name: str, targets: list[str]) -> None:
    """A gateway with its flows; the last is the default."""
    asks = tag != "parallelGateway" and len(targets) > 1
    flows = [
        writer.flow(
            name, target, data.draw(st.sampled_from(CONDITIONS)) if asks and number < len(targets) - 1 else None
        )
        for number, target in enumerate(targets)
    ]
    writer.parts.append(box(tag, name, **({"default": flows[-1]} if asks else {})))


@st.composite
def graphs(draw: st.DrawFn, depth: int = 1, prefix: str = "n") -> str:
    """A diagram of steps that are connected as they come: seldom sound."""
    data = draw(st.data())
    writer = Writer()
    writer.count = abs(hash(prefix)) % 1000 * 1000
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(draw(st.integers(2, 6)))] + ["end"]
    names = [f"{prefix}{number}" for number in range(len(kinds))]
    plain = [name for name, kind in zip(names, kinds, strict=True)]
    go = f"{prefix}start"
    writer.parts.append(start(go))
    writer.flow(go, draw(st.sampled_from(plain)))
    for name, kind in zip(names, kinds, strict=True):
        one = st.sampled_from(plain)
        if kind == "end":
            writer.parts.append(end(name))
        elif kind == "terminate":
            writer.parts.append(end(name, event=TERMINATE))
        elif kind == "task":
            inner = depth and draw(st.integers(0, 5)) == 0
            writer.parts.append(
                box("subProcess", name, draw(graphs(depth=depth - 1, prefix=f"{name}i"))) if inner else task(name)
            )
            writer.flow(name, draw(one))
            rider = draw(st.integers(0, 7))
            if rider < 2:
                writer.parts.append(boundary(f"{name}b", name, timer("P1D"), interrupting=rider == 0))
                writer.flow(f"{name}b", draw(one))
        elif kind == "event":
            writer.parts.append(box("eventBasedGateway", name))
            for arm in range(2):
                writer.flow(name, f"{name}a{arm}")
                writer.parts.append(
                    box("intermediateCatchEvent", f"{name}a{arm}", timer("P1D") if arm else ref("message", "m"))
                )
                writer.flow(f"{name}a{arm}", draw(one))
        else:
            targets = draw(st.lists(one, min_size=1, max_size=3, unique=True))
            choose(writer, data, f"{kind}Gateway", name, targets)
    return "".join(writer.parts)


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """A diagram of splits that are joined, mostly by the same kind of gateway: often sound."""
    data = draw(st.data())
    writer = Writer()
    number = [0]

    def name(kind: str) -> str:
        number[0] += 1
        return f"{kind}{number[0]}"

    def block(depth: int) -> tuple[str, str]:
        kind = draw(
            st.sampled_from(["task", "row", "exclusive", "parallel", "inclusive", "loop"] if depth else ["task"])
        )
        if kind == "task":
            step = name("t")
            writer.parts.append(task(step))
            return step, step
        if kind == "row":
            (a, b), (c, d) = block(depth - 1), block(depth - 1)
            writer.flow(b, c)
            return a, d
        if kind == "loop":
            merge, choice, (a, b) = name("m"), name("x"), block(depth - 1)
            writer.parts.append(box("exclusiveGateway", merge))
            writer.flow(merge, a)
            writer.flow(b, choice)
            out = name("t")
            writer.parts.append(task(out))
            choose(writer, data, "exclusiveGateway", choice, [merge, out])
            return merge, out
        split, join = name("s"), name("j")
        parts = [block(depth - 1) for _ in range(2)]
        other = draw(st.integers(0, 5)) == 0
        joined = draw(st.sampled_from(["exclusive", "parallel", "inclusive"])) if other else kind
        choose(writer, data, f"{kind}Gateway", split, [head for head, _ in parts])
        for _, tail in parts:
            writer.flow(tail, join)
        writer.parts.append(box(f"{joined}Gateway", join))
        return split, join

    head, tail = block(draw(st.integers(1, 3)))
    writer.flow("start", head)
    writer.flow(tail, "end")
    return start() + "".join(writer.parts) + end()


def compare(body: str) -> None:
    """The verdict on a diagram, against all its runs."""
    note(body)
    xml = diagram(body, root=box("message", "m", name="m"))
    found = {finding.code for finding in lint_path(xml, resources=Resources(), known=None)}
    assume("loop_without_wait" not in found)
    told = check_soundness(xml, resources=Resources())
    drawn = build(read_diagram(xml))
    edges = {
        node: [each.target for each in drawn.out_of(node)] + [at.id for at in drawn.boundaries.get(node, ())]
        for node in drawn.nodes
    }
    again = {name for circle in circles(edges) for name in circle}
    # What a round starts beside its circle is started in each round.
    beside = reachable(drawn, again)
    holders = {node.scope for node in drawn.nodes.values()}
    inside = {node.id for node in drawn.nodes.values() for scope in holders if scope in again and node.scope == scope}
    interrupted = {node.host for node in drawn.of("boundaryEvent") if node.interrupting}
    ends = {node.id for node in drawn.of("endEvent")}
    seen = run_all(compile_path(xml, resources=Resources()), frozenset(again | inside | ends))
    event(f"{told.answer}, whole {seen.whole}, {sorted({each.code for each in told.defects})}")
    if told.answer is Answer.SOUND:
        assert not seen.stuck, "sound, but the engine was stuck"
        assert not seen.twice - beside, "sound, but a step was done twice"
        if seen.whole:
            assert not seen.failed
            assert not seen.lost, "sound, but a run never ends"
    if not seen.whole:
        return
    for defect in told.defects:
        if defect.severity is not Severity.ERROR:
            continue
        if defect.code == "soundness_deadlock":
            assert seen.stuck, defect
        elif defect.code == "soundness_lack_of_synchronisation":
            assert seen.twice or seen.failed or seen.stuck, defect
        elif defect.code == "soundness_never_ends":
            # What interrupts from outside is no end of the path itself.
            assert seen.lost or seen.failed or drawn.nodes[defect.element].scope in interrupted, defect
        else:
            assert defect.element not in seen.came, defect


@MANY
@given(body=blocks())
def test_the_verdict_on_a_drawn_order_is_what_the_engine_does(body: str) -> None:
    compare(body)


@MANY
@given(body=graphs(depth=1, prefix="n"))
def test_the_verdict_on_any_diagram_is_what_the_engine_does(body: str) -> None:
    compare(body)
