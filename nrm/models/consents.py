"""Consents, the overrides that replaced one, and the ledger of every disclosure."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, Integer, String, Text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, public, sensitive


class Consent(Base):
    """What a person agreed to: purposes, organisations and data categories, until when."""

    __tablename__ = "consents"
    id: Mapped[str] = key()
    person_id: Mapped[str] = link("people")
    case_id: Mapped[str] = link("cases")
    given_by: Mapped[str] = sensitive(CODE, default="self")
    assent_child: Mapped[bool | None] = sensitive(Boolean)
    mode: Mapped[str] = sensitive(CODE)
    language: Mapped[str | None] = sensitive(String(8))
    interpreter: Mapped[bool] = sensitive(Boolean, default=False)
    purposes: Mapped[list[str]] = sensitive(JSON)
    categories: Mapped[list[str]] = sensitive(JSON)
    organisations_allowed: Mapped[list[str]] = sensitive(JSON)
    organisations_denied: Mapped[list[str]] = sensitive(JSON)
    explained_version: Mapped[str] = public(CODE, default="1")
    evidence_id: Mapped[str | None] = public(ID, nullable=True)
    given_at: Mapped[datetime] = public(UtcDateTime)
    expires_at: Mapped[datetime | None] = public(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = public(UtcDateTime)
    withdrawn_scope: Mapped[list[str] | None] = sensitive(JSON)
    recorded_by: Mapped[str] = public(ACTOR)
    version: Mapped[int] = public(Integer, default=1)


class ConsentOverride(Base):
    """A disclosure without consent, on a legal ground, approved by a second person."""

    __tablename__ = "consent_overrides"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    person_id: Mapped[str] = link("people")
    organisation_id: Mapped[str] = link("organisations", index=False)
    ground: Mapped[str] = sensitive(CODE)
    reason: Mapped[str] = sensitive(Text)
    categories: Mapped[list[str]] = sensitive(JSON)
    asked_by: Mapped[str] = public(ACTOR)
    asked_at: Mapped[datetime] = public(UtcDateTime)
    approved_by: Mapped[str | None] = public(ACTOR)
    approved_at: Mapped[datetime | None] = public(UtcDateTime)
    refused_by: Mapped[str | None] = public(ACTOR)
    refused_at: Mapped[datetime | None] = public(UtcDateTime)
    refusal: Mapped[str | None] = sensitive(Text, nullable=True)
    expires_at: Mapped[datetime | None] = public(UtcDateTime)


class Restriction(Base):
    """An organisation was told to use data of a case no more, and is asked to say that it does so.

    `reminders` counts how often it was asked again.
    """

    __tablename__ = "restrictions"
    id: Mapped[str] = key()
    case_id: Mapped[str] = link("cases")
    person_id: Mapped[str] = link("people")
    organisation_id: Mapped[str] = link("organisations")
    referral_id: Mapped[str | None] = link("referrals", nullable=True)
    consent_id: Mapped[str] = link("consents", index=False)
    asked_at: Mapped[datetime] = public(UtcDateTime)
    due_at: Mapped[datetime] = public(UtcDateTime)
    reminders: Mapped[int] = public(Integer, default=0)
    confirmed_at: Mapped[datetime | None] = public(UtcDateTime)
    confirmed_by: Mapped[str | None] = public(ACTOR)
    livemode: Mapped[bool] = public(Boolean, default=True)


class Disclosure(Base):
    """One line of the disclosure ledger: which categories went to whom, when, on what ground."""

    __tablename__ = "disclosures"
    id: Mapped[str] = key()
    person_id: Mapped[str] = link("people")
    case_id: Mapped[str] = link("cases")
    organisation_id: Mapped[str] = link("organisations")
    referral_id: Mapped[str | None] = link("referrals", nullable=True)
    consent_id: Mapped[str | None] = link("consents", index=False, nullable=True)
    override_id: Mapped[str | None] = link("consent_overrides", index=False, nullable=True)
    purpose: Mapped[str] = public(CODE)
    categories: Mapped[list[str]] = sensitive(JSON)
    kind: Mapped[str] = public(CODE, default="sent")
    actor: Mapped[str] = public(ACTOR)
    at: Mapped[datetime] = public(UtcDateTime)
    restricted_at: Mapped[datetime | None] = public(UtcDateTime)
    restriction_confirmed_at: Mapped[datetime | None] = public(UtcDateTime)
