"""Plans that move running runs from one version of a path to another, and what became of each run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, public, sensitive


class MigrationPlan(Base):
    """Where the runs of one path version go: step → step of another version, and what open tasks take over.

    `steps` maps step ids to {"to", "form", "desk"}. `looked_at` is the id of the last run that the dry run has seen.
    `changers` are the ids of all who made or changed it: none of them approves it. `stopped_for` is the code of what
    stopped it without anybody asking ("target_retired"); None otherwise.
    """

    __tablename__ = "migration_plans"
    id: Mapped[str] = key()
    path_id: Mapped[str] = link("paths")
    source_id: Mapped[str] = link("path_versions", index=False)
    target_id: Mapped[str] = link("path_versions", index=False)
    steps: Mapped[dict[str, Any]] = public(JSON)
    status: Mapped[str] = public(String(12), default="draft")
    looked_at: Mapped[str] = public(ID, default="")
    created_at: Mapped[datetime] = public(UtcDateTime)
    created_by: Mapped[str] = public(ACTOR)
    changed_at: Mapped[datetime] = public(UtcDateTime)
    changed_by: Mapped[str] = public(ACTOR)
    changers: Mapped[list[str]] = public(JSON)
    approved_at: Mapped[datetime | None] = public(UtcDateTime)
    approved_by: Mapped[str | None] = public(ACTOR)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    stopped_for: Mapped[str | None] = public(CODE)
    version: Mapped[int] = public(Integer, default=1)


class MigrationRun(Base):
    """One run in a plan: what the dry run found, whether it was moved, and what undoing would put back.

    `findings` are codes with elements, never a value. `before` is sealed: it holds the run's state.
    """

    __tablename__ = "migration_runs"
    id: Mapped[str] = key()
    plan_id: Mapped[str] = link("migration_plans", index=False)
    run_id: Mapped[str] = link("runs")
    case_id: Mapped[str] = link("cases", index=False)
    status: Mapped[str] = public(String(12), default="ready")
    findings: Mapped[list[Any]] = public(JSON)
    before: Mapped[str | None] = sensitive(Text)
    run_version: Mapped[int | None] = public(Integer)
    undoable: Mapped[bool] = public(Boolean, default=False)
    at: Mapped[datetime] = public(UtcDateTime)
    __table_args__ = (
        UniqueConstraint("plan_id", "run_id"),
        Index("ix_migration_runs_status", "plan_id", "status", "id"),
    )
