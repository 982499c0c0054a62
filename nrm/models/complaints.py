"""Complaints that came in by the public door: without a name, without a case, under a receipt."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, key, link, public, secret, sensitive


class Complaint(Base):
    """One complaint, at the desk that sees to it and known to no other.

    `receipt_hash` is a keyed hash of the receipt; the receipt itself is told once and never stored. `content` holds
    the words and, if given, how to reach the person. Nothing says from where the complaint was sent.
    """

    __tablename__ = "complaints"
    id: Mapped[str] = key()
    receipt_hash: Mapped[str] = secret(String(64), unique=True)
    organisation_id: Mapped[str] = link("organisations", index=False)
    desk_id: Mapped[str] = link("desks", index=False)
    category: Mapped[str] = sensitive(CODE)
    sealed: Mapped[bool] = public(Boolean, default=False)
    content: Mapped[str] = sensitive(Text)
    state: Mapped[str] = public(CODE)
    answer: Mapped[str | None] = sensitive(Text)
    received_at: Mapped[datetime] = public(UtcDateTime)
    taken_up_at: Mapped[datetime | None] = public(UtcDateTime)
    taken_up_by: Mapped[str | None] = public(ACTOR, nullable=True)
    answered_at: Mapped[datetime | None] = public(UtcDateTime)
    run_id: Mapped[str | None] = link("runs", index=False, nullable=True)
    livemode: Mapped[bool] = public(Boolean, default=True)
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (Index("ix_complaints_desk", "desk_id", "received_at", "id"),)
