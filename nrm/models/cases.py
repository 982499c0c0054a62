"""Cases, who may know of them, and notes on them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, public, sensitive


class Case(Base):
    """The file of one person's return and reintegration.

    `event_seq` and `event_hash` are the head of the case's event chain: every action locks this row first.
    """

    __tablename__ = "cases"
    id: Mapped[str] = key()
    number: Mapped[str] = public(String(24), unique=True)
    person_id: Mapped[str] = link("people")
    organisation_id: Mapped[str] = link("organisations")
    desk_id: Mapped[str | None] = link("desks", nullable=True)
    handler_id: Mapped[str | None] = link("users", nullable=True)
    level: Mapped[str] = public(String(12), default="standard")
    status: Mapped[str] = public(String(12), default="open")
    stage: Mapped[str] = public(CODE, default="pre_arrival")
    priority: Mapped[str] = public(String(12), default="normal")
    governorate: Mapped[str] = public(CODE)
    jurisdiction: Mapped[str] = public(CODE)
    return_type: Mapped[str | None] = sensitive(CODE)
    host_country: Mapped[str | None] = sensitive(String(2))
    programme: Mapped[str | None] = sensitive(CODE)
    returned_on: Mapped[date | None] = sensitive(Date)
    arrived_on: Mapped[date | None] = sensitive(Date)
    external_refs: Mapped[str | None] = sensitive(Text)
    vulnerabilities: Mapped[str | None] = sensitive(Text)
    outcome: Mapped[str | None] = sensitive(CODE)
    closing_reason: Mapped[str | None] = sensitive(CODE)
    opened_at: Mapped[datetime] = public(UtcDateTime)
    closed_at: Mapped[datetime | None] = public(UtcDateTime)
    active_at: Mapped[datetime] = public(UtcDateTime)
    legal_hold: Mapped[bool] = public(Boolean, default=False)
    livemode: Mapped[bool] = public(Boolean, default=True)
    event_seq: Mapped[int] = public(Integer, default=0)
    event_hash: Mapped[str] = public(String(64), default="")
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (
        Index("ix_cases_organisation_status", "organisation_id", "status", "active_at"),
        Index("ix_cases_governorate_status", "governorate", "status"),
    )


class CaseAccess(Base):
    """Who may know of a case: a desk, an organisation or a user; the scope of every read is a join with it."""

    __tablename__ = "case_access"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    holder_kind: Mapped[str] = public(String(12))
    holder_id: Mapped[str] = public(ID)
    access: Mapped[str] = public(String(12))
    reason: Mapped[str] = public(CODE)
    since: Mapped[datetime] = public(UtcDateTime)
    until: Mapped[datetime | None] = public(UtcDateTime)
    __table_args__ = (
        UniqueConstraint("case_id", "holder_kind", "holder_id", "reason"),
        Index("ix_case_access_holder", "holder_id", "case_id"),
    )


class CaseNote(Base):
    """A note on a case; the text is sealed."""

    __tablename__ = "case_notes"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    author_id: Mapped[str] = public(ACTOR)
    text: Mapped[str] = sensitive(Text)
    pinned: Mapped[bool] = public(Boolean, default=False)
    created_at: Mapped[datetime] = public(UtcDateTime)


class Need(Base):
    """Something that a returnee needs, in the words of the service categories."""

    __tablename__ = "needs"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    person_id: Mapped[str] = link("people")
    category: Mapped[str] = sensitive(CODE)
    priority: Mapped[str] = public(String(12), default="normal")
    status: Mapped[str] = public(String(12), default="open")
    reason: Mapped[str | None] = sensitive(CODE)
    created_at: Mapped[datetime] = public(UtcDateTime)
    updated_at: Mapped[datetime] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)


class Plan(Base):
    """A reintegration plan of a case; a revision is a new row."""

    __tablename__ = "plans"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    number: Mapped[int] = public(Integer, default=1)
    status: Mapped[str] = public(String(12), default="draft")
    agreed: Mapped[bool] = sensitive(Boolean, default=False)
    run_id: Mapped[str | None] = link("runs", nullable=True)
    created_at: Mapped[datetime] = public(UtcDateTime)
    approved_at: Mapped[datetime | None] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (Index("ix_plans_status", "status", "created_at"),)


class PlanService(Base):
    """One service of a plan; its id is what a path's multi-instance list holds."""

    __tablename__ = "plan_services"
    id: Mapped[str] = key()
    plan_id: Mapped[str] = link("plans")
    case_id: Mapped[str] = link("cases")
    need_id: Mapped[str | None] = link("needs", nullable=True)
    category: Mapped[str] = sensitive(CODE)
    priority: Mapped[str] = public(String(12), default="normal")
    goal: Mapped[str | None] = sensitive(Text)
    preferred_organisation_id: Mapped[str | None] = link("organisations", index=False, nullable=True)
    due_on: Mapped[date | None] = public(Date)
    status: Mapped[str] = public(String(12), default="planned")
    outcome: Mapped[str | None] = sensitive(CODE)
    created_at: Mapped[datetime] = public(UtcDateTime)
