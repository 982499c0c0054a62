"""People, households, their papers and the tokens by which names are found."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Index, Integer, String, Text
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import CODE, ID, key, link, personal, public, sensitive


class Household(Base):
    """People who live, or came back, together; consent stays with each of them."""

    __tablename__ = "households"
    id: Mapped[str] = key()
    created_at: Mapped[datetime] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)


class Person(Base):
    """A human with an identity; a returnee is a person with a case.

    `identity` is sealed: {"names": {own, father, grandfather, great_grandfather, surname, mother, latin},
    "born": ISO date or year, "phones": […], "safe_contact": {…}, "address": {…}}.
    """

    __tablename__ = "people"
    id: Mapped[str] = key()
    identity: Mapped[str] = personal(Text)
    sex: Mapped[str | None] = personal(CODE)
    birth_year: Mapped[int | None] = personal(Integer)
    birth_precision: Mapped[str] = public(String(12), default="unknown")
    nationality: Mapped[str | None] = personal(String(2))
    language: Mapped[str | None] = personal(String(8))
    governorate: Mapped[str | None] = personal(CODE)
    household_id: Mapped[str | None] = link("households", nullable=True)
    household_role: Mapped[str | None] = personal(CODE)
    merged_into_id: Mapped[str | None] = link("people", nullable=True)
    deceased_on: Mapped[date | None] = sensitive(Date)
    created_at: Mapped[datetime] = public(UtcDateTime)
    updated_at: Mapped[datetime] = public(UtcDateTime)
    version: Mapped[int] = public(Integer, default=1)


class PersonToken(Base):
    """One searchable token of a person: a keyed hash of a folded name part, phone or paper number.

    Kinds: "name" (folded), "sound" (consonant skeleton over both scripts), "mother", "phone", "document".
    """

    __tablename__ = "person_tokens"
    person_id: Mapped[str] = link("people", index=False, primary_key=True)
    kind: Mapped[str] = public(String(12), primary_key=True)
    token: Mapped[str] = personal(String(32), primary_key=True)
    __table_args__ = (Index("ix_person_tokens_find", "kind", "token"),)


class IdentityDocument(Base):
    """A paper that a person holds or has lost; the number is sealed and searched through `PersonToken`."""

    __tablename__ = "identity_documents"
    id: Mapped[str] = key()
    person_id: Mapped[str] = link("people")
    kind: Mapped[str] = personal(CODE)
    number: Mapped[str | None] = personal(Text)
    status: Mapped[str] = personal(CODE, default="held")
    issued_on: Mapped[date | None] = personal(Date)
    expires_on: Mapped[date | None] = personal(Date)
    created_at: Mapped[datetime] = public(UtcDateTime)


class Manifest(Base):
    """One imported arrival list; the same file is recognised by its hash."""

    __tablename__ = "manifests"
    id: Mapped[str] = key()
    sha256: Mapped[str] = public(String(64), unique=True)
    imported_at: Mapped[datetime] = public(UtcDateTime)
    imported_by: Mapped[str] = public(String(40))
    rows: Mapped[int] = public(Integer, default=0)
    accepted: Mapped[int] = public(Integer, default=0)
    refused: Mapped[int] = public(Integer, default=0)
    known: Mapped[int] = public(Integer, default=0)


class ManifestColumn(Base):
    """How an organisation matched a column of its lists with ours, by a keyed fingerprint of the column's title."""

    __tablename__ = "manifest_columns"
    organisation_id: Mapped[str] = link("organisations", index=False, primary_key=True)
    fingerprint: Mapped[str] = public(String(64), primary_key=True)
    column: Mapped[str] = public(CODE)
    chosen_at: Mapped[datetime] = public(UtcDateTime)


class ManifestRow(Base):
    """One row of an arrival list, by a keyed fingerprint of its content: importing it again changes nothing.

    `outcome` says what became of it: made (a person was registered) or joined (the person was known).
    """

    __tablename__ = "manifest_rows"
    fingerprint: Mapped[str] = personal(String(64), primary_key=True)
    manifest_id: Mapped[str] = link("manifests")
    number: Mapped[int] = public(Integer)
    outcome: Mapped[str] = public(String(12))
    person_id: Mapped[str | None] = link("people", nullable=True)
    case_id: Mapped[str | None] = public(ID, nullable=True, index=True)
