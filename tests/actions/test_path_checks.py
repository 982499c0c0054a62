"""`nrm path lint` and `nrm path test`: diagrams and scenarios of a pack, without a database."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nrm.actions import pack_checks
from nrm.actions.checks import CHECK_VALUES
from nrm.actions.pack_checks import check_pack
from nrm.actions.path_checks import CHECK_PARAMS, answer_setting, lint_files, pack_facts, play_pack
from nrm.countries import BadPack, read_pack
from nrm.engine import confined
from nrm.engine.findings import Finding

PACKS = Path(__file__).parents[2] / "workflows"


@pytest.fixture(autouse=True)
def _no_child_left() -> Iterator[None]:
    yield
    confined.close()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the test country that may be broken."""
    return Path(shutil.copytree(PACKS / "testland", tmp_path / "testland"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_every_scenario_of_the_test_country_passes_and_leaves_nothing_out() -> None:
    report = play_pack(PACKS / "testland")
    assert report.whole, "\n".join(report.lines("en"))
    assert report.counts[0] == len(report.paths)
    assert report.counts[2] == 0
    assert all(path.played for path in report.paths)
    assert [gap.element for path in report.paths for gap in path.gaps] == []


def test_a_scenario_that_no_longer_holds_fails_its_path_and_says_why(pack: Path) -> None:
    change(pack / "scenarios" / "hello" / "tea.json", '"served"', '"no_tea"')
    report = play_pack(pack)
    assert not report.ok
    assert [path.key for path in report.paths if not path.ok] == ["hello"]
    assert any("no_tea" in line for line in report.lines("ar"))


def test_a_way_that_nobody_plays_is_named(pack: Path) -> None:
    (pack / "scenarios" / "hello" / "no_tea.json").unlink()
    report = play_pack(pack)
    (hello,) = [path for path in report.paths if path.key == "hello"]
    assert hello.ok
    assert "end_not_covered" in [gap.code for gap in hello.gaps]
    assert (report.ok, report.whole) == (True, False)
    assert any(line.startswith("GAPS hello") for line in report.lines("en"))


def test_a_path_without_any_story_leaves_the_pack_unfinished(pack: Path) -> None:
    shutil.rmtree(pack / "scenarios" / "hello")
    report = play_pack(pack)
    assert not report.whole
    assert [gap.code for path in report.paths for gap in path.gaps] == ["no_scenario"]


def test_a_path_with_an_error_is_not_played(pack: Path) -> None:
    change(pack / "paths" / "hello.bpmn", 'key="hello_ask"', 'key="nothing"')
    (hello,) = [path for path in play_pack(pack).paths if path.key == "hello"]
    assert not hello.ok
    assert hello.played == ()
    assert "unknown_form" in [finding.code for finding in hello.lint]


def test_files_that_are_no_scenarios_are_named(pack: Path) -> None:
    folder = pack / "scenarios" / "hello"
    (folder / "broken.json").write_text("{")
    (folder / "lost.json").write_text(json.dumps({"path": "nowhere", "steps": []}))
    report = play_pack(pack)
    assert not report.ok
    assert {(Path(file).name, finding.code) for file, finding in report.problems} == {
        ("broken.json", "scenario_unreadable"),
        ("lost.json", "scenario_unknown_path"),
    }


def test_a_diagram_whose_process_has_another_name_than_its_file_is_named(pack: Path) -> None:
    shutil.copy(pack / "paths" / "hello.bpmn", pack / "paths" / "good_bye.bpmn")
    wrong = [problem for problem in check_pack(read_pack(pack)) if not problem.warning]
    assert [(problem.file, problem.code) for problem in wrong] == [("paths/good_bye.bpmn", "name_differs_from_file")]


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPack):
        play_pack(tmp_path)


def test_lint_gives_one_line_of_json_for_each_finding(pack: Path) -> None:
    file = pack / "paths" / "hello.bpmn"
    change(file, 'key="hello_ask"', 'key="nothing"')
    lines, wrong = lint_files([file], pack=pack, language="ckb")
    assert wrong
    entries = {entry["code"]: entry for entry in map(json.loads, lines)}
    entry = entries["unknown_form"]
    assert (entry["severity"], entry["element"], entry["file"]) == ("error", "ask", str(file))
    assert "nothing" in entry["text"]


@pytest.mark.parametrize("country", ["testland", "iraq"])
def test_answers_are_read_as_in_the_packs_own_country(country: str) -> None:
    pack = read_pack(PACKS / country)
    said = json.loads((PACKS / country / "country.json").read_text())
    setting = answer_setting(pack)
    assert setting.currency == said["currency"]["code"]
    assert setting.region == said["phone_region"]
    assert setting.zone is not None
    assert setting.zone.utcoffset(datetime(2026, 1, 1)) == timedelta(hours=3)
    assert pack_facts(pack)[0].languages == tuple(said["languages"])


def test_a_check_that_a_busy_machine_broke_off_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = read_pack(PACKS / "testland")
    late = (Finding(code="took_too_long", params={"seconds": 5}),)
    answers = iter([late])
    original = pack_checks.check_diagram
    pack_checks._settled.cache_clear()
    monkeypatch.setattr(
        pack_checks, "check_diagram", lambda *given, **named: next(answers, None) or original(*given, **named)
    )
    assert "took_too_long" in {problem.code for problem in check_pack(pack)}
    assert not [problem for problem in check_pack(pack) if not problem.warning]


def test_lint_without_a_pack_checks_what_the_diagram_tells() -> None:
    lines, wrong = lint_files([PACKS / "testland" / "paths" / "hello.bpmn"], pack=None, language="en")
    assert not wrong
    assert all(json.loads(line)["severity"] == "warning" for line in lines)


def test_each_registered_check_has_its_parameters_told() -> None:
    assert set(CHECK_PARAMS) <= set(CHECK_VALUES)
