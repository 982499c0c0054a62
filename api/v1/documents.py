"""Documents: add a file to a case, a task or a referral, list them, open one, say that one was a mistake."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Response

from api.schemas.documents import DocumentQuery, EnterInError
from api.transport.endpoint import Ask, Noun, read_file
from nrm.actions import documents as actions
from nrm.actions.documents import DocumentAdded
from nrm.actions.reading import note_read
from nrm.installation import installation
from nrm.queries import documents as queries
from nrm.queries.documents import DocumentRow
from nrm.rules.documents import LARGEST, MEDIA

documents = Noun("documents")

ANY_FILE: Final = "application/octet-stream"
SANDBOX: Final = "default-src 'none'; sandbox"
"""Even when a browser shows the file after all, nothing in it may run or ask for anything."""

_TAKEN: Final = (*MEDIA, ANY_FILE)


@documents.get("/cases/<case_id>/documents", answer=tuple[DocumentRow, ...])
def list_of_case(ask: Ask, case_id: str) -> tuple[DocumentRow, ...]:
    """List the documents of a case, the latest first."""
    return queries.of_case(ask.actor, installation().clock.now(), case_id)


@documents.get("/tasks/<task_id>/documents", answer=tuple[DocumentRow, ...])
def list_of_task(ask: Ask, task_id: str) -> tuple[DocumentRow, ...]:
    """List the documents of a task, the latest first."""
    return queries.of_task(ask.actor, installation().clock.now(), task_id)


@documents.get("/referrals/<referral_id>/documents", answer=tuple[DocumentRow, ...])
def list_of_referral(ask: Ask, referral_id: str) -> tuple[DocumentRow, ...]:
    """List the documents of a referral that one may open, the latest first."""
    return queries.of_referral(ask.actor, installation().clock.now(), referral_id)


@documents.post(
    "/cases/<case_id>/documents", upload=_TAKEN, query=DocumentQuery, answer=DocumentAdded, status=201, limit=LARGEST
)
def add_to_case(ask: Ask, case_id: str) -> DocumentAdded:
    """Add a file (PDF, JPEG or PNG as the whole body) to a case; images are drawn anew without what cameras note."""
    return actions.add_to_case(ask.actor, case_id, content=read_file(LARGEST), **ask.query)


@documents.post(
    "/tasks/<task_id>/documents", upload=_TAKEN, query=DocumentQuery, answer=DocumentAdded, status=201, limit=LARGEST
)
def add_to_task(ask: Ask, task_id: str) -> DocumentAdded:
    """Add a file to a task that one holds; the answer to a question for a file is the document's id."""
    return actions.add_to_task(ask.actor, task_id, content=read_file(LARGEST), **ask.query)


@documents.post(
    "/referrals/<referral_id>/documents",
    upload=_TAKEN,
    query=DocumentQuery,
    answer=DocumentAdded,
    status=201,
    limit=LARGEST,
)
def add_to_referral(ask: Ask, referral_id: str) -> DocumentAdded:
    """Add a file to a referral; the receiver opens the sender's files where the consent's scope includes documents."""
    return actions.add_to_referral(ask.actor, referral_id, content=read_file(LARGEST), **ask.query)


@documents.post("/documents/<document_id>/enter-in-error", body=EnterInError, status=204)
def enter_in_error(ask: Ask, document_id: str) -> None:
    """Say that a document was a mistake: it stays in the list with the reason, and nobody opens it any more."""
    actions.enter_in_error(ask.actor, document_id, reason=ask.body["reason"])


@documents.get("/documents/<document_id>", answer=bytes, media=ANY_FILE)
def open_document(ask: Ask, document_id: str) -> Response:
    """Give a document to be saved, never to be shown in the page; that it was opened is recorded."""
    found = queries.open_document(ask.actor, installation().clock.now(), document_id)
    note_read(ask.actor, "document", document_id)
    answer = Response(found.content, mimetype=ANY_FILE)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer
