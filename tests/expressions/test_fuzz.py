"""Two fuzzers: every sentence of the grammar evaluates in every runtime, and every other text is refused by name."""

import json
from datetime import date, datetime
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from nrm.expressions.writing import written
from tests.expressions import javascript
from tests.expressions.golden import plain

TODAY = date(2026, 3, 1)
NAMES = ["a", "b", "c", "a.b", "b.c", "absent"]
codes = st.sampled_from(["'x'", "'y'", "''", "'٣'", "'3'", "'2026-01-31'", '"it\'s"'])
leaves = st.one_of(
    st.sampled_from(NAMES),
    codes,
    st.sampled_from(["0", "1", "2.5", "999999999999999", "0.0000000001", "٣", "True", "False", "None", "."]),
    st.integers(0, 10**15 - 1).map(str),
)


def joined(parts):
    return ", ".join(parts)


def calls(inner):
    def call(name):
        function = FUNCTIONS[name]
        few = st.lists(inner, min_size=function.least, max_size=min(function.most, function.least + 2))
        return few.map(lambda parts: f"{name}({joined(parts)})")

    return st.sampled_from(sorted(FUNCTIONS)).flatmap(call)


def grow(inner):
    signs = ["and", "or", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/"]
    binary = st.tuples(inner, st.sampled_from(signs), inner).map(lambda parts: f"({' '.join(parts)})")
    chain = st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} < {parts[1]} == {parts[2]})")
    unary = st.tuples(st.sampled_from(["not ", "-"]), inner).map(lambda parts: f"({''.join(parts)})")
    lists = st.lists(inner.filter(lambda text: not text.startswith("[")), max_size=4).map(lambda x: f"[{joined(x)}]")
    return st.one_of(binary, binary, chain, unary, lists, calls(inner))


sentences = st.recursive(leaves, grow, max_leaves=15)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**17), 10**17),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["x", "y", "3", "٣", "2026-01-31"]),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
scopes = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
calm = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def read(text):
    try:
        return parse(text, this=True)
    except BadExpression as refused:
        assert refused.code in {"list_in_list", "too_deep", "too_long"}  # what the grammar above may overdo
        return None


def is_result(value):
    if isinstance(value, tuple):
        return bool(value) and all(is_result(item) and item is not None for item in value)
    return (
        value is None or (type(value) in (bool, int, Decimal, str, date) and value != "") or isinstance(value, datetime)
    )


@calm
@given(sentences, scopes, values)
def test_a_sentence_of_the_grammar_always_has_a_value(text, scope, this):
    expression = read(text)
    if expression is None:
        return
    value = evaluate(expression, scope, today=TODAY, this=this)
    assert is_result(value)
    again = from_json(json.loads(json.dumps(to_json(expression))), this=True)
    assert evaluate(again, scope, today=TODAY, this=this) == value
    assert parse(written(expression.tree), this=True).tree == expression.tree


@calm
@given(sentences, scopes, values)
def test_a_sentence_survives_xlsform(text, scope, this):
    expression = read(text)
    if expression is None:
        return
    try:
        exported = to_xlsform(expression)
    except BadExpression as refused:
        assert refused.code == "not_in_xlsform"
        return
    try:
        again = from_xlsform(exported)
    except BadExpression as refused:  # the guards of an import may outgrow an expression
        assert refused.code in {"too_long", "too_deep", "too_many_parts"}
        return
    assert evaluate(again, scope, today=TODAY, this=this) == evaluate(expression, scope, today=TODAY, this=this)


json_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.sampled_from(["x", "y", "3", "٣", "", "2026-01-31", "😀", "İ"]),
    st.dates().map(lambda day: {"$date": day.isoformat()}),
    st.decimals(-1000, 1000, places=3).map(lambda number: {"$decimal": format(number, "f")}),
)
json_values = st.recursive(
    json_scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
json_scopes = st.dictionaries(st.sampled_from("abc"), json_values, max_size=3)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(sentences, json_scopes, json_values), min_size=10, max_size=40))
def test_python_and_javascript_agree(rows):
    from tests.expressions.golden import typed

    asked, expected = [], []
    for text, scope, this in rows:
        expression = read(text)
        if expression is None:
            continue
        value = evaluate(expression, typed(scope), today=TODAY, this=typed(this))
        asked.append({"tree": to_json(expression), "scope": scope, "today": "2026-03-01", "self": this})
        expected.append({"value": plain(value)})
    found = javascript.evaluated(asked)
    wrong = [
        (parse_text, want, got)
        for parse_text, want, got in zip(asked, expected, found, strict=True)
        if json.dumps(want) != json.dumps(got)
    ]
    assert wrong == []


pieces = st.sampled_from([
    "a", "b.c", "1", "2.5", "'x'", '"', "'", "(", ")", "[", "]", ",", ".", "..", "?", "==", "!=", "<", "=", "+", "-", "*", "/", "and", "or",
    "not", "in", "True", "None", "max(", "today()", "date(", "__", "\\", "\x00", "\ud800", "٣", "{", "}", "${a}", "div", "not(", " ", "\n", "f'",
])  # fmt: skip
texts = st.one_of(
    st.text(max_size=60), st.lists(pieces, max_size=30).map("".join), st.lists(pieces, max_size=30).map(" ".join)
)


@settings(max_examples=500, deadline=None)
@given(texts, scopes, values)
def test_any_other_text_is_an_expression_or_refused_by_name(text, scope, value):
    for reader in (parse, from_xlsform):
        try:
            expression = reader(text, this=True)
        except BadExpression as refused:
            assert 0 <= refused.position <= len(text)
            continue
        assert is_result(evaluate(expression, scope, today=TODAY, this=value))
    try:
        assert match_cell(parse_cell(text), value, scope, today=TODAY) in (True, False)
    except (BadExpression, LimitExceeded) as refused:
        assert isinstance(refused, BadExpression)
