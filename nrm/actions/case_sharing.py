"""Who may know of a case: its owners, and what its level changes."""

from __future__ import annotations

from sqlalchemy import select, update

from nrm.actions._action import Work
from nrm.actions.access import close_to_strangers, give_access
from nrm.models import Case, Desk, Incident, Membership, Run, Task
from nrm.queries import packs, paths
from nrm.vocabulary import Access, Holder, Level


def share_with_owner(work: Work, case: Case) -> None:
    """Let those know of a case who answer for it: its desk, its organisation's leads, the coordinator.

    A strict case is known only to its desk and to the people named to it.
    """
    if case.desk_id is not None:
        give_access(work, case.id, holder=(Holder.DESK, case.desk_id), access=Access.WORK, reason="owner")
    if not work.actor.is_system and case.level == Level.STRICT:
        give_access(work, case.id, holder=(Holder.USER, work.actor.id), access=Access.WORK, reason="team")
    if case.level == Level.STRICT:
        return
    give_access(work, case.id, holder=(Holder.ORGANISATION, case.organisation_id), access=Access.READ, reason="owner")
    for role, access in (("supervisor", Access.WORK), ("coordinator", Access.READ)):
        desk = packs.pack().find_desk(role, governorate=case.governorate, jurisdiction=case.jurisdiction)
        if desk is not None:
            give_access(work, case.id, holder=(Holder.DESK, desk.id), access=access, reason="owner")


def raise_level(work: Work, case: Case, level: str) -> None:
    """Set the level of a locked case with everything that repeats it, inside another action."""
    work.flush()
    case.level = level
    quiet = {"synchronize_session": False}
    work.session.execute(update(Task).where(Task.case_id == case.id).values(level=level).execution_options(**quiet))
    strict = level == Level.STRICT
    versions = work.session.execute(select(Run.path_version_id).where(Run.case_id == case.id).distinct()).scalars()
    # A path may be sensitive by itself, in a case of any level.
    sensitive = [version for version in versions if strict or paths.version(version).spec.sensitive]
    for model, of_case in ((Run, Run.case_id), (Incident, Incident.case_id)):
        work.session.execute(
            update(model).where(of_case == case.id).values(is_sensitive=strict).execution_options(**quiet)
        )
    sensitive_runs = select(Run.id).where(Run.case_id == case.id, Run.path_version_id.in_(sensitive))
    for model, run_id in ((Run, Run.id), (Incident, Incident.run_id)):
        work.session.execute(
            update(model).where(run_id.in_(sensitive_runs)).values(is_sensitive=True).execution_options(**quiet)
        )
    if strict:
        close_to_strangers(work, case)
        if not work.actor.is_system:
            give_access(work, case.id, holder=(Holder.USER, work.actor.id), access=Access.WORK, reason="team")
    work.record("case.level_set", stream=case.id, subject=("case", case.id), data={"level": level})


def may_know_strict(work: Work, holder_kind: str, holder_id: str) -> bool:
    """Say whether a desk's role, or one of a user's, may be given strictly confidential cases."""
    if holder_kind == str(Holder.DESK):
        found = select(Desk.role).where(Desk.id == holder_id)
    else:
        valid = Membership.until.is_(None) | (Membership.until > work.now)
        found = select(Membership.role).where(Membership.user_id == holder_id, valid)
    roles = packs.pack().roles
    return any("case.read_strict" in roles.get(role, frozenset()) for role in work.session.execute(found).scalars())
