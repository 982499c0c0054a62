"""Webhooks: where partners want to be told, and what was told to them or waits to be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, key, link, personal, public, secret


class WebhookEndpoint(Base):
    """An address of an organisation's own program, to which events are posted.

    `state` is enabled or disabled, `cause` says why. `fed_until` is the position in the events up to which deliveries
    were written, only of what happened at or after `fed_since`. `failures` counts failed attempts in a row since
    `failing_since`; until `rest_until` nothing is tried. `pace_ms` is how long the last answer took. One sender at a
    time works on it: `lease_*`, in real time.
    """

    __tablename__ = "webhook_endpoints"
    id: Mapped[str] = key()
    organisation_id: Mapped[str] = link("organisations")
    url: Mapped[str] = secret(String(500))
    description: Mapped[str] = public(String(200), default="")
    types: Mapped[list[str] | None] = public(JSON)
    livemode: Mapped[bool] = public(Boolean, default=True)
    signing_secret: Mapped[str] = secret(Text)
    old_signing_secret: Mapped[str | None] = secret(Text)
    old_until: Mapped[datetime | None] = public(UtcDateTime)
    state: Mapped[str] = public(String(12), default="enabled")
    cause: Mapped[str | None] = public(CODE)
    fed_until: Mapped[int] = public(BigInteger, default=0)
    fed_since: Mapped[datetime | None] = public(UtcDateTime)
    failures: Mapped[int] = public(Integer, default=0)
    failing_since: Mapped[datetime | None] = public(UtcDateTime)
    rest_until: Mapped[datetime | None] = public(UtcDateTime)
    pace_ms: Mapped[int] = public(Integer, default=0)
    lease_owner: Mapped[str | None] = public(String(40))
    lease_until: Mapped[datetime | None] = public(UtcDateTime)
    created_at: Mapped[datetime] = public(UtcDateTime)
    created_by: Mapped[str] = public(ACTOR)
    version: Mapped[int] = public(Integer, default=1)


class WebhookDelivery(Base):
    """One event for one endpoint: its id is the webhook-id, the same at every attempt.

    `state` is waiting, sent, dead (given up, can be sent again by hand) or withheld (the organisation may no longer
    know of it). `tries` lists the attempts: when, status or cause, milliseconds; `answer` is the beginning of the last
    answer.
    """

    __tablename__ = "webhook_deliveries"
    id: Mapped[str] = key()
    endpoint_id: Mapped[str] = link("webhook_endpoints", index=False)
    position: Mapped[int] = public(BigInteger)
    event_id: Mapped[str] = public(String(31))
    type: Mapped[str] = public(CODE)
    state: Mapped[str] = public(String(12), default="waiting")
    attempts: Mapped[int] = public(Integer, default=0)
    next_at: Mapped[datetime | None] = public(UtcDateTime)
    tries: Mapped[list[Any]] = public(JSON)
    answer: Mapped[str | None] = personal(Text)
    created_at: Mapped[datetime] = public(UtcDateTime)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    __table_args__ = (
        UniqueConstraint("endpoint_id", "position"),
        Index(
            "ix_webhook_deliveries_due",
            "endpoint_id",
            "next_at",
            postgresql_where=text("state = 'waiting'"),
            sqlite_where=text("state = 'waiting'"),
        ),
        Index("ix_webhook_deliveries_log", "endpoint_id", "created_at"),
    )
