"""A password that somebody else chose opens nothing but the page on which one chooses one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from nrm.actions.seats import give_membership
from nrm.actions.users import add_user, set_password
from nrm.actors import SYSTEM, Actor, ActorKind
from nrm.installation import install, installation
from tests.api.conftest import PASSWORD, Browser, Office
from tests.pages.administrators import organisation
from tests.pages.conftest import Page, Reader

FIRST, OWN = "first invented lamps at dawn", "nine invented lamps at noon"


@pytest.fixture
def newcomer(office: Office) -> Reader:
    """Somebody who was added and seated, before a browser."""
    user_id = add_user(SYSTEM, login="new.comer", name="Invented Comer", password=FIRST, language="en").id
    give_membership(SYSTEM, user_id, organisation_id=organisation(office, "moh"), role="supervisor")
    office.land.session.close()
    return Reader(client=office.app.test_client(), actor=Actor(kind=ActorKind.USER, id=user_id))


def signed_in(reader: Reader, password: str) -> Page:
    return reader.send(reader.open("/sign-in"), "/sign-in", login="new.comer", password=password)


def test_whoever_signs_in_with_the_first_password_chooses_an_own_one_before_anything_else(newcomer: Reader):
    page = signed_in(newcomer, FIRST)
    for address in ("/work", "/cases", "/me", "/me/second-factor", "/notices", "/admin"):
        page = newcomer.open(address)
        assert page.leads("/me/password")
        assert "chosen by somebody else" in page.says
    assert page.inline == []
    assert newcomer.send(page, "/my-language", language="en").leads("/me/password")

    wrong = newcomer.send(page, "/me/password", current=FIRST, new=OWN, again="something else")
    assert (wrong.status, "#again" in wrong.links.values()) == (422, True)
    same = newcomer.send(wrong, "/me/password", current=FIRST, new=FIRST, again=FIRST)
    assert (same.status, "#new" in same.links.values()) == (422, True)
    guess = newcomer.send(same, "/me/password", current="not this one at all", new=OWN, again=OWN)
    assert (guess.status, "#current" in guess.links.values()) == (422, True)
    assert newcomer.open("/work").leads("/me/password")

    done = newcomer.send(guess, "/me/password", current=FIRST, new=OWN, again=OWN)
    assert done.status == 200
    assert not newcomer.open("/work").leads("/me/password")
    elsewhere = Reader(client=newcomer.client.application.test_client())
    assert signed_in(elsewhere, FIRST).status == 401
    assert not signed_in(elsewhere, OWN).leads("/me/password")


def test_a_form_that_is_sent_before_changes_nothing(newcomer: Reader):
    token = dict(signed_in(newcomer, FIRST).form("/me/password").fields)["token"]
    answer = newcomer.client.post("/take-next", data={"token": token})
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/me/password")


def test_in_earnest_the_password_comes_first_and_then_the_second_factor(newcomer: Reader, office: Office):
    install(replace(installation().config, demo=False), office.clock)
    page = signed_in(newcomer, FIRST)
    assert (page.leads("/me/password"), newcomer.open("/me/second-factor").leads("/me/second-factor")) == (True, False)
    page = newcomer.send(page, "/me/password", current=FIRST, new=OWN, again=OWN)
    assert page.leads("/me/second-factor")
    assert newcomer.open("/me/password").leads("/me/second-factor")


def test_a_password_that_was_set_again_is_a_first_one_and_the_manager_sees_that(
    newcomer: Reader, office: Office, reader: Callable[..., Reader]
):
    assert newcomer.actor is not None
    newcomer.send(signed_in(newcomer, FIRST), "/me/password", current=FIRST, new=OWN, again=OWN)
    boss = reader(office.land.seat(None, organisation(office, "moh"), "administrator"))
    address = f"/admin/users/{newcomer.actor.id}"
    assert "has not chosen a password yet" not in boss.open(address).says
    set_password(SYSTEM, newcomer.actor.id, FIRST)
    assert "has not chosen a password yet" in boss.open(address).says
    assert signed_in(newcomer, FIRST).leads("/me/password")


def test_a_program_is_told_what_must_be_done_and_can_do_it(newcomer: Reader, office: Office):
    browser = Browser(client=office.app.test_client())
    answer = browser.post("/session", {"login": "new.comer", "password": FIRST})
    assert answer.get_json()["must"] == ["choose_password"]
    assert browser.get("/session").get_json()["must"] == ["choose_password"]
    refused = browser.get("/tasks")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "own_password_missing")
    unchanged = browser.post("/session/password", {"current": FIRST, "new": FIRST})
    assert unchanged.get_json()["errors"][0]["code"] == "password_unchanged"
    assert browser.post("/session/password", {"current": FIRST, "new": OWN}).status_code == 204
    assert browser.get("/session").get_json()["must"] == []
    assert browser.get("/tasks").status_code == 200


def test_whoever_has_an_own_password_is_asked_for_nothing(handler: Reader):
    assert not handler.open("/work").leads("/me/password")
    page = handler.open("/me/password?next=/cases")
    assert "chosen by somebody else" not in page.says
    assert "Cases" in handler.send(page, "/me/password", current=PASSWORD, new=OWN, again=OWN).says
    led_away = handler.open("/me/password?next=//elsewhere.example")
    assert dict(led_away.form("/me/password").fields)["next"] == "/work"
