"""Letters: the register of what leaves on paper, and the counters that number it without gaps."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, personal, public, sensitive


class LetterCounter(Base):
    """The last outgoing number of an organisation in a year; its row is locked while a number is given.

    Practice cases count by themselves, so that the real register has no gaps.
    """

    __tablename__ = "letter_counters"
    organisation_id: Mapped[str] = public(ID, primary_key=True)
    year: Mapped[int] = public(Integer, primary_key=True)
    livemode: Mapped[bool] = public(Boolean, primary_key=True)
    last: Mapped[int] = public(Integer, default=0)


class Letter(Base):
    """One outgoing letter and, once it came, the answer to it.

    `number` is the outgoing number of the sender's year, `answer_number` the incoming number that a clerk wrote on
    the answer. `content` is the whole text as it was printed, so that a second print shows the same.
    """

    __tablename__ = "letters"
    id: Mapped[str] = key()
    organisation_id: Mapped[str] = link("organisations", index=False)
    to_organisation_id: Mapped[str] = link("organisations")
    year: Mapped[int] = public(Integer)
    number: Mapped[int] = public(Integer)
    dated: Mapped[date] = public(Date)
    case_id: Mapped[str] = link("cases")
    referral_id: Mapped[str | None] = link("referrals", nullable=True)
    run_id: Mapped[str | None] = link("runs", nullable=True)
    disclosure_id: Mapped[str | None] = link("disclosures", index=False, nullable=True)
    template: Mapped[str] = sensitive(CODE)
    language: Mapped[str] = public(String(8))
    digits: Mapped[str] = public(String(8))
    content: Mapped[str] = sensitive(Text)
    registered_by: Mapped[str] = public(ACTOR)
    registered_at: Mapped[datetime] = public(UtcDateTime)
    printed_at: Mapped[datetime | None] = public(UtcDateTime)
    answered_at: Mapped[datetime | None] = public(UtcDateTime)
    answered_by: Mapped[str | None] = public(ACTOR, nullable=True)
    answer: Mapped[str | None] = sensitive(CODE)
    answer_number: Mapped[str | None] = personal(Text)
    answer_date: Mapped[date | None] = public(Date)
    livemode: Mapped[bool] = public(Boolean, default=True)
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (
        UniqueConstraint("organisation_id", "year", "livemode", "number"),
        Index("ix_letters_registered", "registered_at", "id"),
    )
