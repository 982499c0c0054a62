"""Running cases go on in a new version of their path: with every deadline as it was, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from nrm.actions import cases, migration_parts, migrations, runs, tasks
from nrm.actions._action import transact
from nrm.actions.path_publishing import retire_version
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.engine.moving import StepMove
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, StaleVersion
from nrm.jobs import table
from nrm.jobs.hand import LostJob, holding
from nrm.models import CaseAccess, Event, Incident, Job, Notification, Run, Subscription, Task
from nrm.queries import migration_list
from nrm.queries.verify import verify_all
from nrm.worker.handlers.clocks import fire_timer
from tests.drafting import designer
from tests.moving import (
    carried_out,
    checked_plan,
    deadlines,
    latest_version,
    next_version,
    plan_of,
    runs_of,
    whole_runs,
    work_off,
)
from tests.world import World

NOTE = {"note": "All was done"}
RENAMED = (('id="ring"', 'id="call_them"'), ('sourceRef="ring"', 'sourceRef="call_them"'),
           ('targetRef="ring"', 'targetRef="call_them"'), (">ring<", ">call_them<"),
           ('bpmnElement="ring"', 'bpmnElement="call_them"'))  # fmt: skip


def opened(land: World, path: str) -> str:
    """Open a case on a path, and give its id."""
    handler = land.at_desk("case_handler", "norvale")
    return cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def complete(land: World, case_id: str, step: str, answers: dict | None = None) -> tasks.TaskDone:
    task = land.open_tasks(case_id)[step]
    handler = land.at_desk("case_handler", "norvale")
    version = task.version if task.assignee_id else tasks.claim_task(handler, task.id).version
    return tasks.complete_task(handler, task.id, answers=answers or NOTE, version=version)


def run_of(case_id: str) -> Run:
    db.session.close()
    found = select(Run).where(Run.case_id == case_id, Run.parent_id.is_(None))
    return db.session.execute(found).scalar_one()


def ring(case_id: str) -> str:
    """Let the timer of a case go off, as the runner does, and give its token."""
    db.session.close()
    (job,) = db.session.execute(select(Job).where(Job.case_id == case_id, Job.kind == "timer")).scalars()
    job_id, args = job.id, job.args
    db.session.close()
    assert runs.fire_timer(SYSTEM, args["run"], args["token"])
    with db.engine.begin() as connection:
        connection.execute(delete(Job).where(Job.id == job_id))
    return str(args["token"])


def codes(plan_id: str, case_id: str) -> set[str]:
    return {found["code"] for found in runs_of(plan_id)[run_of(case_id).id].findings}


def test_cases_go_on_in_the_new_version_with_every_deadline_as_it_was(land: World):
    source = latest_version("wait_for_answer")
    writing, waiting = opened(land, "wait_for_answer"), opened(land, "wait_for_answer")
    complete(land, waiting, "write")
    land.move(hours=7)
    target = next_version(land, "wait_for_answer", ("P2D", "P9D"), ("setting:answer_wait", "P8D"))
    before = deadlines()
    plan_id = carried_out(land, source, target)
    assert deadlines() == before
    assert {run_of(case_id).path_version_id for case_id in (writing, waiting)} == {target}
    assert plan_of(plan_id).status == "done"
    assert list(verify_all()) == []
    kinds = db.session.execute(select(Event.kind).where(Event.stream == writing).order_by(Event.seq)).scalars().all()
    assert kinds[-1] == "run.moved"
    complete(land, writing, "write")
    timer = db.session.execute(select(Job.due_at).where(Job.case_id == writing, Job.kind == "timer")).scalar_one()
    assert timer == land.clock.now() + timedelta(days=8), "what begins after the move is as the new version says"


def test_undo_puts_back_what_has_not_gone_on_and_leaves_the_rest(land: World):
    source = latest_version("wait_for_answer")
    still, gone_on = opened(land, "wait_for_answer"), opened(land, "wait_for_answer")
    waiting = opened(land, "wait_for_answer")
    complete(land, waiting, "write")
    target = next_version(land, "wait_for_answer", ("P2D", "P9D"))
    plan_id = carried_out(land, source, target)
    complete(land, gone_on, "write")
    migrations.undo_migration(designer(land, "second"), plan_id)
    work_off(plan_id)
    assert plan_of(plan_id).status == "undone"
    rows = runs_of(plan_id)
    ends = [rows[run_of(case_id).id].status for case_id in (still, gone_on, waiting)]
    assert ends == ["undone", "kept", "undone"]
    versions = [run_of(case_id).path_version_id for case_id in (still, gone_on, waiting)]
    assert versions == [source, target, source]
    assert list(verify_all()) == []


def test_undo_restores_every_row_byte_for_byte_whatever_was_renamed_dropped_or_begun(land: World):
    source = latest_version("wait_for_answer")
    ringing, waiting = opened(land, "wait_for_answer"), opened(land, "wait_for_answer")
    complete(land, waiting, "write")
    complete(land, ringing, "write")
    land.move(days=3)
    ring(ringing)
    tasks.save_draft(
        land.at_desk("case_handler", "norvale"),
        tasks.claim_task(land.at_desk("case_handler", "norvale"), land.open_tasks(ringing)["ring"].id).id,
        answers={"note": "half"},
    )
    late = ('id="too_late"', 'id="no_answer"'), ('="too_late"', '="no_answer"'), (">too_late<", ">no_answer<")
    changed = ('name="letter.answered"', 'name="letter.returned"')
    target = next_version(land, "wait_for_answer", *RENAMED, *late, changed)
    before = whole_runs()
    maker = designer(land, "maker")
    plan_id = migrations.plan_migration(maker, source, target)
    steps = {name: StepMove(to=name) for name in ("write", "wait", "answered")}
    steps |= {"ring": StepMove(to="call_them"), "too_late": StepMove(to="no_answer")}
    migrations.change_migration(maker, plan_id, steps=steps, version=1)
    migrations.check_migration(maker, plan_id, version=None)
    work_off(plan_id)
    assert codes(plan_id, waiting) == {"move_message_changes"}
    migrations.approve_migration(designer(land, "second"), plan_id, version=None)
    work_off(plan_id)
    assert {row.status for row in runs_of(plan_id).values()} == {"moved"}
    assert set(land.open_tasks(ringing)) == {"call_them"}
    assert db.session.execute(select(Subscription.message)).scalars().all() == ["letter.returned"]
    assert list(verify_all()) == []
    migrations.undo_migration(designer(land, "second"), plan_id)
    work_off(plan_id)
    assert whole_runs() == before
    assert list(verify_all()) == []
    complete(land, ringing, "ring")
    assert run_of(ringing).outcome == "phoned"


def test_a_renamed_step_keeps_its_timer_and_the_timer_fires_in_the_new_version(land: World):
    source = latest_version("wait_for_answer")
    case_id = opened(land, "wait_for_answer")
    complete(land, case_id, "write")
    late = ('id="too_late"', 'id="no_answer"'), ('="too_late"', '="no_answer"'), (">too_late<", ">no_answer<")
    target = next_version(land, "wait_for_answer", *late)
    before = deadlines()
    maker = designer(land, "maker")
    plan_id = migrations.plan_migration(maker, source, target)
    steps = {name: StepMove(to=name) for name in ("write", "wait", "answered", "ring")}
    migrations.change_migration(maker, plan_id, steps=steps | {"too_late": StepMove(to="no_answer")}, version=None)
    migrations.check_migration(maker, plan_id, version=None)
    work_off(plan_id)
    migrations.approve_migration(designer(land, "second"), plan_id, version=None)
    work_off(plan_id)
    assert deadlines() == before
    land.move(days=3)
    assert ring(case_id).startswith("no_answer.")
    assert set(land.open_tasks(case_id)) == {"ring"}


def test_a_case_at_a_step_that_is_gone_stays_on_its_version_and_the_dry_run_says_so(land: World):
    source = latest_version("wait_for_answer")
    case_id = opened(land, "wait_for_answer")
    target = next_version(land, "wait_for_answer", *[(old.replace("ring", "write"), new) for old, new in RENAMED])
    plan_id = carried_out(land, source, target)
    assert codes(plan_id, case_id) == {"move_stands_unmapped"}
    assert runs_of(plan_id)[run_of(case_id).id].status == "refused"
    assert run_of(case_id).path_version_id == source
    complete(land, case_id, "write")


def test_a_dry_run_changes_nothing_but_its_own_rows(land: World):
    source = latest_version("hello")
    opened(land, "hello")
    target = next_version(land, "hello", ("Ask", "Query"))
    before = whole_runs()
    checked_plan(land, source, target)
    assert whole_runs() == before


def test_a_called_run_finds_its_caller_after_the_caller_was_moved(land: World):
    source = latest_version("call_with_boundaries")
    case_id = opened(land, "call_with_boundaries")
    target = next_version(land, "call_with_boundaries")
    plan_id = carried_out(land, source, target)
    assert {row.status for row in runs_of(plan_id).values()} == {"moved"}
    complete(land, case_id, "work", {"work_result": "good"})
    assert run_of(case_id).outcome == "fine"


def test_another_desk_gets_what_nobody_has_taken_and_its_case(land: World):
    source = latest_version("hello")
    free, taken = opened(land, "hello"), opened(land, "hello")
    handler = land.at_desk("case_handler", "norvale")
    tasks.claim_task(handler, land.open_tasks(taken)["ask"].id)
    before = whole_runs()
    target = next_version(land, "hello", ('<nrm:desk role="case_handler"/>', '<nrm:desk role="supervisor"/>'))
    plan_id = carried_out(land, source, target)
    supervisor = land.at_desk("supervisor", "norvale")
    desks = [land.open_tasks(case_id)["ask"].desk_id for case_id in (free, taken)]
    assert (desks[0] in supervisor.desks, desks[1] in handler.desks) == (True, True)
    assert "move_desk_taken" in codes(plan_id, taken)
    held = select(CaseAccess.holder_id).where(CaseAccess.case_id == free, CaseAccess.until.is_(None))
    assert desks[0] in db.session.execute(held).scalars().all()
    migrations.undo_migration(designer(land, "second"), plan_id)
    work_off(plan_id)
    assert whole_runs()["tasks"] == before["tasks"]


def test_whoever_made_a_plan_does_not_approve_it(land: World):
    source = latest_version("hello")
    opened(land, "hello")
    plan_id = checked_plan(land, source, next_version(land, "hello", ("Ask", "Query")))
    with pytest.raises(NotAllowed) as refused:
        migrations.approve_migration(designer(land, "maker"), plan_id, version=None)
    assert refused.value.code == "second_person_approves"
    with pytest.raises(NotAllowed):
        migrations.approve_migration(land.at_desk("case_handler", "norvale"), plan_id, version=None)
    with pytest.raises(StaleVersion):
        migrations.approve_migration(designer(land, "second"), plan_id, version=1)


def test_nobody_is_moved_to_a_version_that_was_retired_since_the_dry_run(land: World):
    source = latest_version("hello")
    opened(land, "hello")
    target = next_version(land, "hello", ("Ask", "Query"))
    plan_id = checked_plan(land, source, target)
    retire_version(designer(land, "third"), target)
    with pytest.raises(NotValid) as refused:
        migrations.approve_migration(designer(land, "second"), plan_id, version=None)
    assert refused.value.problems[0].code == "migration_target"
    assert {row.status for row in runs_of(plan_id).values()} == {"ready"}


def test_whoever_ever_changed_a_plan_does_not_approve_it_though_others_changed_it_since(land: World):
    source = latest_version("hello")
    opened(land, "hello")
    target = next_version(land, "hello", ("Ask", "Query"))
    first, second, third = (designer(land, name) for name in ("maker", "second", "third"))
    plan_id = migrations.plan_migration(first, source, target)
    steps = migrations.read_steps(plan_of(plan_id).steps)
    db.session.close()
    for changer in (second, third):
        migrations.change_migration(changer, plan_id, steps=steps, version=None)
    migrations.check_migration(third, plan_id, version=None)
    work_off(plan_id)
    for author in (first, second, third):
        with pytest.raises(NotAllowed) as refused:
            migrations.approve_migration(author, plan_id, version=None)
        assert refused.value.code == "second_person_approves"
    migrations.approve_migration(designer(land, "fourth"), plan_id, version=None)


def test_cases_are_moved_no_further_once_their_new_version_is_retired(land: World, monkeypatch):
    source = latest_version("hello")
    for _ in range(4):
        opened(land, "hello")
    target = next_version(land, "hello", ("Ask", "Query"))
    plan_id = checked_plan(land, source, target)
    second = designer(land, "second")
    migrations.approve_migration(second, plan_id, version=None)
    monkeypatch.setattr(migration_parts, "PART", 2)
    migration_parts.work_part(plan_id)
    retire_version(designer(land, "third"), target)
    migration_parts.end_part(SYSTEM, plan_id)
    work_off(plan_id)
    stopped = plan_of(plan_id)
    assert (stopped.status, stopped.stopped_for) == ("paused", "target_retired")
    assert sorted(row.status for row in runs_of(plan_id).values()) == ["moved", "moved", "ready", "ready"]
    told = select(Notification.user_id).where(Notification.kind == "migration.stopped")
    assert set(db.session.scalars(told)) == {designer(land, "maker").id, second.id}
    db.session.close()
    view = migration_list.migration_view(second, plan_id, language="en")
    assert view.allowed_actions == ("undo",)
    db.session.close()
    with pytest.raises(IllegalMove):
        migrations.resume_migration(second, plan_id)
    migrations.undo_migration(second, plan_id)
    work_off(plan_id)
    assert sorted(row.status for row in runs_of(plan_id).values()) == ["ready", "ready", "undone", "undone"]
    assert list(verify_all()) == []


def test_a_pause_does_not_end_once_the_version_is_retired(land: World):
    source = latest_version("hello")
    opened(land, "hello")
    target = next_version(land, "hello", ("Ask", "Query"))
    plan_id = checked_plan(land, source, target)
    second = designer(land, "second")
    migrations.approve_migration(second, plan_id, version=None)
    migrations.pause_migration(second, plan_id)
    retire_version(designer(land, "third"), target)
    assert plan_of(plan_id).stopped_for == "target_retired"
    db.session.close()
    with pytest.raises(IllegalMove):
        migrations.resume_migration(second, plan_id)


def test_a_plan_with_an_error_is_neither_checked_nor_approved(land: World):
    source = latest_version("wait_for_answer")
    target = next_version(land, "wait_for_answer", ("P2D", "P9D"))
    maker = designer(land, "maker")
    plan_id = migrations.plan_migration(maker, source, target)
    migrations.change_migration(maker, plan_id, steps={"write": StepMove(to="wait")}, version=None)
    with pytest.raises(IllegalMove) as refused:
        migrations.check_migration(maker, plan_id, version=None)
    assert refused.value.code == "migration_has_errors"
    with pytest.raises(NotValid):
        migrations.change_migration(maker, plan_id, steps={"nowhere": StepMove(to="wait")}, version=None)
    with pytest.raises(IllegalMove):
        migrations.approve_migration(designer(land, "second"), plan_id, version=None)
    migrations.discard_migration(maker, plan_id)
    assert plan_of(plan_id).status == "discarded"


def test_a_plan_is_between_two_versions_of_one_path(land: World):
    maker = designer(land, "maker")
    hello, other = latest_version("hello"), latest_version("wait_for_answer")
    for source, target in ((hello, hello), (hello, other)):
        with pytest.raises(NotValid):
            migrations.plan_migration(maker, source, target)
    with pytest.raises(NotFound):
        migrations.plan_migration(maker, hello, "ver_nowhere")


def test_a_pause_holds_and_the_rest_goes_on_later_with_those_that_came_meanwhile(land: World, monkeypatch):
    source = latest_version("hello")
    for _ in range(4):
        opened(land, "hello")
    target = next_version(land, "hello", ("Ask", "Query"))
    plan_id = checked_plan(land, source, target)
    second = designer(land, "second")
    migrations.approve_migration(second, plan_id, version=None)
    monkeypatch.setattr(migration_parts, "PART", 2)
    migration_parts.work_part(plan_id)
    migrations.pause_migration(second, plan_id)
    work_off(plan_id)
    assert sorted(row.status for row in runs_of(plan_id).values()) == ["moved", "moved", "ready", "ready"]
    assert plan_of(plan_id).status == "paused"
    migrations.resume_migration(second, plan_id)
    work_off(plan_id)
    assert {row.status for row in runs_of(plan_id).values()} == {"moved"}


def test_only_the_runner_moves(land: World):
    source = latest_version("hello")
    plan_id = checked_plan(land, source, next_version(land, "hello", ("Ask", "Query")))
    with pytest.raises(NotFound):
        migration_parts.end_part(designer(land, "maker"), plan_id)


def test_a_task_that_is_due_alike_takes_over_the_words_and_one_that_is_not_keeps_its_own(land: World):
    source = latest_version("wait_for_answer")
    case_id = opened(land, "wait_for_answer")
    words = next_version(land, "wait_for_answer", (">Write the letter<", ">Write it<"))
    carried_out(land, source, words)
    assert land.open_tasks(case_id)["write"].path_version_id == words
    slower = next_version(land, "wait_for_answer", ('time="P2D"', 'time="P9D"'))
    carried_out(land, words, slower)
    task = land.open_tasks(case_id)["write"]
    assert (task.path_version_id, run_of(case_id).path_version_id) == (words, slower)
    land.move(days=30)
    db.session.close()
    assert db.session.get(Task, task.id).status == "open"


def test_a_timer_that_a_runner_has_in_hand_while_its_step_gets_another_name_fires_once_and_by_its_new_name(land: World):
    source = latest_version("wait_for_answer")
    case_id = opened(land, "wait_for_answer")
    complete(land, case_id, "write")
    land.move(days=3)
    late = ('id="too_late"', 'id="no_answer"'), ('="too_late"', '="no_answer"'), (">too_late<", ">no_answer<")
    target = next_version(land, "wait_for_answer", *late)
    maker = designer(land, "maker")
    plan_id = migrations.plan_migration(maker, source, target)
    steps = {name: StepMove(to=name) for name in ("write", "wait", "answered", "ring")}
    migrations.change_migration(maker, plan_id, steps=steps | {"too_late": StepMove(to="no_answer")}, version=None)
    migrations.check_migration(maker, plan_id, version=None)
    work_off(plan_id)
    (held,) = transact(
        SYSTEM, lambda work: table.claim(work.session, owner="one", queues=["timers"], limit=1, now=work.now)
    )
    migrations.approve_migration(designer(land, "second"), plan_id, version=None)
    work_off(plan_id)
    with holding(held), pytest.raises(LostJob):
        fire_timer(held)
    db.session.close()
    assert db.session.execute(select(Incident.code)).all() == []
    assert set(land.open_tasks(case_id)) == set()
    assert ring(case_id).startswith("no_answer.")
    assert set(land.open_tasks(case_id)) == {"ring"}
