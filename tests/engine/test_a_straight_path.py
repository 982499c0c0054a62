"""A path from start to end: tasks, a choice, a check, a sub-process."""

from __future__ import annotations

import pytest

from nrm.engine.effects import FinishRun, OpenTask, PassedStep, RecordOutcome, RunCheck, RunStatus
from nrm.engine.runtime import StepFailed
from tests.engine.diagrams import (
    Play,
    boundary,
    box,
    chain,
    check,
    compiled,
    end,
    flow,
    message,
    ref,
    start,
    task,
)

CHOICE = (
    start() + task("ask") + box("exclusiveGateway", "choice", default="choice_no")
    + task("yes") + task("no") + end("done", "helped") + end("not_done", "declined")
    + chain("start", "ask", "choice") + flow("choice", "yes", "wants == True") + flow("choice", "no")
    + chain("yes", "done") + chain("no", "not_done")
)  # fmt: skip
WHOLE = (
    start() + box("subProcess", "whole", start("begin") + task("talk") + check("record", "record_intake", **{"from": "'talk'"})
                  + task("plan") + end("planned", "planned") + chain("begin", "talk", "record", "plan", "planned"))
    + end("end") + chain("start", "whole", "end")
    + boundary("withdrawn", "whole", ref("message", "m")) + end("stopped", "withdrawn") + chain("withdrawn", "stopped")
)  # fmt: skip


def test_a_run_opens_the_first_task():
    run = Play(compiled(CHOICE))
    assert run.last.effects == (PassedStep(step="start", way="start_ask"), OpenTask(token="ask.2", step="ask"))
    assert run.last.status is RunStatus.RUNNING


def test_a_true_condition_chooses_the_way():
    run = Play(compiled(CHOICE))
    run.do("ask", wants=True)
    assert PassedStep(step="choice", way="choice_yes") in run.last.effects
    assert run.waiting == ["yes"]


@pytest.mark.parametrize("answers", [{}, {"wants": False}, {"wants": "true"}, {"wants": None}])
def test_otherwise_the_default_way_is_taken(answers):
    run = Play(compiled(CHOICE))
    run.do("ask", **answers)
    assert run.waiting == ["no"]
    run.do("no")
    assert run.last.effects[-2:] == (
        RecordOutcome(step="not_done", code="declined"),
        FinishRun(outcome="declined", status=RunStatus.FINISHED),
    )
    assert run.last.status is RunStatus.FINISHED


def test_only_values_that_the_path_reads_are_kept():
    run = Play(compiled(CHOICE), {"name": "Sara", "wants": False})
    assert run.last.values == {"wants": False}
    run.do("ask", wants=True, phone="0770")
    assert run.last.values == {"wants": True}
    assert "0770" not in run.last.state


def test_a_check_gets_its_parameters_and_gives_its_values():
    run = Play(compiled(WHOLE, root=message("m", "consent.withdrawn", "case")))
    run.do("talk")
    assert run.found(RunCheck)[0].params == {"from": "talk"}
    run.do("record", consent_given=True)
    assert run.waiting == ["plan", "withdrawn"]


def test_the_message_of_the_case_ends_the_whole_path():
    run = Play(compiled(WHOLE, root=message("m", "consent.withdrawn", "case")))
    run.tell("withdrawn")
    assert run.outcome == "withdrawn"
    assert run.waiting == []


def test_the_end_of_the_sub_process_gives_the_outcome_when_the_outer_end_has_none():
    run = Play(compiled(WHOLE, root=message("m", "consent.withdrawn", "case")))
    for step in ("talk", "record", "plan"):
        run.do(step)
    assert run.outcome == "planned"


def test_a_task_cannot_be_completed_twice():
    run = Play(compiled(CHOICE))
    token = run.token("ask")
    run.do("ask")
    with pytest.raises(StepFailed) as caught:
        run.runtime.complete_step(run.spec, run.last.state, token=token, values={}, now=run.now)
    assert (caught.value.code, caught.value.element) == ("step_not_open", "ask")
