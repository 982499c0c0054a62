"""Need-to-know: which cases an actor may know of, as SQL that every read of a case goes through.

An actor knows of a case through a row of case access for the actor, for a desk at which the actor sits, or for
an organisation in which the actor's role counts for the whole of it. A strict case is never known through an
organisation: only through its team (users) and the desks that work on it.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from nrm.actors import Actor
from nrm.models import Case, CaseAccess
from nrm.vocabulary import Access, Holder, Level


def holds_access(actor: Actor, now: datetime, *, writing: bool = False, reading: bool = False) -> ColumnElement[bool]:
    """Give the condition under which a row of `CaseAccess` counts for an actor now.

    Args:
        actor: who asks.
        now: the present moment.
        writing: only access that lets the holder work on the case, through a seat that may.
        reading: only access that lets the holder read what stands in it, more than an overview, through a seat that
            may.
    """
    holders = actor.holders
    if writing or reading:
        holders = actor.holders_with("case.work" if writing else "case.read")
    condition = and_(
        CaseAccess.holder_id.in_(holders),
        or_(CaseAccess.until.is_(None), CaseAccess.until > now),
    )
    if writing:
        condition = and_(condition, CaseAccess.access == str(Access.WORK))
    elif reading:
        condition = and_(condition, CaseAccess.access != str(Access.OVERVIEW))
    return condition


@lru_cache(maxsize=64)
def sees_case(actor: Actor, now: datetime, *, writing: bool = False, reading: bool = False) -> ColumnElement[bool]:
    """Give the condition on `Case` under which an actor may know of it.

    Args:
        actor: who asks; the system sees all.
        now: the present moment.
        writing: only cases on which the actor may work.
        reading: only cases whose content the actor may read.

    The parts of one page ask the same of the same moment, and building the condition costs more than checking it.
    """
    if actor.is_system:
        return Case.id.is_not(None)
    access = (
        exists()
        .where(CaseAccess.case_id == Case.id)
        .where(holds_access(actor, now, writing=writing, reading=reading))
        .where(or_(Case.level != str(Level.STRICT), CaseAccess.holder_kind != str(Holder.ORGANISATION)))
        .correlate(Case)
    )
    # Whatever desk a program works for: a strict case is known to people of its team only.
    known = (Case.level != str(Level.STRICT),) if actor.is_program else ()
    return and_(access, Case.livemode.is_(actor.livemode), *known)


def visible_cases(actor: Actor, now: datetime, *, writing: bool = False, reading: bool = False) -> Select[str]:
    """Select the ids of all cases that an actor may know of.

    Args:
        actor: who asks.
        now: the present moment.
        writing: only cases on which the actor may work.
        reading: only cases whose content the actor may read.
    """
    return select(Case.id).where(sees_case(actor, now, writing=writing, reading=reading))
