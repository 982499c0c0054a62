"""Those who manage users and keys, over HTTP."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from nrm.actions.second_factor import set_second_factor
from nrm.models import Event, Organisation
from tests.api.conftest import PASSWORD, Browser, Office

NEW = {"login": "Lana.Invented", "name": "Lana Invented", "password": PASSWORD, "email": "lana@example.org"}


def organisation(office: Office, code: str) -> str:
    office.land.session.close()
    return str(office.land.session.execute(select(Organisation.id).where(Organisation.code == code)).scalar_one())


def admin(office: Office) -> Browser:
    """Sign in somebody who manages the users of the whole country."""
    return office.browser(office.land.seat(None, organisation(office, "moh"), "administrator"))


def manager(office: Office, code: str = "open_door") -> Browser:
    """Sign in somebody who manages the users of one organisation."""
    return office.browser(office.land.seat(None, organisation(office, code), "provider_manager"))


def added(browser: Browser, **changes: Any) -> dict[str, Any]:
    answer = browser.post("/users", {**NEW, **changes})
    assert answer.status_code == 201, answer.text
    user: dict[str, Any] = answer.get_json()
    return user


def kinds(office: Office, user_id: str) -> list[str]:
    office.land.session.close()
    found = select(Event.kind).where(Event.subject_kind == "user", Event.subject_id == user_id).order_by(Event.at)
    return sorted(office.land.session.execute(found).scalars())


def test_a_user_is_added_seated_changed_and_shut_out(office: Office):
    boss = manager(office)
    user = added(boss)
    place = {"organisation_id": organisation(office, "open_door"), "role": "provider_focal_point"}
    seat = boss.post(f"/users/{user['id']}/memberships", place)
    assert (seat.status_code, seat.get_json()["waits"]) == (201, False)
    assert boss.post(f"/users/{user['id']}/memberships", place).get_json()["code"] == "membership_exists"
    browser = office.browser()
    assert browser.post("/session", {"login": "lana.invented", "password": PASSWORD}).status_code == 200
    changed = boss.patch(f"/users/{user['id']}", {"name": "Lana Other", "email": None, "version": user["version"]})
    assert changed.status_code == 200
    assert boss.patch(f"/users/{user['id']}", {"name": "x", "version": user["version"]}).status_code == 412
    row = boss.get(f"/users/{user['id']}").get_json()
    assert (row["name"], row["email"], row["memberships"][0]["role"]) == ("Lana Other", None, "provider_focal_point")
    assert "password" not in str(row)
    assert [entry["login"] for entry in boss.get("/users?text=lana").get_json()["data"]] == ["lana.invented"]
    assert boss.delete(f"/memberships/{seat.get_json()['id']}").status_code == 204
    assert boss.delete(f"/memberships/{seat.get_json()['id']}").status_code == 409
    shut = boss.post(f"/users/{user['id']}/disable", {"version": row["version"]})
    assert shut.status_code == 200, shut.text
    assert browser.get("/session").status_code == 401
    assert boss.post(f"/users/{user['id']}/enable", {"version": shut.get_json()["version"]}).status_code == 200
    assert {"user.added", "user.changed", "membership.given", "membership.ended", "user.disabled"} <= set(
        kinds(office, user["id"])
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"login": "ü"}, "/login"),
        ({"login": "nobody@@", "email": "x"}, "/email"),
        ({"password": "short"}, "/password"),
        ({"name": "  "}, "/name"),
        ({"language": "xx"}, "/language"),
        ({"admin": True}, "/admin"),
    ],
)
def test_a_wrong_field_of_a_new_user_is_named(office: Office, body: dict[str, Any], pointer: str):
    answer = manager(office).post("/users", {**NEW, **body})
    assert answer.status_code == 422
    assert pointer in [entry["pointer"] for entry in answer.get_json()["errors"]]


def test_a_password_and_lost_codes_are_replaced_and_sessions_end(office: Office):
    boss = admin(office)
    handler = office.land.at_desk("case_handler", "norvale")
    browser = office.browser(handler)
    secret = pyotp.random_base32()
    code = pyotp.TOTP(secret).at(int(office.clock.now().timestamp()))
    session = browser.get("/session").get_json()["session_id"]
    set_second_factor(handler, secret=secret, code=code, session_id=session)
    assert boss.post(f"/users/{handler.id}/reset-second-factor").status_code == 204
    assert browser.get("/session").status_code == 401
    assert boss.post(f"/users/{handler.id}/reset-second-factor").get_json()["code"] == "no_second_factor"
    assert boss.post(f"/users/{handler.id}/password", {"new": "another-invented-one-9"}).status_code == 204
    fresh = office.browser()
    assert fresh.post("/session", {"login": handler.id, "password": PASSWORD}).status_code == 401
    assert fresh.post("/session", {"login": handler.id, "password": "another-invented-one-9"}).status_code == 200
    assert boss.actor is not None
    assert boss.post(f"/users/{boss.actor.id}/reset-second-factor").get_json()["code"] == "not_yourself"


def test_a_manager_of_one_organisation_reaches_no_user_of_another(office: Office):
    theirs = office.land.at_desk("case_handler", "norvale")
    boss = manager(office)
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x", "version": 1}),
        ("POST", "/disable", {"version": 1}),
        ("POST", "/enable", {"version": 1}),
        ("POST", "/password", {"new": "another-invented-one-9"}),
        ("POST", "/reset-second-factor", {}),
        ("POST", "/memberships", {"organisation_id": organisation(office, "open_door"), "role": "provider_manager"}),
    ):
        answer = boss.ask(method, f"/users/{theirs.id}{path}", **({"json": body} if body is not None else {}))
        assert answer.status_code == 404, (method, path, answer.text)
    assert all(entry["id"] != theirs.id for entry in boss.get("/users?limit=100").get_json()["data"])
    own = added(boss)
    elsewhere = {"organisation_id": organisation(office, "bright_bridge"), "role": "provider_manager"}
    assert boss.post(f"/users/{own['id']}/memberships", elsewhere).status_code == 403
    assert manager(office, "bright_bridge").get("/role-requests").status_code == 403


def test_a_role_for_the_whole_country_takes_two_people(office: Office):
    first, second = admin(office), admin(office)
    user = added(first)
    place = {"organisation_id": organisation(office, "moh"), "role": "administrator"}
    asked = first.post(f"/users/{user['id']}/memberships", place)
    assert (asked.status_code, asked.get_json()["waits"]) == (201, True)
    request_id = asked.get_json()["id"]
    assert first.get(f"/users/{user['id']}").get_json()["memberships"] == []
    assert first.post(f"/role-requests/{request_id}/approve").get_json()["code"] == "second_person_needed"
    waiting = second.get("/role-requests").get_json()["data"]
    assert [(row["id"], row["role"], row["user_name"]) for row in waiting] == [
        (request_id, "administrator", "Lana Invented")
    ]
    assert second.post(f"/role-requests/{request_id}/approve").status_code == 204
    assert second.post(f"/role-requests/{request_id}/approve").get_json()["code"] == "approved_before"
    seats = first.get(f"/users/{user['id']}").get_json()["memberships"]
    assert [seat["role"] for seat in seats] == ["administrator"]
    assert second.get("/role-requests").get_json()["data"] == []
    assert {"membership.asked", "membership.given"} <= set(kinds(office, user["id"]))


def test_a_role_for_the_whole_country_is_refused_and_not_given_by_one_alone(office: Office):
    first, second = admin(office), admin(office)
    user = added(first)
    place = {"organisation_id": organisation(office, "moh"), "role": "auditor"}
    request_id = first.post(f"/users/{user['id']}/memberships", place).get_json()["id"]
    assert second.post(f"/role-requests/{request_id}/refuse").status_code == 204
    assert second.post(f"/role-requests/{request_id}/approve").get_json()["code"] == "refused_before"
    assert first.get(f"/users/{user['id']}").get_json()["memberships"] == []
    assert first.actor is not None
    itself = first.post(f"/users/{first.actor.id}/memberships", place)
    assert (itself.status_code, itself.get_json()["code"]) == (403, "not_yourself")
    boss = manager(office)
    own = added(boss, login="other.one")
    for role in ("administrator", "coordinator", "supervisor"):
        inside = {"organisation_id": organisation(office, "open_door"), "role": role}
        assert boss.post(f"/users/{own['id']}/memberships", inside).status_code == 403, role
    assert boss.post(f"/role-requests/{request_id}/approve").status_code == 404


def test_users_are_listed_page_by_page(office: Office):
    boss = admin(office)
    for number in range(5):
        added(boss, login=f"page.{number}")
    seen, cursor = [], ""
    while True:
        page = boss.get(f"/users?text=page.&limit=2{cursor}").get_json()
        seen += [row["login"] for row in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"page.{number}" for number in range(5)]


def test_a_key_is_issued_listed_replaced_and_revoked(office: Office):
    boss = admin(office)
    whose = organisation(office, "open_door")
    wanted = {
        "organisation_id": whose,
        "name": "case system",
        "scopes": ["referrals:read"],
        "networks": ["127.0.0.0/8"],
    }
    issued = boss.post("/keys", wanted)
    assert issued.status_code == 201
    key = issued.get_json()
    program = Browser(
        client=office.app.test_client(use_cookies=False), headers={"Authorization": f"Bearer {key['text']}"}
    )
    assert program.get("/whoami").get_json()["credential_id"] == key["id"]
    listed = boss.get(f"/keys?organisation={whose}")
    assert [(row["id"], row["kind"], row["networks"]) for row in listed.get_json()["data"]] == [
        (key["id"], "key", ["127.0.0.0/8"])
    ]
    assert key["text"] not in listed.text
    fresh = boss.post(f"/keys/{key['id']}/rotate", {"days": 30}).get_json()
    assert program.get("/whoami").status_code == 200, "for another day"
    assert boss.post("/keys", wanted).get_json()["code"] == "too_many_keys"
    assert boss.delete(f"/keys/{key['id']}").status_code == 204
    assert program.get("/whoami").status_code == 401
    assert boss.delete(f"/keys/{key['id']}").status_code == 409
    assert boss.get(f"/keys/{key['id']}").get_json()["revoked_at"] is not None
    assert boss.get(f"/keys/{fresh['id']}").get_json()["revoked_at"] is None
    client = boss.post("/keys", {**wanted, "kind": "client_secret"}).get_json()
    assert client["text"].startswith("nrm_client_")
    wrong = boss.post("/keys", {**wanted, "kind": "client_key"})
    assert wrong.get_json()["errors"][0]["pointer"] == "/public_key"
    found = select(Event.kind).where(Event.subject_kind == "key", Event.stream == whose).order_by(Event.seq)
    assert list(office.land.session.execute(found).scalars()) == [
        "key.issued",
        "key.issued",
        "key.revoked",
        "key.issued",
    ]


def test_keys_are_for_those_who_manage_them(office: Office):
    handler = office.handler()
    wanted = {"organisation_id": organisation(office, "open_door"), "name": "x", "scopes": ["referrals:read"]}
    assert handler.post("/keys", wanted).status_code == 403
    assert handler.get("/keys").status_code == 403
    for body in ({"scopes": []}, {"scopes": ["all"]}, {"days": 0}, {"days": 366}, {"networks": ["x"]}, {"kind": "x"}):
        assert admin(office).post("/keys", {**wanted, **body}).status_code == 422, body
