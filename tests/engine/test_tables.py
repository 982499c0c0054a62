"""Decision tables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nrm.engine.findings import Finding
from nrm.engine.runtime import StepFailed
from nrm.engine.steps import Resources
from nrm.engine.tables import read_table
from nrm.errors import BadPath
from tests.engine.diagrams import NOW, Play, box, chain, check, compiled, end, escape, ext, start


def dmn(inputs: list[str], outputs: list[str], rules: list[tuple[str, ...]], policy: str = "") -> str:
    """Write a decision table."""
    columns = "".join(f"<input><inputExpression><text>{text}</text></inputExpression></input>" for text in inputs)
    columns += "".join(f'<output name="{name}"/>' for name in outputs)
    for rule in rules:
        cells = [f"<text>{escape(cell)}</text>" for cell in rule]
        tests = "".join(f"<inputEntry>{cell}</inputEntry>" for cell in cells[: len(inputs)])
        columns += (
            f"<rule>{tests}{''.join(f'<outputEntry>{cell}</outputEntry>' for cell in cells[len(inputs) :])}</rule>"
        )
    attribute = f' hitPolicy="{policy}"' if policy else ""
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d"><decision id="priority">'
        f"<decisionTable{attribute}>{columns}</decisionTable></decision></definitions>"
    )


PRIORITY = dmn(
    ["risk", "age"],
    ["priority", "days"],
    [('"high"', "-", '"urgent"', "1"), ('"low","medium"', "< 18", '"soon"', "3"), ("-", "-", '"normal"', "14")],
    "FIRST",
)


@pytest.mark.parametrize(
    ("values", "priority", "days"),
    [
        ({"risk": "high", "age": 40}, "urgent", 1),
        ({"risk": "medium", "age": 12}, "soon", 3),
        ({"risk": "medium", "age": 18}, "normal", 14),
        ({}, "normal", 14),
    ],
)
def test_the_first_rule_that_matches_decides(values, priority, days):
    table = read_table("priority", PRIORITY)
    assert table.decide(values, today=NOW.date(), element="x") == {"priority": priority, "days": days}
    assert table.names == {"risk", "age"}


def path(text: str):
    """Use a table in a path."""
    return compiled(
        start() + box("businessRuleTask", "rate", ext('<nrm:table key="t"/>')) + check("c", "some_check", a="priority", b="days")
        + end() + chain("start", "rate", "c", "end"), resources=Resources(tables={"t": text}),
    )  # fmt: skip


def test_the_results_become_values_of_the_run():
    run = Play(path(PRIORITY), {"risk": "high", "age": Decimal("17.5")})
    assert run.last.values == {"risk": "high", "age": Decimal("17.5"), "priority": "urgent", "days": 1}


def test_when_no_rule_matches_the_results_are_missing_and_an_old_result_does_not_stay():
    run = Play(path(dmn(["risk"], ["priority"], [('"high"', '"urgent"')])), {"risk": "low", "priority": "stale"})
    assert run.last.values == {"risk": "low"}


def test_words_of_dmn_for_yes_and_no():
    run = Play(path(dmn(["minor"], ["priority"], [("true", "true"), ("false", "false")])), {"minor": True})
    assert run.last.values["priority"] is True


@pytest.mark.parametrize("policy", ["", "UNIQUE", "ANY"])
def test_rules_that_contradict_each_other_fail_the_step(policy):
    spec = path(dmn(["age"], ["priority"], [("> 5", '"a"'), ("> 10", '"b"')], policy))
    assert Play(spec, {"age": 7}).last.values["priority"] == "a"
    with pytest.raises(StepFailed) as caught:
        Play(spec, {"age": 11})
    assert (caught.value.code, caught.value.element) == ("no_single_rule", "rate")


def test_any_accepts_rules_that_agree():
    spec = path(dmn(["age"], ["priority"], [("> 5", '"a"'), ("> 10", '"a"')], "ANY"))
    assert Play(spec, {"age": 11}).last.values["priority"] == "a"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (dmn(["risk"], ["p"], [('"high', "1")]), "table_expression"),
        (dmn(["risk"], ["p"], [("-", "__import__('os')")]), "table_expression"),
        (dmn(["risk +"], ["p"], [("-", "1")]), "table_expression"),
        (dmn(["risk"], ["p q"], [("-", "1")]), "table_output_name"),
        (dmn(["risk"], ["p", "p"], [("-", "1", "2")]), "table_output_name"),
        (dmn(["risk"], ["p"], [("-",)]), "table_shape"),
        (dmn(["risk"], ["p"], []), "table_shape"),
        (dmn(["risk"], ["p"], [("-", "1")], "COLLECT"), "table_policy"),
        ("<definitions/>", "table_not_single"),
        ("<definitions", "not_xml"),
    ],
)
def test_a_table_that_cannot_be_decided_is_refused(text, code):
    with pytest.raises(BadPath) as caught:
        read_table("t", text)
    assert code in {finding.code for finding in caught.value.findings if isinstance(finding, Finding)}
