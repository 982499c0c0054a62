"""A code in the middle of a visit, where the installation is no demonstration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from nrm.actions.second_factor import set_second_factor
from nrm.credentials import new_otp_secret
from nrm.installation import install, installation
from tests.api.conftest import PASSWORD, Office
from tests.pages.administrators import administrator
from tests.pages.conftest import Reader


class Phone:
    def __init__(self, office: Office):
        self.office, self.secret = office, new_otp_secret()

    def code(self) -> str:
        """Give the code of a minute in which none was used."""
        self.office.clock.move(timedelta(minutes=1))
        return pyotp.TOTP(self.secret).at(self.office.clock.now())


@pytest.fixture
def phone(office: Office) -> Phone:
    return Phone(office)


@pytest.fixture
def boss(office: Office, phone: Phone, reader: Callable[..., Reader]) -> Reader:
    """An administrator whose last code is eleven minutes old, in an installation in earnest."""
    actor = administrator(office)
    reader(actor)  # gives the account its password
    set_second_factor(actor, secret=phone.secret, code=phone.code())
    install(replace(installation().config, demo=False), office.clock)
    one = Reader(client=office.app.test_client(), actor=actor)
    page = one.send(one.open("/sign-in"), "/sign-in", login=actor.id, password=PASSWORD, otp=phone.code())
    assert page.status == 200, page.says
    office.clock.move(timedelta(minutes=11))
    return one


def test_an_old_code_opens_no_users_on_the_json_doors_until_a_fresh_one_is_sent(boss: Reader, phone: Phone):
    body = {"login": "new.one", "name": "Invented One", "password": "eleven quiet lanterns"}
    refused = boss.client.post("/api/v1/users", json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "step_up_needed")
    assert "/session/step-up" in refused.get_json()["detail"]
    assert boss.client.get("/api/v1/users").status_code == 200

    wrong = boss.client.post("/api/v1/session/step-up", json={"code": "000000"})
    assert (wrong.status_code, wrong.get_json()["errors"][0]["code"]) == (422, "wrong_otp")
    before = boss.client.get_cookie("__Host-nrm") or boss.client.get_cookie("nrm")
    proven = boss.client.post("/api/v1/session/step-up", json={"code": phone.code()})
    assert proven.status_code == 200
    after = boss.client.get_cookie("__Host-nrm") or boss.client.get_cookie("nrm")
    assert before is not None and after is not None and before.value != after.value
    assert boss.client.post("/api/v1/users", json=body).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/pack/labels/stage/reception", {"names": {}, "seen": "0" * 16}),
        ("PATCH", "/pack/codes/cancel_reason/no_longer_needed", {"active": False, "seen": "0" * 16}),
        ("POST", "/pack/directory/organisation", {"data": {}}),
        ("PUT", "/pack/settings/followup_first", {"value": "P2M", "seen": "0" * 16}),
        ("DELETE", "/pack/calendars/coast/holidays/2026-03-09", {}),
    ],
)
def test_an_old_code_changes_nothing_of_the_country_on_the_json_doors(
    boss: Reader, method: str, path: str, body: dict[str, object]
):
    refused = boss.client.open(f"/api/v1{path}", method=method, json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "step_up_needed")
    assert boss.client.get("/api/v1/pack/labels?group=stage").status_code == 200


def test_the_page_asks_for_a_code_and_leads_on(boss: Reader, phone: Phone):
    page = boss.open("/step-up?next=/me")
    assert page.status == 200
    assert page.inline == []
    wrong = boss.send(page, "/step-up", step_up_code="000000")
    assert wrong.status == 422
    assert wrong.alerts
    there = boss.send(wrong, "/step-up", step_up_code=phone.code())
    assert there.status == 200
    assert "Where I work" in there.says
    again = boss.send(boss.open("/step-up?next=https://elsewhere.example/"), "/step-up", step_up_code=phone.code())
    assert "My work" in again.says


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_it_is_asked_in_the_readers_language(boss: Reader, language: str):
    boss.post(
        "/my-language", {"token": dict(boss.open("/me").form("/my-language").fields)["token"], "language": language}
    )
    page = boss.open("/step-up")
    assert (page.language, page.direction) == (language, "rtl")


def test_what_was_typed_is_carried_past_the_code_without_losing_it(boss: Reader, phone: Phone):
    typed = {"login": "lana.invented", "name": "Lana <b>Invented</b>", "email": "lana@example.org", "language": "en"}
    asked = boss.send(boss.open("/admin/users/new"), "/admin/users/new", **typed)
    assert asked.status == 403
    assert asked.leads("/admin/users/new")
    wrong = boss.send(asked, "/admin/users/new", step_up_code="000000")
    assert wrong.status == 422
    done = boss.send(wrong, "/admin/users/new", step_up_code=phone.code())
    assert done.status == 200
    assert "I have kept it, go on" in done.links
    assert "Lana <b>Invented</b>" in boss.open(done.links["I have kept it, go on"]).says
    # The code opened this session for ten minutes, and its forms go on to work with the new secret.
    again = boss.send(boss.open("/admin/users/new"), "/admin/users/new", **{**typed, "login": "second.invented"})
    assert "I have kept it, go on" in again.links
