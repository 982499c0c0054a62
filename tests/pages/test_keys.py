"""Keys of partners' programs on pages: issued once, shown once, replaced, revoked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.models import ApiKey
from tests.api.conftest import Office
from tests.pages.administrators import administrator, organisation
from tests.pages.conftest import Page, Reader

Readers = Callable[..., Reader]


@pytest.fixture
def boss(office: Office, reader: Readers) -> Reader:
    return reader(administrator(office))


def wanted(office: Office, **changes: object) -> dict[str, object]:
    return {
        "organisation": organisation(office, "open_door"),
        "name": "Our case book",
        "scopes": ["referrals:read", "referrals:act"],
        "mode": "live",
        "kind": "key",
        "days": "30",
        **changes,
    }


def key_in(page: Page) -> str:
    return next(word for word in page.words if word.startswith("nrm_"))


def issued(boss: Reader, office: Office, **changes: object) -> tuple[str, str]:
    """Issue a key; give the page about it and the key."""
    page = boss.send(boss.open("/admin/keys/new"), "/admin/keys/new", **wanted(office, **changes))
    assert page.status == 200, page.alerts
    return page.links["I have kept it, go on"], key_in(page)


def asked_with(office: Office, key: str) -> int:
    answer = office.app.test_client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code


def test_a_key_is_issued_used_seen_in_the_log_and_revoked(boss: Reader, office: Office):
    assert "No keys yet" in boss.open(boss.open("/admin").links["Keys of programs"]).says
    address, key = issued(boss, office)
    assert asked_with(office, key) == 200
    page = boss.open(address)
    assert page.inline == []
    assert key not in page.text
    assert "Answer referrals that came in" in page.says
    assert "/api/v1/whoami" in page.says
    gone = boss.send(page, "/revoke")
    assert "revoked" in gone.says
    assert asked_with(office, key) == 401
    assert not boss.open(address).leads("/revoke")


def test_a_key_is_replaced_and_both_work_for_a_day(boss: Reader, office: Office):
    address, old = issued(boss, office)
    page = boss.send(boss.open(address), "/rotate", days="90")
    new = key_in(page)
    assert new != old
    assert asked_with(office, new) == asked_with(office, old) == 200
    assert "ends within a day" in boss.open(address).says


def test_a_client_shows_its_id_and_its_secret_once(boss: Reader, office: Office):
    page = boss.send(boss.open("/admin/keys/new"), "/new", **wanted(office, kind="client_secret"))
    assert any(word.startswith("cli_") for word in page.words)
    assert key_in(page).startswith("nrm_client_")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"days": "many"}, "days"),
        ({"days": "4000"}, "days"),
        ({"networks": "here and there"}, "networks"),
        ({"kind": "client_key"}, "public_key"),
        ({"kind": "client_key", "public_key": "[1]"}, "public_key"),
        ({"kind": "client_key", "public_key": '{"kty": "oct", "k": "secret"}'}, "public_key"),
        ({"kind": "skeleton"}, "kind"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_issued(
    boss: Reader, office: Office, changes: dict[str, object], field: str
):
    page = boss.send(boss.open("/admin/keys/new"), "/new", **wanted(office, **changes))
    assert page.status == 422
    assert f"#new-{field}" in page.links.values()
    office.land.session.close()
    assert office.land.session.execute(select(ApiKey.id)).first() is None


def test_who_manages_one_organisation_issues_for_it_alone(boss: Reader, office: Office, reader: Readers):
    theirs, _ = issued(boss, office)
    manager = reader(administrator(office, "papers", "provider_manager"))
    assert manager.open(theirs).status == 404
    token = dict(manager.open("/admin/keys/new").form("/new").fields)["token"]
    for verb in ("/rotate", "/revoke"):
        assert manager.post(theirs + verb, {"token": token}).status == 404
    refused = manager.send(manager.open("/admin/keys/new"), "/new", **wanted(office))
    assert refused.status == 403
    assert "No keys yet" in manager.open("/admin/keys").says
    assert "No keys yet" in manager.open(f"/admin/keys?organisation={organisation(office, 'open_door')}").says


def test_others_do_not_come_in(handler: Reader):
    for address in ("/admin/keys", "/admin/keys/new", "/admin/keys/key_1"):
        assert handler.open(address).status == 403


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_it_is_all_there_in_the_readers_language(office: Office, boss: Reader, reader: Readers, language: str):
    address, _ = issued(boss, office)
    one = reader(administrator(office), language)
    for place in ("/admin/keys", "/admin/keys/new", address):
        page = one.open(place)
        assert (page.status, page.language, page.direction) == (200, language, "rtl")
