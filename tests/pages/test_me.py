"""Somebody's own account, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.conftest import PASSWORD
from tests.pages.conftest import Page, Reader

NEW = "eleven quiet lanterns"


def test_a_handler_finds_her_account_behind_the_menu_with_her_seats(handler: Reader):
    page = handler.open(handler.open("/work").links["My profile"])
    assert page.status == 200
    assert "Where I work" in page.says
    assert handler.actor is not None
    assert len(handler.actor.seats) == 1
    assert "Norvale" in page.says


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("ckb", "rtl"), ("en", "ltr")])
def test_the_account_is_there_in_each_language(reader: Callable[..., Reader], handler: Reader, language, direction):
    page = reader(handler.actor, language).open("/me")
    assert (page.status, page.language, page.direction) == (200, language, direction)
    assert page.inline == []


def test_a_language_is_chosen_on_the_account_and_kept(handler: Reader):
    page = handler.send(handler.open("/me"), "/my-language", language="ckb", back="/me")
    assert page.language == "ckb"
    assert handler.open("/work").language == "ckb"


def test_a_new_password_counts_from_now_on_and_ends_the_other_sessions(reader: Callable[..., Reader], handler: Reader):
    elsewhere = reader(handler.actor)
    refused = handler.send(elsewhere.open("/me"), "/me/password", current=PASSWORD, new=NEW, again=NEW)
    assert refused.status == 403  # the form of another session

    page = handler.send(handler.open("/me"), "/me/password", current=PASSWORD, new=NEW, again=NEW)

    assert "The password is changed" in page.says
    assert elsewhere.open("/me").form("/sign-in").action == "/sign-in"
    assert handler.actor is not None
    signed_in = elsewhere.send(elsewhere.open("/sign-in"), "/sign-in", login=handler.actor.id, password=NEW)
    assert signed_in.status == 200


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"current": "not this one", "new": NEW, "again": NEW}, "#current", "present password is wrong"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "#new", ""),
        ({"current": PASSWORD, "new": NEW, "again": NEW + "s"}, "#again", "differ"),
    ],
)
def test_a_password_that_cannot_be_taken_is_told_at_its_field(handler: Reader, sent, field, words):
    page = handler.send(handler.open("/me"), "/me/password", **sent)
    assert page.status == 422
    assert field in page.links.values()
    assert any(words in alert for alert in page.alerts)
    assert NEW not in page.text


def _sessions(page: Page) -> list[str]:
    return [form.action for form in page.forms if form.action.startswith("/me/sessions/ses_")]


def test_a_session_left_open_elsewhere_is_ended_from_the_account(reader: Callable[..., Reader], handler: Reader):
    elsewhere = reader(handler.actor)
    (address,) = _sessions(handler.open("/me"))
    page = handler.send(handler.open("/me"), address)
    assert "The session has ended" in page.says
    assert _sessions(page) == []
    assert elsewhere.open("/me").form("/sign-in").action == "/sign-in"
    again = handler.client.post(address, data={"token": dict(page.form("/my-language").fields)["token"]})
    assert again.status_code == 303


def test_all_other_sessions_end_at_once(reader: Callable[..., Reader], handler: Reader):
    others = [reader(handler.actor), reader(handler.actor)]
    handler.send(handler.open("/me"), "/me/sessions/end-others")
    assert all(one.open("/me").leads("/sign-in") for one in others)
    assert _sessions(handler.open("/me")) == []


def test_nobody_ends_the_session_of_a_colleague(reader: Callable[..., Reader], handler: Reader, office):
    colleague = reader(office.land.at_desk("case_handler", "norvale", "two"))
    other = reader(handler.actor)
    (address,) = _sessions(handler.open("/me"))
    token = dict(colleague.open("/me").form("/my-language").fields)["token"]
    colleague.client.post(address, data={"token": token})
    assert not other.open("/me").leads("/sign-in")
