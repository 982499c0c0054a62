"""What goes with a case that is moved to another desk: its open tasks and referrals."""

from __future__ import annotations

from sqlalchemy import select, update

from nrm.actions._action import Work
from nrm.actions.openings import OWNER_ROLE, share_with_worker
from nrm.models import Case, Referral, Task
from nrm.queries import packs
from nrm.vocabulary import TaskStatus


def move_tasks(work: Work, case: Case, old_organisation: str) -> None:
    """Move open tasks to the desks that do their work where the case is now; referrals' tasks stay with receivers."""
    work.flush()
    data = packs.pack()
    roles = {desk.id: desk.role for desk in data.desks}
    open_tasks = work.session.execute(
        select(Task).where(
            Task.case_id == case.id,
            Task.organisation_id == old_organisation,
            Task.status.in_([TaskStatus.OPEN, TaskStatus.ON_HOLD]),
        )
    ).scalars()
    for task in open_tasks:
        role = roles.get(task.desk_id, OWNER_ROLE)
        desk = data.find_desk(role, governorate=case.governorate, jurisdiction=case.jurisdiction)
        target = desk.id if desk and role != OWNER_ROLE else case.desk_id
        if target is None or target == task.desk_id:
            continue
        task.desk_id, task.assignee_id = target, None
        task.organisation_id = desk.organisation_id if desk and role != OWNER_ROLE else case.organisation_id
        task.version += 1
        entry = next((entry for entry in data.desks if entry.id == target), None)
        if entry is not None:
            share_with_worker(work, case, entry)
    work.session.flush()


def move_referrals(work: Work, case: Case, old_organisation: str) -> None:
    """Let whoever has the case now answer for its referrals: those under way, and those whose loop is open."""
    work.session.execute(
        update(Referral)
        .where(Referral.case_id == case.id, Referral.closed_at.is_(None))
        .where(Referral.from_organisation_id == old_organisation)
        .values(
            from_organisation_id=case.organisation_id,
            from_desk_id=case.desk_id,
            updated_at=work.now,
            version=Referral.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
