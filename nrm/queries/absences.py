"""Who is away until when, who stands in, and who could."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from nrm.actors import Actor, ActorKind
from nrm.db import db
from nrm.models import Absence, Membership, User, UserChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceRow:
    """An absence that is not over.

    Attributes:
        user_id: who is away.
        substitute: name of who stands in; None for nobody.
        starts_at: its first moment.
        ends_at: the first moment after it.
    """

    id: str
    user_id: str
    substitute: str | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """When somebody works.

    Attributes:
        days: weekday numbers, Monday 0.
        begin: local time "08:00".
        end: local time "15:00".
    """

    days: tuple[int, ...]
    begin: str
    end: str


def absences_of(user_ids: Collection[str], now: datetime) -> Mapping[str, tuple[AbsenceRow, ...]]:
    """Give the absences of some users that are not over, by user, the next first; the caller has checked who asks."""
    other = aliased(User)
    rows = db.session.execute(
        select(Absence.id, Absence.user_id, other.name, Absence.starts_at, Absence.ends_at)
        .outerjoin(other, other.id == Absence.substitute_id)
        .where(Absence.user_id.in_(user_ids), Absence.ends_at > now, Absence.ended_at.is_(None))
        .order_by(Absence.starts_at, Absence.id)
    )
    found: dict[str, tuple[AbsenceRow, ...]] = {}
    for row in rows:
        one = AbsenceRow(id=row[0], user_id=row[1], substitute=row[2], starts_at=row[3], ends_at=row[4])
        found[one.user_id] = (*found.get(one.user_id, ()), one)
    return found


def stood_in_for(actor: Actor, now: datetime) -> Mapping[str, str]:
    """Give those for whom an actor stands in at this moment: user id → name."""
    if actor.kind is not ActorKind.USER:
        return {}
    rows = db.session.execute(
        select(User.id, User.name)
        .join(Absence, Absence.user_id == User.id)
        .where(_now(actor.id, now))
        .order_by(User.name)
    )
    return {row.id: row.name for row in rows}


def stands_in(actor: Actor, user_id: str | None, now: datetime) -> bool:
    """Say whether an actor stands in for somebody at this moment."""
    if user_id is None or actor.kind is not ActorKind.USER or user_id == actor.id:
        return False
    found = select(Absence.id).where(_now(actor.id, now), Absence.user_id == user_id).limit(1)
    return db.session.execute(found).first() is not None


def _now(substitute_id: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        Absence.substitute_id == substitute_id,
        Absence.ends_at > now,
        Absence.starts_at <= now,
        Absence.ended_at.is_(None),
    )


def deskmates(user_id: str, now: datetime) -> tuple[tuple[str, str], ...]:
    """Give those who sit at a desk of a user's, by name: (user id, name); they may stand in for the user."""
    own = select(Membership.desk_id).where(
        Membership.user_id == user_id, Membership.desk_id.is_not(None), still_sits(now)
    )
    rows = db.session.execute(
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.desk_id.in_(own), still_sits(now), User.id != user_id, User.disabled_at.is_(None))
        .distinct()
        .order_by(User.name, User.id)
        .limit(200)
    )
    return tuple((row.id, row.name) for row in rows)


def still_sits(now: datetime) -> ColumnElement[bool]:
    """Give the condition under which a seat counts now."""
    return and_(Membership.since <= now, or_(Membership.until.is_(None), Membership.until > now))


def working_hours(user_ids: Collection[str]) -> Mapping[str, WorkingHours]:
    """Give the working hours of those of some users who have told them; the caller has checked who asks."""
    rows = db.session.execute(
        select(UserChoice.user_id, UserChoice.work_days, UserChoice.work_from, UserChoice.work_until).where(
            UserChoice.user_id.in_(user_ids), UserChoice.work_days.is_not(None)
        )
    )
    return {
        row[0]: WorkingHours(days=tuple(int(day) for day in row[1]), begin=row[2] or "", end=row[3] or "")
        for row in rows
        if row[1]
    }


def digest_of(actor: Actor) -> str:
    """Say whether somebody gets the daily mail: "daily" or "off"."""
    return db.session.scalar(select(UserChoice.digest).where(UserChoice.user_id == actor.id)) or "off"
