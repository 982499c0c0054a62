"""Who may know of a case: rows, written in the commit that makes them needed, and the lock that asks for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from nrm import ids
from nrm.actions._action import Work
from nrm.errors import NotAllowed, NotFound, StaleVersion
from nrm.models import Case, CaseAccess
from nrm.queries.scope import sees_case
from nrm.vocabulary import Access, Holder


def give_access(
    work: Work,
    case_id: str,
    *,
    holder: tuple[Holder, str],
    access: Access,
    reason: str,
    until: datetime | None = None,
) -> bool:
    """Let a desk, organisation or user know of a case; giving it again changes nothing.

    Args:
        work: the transaction.
        case_id: the locked case.
        holder: kind and id of the holder.
        access: what it may do.
        reason: code of the reason ("owner", "task", "referral", "escalation", "team").
        until: when the access ends; None for no end.

    Returns:
        Whether the access is new.
    """
    work.flush()
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = (
        dialect.insert(CaseAccess)
        .values(
            id=ids.new_id("acc"),
            case_id=case_id,
            holder_kind=str(holder[0]),
            holder_id=holder[1],
            access=str(access),
            reason=reason,
            since=work.now,
            until=until,
        )
        .on_conflict_do_update(
            index_elements=["case_id", "holder_kind", "holder_id", "reason"],
            set_={"until": until, "access": str(access)},
            where=CaseAccess.until.is_not(None),
        )
        .returning(CaseAccess.id)
    )
    new = work.session.execute(statement).first() is not None
    if new:
        work.record(
            "case.access_given",
            stream=case_id,
            subject=(str(holder[0]), holder[1]),
            data={"access": str(access), "reason": reason},
        )
    return new


def end_access(work: Work, case_id: str, *, holder: tuple[Holder, str], reason: str | None = None) -> None:
    """End a holder's access at once.

    Args:
        work: the transaction.
        case_id: the locked case.
        holder: kind and id of the holder.
        reason: only the access that was given for this reason; None for all.
    """
    work.flush()
    statement = update(CaseAccess).where(
        CaseAccess.case_id == case_id,
        CaseAccess.holder_kind == str(holder[0]),
        CaseAccess.holder_id == holder[1],
        CaseAccess.until.is_(None) | (CaseAccess.until > work.now),
    )
    if reason is not None:
        statement = statement.where(CaseAccess.reason == reason)
    done = work.session.execute(statement.values(until=work.now).execution_options(synchronize_session=False))
    if done.rowcount:  # type: ignore[attr-defined]  # a CursorResult
        work.record("case.access_ended", stream=case_id, subject=(str(holder[0]), holder[1]), data={"reason": reason})


def lock_visible_case(
    work: Work, case_id: str, *, writing: bool, version: int | None = None, permission: str | None = None
) -> Case:
    """Lock a case that the actor may know of.

    Args:
        work: the transaction.
        case_id: the case.
        writing: the actor must have access to work on it.
        version: the version that the actor saw.
        permission: a permission that the actor needs.

    Raises:
        NotFound: there is no such case, or it is not the actor's to know of.
        NotAllowed: the actor may know of it, but not do this.
        StaleVersion: it changed since.
    """
    case = work.lock_case(case_id)
    if not work.actor.is_system:
        seen = select(Case.id).where(Case.id == case_id, sees_case(work.actor, work.now))
        if work.session.execute(seen).first() is None:
            raise NotFound
        if writing:
            works = select(Case.id).where(Case.id == case_id, sees_case(work.actor, work.now, writing=True))
            if work.session.execute(works).first() is None:
                raise NotAllowed("read_only_access")
        if permission is not None:
            work.require(permission)
    if version is not None and case.version != version:
        raise StaleVersion(case.version)
    return case
