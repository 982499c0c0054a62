"""Users, their seats and sessions; and who stands behind a session's secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import BindParameter, ColumnElement, Table, and_, bindparam, func, or_, select

from nrm.actors import Actor, ActorKind, Seat
from nrm.credentials import secret_hash
from nrm.db import UtcDateTime, db
from nrm.errors import NotAllowed, NotFound, NotSignedIn
from nrm.models import Desk, Membership, Organisation, RecoveryCode, RoleRequest, Session, User
from nrm.queries import packs
from nrm.queries.page import Key, Page, cut, moment_key, newest_after, size, text_of
from nrm.queries.user_scope import areas_of, grasp_of, manages_all, reaches
from nrm.rules.step_up import is_fresh
from nrm.rules.user_scope import Grasp


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A live session.

    Attributes:
        actor: who it belongs to.
        session_id: its id.
        seen_at: when its idle end was last pushed on.
        second_factor_at: when a one-time code was last checked, None for never.
        has_second_factor: the user has set one up.
        password_is_first: somebody else chose the password.
    """

    actor: Actor
    session_id: str
    seen_at: datetime
    second_factor_at: datetime | None
    has_second_factor: bool
    password_is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One of a user's sessions, for the list of them."""

    id: str
    device: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRow:
    """A seat, with the names that a list shows."""

    id: str
    organisation_id: str
    organisation_names: dict[str, str]
    desk_id: str | None
    desk_names: dict[str, str] | None
    role: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A user, as those who manage users see them.

    Attributes:
        has_otp: the user has set up a second factor.
        is_unclaimed: the user has yet to choose a password, and can do nothing else.
    """

    id: str
    login: str
    name: str
    email: str | None
    language: str
    disabled_at: datetime | None
    created_at: datetime
    has_otp: bool
    is_unclaimed: bool
    version: int
    memberships: tuple[MembershipRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRequestRow:
    """A role for the whole country that waits for a second person."""

    id: str
    user_id: str
    user_name: str
    organisation_id: str
    desk_id: str | None
    role: str
    until: datetime | None
    asked_by: str
    asked_at: datetime


def user_of_session(secret: str) -> tuple[str, str] | None:
    """Give id and language of the user whose session has or had a secret, also where it has ended.

    Args:
        secret: what the cookie holds.
    """
    statement = select(User.id, User.language).join(Session, Session.user_id == User.id)
    row = db.session.execute(statement.where(Session.token_sha256 == secret_hash(secret))).one_or_none()
    return None if row is None else (row.id, row.language)


def session_of(
    secret: str, *, now: datetime, real_now: datetime, request_id: str = "", proof_needed: bool = True
) -> SignedIn:
    """Find the actor behind a session's secret, in one statement.

    Args:
        secret: what the cookie holds.
        now: the installation's time; decides which seats count.
        real_now: real time; decides whether the session lives.
        request_id: id of the request, for logs.
        proof_needed: some verbs ask for a fresh code of the second factor.

    Raises:
        NotSignedIn: there is no such session, it has ended, or the user is disabled.
    """
    values = {"secret": secret_hash(secret), "now": now, "real_now": real_now}
    # Columns alone: the session's own look at the statement would cost as much as the statement.
    rows = db.session.connection().execute(_SESSION, values).all()
    if not rows:
        raise NotSignedIn
    session_id, seen_at, second_factor_at, user_id, language = rows[0][:5]
    packs.noticed(rows[0][8])
    seats = tuple(_seat(*row[5:8]) for row in rows if row[5] is not None)
    actor = Actor(
        kind=ActorKind.USER,
        id=user_id,
        language=language,
        seats=seats,
        request_id=request_id,
        proven=not proof_needed or is_fresh(second_factor_at, real_now),
    )
    return SignedIn(
        actor=actor,
        session_id=session_id,
        seen_at=seen_at,
        second_factor_at=second_factor_at,
        has_second_factor=rows[0][9],
        password_is_first=rows[0][10],
    )


def actor_of_user(user_id: str, now: datetime) -> Actor:
    """Give a user as an actor, with the seats that count now.

    Raises:
        NotFound: no such user, or a disabled one.
    """
    rows = db.session.execute(
        select(User.language, Membership.organisation_id, Membership.desk_id, Membership.role)
        .outerjoin(Membership, and_(Membership.user_id == User.id, _valid(now)))
        .where(User.id == user_id, User.disabled_at.is_(None))
        .order_by(Membership.id)
    ).all()
    if not rows:
        raise NotFound
    seats = tuple(_seat(*row[1:4]) for row in rows if row[1] is not None)
    return Actor(kind=ActorKind.USER, id=user_id, language=rows[0][0], seats=seats)


def _seat(organisation_id: str, desk_id: str | None, role: str) -> Seat:
    permissions = packs.pack().roles.get(role, frozenset())
    return Seat(organisation_id=organisation_id, desk_id=desk_id, role=role, permissions=permissions)


def _valid(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(Membership.since <= now, or_(Membership.until.is_(None), Membership.until > now))


# Built once, since every request begins with it.
_SESSION: Final = (
    select(
        Session.id,
        Session.seen_at,
        Session.second_factor_at,
        User.id,
        User.language,
        Membership.organisation_id,
        Membership.desk_id,
        Membership.role,
        packs.stored_stamp(),
        User.otp_secret.is_not(None),
        User.password_is_first,
    )
    .join(User, User.id == Session.user_id)
    .outerjoin(Membership, and_(Membership.user_id == User.id, _valid(bindparam("now", type_=UtcDateTime()))))
    .where(
        Session.token_sha256 == bindparam("secret"),
        Session.ended_at.is_(None),
        Session.idle_until > bindparam("real_now", type_=UtcDateTime()),
        Session.ends_at > bindparam("real_now", type_=UtcDateTime()),
        User.disabled_at.is_(None),
    )
    .order_by(Membership.id)
)


def my_sessions(actor: Actor, real_now: datetime) -> tuple[SessionRow, ...]:
    """List one's own live sessions, the latest first."""
    rows = db.session.scalars(
        select(Session)
        .where(
            Session.user_id == actor.id,
            Session.ended_at.is_(None),
            Session.idle_until > real_now,
            Session.ends_at > real_now,
        )
        .order_by(Session.seen_at.desc(), Session.id)
    )
    return tuple(
        SessionRow(id=row.id, device=row.device, created_at=row.created_at, seen_at=row.seen_at, ends_at=row.ends_at)
        for row in rows
    )


