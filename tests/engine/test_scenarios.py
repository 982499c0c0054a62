"""Scenario files are played on the real engine, with a virtual clock; a scenario that does not hold says why."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from nrm.engine.checker_plays import play_scenarios
from nrm.engine.coverage import uncovered
from nrm.engine.finding_files import resources_to_json
from nrm.engine.parsing import PathSpec, compile_path
from nrm.engine.scenario_files import read_scenario
from nrm.engine.scenarios import Played, play
from nrm.engine.wording import render_finding
from nrm.rules.answer_types import Setting
from nrm.rules.forms import Form, parse_form
from tests.engine import samples as s
from tests.engine.samples import RESOURCES

CHECKS = {"record_visit": {"new_need": bool}, "close_case": {}}


def form(*fields: tuple[str, str]) -> Form:
    label = {"ar": "سؤال", "ckb": "پرسیار", "en": "Question"}
    return parse_form(
        {
            "form": "visit",
            "version": 1,
            "title": label,
            "fields": [{"type": kind, "name": name, "label": label, "required": True} for name, kind in fields],
        }
    )


FORMS = {"visit": form(("visits", "integer"), ("met", "yes_no"))}
VISIT = {"complete": "visit", "answers": {"visits": 2, "met": True}}
SMALL: dict[str, Any] = {
    "scenario": "A visit finds a need.",
    "path": "small_path",
    "start": {},
    "checks": {"record_visit": [{"new_need": True}]},
    "steps": [VISIT],
    "ends": "provided",
}


def spec_of(inner: str) -> PathSpec:
    return compile_path(s.whole(inner), resources=RESOURCES)


def played(changes: Mapping[str, object], spec: PathSpec | None = None) -> Played:
    scenario = read_scenario({**SMALL, **changes})
    return play(spec or spec_of(s.SMALL_INNER), scenario, forms=FORMS, setting=Setting(), check_values=CHECKS)


def why(changes: Mapping[str, object], spec: PathSpec | None = None) -> str:
    (finding,) = played(changes, spec).findings
    assert "…" not in render_finding(finding, "ar") and "…" not in render_finding(finding, "ckb")
    return finding.code


def row(*steps: tuple[str, str]) -> str:
    names = ["go", *(name for name, _ in steps), "done"]
    flows = "".join(s.flow(a, b) for a, b in pairwise(names))
    return s.start("go") + "".join(step for _, step in steps) + s.end("done") + flows


WAITING = (
    s.start("go") + s.flow("go", "wait") + s.gateway("wait", "event") + s.flow("wait", "yes") + s.flow("wait", "late")
    + s.catch("yes", s.message("m.accepted"), '<nrm:take name="visits" from="count"/>')
    + s.catch("late", s.timer("setting:answer_time")) + s.flow("yes", "which") + s.flow("late", "expired")
    + s.gateway("which", default="few") + s.flow("which", "many", "visits > 3") + s.flow("which", "done", name="few")
    + s.end("done") + s.end("many", "withdrawn") + s.end("expired", "unmet")
)  # fmt: skip


def test_a_scenario_that_holds_passes() -> None:
    result = played({})
    assert result.passed
    assert {"visit", "record", "served"} <= result.steps
    assert "which.served" in result.ways


def test_another_answer_of_the_check_takes_the_other_way() -> None:
    assert played({"checks": {"record_visit": [{"new_need": False}]}, "ends": "unmet"}).passed


def test_a_wrong_end_is_said() -> None:
    assert why({"ends": "unmet"}) == "scenario_wrong_end"


def test_a_step_that_is_not_open_is_said_with_what_is_open() -> None:
    result = played({"steps": [{"complete": "record", "answers": {}}]})
    (finding,) = result.findings
    assert finding.code == "scenario_step_not_open"
    assert "visit" in render_finding(finding, "en")


def test_an_answer_that_the_form_refuses_is_said() -> None:
    assert (
        why({"steps": [{"complete": "visit", "answers": {"visits": "many", "met": True}}]}) == "scenario_answer_refused"
    )
    assert why({"steps": [{"complete": "visit", "answers": {}}]}) == "scenario_answer_refused"
    assert why({"steps": [{"complete": "visit", "answers": {"no_such": 1}}]}) == "scenario_answer_refused"


def test_a_check_without_an_answer_is_said() -> None:
    assert why({"checks": {}}) == "scenario_check_missing"


def test_a_scenario_that_stops_too_early_is_said() -> None:
    assert why({"steps": []}) == "scenario_not_ended"


def test_moves_after_the_end_are_said() -> None:
    assert why({"steps": [VISIT, VISIT]}) == "scenario_ended_early"


def test_a_message_of_the_case_ends_the_path() -> None:
    assert played({"steps": [{"message": "person.deceased"}], "ends": "withdrawn"}).passed
    assert why({"steps": [{"message": "nobody.waits"}]}) == "scenario_message_unheard"


def test_an_answer_that_does_not_come_in_time_expires() -> None:
    spec = spec_of(WAITING)
    assert played({"steps": [{"advance": "P6D"}], "ends": "unmet"}, spec).passed
    assert why({"steps": [{"advance": "P4D"}], "ends": "unmet"}, spec) == "scenario_not_ended"
    assert played({"steps": [{"advance": "P3D"}, {"advance": "P3D"}], "ends": "unmet"}, spec).passed
    assert why({"steps": [{"advance": "soon"}]}, spec) == "bad_duration"


@pytest.mark.parametrize("times", [["P999Y"] * 9, ["P9999M"] * 20, ["P99999D"] * 60])
def test_a_clock_that_would_leave_the_calendar_is_said(times: list[str]) -> None:
    moves = [{"advance": time} for time in times]
    assert why({"steps": moves}) == "scenario_too_far"


@pytest.mark.parametrize("item", [{"typename": "x"}, ["a"], 7])
def test_an_item_that_is_none_is_said(item: object) -> None:
    assert why({"steps": [{**VISIT, "item": item}]}) == "scenario_step_not_open"


def test_one_scenario_with_impossible_settings_leaves_the_others_their_results() -> None:
    data: dict[str, Any] = {
        "resources": resources_to_json(RESOURCES),
        "forms": {},
        "setting": {"code_lists": {}, "zone": None, "region": None, "currency": None},
        "check_values": {},
        "scenarios": {"odd": {**SMALL, "settings": {"answer_time": "soon"}}, "plain": {**SMALL, "steps": []}},
    }
    odd, plain = play_scenarios(data, s.whole(WAITING))["played"]  # type: ignore[misc]
    assert [each["code"] for each in odd["findings"]] == ["bad_duration"]
    assert [each["code"] for each in plain["findings"]] == ["scenario_not_ended"]


def test_a_message_carries_values() -> None:
    spec = spec_of(WAITING)
    assert played(
        {"steps": [{"message": "referral.accepted", "values": {"count": 5}}], "ends": "withdrawn"}, spec
    ).passed
    assert played({"steps": [{"message": "referral.accepted", "values": {"count": 1}}]}, spec).passed


def test_rounds_are_told_apart_by_their_item() -> None:
    spec = spec_of(row(("visit", s.user("visit", inner=s.multi()))))
    start = {"service_ids": ["a", "b"]}
    moves = [{"expect_open": ["visit"]}, {**VISIT, "item": "b"}, {**VISIT, "item": "a"}]
    assert played({"start": start, "steps": moves}, spec).passed
    assert why({"start": start, "steps": [{**VISIT, "item": "c"}]}, spec) == "scenario_step_not_open"


def test_children_end_fail_and_escalate() -> None:
    error = '<bpmn:errorEventDefinition errorRef="e.broken"/>'
    late = '<bpmn:escalationEventDefinition escalationRef="x.late"/>'
    inner = (
        row(("work", s.call("work")))
        + s.boundary("bad", "work", error) + s.flow("bad", "failed") + s.end("failed", "unmet")
        + s.boundary("slow", "work", late, "false") + s.flow("slow", "visit") + s.user("visit")
        + s.flow("visit", "visited") + s.end("visited", "")
    )  # fmt: skip
    spec = spec_of(inner)
    end = {"child": "work", "outcome": "good"}
    assert played({"steps": [{"expect_open": ["work"]}, end]}, spec).passed
    assert played({"steps": [{"child_error": "work", "code": "broken"}], "ends": "unmet"}, spec).passed
    assert played({"steps": [{"child_escalation": "work", "code": "late"}, end, VISIT]}, spec).passed


def test_an_expectation_that_does_not_hold_is_said() -> None:
    assert why({"steps": [{"expect_open": ["record"]}, VISIT]}) == "scenario_open_differs"
    assert played({"steps": [{"expect_open": ["visit"]}, VISIT]}).passed


def test_a_value_that_the_engine_refuses_is_said() -> None:
    assert why({"checks": {"record_visit": [{"new_need": "x" * 999}]}}) == "scenario_step_failed"


def test_an_error_end_is_named_by_its_code() -> None:
    inner = s.start("go") + s.flow("go", "visit") + s.user("visit") + s.flow("visit", "broken")
    error = '<bpmn:errorEventDefinition errorRef="e.broken"/>'
    spec = compile_path(s.process(inner + s.end("broken", "", error)), resources=RESOURCES)
    assert played({"ends": "broken"}, spec).passed


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"path": ""},
        {**SMALL, "surprise": 1},
        {**SMALL, "steps": {}},
        {**SMALL, "steps": [{"complete": "a", "message": "b"}]},
        {**SMALL, "steps": [{"jump": "a"}]},
        {**SMALL, "steps": [VISIT] * 501},
        {**SMALL, "checks": {"a": []}},
        {**SMALL, "checks": {"a": {}}},
        {**SMALL, "start": []},
        {**SMALL, "ends": 3},
    ],
)
def test_what_is_no_scenario_is_refused(data: object) -> None:
    with pytest.raises(ValueError):
        read_scenario(data)


def test_what_no_scenario_takes_is_named() -> None:
    spec = spec_of(s.SMALL_INNER)
    gaps = {(gap.code, gap.element) for gap in uncovered(spec, [played({})])}
    assert ("end_not_covered", "not_served") in gaps
    assert ("boundary_not_covered", "on_died") in gaps
    assert not any(element in {"visit", "record", "served", "visit.record"} for _, element in gaps)


def test_a_path_whose_every_part_is_taken_has_no_gap() -> None:
    spec = spec_of(s.SMALL_INNER)
    results = [played({}), played({"checks": {"record_visit": [{"new_need": False}]}, "ends": "unmet"})]
    results += [played({"steps": [{"message": name}], "ends": "withdrawn"}) for name in s.CASE_MESSAGES.values()]
    assert all(result.passed for result in results)
    assert uncovered(spec, results) == ()


def test_a_failed_scenario_covers_nothing() -> None:
    spec = spec_of(s.SMALL_INNER)
    assert [gap.code for gap in uncovered(spec, [played({"ends": "unmet"})])] == ["no_scenario"]
