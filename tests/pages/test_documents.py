"""Documents of a case, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.actions import documents as actions
from nrm.db import db
from nrm.models import Document, Event
from tests.actions.test_referrals import Loop
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader, chosen
from tests.rules.test_documents import photo

PDF = b"%PDF-1.7\ninvented paper"


def add(one: Reader, case_id: str, content: bytes = PDF, name: str = "paper.pdf", **said: str) -> Page:
    page = one.open(f"/cases/{case_id}/documents")
    return one.send(page, "/documents", file=chosen(content, name), **{"kind": "passport", **said})


def test_a_paper_is_added_with_a_note_and_saved_again_and_both_are_recorded(
    handler: Reader, opened: Callable[..., str]
):
    case_id = opened()
    page = add(handler, case_id, name="جواز.pdf", note="Copy made at the airport")
    assert "The document was added." in page.says
    assert "Copy made at the airport" in page.says
    assert page.inline == []
    answer = handler.client.get(page.links["جواز.pdf"])
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%D8%AC")
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "جواز.pdf" in handler.open(f"/cases/{case_id}").links
    db.session.remove()
    row = db.session.scalars(select(Document)).one()
    assert row.note
    kinds = db.session.scalars(select(Event.kind).where(Event.subject_id == row.id)).all()
    assert {"document.added", "record.read"} <= set(kinds)
    db.session.remove()


@pytest.mark.parametrize(
    ("file", "said", "told"),
    [
        ((b"<html>", "page.html"), {}, ("#file", "Files of this kind are not taken")),
        ((b"", "empty.pdf"), {}, ("#file", "The file is empty")),
        ((b"%PDF-" + b"0" * 10_000_000, "large.pdf"), {}, ("#file", "larger than 10 MB")),
        ((PDF, ""), {}, ("#file", "Please fill this in")),
        ((PDF, "paper.pdf"), {"kind": ""}, ("#kind", "Please fill this in")),
        ((PDF, "paper.pdf"), {"kind": "No such!"}, ("#kind", "code")),
        ((PDF, "paper.pdf"), {"note": "x" * 501}, ("#note", "500")),
    ],
)
def test_what_is_not_taken_is_said_at_its_field_and_the_note_stays(
    handler: Reader, opened: Callable[..., str], file: tuple[bytes, str], said: dict[str, str], told: tuple[str, str]
):
    case_id = opened()
    page = add(handler, case_id, *file, **{"note": "From his brother", **said})
    assert page.status == 422
    assert told[0] in page.links.values()
    assert told[1] in " ".join(page.alerts)
    assert dict(page.form("/documents").fields)["note"] == {"note": "From his brother", **said}["note"]
    db.session.remove()
    assert db.session.scalars(select(Document.id)).all() == []


def test_a_document_entered_in_error_stays_with_its_reason_and_opens_no_more(
    handler: Reader, opened: Callable[..., str]
):
    case_id = opened()
    page = add(handler, case_id, photo(), "photo.jpg", kind="photo")
    address = page.links["photo.jpg"]
    page = handler.send(page, "/error", reason="wrong_person")
    assert "marked as entered in error" in page.says
    assert "Reason: Wrong person" in page.says
    assert not page.leads("/error")
    assert handler.client.get(address).status_code == 404
    assert "Nobody can open it any more" in handler.open(address).says
    assert "photo.jpg" not in handler.open(f"/cases/{case_id}").links
    token = dict(page.form("/documents").fields)["token"]
    twice = handler.post(f"/cases/{case_id}{address}/error", {"token": token, "reason": "wrong_person"})
    assert twice.status == 409
    assert "Document entered in error" in handler.open(f"/cases/{case_id}").says


def test_what_was_a_mistake_takes_no_room(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    assert handler.actor is not None
    for number in range(20):
        made = actions.add_to_case(handler.actor, case_id, content=PDF, name=f"{number}.pdf", kind="other")
    full = handler.open(f"/cases/{case_id}/documents")
    assert "The case holds 20 documents" in full.says
    assert not full.leads(f"{case_id}/documents")
    page = handler.send(full, f"{made.id}/error", reason="duplicate_entry")
    assert page.leads(f"{case_id}/documents")
    assert add(handler, case_id).status == 200


def test_another_offices_documents_are_not_there(
    office: Office, handler: Reader, reader: Callable[..., Reader], opened: Callable[..., str]
):
    case_id = opened()
    address = add(handler, case_id).links["paper.pdf"]
    outside = reader(office.land.at_desk("case_handler", "lakemar", "far"))
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    assert outside.open(address).status == 404
    assert outside.open(f"/cases/{case_id}/documents").status == 404
    data = {"token": [token], "kind": ["other"], "file": [chosen(PDF, "x.pdf")]}
    assert outside.post(f"/cases/{case_id}/documents", data).status == 404
    assert outside.post(f"/cases/{case_id}{address}/error", {"token": token, "reason": "other"}).status == 404


def test_who_may_add_but_not_read_sees_only_the_form(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], handler: Reader
):
    case_id = opened()
    add(handler, case_id)
    from nrm.actions.cases import share_case
    from nrm.actors import SYSTEM

    desk = reader(office.land.at_desk("reception", "norvale"))
    assert desk.actor is not None
    share_case(SYSTEM, case_id, holder_kind="user", holder_id=desk.actor.id, access="work")
    page = add(desk, case_id)
    assert "You may add documents" in page.says
    assert "paper.pdf" not in page.says


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_documents_read_in_the_readers_language(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], language: str
):
    case_id = opened()
    one = reader(office.land.at_desk("case_handler", "norvale", "one"), language)
    page = add(one, case_id, photo(), "x.jpg", kind="photo")
    assert (page.status, page.language, page.inline) == (200, language, [])


def test_both_sides_of_a_referral_give_each_other_files_where_the_consent_covers_them(
    office: Office, reader: Callable[..., Reader]
):
    loop = Loop(office.land, service="papers_help")
    loop.consent(categories=["contact", "documents"])
    sent = loop.send(categories=["contact", "documents"])
    sender, receiver = reader(loop.handler), reader(loop.provider)
    page = sender.open(f"/referrals/{sent.id}/documents")
    page = sender.send(page, "/documents", file=chosen(PDF, "sent.pdf"), kind="letter")
    assert "The document was added." in page.says
    got = receiver.open(f"/referrals/{sent.id}/documents")
    assert receiver.client.get(got.links["sent.pdf"]).data == PDF
    assert "/documents" in " ".join(receiver.open(f"/referrals/{sent.id}").links.values())
    wrong = receiver.send(got, "/documents", file=chosen(b"<html>", "x.html"), kind="letter")
    assert (wrong.status, "#file" in wrong.links.values()) == (422, True)
    assert receiver.send(got, "/documents", file=chosen(PDF, "x.pdf"), kind="").status == 422
    receiver.send(got, "/documents", file=chosen(PDF, "received.pdf"), kind="other")
    assert "received.pdf" in sender.open(f"/referrals/{sent.id}/documents").links
    assert "received.pdf" in sender.open(f"/cases/{loop.case.id}/documents").links


def test_a_file_that_the_consent_does_not_cover_is_not_there_for_the_receiver(
    office: Office, reader: Callable[..., Reader]
):
    loop = Loop(office.land)
    loop.consent()
    sent = loop.send()
    sender, receiver = reader(loop.handler), reader(loop.provider)
    page = sender.open(f"/referrals/{sent.id}/documents")
    page = sender.send(page, "/documents", file=chosen(PDF, "sent.pdf"), kind="letter")
    got = receiver.open(f"/referrals/{sent.id}/documents")
    assert "sent.pdf" not in got.text
    assert receiver.client.get(page.links["sent.pdf"]).status_code == 404
    outside = reader(office.land.receiver_of("mow_hills"))
    assert outside.open(f"/referrals/{sent.id}/documents").status == 404
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    data = {"token": [token], "kind": ["other"], "file": [chosen(PDF, "x.pdf")]}
    assert outside.post(f"/referrals/{sent.id}/documents", data).status in {403, 404}
