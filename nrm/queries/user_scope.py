"""Whom somebody who manages users may act on, read from the tables; the rule is `nrm.rules.user_scope`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from nrm.actors import Actor
from nrm.db import db
from nrm.models import Desk, Event, Membership, User
from nrm.queries import packs
from nrm.rules.user_scope import Area, Grasp, SatAt, grasp_on

MANAGE = "user.manage"


def areas_of(actor: Actor) -> tuple[Area, ...] | None:
    """Give where an actor manages users; None for the whole country.

    A seat for a whole organisation, or at a desk for a whole jurisdiction, is over all of the organisation; a seat at
    a desk of one governorate is over the organisation's desks there.
    """
    pack = packs.pack()
    seats = [seat for seat in actor.seats if MANAGE in seat.permissions]
    if actor.is_system or any(seat.role in pack.country_roles for seat in seats):
        return None
    found = []
    for seat in seats:
        desk = pack.desk(seat.desk_id)
        if seat.desk_id is None or desk is not None:
            area = Area(organisation_id=seat.organisation_id, governorate=desk.governorate if desk else None)
            found.append(area)
    return tuple(dict.fromkeys(found))


def manages_all(actor: Actor) -> bool:
    """Say whether an actor manages the users of the whole country."""
    return areas_of(actor) is None


def manages(actor: Actor, organisation_id: str, desk_id: str | None) -> bool:
    """Say whether an actor manages the users who sit at a desk, or in a whole organisation where that is None."""
    areas = areas_of(actor)
    if areas is None:
        return True
    governorate = db.session.scalar(select(Desk.governorate).where(Desk.id == desk_id)) if desk_id else None
    wanted = Area(organisation_id=organisation_id, governorate=governorate)
    return any(area.holds(wanted) for area in areas)


def grasp_of(actor: Actor, user_id: str, now: datetime) -> Grasp:
    """Say how far an actor's managing reaches over a user."""
    areas = areas_of(actor)
    if areas is None:
        return Grasp.WHOLE
    rows = db.session.execute(
        select(Membership.organisation_id, Desk.governorate, Membership.until)
        .outerjoin(Desk, Desk.id == Membership.desk_id)
        .where(Membership.user_id == user_id)
    )
    seats = [
        SatAt(area=Area(organisation_id=row.organisation_id, governorate=row.governorate), until=row.until)
        for row in rows
    ]
    added = not seats and db.session.scalar(select(_added_by(actor, user_id)))
    return grasp_on(areas, seats, added=bool(added), now=now)


def reaches(actor: Actor, now: datetime) -> ColumnElement[bool] | None:
    """Give the condition on `User` under which an actor manages at least some of the user's seats; None for all."""
    areas = areas_of(actor)
    if areas is None:
        return None
    seat, other = aliased(Membership), aliased(Membership)
    same = other.user_id == seat.user_id
    live = exists().where(same, or_(other.until.is_(None), other.until > now)).correlate(seat)
    last = select(func.max(other.until)).where(same).correlate(seat).scalar_subquery()
    inside = or_(
        *(
            and_(
                seat.organisation_id == area.organisation_id,
                *([Desk.governorate == area.governorate] if area.governorate else []),
            )
            for area in areas
        )
    )
    seated = (
        select(seat.id)
        .outerjoin(Desk, Desk.id == seat.desk_id)
        .where(seat.user_id == User.id, inside)
        .where(or_(seat.until.is_(None), seat.until > now, and_(~live, seat.until == last)))
        .correlate(User)
    )
    nowhere = ~exists().where(other.user_id == User.id).correlate(User)
    return or_(seated.exists(), and_(nowhere, _added_by(actor, User.id)))


def _added_by(actor: Actor, user_id: object) -> ColumnElement[bool]:
    """Give the condition under which an actor added a user; the event says so, and cannot be changed."""
    return exists().where(Event.stream == user_id, Event.kind == "user.added", Event.actor == actor.id)
