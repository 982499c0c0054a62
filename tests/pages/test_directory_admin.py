"""The directory on pages, for those who keep it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Select, select

from nrm.actions.seeding import load_pack
from nrm.actors import SYSTEM
from nrm.countries import read_pack
from nrm.models import Desk, Event, Organisation, Service, ServiceCoverage, SharingAgreement
from tests.api.conftest import Office
from tests.installations import TESTLAND
from tests.pages.administrators import administrator
from tests.pages.conftest import Page, Reader

Readers = Callable[..., Reader]
NAMES = {"names__ar": "اسم مختلق", "names__ckb": "ناوی داهێنراو", "names__en": "Invented Name"}


@pytest.fixture
def boss(office: Office, reader: Readers) -> Reader:
    return reader(administrator(office))


def entry(boss: Reader, kind: str, key: str) -> Page:
    page = boss.open(f"/admin/directory/{kind}?key={quote(key)}")
    assert page.status == 200
    return page


def save(boss: Reader, page: Page, **changed: object) -> Page:
    action = next(
        form.action for form in page.forms if form.action.startswith("/admin/directory/") and form.method == "post"
    )
    return boss.send(page, action, **changed)


def fresh(office: Office, statement: Select[Any]) -> Any:
    office.land.session.close()
    return office.land.session.execute(statement).scalar_one()


def test_an_organisation_gets_another_name_and_everybody_reads_who_changed_it(boss: Reader, office: Office):
    page = boss.open(boss.open("/admin").links["Directory"])
    assert page.status == 200
    page = entry(boss, "organisation", "open_door")
    assert page.inline == []
    done = save(boss, page, **NAMES, email="office@example.org")
    assert "Saved" in done.says
    assert "Invented Name" in done.says
    stored = fresh(office, select(Organisation).where(Organisation.code == "open_door"))
    assert (stored.names["en"], stored.email) == ("Invented Name", "office@example.org")
    event = fresh(office, select(Event).where(Event.kind == "directory.changed"))
    assert event.actor == boss.actor.id
    assert "office@example.org" not in str(event.data)
    assert "email" in event.data["what"]


def test_the_next_load_of_the_pack_sees_the_change_and_leaves_it(boss: Reader, office: Office):
    save(boss, entry(boss, "organisation", "open_door"), **NAMES)
    report = load_pack(SYSTEM, read_pack(TESTLAND))
    assert ("organisation", "open_door", "kept") in {(one.kind, one.key, str(one.taken)) for one in report.changes}
    assert fresh(office, select(Organisation.names).where(Organisation.code == "open_door"))["en"] == "Invented Name"
    assert "changed here" in entry(boss, "organisation", "open_door").says


def test_saving_what_did_not_change_leaves_no_trace(boss: Reader, office: Office):
    for kind, key in (("organisation", "open_door"), ("desk", "open_door_receiving_desk")):
        assert "Saved" in save(boss, entry(boss, kind, key)).says
    office.land.session.close()
    assert office.land.session.execute(select(Event).where(Event.kind == "directory.changed")).first() is None


def test_two_who_change_the_same_entry_see_each_other(boss: Reader, office: Office, reader: Readers):
    mine = entry(boss, "organisation", "open_door")
    colleague = reader(administrator(office))
    save(colleague, entry(colleague, "organisation", "open_door"), **NAMES)
    conflict = save(boss, mine, phone="0100")
    assert conflict.status == 409
    assert "Somebody else changed this" in conflict.says
    assert "Invented Name" in conflict.says
    assert ("phone", "0100") in [pair for form in conflict.forms for pair in form.fields]
    again = save(boss, conflict, **NAMES)
    assert "Saved" in again.says
    stored = fresh(office, select(Organisation).where(Organisation.code == "open_door"))
    assert (stored.names["en"], stored.phone) == ("Invented Name", "0100")


@pytest.mark.parametrize(
    ("place", "changed", "field"),
    [
        (("organisation", "open_door"), {"names__ckb": ""}, "names"),
        (("organisation", "open_door"), {"email": "not an address"}, "email"),
        (("organisation", "open_door"), {"channel": "pigeon"}, "channel"),
        (("organisation", "open_door"), {"jurisdiction": "the moon"}, "jurisdiction"),
        (("organisation", "open_door"), {"names__en": "x" * 300}, "names"),
        (("organisation", "open_door"), {"names__en": "a\u202eb"}, "names"),
        (("desk", "open_door_receiving_desk"), {"governorate": "atlantis"}, "governorate"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_changes(
    boss: Reader, office: Office, place: tuple[str, str], changed: dict[str, str], field: str
):
    page = save(boss, entry(boss, *place), **changed)
    assert page.status == 422
    assert f"#entry-{field}" in page.links.values()
    office.land.session.close()
    assert office.land.session.execute(select(Event).where(Event.kind == "directory.changed")).first() is None


def test_markup_in_a_name_is_refused_and_given_back_as_it_was_typed(boss: Reader):
    name = '<img src=x onerror="alert(1)">'
    page = save(boss, entry(boss, "organisation", "open_door"), **{**NAMES, "names__en": name})
    assert (page.status, bool(page.alerts)) == (422, True)
    assert "&lt;img src=x" in page.text
    assert "<img" not in page.text
    assert page.inline == []


def test_a_desk_with_open_tasks_is_not_closed_before_they_are_handed_over(
    boss: Reader, office: Office, opened: Callable[..., str]
):
    opened()
    page = entry(boss, "desk", "moh_case_handler_norvale")
    refused = save(boss, page, active=[])
    assert refused.status == 409
    assert "Hand them over or complete them first" in refused.says
    assert fresh(office, select(Desk.active).where(Desk.code == "moh_case_handler_norvale"))
    closed = save(boss, entry(boss, "desk", "open_door_provider_manager"), active=[])
    assert "Saved" in closed.says
    assert "retired" in closed.says
    assert not fresh(office, select(Desk.active).where(Desk.code == "open_door_provider_manager"))


def test_an_organisation_with_open_cases_is_not_retired(boss: Reader, opened: Callable[..., str]):
    opened()
    refused = save(boss, entry(boss, "organisation", "moh"), active=[])
    assert refused.status == 409
    assert "first" in " ".join(refused.alerts)


def test_a_desk_a_service_and_an_agreement_are_added(boss: Reader, office: Office):
    page = boss.open("/admin/directory/desk/new?under=open_door")
    done = save(boss, page, **NAMES, code="open_door_second", role="receiving_desk", governorate="lakemar")
    assert "Saved" in done.says
    again = save(boss, page, **NAMES, code="open_door_second", role="receiving_desk")
    assert again.status == 422
    assert "#entry-code" in again.links.values()

    category = fresh(
        office, select(Service.category).where(Service.code == fresh(office, select(Service.code).limit(1)))
    )
    page = boss.open("/admin/directory/service/new?under=open_door")
    done = save(
        boss,
        page,
        **NAMES,
        code="open_door_new",
        category=category,
        desk="open_door_second",
        coverage=["lakemar", "norvale"],
        slots="12",
        visibility="public",
        valid_until="2031-05-04",
    )
    assert "Saved" in done.says
    service = fresh(office, select(Service).where(Service.code == "open_door_new"))
    assert (service.slots, service.open_slots, service.livemode) == (12, 12, True)
    office.land.session.close()
    covered = office.land.session.scalars(
        select(ServiceCoverage.governorate).where(ServiceCoverage.service_id == service.id)
    )
    assert sorted(covered) == ["lakemar", "norvale"]

    page = boss.open("/admin/directory/agreement/new?under=open_door")
    absurd = save(boss, page, signed_on="2026-02-30")
    assert absurd.status == 422
    late = save(boss, page, signed_on="2026-02-10", expires_on="2020-01-01")
    assert late.status == 422
    assert "Saved" in save(boss, page, signed_on="2026-02-10", expires_on="2031-01-01").says
    assert fresh(office, select(SharingAgreement).where(SharingAgreement.signed_on == date(2026, 2, 10))) is not None


def test_a_service_keeps_what_its_provider_counts(boss: Reader, office: Office):
    code = fresh(office, select(Service.code).order_by(Service.code).limit(1))
    before = fresh(office, select(Service).where(Service.code == code))
    free, verified, version = before.open_slots, before.last_verified_on, before.version
    assert "Saved" in save(boss, entry(boss, "service", code), **NAMES, slots="77").says
    after = fresh(office, select(Service).where(Service.code == code))
    assert (after.slots, after.open_slots, after.last_verified_on, after.version) == (77, free, verified, version + 1)
    assert save(boss, entry(boss, "service", code), slots="many").status == 422
    assert save(boss, entry(boss, "service", code), coverage=["atlantis"]).status == 422
    assert save(boss, entry(boss, "service", code), coverage=[]).status == 422


@pytest.mark.parametrize(
    "address",
    ["/admin/directory/planet?key=x", "/admin/directory/desk?key=nobody", "/admin/directory/desk/new?under=nobody"],
)
def test_what_is_not_there_is_not_found(boss: Reader, address: str):
    assert boss.open(address).status == 404


def test_others_do_not_come_in(handler: Reader, office: Office):
    for address in ("/admin/directory", "/admin/directory/desk?key=x", "/admin/directory/organisation/new"):
        assert handler.open(address).status == 403


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_it_is_all_there_in_the_readers_language(office: Office, reader: Readers, language: str):
    one = reader(administrator(office), language)
    service = fresh(office, select(Service.code).limit(1))
    for address in (
        "/admin/directory",
        "/admin/directory/organisation?key=moh",
        f"/admin/directory/service?key={service}",
        "/admin/directory/agreement/new?under=moh",
        "/admin/directory/service/new?under=moh",
    ):
        page = one.open(address)
        assert (page.status, page.language, page.direction) == (200, language, "rtl")
