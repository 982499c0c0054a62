"""What may come next on a path."""

from __future__ import annotations

from nrm.engine.ahead import steps_ahead
from tests.engine import diagrams as d


def test_gateways_and_checks_are_passed_to_the_next_thing_that_somebody_does():
    gate = d.box("exclusiveGateway", "gate", default="gate_b")
    spec = d.compiled(
        d.start() + d.task("a") + d.check("save") + gate + d.task("b") + d.call("c") + d.end()
        + d.chain("start", "a", "save", "gate", "b", "end") + d.flow("gate", "c", "x == 1") + d.flow("c", "end")
    )  # fmt: skip
    assert steps_ahead(spec, "a") == ("b", "c")
    assert steps_ahead(spec, "start") == ("a",)
    assert steps_ahead(spec, "b") == ()
    assert steps_ahead(spec, "nothing") == ()


def test_the_way_leads_into_a_part_and_out_of_it_and_once_round_a_loop():
    gate = d.box("exclusiveGateway", "again", default="again_end")
    inside = d.start("s") + d.task("b") + d.end("e") + d.chain("s", "b", "e")
    spec = d.compiled(
        d.start() + d.task("a") + d.box("subProcess", "part", inside) + d.task("c") + gate + d.end()
        + d.chain("start", "a", "part", "c", "again", "end") + d.flow("again", "a", "x == 1")
    )  # fmt: skip
    assert [steps_ahead(spec, one) for one in ("a", "b", "c")] == [("b",), ("c",), ("a",)]
