"""The stories of each country's pack come true on the real engine, and together they take every way of every path."""

from pathlib import Path

import pytest

from nrm.actions.path_checks import play_pack
from nrm.engine.findings import Severity

WORKFLOWS = Path(__file__).parents[2] / "workflows"
COUNTRIES = sorted(folder.parent.name for folder in WORKFLOWS.glob("*/country.json"))
MEANT = {
    "iraq": {"calls_itself"},
    "testland": {"case_message_missing", "calls_itself", "no_whole_path_subprocess", "unknown_message"},
}
"""Warnings that hold on purpose: a new round of a referral or a
follow-up is the same path again; the small paths of the test country show one construct each."""


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_story_comes_true_and_leaves_no_way_untold(country):
    report = play_pack(WORKFLOWS / country)
    assert report.problems == ()
    assert {path.key: path.gaps for path in report.paths if path.gaps} == {}
    failed = [
        (path.key, played.scenario.name, played.findings)
        for path in report.paths
        for played in path.played
        if not played.passed
    ]
    assert failed == []
    assert all(path.played for path in report.paths)


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_check_of_paths_finds_nothing_that_is_not_meant(country):
    report = play_pack(WORKFLOWS / country)
    findings = [finding for path in report.paths for finding in path.lint]
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
    assert {finding.code for finding in findings} <= MEANT[country]


def test_iraq_tells_of_every_end_of_a_case():
    report = play_pack(WORKFLOWS / "iraq")
    (main,) = [path for path in report.paths if path.key == "reintegration_case"]
    assert {played.scenario.ends for played in main.played} == {
        "consent_withdrawn",
        "deceased",
        "duplicate",
        "lost_contact",
        "no_consent",
        "not_achieved",
        "not_arrived",
        "progressing",
        "re_migrated",
        "reintegrated_sustainable",
        "transferred",
    }
