"""A late task: reminded, told up the ladder, paused on hold, and never forgotten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from nrm.actions import cases, task_clocks, tasks
from nrm.actors import SYSTEM
from nrm.models import CaseAccess, Job, Notification, Task
from nrm.queries import packs
from tests.world import World


def late(land: World, task_id: str, *, days: int) -> list[str]:
    """Let the task's job go off as often as it asks to within some days, and say what was done."""
    done = []
    until = land.clock.now() + timedelta(days=days)
    while True:
        land.session.close()
        due = land.session.execute(select(Job.due_at).where(Job.dedup_key == f"task:{task_id}")).scalar_one_or_none()
        if due is None or due > until:
            land.clock.at = until
            return done
        land.clock.at = max(due, land.clock.now())
        word = task_clocks.run_task_clock(SYSTEM, task_id)
        if word is not None:
            done.append(word)


def first_task(land: World, **more) -> tuple[object, str, Task]:
    handler = land.at_desk("case_handler", "norvale")
    case = cases.open_case(handler, land.person(), governorate="norvale", path="hello", **more)
    return handler, case.id, land.open_tasks(case.id)["ask"]


def test_a_forgotten_task_is_reminded_once_and_told_to_each_rung(land: World):
    _, case_id, task = first_task(land)
    assert late(land, task.id, days=30) == ["reminded", "escalated", "escalated", "escalated"]
    rungs = packs.pack().ladder("task")
    told = land.session.execute(select(Notification.kind).where(Notification.subject_id == task.id)).scalars().all()
    assert told.count("task.reminded") == 1
    assert told.count("task.escalated") == len(rungs)
    stored = land.session.get(Task, task.id)
    assert stored is not None
    assert (stored.status, stored.escalation) == ("open", len(rungs)), "it stays open: only completing closes it"
    reasons = land.session.execute(
        select(CaseAccess.access).where(CaseAccess.case_id == case_id, CaseAccess.reason == "escalation")
    ).scalars()
    assert set(reasons) == {"overview"}


def test_a_reminder_goes_to_whoever_holds_the_task(land: World):
    handler, _, task = first_task(land)
    tasks.claim_task(handler, task.id)
    late(land, task.id, days=4)
    reminder = land.session.execute(select(Notification).where(Notification.kind == "task.reminded")).scalar_one()
    assert (reminder.user_id, reminder.desk_id) == (handler.id, None)


def test_a_new_assignee_does_not_move_the_deadline(land: World):
    handler, _, task = first_task(land)
    colleague = land.at_desk("case_handler", "norvale", "two")
    tasks.claim_task(handler, task.id)
    before = land.session.execute(select(Job.due_at).where(Job.dedup_key == f"task:{task.id}")).scalar_one()
    land.session.close()
    tasks.hand_over_task(handler, task.id, to_user=colleague.id, version=2)
    after = land.session.execute(select(Job.due_at).where(Job.dedup_key == f"task:{task.id}")).scalar_one()
    assert before == after
    land.session.close()
    stored = land.session.get(Task, task.id)
    assert stored is not None
    assert stored.due_at == task.due_at


def test_nobody_is_chased_for_a_task_on_hold(land: World):
    handler, _, task = first_task(land)
    tasks.claim_task(handler, task.id)
    tasks.hold_task(
        handler, task.id, until=land.clock.now() + timedelta(days=20), reason="waiting_for_others", version=2
    )
    assert late(land, task.id, days=15) == []
    assert task_clocks.run_task_clock(SYSTEM, task.id) is None


def test_a_completed_task_has_no_clock_left(land: World):
    handler, _, task = first_task(land)
    tasks.claim_task(handler, task.id)
    tasks.complete_task(handler, task.id, answers={"wants_tea": False}, version=2)
    assert land.session.execute(select(Job).where(Job.kind == "task_clock")).all() == []
    assert task_clocks.run_task_clock(SYSTEM, task.id) is None


def test_an_emergency_runs_on_the_clock_and_the_rest_in_working_time(land: World):
    _, _, normal = first_task(land)
    _, _, emergency = first_task(land, priority="emergency")
    land.clock.move(timedelta(days=4))  # Thursday: the weekend follows
    _, _, over_the_weekend = first_task(land)
    _, _, at_once = first_task(land, priority="emergency")
    assert normal.due_at is not None
    assert emergency.due_at is not None
    assert over_the_weekend.due_at is not None
    assert at_once.due_at is not None
    assert emergency.due_at <= normal.due_at
    assert at_once.due_at - at_once.opened_at == emergency.due_at - emergency.opened_at
    assert over_the_weekend.due_at - over_the_weekend.opened_at > normal.due_at - normal.opened_at


def second_task(land: World) -> tuple[object, Task]:
    """Give the task of four hours on the clock, reminded after half of them."""
    handler, case_id, first = first_task(land)
    tasks.claim_task(handler, first.id)
    tasks.complete_task(handler, first.id, answers={"wants_tea": True, "tea_kind": "mint"}, version=2)
    return handler, land.open_tasks(case_id)["serve"]


def test_a_rest_neither_brings_the_reminder_forward_nor_puts_escalation_off(land: World):
    handler, task = second_task(land)
    tasks.claim_task(handler, task.id)
    until = land.clock.now() + timedelta(days=10)
    tasks.hold_task(handler, task.id, until=until, reason="waiting_for_others", version=2)
    land.clock.at = until
    tasks.resume_task(SYSTEM, task.id)
    assert late(land, task.id, days=0) == [], "all of its four hours are still to come"
    assert next_wake(land, task.id) == until + timedelta(hours=2)
    rungs = packs.pack().ladder("task")
    assert late(land, task.id, days=2) == ["reminded", *["escalated"] * len(rungs)]


def next_wake(land: World, task_id: str):
    land.session.close()
    return land.session.execute(select(Job.due_at).where(Job.dedup_key == f"task:{task_id}")).scalar_one()


def test_an_undone_task_is_still_reminded(land: World):
    handler, _, task = first_task(land)
    before = next_wake(land, task.id)
    tasks.claim_task(handler, task.id)
    tasks.complete_task(handler, task.id, answers={"wants_tea": True, "tea_kind": "mint"}, version=2)
    tasks.undo_task(handler, task.id)
    assert late(land, task.id, days=0) == []
    assert next_wake(land, task.id) == before
