"""The second factor on the pages, where the installation is no demonstration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from nrm.config import Config
from nrm.installation import install, installation
from tests.api.conftest import PASSWORD, Office
from tests.pages.conftest import Page, Reader


@pytest.fixture
def earnest(office: Office) -> Office:
    """The office in earnest: everybody needs a second factor."""
    install(replace(installation().config, demo=False), office.clock)
    return office


def code_for(page: Page, office: Office) -> str:
    secret = dict(page.form("/me/second-factor").fields)["secret"]
    return pyotp.TOTP(secret).at(office.clock.now())


def papers(page: Page) -> list[str]:
    return [word for word in page.words if word.count("-") == 3 and len(word) == 19]


def test_whoever_has_no_second_factor_is_led_to_set_one_up_and_then_to_work(
    earnest: Office, reader: Callable[..., Reader]
):
    someone = reader(earnest.land.at_desk("case_handler", "norvale", "one"))
    for address in ("/work", "/cases", "/me"):
        page = someone.open(address)
        assert page.leads("/me/second-factor")
    assert "data:image/svg+xml" in page.text
    assert page.inline == []
    assert any(link.startswith("otpauth://totp/") for link in page.links.values())

    wrong = someone.send(page, "/me/second-factor", code="000000")
    assert wrong.status == 422
    assert "#code" in wrong.links.values()

    done = someone.send(wrong, "/me/second-factor", code=code_for(wrong, earnest))
    assert len(papers(done)) == 10
    assert someone.send(done, "/my-language", language="en").status == 200
    assert someone.open(done.links["I have kept them, go on"]).status == 200
    assert not someone.open("/work").leads("/me/second-factor")

    earnest.clock.move(timedelta(minutes=1))
    elsewhere = Reader(client=earnest.app.test_client(), actor=someone.actor)
    refused = elsewhere.send(elsewhere.open("/sign-in"), "/sign-in", login=someone.actor.id, password=PASSWORD)
    assert refused.status == 401
    entered = elsewhere.send(refused, "/sign-in", login=someone.actor.id, password=PASSWORD, otp=papers(done)[0])
    assert entered.status == 200
    assert "9 recovery codes are left" in elsewhere.open("/me").says


def test_the_json_api_is_closed_as_well_until_then(earnest: Office):
    browser = earnest.handler()
    answer = browser.get("/tasks")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "second_factor_missing")
    assert browser.get("/session").status_code == 200


def test_a_form_that_is_sent_before_changes_nothing(earnest: Office, reader: Callable[..., Reader]):
    someone = reader(earnest.land.at_desk("case_handler", "norvale", "one"))
    page = someone.open("/work")
    token = dict(page.form("/me/second-factor").fields)["token"]
    answer = someone.client.post("/take-next", data={"token": token})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/me/second-factor?next=")


def test_fresh_recovery_codes_come_with_the_password_only(handler: Reader, office: Office):
    page = handler.open("/me/second-factor")
    first = papers(handler.send(page, "/me/second-factor", code=code_for(page, office)))
    refused = handler.send(handler.open("/me"), "/me/recovery-codes", password="not this one")
    assert refused.status == 422
    assert "#codes-password" in refused.links.values()
    fresh = papers(handler.send(handler.open("/me"), "/me/recovery-codes", password=PASSWORD))
    assert len(fresh) == 10
    assert not set(fresh) & set(first)


def test_another_phone_takes_the_password(handler: Reader, office: Office):
    page = handler.open("/me/second-factor")
    handler.send(page, "/me/second-factor", code=code_for(page, office))
    again = handler.open("/me/second-factor")
    refused = handler.send(again, "/me/second-factor", code=code_for(again, office), password="not this one")
    assert refused.status == 422
    assert "#password" in refused.links.values()
    done = handler.send(refused, "/me/second-factor", code=code_for(refused, office), password=PASSWORD)
    assert len(papers(done)) == 10


@pytest.mark.parametrize(
    ("demo", "cookie_secure", "needed"),
    [(True, False, False), (True, True, True), (False, True, True), (False, False, True)],
)
def test_only_a_demonstration_on_its_own_machine_goes_without(tmp_path, demo, cookie_secure, needed):
    config = Config(database_url="", data_dir=tmp_path, secret="", demo=demo, cookie_secure=cookie_secure)
    assert config.second_factor_needed is needed
