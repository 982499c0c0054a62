"""Letters: the registers of what leaves and what comes in on paper, and the counters that number them without gaps."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from nrm.db import Base, UtcDateTime
from nrm.models.columns import ACTOR, CODE, ID, key, link, personal, public, sensitive


class LetterCounter(Base):
    """The last number of an organisation's register in a year; its row is locked while a number is given.

    Outgoing and incoming letters have registers of their own.

    Practice cases count by themselves, so that the real register has no gaps.
    """

    __tablename__ = "letter_counters"
    organisation_id: Mapped[str] = public(ID, primary_key=True)
    year: Mapped[int] = public(Integer, primary_key=True)
    livemode: Mapped[bool] = public(Boolean, primary_key=True)
    direction: Mapped[str] = public(String(3), primary_key=True, default="out")
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


class IncomingLetter(Base):
    """One letter that came in, asked for or not, as the clerk of a desk registered it.

    `number` is our incoming number of the year. While `case_id` is empty the letter stands in the desk's list of
    letters without a case; afterwards it belongs to the case and is known to those who know the case.
    """

    __tablename__ = "incoming_letters"
    id: Mapped[str] = key()
    organisation_id: Mapped[str] = link("organisations", index=False)
    desk_id: Mapped[str] = link("desks")
    year: Mapped[int] = public(Integer)
    number: Mapped[int] = public(Integer)
    received_on: Mapped[date] = public(Date)
    from_organisation_id: Mapped[str | None] = link("organisations", index=False, nullable=True)
    content: Mapped[str] = sensitive(Text)
    case_id: Mapped[str | None] = link("cases", nullable=True)
    referral_id: Mapped[str | None] = link("referrals", nullable=True)
    answers_id: Mapped[str | None] = link("letters", nullable=True)
    registered_by: Mapped[str] = public(ACTOR)
    registered_at: Mapped[datetime] = public(UtcDateTime)
    linked_by: Mapped[str | None] = public(ACTOR, nullable=True)
    linked_at: Mapped[datetime | None] = public(UtcDateTime)
    livemode: Mapped[bool] = public(Boolean, default=True)
    version: Mapped[int] = public(Integer, default=1)
    __table_args__ = (
        UniqueConstraint("organisation_id", "year", "livemode", "number"),
        Index("ix_incoming_letters_registered", "registered_at", "id"),
    )
