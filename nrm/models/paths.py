"""Paths, their frozen versions, and the frozen versions of their forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, public


class Path(Base):
    """A referral path as a country knows it, over all its versions."""

    __tablename__ = "paths"
    id: Mapped[str] = key()
    key: Mapped[str] = public(CODE, unique=True)
    names: Mapped[dict[str, str]] = public(JSON)
    level: Mapped[str] = public(String(12), default="standard")
    latest_id: Mapped[str | None] = public(ID, nullable=True)
    loaded_hash: Mapped[str | None] = public(String(64))


class PathVersion(Base):
    """One diagram with everything that it names, frozen when published.

    `forms` maps form keys to form version ids, `resources` holds the settings and tables that it was parsed with,
    `scenarios` the ways through it that were played before it was published, by name.
    """

    __tablename__ = "path_versions"
    id: Mapped[str] = key()
    path_id: Mapped[str] = link("paths", index=False)
    number: Mapped[int] = public(Integer)
    status: Mapped[str] = public(String(12), default="draft")
    diagram: Mapped[str] = public(Text)
    sha256: Mapped[str] = public(String(64))
    forms: Mapped[dict[str, str]] = public(JSON)
    resources: Mapped[dict[str, Any]] = public(JSON)
    scenarios: Mapped[dict[str, Any]] = public(JSON, default=dict)
    created_at: Mapped[datetime] = public(UtcDateTime)
    created_by: Mapped[str] = public(ACTOR)
    published_at: Mapped[datetime | None] = public(UtcDateTime)
    published_by: Mapped[str | None] = public(ACTOR)
    retired_at: Mapped[datetime | None] = public(UtcDateTime)
    __table_args__ = (UniqueConstraint("path_id", "number"),)


class FormVersion(Base):
    """One form, frozen; a running task keeps the version it was opened with."""

    __tablename__ = "form_versions"
    id: Mapped[str] = key()
    key: Mapped[str] = public(CODE)
    number: Mapped[int] = public(Integer)
    sha256: Mapped[str] = public(String(64))
    content: Mapped[dict[str, Any]] = public(JSON)
    created_at: Mapped[datetime] = public(UtcDateTime)
    __table_args__ = (UniqueConstraint("key", "number"), UniqueConstraint("key", "sha256"))
