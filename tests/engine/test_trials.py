"""Whatever a path can wait for, a trial can answer: rounds, called paths that end in any way, messages, signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from nrm.engine.checker import WORKS
from nrm.engine.effects import OpenTask, StartChildRun, Subscribe
from nrm.engine.finding_files import resources_to_json
from nrm.engine.scenario_files import read_scenario
from nrm.engine.scenarios import play
from nrm.engine.trials import Trial, try_path
from nrm.rules.answer_types import Setting
from tests.engine import samples as s
from tests.engine.samples import RESOURCES
from tests.engine.test_scenarios import CHECKS, FORMS, VISIT, row, spec_of

ITEMS = {"service_ids": ["a", "b", "c"]}
ERROR = '<bpmn:errorEventDefinition errorRef="e.broken"/>'
ANY_ERROR = "<bpmn:errorEventDefinition/>"
LATE = '<bpmn:escalationEventDefinition escalationRef="x.late"/>'
SIGNAL = '<bpmn:signalEventDefinition signalRef="s.all"/>'
CALLED = (
    row(("work", s.call("work", extra='<nrm:take name="visits" from="count"/>')))
    + s.boundary("bad", "work", ERROR) + s.flow("bad", "failed") + s.end("failed", "unmet")
    + s.boundary("any", "work", ANY_ERROR) + s.flow("any", "stopped") + s.end("stopped", "withdrawn")
    + s.boundary("slow", "work", LATE, "false") + s.flow("slow", "visit") + s.user("visit")
    + s.flow("visit", "visited") + s.end("visited", "")
)  # fmt: skip


def rounds(step: str, *, one_by_one: bool) -> str:
    marker = s.multi()
    if one_by_one:
        marker = marker.replace('isSequential="false"', 'isSequential="true"')
    return {
        "visit": s.user("visit", inner=marker),
        "record": s.check("record").replace("</bpmn:serviceTask>", marker + "</bpmn:serviceTask>"),
        "work": s.call("work", inner=marker),
    }[step]


def tried(inner: str, *moves: Mapping[str, Any], every_check: bool = True, **more: Any) -> Trial:
    """Try a path, and make sure that what was tried passes as a scenario once the run has ended."""
    content = {"path": "small_path", "steps": list(moves), **more}
    spec = spec_of(inner)
    parts: dict[str, Any] = {"forms": FORMS, "setting": Setting(), "check_values": CHECKS}
    trial = try_path(spec, read_scenario(content), **parts, every_check=every_check)
    if trial.status != "running" and trial.problem is None:
        recorded = read_scenario({**content, "ends": trial.outcome})
        assert play(spec, recorded, **parts).passed, "what was tried is kept as a scenario that passes"
    return trial


def items(trial: Trial) -> list[str | None]:
    return [each.item for each in trial.open if isinstance(each, OpenTask | StartChildRun)]


def test_rounds_side_by_side_are_all_open_and_answered_in_any_order() -> None:
    inner = row(("visit", rounds("visit", one_by_one=False)))
    assert items(tried(inner, start=ITEMS)) == ["a", "b", "c"]
    assert items(tried(inner, {**VISIT, "item": "b"}, start=ITEMS)) == ["a", "c"]
    whole = tried(inner, *({**VISIT, "item": item} for item in "cab"), start=ITEMS)
    assert (whole.status, whole.problem) == ("finished", None)


def test_rounds_one_after_the_other_open_when_the_one_before_is_done() -> None:
    inner = row(("visit", rounds("visit", one_by_one=True)))
    assert items(tried(inner, start=ITEMS)) == ["a"]
    early = tried(inner, {**VISIT, "item": "b"}, start=ITEMS)
    assert early.problem is not None
    assert early.problem.code == "scenario_step_not_open"
    assert items(tried(inner, {**VISIT, "item": "a"}, start=ITEMS)) == ["b"]
    whole = tried(inner, *({**VISIT, "item": item} for item in "abc"), start=ITEMS)
    assert (whole.status, whole.problem) == ("finished", None)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_check_is_answered_round_by_round(one_by_one: bool) -> None:
    inner = row(("record", rounds("record", one_by_one=one_by_one)))
    yes, no = {"new_need": True}, {"new_need": False}
    for given, asked in (([], "a"), ([yes], "b"), ([yes, no], "c")):
        paused = tried(inner, start=ITEMS, checks={"record_visit": given} if given else {})
        assert paused.checks[0].item == asked
        assert paused.status == "running"
    whole = tried(inner, start=ITEMS, checks={"record_visit": [yes, no, yes]})
    assert whole.status == "finished"
    assert tried(inner, start=ITEMS, checks={"record_visit": [yes]}, every_check=False).status == "finished"


@pytest.mark.parametrize("one_by_one", [False, True])
def test_called_paths_of_each_round_end_by_themselves(one_by_one: bool) -> None:
    inner = row(("work", rounds("work", one_by_one=one_by_one)))
    assert items(tried(inner, start=ITEMS)) == (["a"] if one_by_one else ["a", "b", "c"])
    ends = [{"child": "work", "outcome": "good", "item": item} for item in "abc"]
    assert tried(inner, *ends, start=ITEMS).status == "finished"
    failed = tried(inner, {"child_error": "work", "code": "broken", "item": "a"}, start=ITEMS)
    assert (failed.status, failed.outcome, failed.open) == ("failed", "broken", ())


@pytest.mark.parametrize(
    ("move", "status", "outcome"),
    [
        ({"child": "work", "outcome": "good", "values": {"count": 3}}, "finished", "provided"),
        ({"child_error": "work", "code": "broken"}, "finished", "unmet"),
        ({"child_error": "work", "code": "something_else"}, "finished", "withdrawn"),
        ({"child_cancel": "work"}, "finished", "withdrawn"),
    ],
)
def test_a_called_path_ends_fails_or_is_cancelled(move: dict[str, Any], status: str, outcome: str) -> None:
    trial = tried(CALLED, move)
    assert (trial.status, trial.outcome, trial.problem) == (status, outcome, None)


def test_a_called_path_escalates_and_goes_on() -> None:
    trial = tried(CALLED, {"child_escalation": "work", "code": "late"})
    assert {"work", "visit"} <= {each.step for each in trial.open}
    whole = tried(CALLED, {"child_escalation": "work", "code": "late"}, VISIT, {"child": "work", "outcome": "good"})
    assert whole.status == "finished"


def test_a_called_path_that_nobody_catches_takes_the_whole_run_along() -> None:
    inner = row(("work", s.call("work")))
    assert tried(inner, {"child_error": "work", "code": "broken"}).status == "failed"
    cancelled = tried(inner, {"child_cancel": "work"})
    assert (cancelled.status, cancelled.outcome) == ("failed", "given_up")


def waits(definition: str, extra: str = "") -> str:
    """Give two branches that wait for the same thing at once."""
    return (
        s.start("go") + s.flow("go", "both") + s.gateway("both", "parallel") + s.flow("both", "one")
        + s.flow("both", "two") + s.catch("one", definition, extra) + s.catch("two", definition)
        + s.flow("one", "join") + s.flow("two", "join") + s.gateway("join", "parallel") + s.flow("join", "which")
        + s.gateway("which", default="few") + s.flow("which", "many", "visits > 3")
        + s.flow("which", "done", name="few") + s.end("done") + s.end("many", "withdrawn")
    )  # fmt: skip


def test_a_message_brings_values_to_all_who_wait_for_it() -> None:
    inner = waits(s.message("m.accepted"), '<nrm:take name="visits" from="count"/>')
    many = tried(inner, {"message": "referral.accepted", "values": {"count": 5}})
    assert (many.status, many.outcome, many.values["visits"]) == ("finished", "withdrawn", 5)
    assert tried(inner, {"message": "referral.accepted", "values": {"count": 1}}).outcome == "provided"


def test_a_signal_is_heard_by_all_who_wait_for_it() -> None:
    inner = waits(SIGNAL)
    begun = tried(inner)
    waiting = {each.message for each in begun.open if isinstance(each, Subscribe)}
    (name,) = (each for each in waiting if each.startswith("signal:"))
    assert tried(inner, {"message": name}).status == "finished"


def asked(inner: str, *moves: Mapping[str, Any], start: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give what the child process says of a trial."""
    request = {
        "resources": resources_to_json(RESOURCES),
        "forms": {},
        "setting": {"code_lists": {}, "region": None, "currency": None, "zone": None},
        "check_values": {"record_visit": ["new_need"]},
        "scenario": {"path": "small_path", "steps": list(moves), "start": dict(start or {})},
        "every_check": True,
    }
    answer: Any = WORKS["try"](request, s.whole(inner))
    assert answer["findings"] == []
    found: dict[str, Any] = answer["trial"]
    return found


def test_a_trial_says_what_may_be_answered_where_it_waits() -> None:
    (child,) = (each for each in asked(CALLED)["open"] if each["kind"] == "child")
    assert (child["takes"], child["errors"], child["escalations"]) == (("count",), ("broken",), ("late",))
    inner = waits(s.message("m.accepted"), '<nrm:take name="visits" from="count"/>')
    takes = {each["step"]: each["takes"] for each in asked(inner)["open"] if each["kind"] == "message"}
    assert takes["one"] == ("count",)
    assert takes["two"] == ()
    (check,) = asked(row(("record", rounds("record", one_by_one=True))), start=ITEMS)["checks"]
    assert (check["item"], check["values"]) == ("a", ["new_need"])
