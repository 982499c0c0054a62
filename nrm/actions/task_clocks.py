"""The clock of a task: reminders and escalations.

They are computed from the task's own times, so they survive a new assignee, pause on hold, and need one job per task.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.access import give_access
from nrm.actions.openings import enqueue_clock, time_kind
from nrm.engine.steps import Due
from nrm.errors import NotFound
from nrm.models import Case, Notification, Task
from nrm.queries import packs, paths
from nrm.rules.deadlines import Ladder, add_back, due_at, remaining, share_at
from nrm.vocabulary import Access, Holder, Level, TaskStatus

MOST_RUNGS: Final = 9
"""After the last rung the task is late and everybody above knows; it stays in the lists as overdue."""


@action("task.run_clock")
def run_task_clock(work: Work, task_id: str) -> str | None:
    """Remind of a task or escalate it, whichever is due now, and wake it again for the next.

    Args:
        work: the transaction.
        task_id: the task.

    Returns:
        "reminded", "escalated", or None when nothing was due (it ended, or is on hold).

    Raises:
        NotFound: when anybody but the system asks.
    """
    if not work.actor.is_system:
        raise NotFound
    found = work.session.execute(
        select(Case, Task)
        .join(Task, Task.case_id == Case.id)
        .where(Task.id == task_id)
        .with_for_update(of=[Case, Task])
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    case, task = found
    work.hold(case)
    step = paths.version(task.path_version_id).spec.steps.get(task.step)
    if task.status != TaskStatus.OPEN or task.due_at is None or step is None or step.due is None:
        return None
    return _tick(work, case, task, step.due)


def _tick(work: Work, case: Case, task: Task, due: Due) -> str | None:
    ladder = packs.pack().ladder(due.ladder)
    moments = _moments(work, case, task, due, ladder)
    done: str | None = None
    if task.reminded_at is None and moments[0] is not None and moments[0] <= work.now:
        _remind(work, case, task)
        done = "reminded"
    rungs = moments[1]
    while task.escalation < min(len(rungs), MOST_RUNGS) and rungs[task.escalation] <= work.now:
        _escalate(work, case, task, ladder)
        done = "escalated"
    upcoming = _upcoming(task, moments)
    work.session.flush()
    work.cancel_jobs(f"task:{task.id}")
    if upcoming is not None:
        enqueue_clock(work, task.id, case.id, max(upcoming, work.now))
    return done


def _moments(work: Work, case: Case, task: Task, due: Due, ladder: Ladder) -> tuple[datetime | None, list[datetime]]:
    at = _share_of(work, case, task, due)
    late_from_the_start = task.due_at is None or task.due_at <= task.opened_at
    reminder = None if due.reminder is None or late_from_the_start else at(due.reminder)
    return reminder, [at(rung.percent) for rung in ladder]


def _share_of(work: Work, case: Case, task: Task, due: Due) -> Callable[[int], datetime]:
    """Give the function that says when a share of the task's time has run, in per cent; the rest on hold counts not."""
    calendar = packs.pack().calendar_for(case.jurisdiction)
    kind = time_kind(due, case)
    opened, end = task.opened_at, task.due_at or work.now
    if task.hold_ended_at is None and opened < end:
        return lambda percent: share_at(opened, end, percent, calendar=calendar, kind=kind)
    whole = remaining(opened, due_at(opened, due.time, calendar=calendar, kind=kind), calendar=calendar, kind=kind)
    left = remaining(work.now, end, calendar=calendar, kind=kind)

    def at(percent: int) -> datetime:
        rest = whole * (100 - percent) / 100
        if percent >= 100:
            return add_back(max(opened, end), -rest, calendar=calendar, kind=kind)
        return add_back(work.now, max(left - rest, timedelta()), calendar=calendar, kind=kind)

    return at


def _upcoming(task: Task, moments: tuple[datetime | None, list[datetime]]) -> datetime | None:
    reminder, rungs = moments
    waiting = [reminder] if task.reminded_at is None and reminder is not None else []
    waiting += rungs[task.escalation : task.escalation + 1]
    return min(waiting) if waiting else None


def _remind(work: Work, case: Case, task: Task) -> None:
    task.reminded_at = work.now
    # A program reads no notices: its desk does.
    user = task.assignee_id if task.assignee_id and task.assignee_id.startswith("usr_") else None
    _notify(work, "task.reminded", task, user=user, desk=None if user else task.desk_id)
    work.record("task.reminded", stream=case.id, subject=("task", task.id), data={"desk": task.desk_id})


def _escalate(work: Work, case: Case, task: Task, ladder: Ladder) -> None:
    rung = ladder[task.escalation]
    task.escalation += 1
    told = []
    for role in rung.roles:
        place = {"governorate": case.governorate, "jurisdiction": case.jurisdiction}
        own = packs.pack().find_desk(role, organisation_id=task.organisation_id, **place)
        desk = own or packs.pack().find_desk(role, **place)
        if desk is None:
            continue
        told.append(desk.id)
        _notify(work, "task.escalated", task, user=None, desk=desk.id)
        if case.level != Level.STRICT:
            give_access(work, case.id, holder=(Holder.DESK, desk.id), access=Access.OVERVIEW, reason="escalation")
    work.record(
        "task.escalated",
        stream=case.id,
        subject=("task", task.id),
        data={"rung": task.escalation, "roles": list(rung.roles), "desks": told},
    )


def _notify(work: Work, kind: str, task: Task, *, user: str | None, desk: str | None) -> None:
    work.add(
        Notification,
        id=ids.new_id("ntf"),
        user_id=user,
        desk_id=desk,
        kind=kind,
        subject_kind="task",
        subject_id=task.id,
        created_at=work.now,
    )
