"""Documents of a case and of a referral: list them, add one, open one, say that one was a mistake."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Response

from api.pages.codes import labels, sayers
from api.pages.forms.files import KIND
from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from api.pages.traces import note_strict
from nrm.actions import documents as actions
from nrm.actions.reading import note_read
from nrm.errors import NotValid, Problem
from nrm.queries import cases, referrals
from nrm.queries import documents as queries
from nrm.queries.documents import DocumentRow
from nrm.rules.documents import LARGEST, MOST_PER_CASE

documents = Pages("documents")

ANY_FILE: Final = "application/octet-stream"
SANDBOX: Final = "default-src 'none'; sandbox"
"""Even when a browser shows the file after all, nothing in it may run or ask for anything."""

ACCEPT: Final = ".pdf,.jpg,.jpeg,.png"
_KINDS: Final = "document_type"
_OTHER: Final = ("photo", "letter", "certificate", "other")
"""Kinds beside the country's identity papers."""

_DONE: Final = frozenset({"added", "error"})


@documents.get("/cases/<case_id>/documents", permission="case.read")
def show_documents(visit: Visit, case_id: str) -> Answer:
    """List the documents of a case, with the form to add one."""
    return _page(visit, case_id)


def _page(visit: Visit, case_id: str, *, problems: Told = ()) -> Response:
    case = cases.case(visit.actor, visit.now, case_id)
    rows = queries.of_case(visit.actor, visit.now, case_id)
    note_strict(visit, case)
    done = visit.query.get("done")
    works = "note" in case.allowed_actions and case.status == "open" and visit.may("document.add")
    return visit.show(
        "documents/documents.html",
        status=422 if problems else 200,
        case=case,
        rows=tuple((row, kind_name(visit, row.kind), size(visit, row)) for row in rows),
        kinds=kinds(visit),
        works=works,
        reads=visit.may("document.read"),
        room=MOST_PER_CASE - sum(row.error_at is None for row in rows),
        largest=LARGEST // 1_000_000,
        most=MOST_PER_CASE,
        accept=ACCEPT,
        reasons=labels(visit, actions.REASONS),
        longest_note=actions.LONGEST_NOTE,
        given=visit.form,
        problems=problems,
        done=done if done in _DONE else None,
        **sayers(visit),
    )


def kinds(visit: Visit) -> tuple[tuple[str, str], ...]:
    """Give the kinds of documents to choose from: the country's papers, then what is no paper."""
    papers = tuple(entry for entry in labels(visit, _KINDS) if entry[0] not in _OTHER)
    return (*papers, *((code, visit.words.t(f"documents.kind_{code}")) for code in _OTHER))


def kind_name(visit: Visit, code: str) -> str:
    """Say what a document is; one that a program named in its own words is a document."""
    if code == KIND:
        return visit.words.t("documents.kind_answer")
    return dict(kinds(visit)).get(code, visit.words.t("documents.kind_other"))


def size(visit: Visit, row: DocumentRow) -> str:
    """Say how large a file is."""
    kb = max(1, round(row.size / 1000))
    if kb < 1000:
        return visit.words.t("documents.kb", n=kb)
    return visit.words.t("documents.mb", size=f"{row.size / 1_000_000:.1f}")


@documents.post("/cases/<case_id>/documents", permission="document.add")
def add_document(visit: Visit, case_id: str) -> Answer:
    """Add a file to a case."""
    cases.must_read(visit.actor, visit.now, case_id)
    try:
        name, content = sent_file(visit, "file")
        kind = visit.text("kind")
        if not kind:
            raise NotValid([Problem(pointer="/kind", code="required")])
        actions.add_to_case(visit.actor, case_id, content=content, name=name, kind=kind, note=visit.text("note"))
    except NotValid as error:
        return _page(visit, case_id, problems=_told(visit, error))
    return see(f"/cases/{case_id}/documents?done=added")


def sent_file(visit: Visit, name: str) -> tuple[str, bytes]:
    """Give a file that was chosen: its name and its bytes.

    Args:
        visit: the visit.
        name: name of the field.

    Raises:
        NotValid: none was chosen, or it is larger than any that is taken.
    """
    sent = visit.files.get(name)
    if sent is None or not sent.filename:
        raise NotValid([Problem(pointer="", code="required")])
    content = sent.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise NotValid([Problem(pointer="", code="file_too_large", params={"most": LARGEST // 1_000_000})])
    return sent.filename, content


def _told(visit: Visit, error: NotValid) -> Told:
    """Say what is wrong: whatever is not said of the kind or the note is about the file."""
    fields = ((one.pointer.strip("/"), one) for one in error.problems)
    return tuple(
        (name if name in {"kind", "note"} else "file", visit.problem(one.code, one.params)) for name, one in fields
    )


@documents.get("/referrals/<referral_id>/documents")
def show_of_referral(visit: Visit, referral_id: str) -> Answer:
    """List the documents of a referral that the reader may open, with the form to add one for the other side."""
    return _referral_page(visit, referral_id)


def _referral_page(visit: Visit, referral_id: str, *, problems: Told = ()) -> Response:
    referral = referrals.referral(visit.actor, visit.now, referral_id)
    rows = queries.of_referral(visit.actor, visit.now, referral_id)
    works = referral.relation in {"team", "receiver"} and referral.state not in referrals.GONE
    return visit.show(
        "documents/of_referral.html",
        status=422 if problems else 200,
        referral=referral,
        rows=tuple((row, kind_name(visit, row.kind), size(visit, row)) for row in rows),
        kinds=kinds(visit),
        works=works and visit.may("document.add"),
        largest=LARGEST // 1_000_000,
        most=MOST_PER_CASE,
        accept=ACCEPT,
        given=visit.form,
        problems=problems,
        done="added" if visit.query.get("done") == "added" else None,
        **sayers(visit),
    )


@documents.post("/referrals/<referral_id>/documents", permission="document.add")
def add_to_referral(visit: Visit, referral_id: str) -> Answer:
    """Add a file to a referral, as its sender or its receiver."""
    referrals.referral(visit.actor, visit.now, referral_id)
    try:
        name, content = sent_file(visit, "file")
        kind = visit.text("kind")
        if not kind:
            raise NotValid([Problem(pointer="/kind", code="required")])
        actions.add_to_referral(visit.actor, referral_id, content=content, name=name, kind=kind)
    except NotValid as error:
        return _referral_page(visit, referral_id, problems=_told(visit, error))
    return see(f"/referrals/{referral_id}/documents?done=added")


@documents.get("/documents/<document_id>")
def open_document(visit: Visit, document_id: str) -> Answer:
    """Give a document to be saved, never to be shown in the page; that it was opened is recorded."""
    found = queries.open_document(visit.actor, visit.now, document_id)
    note_read(visit.actor, "document", document_id)
    answer = Response(found.content, mimetype=ANY_FILE)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    answer.headers["Content-Security-Policy"] = SANDBOX
    return answer


@documents.post("/cases/<case_id>/documents/<document_id>/error", permission="document.add")
def enter_in_error(visit: Visit, case_id: str, document_id: str) -> Answer:
    """Say that a document was a mistake."""
    actions.enter_in_error(visit.actor, document_id, reason=visit.text("reason"))
    return see(f"/cases/{case_id}/documents?done=error")
