"""Opening a task: at which desk, with which form, due when."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, time
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work
from nrm.actions.access import give_access
from nrm.engine.failures import StepFailed
from nrm.engine.steps import Due, Step
from nrm.models import Case, PlanService, Task
from nrm.queries import packs, paths
from nrm.queries.packs import DeskEntry
from nrm.rules.deadlines import CLOCK, Calendar, due_at, share_at
from nrm.vocabulary import SERVICE_CATEGORY, TEAM_DESK, Access, Holder, Level, Priority

OWNER_ROLE: Final = "case_handler"
"""Role of the desk that owns cases."""

RECEIVER: Final = "receiving"
"""`nrm:desk organisation="receiving"`: the organisation that the run's referral went to."""


def open_task(
    work: Work,
    case: Case,
    step: Step,
    *,
    run_id: str,
    version_id: str,
    token: str,
    item: str | None,
    context: MutableMapping[str, str],
    planned: object = None,
    known_desks: frozenset[str] = frozenset(),
) -> str:
    """Open the task of a step.

    Args:
        work: the transaction.
        case: the locked case.
        step: the step, from the parsed path version.
        run_id: the run.
        version_id: the run's path version.
        token: the engine's token.
        item: the list item in multi-instance.
        context: the run's context ({"receiver": organisation id} where a provider's desk works on the step); in a
            strict case the desk of its team is noted there.
        planned: id of the planned service that the run is about.
        known_desks: desks that have access to the case already.

    Returns:
        The task's id.

    Raises:
        StepFailed: when no desk works on this role here; nothing was written.
    """
    desk = desk_for(case, step, context)
    if desk is None:
        raise StepFailed("no_desk", step.id, role=step.role, place=case.governorate)
    _note_team(case, desk, context)
    form = paths.version(version_id).forms[step.form] if step.form else None
    task_id = ids.new_id("tsk")
    due, wake = _times(work, case, step.due)
    work.add(
        Task,
        id=task_id,
        case_id=case.id,
        run_id=run_id,
        path_version_id=version_id,
        step=step.id,
        token=token,
        item=item,
        service_category=step.service or _category(work, case, planned) or context.get(SERVICE_CATEGORY),
        form_version_id=form,
        desk_id=desk.id,
        organisation_id=desk.organisation_id,
        level=case.level,
        priority=case.priority,
        opened_at=work.now,
        due_at=due,
        livemode=case.livemode,
    )
    work.record(
        "task.opened",
        stream=case.id,
        subject=("task", task_id),
        data={"step": step.id, "desk": desk.id},
        organisation_id=desk.organisation_id,
    )
    if wake is not None:
        enqueue_clock(work, task_id, case.id, wake)
    if desk.id not in known_desks:
        share_with_worker(work, case, desk)
    return task_id


def _category(work: Work, case: Case, planned: object) -> str | None:
    """Give the kind of a planned service: several of one plan are worked on side by side, by tasks that are alike."""
    if not isinstance(planned, str):
        return None
    work.flush()
    found = select(PlanService.category).where(PlanService.id == planned, PlanService.case_id == case.id)
    return work.session.execute(found).scalar_one_or_none()


def share_with_worker(work: Work, case: Case, desk: DeskEntry) -> None:
    """Let a desk that has a task know of the case, as far as its role goes and while the task lasts.

    A desk whose role works on no cases (a receiving organisation) knows of its task alone.
    """
    permissions = packs.pack().roles.get(desk.role, frozenset())
    access = next((access for permission, access in _ACCESS_OF.items() if permission in permissions), None)
    if access is not None and desk.id != case.desk_id:
        give_access(work, case.id, holder=(Holder.DESK, desk.id), access=access, reason="task")


_ACCESS_OF: Final = {"case.work": Access.WORK, "case.read": Access.READ, "case.overview": Access.OVERVIEW}
"""Permission of a role → how far its desk sees a case in which it has a task; the first that fits."""


def _note_team(case: Case, desk: DeskEntry, context: MutableMapping[str, str]) -> None:
    """Remember which desk works on a strict case, for this run and those that it starts."""
    permissions = packs.pack().roles.get(desk.role, frozenset())
    if case.level == Level.STRICT and permissions >= _OF_A_TEAM:
        context[TEAM_DESK] = desk.id


_OF_A_TEAM: Final = frozenset({"case.read_strict", "case.work", "referral.send"})
"""What the desk may do that a strict case is left to; a panel that only decides is none."""


def desk_for(case: Case, step: Step, context: Mapping[str, str]) -> DeskEntry | None:
    """Find the desk of a step: the case's own for its role, the receiver's, else the nearest that does the work.

    Args:
        case: the case.
        step: the step, from the parsed path version.
        context: the run's context.
    """
    data = packs.pack()
    role = step.role or OWNER_ROLE
    if role == OWNER_ROLE and step.organisation is None:
        # What a handler does in any case, the team does in its own: nobody else need learn what it is about.
        team = data.desk(context.get(TEAM_DESK)) if case.level == Level.STRICT else None
        if team is not None:
            return team
        # The case may have been moved to a desk that is not the nearest one: it stays with its owner.
        own = next((desk for desk in data.desks if desk.id == case.desk_id and desk.role == role), None)
        if own is not None:
            return own
    if step.organisation == RECEIVER:
        receiver = context.get("receiver")
        return data.find_desk(role, organisation_id=receiver, governorate=case.governorate) if receiver else None
    return data.find_desk(
        role, organisation_kind=step.organisation, governorate=case.governorate, jurisdiction=case.jurisdiction
    )


def enqueue_clock(work: Work, task_id: str, case_id: str, at: datetime) -> None:
    """Wake the task at its next reminder or escalation; one job per task, moved on each time."""
    work.enqueue(
        "task_clock", {"task": task_id}, due_at=at, queue="timers", case_id=case_id, dedup_key=f"task:{task_id}"
    )


def time_kind(due: Due, case: Case) -> str:
    """Say whether a task's time runs on the clock or in working time; an emergency runs on the clock."""
    return CLOCK if case.priority == Priority.EMERGENCY else due.calendar


def _times(work: Work, case: Case, due: Due | None) -> tuple[datetime | None, datetime | None]:
    if due is None:
        return None, None
    calendar = packs.pack().calendar_for(case.jurisdiction)
    kind = time_kind(due, case)
    start = _anchor(work, case, due, calendar)
    end = due_at(start, due.time, calendar=calendar, kind=kind)
    if end <= work.now:
        # Anchored in the past (a late registration): due at once, chased from now on.
        return end, work.now
    if due.reminder is None:
        return end, end
    return end, share_at(work.now, end, due.reminder, calendar=calendar, kind=kind)


def _anchor(work: Work, case: Case, due: Due, calendar: Calendar) -> datetime:
    day = {"arrival": case.arrived_on, "return": case.returned_on}.get(due.anchor)
    if day is None:
        return work.now
    return datetime.combine(day, time(0), tzinfo=calendar.zone).astimezone(UTC)
