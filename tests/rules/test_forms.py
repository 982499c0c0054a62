"""Form files and answers: what a case handler asks and what a returnee says."""

from __future__ import annotations

import copy
from datetime import date, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm.errors import NotValid
from nrm.rules.answer_types import Setting
from nrm.rules.answers import Answers, constraint_text, decision_values, first_answers, validate_answers
from nrm.rules.form_schema import form_json_schema
from nrm.rules.forms import Form, find_field, parse_form

TODAY = date(2026, 3, 1)
SETTING = Setting(
    code_lists={"governorates": ["north", "south"]},
    region="IQ",
    currency="TLD",
    zone=timezone(timedelta(hours=3)),
)


def words(text: str) -> dict[str, str]:
    return {"ar": f"{text} ع", "ckb": f"{text} ک", "en": text}


def question(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "label": words(name), **more}


INTAKE: dict[str, Any] = {
    "form": "intake",
    "version": 2,
    "title": words("Intake"),
    "uses": ["pre_arrival"],
    "choices": {
        "sex": [{"name": "female", "label": words("female")}, {"name": "male", "label": words("male")}],
        "papers": [{"name": code, "label": words(code)} for code in ("card", "passport", "none")],
    },
    "fields": [
        question("text", "name", required=True),
        question("select_one", "sex", list="sex", required=True),
        question(
            "date",
            "born",
            constraint=". <= today()",
            constraint_message={
                "ar": "لا يمكن أن يكون في المستقبل",
                "ckb": "ناتوانێت لە داهاتوودا بێت",
                "en": "Not in the future.",
            },
        ),
        question("select_multiple", "papers", list="papers"),
        question("select_one", "governorate", list="code_list:governorates"),
        question("yes_no", "has_children"),
        {
            "type": "group",
            "name": "family",
            "label": words("family"),
            "relevant": "has_children",
            "fields": [
                question(
                    "integer",
                    "children_count",
                    required=True,
                    constraint=". > 0",
                    constraint_message=words("one or more"),
                ),
                {
                    "type": "repeat",
                    "name": "children",
                    "label": words("children"),
                    "max": 3,
                    "fields": [
                        question("text", "child_name", required=True),
                        question("integer", "child_age"),
                        question("text", "school", relevant="child_age >= 6"),
                    ],
                },
            ],
        },
        question("money", "debt"),
        question("decimal", "rooms"),
        question("phone", "phone"),
        question("datetime", "appointment"),
        question("geopoint", "home"),
        question("file", "letter"),
        question("organisation", "provider"),
        question("note", "explain"),
        {"type": "calculate", "name": "crowded", "calculation": "rooms < 2", "relevant": "rooms != None"},
        question("long", "story", relevant="pre_arrival"),
        question("acknowledge", "agrees", required=True),
    ],
}
FORM = parse_form(INTAKE, code_lists=["governorates"])
GOOD = {"name": "Test Person", "sex": "female", "agrees": True}


def check(answers: object, **more: Any) -> Answers:
    return validate_answers(FORM, answers, today=TODAY, setting=SETTING, **more)


def wrong(answers: object, **more: Any) -> dict[str, str]:
    with pytest.raises(NotValid) as caught:
        check(answers, **more)
    return {problem.pointer: problem.code for problem in caught.value.problems}


def test_a_short_honest_intake_goes_through() -> None:
    assert check(GOOD).clean == GOOD


