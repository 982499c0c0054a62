"""A session that ends while somebody is typing, in a browser without a script: nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import update

from nrm.db import db
from nrm.models import Session
from tests.api.conftest import PASSWORD, Office
from tests.pages.conftest import Page, Reader

WORDS = "The family waits <at> the station & has nothing"


def end_all_sessions() -> None:
    """Let nobody be signed in any more."""
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(update(Session).values(ended_at=datetime.now(UTC)))


def sign_in_as(one: Reader, page: Page, login: str) -> Page:
    return one.send(page, "/sign-in", login=login, password=PASSWORD)


def test_a_note_that_was_typed_when_the_session_ended_is_carried_past_signing_in(handler: Reader, opened):
    case = handler.open(f"/cases/{opened()}")
    end_all_sessions()
    asked = handler.send(case, "/note", text=WORDS, pinned="1")
    assert asked.status == 401
    assert "What you typed is kept" in asked.says
    wrong = handler.send(asked, "/sign-in", login=handler.actor.id, password="not this one")
    assert (wrong.status, wrong.leads("/sign-in")) == (401, True)
    back = sign_in_as(handler, wrong, handler.actor.id)
    assert "You are signed in again" in back.says
    assert back.inline == []
    shown = handler.send(back, "/note")
    assert shown.status == 200
    assert WORDS in shown.says
    assert "pinned" in shown.says.casefold()


def test_somebody_else_who_signs_in_then_gets_nothing_of_what_was_typed(
    office: Office, handler: Reader, reader: Callable[..., Reader], opened
):
    case = handler.open(f"/cases/{opened()}")
    colleague = office.land.at_desk("case_handler", "norvale", "two")
    reader(colleague)  # has a password now
    end_all_sessions()
    asked = handler.send(case, "/note", text=WORDS)
    page = sign_in_as(handler, asked, colleague.id)
    assert page.leads("/sign-out")
    assert WORDS not in page.text
    assert not page.leads("/note")


def test_a_form_of_another_session_and_one_with_a_password_are_not_carried(handler: Reader, opened):
    case = handler.open(f"/cases/{opened()}")
    account = handler.open("/me")
    end_all_sessions()
    strange = handler.post(case.form("/note").action, {"token": "0" * 64, "text": WORDS})
    assert (strange.status, WORDS in strange.text) == (200, False)
    secret = handler.send(account, "/me/password", current=PASSWORD, new="anther long pass phrase", again="x")
    assert (secret.status, PASSWORD in secret.text) == (200, False)
    assert secret.leads("/sign-in")


def test_a_form_without_words_leads_to_the_sign_in_as_before(handler: Reader, opened):
    page = handler.open("/work?tab=desk")
    end_all_sessions()
    asked = handler.send(page, "/take-next")
    assert (asked.status, asked.leads("/sign-in")) == (200, True)
    assert handler.send(page, "/sign-out").status == 200