def recovery_codes_left(actor: Actor) -> int:
    """Count one's recovery codes that were not used yet."""
    unused = (RecoveryCode.user_id == actor.id) & RecoveryCode.used_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(RecoveryCode).where(unused)) or 0


def me(actor: Actor, now: datetime) -> UserRow:
    """Give the signed-in user, with seats.

    Raises:
        NotFound: the actor is not a user.
    """
    return _user(actor.id, now)


def user(actor: Actor, user_id: str, now: datetime) -> UserRow:
    """Give a user, as those who manage users see them.

    Raises:
        NotAllowed: the actor does not manage users.
        NotFound: no such user, or one whom others manage (`nrm.rules.user_scope`).
    """
    _must_manage(actor)
    found = _user(user_id, now)
    if grasp_of(actor, user_id, now) is Grasp.NONE:
        raise NotFound
    return found


def users(actor: Actor, now: datetime, *, text: str = "", after: Key | None = None, limit: int = 50) -> Page[UserRow]:
    """List users by login, those whom the actor manages (`nrm.rules.user_scope`).

    Args:
        actor: needs the permission user.manage.
        now: the present moment.
        text: only users whose login or name holds this.
        after: the key after which the page begins.
        limit: rows of the page.

    Raises:
        NotAllowed: the actor does not manage users.
        NotValid: the key is of another list.
    """
    _must_manage(actor)
    statement = select(User.id, User.login).order_by(User.login).limit(size(limit) + 1)
    if after is not None:
        statement = statement.where(User.login > text_of(after, 0))
    if text:
        statement = statement.where(
            User.login.icontains(text, autoescape=True) | User.name.icontains(text, autoescape=True)
        )
    reached = reaches(actor, now)
    if reached is not None:
        statement = statement.where(reached)
    rows = db.session.execute(statement).all()
    return cut(rows, size(limit), key=lambda row: (row.login,), make=lambda row: _user(row.id, now))


