"""What nobody may get through: each is refused with a named code, at once."""

import json
import time

import pytest

from nrm.expressions import (
    BadExpression,
    LimitExceeded,
    evaluate,
    from_json,
    from_xlsform,
    parse,
    parse_cell,
    to_xlsform,
)

HOSTILE = [
    # code execution and attribute escapes
    ("__import__('os').system('id')", "private_name"),
    ("__builtins__", "private_name"),
    ("eval('1')", "unknown_function"),
    ("exec('1')", "unknown_function"),
    ("open('/etc/passwd')", "unknown_function"),
    ("compile('1', 'a', 'eval')", "unknown_function"),
    ("getattr(a, 'b')", "unknown_function"),
    ("globals()", "unknown_function"),
    ("().__class__.__base__.__subclasses__()", "private_name"),
    ("''.__class__", "private_name"),
    ("a.__class__", "private_name"),
    ("a.b.__dict__", "private_name"),
    ("a._private", "private_name"),
    ("_", "private_name"),
    ("a.format('x')", "method_not_allowed"),
    ("status.upper()", "method_not_allowed"),
    ("today().year", "unexpected"),
    ("date('2026-01-01').replace", "unexpected"),
    ("(a).b", "unexpected"),
    ("[c for c in ().__class__.__base__.__subclasses__()]", "word_not_allowed"),
    ("lambda: 1", "word_not_allowed"),
    ("(lambda x: x)(1)", "word_not_allowed"),
    ("a if b else c", "word_not_allowed"),
    ("import os", "word_not_allowed"),
    ("yield a", "word_not_allowed"),
    ("await a", "word_not_allowed"),
    ("a is None", "word_not_allowed"),
    ("(a := 1)", "sign_not_allowed"),
    ("a = 1", "use_double_equals"),
    ("max(*a)", "unexpected"),
    ("max(**a)", "sign_not_allowed"),
    ("round(a, ndigits=2)", "use_double_equals"),
    ("a[0]", "index_not_allowed"),
    ("a[1:2]", "sign_not_allowed"),
    ("'abc'[0]", "index_not_allowed"),
    ("[1, 2][0]", "unexpected"),
    ("{'a': 1}", "sign_not_allowed"),
    ("{1, 2}", "sign_not_allowed"),
    ("f'{a}'", "text_prefix"),
    ("b'a'", "text_prefix"),
    ("r'a'", "text_prefix"),
    ("'''a'''", "unexpected"),
    ("@a", "sign_not_allowed"),
    ("a; b", "sign_not_allowed"),
    ("`a`", "sign_not_allowed"),
    ("a # comment", "sign_not_allowed"),
    ("...", "unexpected"),
    ("a.b.c()()", "method_not_allowed"),
    ("max(1)(2)", "unexpected"),
    ("constructor('return 1')()", "unknown_function"),
    # bombs
    ("9**9**9", "sign_not_allowed"),
    ("1 << 999999", "sign_not_allowed"),
    ("'%1000000000d' % 1", "sign_not_allowed"),
    ("7 // 2", "sign_not_allowed"),
    ("~1", "sign_not_allowed"),
    ("1 | 2", "sign_not_allowed"),
    ("1 ^ 2", "sign_not_allowed"),
    ("9" * 16, "number_too_large"),
    ("9" * 1999, "number_too_large"),
    ("0." + "1" * 11, "number_too_large"),
    ("1e999", "bad_number"),
    ("0x7fffffff", "bad_number"),
    ("1_000", "bad_number"),
    ("1j", "bad_number"),
    ("007", "bad_number"),
    ("1.2.3", "bad_number"),
    ("a" * 2001, "too_long"),
    ("a" * 10_000_000, "too_long"),
    ("a" * 65, "name_too_long"),
    ("'" + "x" * 501 + "'", "text_too_long"),
    ("(" * 900 + "1" + ")" * 900, "too_deep"),
    ("[" * 31, "too_deep"),
    ("abs(" * 31 + "1" + ")" * 31, "too_deep"),
    ("not " * 400 + "a", "too_deep"),
    ("-" * 1900 + "1", "too_deep"),
    ("(" * 15 + "-" * 16 + "1", "too_deep"),
    ("+".join("1" * 102), "too_deep"),
    (" or ".join("a" * 399) + " or (a+a)", "too_many_parts"),
    ("max(" + ",".join("1" * 101) + ")", "list_too_long"),
    ("(" + ",".join("1" * 102) + ")", "list_too_long"),
    ("[[1], [2]]", "list_in_list"),
    # characters
    ("a\x00b", "bad_character"),
    ("'a\x00b'", "hidden_character"),
    ("'\ud800'", "hidden_character"),
    ("\ud800", "bad_character"),
    ("'a\u202eb'", "hidden_character"),
    ("'a\u2066b'", "hidden_character"),
    ("a\u200b == 1", "bad_character"),
    ("'a\nb'", "hidden_character"),
    ("\ufeffa", "bad_character"),
    ("ａ == 1", "bad_character"),
    ("аbc == 1", "bad_character"),
    ("a\u00a0== 1", "bad_character"),
    ("𝟏 + 1", "bad_character"),
    ("² + 1", "bad_character"),
    ("‘a’", "bad_character"),
    ("a == “x”", "bad_character"),
    ("a\u0301", "bad_character"),
    ("__ｉｍｐｏｒｔ__('os')", "bad_character"),
    ("'\\x41'", "bad_escape"),
    ("'\\N{BULLET}'", "bad_escape"),
    ("'a", "text_not_closed"),
    ("'a\\", "bad_escape"),
    # not expressions
    ("", "empty"),
    (" \t\r\n ", "empty"),
    ("a ==", "ends_too_early"),
    ("a b", "unexpected"),
    ("(a", "ends_too_early"),
    ("a)", "unexpected"),
    ("a,", "unexpected"),
    ("(,)", "unexpected"),
    ("a == == b", "unexpected"),
    ("a not b", "unexpected"),
    ("and", "unexpected"),
    ("a.", "ends_too_early"),
    (".", "this_not_allowed"),
    ("?", "this_not_allowed"),
    ("a.5", "bad_number"),
    ("a && b", "sign_not_allowed"),
    ("!a", "sign_not_allowed"),
    ("a <> b", "sign_not_allowed"),
    ("${a} = 'x'", "sign_not_allowed"),
    ("age()", "wrong_number_of_arguments"),
    ("today(1)", "wrong_number_of_arguments"),
    (None, "not_text"),
    (b"1", "not_text"),
    (5, "not_text"),
]


