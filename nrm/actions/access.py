"""Who may know of a case: rows, written in the commit that makes them needed and ended in the one that ends the need.

| reason | given to | until |
|---|---|---|
| owner | the desk that has the case, its supervisors and coordinators, its organisation | transfer; a strict level |
| team, shared | people and desks that somebody named | somebody takes it back |
| task | a desk with a task in the case; the holder of a task of a strict case | its last task there has ended |
| escalation | who was told of something late, as an overview | nothing late is left; a strict level |
| incident | the supervisors of a strict case in which a step failed | no incident is open |

The lock by which an action takes a case asks these rows.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Executable, select, update
from sqlalchemy.dialects import postgresql, sqlite

from nrm import ids
from nrm.actions._action import Work
from nrm.errors import NotAllowed, NotFound, StaleVersion
from nrm.models import Case, CaseAccess, Incident, Referral, Task
from nrm.queries.scope import sees_case
from nrm.rules.statuses import OPEN
from nrm.vocabulary import Access, Holder, IncidentStatus, TaskStatus

_LIVE: Final = (str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD))
_FOR_A_TIME: Final = ("task", "escalation", "incident")
"""Reasons that end by themselves."""


@cache
def _giving(dialect_name: str) -> Executable:
    """Build the statement of `give_access` once: an arrival list of 20,000 rows runs it 80,000 times."""
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    given = dialect.insert(CaseAccess)
    statement: Executable = given.on_conflict_do_update(
        index_elements=["case_id", "holder_kind", "holder_id", "reason"],
        set_={"until": given.excluded.until, "access": given.excluded.access},
        where=CaseAccess.until.is_not(None) | (CaseAccess.access != given.excluded.access),
    ).returning(CaseAccess.id)
    return statement


def give_access(
    work: Work,
    case_id: str,
    *,
    holder: tuple[Holder, str],
    access: Access,
    reason: str,
    until: datetime | None = None,
) -> bool:
    """Let a desk, organisation or user know of a case; giving the same again changes nothing.

    Args:
        work: the transaction.
        case_id: the locked case.
        holder: kind and id of the holder.
        access: what it may do.
        reason: code of the reason, from the table above.
        until: when the access ends; None for no end.

    Returns:
        Whether the access is new.
    """
    work.flush()
    values = {
        "id": ids.new_id("acc"),
        "case_id": case_id,
        "holder_kind": str(holder[0]),
        "holder_id": holder[1],
        "access": str(access),
        "reason": reason,
        "since": work.now,
        "until": until,
    }
    statement = _giving(work.session.get_bind().dialect.name)
    new = work.session.connection().execute(statement, values).first() is not None
    if new:
        work.record(
            "case.access_given",
            stream=case_id,
            subject=(str(holder[0]), holder[1]),
            data={"access": str(access), "reason": reason},
        )
    return new


def _lasting(case_id: str, work: Work) -> tuple[ColumnElement[bool], ...]:
    return CaseAccess.case_id == case_id, CaseAccess.until.is_(None) | (CaseAccess.until > work.now)


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
        *_lasting(case_id, work),
        CaseAccess.holder_kind == str(holder[0]),
        CaseAccess.holder_id == holder[1],
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


def end_reasons(work: Work, case: Case, *reasons: str) -> None:
    """End every access to a locked case that was given for one of these reasons; its owning desk keeps its own."""
    _end_rows(work, case, CaseAccess.reason.in_(reasons))


def close_to_strangers(work: Work, case: Case) -> None:
    """End what a strict level ends: whole organisations, overviews, and all owners but the desk that has the case."""
    strange = CaseAccess.reason.in_(["owner", "escalation"]) | (CaseAccess.holder_kind == str(Holder.ORGANISATION))
    _end_rows(work, case, strange)


def _end_rows(work: Work, case: Case, which: ColumnElement[bool]) -> None:
    work.flush()
    found = select(CaseAccess.holder_kind, CaseAccess.holder_id, CaseAccess.reason).where(
        *_lasting(case.id, work), which, CaseAccess.holder_id != (case.desk_id or "")
    )
    for kind, holder_id, reason in work.session.execute(found).all():
        end_access(work, case.id, holder=(Holder(kind), holder_id), reason=reason)


def review_access(work: Work, case_id: str) -> None:
    """End, when this transaction is complete, what was given for something that is over by then.

    Args:
        work: the transaction.
        case_id: the locked case, in which a task, something late or an incident has ended or changed hands.
    """
    noted = f"access:{case_id}"
    if noted not in work.memory:
        work.memory[noted] = True
        work.before_finish.append(lambda: _end_what_is_over(work, case_id))


def _end_what_is_over(work: Work, case_id: str) -> None:
    work.flush()
    given = work.session.execute(
        select(CaseAccess.holder_kind, CaseAccess.holder_id, CaseAccess.reason).where(
            *_lasting(case_id, work), CaseAccess.reason.in_(_FOR_A_TIME)
        )
    ).all()
    for kind, holder_id, reason in given:
        if not _is_needed(work, case_id, kind, holder_id, reason):
            end_access(work, case_id, holder=(Holder(kind), holder_id), reason=reason)


def _is_needed(work: Work, case_id: str, kind: str, holder_id: str, reason: str) -> bool:
    task = select(Task.id).where(Task.case_id == case_id, Task.status.in_(_LIVE))
    if reason == "task":
        worker = Task.desk_id if kind == Holder.DESK else Task.assignee_id
        causes = [task.where(worker == holder_id)]
    elif reason == "escalation":
        states = [str(state) for state in OPEN]
        late = select(Referral.id).where(Referral.case_id == case_id, Referral.state.in_(states))
        causes = [task.where(Task.escalation > 0), late.where(Referral.escalation > 0)]
    else:
        causes = [select(Incident.id).where(Incident.case_id == case_id, Incident.status == str(IncidentStatus.OPEN))]
    return any(work.session.execute(cause.limit(1)).first() is not None for cause in causes)
