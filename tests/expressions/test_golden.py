"""One file of cases, three runtimes: Python, JavaScript, XLSForm and back."""

import json
import shutil
from collections import Counter
from datetime import date

import pytest
from pyxform.xls2xform import convert

from nrm.expressions import (
    FUNCTIONS,
    BadExpression,
    LimitExceeded,
    evaluate,
    from_json,
    from_xlsform,
    match_cell,
    parse,
    parse_cell,
    to_json,
    to_xlsform,
)
from nrm.expressions.tree import Call, Name, walk
from nrm.expressions.writing import written
from tests.expressions import javascript
from tests.expressions.golden import CASES, CELLS, GOLDEN, name_of, plain, plain_scope, situation, typed

NOT_IN_XLSFORM = {"list", "add_months"}
"""What XLSForm has no words for: a list by itself, and months of different lengths."""


def expected(case):
    return {"error": case["error"]} if "error" in case else {"value": case["value"]}


def outcome(expression, case):
    given = situation(case)
    try:
        value = evaluate(expression, given["scope"], today=given["today"], this=given["this"])
    except LimitExceeded as limit:
        return {"error": limit.code}
    return {"value": plain(value)}


def exact(value):
    """Tells 1 from True and from 1.0."""
    return json.dumps(value, sort_keys=True)


def parsed(case):
    return parse(case["text"], this="this" in case)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_python_gives_what_the_file_says(case):
    assert exact(outcome(parsed(case), case)) == exact(expected(case))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_expression_survives_json_and_writing(case):
    expression = parsed(case)
    again = from_json(json.loads(json.dumps(to_json(expression))), this=True)
    assert again.tree == expression.tree
    assert again.names == expression.names
    assert exact(outcome(again, case)) == exact(expected(case))
    assert parse(written(expression.tree), this=True).tree == expression.tree


def javascript_case(case):
    return {
        "tree": to_json(parsed(case)),
        "scope": plain_scope(case),
        "today": case.get("today", GOLDEN["today"]),
        "self": case.get("this"),
    }


def test_javascript_gives_what_the_file_says():
    found = javascript.evaluated([javascript_case(case) for case in CASES])
    wrong = [(case, got) for case, got in zip(CASES, found, strict=True) if exact(got) != exact(expected(case))]
    assert wrong == []


def test_node_comes_from_the_package_where_the_machine_has_none(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert javascript.evaluated([javascript_case(CASES[0])]) == [expected(CASES[0])]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_xlsform_and_back_means_the_same(case):
    expression = parsed(case)
    try:
        text = to_xlsform(expression)
    except BadExpression as mistake:
        assert mistake.code == "not_in_xlsform" and mistake.params["what"] in NOT_IN_XLSFORM
        return
    assert exact(outcome(from_xlsform(text), case)) == exact(expected(case))


def exported():
    found = []
    for case in CASES:
        try:
            found.append((to_xlsform(parsed(case)), "this" in case))
        except BadExpression:
            continue
    return found


def questions(column, texts):
    names = sorted(
        {".".join(part.path) for case in CASES for part in walk(parsed(case).tree) if isinstance(part, Name)}
    )
    rows = [{"type": "text", "name": f"q{at}", "label": "Q", column: text} for at, text in enumerate(texts)]
    return rows + [{"type": "text", "name": name, "label": "N"} for name in names]


@pytest.mark.parametrize(("column", "this"), [("relevant", False), ("constraint", True), ("calculation", False)])
def test_pyxform_accepts_every_exported_expression_without_a_warning(column, this):
    texts = [text for text, uses_this in exported() if uses_this is this]
    form = convert({"survey": questions(column, texts)}, form_name="golden")
    attribute = "calculate" if column == "calculation" else column
    assert form.warnings == []
    assert form.xform.count(f" {attribute}=") == len(texts) >= 17


@pytest.mark.parametrize("case", CELLS, ids=lambda case: f"{case['cell']} ← {case['value']}")
def test_a_cell_of_a_decision_table_fits_as_the_file_says(case):
    today = date.fromisoformat(GOLDEN["today"])
    cell = parse_cell(case["cell"])
    assert match_cell(cell, typed(case["value"]), typed(GOLDEN["cell_scope"]), today=today) is case["fits"]


def test_the_file_covers_the_language():
    functions = {part.function for case in CASES for part in walk(parsed(case).tree) if isinstance(part, Call)}
    assert len(exported()) > 480
    assert functions == set(FUNCTIONS)
    assert len(CASES) >= 250 and len(CELLS) >= 100
    assert min(Counter(case["category"] for case in CASES).values()) >= 4
