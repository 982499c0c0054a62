"""The register of letters as people see it: only of cases that they may read, and the page to print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Table, select

from nrm.actors import Actor
from nrm.db import db
from nrm.delivery.letters.page import render_page
from nrm.delivery.letters.pdf import render_pdf
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, Letter
from nrm.queries.page import Key, Page, cut, moment_key, newest_after
from nrm.queries.scope import sees_case
from nrm.sealing import unseal

PERMISSION = "letter.register"
LETTERS: Table = Letter.__table__  # type: ignore[assignment]  # a mapped class has a Table


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """A line of the register.

    Attributes:
        number: outgoing number in its year.
        template: key of the kind of letter.
        answer: received, agreed or refused; None while nothing came.
        answer_number: incoming number that a clerk gave to the answer.
    """

    id: str
    version: int
    year: int
    number: int
    dated: date
    organisation_id: str
    to_organisation_id: str
    case_id: str
    case_number: str
    referral_id: str | None
    template: str
    language: str
    digits: str
    registered_by: str
    registered_at: datetime
    printed_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    answer_number: str | None
    answer_date: date | None


def letters(
    actor: Actor,
    now: datetime,
    *,
    case_id: str | None = None,
    referral_id: str | None = None,
    unanswered: bool = False,
    after: Key | None = None,
    limit: int = 50,
) -> Page[LetterRow]:
    """List the letters of cases that the actor may read, the newest first.

    Args:
        actor: who asks.
        now: the present moment.
        case_id: only those of this case.
        referral_id: only those of this referral.
        unanswered: only those to which nothing came.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotAllowed: the actor keeps no register.
        NotValid: the key is of another list.
    """
    statement = _seen(actor, now)
    if case_id is not None:
        statement = statement.where(Letter.case_id == case_id)
    if referral_id is not None:
        statement = statement.where(Letter.referral_id == referral_id)
    if unanswered:
        statement = statement.where(Letter.answered_at.is_(None))
    statement = newest_after(statement, LETTERS.c.registered_at, LETTERS.c.id, after=after, limit=limit)
    return cut(
        db.session.execute(statement).all(),
        limit,
        key=lambda row: (moment_key(row.Letter.registered_at), row.Letter.id),
        make=lambda row: _row(row.Letter, row.case_number),
    )


def letter(actor: Actor, now: datetime, letter_id: str) -> LetterRow:
    """Read one line of the register.

    Raises:
        NotFound: there is none, or its case is not the actor's to read.
        NotAllowed: the actor keeps no register.
    """
    return _row(*_one(actor, now, letter_id))


def page(actor: Actor, now: datetime, letter_id: str, *, style_url: str) -> str:
    """Give the page of a letter, ready to print.

    Args:
        actor: who asks.
        now: the present moment.
        letter_id: the letter.
        style_url: address of the style.

    Raises:
        NotFound: there is none, or its case is not the actor's to read.
        NotAllowed: the actor keeps no register.
    """
    found, _ = _one(actor, now, letter_id)
    content = unseal(found.content, row=found.id, column="letters.content")
    return render_page(content, number=found.number, language=found.language, digits=found.digits, style_url=style_url)


def pdf(actor: Actor, now: datetime, letter_id: str) -> bytes:
    """Give a letter as PDF.

    Args:
        actor: who asks.
        now: the present moment.
        letter_id: the letter.

    Raises:
        NotFound: there is none, or its case is not the actor's to read.
        NotAllowed: the actor keeps no register.
        Conflict: `pdf_not_installed` or `pdf_failed`; the page can be printed instead.
    """
    return render_pdf(page(actor, now, letter_id, style_url=""))


def _one(actor: Actor, now: datetime, letter_id: str) -> tuple[Letter, str]:
    row = db.session.execute(_seen(actor, now).where(Letter.id == letter_id)).one_or_none()
    if row is None:
        raise NotFound
    return row.Letter, row.case_number


def _seen(actor: Actor, now: datetime) -> Select[*tuple[Any, ...]]:
    if not actor.may(PERMISSION):
        raise NotAllowed("not_allowed", permission=PERMISSION)
    return (
        select(Letter, Case.number.label("case_number"))
        .join(Case, Case.id == Letter.case_id)
        .where(sees_case(actor, now, reading=True))
    )


def _row(found: Letter, case_number: str) -> LetterRow:
    number = unseal(found.answer_number, row=found.id, column="letters.answer_number")
    return LetterRow(
        id=found.id,
        version=found.version,
        year=found.year,
        number=found.number,
        dated=found.dated,
        organisation_id=found.organisation_id,
        to_organisation_id=found.to_organisation_id,
        case_id=found.case_id,
        case_number=case_number,
        referral_id=found.referral_id,
        template=found.template,
        language=found.language,
        digits=found.digits,
        registered_by=found.registered_by,
        registered_at=found.registered_at,
        printed_at=found.printed_at,
        answered_at=found.answered_at,
        answer=found.answer,
        answer_number=None if number is None else str(number),
        answer_date=found.answer_date,
    )
