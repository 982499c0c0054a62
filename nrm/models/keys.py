"""How partners' programs get in: keys, clients, their short tokens; and what they asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, ID, key, link, public, secret


class ApiKey(Base):
    """A credential of an organisation's program; of a secret only its SHA-256 is stored.

    `kind` is "key" (sent with each request), "client_secret" or "client_key" (OAuth clients, which get tokens with a
    secret, or with a signature that `public_key`, a JWK of RFC 7517, verifies). `reminded_days`: the last reminder of
    its end, in days before it.
    """

    __tablename__ = "api_keys"
    id: Mapped[str] = key()
    kind: Mapped[str] = public(String(16), default="key")
    organisation_id: Mapped[str] = link("organisations")
    name: Mapped[str] = public(String(100))
    prefix: Mapped[str] = public(String(20))
    key_sha256: Mapped[str | None] = secret(String(64), unique=True)
    public_key: Mapped[dict[str, str] | None] = public(JSON)
    scopes: Mapped[list[str]] = public(JSON)
    networks: Mapped[list[str]] = public(JSON)
    livemode: Mapped[bool] = public(Boolean, default=True)
    created_at: Mapped[datetime] = public(UtcDateTime)
    created_by: Mapped[str] = public(ACTOR)
    expires_at: Mapped[datetime] = public(UtcDateTime)
    revoked_at: Mapped[datetime | None] = public(UtcDateTime)
    used_at: Mapped[datetime | None] = public(UtcDateTime)
    reminded_days: Mapped[int | None] = public(Integer)


class AccessToken(Base):
    """A token that a client got, valid for minutes of real time; it counts only as long as its client does."""

    __tablename__ = "access_tokens"
    token_sha256: Mapped[str] = secret(String(64), primary_key=True)
    key_id: Mapped[str] = link("api_keys")
    scopes: Mapped[list[str]] = public(JSON)
    issued_at: Mapped[datetime] = public(UtcDateTime)
    expires_at: Mapped[datetime] = public(UtcDateTime, index=True)


class UsedAssertion(Base):
    """A client's signed assertion that was taken (RFC 7523 §3): its `jti` is not taken again while it is valid."""

    __tablename__ = "used_assertions"
    key_id: Mapped[str] = link("api_keys", index=False, primary_key=True)
    jti_sha256: Mapped[str] = public(String(64), primary_key=True)
    expires_at: Mapped[datetime] = public(UtcDateTime, index=True)


class RequestRecord(Base):
    """One request of a partner's program, for the partner's own log: no body, no query, no id of anything."""

    __tablename__ = "request_records"
    id: Mapped[int] = public(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    organisation_id: Mapped[str] = public(ID)
    key_id: Mapped[str] = public(ID)
    livemode: Mapped[bool] = public(Boolean)
    at: Mapped[datetime] = public(UtcDateTime, index=True)
    method: Mapped[str] = public(String(8))
    route: Mapped[str] = public(String(120))
    status: Mapped[int] = public(Integer)
    code: Mapped[str | None] = public(String(64))
    request_id: Mapped[str] = public(String(64))
    __table_args__ = (Index("ix_request_records_organisation", "organisation_id", "livemode", "at", "id"),)
