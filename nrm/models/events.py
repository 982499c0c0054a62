"""The only history: facts, append-only, hash-chained per stream."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Integer, String
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, public


class Event(Base):
    """One fact. `stream` is a case's or an organisation's id, or "system"; `data` holds ids and codes only."""

    __tablename__ = "events"
    stream: Mapped[str] = public(ID, primary_key=True)
    seq: Mapped[int] = public(Integer, primary_key=True)
    id: Mapped[str] = public(ID, unique=True)
    at: Mapped[datetime] = public(UtcDateTime)
    kind: Mapped[str] = public(CODE)
    actor: Mapped[str] = public(ACTOR)
    organisation_id: Mapped[str | None] = public(ID)
    subject_kind: Mapped[str] = public(String(12))
    subject_id: Mapped[str] = public(String(40))
    data: Mapped[dict[str, Any]] = public(JSON)
    prev_hash: Mapped[str] = public(String(64))
    hash: Mapped[str] = public(String(64))
    __table_args__ = (
        Index("ix_events_subject", "subject_kind", "subject_id"),
        Index("ix_events_at", "at"),
    )


class EventHead(Base):
    """The end of the chain of a stream that is not a case (a case keeps its own head in its row)."""

    __tablename__ = "event_heads"
    stream: Mapped[str] = public(ID, primary_key=True)
    seq: Mapped[int] = public(Integer, default=0)
    hash: Mapped[str] = public(String(64), default="")
