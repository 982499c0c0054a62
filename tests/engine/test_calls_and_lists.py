"""Call activities, and steps repeated over a list."""

from __future__ import annotations

import pytest

from nrm.engine.effects import CancelChildRun, FailParent, OpenTask, RunStatus, StartChildRun
from nrm.engine.runtime import StepFailed
from nrm.engine.steps import Resources
from tests.engine.diagrams import Play, boundary, box, call, chain, check, compiled, end, ext, multi, ref, start, task

ERROR = '<bpmn:error id="e1" errorCode="no_provider"/>'
ESCALATION = '<bpmn:escalation id="esc" escalationCode="danger"/>'
CROSSING = (
    '<nrm:pass name="service" from="service_id"/><nrm:take name="hours" from="units"/><nrm:call result="results"/>'
)
READ = check("read", "some_check", a="hours", b="results")


def services(*, sequential: bool = False, more: str = "", extra: str = CROSSING):
    return compiled(
        start() + call("serve", "service_referral", multi("service_ids", "service_id", sequential=sequential), extra)
        + READ + end() + chain("start", "serve", "read", "end") + more,
        root=ERROR + ESCALATION,
    )  # fmt: skip


def test_a_call_starts_a_child_run_with_what_it_passes():
    spec = compiled(
        start() + call("c", "followup", "", '<nrm:pass name="months" from="wave"/><nrm:call version="3"/>') + end()
        + chain("start", "c", "end")
    )  # fmt: skip
    run = Play(spec, {"wave": 6})
    assert run.found(StartChildRun) == [
        StartChildRun(token="c.2", step="c", path="followup", version=3, values={"months": 6})
    ]
    assert spec.called == {"followup"}


def test_the_outcome_and_the_values_that_are_taken_come_back():
    spec = compiled(start() + call("c", "x", "", CROSSING) + READ + end() + chain("start", "c", "read", "end"))
    run = Play(spec)
    run.child("c", "provided", units=12, name="Sara")
    assert run.last.values == {"results": "provided", "hours": 12}


def test_what_a_path_passes_at_its_end_is_kept_for_its_parent():
    spec = compiled(
        start() + task("a") + end("e", "ok", "", '<nrm:pass name="units" from="hours"/>') + chain("start", "a", "e")
    )
    run = Play(spec)
    run.do("a", hours=8, secret="x")
    assert run.last.values == {"hours": 8, "units": 8}


def test_a_pack_table_chooses_the_path():
    resources = Resources(call_tables={"service_paths": {"health": "health_mhpss", "legal": "legal_aid"}})
    spec = compiled(
        start() + box("callActivity", "c", ext('<nrm:call table="service_paths" key="category"/>')) + end()
        + chain("start", "c", "end"), resources=resources,
    )  # fmt: skip
    assert Play(spec, {"category": "legal"}).found(StartChildRun)[0].path == "legal_aid"
    assert spec.called == {"health_mhpss", "legal_aid"}
    with pytest.raises(StepFailed) as caught:
        Play(spec, {"category": "shelter"})
    assert caught.value.code == "no_path_for_value"
    assert "shelter" not in str(caught.value.params)


def test_every_service_gets_its_own_run_and_the_outcomes_keep_the_order_of_the_list():
    run = Play(services(), {"service_ids": ["s1", "s2", "s3"]})
    assert [(effect.item, effect.values) for effect in run.found(StartChildRun)] == [
        ("s1", {"service": "s1"}), ("s2", {"service": "s2"}), ("s3", {"service": "s3"}),
    ]  # fmt: skip
    run.child("serve", "provided", item="s3", units=1)
    run.child("serve", "declined", item="s1", units=2)
    assert "results" not in run.last.values
    run.child("serve", None, item="s2")
    assert run.last.values["results"] == ("declined", "", "provided")
    assert run.last.values["hours"] == 2
    assert run.waiting == ["read"]


def test_one_after_another_in_the_order_of_the_list():
    run = Play(services(sequential=True), {"service_ids": ["s1", "s2"]})
    assert [effect.item for effect in run.open.values()] == ["s1"]
    run.child("serve", "a")
    assert [effect.item for effect in run.open.values()] == ["s2"]
    run.child("serve", "b")
    assert run.last.values["results"] == ("a", "b")


@pytest.mark.parametrize("values", [{}, {"service_ids": []}])
@pytest.mark.parametrize("sequential", [True, False])
def test_an_empty_or_missing_list_passes_at_once(values, sequential):
    assert Play(services(sequential=sequential), values).waiting == ["read"]


def test_a_value_that_is_no_list_is_refused():
    with pytest.raises(StepFailed) as caught:
        Play(services(), {"service_ids": "s1"})
    assert (caught.value.code, caught.value.element) == ("not_a_list", "serve")


def test_the_failure_of_a_child_is_caught_and_its_sisters_are_cancelled():
    more = task("mend") + boundary("b", "serve", ref("error", "e1")) + chain("b", "mend", "end")
    run = Play(services(more=more), {"service_ids": ["s1", "s2"]})
    run.child_fails("serve", "no_provider", item="s1")
    assert len(run.found(CancelChildRun)) == 1
    assert run.waiting == ["mend"]


def test_the_failure_of_a_child_that_nobody_catches_fails_this_run_too():
    run = Play(services(), {"service_ids": ["s1", "s2"]})
    run.child_fails("serve", "no_provider", item="s1")
    assert run.found(FailParent) == [FailParent(step="serve", code="no_provider")]
    assert run.last.status is RunStatus.FAILED


def test_an_escalation_of_a_child_is_caught_beside_it():
    more = (
        task("help") + boundary("b", "serve", ref("escalation", "esc"), interrupting=False) + chain("b", "help", "end")
    )
    run = Play(services(more=more), {"service_ids": ["s1", "s2"]})
    run.child_escalates("serve", "danger", item="s2")
    assert run.waiting == ["help", "serve", "serve"]


def test_a_task_for_each_entry_knows_its_entry():
    spec = compiled(
        start() + task("visit", multi("people", "who")) + check("c", "some_check", it="who") + end()
        + chain("start", "visit", "c", "end")
    )  # fmt: skip
    run = Play(spec, {"people": ["p1", "p2"], "who": "outside"})
    assert [effect.item for effect in run.found(OpenTask)] == ["p1", "p2"]
    run.do("visit", item="p1")
    run.do("visit", item="p2")
    assert next(iter(run.open.values())).params == {"it": "outside"}


def test_a_sub_process_for_each_entry_reads_its_own_entry():
    inside = start("s1") + check("c", "some_check", it="who") + task("t") + end("e1") + chain("s1", "c", "t", "e1")
    spec = compiled(
        start() + box("subProcess", "each", inside + multi("people", "who")) + task("after") + end()
        + chain("start", "each", "after", "end")
    )  # fmt: skip
    run = Play(spec, {"people": ["p1", "p2"]})
    assert [effect.params["it"] for effect in run.open.values()] == ["p1", "p2"]
    run.do("c", item="p2")
    run.do("t", item="p2")
    assert run.waiting == ["c"]
    run.do("c")
    run.do("t")
    assert run.waiting == ["after"]
