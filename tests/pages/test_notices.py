"""Notices on the pages: what came in, seen and done with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.models import Notification
from nrm.queries.notifications import unread_count
from tests.actions.test_referrals import Loop
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader


@pytest.fixture
def loop(office: Office) -> Loop:
    made = Loop(office.land)
    made.consent()
    return made


@pytest.fixture
def receiver(loop: Loop, reader: Callable[..., Reader]) -> Reader:
    """Somebody at the receiving organisation, who has one new referral."""
    loop.send()
    return reader(loop.provider)


def marks(page: Page) -> int:
    return sum(form.action == "/notices/read" for form in page.forms)


def test_a_new_referral_is_told_in_the_bar_and_leads_to_it(receiver: Reader):
    assert "1 new notice" in receiver.open("/work").text
    page = receiver.open("/notices")
    assert page.links["Referral sent"].startswith("/referrals/ref_")
    assert receiver.open(page.links["Referral sent"]).status == 200
    assert page.inline == []


def test_a_notice_that_was_read_stays_in_the_list_and_calls_nobody_any_more(receiver: Reader):
    page = receiver.send(receiver.open("/notices"), "/notices/read")
    assert "Referral sent" in page.links
    assert marks(page) == 0
    assert "new notice" not in receiver.open("/work").text
    assert "Nothing new." in receiver.open("/notices?unread=1").says


def test_nobody_marks_the_notices_of_another_organisation(receiver: Reader, handler: Reader):
    notice = db.session.scalar(select(Notification.id))
    token = dict(handler.open("/notices").form("/my-language").fields)["token"]
    assert handler.open("/notices").says.count("Referral sent") == 0
    answer = handler.client.post("/notices/read", data={"token": token, "id": [notice, "ntf_nothing"]})
    assert answer.status_code == 303
    assert "1 new notice" in receiver.open("/work").text


def test_a_notice_of_last_month_calls_nobody_any_more(receiver: Reader, office: Office):
    assert receiver.actor is not None
    assert unread_count(receiver.actor, office.clock.now()) == 1
    assert unread_count(receiver.actor, office.clock.now() + timedelta(days=31)) == 0


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_an_empty_list_says_what_will_stand_there(office: Office, reader: Callable[..., Reader], language: str):
    page = reader(office.land.at_desk("case_handler", "norvale", "two"), language).open("/notices")
    assert (page.status, page.language, marks(page)) == (200, language, 0)
    assert page.inline == []


def test_a_cursor_that_somebody_made_up_is_refused(handler: Reader):
    assert handler.open("/notices?after=made-up").status == 422


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 SamsungBrowser/25 Chrome/120 Mobile", "Samsung Internet"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("a program of our own", "a program of our own"),
    ],
)
def test_a_session_is_named_by_its_browser(office: Office, reader: Callable[..., Reader], agent: str, shown: str):
    someone = reader(office.land.at_desk("case_handler", "norvale", "two"))
    again = someone.client.post(
        "/sign-in",
        data={"login": someone.actor.id, "password": "invented-words-7-for-tests"},
        headers={"User-Agent": agent},
    )
    assert again.status_code == 303
    assert shown in someone.open("/me").says
