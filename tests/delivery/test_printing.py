"""Forms on paper: blank and filled in, in either direction, without script or style inside the page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from nrm.delivery.printing import print_form
from nrm.rules.forms import parse_form
from tests.architecture.sources import ROOT

FORMS = sorted(ROOT.glob("workflows/*/forms/*.json"))


def texts(word):
    return {"ar": f"نص {word}", "ckb": f"دەق {word}", "en": word}


def field(kind, name, **more):
    return {"type": kind, "name": name, "label": texts(name), **more}


VISIT = parse_form(
    {
        "form": "visit",
        "version": 2,
        "title": texts("Visit"),
        "choices": {"how": [{"name": "well", "label": texts("Well")}, {"name": "badly", "label": texts("Badly")}]},
        "fields": [
            field("yes_no", "reached", required=True),
            field("select_one", "lives", list="how", relevant="reached"),
            field("text", "why", relevant="lives == 'badly' and reached != False"),
            field("date", "born_on"),
            field("text", "school", relevant="age(born_on) < 18 or lives not in ['well', 'badly']"),
            field("phone", "phone"),
            field("select_multiple", "wishes", list="code_list:need"),
            field("repeat", "children", max=2, fields=[field("text", "child")]),
            {"type": "calculate", "name": "sum", "calculation": "1 + 1"},
        ],
    }
)
LISTS = {"need": {"work": texts("Work"), "home": texts("Home")}}


def lines(page):
    found = []
    parser = HTMLParser()
    parser.handle_data = lambda text: found.append(" ".join(text.split())) if text.strip() else None
    parser.feed(page)
    return found


def printed(language="en", **more):
    return print_form(VISIT, language, code_lists=LISTS, **more)


@pytest.mark.parametrize("path", FORMS, ids=[f"{path.parts[-3]}-{path.stem}" for path in FORMS])
def test_each_form_prints_in_each_language(path):
    form = parse_form(json.loads(path.read_text()))
    lists = json.loads((path.parents[1] / "code_lists.json").read_text())
    code_lists = {entry["key"]: {item["code"]: item["names"] for item in entry["items"]} for entry in lists}
    for language in ("ar", "ckb", "en"):
        page = print_form(form, language, code_lists=code_lists)
        assert form.title[language] in page.replace("&#39;", "'").replace("&#34;", '"')
        assert f'dir="{"ltr" if language == "en" else "rtl"}"' in page
        assert not re.search(r"<script|<style|style=|javascript:", page)
        for item in form.walk():
            assert item.type == "calculate" or item.label[language] in page.replace("&#39;", "'").replace("&#34;", '"')


def test_a_blank_form_says_in_words_when_a_question_is_asked():
    said = lines(printed())
    assert "Answer only if: “reached” is Yes" in said
    assert "Answer only if: “lives” is Badly, and “reached” is not No" in said
    assert "Answer only if: the age by “born_on” is less than 18, or “lives” is none of: Well / Badly" in said
    assert "أجب فقط إذا: جواب «نص reached» هو نعم" in lines(printed("ar"))
    assert "تەنها وەڵام بدەوە ئەگەر: وەڵامی «دەق reached» بریتییە لە بەڵێ" in lines(printed("ckb"))


def test_a_blank_form_has_room_for_several_rounds_and_shows_no_calculation():
    page = printed()
    assert lines(page).count("child") == 2
    assert "sum" not in lines(page)
    assert "✓" not in page


def test_a_filled_form_shows_the_answers_and_nothing_that_they_could_do():
    answers = {
        "reached": True,
        "lives": "badly",
        "why": "<script>alert(1)</script>",
        "phone": "+999 555 0101",
        "wishes": ["home"],
        "children": [{"child": "Invented Person"}],
    }
    page = printed(answers=answers, case_number="TL-0001")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert '<bdi dir="ltr">TL-0001</bdi>' in page
    assert '<bdi dir="ltr">+999 555 0101</bdi>' in page
    said = lines(page)
    chosen = [said[place + 1] for place, text in enumerate(said) if text == "✓"]
    assert chosen == ["Yes", "Badly", "Home"]
    assert "Invented Person" in said
    assert "Answer only if" not in page
