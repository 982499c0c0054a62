"""Absences with a substitute, and what somebody has chosen for the own working day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, key, link, personal, public


class Absence(Base):
    """From when until when somebody is away, and who stands in at the desks that both sit at.

    It is over at `ends_at` by itself; `ended_at` says that it was ended, or taken back, before.
    """

    __tablename__ = "absences"
    id: Mapped[str] = key()
    user_id: Mapped[str] = link("users", index=False)
    substitute_id: Mapped[str | None] = link("users", index=False, nullable=True)
    starts_at: Mapped[datetime] = public(UtcDateTime)
    ends_at: Mapped[datetime] = public(UtcDateTime)
    recorded_by: Mapped[str] = public(ACTOR)
    recorded_at: Mapped[datetime] = public(UtcDateTime)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    __table_args__ = (
        Index("ix_absences_user", "user_id", "ends_at"),
        Index("ix_absences_substitute", "substitute_id", "ends_at"),
    )


class UserChoice(Base):
    """What somebody has chosen for the own working day; nobody without a row has chosen anything.

    `work_days` are weekday numbers, Monday 0; `work_from` and `work_until` are local times "08:00". `digest` is "off"
    or "daily", `digest_at` when the last one was made.
    """

    __tablename__ = "user_choices"
    user_id: Mapped[str] = link("users", index=False, primary_key=True)
    work_days: Mapped[list[Any] | None] = public(JSON, nullable=True)
    work_from: Mapped[str | None] = public(String(5), nullable=True)
    work_until: Mapped[str | None] = public(String(5), nullable=True)
    digest: Mapped[str] = public(CODE, default="off")
    digest_at: Mapped[datetime | None] = public(UtcDateTime)


class SavedView(Base):
    """A list that somebody looks at again: a name, and what stands in its address.

    With a desk it belongs to all who sit there.
    """

    __tablename__ = "saved_views"
    id: Mapped[str] = key()
    user_id: Mapped[str] = link("users")
    desk_id: Mapped[str | None] = link("desks", nullable=True)
    name: Mapped[str] = personal(String(60))
    query: Mapped[str] = public(String(300))
    created_at: Mapped[datetime] = public(UtcDateTime)
