"""Drafts of paths: what somebody changes before a second person publishes it, and what is said about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Integer, String, Text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, personal, public


class PathDraft(Base):
    """A path as somebody is changing it; nothing runs on it.

    `forms` holds the content of the forms that this draft changes or adds, `scenarios` all scenarios of the path by
    name. `base_version_id` is the version that was the newest when the draft began; None for a path without one.
    `changers` are the ids of all who began or changed it: none of them publishes it.
    """

    __tablename__ = "path_drafts"
    id: Mapped[str] = key()
    path_key: Mapped[str] = public(CODE)
    base_version_id: Mapped[str | None] = link("path_versions", index=False, nullable=True)
    names: Mapped[dict[str, str]] = public(JSON)
    diagram: Mapped[str] = public(Text)
    forms: Mapped[dict[str, Any]] = public(JSON)
    scenarios: Mapped[dict[str, Any]] = public(JSON)
    status: Mapped[str] = public(String(12), default="draft")
    note: Mapped[str] = personal(String(1000), default="")
    version: Mapped[int] = public(Integer, default=1)
    created_at: Mapped[datetime] = public(UtcDateTime)
    created_by: Mapped[str] = public(ACTOR)
    changed_at: Mapped[datetime] = public(UtcDateTime)
    changed_by: Mapped[str] = public(ACTOR)
    changers: Mapped[list[str]] = public(JSON)
    submitted_at: Mapped[datetime | None] = public(UtcDateTime)
    submitted_by: Mapped[str | None] = public(ACTOR)
    decided_at: Mapped[datetime | None] = public(UtcDateTime)
    decided_by: Mapped[str | None] = public(ACTOR)
    published_version_id: Mapped[str | None] = public(ID, nullable=True)
    __table_args__ = (Index("ix_path_drafts_path", "path_key", "status"), Index("ix_path_drafts_status", "status"))


class PathComment(Base):
    """What somebody says about a draft, or about one element of it."""

    __tablename__ = "path_comments"
    id: Mapped[str] = key()
    draft_id: Mapped[str] = link("path_drafts")
    element: Mapped[str | None] = public(CODE)
    text: Mapped[str] = personal(String(2000))
    created_at: Mapped[datetime] = public(UtcDateTime)
    created_by: Mapped[str] = public(ACTOR)
    resolved_at: Mapped[datetime | None] = public(UtcDateTime)
    resolved_by: Mapped[str | None] = public(ACTOR)
