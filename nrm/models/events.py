"""The only history: facts, append-only, hash-chained per stream, in one order over all streams."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, public


class Event(Base):
    """One fact. `stream` is a case's or an organisation's id, or "system"; `data` holds ids and codes only.

    `position` orders all streams for readers who go on from where they were; which positions are settled says
    `nrm.queries.feed`. `organisation_id` is who the fact is about (the receiver of a referral, the desk's own),
    `sender_id` the organisation that sent the referral that it is about.
    """

    __tablename__ = "events"
    position: Mapped[int] = public(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    stream: Mapped[str] = public(ID)
    seq: Mapped[int] = public(Integer)
    id: Mapped[str] = public(ID, unique=True)
    at: Mapped[datetime] = public(UtcDateTime)
    kind: Mapped[str] = public(CODE)
    actor: Mapped[str] = public(ACTOR)
    organisation_id: Mapped[str | None] = public(ID)
    sender_id: Mapped[str | None] = public(ID)
    subject_kind: Mapped[str] = public(String(12))
    subject_id: Mapped[str] = public(String(40))
    data: Mapped[dict[str, Any]] = public(JSON)
    prev_hash: Mapped[str] = public(String(64))
    hash: Mapped[str] = public(String(64))
    __table_args__ = (
        UniqueConstraint("stream", "seq"),
        Index("ix_events_subject", "subject_kind", "subject_id"),
        Index("ix_events_at", "at"),
        Index(
            "ix_events_organisation",
            "organisation_id",
            "position",
            postgresql_where=text("organisation_id IS NOT NULL"),
            sqlite_where=text("organisation_id IS NOT NULL"),
        ),
        Index(
            "ix_events_sender",
            "sender_id",
            "position",
            postgresql_where=text("sender_id IS NOT NULL"),
            sqlite_where=text("sender_id IS NOT NULL"),
        ),
    )


class EventHead(Base):
    """The end of the chain of a stream that is not a case (a case keeps its own head in its row)."""

    __tablename__ = "event_heads"
    stream: Mapped[str] = public(ID, primary_key=True)
    seq: Mapped[int] = public(Integer, default=0)
    hash: Mapped[str] = public(String(64), default="")