def organisations_to_seat(actor: Actor) -> tuple[tuple[str, dict[str, str]], ...]:
    """Give the organisations, id and names, in which the actor may seat people.

    Raises:
        NotAllowed: the actor does not manage users.
    """
    _must_manage(actor)
    statement = select(Organisation.id, Organisation.names).where(Organisation.active).order_by(Organisation.code)
    statement = statement.where(~Organisation.code.startswith("sandbox_", autoescape=True))
    areas = areas_of(actor)
    if areas is not None:
        statement = statement.where(Organisation.id.in_({area.organisation_id for area in areas}))
    return tuple((row.id, row.names) for row in db.session.execute(statement))


def role_requests(actor: Actor, *, after: Key | None = None, limit: int = 50) -> Page[RoleRequestRow]:
    """List the roles for the whole country that wait for a second person, the latest asked first.

    Raises:
        NotAllowed: the actor does not manage the users of the whole country.
        NotValid: the key is of another list.
    """
    _must_manage(actor)
    if not manages_all(actor):
        raise NotAllowed("not_allowed", permission="user.manage")
    table = cast("Table", RoleRequest.__table__)
    statement = select(RoleRequest, User.name).join(User, User.id == RoleRequest.user_id)
    statement = statement.where(RoleRequest.approved.is_(None))
    statement = newest_after(statement, table.c.asked_at, table.c.id, after=after, limit=limit)
    rows = db.session.execute(statement).all()
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row[0].asked_at), row[0].id),
        make=lambda row: RoleRequestRow(
            id=row[0].id,
            user_id=row[0].user_id,
            user_name=row[1],
            organisation_id=row[0].organisation_id,
            desk_id=row[0].desk_id,
            role=row[0].role,
            until=row[0].until,
            asked_by=row[0].asked_by,
            asked_at=row[0].asked_at,
        ),
    )


def _must_manage(actor: Actor) -> None:
    if not actor.may("user.manage"):
        raise NotAllowed("not_allowed", permission="user.manage")


def _user(user_id: str, now: datetime) -> UserRow:
    found = db.session.get(User, user_id, populate_existing=True)
    if found is None:
        raise NotFound
    rows = db.session.execute(
        select(Membership, Organisation.names, Desk.names)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(Desk, Desk.id == Membership.desk_id)
        .where(Membership.user_id == user_id, _valid(now))
        .order_by(Membership.since, Membership.id)
    )
    return UserRow(
        id=found.id,
        login=found.login,
        name=found.name,
        email=found.email,
        language=found.language,
        disabled_at=found.disabled_at,
        created_at=found.created_at,
        has_otp=found.otp_secret is not None,
        is_unclaimed=found.password_is_first,
        version=found.version,
        memberships=tuple(_membership(seat, organisation, desk) for seat, organisation, desk in rows),
    )


def _membership(seat: Membership, organisation: dict[str, str], desk: dict[str, str] | None) -> MembershipRow:
    return MembershipRow(
        id=seat.id,
        organisation_id=seat.organisation_id,
        organisation_names=organisation,
        desk_id=seat.desk_id,
        desk_names=desk,
        role=seat.role,
        since=seat.since,
        until=seat.until,
    )
