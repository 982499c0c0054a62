"""Documents at a desk: added, opened by those who may, never shown in a page, and gone when nothing names them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from api.app import create_app
from nrm import files
from nrm.actions import documents as actions
from nrm.actions._action import transact
from nrm.actions.answer_ids import check_ids
from nrm.actions.documents import sweep_files
from nrm.actors import SYSTEM
from nrm.errors import NotValid
from nrm.installation import installation
from nrm.models import Document, Event
from nrm.rules.forms import parse_form
from tests.api.conftest import Browser, Office
from tests.api.test_walk import consented, registered, some_service, with_case
from tests.rules.test_documents import photo

assert create_app  # its import declares the endpoints

PDF = b"%PDF-1.7\ninvented paper"


def add(browser: Browser, place: str, content: bytes = PDF, name: str = "paper.pdf", status: int = 201) -> str:
    answer = browser.post(
        f"/{place}/documents?name={name}&kind=paper", data=content, content_type="application/octet-stream"
    )
    assert answer.status_code == status, answer.text
    return answer.get_json().get("id", "")


def on_disk() -> list[Path]:
    return [path for path in (installation().config.data_dir / files.FOLDER).glob("??/*") if path.is_file()]


def test_a_file_is_added_to_a_case_and_given_back_to_be_saved(office: Office, opened: Callable[..., str]):
    case = opened()
    handler = office.handler()
    document = add(handler, f"cases/{case}", name="%D9%88%D8%AB%D9%8A%D9%82%D8%A9.pdf")
    (listed,) = handler.get(f"/cases/{case}/documents").get_json()
    assert (listed["id"], listed["name"], listed["size"]) == (document, "وثيقة.pdf", len(PDF))
    answer = handler.get(f"/documents/{document}")
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%D9%88%D8%AB%D9%8A%D9%82%D8%A9.pdf"
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    row = office.land.session.get(Document, document)
    assert row is not None
    assert "paper" not in row.stored_as
    assert oct(on_disk()[0].stat().st_mode)[-3:] == "600"
    kinds = select(Event.kind).where(Event.subject_id == document).order_by(Event.at, Event.seq)
    assert set(office.land.session.execute(kinds).scalars()) == {"document.added", "record.read"}


def test_strangers_and_overviews_open_nothing(office: Office, opened: Callable[..., str]):
    case = opened()
    document = add(office.handler(), f"cases/{case}")
    stranger = office.browser(office.land.at_desk("case_handler", "hillin"))
    assert stranger.get(f"/documents/{document}").status_code == 404
    assert stranger.get(f"/cases/{case}/documents").status_code == 404
    add(stranger, f"cases/{case}", status=404)


def test_a_mistake_stays_in_the_list_and_is_opened_by_nobody(office: Office, opened: Callable[..., str]):
    case = opened()
    handler = office.handler()
    document = add(handler, f"cases/{case}")
    path = f"/documents/{document}/enter-in-error"
    wrong = handler.post(path, {"reason": "bad_luck"})
    assert (wrong.status_code, wrong.get_json()["errors"][0]["pointer"]) == (422, "/reason")
    assert handler.post(path, {"reason": "wrong_person"}).status_code == 204
    again = handler.post(path, {"reason": "wrong_person"})
    assert (again.status_code, again.get_json()["code"]) == (409, "document_in_error")
    (listed,) = handler.get(f"/cases/{case}/documents").get_json()
    assert (listed["error_reason"], listed["note"]) == ("wrong_person", None)
    gone = handler.get(f"/documents/{document}")
    assert (gone.status_code, gone.get_json()["code"]) == (404, "document_in_error")
    office.land.session.close()


def test_what_is_refused_leaves_no_file_behind(
    office: Office, opened: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    case = opened()
    handler = office.handler()
    add(handler, f"cases/{case}", b"<html>", status=422)
    add(handler, f"cases/{case}", photo()[:-30], status=422)
    assert handler.post(f"/cases/{case}/documents", data=PDF).status_code == 422, "a name is needed"
    assert handler.post(f"/cases/{case}/documents?name=a&kind=No!", data=PDF).status_code == 422
    assert on_disk() == []

    def broken(*given: object, **named: object) -> str:
        raise RuntimeError("an invented failure after the file was written")

    actor = handler.actor
    assert actor is not None
    with monkeypatch.context() as patched:
        patched.setattr("nrm.actions._action.Work.finish", broken)
        with pytest.raises(RuntimeError):
            actions.add_to_case(actor, case, content=PDF, name="a.pdf", kind="other")
    assert on_disk() == []
    assert handler.get(f"/cases/{case}/documents").get_json() == []


def test_a_case_holds_twenty_documents(office: Office, opened: Callable[..., str]):
    case = opened()
    handler = office.handler()
    for number in range(20):
        add(handler, f"cases/{case}", name=f"{number}.pdf")
    add(handler, f"cases/{case}", status=422)
    assert len(on_disk()) == 20


def test_a_file_too_large_is_refused_before_it_is_read(office: Office, opened: Callable[..., str]):
    add(office.handler(), f"cases/{opened()}", b"%PDF-" + b"0" * 10_000_000, status=413)


def test_the_answer_to_a_question_for_a_file_is_a_document_of_that_task(office: Office):
    handler = office.handler()
    person = registered(handler)
    case = with_case(handler, person)["id"]
    task = handler.get("/tasks?tab=desk").get_json()["data"][0]["id"]
    add(handler, f"tasks/{task}", status=409)
    assert handler.post(f"/tasks/{task}/claim", headers={"If-Match": '"v1"'}).status_code == 200
    document = add(handler, f"tasks/{task}")
    elsewhere = add(handler, f"cases/{case}")
    assert [row["id"] for row in handler.get(f"/tasks/{task}/documents").get_json()] == [document]
    stranger = office.browser(office.land.at_desk("case_handler", "hillin"))
    assert stranger.get(f"/tasks/{task}/documents").status_code == 404
    form = parse_form(
        {
            "form": "paper",
            "version": 1,
            "title": {"ar": "ورقة", "ckb": "کاغەز", "en": "Paper"},
            "fields": [{"type": "file", "name": "copy", "label": {"ar": "نسخة", "ckb": "کۆپی", "en": "Copy"}}],
        }
    )

    def check(answer: str) -> None:
        transact(SYSTEM, lambda work: check_ids(work, form, {"copy": answer}, task_id=task))

    check(document)
    for wrong in (elsewhere, "doc_" + "0" * 26):
        with pytest.raises(NotValid) as refused:
            check(wrong)
        assert [(found.pointer, found.code) for found in refused.value.problems] == [("/copy", "unknown_document")]


@pytest.mark.parametrize("papers", [False, True])
def test_a_receiver_opens_what_the_sender_attached_only_where_papers_were_disclosed(office: Office, papers: bool):
    handler = office.handler()
    case = with_case(handler, registered(handler))["id"]
    categories = ["contact", "documents"] if papers else ["contact"]
    consented(handler, case)
    service = some_service(office, "DOC")
    sent = handler.post(
        "/referrals", {"case_id": case, "service_id": service.id, "reason": "A paper", "categories": categories}
    )
    assert sent.status_code == 201, sent.text
    referral = sent.get_json()
    receiver = office.browser(office.land.receiver(service.organisation_id))
    document = add(handler, f"referrals/{referral['id']}")
    own = add(receiver, f"referrals/{referral['id']}")
    seen = {row["id"] for row in receiver.get(f"/referrals/{referral['id']}/documents").get_json()}
    assert seen == ({document, own} if papers else {own})
    assert receiver.get(f"/documents/{document}").status_code == (200 if papers else 404)
    assert {row["id"] for row in handler.get(f"/referrals/{referral['id']}/documents").get_json()} == {document, own}
    assert all(row["case_id"] is None for row in receiver.get(f"/referrals/{referral['id']}/documents").get_json())
    now = handler.get(f"/referrals/{referral['id']}").get_json()
    ended = handler.post(
        f"/referrals/{referral['id']}/withdraw", {"reason": "returnee_request", "version": now["version"]}
    )
    assert ended.status_code == 200, ended.text
    assert receiver.get(f"/documents/{document}").status_code == 404
    assert receiver.get(f"/documents/{own}").status_code == 404
    add(handler, f"referrals/{referral['id']}", status=409)


def test_files_that_nothing_names_are_swept_away_after_a_day(office: Office, opened: Callable[..., str]):
    folder = installation().config.data_dir
    document = add(office.handler(), f"cases/{opened()}")
    lost = files.store(folder, b"left by a stopped machine", row="doc_x", column="documents.content")
    assert sweep_files() == {"removed": 0}
    old = time.time() - 2 * 86_400
    for path in on_disk():
        os.utime(path, (old, old))
    assert sweep_files() == {"removed": 1}
    assert lost not in {path.name for path in on_disk()}
    assert office.handler().get(f"/documents/{document}").data == PDF


def test_a_file_that_somebody_changed_on_the_disk_is_not_given_out(office: Office, opened: Callable[..., str]):
    document = add(office.handler(), f"cases/{opened()}")
    (path,) = on_disk()
    path.write_bytes(b"0:another paper")
    answer = office.handler().get(f"/documents/{document}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "document_lost")
    path.unlink()
    assert office.handler().get(f"/documents/{document}").get_json()["code"] == "document_lost"
