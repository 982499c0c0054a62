"""Referrals: a request from one organisation to another to serve a case; each ends with an outcome."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Boolean, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, public, secret, sensitive


class Referral(Base):
    """One referral. States and verbs: `nrm.rules.statuses`; clocks are moments here and jobs in the job table.

    `paused_at` stands while the decision clock rests (information was asked for, or the referral is on hold);
    `pause_left` keeps the seconds of working time that were left. `error_asked_by` says that it should never have
    existed; a second person must say so too.
    """

    __tablename__ = "referrals"
    id: Mapped[str] = key()
    number: Mapped[str] = public(String(24), unique=True)
    case_id: Mapped[str] = link("cases")
    person_id: Mapped[str] = link("people")
    run_id: Mapped[str | None] = link("runs", nullable=True)
    plan_service_id: Mapped[str | None] = link("plan_services", nullable=True)
    service_id: Mapped[str | None] = link("services", index=False, nullable=True)
    category: Mapped[str] = sensitive(CODE)
    from_organisation_id: Mapped[str] = link("organisations", index=False)
    from_desk_id: Mapped[str | None] = link("desks", index=False, nullable=True)
    to_organisation_id: Mapped[str | None] = link("organisations", index=False, nullable=True)
    to_desk_id: Mapped[str | None] = link("desks", index=False, nullable=True)
    to_user_id: Mapped[str | None] = link("users", index=False, nullable=True)
    state: Mapped[str] = public(String(20), default="draft")
    urgency: Mapped[str] = public(String(12), default="normal")
    reason: Mapped[str | None] = sensitive(Text)
    expected_result: Mapped[str | None] = sensitive(Text)
    categories: Mapped[list[str]] = sensitive(JSON)
    consent_id: Mapped[str | None] = link("consents", index=False, nullable=True)
    override_id: Mapped[str | None] = link("consent_overrides", index=False, nullable=True)
    parent_id: Mapped[str | None] = link("referrals", nullable=True)
    attempt: Mapped[int] = public(Integer, default=1)
    external_id: Mapped[str | None] = public(String(100))
    slot_taken: Mapped[bool] = public(Boolean, default=False)
    sent_at: Mapped[datetime | None] = public(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = public(UtcDateTime)
    decided_at: Mapped[datetime | None] = public(UtcDateTime)
    started_at: Mapped[datetime | None] = public(UtcDateTime)
    ended_at: Mapped[datetime | None] = public(UtcDateTime)
    closed_at: Mapped[datetime | None] = public(UtcDateTime)
    clock: Mapped[str | None] = public(String(20))
    clock_started_at: Mapped[datetime | None] = public(UtcDateTime)
    reply_due_at: Mapped[datetime | None] = public(UtcDateTime)
    paused_at: Mapped[datetime | None] = public(UtcDateTime)
    pause_left: Mapped[int | None] = public(Integer)
    escalation: Mapped[int] = public(Integer, default=0)
    reminded_at: Mapped[datetime | None] = public(UtcDateTime)
    appointment_at: Mapped[datetime | None] = sensitive(UtcDateTime)
    appointment_place: Mapped[str | None] = sensitive(Text)
    no_shows: Mapped[int] = public(Integer, default=0)
    waitlist_position: Mapped[int | None] = public(Integer)
    review_on: Mapped[date | None] = public(Date)
    expected_start: Mapped[date | None] = public(Date)
    expected_end: Mapped[date | None] = public(Date)
    hold_until: Mapped[date | None] = public(Date)
    resume_state: Mapped[str | None] = public(String(20))
    cancellation_requested: Mapped[bool] = public(Boolean, default=False)
    redirected_to: Mapped[str | None] = public(ID)
    end_reason: Mapped[str | None] = sensitive(CODE)
    outcome: Mapped[str | None] = sensitive(CODE)
    outcome_note: Mapped[str | None] = sensitive(Text)
    delivered_on: Mapped[date | None] = sensitive(Date)
    units: Mapped[int | None] = sensitive(Integer)
    cost: Mapped[str | None] = sensitive(Text)
    confirmed_at: Mapped[datetime | None] = public(UtcDateTime)
    confirmed: Mapped[str | None] = sensitive(CODE)
    satisfaction: Mapped[int | None] = sensitive(Integer)
    error_reason: Mapped[str | None] = sensitive(CODE)
    error_asked_by: Mapped[str | None] = public(ACTOR, nullable=True)
    error_asked_at: Mapped[datetime | None] = public(UtcDateTime)
    livemode: Mapped[bool] = public(Boolean, default=True)
    created_by: Mapped[str] = public(ACTOR)
    created_at: Mapped[datetime] = public(UtcDateTime)
    updated_at: Mapped[datetime] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (
        UniqueConstraint("from_organisation_id", "external_id"),
        Index("ix_referrals_received", "to_organisation_id", "state", "updated_at"),
        Index("ix_referrals_answers", "service_id", "decided_at"),
        Index("ix_referrals_mistakes", "error_asked_at"),
        Index("ix_referrals_sent", "from_organisation_id", "state", "updated_at"),
    )


class AnswerLink(Base):
    """A mailed link by which an organisation without a screen answers one referral; only hashes of secrets are kept.

    A link is opened once; then its browser may answer until `session_until`, or until it has answered.
    """

    __tablename__ = "answer_links"
    id: Mapped[str] = key()
    referral_id: Mapped[str] = link("referrals")
    organisation_id: Mapped[str] = link("organisations", index=False)
    token_sha256: Mapped[str] = secret(String(64), unique=True)
    created_at: Mapped[datetime] = public(UtcDateTime)
    expires_at: Mapped[datetime] = public(UtcDateTime)
    opened_at: Mapped[datetime | None] = public(UtcDateTime)
    session_sha256: Mapped[str | None] = secret(String(64), unique=True, nullable=True)
    session_until: Mapped[datetime | None] = public(UtcDateTime)
    answered_at: Mapped[datetime | None] = public(UtcDateTime)


class ReferralNote(Base):
    """A note between sender and receiver: question, answer, progress, message; the text is sealed."""

    __tablename__ = "referral_notes"
    id: Mapped[str] = key()
    referral_id: Mapped[str] = link("referrals")
    kind: Mapped[str] = public(CODE)
    author: Mapped[str] = public(ACTOR)
    organisation_id: Mapped[str | None] = public(ID, nullable=True)
    text: Mapped[str] = sensitive(Text)
    created_at: Mapped[datetime] = public(UtcDateTime)
