"""The check of a pack reads its indicators, its survey and its objectives too."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nrm.actions.pack_checks import check_pack, render_problem
from nrm.countries import Item, ItemKind, Pack, read_pack

WORKFLOWS = Path(__file__).parents[2] / "workflows"
NAMES = {"ar": "أ", "ckb": "ئ", "en": "A"}


def problems(pack: Pack, *items: Item) -> list[str]:
    changed = dataclasses.replace(pack, items=(*pack.items, *items))
    found = [problem for problem in check_pack(changed) if not problem.warning]
    for language in ("ar", "ckb", "en"):
        assert all(render_problem(problem, language) != problem.code for problem in found)
    return [f"{problem.file} {problem.pointer} {problem.code}" for problem in found]


@pytest.fixture(scope="module")
def testland() -> Pack:
    return read_pack(WORKFLOWS / "testland")


def test_a_country_without_indicators_and_objectives_is_whole(testland: Pack):
    assert problems(testland) == []


def test_a_wrong_indicator_is_named_with_its_place(testland: Pack):
    counted = {"names": NAMES, "of": "referral", "unit": "percent", "where": "height > 2", "better": "high", "gcm": [7]}
    item = Item(kind=ItemKind.INDICATOR, key="I01", content=counted)
    assert problems(testland, item) == [
        "indicators.json /I01/where unknown_name",
        "indicators.json /I01/gcm/0 unknown_objective",
    ]


def test_a_survey_over_a_form_that_is_not_there_is_named(testland: Pack):
    scored = {
        "names": NAMES,
        "form": "nowhere",
        "answers": {"yes": 1},
        "least_answered": 0.5,
        "dimensions": [{"key": "home", "questions": {"house": 1}}],
        "bands": [{"key": "all", "below": 1}],
    }
    assert problems(testland, Item(kind=ItemKind.SURVEY, key="short", content=scored)) == [
        "surveys.json /short/form unknown_form"
    ]
