"""Users, memberships at desks, sessions and sign-in failures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, key, link, personal, public, secret


class User(Base):
    """Somebody who signs in.

    `password_is_first`: somebody else chose the password, so it opens nothing but the page on which the user chooses
    another one.
    """

    __tablename__ = "users"
    id: Mapped[str] = key()
    login: Mapped[str] = personal(String(100), unique=True)
    name: Mapped[str] = personal(String(200))
    email: Mapped[str | None] = personal(String(254))
    language: Mapped[str] = public(String(8), default="ar")
    password_hash: Mapped[str] = secret(String(200))
    password_is_first: Mapped[bool] = public(Boolean, default=False)
    otp_secret: Mapped[str | None] = secret(Text)
    otp_counter: Mapped[int] = secret(Integer, default=0)
    disabled_at: Mapped[datetime | None] = public(UtcDateTime)
    created_at: Mapped[datetime] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)


class Membership(Base):
    """A user's role: at a desk, or in a whole organisation when `desk_id` is None."""

    __tablename__ = "memberships"
    id: Mapped[str] = key()
    user_id: Mapped[str] = link("users")
    organisation_id: Mapped[str] = link("organisations")
    desk_id: Mapped[str | None] = link("desks", nullable=True)
    role: Mapped[str] = public(CODE)
    since: Mapped[datetime] = public(UtcDateTime)
    until: Mapped[datetime | None] = public(UtcDateTime)
    __table_args__ = (UniqueConstraint("user_id", "organisation_id", "desk_id", "role"),)


class RoleRequest(Base):
    """A role for the whole country that somebody asked for in a user's name, until a second person decides.

    `approved`: None while nobody has decided.
    """

    __tablename__ = "role_requests"
    id: Mapped[str] = key()
    user_id: Mapped[str] = link("users")
    organisation_id: Mapped[str] = link("organisations", index=False)
    desk_id: Mapped[str | None] = link("desks", index=False, nullable=True)
    role: Mapped[str] = public(CODE)
    until: Mapped[datetime | None] = public(UtcDateTime)
    asked_by: Mapped[str] = public(ACTOR)
    asked_at: Mapped[datetime] = public(UtcDateTime)
    decided_by: Mapped[str | None] = public(ACTOR)
    decided_at: Mapped[datetime | None] = public(UtcDateTime)
    approved: Mapped[bool | None] = public(Boolean)


class Session(Base):
    """A signed-in session; the cookie holds the secret, the table only its SHA-256."""

    __tablename__ = "sessions"
    id: Mapped[str] = key()
    token_sha256: Mapped[str] = secret(String(64), unique=True)
    user_id: Mapped[str] = link("users")
    created_at: Mapped[datetime] = public(UtcDateTime)
    seen_at: Mapped[datetime] = public(UtcDateTime)
    idle_until: Mapped[datetime] = public(UtcDateTime)
    ends_at: Mapped[datetime] = public(UtcDateTime)
    second_factor_at: Mapped[datetime | None] = public(UtcDateTime)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    device: Mapped[str] = personal(String(64), default="")


class RecoveryCode(Base):
    """A code that stands in for a lost second factor, once; the table holds only its SHA-256."""

    __tablename__ = "recovery_codes"
    id: Mapped[str] = key()
    user_id: Mapped[str] = link("users", index=False)
    code_sha256: Mapped[str] = secret(String(64))
    created_at: Mapped[datetime] = public(UtcDateTime)
    used_at: Mapped[datetime | None] = public(UtcDateTime)
    __table_args__ = (UniqueConstraint("user_id", "code_sha256"),)


class SignInFailure(Base):
    """Failed sign-ins counted per account and per address, to slow guessing down."""

    __tablename__ = "sign_in_failures"
    subject: Mapped[str] = personal(String(80), primary_key=True)
    failures: Mapped[int] = public(Integer, default=0)
    first_at: Mapped[datetime] = public(UtcDateTime)
    locked_until: Mapped[datetime | None] = public(UtcDateTime)


class Notification(Base):
    """A neutral notice to a user or a desk: something is due, late, escalated or new."""

    __tablename__ = "notifications"
    id: Mapped[str] = key()
    user_id: Mapped[str | None] = link("users", index=False, nullable=True)
    desk_id: Mapped[str | None] = link("desks", index=False, nullable=True)
    kind: Mapped[str] = public(CODE)
    subject_kind: Mapped[str] = public(String(12))
    subject_id: Mapped[str] = public(String(40))
    created_at: Mapped[datetime] = public(UtcDateTime)
    read_at: Mapped[datetime | None] = public(UtcDateTime)
    __table_args__ = (
        Index("ix_notifications_user", "user_id", "created_at"),
        Index("ix_notifications_desk", "desk_id", "created_at"),
    )
