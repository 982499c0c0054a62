"""Plans that move running cases to another version of their path: make, change, check, approve, pause, take back.

By default a run stays on the version that it began with. A plan is made by one person and approved by another; the
runner then moves run after run, and the service goes on answering meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import delete, select

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.migration_parts import ask_for_part
from nrm.engine.moving import Choice, StepMove, suggest_plan
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, Problem
from nrm.events import Data
from nrm.models import MigrationPlan, MigrationRun, PathVersion
from nrm.queries import paths
from nrm.queries.migrations import facts_for, migration, plan_to_json
from nrm.rules.migrations import migration_actions
from nrm.vocabulary import MigrationStatus, PathStatus

_MOST_STEPS: Final = 300


@action("migration.plan", permission="path.edit")
def plan_migration(work: Work, source_id: str, target_id: str) -> str:
    """Begin a plan, with every step that is in both versions proposed to stay itself.

    Args:
        work: the transaction.
        source_id: the version whose running cases are to be moved, published or retired.
        target_id: a published version of the same path.

    Returns:
        The plan's id.

    Raises:
        NotFound: there is no such version.
        NotValid: the versions are the same, not of one path, or the second one is not published.
    """
    source, target = _version(work, source_id), _version(work, target_id)
    if target.path_id != source.path_id or target.id == source.id or target.status != PathStatus.PUBLISHED:
        raise NotValid([Problem(pointer="/target", code="migration_target")])
    plan = suggest_plan(paths.version(source.id).spec, paths.version(target.id).spec)
    plan_id = work.add(
        MigrationPlan,
        id=ids.new_id("mig"),
        path_id=source.path_id,
        source_id=source.id,
        target_id=target.id,
        steps=plan_to_json(plan),
        created_at=work.now,
        created_by=work.actor.id,
        changed_at=work.now,
        changed_by=work.actor.id,
        changers=[work.actor.id],
    )
    data: Data = {"path": source.path_id, "from": source.number, "to": target.number}
    work.record("migration.planned", stream="system", subject=("migration", plan_id), data=data)
    return plan_id


def _version(work: Work, version_id: str) -> PathVersion:
    drafted = PathVersion.status == str(PathStatus.DRAFT)
    found = work.session.execute(select(PathVersion).where(PathVersion.id == version_id, ~drafted))
    row = found.scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


@action("migration.change", permission="path.edit")
def change_migration(work: Work, plan_id: str, *, steps: Mapping[str, StepMove], version: int | None) -> None:
    """Say where the runs of each step go; what was checked before must be checked again.

    Args:
        work: the transaction.
        plan_id: the plan.
        steps: step of the version that is left → where its runs go; a step that is left out keeps its runs.
        version: the version that the actor saw.

    Raises:
        NotFound: there is no such plan.
        NotValid: a step is none of the version's.
        IllegalMove: the plan is being carried out, or over.
        StaleVersion: it changed since.
    """
    plan = _hold(work, plan_id, "change")
    known = paths.version(plan.source_id).spec.steps
    wrong = [Problem(pointer=f"/steps/{step}", code="unknown_step") for step in steps if step not in known]
    if wrong:
        raise NotValid(wrong)
    _forget_runs(work, plan_id)
    work.change(
        MigrationPlan,
        plan_id,
        version=plan.version if version is None else version,
        steps=plan_to_json(steps),
        status=str(MigrationStatus.DRAFT),
        changed_at=work.now,
        changed_by=work.actor.id,
        changers=sorted({*plan.changers, work.actor.id}),
    )
    work.record("migration.changed", stream="system", subject=("migration", plan_id))


@action("migration.check", permission="path.edit")
def check_migration(work: Work, plan_id: str, *, version: int | None) -> None:
    """Ask the runner to look at every running case of the version: a dry run, nothing is moved.

    Raises:
        NotFound: there is no such plan.
        IllegalMove: the plan has errors, or is being carried out, or is over.
        StaleVersion: it changed since.
    """
    plan = _hold(work, plan_id, "check")
    _forget_runs(work, plan_id)
    _set(work, plan, MigrationStatus.CHECKING, version, looked_at="")
    ask_for_part(work, plan_id)


@action("migration.approve", permission="path.publish")
def approve_migration(work: Work, plan_id: str, *, version: int | None) -> None:
    """Approve a plan as the second person, and let the runner begin.

    Raises:
        NotFound: there is no such plan.
        NotAllowed: the actor made it or changed it at any time ("second_person_approves").
        NotValid: the version that cases would go to was retired since.
        IllegalMove: it was not checked, or is being carried out already.
        StaleVersion: it changed since.
    """
    plan = _hold(work, plan_id, "approve", second=True)
    _must_be_published(work, plan)
    _set(work, plan, MigrationStatus.RUNNING, version, approved_at=work.now, approved_by=work.actor.id)
    ask_for_part(work, plan_id)
    work.record("migration.approved", stream="system", subject=("migration", plan_id))


@action("migration.pause", permission="path.publish")
def pause_migration(work: Work, plan_id: str, *, version: int | None = None) -> None:
    """Stop after the run that is being moved just now; errors as for `check_migration`."""
    plan = _hold(work, plan_id, "pause")
    _set(work, plan, MigrationStatus.PAUSED, version)
    work.record("migration.paused", stream="system", subject=("migration", plan_id))


@action("migration.resume", permission="path.publish")
def resume_migration(work: Work, plan_id: str, *, version: int | None = None) -> None:
    """Go on where a pause stopped; errors as for `check_migration`, and NotValid as for `approve_migration`."""
    plan = _hold(work, plan_id, "resume")
    _must_be_published(work, plan)
    _set(work, plan, MigrationStatus.RUNNING, version)
    ask_for_part(work, plan_id)
    work.record("migration.resumed", stream="system", subject=("migration", plan_id))


@action("migration.undo", permission="path.publish")
def undo_migration(work: Work, plan_id: str, *, version: int | None = None) -> None:
    """Take every run back that has not gone on since it was moved; errors as for `check_migration`."""
    plan = _hold(work, plan_id, "undo")
    _set(work, plan, MigrationStatus.UNDOING, version, ended_at=None)
    ask_for_part(work, plan_id)
    work.record("migration.taken_back", stream="system", subject=("migration", plan_id))


@action("migration.discard", permission="path.edit")
def discard_migration(work: Work, plan_id: str, *, version: int | None = None) -> None:
    """Throw a plan away that has moved nothing; errors as for `check_migration`."""
    plan = _hold(work, plan_id, "discard")
    _forget_runs(work, plan_id)
    _set(work, plan, MigrationStatus.DISCARDED, version, ended_at=work.now)
    work.record("migration.discarded", stream="system", subject=("migration", plan_id))


def read_steps(given: object) -> dict[str, StepMove]:
    """Read a plan as it comes in from outside.

    Args:
        given: step → {"to": step or None, "form": "keep" or "new", "desk": "keep" or "new"}.

    Raises:
        NotValid: it has another shape, by pointer.
    """
    if not isinstance(given, Mapping) or len(given) > _MOST_STEPS:
        raise NotValid([Problem(pointer="/steps", code="not_an_object")])
    problems: list[Problem] = []
    steps: dict[str, StepMove] = {}
    for step, entry in given.items():
        to = entry.get("to") if isinstance(entry, Mapping) else 0
        choices = [entry.get(name, "new") for name in ("form", "desk")] if isinstance(entry, Mapping) else []
        known = all(isinstance(choice, str) and choice in set(Choice) for choice in choices)
        if not (to is None or isinstance(to, str)) or not known or entry.keys() - {"to", "form", "desk"}:
            problems.append(Problem(pointer=f"/steps/{str(step)[:64]}", code="wrong_type"))
        else:
            steps[str(step)] = StepMove(to=to, form=Choice(choices[0]), desk=Choice(choices[1]))
    if problems:
        raise NotValid(problems)
    return steps


def _hold(work: Work, plan_id: str, verb: str, *, second: bool = False) -> MigrationPlan:
    """Load a plan, lock it, and stop unless the verb fits."""
    found = select(MigrationPlan).where(MigrationPlan.id == plan_id).with_for_update()
    plan = work.session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if plan is None:
        raise NotFound
    allowed = migration_actions(facts_for(work.actor, plan))
    if verb in allowed:
        return plan
    if second and plan.status == MigrationStatus.CHECKED and work.actor.id in plan.changers:
        raise NotAllowed("second_person_approves")
    if verb == "check" and migration(plan).has_errors:
        raise IllegalMove(allowed, "migration_has_errors")
    raise IllegalMove(allowed, "migration_action_not_allowed")


def _must_be_published(work: Work, plan: MigrationPlan) -> None:
    """Stop where the version that cases would go to has been retired; locked, so that it stays as it is till then."""
    found = select(PathVersion.status).where(PathVersion.id == plan.target_id).with_for_update()
    if work.session.execute(found).scalar_one() != PathStatus.PUBLISHED:
        raise NotValid([Problem(pointer="/target", code="migration_target")])


def _set(work: Work, plan: MigrationPlan, status: MigrationStatus, version: int | None, **columns: object) -> None:
    seen = plan.version if version is None else version
    work.change(MigrationPlan, plan.id, version=seen, status=str(status), **columns)


def _forget_runs(work: Work, plan_id: str) -> None:
    work.session.execute(
        delete(MigrationRun).where(MigrationRun.plan_id == plan_id).execution_options(synchronize_session=False)
    )
