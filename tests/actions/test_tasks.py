"""A handler's tasks: taken, put back, handed over, held, written down, completed, undone."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from nrm.actions import cases, task_undo, tasks
from nrm.db import db
from nrm.errors import AlreadyDone, IllegalMove, NotFound, NotValid, StaleVersion
from nrm.models import Event, FormVersion, Job, Run, RunStep, Task, TaskAnswers, TaskComment, TaskDraft
from nrm.queries import paths
from nrm.sealing import unseal
from tests.world import World

TEA = {"wants_tea": True, "tea_kind": "mint"}


def opened(land: World, path: str = "hello") -> tuple[object, str, Task]:
    """Open a case of a path with one first task, and give handler, case and task."""
    handler = land.at_desk("case_handler", "norvale")
    case = cases.open_case(handler, land.person(), governorate="norvale", path=path)
    return handler, case.id, next(iter(land.open_tasks(case.id).values()))


def stored(land: World, task_id: str) -> Task:
    land.session.close()
    found = land.session.get(Task, task_id)
    assert found is not None
    return found


def test_a_completed_task_keeps_its_answers_and_opens_the_next(land: World):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id, version=1)
    done = tasks.complete_task(handler, task.id, answers=TEA, version=2)

    assert (done.version, done.incident) == (3, None)
    assert set(land.open_tasks(case_id)) == {"serve"}
    kept = land.session.get(TaskAnswers, task.id)
    assert kept is not None
    assert unseal(kept.answers, row=task.id, column="task_answers.answers") == TEA
    kinds = list(land.session.execute(select(Event.kind).where(Event.stream == case_id).order_by(Event.seq)).scalars())
    assert kinds[-2:] == ["task.completed", "task.opened"]


def test_answers_never_enter_the_state_of_the_run_unless_the_path_decides_by_them(land: World):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id)
    tasks.complete_task(handler, task.id, answers=TEA, version=2)
    run = land.session.execute(select(Run).where(Run.case_id == case_id)).scalar_one()
    assert run.decision_values == {"wants_tea": True}
    assert "mint" not in run.state


def test_two_handlers_take_the_same_task_and_the_slower_one_is_told(land: World):
    handler, _, task = opened(land)
    colleague = land.at_desk("case_handler", "norvale", "two")
    tasks.claim_task(handler, task.id, version=1)
    with pytest.raises(IllegalMove) as refused:
        tasks.claim_task(colleague, task.id, version=1)
    assert refused.value.code == "task_taken"
    assert "comment" in refused.value.allowed_actions


def test_taking_a_task_twice_is_taking_it_once(land: World):
    handler, _, task = opened(land)
    first = tasks.claim_task(handler, task.id, version=1)
    again = tasks.claim_task(handler, task.id, version=1)
    assert (first.version, again.version) == (2, 2)


def test_a_task_of_another_office_does_not_exist_for_a_stranger(land: World):
    _, _, task = opened(land)
    stranger = land.receiver_of("open_door")
    for verb in (
        lambda: tasks.claim_task(stranger, task.id),
        lambda: tasks.save_draft(stranger, task.id, answers={}),
        lambda: tasks.complete_task(stranger, task.id, answers=TEA, version=1),
        lambda: tasks.undo_task(stranger, task.id),
    ):
        with pytest.raises(NotFound):
            verb()


def test_completing_with_an_old_version_changes_nothing(land: World):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id, version=1)
    with pytest.raises(StaleVersion) as stale:
        tasks.complete_task(handler, task.id, answers=TEA, version=1)
    assert stale.value.current == 2
    assert set(land.open_tasks(case_id)) == {"ask"}


def test_a_second_click_completes_nothing_twice(land: World):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id)
    tasks.complete_task(handler, task.id, answers=TEA, version=2)
    with pytest.raises(AlreadyDone):
        tasks.complete_task(handler, task.id, answers=TEA, version=2)
    assert set(land.open_tasks(case_id)) == {"serve"}


@pytest.mark.parametrize(
    ("answers", "pointer"),
    [
        ({}, "/wants_tea"),
        ({"wants_tea": "perhaps"}, "/wants_tea"),
        ({"wants_tea": True}, "/tea_kind"),
        ({"wants_tea": False, "colour": "red"}, "/colour"),
        ("not an object", ""),
    ],
)
def test_wrong_answers_are_named_and_nothing_is_half_written(land: World, answers: object, pointer: str):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id)
    with pytest.raises(NotValid) as wrong:
        tasks.complete_task(handler, task.id, answers=answers, version=2)
    assert pointer in {problem.pointer for problem in wrong.value.problems}
    assert set(land.open_tasks(case_id)) == {"ask"}
    assert land.session.get(TaskAnswers, task.id) is None


def test_a_service_that_is_not_there_is_refused_at_the_question(land: World):
    handler = land.at_desk("case_handler", "norvale")
    case = cases.open_case(handler, land.person(), governorate="norvale", path="service_referral")
    task = land.open_tasks(case.id)["prepare"]
    tasks.claim_task(handler, task.id)
    answers = {
        "service": "svc_" + "0" * 26,
        "provider": "org_" + "0" * 26,
        "referral_urgency": "normal",
        "reason": "wants to work",
        "expected_result": "a certificate",
        "disclosure": ["contact"],
    }
    with pytest.raises(NotValid) as wrong:
        tasks.complete_task(handler, task.id, answers=answers, version=2)
    found = {(problem.pointer, problem.code) for problem in wrong.value.problems}
    assert found == {("/service", "unknown_service"), ("/provider", "unknown_organisation")}


def test_a_handler_puts_a_task_back_and_a_colleague_takes_it(land: World):
    handler, _, task = opened(land)
    colleague = land.at_desk("case_handler", "norvale", "two")
    tasks.claim_task(handler, task.id)
    tasks.release_task(handler, task.id, version=2, reason="I am on leave tomorrow")
    assert tasks.claim_task(colleague, task.id, version=3).assignee_id == colleague.id
    land.session.close()
    comment = land.session.execute(select(TaskComment).where(TaskComment.task_id == task.id)).scalar_one()
    assert unseal(comment.text, row=comment.id, column="task_comments.text") == "I am on leave tomorrow"


def test_a_task_is_handed_only_to_somebody_of_the_desk(land: World):
    handler, _, task = opened(land)
    colleague = land.at_desk("case_handler", "norvale", "two")
    outsider = land.receiver_of("open_door")
    tasks.claim_task(handler, task.id)
    with pytest.raises(NotValid):
        tasks.hand_over_task(handler, task.id, to_user=outsider.id, version=2)
    result = tasks.hand_over_task(handler, task.id, to_user=colleague.id, version=2)
    assert result.assignee_id == colleague.id
    with pytest.raises(IllegalMove):
        tasks.complete_task(handler, task.id, answers=TEA, version=3)


def test_a_supervisor_assigns_the_work_of_the_own_office_only(land: World):
    handler, _, task = opened(land)
    supervisor = land.at_desk("supervisor", "norvale")
    elsewhere = land.at_desk("supervisor", "lakemar")
    result = tasks.assign_task(supervisor, task.id, to_user=handler.id, version=1)
    assert result.assignee_id == handler.id
    with pytest.raises(NotFound):
        tasks.assign_task(elsewhere, task.id, to_user=handler.id, version=2)
    back = tasks.release_task(supervisor, task.id, version=2)
    assert back.assignee_id is None


def test_a_draft_is_kept_with_what_is_still_wrong_and_goes_when_the_task_is_done(land: World):
    handler, _, task = opened(land)
    tasks.claim_task(handler, task.id)
    saved = tasks.save_draft(handler, task.id, answers={"wants_tea": True})
    assert [problem.pointer for problem in saved.problems] == ["/tea_kind"]
    again = tasks.save_draft(handler, task.id, answers=TEA, version=saved.version)
    assert (again.version, again.problems) == (2, ())
    with pytest.raises(StaleVersion):
        tasks.save_draft(handler, task.id, answers={"wants_tea": False}, version=1)
    tasks.complete_task(handler, task.id, answers=TEA, version=2)
    assert land.session.get(TaskDraft, (task.id, handler.id)) is None


def test_a_held_task_keeps_its_remaining_time_and_comes_back(land: World):
    handler, _, task = opened(land)
    assert task.due_at is not None
    tasks.claim_task(handler, task.id)
    until = land.clock.now() + timedelta(days=14)
    tasks.hold_task(handler, task.id, until=until, reason="waiting_for_documents", version=2)
    held = stored(land, task.id)
    assert (held.status, held.pause_left is not None) == ("on_hold", True)
    land.session.close()
    jobs = land.session.execute(select(Job.dedup_key, Job.due_at).where(Job.dedup_key.like("%" + task.id))).all()
    assert jobs == [(f"resume:{task.id}", until)]

    land.move(days=7)
    resumed = tasks.resume_task(handler, task.id, version=3)
    assert resumed.status == "open"
    assert resumed.due_at is not None
    assert resumed.due_at >= task.due_at + timedelta(days=6)


def test_a_hold_needs_an_end_in_the_near_future(land: World):
    handler, _, task = opened(land)
    tasks.claim_task(handler, task.id)
    for until in (land.clock.now(), land.clock.now() + timedelta(days=400)):
        with pytest.raises(NotValid):
            tasks.hold_task(handler, task.id, until=until, reason="waiting_for_others", version=2)


def test_a_completion_is_undone_within_half_a_minute(land: World):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id)
    done = tasks.complete_task(handler, task.id, answers=TEA, version=2)
    assert done.undo_until == land.clock.now() + task_undo.UNDO_WINDOW
    tasks.undo_task(handler, task.id)
    assert set(land.open_tasks(case_id)) == {"ask"}
    draft = land.session.get(TaskDraft, (task.id, handler.id))
    assert draft is not None
    assert unseal(draft.answers, row=task.id, column="task_drafts.answers") == TEA
    again = tasks.complete_task(handler, task.id, answers={"wants_tea": False}, version=4)
    assert again.incident is None
    assert land.open_tasks(case_id) == {}


def test_undo_is_over_when_time_has_passed_or_somebody_has_gone_on(land: World):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id)
    tasks.complete_task(handler, task.id, answers=TEA, version=2)
    land.move(seconds=31)
    with pytest.raises(IllegalMove):
        tasks.undo_task(handler, task.id)

    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id)
    tasks.complete_task(handler, task.id, answers=TEA, version=2)
    tasks.claim_task(handler, land.open_tasks(case_id)["serve"].id)
    with pytest.raises(IllegalMove):
        tasks.undo_task(handler, task.id)


def test_a_completion_may_be_undone_again_and_again_and_leaves_no_trace_in_the_run(land: World):
    handler, case_id, task = opened(land)
    tasks.claim_task(handler, task.id)
    before = run_of(land, case_id)
    for version in (2, 4):
        tasks.complete_task(handler, task.id, answers=TEA, version=version)
        tasks.undo_task(handler, task.id)
    after = run_of(land, case_id)
    assert (after.state, after.decision_values, after.steps) == (before.state, before.decision_values, before.steps)
    walked = land.session.execute(select(RunStep.number).where(RunStep.run_id == after.id)).scalars().all()
    assert len(walked) == before.steps
    assert set(land.open_tasks(case_id)) == {"ask"}


def run_of(land: World, case_id: str) -> Run:
    land.session.close()
    return land.session.execute(select(Run).where(Run.case_id == case_id)).scalar_one()


def test_a_question_may_depend_on_what_the_path_knows_from_an_earlier_step(land: World):
    """The form of the second step asks for cups only of somebody who wanted tea in the first one."""
    handler, case_id, task = opened(land)
    form = land.session.execute(select(FormVersion).where(FormVersion.key == "hello_serve")).scalar_one()
    content = copy.deepcopy(form.content)
    content["uses"] = ["wants_tea"]
    content["fields"][0]["relevant"] = "wants_tea"
    with db.engine.begin() as connection:
        connection.execute(update(FormVersion).where(FormVersion.id == form.id).values(content=content))
    paths.forget()
    tasks.claim_task(handler, task.id)
    tasks.complete_task(handler, task.id, answers=TEA, version=2)
    serve = land.open_tasks(case_id)["serve"]
    tasks.claim_task(handler, serve.id)
    assert tasks.save_draft(handler, serve.id, answers={}).problems[0].pointer == "/cups"
    with pytest.raises(NotValid):
        tasks.complete_task(handler, serve.id, answers={}, version=2)
    tasks.complete_task(handler, serve.id, answers={"cups": 2}, version=2)
    kept = land.session.get(TaskAnswers, serve.id)
    assert kept is not None
    assert unseal(kept.answers, row=serve.id, column="task_answers.answers") == {"cups": 2}
