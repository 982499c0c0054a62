"""Need-to-know: which cases an actor may know of, as SQL that every read of a case goes through.

An actor knows of a case through a row of case access for the actor, for a desk at which the actor sits, or for
an organisation in which the actor's role counts for the whole of it. A strict case is never known through an
organisation: only through its team (users) and the desks that work on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from functools import cache, lru_cache
from typing import Final, TypeAlias

from sqlalchemy import BindParameter, Boolean, ColumnElement, Select, and_, bindparam, exists, or_, select

from nrm.actors import Actor
from nrm.db import UtcDateTime
from nrm.models import Case, CaseAccess
from nrm.vocabulary import Access, Holder, Level

Holders: TypeAlias = Sequence[str] | BindParameter[str]
Moment: TypeAlias = datetime | BindParameter[datetime]


class Standing(Enum):
    """Who asks, as far as the shape of the question depends on it."""

    SYSTEM = auto()
    PROGRAM = auto()
    PERSON = auto()


def holds_access(actor: Actor, now: datetime, *, writing: bool = False, reading: bool = False) -> ColumnElement[bool]:
    """Give the condition under which a row of `CaseAccess` counts for an actor now.

    Args:
        actor: who asks.
        now: the present moment.
        writing: only access that lets the holder work on the case, through a seat that may.
        reading: only access that lets the holder read what stands in it, more than an overview, through a seat that
            may.
    """
    return _holds(_holders(actor, writing=writing, reading=reading), now, writing=writing, reading=reading)


def _holders(actor: Actor, *, writing: bool, reading: bool) -> tuple[str, ...]:
    if writing or reading:
        return actor.holders_with("case.work" if writing else "case.read")
    return actor.holders


def _holds(holders: Holders, now: Moment, *, writing: bool, reading: bool) -> ColumnElement[bool]:
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
    held = _holds(_holders(actor, writing=writing, reading=reading), now, writing=writing, reading=reading)
    return _sees(standing_of(actor), held, Case.livemode.is_(actor.livemode))


def _sees(standing: Standing, held: ColumnElement[bool], live: ColumnElement[bool]) -> ColumnElement[bool]:
    if standing is Standing.SYSTEM:
        return Case.id.is_not(None)
    access = (
        exists()
        .where(CaseAccess.case_id == Case.id)
        .where(held)
        .where(or_(Case.level != str(Level.STRICT), CaseAccess.holder_kind != str(Holder.ORGANISATION)))
        .correlate(Case)
    )
    # Whatever desk a program works for: a strict case is known to people of its team only.
    known = (Case.level != str(Level.STRICT),) if standing is Standing.PROGRAM else ()
    return and_(access, live, *known)


def standing_of(actor: Actor) -> Standing:
    """Say as whom an actor asks."""
    if actor.is_system:
        return Standing.SYSTEM
    return Standing.PROGRAM if actor.is_program else Standing.PERSON


_KNOWERS: Final[BindParameter[str]] = bindparam("scope_knowers", expanding=True)
_READERS: Final[BindParameter[str]] = bindparam("scope_readers", expanding=True)
_WORKERS: Final[BindParameter[str]] = bindparam("scope_workers", expanding=True)
_NOW: Final[BindParameter[datetime]] = bindparam("scope_now", type_=UtcDateTime())
_LIVE: Final[BindParameter[bool]] = bindparam("scope_live", type_=Boolean())


@cache
def seen_by(standing: Standing, *, writing: bool = False, reading: bool = False) -> ColumnElement[bool]:
    """Give the same condition as `sees_case`, for a statement that is built once; `asker` gives its values.

    Args:
        standing: as whom the actor asks.
        writing: only cases on which the actor may work.
        reading: only cases whose content the actor may read.
    """
    holders = _WORKERS if writing else _READERS if reading else _KNOWERS
    return _sees(standing, _holds(holders, _NOW, writing=writing, reading=reading), Case.livemode == _LIVE)


def asker(actor: Actor, now: datetime) -> dict[str, object]:
    """Give the values that the conditions of `seen_by` name, of this actor at this moment."""
    return {
        "scope_knowers": actor.holders,
        "scope_readers": _holders(actor, writing=False, reading=True),
        "scope_workers": _holders(actor, writing=True, reading=False),
        "scope_now": now,
        "scope_live": actor.livemode,
    }


def visible_cases(actor: Actor, now: datetime, *, writing: bool = False, reading: bool = False) -> Select[str]:
    """Select the ids of all cases that an actor may know of.

    Args:
        actor: who asks.
        now: the present moment.
        writing: only cases on which the actor may work.
        reading: only cases whose content the actor may read.
    """
    return select(Case.id).where(sees_case(actor, now, writing=writing, reading=reading))
