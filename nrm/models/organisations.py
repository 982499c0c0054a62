"""The directory: organisations, desks, services, coverage, agreements; and the country's own data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, Date, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import CODE, ID, key, link, personal, public


class Organisation(Base):
    """A ministry, embassy, NGO, court, office or UN agency."""

    __tablename__ = "organisations"
    id: Mapped[str] = key()
    code: Mapped[str] = public(CODE, unique=True)
    names: Mapped[dict[str, str]] = public(JSON)
    kind: Mapped[str] = public(CODE)
    jurisdiction: Mapped[str | None] = public(CODE)
    channel: Mapped[str] = public(String(12), default="portal")
    email: Mapped[str | None] = personal(String(254))
    phone: Mapped[str | None] = personal(String(40))
    languages: Mapped[list[str]] = public(JSON)
    letter_language: Mapped[str | None] = public(String(8))
    letter_digits: Mapped[str | None] = public(String(8))
    active: Mapped[bool] = public(Boolean, default=True)
    loaded_hash: Mapped[str | None] = public(String(64))
    version: Mapped[int] = public(Integer, default=1)


class Desk(Base):
    """A team inside an organisation with an inbox, for one role in one place."""

    __tablename__ = "desks"
    id: Mapped[str] = key()
    code: Mapped[str] = public(CODE, unique=True)
    organisation_id: Mapped[str] = link("organisations")
    role: Mapped[str] = public(CODE)
    governorate: Mapped[str | None] = public(CODE)
    jurisdiction: Mapped[str | None] = public(CODE)
    names: Mapped[dict[str, str]] = public(JSON)
    active: Mapped[bool] = public(Boolean, default=True)
    loaded_hash: Mapped[str | None] = public(String(64))
    __table_args__ = (Index("ix_desks_role", "role", "governorate"),)


class Service(Base):
    """Something that an organisation offers.

    `open_slots` None means that nobody counts them; `eligibility` is the text of an expression; `asked_on` is when the
    provider was last asked whether a stale entry is still right.
    """

    __tablename__ = "services"
    id: Mapped[str] = key()
    code: Mapped[str] = public(CODE, unique=True)
    organisation_id: Mapped[str] = link("organisations")
    desk_id: Mapped[str | None] = link("desks", index=False, nullable=True)
    category: Mapped[str] = public(CODE, index=True)
    names: Mapped[dict[str, str]] = public(JSON)
    description: Mapped[dict[str, str]] = public(JSON)
    eligibility: Mapped[str] = public(String(500), default="")
    languages: Mapped[list[str]] = public(JSON)
    details: Mapped[dict[str, Any]] = public(JSON)
    visibility: Mapped[str] = public(String(12), default="public")
    accepting: Mapped[bool] = public(Boolean, default=True)
    paused_until: Mapped[date | None] = public(Date)
    slots: Mapped[int | None] = public(Integer)
    open_slots: Mapped[int | None] = public(Integer)
    capacity_unit: Mapped[str | None] = public(CODE)
    waiting_days: Mapped[int | None] = public(Integer)
    last_verified_on: Mapped[date | None] = public(Date)
    asked_on: Mapped[date | None] = public(Date)
    valid_until: Mapped[date | None] = public(Date)
    active: Mapped[bool] = public(Boolean, default=True)
    livemode: Mapped[bool] = public(Boolean, default=True)
    loaded_hash: Mapped[str | None] = public(String(64))
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (CheckConstraint("open_slots >= 0", name="ck_services_open_slots"),)


class ServiceCoverage(Base):
    """Where a service is offered; district None means the whole governorate."""

    __tablename__ = "service_coverage"
    id: Mapped[str] = key()
    service_id: Mapped[str] = link("services")
    governorate: Mapped[str] = public(CODE, index=True)
    district: Mapped[str | None] = public(CODE)


class SharingAgreement(Base):
    """A signed data-sharing agreement; without a valid one no personal data leaves."""

    __tablename__ = "sharing_agreements"
    id: Mapped[str] = key()
    organisation_id: Mapped[str] = link("organisations")
    categories: Mapped[list[str]] = public(JSON)
    signed_on: Mapped[date] = public(Date)
    expires_on: Mapped[date | None] = public(Date)
    document_id: Mapped[str | None] = public(ID, nullable=True)
    loaded_hash: Mapped[str | None] = public(String(64))


class CodeEntry(Base):
    """One code of a code list, with its labels."""

    __tablename__ = "code_entries"
    id: Mapped[str] = key()
    list: Mapped[str] = public(CODE)
    code: Mapped[str] = public(CODE)
    names: Mapped[dict[str, str]] = public(JSON)
    extra: Mapped[dict[str, Any]] = public(JSON)
    position: Mapped[int] = public(Integer, default=0)
    active: Mapped[bool] = public(Boolean, default=True)
    loaded_hash: Mapped[str | None] = public(String(64))
    __table_args__ = (UniqueConstraint("list", "code"),)


class Place(Base):
    """A governorate or district."""

    __tablename__ = "places"
    id: Mapped[str] = key()
    key: Mapped[str] = public(CODE, unique=True)
    kind: Mapped[str] = public(CODE)
    parent: Mapped[str | None] = public(CODE, index=True)
    iso: Mapped[str | None] = public(String(12))
    pcode: Mapped[str | None] = public(String(24))
    names: Mapped[dict[str, str]] = public(JSON)
    jurisdiction: Mapped[str | None] = public(CODE)
    verified: Mapped[bool] = public(Boolean, default=False)
    loaded_hash: Mapped[str | None] = public(String(64))


class PackItem(Base):
    """A piece of the country's data kept as one document: calendars, roles, ladders, settings, tables, words."""

    __tablename__ = "pack_items"
    kind: Mapped[str] = public(CODE, primary_key=True)
    key: Mapped[str] = public(CODE, primary_key=True)
    content: Mapped[Any] = public(JSON)
    loaded_hash: Mapped[str | None] = public(String(64))
    updated_at: Mapped[datetime] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)
