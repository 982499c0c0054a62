"""A survey is scored as its data say; too few answers give no score; a wrong weighting is found before it is used."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from nrm.errors import NotValid
from nrm.rules.forms import Form, parse_form
from nrm.rules.surveys import Survey, parse_survey, score

WORKFLOWS = Path(__file__).parents[2] / "workflows"
ANSWERS = {"yes": 1, "partly": 0.5, "no": 0, "silent": None}
DATA = {
    "names": {"ar": "أ", "ckb": "ئ", "en": "Survey"},
    "official": False,
    "form": "ask",
    "answers": ANSWERS,
    "least_answered": 0.7,
    "dimensions": [
        {"key": "work", "questions": {"job": 2, "food": 1}},
        {"key": "home", "questions": {"house": 1, "papers": 1}},
    ],
    "bands": [{"key": "much", "below": 0.33}, {"key": "some", "below": 0.66}, {"key": "little", "below": 1}],
}
GOOD = {"job": "yes", "food": "yes", "house": "yes", "papers": "yes"}


def text(word: str) -> dict[str, str]:
    return {"ar": word, "ckb": word, "en": word}


def form() -> Form:
    answers = [{"name": name, "label": text(name)} for name in ("yes", "partly", "no", "silent")]
    questions = [
        {"type": "select_one", "name": name, "label": text(name), "list": "scale"}
        for name in ("job", "food", "house", "papers")
    ]
    return parse_form(
        {"form": "ask", "version": 1, "title": text("Ask"), "choices": {"scale": answers}, "fields": questions}
    )


def survey(**changes: object) -> Survey:
    return parse_survey(json.loads(json.dumps({**DATA, **changes})), {"ask": form()})


def codes(**changes: object) -> set[str]:
    with pytest.raises(NotValid) as refused:
        survey(**changes)
    return {problem.code for problem in refused.value.problems}


def test_the_best_and_the_worst_life_score_one_and_nothing():
    assert score(survey(), GOOD).composite == 1
    assert score(survey(), GOOD).band == "little"
    worst = score(survey(), dict.fromkeys(GOOD, "no"))
    assert (worst.composite, worst.band) == (0, "much")


def test_a_question_counts_as_much_as_its_weight():
    found = score(survey(), {**GOOD, "food": "no"})
    assert found.dimensions["work"] == Decimal(2) / 3
    assert found.composite == Decimal("0.8333")


def test_the_edge_of_a_band_belongs_to_the_next_one():
    halves = survey(bands=[{"key": "low", "below": 0.5}, {"key": "high", "below": 1}])
    found = score(halves, dict.fromkeys(GOOD, "partly"))
    assert (found.composite, found.band) == (Decimal("0.5"), "high")


def test_too_few_answers_give_no_score_rather_than_a_wrong_one():
    found = score(survey(), {**GOOD, "papers": "silent"})
    assert found.dimensions == {"work": 1, "home": None}
    assert (found.composite, found.band) == (None, None)
    assert score(survey(), {}).composite is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"answers": {"yes": 1, "no": 0}}, "answer_without_score"),
        ({"answers": {**ANSWERS, "yes": 7}}, "score_out_of_range"),
        ({"answers": {**ANSWERS, "yes": True}}, "score_out_of_range"),
        ({"answers": {}}, "required"),
        ({"form": "nowhere"}, "unknown_form"),
        ({"dimensions": [{"key": "work", "questions": {"weather": 1}}]}, "unknown_question"),
        ({"bands": [{"key": "a", "below": 0.6}, {"key": "b", "below": 0.3}]}, "bands_do_not_rise"),
        ({"bands": []}, "bands_do_not_rise"),
        ({"least_answered": "most"}, "score_out_of_range"),
        ({"weights": {}}, "unknown_field"),
    ],
)
def test_a_wrong_weighting_is_found(changes, code):
    assert code in codes(**changes)


def test_the_short_survey_does_not_pass_for_the_official_one():
    (entry,) = json.loads((WORKFLOWS / "iraq/surveys.json").read_bytes())
    asked = parse_form(json.loads((WORKFLOWS / "iraq/forms/baseline_survey.json").read_bytes()))
    found = parse_survey({name: value for name, value in entry.items() if name != "key"}, {asked.key: asked})
    assert found.official is False
    assert set(found.dimensions) == {"economic", "social", "psychosocial"}
    assert all(entry["note"][language] for language in ("ar", "ckb", "en"))