@pytest.mark.parametrize(("text", "code"), HOSTILE, ids=lambda value: repr(value)[:40])
def test_a_hostile_expression_is_refused_by_name_at_once(text, code):
    began = time.process_time()
    with pytest.raises(BadExpression) as refused:
        parse(text)
    assert time.process_time() - began < 0.1
    assert refused.value.code == code
    assert 0 <= refused.value.position <= (len(text) if isinstance(text, str) else 0)


HOSTILE_CELLS = [
    "..", "[1..2", "1..2", "[1..]", "[..1]", "[..]", "[1..2..3]", "not(", "not()", "not(1", "not(1))", "1,", ",1", ",", "? ?", "- -", "<", ">= ",
    "> 1 <", "[None..2]", "[1..null]", "< < 1", "__import__('os')", "?.__class__", "?[0]", "? ** 9", "?()", "'a' 'b'", ". > 3",
    "[" * 500, "(" * 500 + "1..2" + ")" * 500, ",".join("1" * 1200), "x" * 2001, "1" * 30, "\x00", "[1..2] and x", "eval(?)",
]  # fmt: skip
HOSTILE_XLSFORM = [
    "", "'", "${", "${}", "${__class__}", "${a b}", "${a}}", "${a.__class__}", "a", "eval('1')", "system('id')", "pulldata('a', 'b', 'c', 'd')",
    "document('file:///etc/passwd')", "/data/a", "//a", "../a", "a[1]", "${a}[1]", "a::b", "@a", "$a", "1 mod 2", "${a} == 1", "${a} <> 1",
    "once(${a})", "instance('x')/root/item", "regex(${a}, '(a+)+$')", "translate(${a}, 'a', 'b')", "format-date(${a}, '%Y')", "uuid()", "random()",
    "not(1, 2)", "true(1)", "if(1)", "selected(${a})", "(" * 5000, "-" * 5000 + "1", "1" + "+1" * 5000, "'" + "x" * 501 + "'", "9" * 16,
    "x" * 20_001, "not(" * 200 + "1" + ")" * 200, "\x00", "'\x00'", "'\u202e'", "٣", "1 2", "(1", "1)", "1,2", "concat(1", None, 5,
]  # fmt: skip


def refused_at_once(read, text):
    began = time.process_time()
    with pytest.raises(BadExpression):
        read(text)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize("text", HOSTILE_CELLS, ids=lambda value: repr(value)[:40])
def test_a_hostile_cell_is_refused_at_once(text):
    refused_at_once(parse_cell, text)


@pytest.mark.parametrize("text", HOSTILE_XLSFORM, ids=lambda value: repr(value)[:40])
def test_a_hostile_xlsform_expression_is_refused_at_once(text):
    refused_at_once(from_xlsform, text)


