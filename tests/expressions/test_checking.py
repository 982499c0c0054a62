"""An author is told what is wrong with a condition, and where, before anybody relies on it."""

import json
import pickle
import re
from datetime import date
from pathlib import Path

import pytest

from nrm.expressions import check, evaluate, from_xlsform, is_name, parse, to_xlsform, truthy

ROOT = Path(__file__).parents[2]
NAMES = {"status", "needs", "born", "services"}


def found(text, **options):
    return [(problem.code, problem.position) for problem in check(text, NAMES, **options)]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("status == 'open' and needs > 3", []),
        ("statsu == 'open'", [("unknown_name", 0)]),
        ("status == opne and neds > 1", [("unknown_name", 10), ("unknown_name", 19)]),
        ("status == true", [("unknown_name", 10)]),
        ("family.size > 3", [("unknown_name", 0)]),
        ("needs > eval('1')", [("unknown_function", 8)]),
        ("age(born, 1, 2) > 3", [("wrong_number_of_arguments", 0)]),
        ("status = 'open'", [("use_double_equals", 7)]),
        ("1 == 2", [("never_true", 0)]),
        ("'a' == 1", [("never_true", 0)]),
        ("1 == 1", [("always_true", 0)]),
        ("status == 'a' and 3 < 2", [("never_true", 18)]),
        ("'a' in ('b', 'c')", [("never_true", 0)]),
        ("count(services) == 'a'", [("never_true", 0)]),
        ("needs + 1 == '4'", [("never_true", 0)]),
        ("(needs > 1) == 1", [("never_true", 1)]),
        ("needs < None", [("never_true", 0)]),
        ("status < 'b'", [("no_order", 0)]),
        ("needs > True", [("no_order", 0)]),
        ("today() > 5", [("never_true", 0)]),
        ("status in ()", [("never_true", 0)]),
        ("services == ('a', 'b')", [("never_true", 0)]),
        ("born < date('2026-02-30')", [("not_a_date", 12)]),
        ("needs / 0 > 1", [("divides_by_zero", 6)]),
        ("status == None or needs != None", []),
        ("1 < needs < 5", []),
        ("age(born) >= 18 and today() > born", []),
        ("selected(services, 'cash')", []),
        (". > 3", [("this_not_allowed", 0)]),
        ("", [("empty", 0)]),
    ],
)
def test_an_author_is_told_what_is_surely_not_meant(text, problems):
    assert found(text) == problems


def test_a_constraint_may_speak_of_this_value():
    assert found(". > 3 and . <= today()", this=True) == []


def catalogue(language):
    return json.loads((ROOT / "nrm" / "locale" / language / "expressions.json").read_text(encoding="utf-8"))


def codes():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "nrm" / "expressions").glob("*.py")]
    raised = re.compile(
        r'(?:BadExpression|LimitExceeded|ExpressionProblem)\(\s*(?:code=)?"(\w+)"(?: if [^"]*? else "(\w+)")?'
    )
    choices = re.compile(r'code="(\w+)" if \w+ else "(\w+)"')
    matches = [match for source in sources for pattern in (raised, choices) for match in pattern.findall(source)]
    return {code for match in matches for code in match if code}


def test_every_code_has_a_text_in_every_language():
    assert len(codes()) >= 38
    for language in ("ar", "ckb", "en"):
        assert set(catalogue(language)) == codes()


def test_the_texts_of_all_languages_have_the_same_places():
    def places(text):
        return sorted(re.findall(r"\{(\w+)\}", text))

    english = catalogue("en")
    for language in ("ar", "ckb"):
        for code, text in catalogue(language).items():
            assert places(text) == places(english[code]), (language, code)
            assert re.search("[\u0600-\u06ff]", text)


def test_every_problem_brings_what_its_text_needs():
    texts = catalogue("en")
    for text in [
        "a ** 2",
        "x == 1",
        "eval(1)",
        "age()",
        "'a'[0]",
        "a" * 65,
        "9" * 16,
        "a b",
        "a.b()",
        "f''",
        "import a",
        "_a",
        "é",
    ]:
        for problem in check(text, ()):
            assert "{" not in texts[problem.code].format(**problem.params)


@pytest.mark.parametrize(
    ("xlsform", "ours"),
    [
        ("${a} = 'x' and ${n} > 3", "a == 'x' and n > 3"),
        ("selected(${needs}, 'cash')", "selected(needs, 'cash')"),
        ("not(selected(${needs}, 'cash'))", "not selected(needs, 'cash')"),
        ("count-selected(.) <= 3", "count_selected(.) <= 3"),
        (". >= 0 and . <= 120", ". >= 0 and . <= 120"),
        (". <= today()", ". <= today()"),
        ("${a} != ''", "a != None"),
        ("${a} != 'x'", "a != 'x' or a == None"),
        ("${a} != '' and ${a} != 'x'", "a != 'x'"),
        ("${a} = ${b}", "a == b or a == None and b == None"),
        ("string-length(.) = 12", "len(.) == 12"),
        ("if(${a} = 'x', 1, 2)", "if_(a == 'x', 1, 2)"),
        ("${a} div 4 + 2 * ${b}", "a / 4 + 2 * b"),
        ("regex(., '^[0-9٠-٩۰-۹]+$')", "is_digits(.)"),
        ("(${a} = 1 or ${b} = 2) and ${c} = 3", "(a == 1 or b == 2) and c == 3"),
        ("${a}='x' or ${b}='y' or ${c}='z'", "a == 'x' or b == 'y' or c == 'z'"),
        ("date('2026-01-31') > ${d}", "date('2026-01-31') > d"),
        ('coalesce(${a}, ${b}) = "it\'s"', "coalesce(a, b) == 'it\\'s'"),
    ],
)
def test_an_officers_spreadsheet_reads_as_our_words(xlsform, ours):
    assert from_xlsform(xlsform).text == ours


@pytest.mark.parametrize(
    ("ours", "xlsform"),
    [
        ("a == 'x' and n > 3", "(${a} = 'x') and (${n} > 3)"),
        ("a != 'x'", "${a} != '' and (${a} != 'x')"),
        ("a in ('x', 'y')", "(${a} = 'x') or (${a} = 'y')"),
        ("'x' in a", "selected(${a}, 'x')"),
        ("a / b > 1", "if(${b} != 0, ${a} div ${b}, '') > 1"),
        ("a == None", "${a} = ''"),
        ("year(a) == 2026", "int(format-date(${a}, '%Y')) = 2026"),
    ],
)
def test_an_export_says_what_xlsform_would_otherwise_leave_out(ours, xlsform):
    assert to_xlsform(parse(ours)) == xlsform


def test_a_parsed_expression_can_be_kept_copied_and_sent_to_another_process():
    expression = parse("born.year == None and needs > 2")
    assert expression.names == {"born", "needs"}
    assert evaluate(expression, {"needs": 3}) is True
    copy = pickle.loads(pickle.dumps(expression))
    assert copy == expression
    assert evaluate(copy, {"needs": 1}) is False


@pytest.mark.parametrize(
    ("value", "counts"), [(None, False), (0, False), ("", False), ((), False), (False, False), (1, True), ("0", True)]
)
def test_what_counts_as_true(value, counts):
    assert truthy(value) is counts
    assert truthy(date(2026, 1, 1)) is True


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("service_id", True),
        ("a1", True),
        ("date", True),
        ("_a", False),
        ("class", False),
        ("1a", False),
        ("é", False),
        ("", False),
        ("a\n", False),
    ],
)
def test_which_names_a_field_may_have(text, good):
    assert is_name(text) is good
