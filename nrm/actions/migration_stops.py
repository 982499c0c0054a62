"""What stops the moving of running cases without anybody asking: the version to which they go was retired."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work
from nrm.models import MigrationPlan, Notification
from nrm.vocabulary import MigrationStatus

TARGET_RETIRED: Final = "target_retired"

_UNDER_WAY: Final = (str(MigrationStatus.RUNNING), str(MigrationStatus.PAUSED))


def stop_for_retired(work: Work, version_id: str) -> None:
    """Stop every plan that is moving cases to a version; it can be taken back, but not go on.

    The runner reads how a plan stands before each case, so that none follows once this is committed. Call it before
    the version is locked: whoever approves a plan locks the plan first.

    Args:
        work: the transaction in which the version is retired.
        version_id: the version.
    """
    under_way = (MigrationPlan.target_id == version_id, MigrationPlan.status.in_(_UNDER_WAY))
    found = select(MigrationPlan).where(*under_way).order_by(MigrationPlan.id).with_for_update()
    for plan in work.session.execute(found.execution_options(populate_existing=True)).scalars().all():
        work.change(
            MigrationPlan,
            plan.id,
            version=plan.version,
            status=str(MigrationStatus.PAUSED),
            stopped_for=TARGET_RETIRED,
        )
        work.record(
            "migration.stopped", stream="system", subject=("migration", plan.id), data={"reason": TARGET_RETIRED}
        )
        _tell(work, plan)


def _tell(work: Work, plan: MigrationPlan) -> None:
    """Tell those who planned and approved it, but not whoever retires the version."""
    for user_id in sorted({*plan.changers, plan.approved_by or ""} - {work.actor.id}):
        if user_id.startswith("usr_"):
            work.add(
                Notification,
                id=ids.new_id("ntf"),
                user_id=user_id,
                kind="migration.stopped",
                subject_kind="migration",
                subject_id=plan.id,
                created_at=work.now,
            )
