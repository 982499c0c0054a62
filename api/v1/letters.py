"""Letters: write one, the register, the page to print, the answer that came in."""

from __future__ import annotations

from typing import Final

from flask import Response

from api.schemas.letters import LetterQuery, RecordAnswer, RegisterLetter
from api.transport.endpoint import Ask, Noun
from nrm.actions import letter_answers
from nrm.actions import letters as actions
from nrm.actions.letters import LetterResult
from nrm.actions.reading import note_read
from nrm.delivery.letters.page import STYLE
from nrm.installation import installation
from nrm.queries import letters as queries
from nrm.queries.letters import LetterRow
from nrm.queries.page import Page

letters = Noun("letters")

HTML: Final = "text/html"
CSS: Final = "text/css"
PDF: Final = "application/pdf"
STYLE_URL: Final = "/api/v1/letter-style.css"


@letters.get("/letters", query=LetterQuery, answer=LetterRow, paged=True)
def list_letters(ask: Ask) -> Page[LetterRow]:
    """List the register of letters of the cases that one may read, the newest first."""
    return queries.letters(
        ask.actor,
        installation().clock.now(),
        case_id=ask.query.get("case"),
        referral_id=ask.query.get("referral"),
        unanswered=ask.query["unanswered"],
        after=ask.after,
        limit=ask.limit,
    )


@letters.post("/cases/<case_id>/letters", body=RegisterLetter, answer=LetterResult, status=201)
def register(ask: Ask, case_id: str) -> LetterResult:
    """Write a letter about a case through the consent gate; it gets the next outgoing number."""
    return actions.register_letter(ask.actor, case_id, **ask.body)


@letters.get("/letters/<letter_id>", answer=LetterRow)
def read_letter(ask: Ask, letter_id: str) -> LetterRow:
    """Read one line of the register."""
    return queries.letter(ask.actor, installation().clock.now(), letter_id)


@letters.get("/letters/<letter_id>/page", answer=str, media=HTML)
def read_page(ask: Ask, letter_id: str) -> Response:
    """Give the letter as a page to print; that it was read is recorded."""
    page = queries.page(ask.actor, installation().clock.now(), letter_id, style_url=STYLE_URL)
    note_read(ask.actor, "letter", letter_id)
    return Response(page, mimetype=HTML)


@letters.get("/letters/<letter_id>/pdf", answer=bytes, media=PDF)
def read_pdf(ask: Ask, letter_id: str) -> Response:
    """Give the letter as PDF, where the installation has what that needs; that it was read is recorded."""
    pdf = queries.pdf(ask.actor, installation().clock.now(), letter_id)
    note_read(ask.actor, "letter", letter_id)
    return Response(pdf, mimetype=PDF)


@letters.get("/letter-style.css", answer=str, media=CSS, signed_in=False)
def read_style(ask: Ask) -> Response:
    """Give the style of printed letters."""
    del ask
    return Response(STYLE.read_text(encoding="utf-8"), mimetype=CSS)


@letters.post("/letters/<letter_id>/print", answer=LetterResult, versioned=True)
def note_print(ask: Ask, letter_id: str) -> LetterResult:
    """Note that a letter was printed and went to signature and stamp."""
    return actions.mark_printed(ask.actor, letter_id, version=ask.version)


@letters.post("/letters/<letter_id>/answer", body=RecordAnswer, answer=LetterResult, versioned=True)
def answer(ask: Ask, letter_id: str) -> LetterResult:
    """Record what the office wrote back; the referral or the path that waits goes on by it."""
    return letter_answers.record_answer(ask.actor, letter_id, **ask.body, version=ask.version)