def test_guards_within_guards_do_not_multiply_the_work_of_an_import():
    text = "1"
    for _ in range(50):
        text = f"(${{a}} != '' and {text} = 2)"
    began = time.process_time()
    with pytest.raises(BadExpression):
        from_xlsform(text)
    assert time.process_time() - began < 0.1


HOSTILE_TREES = [
    None, 1, "x", {}, [], [[]], [None], [["lit", 1]], ["lit"], ["lit", 1, 2], ["lit", 1.5], ["lit", []],
    ["lit", {"$decimal": "1e9"}], ["lit", {"$decimal": "NaN"}], ["lit", {"$decimal": 1}],
    ["lit", {"$date": "2026-01-01"}], ["lit", {"$decimal": "1.5", "x": 1}], ["lit", 10**15], ["lit", 10**5000],
    ["lit", "x" * 501], ["lit", "a\u0000"], ["lit", "\ud800"], ["lit", "\u202e"], ["name"], ["name", ""], ["name", "__class__"],
    ["name", "a", "__class__"], ["name", "a b"], ["name", "a) or (b"], ["name", "True"], ["name", 1], ["name", ["lit", 1]],
    ["name", "a\n"], ["name", "a" * 65], ["this", 1], ["this"], ["not"], ["not", ["lit", 1], ["lit", 1]], ["neg", ["lit", 5]], ["and"],
    ["and", ["lit", 1]], ["compare", ["lit", 1]], ["compare", ["lit", 1], "=", ["lit", 1]], ["compare", ["lit", 1], "==", ["lit", 1], "=="],
    ["compare", ["lit", 1], ["lit", 1], ["lit", 1]], ["compare", ["lit", 1], "is", ["lit", 1]], ["+", ["lit", 1]], ["**", ["lit", 9], ["lit", 9]],
    ["call"], ["call", "eval", ["lit", "1"]], ["call", "today", ["lit", 1]], ["call", 5], ["call", "max", "x"], ["call", "__class__"],
    ["list", ["list"]], ["list", *[["lit", 1]] * 101], ["max", *[["lit", 1]] * 401], ["__proto__"], ["constructor", ["lit", 1]],
    ["and", ["lit", 1], *[["lit", 1]] * 100_000],
]  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE_TREES, ids=map(str, range(len(HOSTILE_TREES))))
def test_a_hostile_tree_is_refused_at_once(data):
    began = time.process_time()
    with pytest.raises(BadExpression):
        from_json(data)
    assert time.process_time() - began < 0.1


def test_a_tree_a_thousand_levels_deep_is_refused():
    tree = ["lit", 1]
    for _ in range(900):
        tree = ["not", tree]
    with pytest.raises(BadExpression, match="too_many_parts"):
        from_json(json.loads(json.dumps(tree)))


class Trap:
    """Raises whenever anything of it is touched."""

    def __getattr__(self, name):
        raise AssertionError(name)

    def __eq__(self, other):
        raise AssertionError

    __hash__ = None

    def __bool__(self):
        raise AssertionError

    def __len__(self):
        raise AssertionError


@pytest.mark.parametrize(
    "text", ["a", "a.b", "a == 1", "a and a", "not a", "a + 1", "len(a)", "selected(a, a)", "a in (a,)"]
)
def test_an_object_that_is_no_value_is_never_touched(text):
    assert evaluate(parse(text), {"a": Trap()}) in (None, False, True)


@pytest.mark.parametrize(
    ("part", "value"),
    [("'z' in a", ["x"] * 1000), ("sum(a)==1", [1] * 1000), ("a == b", "٣" * 10_000), ("lower(a)==b", "x" * 10_000)],
)
def test_the_dearest_evaluations_are_stopped_in_time(part, value):
    expression = parse(" or ".join([part] * 90))
    began = time.process_time()
    with pytest.raises(LimitExceeded, match="too_many_steps"):
        evaluate(expression, {"a": value, "b": "y"})
    assert time.process_time() - began < 0.1


def test_searching_long_texts_stays_cheap():
    expression = parse(" or ".join(["contains(a, b)"] * 80))
    began = time.process_time()
    assert evaluate(expression, {"a": "a" * 10_000, "b": "a" * 4_999 + "b"}) is False
    assert time.process_time() - began < 0.1


def test_an_export_that_doubles_at_every_level_is_stopped():
    text = "a"
    for _ in range(28):
        text = f"if_({text} != b, a, c)"
    began = time.process_time()
    with pytest.raises(BadExpression, match="not_in_xlsform"):
        to_xlsform(parse(text))
    assert time.process_time() - began < 0.1
