"""The job table: timers, reminders, escalations, deliveries, bulk parts; and what keeps the runner honest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import CODE, ID, key, link, public, secret


class Job(Base):
    """Work for the runner, written in the transaction that wants it; a done job's row goes with its effects.

    `state` is waiting, running (leased until `lease_until`) or dead (an incident shows it). `due_at` is in the
    installation's time (a demo may move it), leases are in real time.
    """

    __tablename__ = "jobs"
    id: Mapped[int] = public(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    kind: Mapped[str] = public(CODE)
    queue: Mapped[str] = public(String(32))
    case_id: Mapped[str | None] = public(ID, nullable=True)
    args: Mapped[dict[str, Any]] = public(JSON)
    due_at: Mapped[datetime] = public(UtcDateTime)
    state: Mapped[str] = public(String(12), default="waiting")
    attempts: Mapped[int] = public(Integer, default=0)
    max_attempts: Mapped[int] = public(Integer, default=8)
    lease_owner: Mapped[str | None] = public(String(40))
    lease_until: Mapped[datetime | None] = public(UtcDateTime)
    dedup_key: Mapped[str | None] = public(String(160))
    error: Mapped[str | None] = public(String(200))
    created_at: Mapped[datetime] = public(UtcDateTime)
    __table_args__ = (
        Index(
            "ix_jobs_due",
            "queue",
            "due_at",
            postgresql_where=text("state = 'waiting'"),
            sqlite_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_jobs_lease",
            "lease_until",
            postgresql_where=text("state = 'running'"),
            sqlite_where=text("state = 'running'"),
        ),
        Index(
            "ix_jobs_timers",
            "case_id",
            postgresql_where=text("kind = 'timer'"),
            sqlite_where=text("kind = 'timer'"),
        ),
        Index("ix_jobs_dead", "id", postgresql_where=text("state = 'dead'"), sqlite_where=text("state = 'dead'")),
        Index(
            "uq_jobs_dedup_key",
            "dedup_key",
            unique=True,
            postgresql_where=text("dedup_key IS NOT NULL AND state <> 'dead'"),
            sqlite_where=text("dedup_key IS NOT NULL AND state <> 'dead'"),
        ),
        # SQLite would give the number of a deleted job to the next one, and a lease proves itself by the number.
        {"sqlite_autoincrement": True},
    )


class Schedule(Base):
    """A periodic job: its name, how often, and when it ran last."""

    __tablename__ = "schedules"
    name: Mapped[str] = public(CODE, primary_key=True)
    every: Mapped[str] = public(String(32))
    last_run_at: Mapped[datetime | None] = public(UtcDateTime)


class Runner(Base):
    """A runner's sign of life, in real time."""

    __tablename__ = "runners"
    name: Mapped[str] = public(String(40), primary_key=True)
    started_at: Mapped[datetime] = public(UtcDateTime)
    seen_at: Mapped[datetime] = public(UtcDateTime)
    done: Mapped[int] = public(Integer, default=0)
    failed: Mapped[int] = public(Integer, default=0)


class IdempotencyKey(Base):
    """A request that was carried out under a key: the answer is given again, the effect is not.

    `fingerprint` is SHA-256 over method, path and body.
    """

    __tablename__ = "idempotency_keys"
    owner: Mapped[str] = public(String(40), primary_key=True)
    key: Mapped[str] = public(String(200), primary_key=True)
    fingerprint: Mapped[str] = public(String(64))
    status: Mapped[int] = public(Integer)
    body: Mapped[str] = secret(String)
    created_at: Mapped[datetime] = public(UtcDateTime, index=True)


class Delivery(Base):
    """Something that leaves the building: an e-mail, a letter, a notice; ids and codes only.

    `state`: waiting, sent, failed, dead.
    """

    __tablename__ = "deliveries"
    id: Mapped[str] = key()
    channel: Mapped[str] = public(String(12))
    organisation_id: Mapped[str | None] = link("organisations", nullable=True)
    user_id: Mapped[str | None] = link("users", nullable=True)
    template: Mapped[str] = public(CODE)
    subject_kind: Mapped[str] = public(String(12))
    subject_id: Mapped[str] = public(String(40))
    state: Mapped[str] = public(String(12), default="waiting")
    attempts: Mapped[int] = public(Integer, default=0)
    created_at: Mapped[datetime] = public(UtcDateTime)
    sent_at: Mapped[datetime | None] = public(UtcDateTime)
    error: Mapped[str | None] = public(String(200))
