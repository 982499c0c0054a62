"""An indicator that reads what is not there, or serves an objective that nobody has, is found before a report is due."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nrm.errors import NotValid
from nrm.rules.indicators import check_indicator

WORKFLOWS = Path(__file__).parents[2] / "workflows"
OBJECTIVES = {"12", "21"}
GOOD = {
    "names": {"ar": "أ", "ckb": "ئ", "en": "Answered in time"},
    "of": "referral",
    "unit": "percent",
    "where": "in_time and category == 'JOB'",
    "by": ["organisation"],
    "gcm": [12],
    "better": "high",
}


def codes(**changes: object) -> set[str]:
    data = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(NotValid) as refused:
        check_indicator(json.loads(json.dumps(data)), objectives=OBJECTIVES)
    return {problem.code for problem in refused.value.problems}


def test_an_indicator_that_reads_what_is_there_is_taken():
    check_indicator(json.loads(json.dumps(GOOD)), objectives=OBJECTIVES)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"of": "weather"}, "not_a_choice"),
        ({"unit": "litres"}, "not_a_choice"),
        ({"better": None}, "not_a_choice"),
        ({"by": ["shoe_size"]}, "not_a_choice"),
        ({"where": None}, "required"),
        ({"unit": "mean", "where": None}, "required"),
        ({"where": "height > 2"}, "unknown_name"),
        ({"gcm": [99]}, "unknown_objective"),
        ({"formula": "1"}, "unknown_field"),
    ],
)
def test_a_wrong_part_is_named(changes, code):
    assert code in codes(**changes)


def test_every_indicator_of_the_reference_is_there_and_serves_an_objective():
    entries = json.loads((WORKFLOWS / "iraq/indicators.json").read_bytes())
    assert [entry["key"] for entry in entries] == [f"I{number:02}" for number in range(1, 29)]
    assert all(entry["gcm"] for entry in entries)


def test_the_ten_priorities_of_the_national_strategy_are_marked():
    lists = {entry["key"]: entry["items"] for entry in json.loads((WORKFLOWS / "iraq/code_lists.json").read_bytes())}
    objectives = lists["gcm_objective"]
    assert [entry["code"] for entry in objectives] == [str(number) for number in range(1, 24)]
    marked = {int(entry["code"]) for entry in objectives if entry["national_priority"]}
    assert marked == {1, 2, 3, 4, 11, 12, 14, 19, 21, 23}
