"""The runner's part of a migration: look at every run, move each in a transaction of its own, or take each back.

One job works off a part and asks for the next. Which runs are done is a column of their rows, written in the same
transaction as the move, so that a killed runner, or one that is paused, goes on exactly where it ended.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, exists, func, select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.path_moving import Standing, facts_of, look_at, move_run, take_back
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.engine.failures import StepFailed
from nrm.engine.findings import Finding
from nrm.errors import NotFound, NrmError
from nrm.events import Data
from nrm.models import Case, MigrationPlan, MigrationRun, Run
from nrm.queries.migrations import finding_to_json, migration
from nrm.sealing import seal, unseal
from nrm.vocabulary import MigrationStatus, MovedStatus

PART: Final = 200
"""Runs that one job moves: some seconds, so that other bulk work gets its turn between two parts."""

LOOKED: Final = 500
"""Runs that one transaction of the dry run looks at."""

REST: Final = 0.45
"""Rest after each run, as a share of the time that it took: SQLite has one writer, and those who wait for it only look
now and then whether it is their turn."""

Columns = dict[str, Any]

_COLUMN: Final = "migration_runs.before"
_ONE: Final = (
    select(MigrationPlan, MigrationRun, Run)
    .join(MigrationRun, MigrationRun.plan_id == MigrationPlan.id)
    .join(Run, Run.id == MigrationRun.run_id)
    .where(MigrationRun.id == bindparam("row"))
    .execution_options(populate_existing=True)
)
_WORKING: Final = {
    str(MigrationStatus.RUNNING): str(MovedStatus.READY),
    str(MigrationStatus.UNDOING): str(MovedStatus.MOVED),
}
"""Status of a plan that the runner works on → status of the runs that it then takes."""


def job_name(plan_id: str) -> str:
    """Name the job of a plan: at most one part is worked on at a time."""
    return f"migration:{plan_id}"


def ask_for_part(work: Work, plan_id: str) -> None:
    """Let the runner begin, or go on, with a plan."""
    work.cancel_jobs(job_name(plan_id))
    work.enqueue("migration_part", {"plan": plan_id}, due_at=work.now, dedup_key=job_name(plan_id))


def work_part(plan_id: str) -> None:
    """Work off one part of a plan, run by run; safe to be broken off anywhere.

    Args:
        plan_id: the plan.
    """
    found = select(MigrationPlan.status).where(MigrationPlan.id == plan_id)
    status = db.session.execute(found).scalar_one_or_none()
    db.session.rollback()
    if status not in _WORKING:
        return
    for row_id, case_id in _next(plan_id, _WORKING[status]):
        begun = time.monotonic()
        if not _do_one(SYSTEM, row_id, case_id, status):
            return
        if db.engine.dialect.name == "sqlite":
            time.sleep(REST * (time.monotonic() - begun))


def _next(plan_id: str, status: str) -> Sequence[Row[str, str]]:
    mine = (MigrationRun.plan_id == plan_id, MigrationRun.status == status)
    found = select(MigrationRun.id, MigrationRun.case_id).where(*mine).order_by(MigrationRun.id).limit(PART)
    rows = db.session.execute(found).all()
    db.session.rollback()
    return rows


@action("migration.end_part")
def end_part(work: Work, plan_id: str) -> None:
    """End a part: look at the next runs of a dry run, ask for the next part, or end the plan.

    Raises:
        NotFound: when anybody but the system asks.
    """
    if not work.actor.is_system:
        raise NotFound
    plan = _locked(work, plan_id)
    if plan is None:
        return
    if plan.status == MigrationStatus.CHECKING:
        _look_on(work, plan)
    elif plan.status in _WORKING and _left(work, plan):
        ask_for_part(work, plan.id)
    elif plan.status in _WORKING:
        _end(work, plan)


def _locked(work: Work, plan_id: str) -> MigrationPlan | None:
    found = select(MigrationPlan).where(MigrationPlan.id == plan_id).with_for_update()
    return work.session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()


def _left(work: Work, plan: MigrationPlan) -> bool:
    wanted = (MigrationRun.plan_id == plan.id, MigrationRun.status == _WORKING[plan.status])
    if work.session.execute(select(MigrationRun.id).where(*wanted).limit(1)).first() is not None:
        return True
    # Whoever was started on the old version since the dry run is moved too.
    return plan.status == MigrationStatus.RUNNING and _collect(work, plan) > 0


def _collect(work: Work, plan: MigrationPlan) -> int:
    known = exists().where(MigrationRun.plan_id == plan.id, MigrationRun.run_id == Run.id)
    late = select(Run.id, Run.case_id).where(Run.path_version_id == plan.source_id, Run.status == "running", ~known)
    rows = work.session.execute(late.limit(PART)).all()
    for row in rows:
        _note(work, plan, row.id, row.case_id, ())
    work.flush()
    return len(rows)


def _end(work: Work, plan: MigrationPlan) -> None:
    """End a plan whose last run was moved or taken back."""
    undone = plan.status == MigrationStatus.UNDOING
    work.change(
        MigrationPlan,
        plan.id,
        version=plan.version,
        status=str(MigrationStatus.UNDONE if undone else MigrationStatus.DONE),
        ended_at=work.now,
    )
    counted = select(MigrationRun.status, func.count()).where(MigrationRun.plan_id == plan.id)
    counts = {str(status): int(count) for status, count in work.session.execute(counted.group_by(MigrationRun.status))}
    work.record("migration.ended", stream="system", subject=("migration", plan.id), data=counts)


# -- the dry run ------------------------------------------------------------------------------------------------------


def _look_on(work: Work, plan: MigrationPlan) -> None:
    """Look at the next runs of a dry run; after the last, the plan is checked."""
    of_source = (Run.path_version_id == plan.source_id, Run.status == "running", Run.id > plan.looked_at)
    rows = work.session.execute(
        select(Run, Case).join(Case, Case.id == Run.case_id).where(*of_source).order_by(Run.id).limit(LOOKED)
    ).all()
    prepared = migration(plan)
    facts = facts_of(work.session, [run.id for run, _ in rows])
    for run, case in rows:
        look = look_at(prepared, Standing(run=run, case=case, facts=facts[run.id]), now=work.now)
        _note(work, plan, run.id, run.case_id, look.findings, refused=look.refused)
    if len(rows) == LOOKED:
        work.session.execute(update(MigrationPlan).where(MigrationPlan.id == plan.id).values(looked_at=rows[-1][0].id))
        ask_for_part(work, plan.id)
    else:
        work.change(MigrationPlan, plan.id, version=plan.version, status=str(MigrationStatus.CHECKED))


def _note(
    work: Work, plan: MigrationPlan, run_id: str, case_id: str, findings: Sequence[Finding], *, refused: bool = False
) -> None:
    work.add(
        MigrationRun,
        id=ids.new_id("mvr"),
        plan_id=plan.id,
        run_id=run_id,
        case_id=case_id,
        status=str(MovedStatus.REFUSED if refused else MovedStatus.READY),
        findings=[finding_to_json(finding) for finding in findings],
        at=work.now,
    )


# -- one run ----------------------------------------------------------------------------------------------------------


@action("migration.do_one")
def _do_one(work: Work, row_id: str, case_id: str, status: str) -> bool:
    """Move one run or take it back; say whether the plan is still being worked on.

    The case is locked first, as everywhere; what the plan says is read after that, so that a pause holds at once.
    """
    case = work.lock_case(case_id)
    plan, row, run = work.session.execute(_ONE, {"row": row_id}).one()
    if plan.status != status:
        return False
    if row.status == _WORKING[status]:
        do = _back if status == MigrationStatus.UNDOING else _there
        work.change(MigrationRun, row_id, **do(work, case, plan, row, run), at=work.now)
    return True


def _there(work: Work, case: Case, plan: MigrationPlan, row: MigrationRun, run: Run) -> Columns:
    """Move a run, and give what its row says of it."""
    if run.status != "running" or run.path_version_id != plan.source_id:
        return {"status": str(MovedStatus.GONE)}
    prepared = migration(plan)
    standing = Standing(run=run, case=case, facts=facts_of(work.session, [run.id])[run.id])
    look = look_at(prepared, standing, now=work.now)
    findings = [finding_to_json(finding) for finding in look.findings]
    if look.refused:
        return {"status": str(MovedStatus.REFUSED), "findings": findings}
    stage = case.stage
    try:
        with work.savepoint():
            carried = move_run(work, standing, prepared, look)
    except (StepFailed, NrmError) as failure:
        case.stage = stage
        element = failure.element if isinstance(failure, StepFailed) else ""
        stopped = Finding(code="move_fails", element=element, params={"reason": failure.code})
        return {"status": str(MovedStatus.REFUSED), "findings": [finding_to_json(stopped)]}
    _record(work, plan, run, back=False)
    before = None if carried.before is None else seal(carried.before, row=row.id, column=_COLUMN)
    return {
        "status": str(MovedStatus.MOVED),
        "findings": findings,
        "before": before,
        "run_version": carried.run_version,
        "undoable": carried.undoable,
    }


def _back(work: Work, case: Case, plan: MigrationPlan, row: MigrationRun, run: Run) -> Columns:
    """Take a run back, unless it has gone on since it was moved."""
    before = unseal(row.before, row=row.id, column=_COLUMN)
    stands = run.status == "running" and run.version == row.run_version
    if not row.undoable or not isinstance(before, dict) or not stands:
        return {"status": str(MovedStatus.KEPT)}
    take_back(work, case, run, before)
    _record(work, plan, run, back=True)
    return {"status": str(MovedStatus.UNDONE), "before": None}


def _record(work: Work, plan: MigrationPlan, run: Run, *, back: bool) -> None:
    prepared = migration(plan)
    left, reached = prepared.source.number, prepared.target.number
    data: Data = {"migration": plan.id, "from": reached if back else left, "to": left if back else reached}
    kind = "run.moved_back" if back else "run.moved"
    work.record(kind, stream=run.case_id, subject=("run", run.id), data=data)