def test_a_whole_intake_goes_through_and_is_stored_as_plain_json() -> None:
    answers = GOOD | {
        "born": "١٩٩٠-٠٥-٠١",
        "papers": ["card", "passport", "card"],
        "governorate": "north",
        "has_children": "yes",
        "children_count": "٢",
        "children": [{"child_name": "A", "child_age": 7, "school": "S"}, {"child_name": "B", "child_age": "3"}],
        "debt": "١٢٥٠٫٥",
        "rooms": 1.5,
        "phone": "٠٧٧٠ ١٢٣ ٤٥٦٧",
        "appointment": "2026-03-05T10:30",
        "home": "33.3 44.4",
        "letter": "doc_1",
        "provider": "org_x",
    }
    assert check(answers).clean == GOOD | {
        "born": "1990-05-01",
        "papers": ["card", "passport"],
        "governorate": "north",
        "has_children": True,
        "children_count": 2,
        "children": [{"child_name": "A", "child_age": 7, "school": "S"}, {"child_name": "B", "child_age": 3}],
        "debt": {"amount": "1250.5", "currency": "TLD"},
        "rooms": "1.5",
        "phone": "+9647701234567",
        "appointment": "2026-03-05T10:30:00+03:00",
        "home": {"lat": "33.3", "lon": "44.4"},
        "letter": "doc_1",
        "provider": "org_x",
        "crowded": True,
    }


def test_what_is_not_relevant_is_dropped_and_need_not_be_answered() -> None:
    answers = check(
        GOOD | {"has_children": False, "children_count": 3, "children": [{"child_name": "A"}], "story": "x"}
    )
    assert answers.clean == GOOD | {"has_children": False}
    assert set(answers.dropped) == {"/children_count", "/children", "/story"}


def test_inside_a_round_relevance_looks_at_that_round() -> None:
    answers = GOOD | {
        "has_children": True,
        "children_count": 2,
        "children": [
            {"child_name": "A", "child_age": 2, "school": "S"},
            {"child_name": "B", "child_age": 9, "school": "T"},
        ],
    }
    done = check(answers)
    assert done.clean["children"] == [
        {"child_name": "A", "child_age": 2},
        {"child_name": "B", "child_age": 9, "school": "T"},
    ]
    assert done.dropped == ("/children/0/school",)


def test_a_value_of_the_run_can_make_a_question_relevant() -> None:
    told = check(GOOD | {"story": "line\r\nline"}, values_from_earlier={"pre_arrival": True})
    assert told.clean["story"] == "line\nline"


def test_everything_wrong_is_told_at_once_and_by_place() -> None:
    answers = {"sex": "x", "born": "2030-01-01", "has_children": True, "children": [{}], "agrees": False, "zz": 1}
    assert wrong(answers) == {
        "/name": "required",
        "/sex": "not_a_choice",
        "/born": "constraint",
        "/children_count": "required",
        "/children/0/child_name": "required",
        "/agrees": "must_acknowledge",
        "/zz": "unknown_field",
    }


def test_a_wrong_choice_is_told_as_such() -> None:
    with pytest.raises(NotValid) as caught:
        check(GOOD | {"sex": "x"})
    (problem,) = caught.value.problems
    assert (problem.pointer, problem.code, problem.params) == ("/sex", "not_a_choice", {"choices": "female, male"})


def test_the_forms_own_words_explain_a_constraint() -> None:
    with pytest.raises(NotValid) as caught:
        check(GOOD | {"born": "2030-01-01"})
    (problem,) = caught.value.problems
    assert constraint_text(FORM, problem, "ar") == "لا يمكن أن يكون في المستقبل"
    assert constraint_text(FORM, problem, "en") == "Not in the future."


