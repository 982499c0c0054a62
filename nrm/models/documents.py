"""Documents that belong to a case; the bytes lie in the data folder, sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, public, sensitive


class Document(Base):
    """One file; name and note are sealed, the bytes are found by `stored_as` in the data folder (`nrm.files`).

    It belongs to the case; `task_id` or `referral_id` says what it was added to, `organisation_id` in whose name.
    What was entered in error stays in the list with its reason, and nobody opens it any more.
    """

    __tablename__ = "documents"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    person_id: Mapped[str | None] = link("people", index=False, nullable=True)
    task_id: Mapped[str | None] = link("tasks", nullable=True)
    referral_id: Mapped[str | None] = link("referrals", nullable=True)
    organisation_id: Mapped[str | None] = public(ID, nullable=True)
    kind: Mapped[str] = sensitive(CODE)
    name: Mapped[str] = sensitive(Text)
    note: Mapped[str | None] = sensitive(Text, nullable=True)
    media_type: Mapped[str] = public(String(80))
    size: Mapped[int] = public(Integer)
    sha256: Mapped[str] = public(String(64))
    stored_as: Mapped[str] = public(String(80))
    added_by: Mapped[str] = public(ACTOR)
    added_at: Mapped[datetime] = public(UtcDateTime)
    error_reason: Mapped[str | None] = public(CODE, nullable=True)
    error_by: Mapped[str | None] = public(ACTOR, nullable=True)
    error_at: Mapped[datetime | None] = public(UtcDateTime, nullable=True)
