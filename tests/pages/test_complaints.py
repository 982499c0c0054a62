"""Complaints: the public door without sign-in, name, cookie or script, and the desk that sees to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.models import Complaint, Event
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader

SAID = {"category": "service", "text": "Nobody answered me", "governorate": "norvale"}


@pytest.fixture
def anybody(reader: Callable[..., Reader]) -> Reader:
    """Somebody who is not signed in."""
    return reader()


@pytest.fixture
def officer(office: Office, reader: Callable[..., Reader]) -> Reader:
    """Somebody at the desk for complaints."""
    return reader(office.land.at_desk("coordinator", "norvale"))


def dropped(one: Reader, **said: str) -> Page:
    return one.send(one.open("/complain?language=en"), "/complain?language=en", **{**SAID, **said})


def receipt(page: Page) -> str:
    return next(word for word in page.words if word.count("-") >= 3 and " " not in word)


def complaints() -> list[Complaint]:
    db.session.remove()
    found = list(db.session.scalars(select(Complaint)))
    db.session.remove()
    return found


def test_somebody_complains_without_a_name_and_reads_the_answer_later(anybody: Reader, officer: Reader):
    page = anybody.open("/complain?language=en")
    assert "no name, no account and no case number" in page.says
    taken = dropped(anybody)
    assert taken.status == 201
    code = receipt(taken)

    listed = officer.open("/complaints")
    assert "Nobody answered me" not in listed.says, "the list holds none of the words"
    shown = officer.open(next(link for link in listed.links.values() if link.startswith("/complaints/cpl_")))
    assert "Nobody answered me" in shown.says
    in_hand = officer.send(shown, "/take-up")
    assert "by you" in in_hand.says
    empty = officer.send(in_hand, "/answer", text=" ")
    assert (empty.status, "#text" in empty.links.values()) == (422, True)
    answered = officer.send(in_hand, "/answer", text="It is mended.\nThank you.")
    assert "The answer can be read now." in answered.says

    told = anybody.send(
        anybody.open("/complain/answer?language=en"), "/complain/answer?language=en", receipt=code.lower()
    )
    assert "It is mended." in told.says
    db.session.remove()
    [row] = complaints()
    reads = db.session.scalars(select(Event.subject_id).where(Event.kind == "record.read")).all()
    assert row.id in reads
    db.session.remove()


def test_the_public_pages_keep_nothing_in_the_browser_and_run_nothing(anybody: Reader):
    for address in ("/complain", "/complain/answer", "/complain/notice"):
        answer = anybody.client.get(address)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "script" not in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "script-src" not in answer.headers["Content-Security-Policy"]
    answer = anybody.client.post("/complain", data=SAID)
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"category": ""}, "#category"),
        ({"category": "weather"}, "#category"),
        ({"text": ""}, "#text"),
        ({"text": "x" * 10_001}, "#text"),
        ({"governorate": "atlantis"}, "#governorate"),
        ({"happened_on": "soon"}, "#happened_on"),
        ({"happened_on": "2999-01-01"}, "#happened_on"),
        ({"safe_contact": "x" * 201}, "#safe_contact"),
    ],
)
def test_what_cannot_be_taken_is_told_at_its_field_and_the_words_stay(
    anybody: Reader, said: dict[str, str], field: str
):
    page = dropped(anybody, **said)
    assert page.status == 422
    assert field in page.links.values()
    assert dict(page.form("/complain?language=en").fields)["text"].strip() == {**SAID, **said}["text"]
    assert complaints() == []


def test_an_unknown_receipt_and_too_many_knocks(anybody: Reader):
    form = anybody.open("/complain/answer?language=en")
    unknown = anybody.send(form, "/complain/answer?language=en", receipt="0123-4567-89AB-CDEF-GHJK")
    assert unknown.status == 404
    assert "#receipt" in unknown.links.values()
    assert anybody.send(form, "/complain/answer?language=en", receipt="").status == 404
    answers = [anybody.client.post("/complain", data=SAID) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_what_another_site_sends_is_refused(anybody: Reader):
    answer = anybody.client.post("/complain", data=SAID, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert complaints() == []


def test_a_threat_goes_under_seal_and_the_list_of_others_does_not_know_of_it(
    office: Office, anybody: Reader, reader: Callable[..., Reader]
):
    assert dropped(anybody, threat="1").status == 201
    [row] = complaints()
    assert row.sealed
    other = reader(office.land.at_desk("coordinator", "hillin", "two"))
    assert other.open(f"/complaints/{row.id}").status == 404
    assert row.id not in other.open("/complaints").text
    token = dict(other.open("/work").form("/sign-out").fields)["token"]
    sent = {"token": token, "version": "1", "text": "x", "case_number": "TL-26-00000-0"}
    for verb in ("take-up", "answer", "start"):
        assert other.post(f"/complaints/{row.id}/{verb}", sent).status == 404, verb


def test_a_handler_has_no_way_to_the_complaints(handler: Reader, anybody: Reader):
    dropped(anybody)
    [row] = complaints()
    assert "Complaints" not in handler.open("/work").links
    for address in ("/complaints", f"/complaints/{row.id}"):
        assert handler.open(address).status == 403


def test_a_number_that_no_case_has_is_told_at_its_field(officer: Reader, anybody: Reader):
    dropped(anybody)
    [row] = complaints()
    page = officer.open(f"/complaints/{row.id}")
    wrong = officer.send(page, f"/{row.id}/start", case_number="TL-26-00000-0")
    assert (wrong.status, "#case_number" in wrong.links.values()) == (404, True)
    listed = officer.open("/complaints")
    assert officer.send(listed, "/complaints", case_number="").status == 422
    assert officer.send(listed, "/complaints", case_number="TL-26-00000-0").status == 404


def test_a_colleague_who_was_quicker_is_said_so(office: Office, officer: Reader, anybody: Reader, reader):
    dropped(anybody)
    [row] = complaints()
    page = officer.open(f"/complaints/{row.id}")
    two = reader(office.land.at_desk("coordinator", "norvale", "two"))
    two.send(two.open(f"/complaints/{row.id}"), "/take-up")
    assert officer.send(page, "/take-up").status in {409, 412}


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_both_sides_read_in_their_language(
    office: Office, reader: Callable[..., Reader], anybody: Reader, language: str
):
    page = anybody.open(f"/complain?language={language}")
    assert (page.status, page.language, page.inline) == (200, language, [])
    taken = anybody.send(page, f"/complain?language={language}", **SAID)
    assert (taken.status, taken.language) == (201, language)
    for address in ("answer", "notice"):
        assert anybody.open(f"/complain/{address}?language={language}").language == language
    one = reader(office.land.at_desk("coordinator", "norvale"), language)
    [row] = complaints()
    for address in ("/complaints", f"/complaints/{row.id}"):
        assert one.open(address).language == language


def test_the_notice_speaks_all_languages_at_once(anybody: Reader):
    page = anybody.open("/complain/notice")
    assert all(f'lang="{language}"' in page.text for language in ("ar", "ckb", "en"))
    assert "/complain" in page.says
