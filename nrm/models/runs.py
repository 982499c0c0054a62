"""Runs of paths, what they wait for, the message inbox, and incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, IN_ITS_KEY, key, link, public, sensitive


class Run(Base):
    """One execution of a path version for a case.

    `state` is the engine's text, stored as it is (its key order is load-bearing). `decision_values` repeats the
    decision values for those who may see the case. `context` holds ids that registered checks need
    ({"referral": …, "plan_service": …}), and the kind of service that a run without a plan was started for.
    """

    __tablename__ = "runs"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases", index=False)
    path_version_id: Mapped[str] = link("path_versions")
    parent_id: Mapped[str | None] = link("runs", nullable=True)
    parent_token: Mapped[str | None] = public(String(80))
    status: Mapped[str] = public(String(12), default="running")
    outcome: Mapped[str | None] = sensitive(CODE)
    state: Mapped[str] = sensitive(Text)
    decision_values: Mapped[dict[str, Any]] = sensitive(JSON)
    context: Mapped[dict[str, Any]] = sensitive(JSON)
    is_sensitive: Mapped[bool] = public(Boolean, default=False)
    depth: Mapped[int] = public(Integer, default=0)
    steps: Mapped[int] = public(Integer, default=0)
    started_at: Mapped[datetime] = public(UtcDateTime)
    started_by: Mapped[str] = public(ACTOR)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (Index("ix_runs_case", "case_id", "status"),)


class RunStep(Base):
    """What a run went through: one row per step passed, for the case's drawing and the figures on waiting.

    `waited` is how many seconds a message or a time was waited for there; None at all other steps.
    """

    __tablename__ = "run_steps"
    run_id: Mapped[str] = link("runs", index=False, primary_key=True)
    number: Mapped[int] = public(Integer, primary_key=True)
    step: Mapped[str] = public(CODE)
    way: Mapped[str | None] = public(CODE)
    at: Mapped[datetime] = public(UtcDateTime)
    waited: Mapped[int | None] = public(Integer)
    __table_args__ = (
        Index(
            "ix_run_steps_waits",
            "at",
            postgresql_where=text("waited IS NOT NULL"),
            sqlite_where=text("waited IS NOT NULL"),
        ),
        IN_ITS_KEY,
    )


class Subscription(Base):
    """A run waits for a message; `correlation` is the run's or the case's id."""

    __tablename__ = "subscriptions"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases", index=False)
    run_id: Mapped[str] = link("runs", index=False)
    token: Mapped[str] = public(String(80))
    step: Mapped[str] = public(CODE)
    message: Mapped[str] = public(CODE)
    correlation: Mapped[str] = public(ID)
    created_at: Mapped[datetime] = public(UtcDateTime)
    __table_args__ = (
        UniqueConstraint("run_id", "token", "message"),
        Index("ix_subscriptions_find", "correlation", "message"),
    )


class InboxMessage(Base):
    """A message to runs: kept until somebody waits for it, its time is over, or it is reported.

    `message_id` makes a repeated message harmless. `status`: waiting, delivered, expired.
    """

    __tablename__ = "inbox_messages"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    name: Mapped[str] = public(CODE)
    correlation: Mapped[str] = public(ID)
    message_id: Mapped[str] = public(String(100))
    decision_values: Mapped[dict[str, Any]] = sensitive(JSON)
    status: Mapped[str] = public(String(12), default="waiting")
    received_at: Mapped[datetime] = public(UtcDateTime)
    expires_at: Mapped[datetime | None] = public(UtcDateTime)
    delivered_to: Mapped[str | None] = public(ID)
    __table_args__ = (
        UniqueConstraint("correlation", "message_id"),
        Index("ix_inbox_messages_waiting", "correlation", "name", "status"),
    )


class Incident(Base):
    """A step, job or delivery that failed: visible, explained, and waiting to be retried, repaired or cancelled.

    `code` and `params` are the key and values of a sentence; no personal value is among them.
    """

    __tablename__ = "incidents"
    id: Mapped[str] = key()
    case_id: Mapped[str | None] = link("cases", nullable=True)
    run_id: Mapped[str | None] = link("runs", nullable=True)
    job_id: Mapped[int | None] = public(Integer)
    organisation_id: Mapped[str | None] = link("organisations", nullable=True)
    kind: Mapped[str] = public(CODE)
    code: Mapped[str] = public(CODE)
    step: Mapped[str | None] = public(CODE)
    params: Mapped[dict[str, Any]] = public(JSON)
    retry: Mapped[dict[str, Any]] = sensitive(JSON)
    is_sensitive: Mapped[bool] = public(Boolean, default=False)
    status: Mapped[str] = public(String(12), default="open", index=True)
    opened_at: Mapped[datetime] = public(UtcDateTime)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    ended_by: Mapped[str | None] = public(ACTOR)
    ending: Mapped[str | None] = public(CODE)
    note: Mapped[str | None] = sensitive(Text)
    version: Mapped[int] = public(Integer, default=1)
