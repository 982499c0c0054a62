"""What an organisation keeps of its own services, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.models import Service
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader


@pytest.fixture
def keeper(office: Office, reader: Callable[..., Reader]) -> Reader:
    """Somebody who keeps the services of an organisation."""
    return reader(office.land.receiver_of("mow_coast", "provider_focal_point"))


def service(code: str = "training_coast") -> Service:
    db.session.remove()
    found = db.session.scalars(select(Service).where(Service.code == code)).one()
    db.session.expunge(found)
    db.session.remove()
    return found


def set_to(one: Reader, page: Page, **said: str) -> Page:
    return one.send(page, f"/{service().id}/capacity", **said)


def test_a_service_is_full_paused_until_a_day_and_open_again(keeper: Reader):
    page = keeper.open("/services")
    assert page.inline == []
    full = set_to(keeper, page, state="full")
    assert "Saved and confirmed." in full.says
    assert (service().accepting, service().open_slots) == (True, 0)
    paused = set_to(keeper, full, state="paused", until="2026-03-20", places="")
    assert "paused" in paused.says
    assert str(service().paused_until) == "2026-03-20"
    opened = set_to(keeper, paused, state="open", places="٧")
    assert "7 free places" in opened.says
    found = service()
    assert (found.accepting, found.paused_until, found.open_slots) == (True, None, 7)


def test_an_entry_that_nobody_confirmed_for_long_is_marked(office: Office, reader: Callable[..., Reader]):
    office.land.move(days=200)
    late = reader(office.land.receiver_of("mow_coast", "provider_focal_point"))
    page = late.open("/services")
    assert 'class="quiet when late"' in page.text
    late.send(page, f"/{service().id}/verify")
    assert late.open("/services").text.count('class="quiet when late"') < page.text.count('class="quiet when late"')


def test_still_right_by_its_button(keeper: Reader):
    page = keeper.open("/services")
    done = keeper.send(page, f"/{service().id}/verify")
    assert "Confirmed today." in done.says
    assert keeper.send(page, f"/{service().id}/verify").status == 412, "the page is older than the entry"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"state": ""}, "state"),
        ({"state": "closed"}, "state"),
        ({"state": "open", "places": "many"}, "places"),
        ({"state": "open", "places": "-1"}, "places"),
        ({"state": "open", "places": "999999"}, "places"),
        ({"state": "paused", "until": "soon"}, "until"),
        ({"state": "paused", "until": "2020-01-01"}, "until"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_changes_nothing(keeper: Reader, said: dict[str, str], field: str):
    before = service()
    page = set_to(keeper, keeper.open("/services"), **said)
    assert page.status == 422
    assert f"#{field}-{before.id}" in page.links.values()
    assert service().version == before.version


def test_nobody_keeps_anothers_services(office: Office, keeper: Reader, reader: Callable[..., Reader], handler: Reader):
    other = reader(office.land.receiver_of("bright_bridge", "provider_focal_point"))
    assert service().id not in other.open("/services").text
    token = dict(other.open("/services").form("/sign-out").fields)["token"]
    for verb in ("capacity", "verify"):
        sent = {"token": token, "version": "1", "state": "full"}
        assert other.post(f"/services/{service().id}/{verb}", sent).status in {403, 404}, verb
    assert service().open_slots != 0
    assert handler.open("/services").status == 403
    assert "Our services" not in handler.open("/work").links
    assert "Our services" in keeper.open("/work").links


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_services_read_in_the_readers_language(office: Office, reader: Callable[..., Reader], language: str):
    one = reader(office.land.receiver_of("mow_coast", "provider_focal_point"), language)
    page = one.open("/services")
    assert (page.status, page.language, page.inline) == (200, language, [])
