"""What differs between two versions of a form."""

from __future__ import annotations

import json

from nrm.rules.form_changes import compare_forms
from nrm.rules.forms import parse_form
from tests.installations import TESTLAND

CONTENT = json.loads((TESTLAND / "forms" / "hello_ask.json").read_text("utf-8"))
FORM = parse_form(CONTENT)


def after(**changes):
    return parse_form({**json.loads(json.dumps(CONTENT)), **changes})


def test_a_form_does_not_differ_from_itself():
    assert compare_forms(FORM, after()) == ()
    assert compare_forms(None, None) == ()


def test_a_question_that_was_added_or_removed_is_named():
    label = {"ar": "ملاحظة", "ckb": "تێبینی", "en": "Note"}
    more = after(fields=[*CONTENT["fields"], {"type": "text", "name": "note", "label": label}])
    assert [(each.question, each.what) for each in compare_forms(FORM, more)] == [("note", "added")]
    assert [(each.question, each.what) for each in compare_forms(more, FORM)] == [("note", "removed")]


def test_each_thing_that_a_question_says_is_compared():
    first, *rest = CONTENT["fields"]
    changed = {**first, "label": {**first["label"], "en": "Tea?"}, "required": not first.get("required", False)}
    found = compare_forms(FORM, after(fields=[changed, *rest]))
    assert {(each.question, each.what, each.detail) for each in found} == {
        (first["name"], "required", ""),
        (first["name"], "label", "en"),
    }


def test_a_form_that_is_new_or_gone_is_one_change():
    assert [each.what for each in compare_forms(None, FORM)] == ["added"]
    assert [each.what for each in compare_forms(FORM, None)] == ["removed"]


def test_a_default_and_what_the_form_is_for_are_compared():
    first, second = CONTENT["fields"]
    texts = {"ar": "أ", "ckb": "ا", "en": "A"}
    changed = after(description=texts, fields=[first, {**second, "default": "green", "appearance": "big"}])
    assert {(each.question, each.what, each.after) for each in compare_forms(FORM, changed)} == {
        ("", "description", "أ"),
        ("", "description", "ا"),
        ("", "description", "A"),
        ("tea_kind", "default", '"green"'),
        ("tea_kind", "appearance", "big"),
    }