@pytest.mark.parametrize("typed", ["01/07/1987", "1-7-1970", "27.12.1986", "٠١/٠٧/١٩٨٧", "1987/07/01"])
def test_a_date_typed_by_hand_is_not_guessed(typed: str) -> None:
    assert wrong(GOOD | {"born": typed}) == {"/born": "date_not_iso"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("born", "2025-02-30", "no_such_day"),
        ("born", "1066-01-01", "year_out_of_range"),
        ("born", "soon", "not_a_date"),
        ("born", 5, "not_text"),
        ("name", 5, "not_text"),
        ("name", ["x"], "not_text"),
        ("name", "a\x00b", "control_character"),
        ("name", "a\x1bb", "control_character"),
        ("name", "a\u202eb", "direction_override"),
        ("name", "a\u2066b", "direction_override"),
        ("name", "a\ud800b", "broken_text"),
        ("name", "x" * 501, "too_long"),
        ("name", "x" * 50_000, "too_long"),
        ("papers", "card", "not_a_list"),
        ("papers", ["card", "x"], "not_a_choice"),
        ("papers", [["card"]], "not_a_choice"),
        ("papers", ["card"] * 51, "too_many_choices"),
        ("governorate", "east", "not_a_choice"),
        ("governorate", {"a": 1}, "not_a_choice"),
        ("has_children", "maybe", "not_yes_or_no"),
        ("has_children", 1, "not_yes_or_no"),
        ("debt", "-5", "negative"),
        ("debt", {"amount": "5", "currency": "dollars"}, "currency_required"),
        ("debt", {"amount": "5", "x": 1}, "not_money"),
        ("debt", True, "not_a_number"),
        ("rooms", "1,5", "not_a_number"),
        ("rooms", float("nan"), "not_a_number"),
        ("rooms", float("inf"), "not_a_number"),
        ("rooms", 1e300, "not_a_number"),
        ("rooms", Decimal("1E+999999"), "not_a_number"),
        ("rooms", 10**20, "not_a_number"),
        ("phone", "123", "not_a_phone"),
        ("phone", "call me", "not_a_phone"),
        ("appointment", "tomorrow", "not_a_datetime"),
        ("appointment", "2026-02-30T10:00", "no_such_day"),
        ("home", "95 10", "not_a_point"),
        ("home", {"lat": 1}, "not_a_point"),
        ("letter", "../../etc/passwd", "not_an_id"),
        ("letter", {"a": 1}, "not_an_id"),
        ("explain", "x", "unknown_field"),
        ("family", {"children_count": 1}, "unknown_field"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_reason(field: str, value: object, code: str) -> None:
    assert wrong(GOOD | {field: value}) == {f"/{field}": code}


def test_numbers_keep_their_exact_value() -> None:
    clean = check(GOOD | {"rooms": "0.1", "debt": {"amount": "100000000000.25", "currency": "EUR"}}).clean
    assert clean["rooms"] == "0.1"
    assert clean["debt"] == {"amount": "100000000000.25", "currency": "EUR"}
    assert check(GOOD | {"rooms": 1e-7}).clean["rooms"] == "0.0000001000"


def test_more_rounds_than_allowed_are_refused() -> None:
    children = [{"child_name": "A"}] * 4
    assert wrong(GOOD | {"has_children": True, "children_count": 4, "children": children}) == {
        "/children": "too_many_rounds"
    }
    assert wrong(GOOD | {"has_children": True, "children_count": 4, "children": "A"}) == {"/children": "not_a_list"}
    assert wrong(GOOD | {"has_children": True, "children_count": 1, "children": [{"child_name": "A", "x": 1}]}) == {
        "/children/0/x": "unknown_field"
    }


def test_a_megabyte_of_answers_is_refused_as_a_whole() -> None:
    assert wrong(GOOD | {"story": "x" * 1_000_000}) == {"": "answers_too_large"}
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert wrong(GOOD | {"name": deep}) == {"": "too_deep"}
    assert wrong(["not", "an", "object"]) == {"": "not_an_object"}
    assert wrong(GOOD | {"rooms": 10**5000}) == {"": "unreadable"}


def test_a_sensible_arabic_story_of_full_length_fits() -> None:
    told = check(GOOD | {"story": "ق" * 10_000}, values_from_earlier={"pre_arrival": True})
    assert len(str(told.clean["story"])) == 10_000


def test_text_is_composed_and_trimmed_and_keeps_the_kurdish_joiner() -> None:
    clean = check(GOOD | {"name": "  Jose\u0301 \u200f نه\u200cوروز \n x "}).clean
    assert clean["name"] == "Jos\u00e9 نه\u200cوروز x"


def test_a_draft_keeps_what_was_typed_and_says_what_is_still_wrong() -> None:
    draft = check({"born": "1/7/1990", "sex": "female", "phone": "0770"}, partial=True)
    assert draft.clean == {"born": "1/7/1990", "sex": "female", "phone": "0770"}
    assert {problem.pointer: problem.code for problem in draft.problems} == {
        "/born": "date_not_iso",
        "/phone": "not_a_phone",
        "/name": "required",
        "/agrees": "must_acknowledge",
    }


def test_a_draft_with_what_cannot_be_stored_is_refused() -> None:
    assert wrong({"name": "a\x00"}, partial=True)["/name"] == "control_character"
    assert wrong({"zz": 1}, partial=True)["/zz"] == "unknown_field"


def test_a_draft_can_be_sent_again_and_then_completed() -> None:
    first = check({"born": "1/7/1990"}, partial=True)
    again = check(dict(first.clean), partial=True)
    assert again.clean == first.clean
    assert wrong(dict(first.clean))["/born"] == "date_not_iso"


def test_only_coded_counted_and_dated_answers_may_steer_a_path() -> None:
    clean = check(
        GOOD | {"born": "1990-05-01", "papers": ["card"], "debt": "5", "rooms": "2", "appointment": "2026-03-05T10:30"}
    ).clean
    names = {
        "name",
        "sex",
        "born",
        "papers",
        "debt",
        "rooms",
        "appointment",
        "has_children",
        "crowded",
        "agrees",
        "other",
    }
    assert decision_values(FORM, clean, names) == {
        "sex": "female",
        "born": date(1990, 5, 1),
        "papers": ("card",),
        "debt": Decimal(5),
        "rooms": Decimal(2),
        "appointment": date(2026, 3, 5),
        "has_children": None,
        "crowded": False,
        "agrees": True,
    }


def test_a_date_that_a_form_works_out_may_steer_a_path_and_a_text_may_not() -> None:
    worked_out = {
        "form": "arrival",
        "version": 1,
        "title": {"ar": "وصول", "ckb": "گەیشتن", "en": "Arrival"},
        "fields": [
            {
                "type": "date",
                "name": "expected_on",
                "label": {"ar": "يوم", "ckb": "ڕۆژ", "en": "Day"},
                "required": True,
            },
            {"type": "calculate", "name": "no_show_on", "calculation": "add_days(expected_on, 3)"},
            {"type": "calculate", "name": "words", "calculation": "concat('day ', expected_on)"},
        ],
    }
    form = parse_form(worked_out)
    clean = validate_answers(form, {"expected_on": "2026-03-30"}, today=date(2026, 3, 1)).clean
    assert decision_values(form, clean, {"no_show_on", "words"}) == {"no_show_on": date(2026, 4, 2), "words": None}


def test_clean_answers_are_clean_again() -> None:
    clean = check(GOOD | {"born": "1990-05-01", "rooms": "2", "debt": "5", "home": "1 2"}).clean
    again = check({name: value for name, value in clean.items() if name != "crowded"}).clean
    assert again == clean


def edited(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(INTAKE) | changes


def first_field(**changes: Any) -> dict[str, Any]:
    return edited(fields=[question("text", "a") | changes, question("text", "b")])


@pytest.mark.parametrize(
    ("data", "pointer", "code"),
    [
        ([], "", "not_an_object"),
        (edited(form="Bad Name"), "/form", "bad_name"),
        (edited(version="1"), "/version", "not_an_integer"),
        (edited(version=True), "/version", "not_an_integer"),
        (edited(title={"ar": "x", "en": "x"}), "/title/ckb", "text_missing"),
        (edited(colour="red"), "/colour", "unknown_key"),
        (edited(fields=[]), "/fields", "empty_list"),
        (edited(choices={"sex": []}), "/choices/sex", "empty_list"),
        (edited(choices={"sex": [{"name": "a b", "label": words("x")}]}), "/choices/sex/0/name", "bad_name"),
        (edited(uses=["Bad"]), "/uses", "bad_name"),
        (first_field(type="colour"), "/fields/0/type", "unknown_type"),
        (first_field(name="b"), "/fields/1/name", "duplicate_name"),
        (first_field(name="1a"), "/fields/0/name", "bad_name"),
        (first_field(label={"ar": "x"}), "/fields/0/label/ckb", "text_missing"),
        (first_field(hint={"ar": "x", "ckb": "x"}), "/fields/0/hint/en", "text_missing"),
        # A hidden sign could turn "yes" into "no" for who reads it.
        (first_field(label={"ar": "نعم \u202e لا", "ckb": "x", "en": "x"}), "/fields/0/label/ar", "direction_override"),
        (edited(title={"ar": "x", "ckb": "x\x07", "en": "x"}), "/title/ckb", "control_character"),
        (first_field(hint={"ar": "x", "ckb": "x", "en": "x" * 5000}), "/fields/0/hint/en", "too_long"),
        (first_field(relevant="b == 'x'"), "/fields/0/relevant", "later_name"),
        (first_field(relevant="a == 'x'"), "/fields/0/relevant", "later_name"),
        (first_field(relevant="nobody == 'x'"), "/fields/0/relevant", "unknown_name"),
        (first_field(relevant="b =="), "/fields/0/relevant", "bad_expression"),
        (first_field(relevant=True), "/fields/0/relevant", "not_text"),
        (first_field(constraint=". != 'x'"), "/fields/0/constraint_message", "text_missing"),
        (first_field(required="yes"), "/fields/0/required", "not_true_or_false"),
        (first_field(type="select_one"), "/fields/0/list", "required"),
        (first_field(type="select_one", list="none"), "/fields/0/list", "unknown_list"),
        (first_field(type="select_one", list="code_list:none"), "/fields/0/list", "unknown_list"),
        (first_field(list="sex"), "/fields/0/list", "unknown_key"),
        (first_field(fields=[]), "/fields/0/fields", "unknown_key"),
        (first_field(type="group"), "/fields/0/fields", "empty_list"),
        (first_field(type="calculate"), "/fields/0/calculation", "required"),
        (first_field(calculation="1"), "/fields/0/calculation", "unknown_key"),
        (first_field(**{"class": "private"}), "/fields/0/class", "not_a_choice"),
        (first_field(type="repeat", fields=[question("text", "c")], max=51), "/fields/0/max", "out_of_range"),
        (edited(fields=["x"]), "/fields/0", "not_an_object"),
        (
            edited(
                fields=[
                    question("repeat", "r", fields=[question("text", "c")]),
                    question("text", "b", relevant="c == 'x'"),
                ]
            ),
            "/fields/1/relevant",
            "later_name",
        ),
    ],
)
def test_a_wrong_form_file_says_what_and_where(data: object, pointer: str, code: str) -> None:
    with pytest.raises(NotValid) as caught:
        parse_form(data, code_lists=["governorates"])
    assert (pointer, code) in {(problem.pointer, problem.code) for problem in caught.value.problems}


def test_groups_deeper_than_five_are_refused() -> None:
    inner = question("text", "x")
    for level in range(6):
        inner = question("group", f"g{level}", fields=[inner])
    with pytest.raises(NotValid) as caught:
        parse_form(edited(fields=[inner]))
    assert "too_deep" in {problem.code for problem in caught.value.problems}


def test_all_mistakes_of_a_form_file_are_listed_together() -> None:
    with pytest.raises(NotValid) as caught:
        parse_form(edited(version=0, title={}, fields=[question("x", "a"), question("text", "B")]))
    assert len(caught.value.problems) == 6


def test_a_question_is_found_by_name_wherever_it_stands() -> None:
    found = find_field(FORM, "child_age")
    assert found is not None
    assert found.type == "integer"
    assert find_field(FORM, "nobody") is None


def test_the_published_schema_says_what_is_asked() -> None:
    schema: Any = form_json_schema(FORM, "ckb", code_lists={"governorates": {"north": words("North")}})
    assert schema["title"] == "Intake ک"
    assert schema["required"] == ["name", "sex", "agrees"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {
        item.name for item in FORM.walk() if item.type not in ("group", "note", "calculate")
    } - {"child_name", "child_age", "school"}
    assert schema["properties"]["sex"]["oneOf"][0] == {"const": "female", "title": "female ک"}
    assert schema["properties"]["governorate"]["oneOf"] == [{"const": "north", "title": "North ک"}]
    assert schema["properties"]["children"]["items"]["required"] == ["child_name"]
    assert schema["properties"]["children"]["maxItems"] == 3
    open_list: Any = form_json_schema(FORM, "en")
    assert open_list["properties"]["governorate"]["x-code-list"] == "governorates"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([item.name for item in FORM.walk()]), anything, max_size=8), st.booleans())
@settings(max_examples=400, deadline=None)
def test_whatever_is_sent_is_taken_or_refused_but_never_breaks(answers: dict[str, Any], partial: bool) -> None:
    try:
        done = check(answers, partial=partial)
    except NotValid as refused:
        assert refused.problems
    else:
        assert set(done.clean) <= {item.name for item in FORM.walk()}
        if not partial:
            assert set(decision_values(FORM, done.clean, {"sex", "name"})) == {"sex"}


def test_a_form_is_a_frozen_value() -> None:
    assert isinstance(FORM, Form)
    with pytest.raises(AttributeError):
        FORM.version = 3  # type: ignore[misc]


DEFAULTS = [
    ("text", "tea", "tea"),
    ("integer", "5", 5),
    ("integer", 0, 0),
    ("decimal", "2.50", "2.50"),
    ("yes_no", "yes", True),
    ("yes_no", False, False),
    ("date", "2026-03-05", "2026-03-05"),
    ("money", "5000", "5000"),
    ("money", {"amount": "5000"}, {"amount": "5000"}),
    ("money", {"amount": "5000", "currency": "IQD"}, {"amount": "5000", "currency": "IQD"}),
    ("datetime", "2026-03-05T10:30", "2026-03-05T10:30"),
    ("geopoint", "33.3 44.4", {"lat": "33.3", "lon": "44.4"}),
]


@pytest.mark.parametrize(("kind", "given", "expected"), DEFAULTS)
def test_a_default_stands_in_the_form_before_anybody_answers(kind: str, given: object, expected: object):
    form = parse_form({**INTAKE, "fields": [question(kind, "it", default=given)]})
    assert first_answers(form.fields) == {"it": expected}
    assert form_json_schema(form, "en")["properties"]["it"]["default"] == expected


def test_a_default_may_name_choices_and_stands_in_groups():
    several = question("select_multiple", "papers", list="papers", default="card passport")
    one = question("select_one", "place", list="code_list:governorates", default="north")
    form = parse_form({**INTAKE, "fields": [question("group", "all", fields=[several, one]), question("text", "more")]})
    assert first_answers(form.fields) == {"papers": ["card", "passport"], "place": "north"}
    for nothing in ("", None):
        empty = parse_form({**INTAKE, "fields": [question("text", "it", default=nothing)]})
        assert first_answers(empty.fields) == {}


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("integer", "many", "not_an_integer"),
        ("date", "today()", "not_a_date"),
        ("yes_no", "perhaps", "not_yes_or_no"),
        ("select_one", "gone", "not_a_choice"),
        ("select_multiple", ["card", "gone"], "not_a_choice"),
        ("select_multiple", [1], "not_a_choice"),
        ("text", {"a": 1}, "not_text"),
        ("note", "x", "unknown_key"),
        ("file", "doc_1", "unknown_key"),
    ],
)
def test_a_default_that_could_not_be_an_answer_is_refused(kind: str, given: object, code: str):
    more = {"list": "papers"} if kind.startswith("select") else {}
    with pytest.raises(NotValid) as told:
        parse_form({**INTAKE, "fields": [question(kind, "it", default=given, **more)]})
    assert [(problem.pointer, problem.code) for problem in told.value.problems] == [("/fields/0/default", code)]
