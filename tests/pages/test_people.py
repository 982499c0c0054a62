"""Finding, registering and knowing a person, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from nrm.actions.cases import open_case
from nrm.actions.people import register_person
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.models import Event, Person
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader
from tests.people_data import AZAD, SHIRIN, person

SOUGHT = {"own": "شيرين", "father": "دلشاد", "grandfather": "سردار"}


def search(one: Reader, **sought: Any) -> Page:
    return one.send(one.open("/people"), "/people/search", **sought)


def nobody(one: Reader, page: Page, **sought: Any) -> Page:
    return one.send(page, "/people/new", **sought)


def with_case(data: dict[str, object], place: str = "norvale", level: str = "standard") -> str:
    made = register_person(SYSTEM, data).id
    open_case(SYSTEM, made, governorate=place, level=level, path=None)
    return made


def count_people() -> int:
    db.session.remove()
    return len(db.session.scalars(select(Person.id)).all())


@pytest.mark.parametrize("name", ["ئازاد محەمەد", "Azad Mohamad", "ازاد محمد"])
def test_a_person_is_found_however_the_name_is_spelled_with_why_it_fits(handler: Reader, name: str):
    person_id = with_case(AZAD)
    page = search(handler, own=name)
    assert f"/people/{person_id}" in page.links.values()
    assert "name" in page.says
    assert "Has an open case" in page.says
    assert page.inline == []


def test_a_person_of_another_office_is_covered_and_the_page_says_whom_to_ask(handler: Reader):
    person_id = with_case(AZAD, place="lakemar")
    page = search(handler, own="آزاد", father="محمد", phone="0770 123 4567")
    assert f"/people/{person_id}" not in page.links.values()
    assert "Ask:" in page.says
    assert "گوڵاڵە" not in page.text
    assert "1987-05-12" not in page.text
    assert handler.open(f"/people/{person_id}").status == 404
    assert handler.open(f"/people/{person_id}/open-case").status == 404


def test_a_strict_case_is_not_even_hinted_at(handler: Reader):
    with_case(AZAD, place="lakemar", level="strict")
    assert "Nobody was found" in search(handler, own="آزاد", father="محمد").says


def test_nothing_to_search_by_is_told_at_the_field(handler: Reader):
    page = search(handler, born="1990")
    assert page.status == 422
    assert any("at least a name" in alert for alert in page.alerts)
    assert "#own" in page.links.values()
    broken = search(handler, own="x", born="soon", phone="12")
    assert {"#born", "#phone"} <= set(broken.links.values())


def test_somebody_who_is_not_there_is_registered_after_the_search_and_gets_a_case(handler: Reader):
    form = nobody(handler, search(handler, **SOUGHT))
    assert 'value="دلشاد"' in form.text

    made = handler.send(form, "/people", born="1970", sex="female", governorate="norvale", phone="+9647801234567")
    assert "The person is registered" in made.says
    assert "No case that you may see." in made.says

    asked = handler.open(made.links["Open a case"])
    case = handler.send(asked, "/open-case", path="hello", arrived_on="2026-01-05")
    assert "Where the case stands" in case.says
    again = handler.open(case.links["شيرين دلشاد سردار"])
    assert "Open a case" not in again.links
    assert any(link.startswith("/cases/cas_") for link in again.links.values())


def test_nobody_registers_without_a_search(handler: Reader):
    assert not handler.open("/people").leads("/people/new")
    token = dict(handler.open("/people").form("/people/search").fields)["token"]
    page = handler.post("/people/new", {"token": token})
    assert page.leads("/people/search")


def test_somebody_very_like_a_registered_person_is_looked_at_first(handler: Reader):
    with_case(AZAD)
    form = nobody(handler, search(handler, own="Nobody Like"), own="", father="")
    # The search named somebody else: the form leads to the search again.
    assert form.leads("/people/search")
    form = nobody(handler, search(handler, own="Nobody Like"))
    before = count_people()
    names = {"own": "آزاد", "father": "محمد", "grandfather": "عبد الرحمن", "surname": "البرزنجي", "mother": "گوڵاڵە"}
    told = handler.send(form, "/people", born="1987-05-12", phone="0770 123 4567", **names)
    assert told.status == 409
    assert "Somebody very like this is registered" in told.says
    assert count_people() == before

    made = handler.send(told, "/people", born="1987-05-12", phone="0770 123 4567", **names)
    assert made.status == 200
    assert count_people() == before + 1
    assert "May be the same person" in made.says


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"own": ""}, "#own"),
        ({"born": "31.12.1990"}, "#born"),
        ({"phone": "", "phone2": "12"}, "#phone2"),
        ({"governorate": "nowhere"}, "#governorate"),
        ({"paper_kind": "", "paper_number": "A 1"}, "#paper_kind"),
        ({"safe_note": "a\x00b"}, "#safe_note"),
        ({"sex": "purple"}, "#sex"),
    ],
)
def test_a_mistake_in_the_form_is_told_at_its_field_and_nothing_typed_is_lost(handler: Reader, sent: Any, field: str):
    form = nobody(handler, search(handler, own="Sana", father="Example"))
    before = count_people()
    page = handler.send(form, "/people", **{"surname": "Invented", **sent})
    assert page.status == 422
    assert field in page.links.values()
    assert 'value="Invented"' in page.text
    assert count_people() == before


def test_numbers_are_covered_until_asked_for_and_the_reading_is_recorded(handler: Reader):
    person_id = with_case(AZAD)
    page = handler.open(f"/people/{person_id}")
    assert "+9647701234567" not in page.text
    assert "A 1234567" not in page.text
    assert "•••• 67" in page.says

    shown = handler.send(page, "/uncover")
    assert "+9647701234567" in shown.text
    assert "A 1234567" in shown.text
    assert handler.actor is not None
    db.session.remove()
    read = db.session.scalars(
        select(Event).where(Event.kind == "record.read", Event.subject_id == person_id).order_by(Event.seq)
    ).all()
    assert [(event.stream, event.data.get("purpose")) for event in read] == [
        (handler.actor.id, None),
        (handler.actor.id, "contact"),
    ]


def test_a_paper_is_added_and_a_wrong_one_is_told(handler: Reader):
    page = handler.open(f"/people/{with_case(SHIRIN)}")
    wrong = handler.send(page, "/papers", paper_kind="drawing", paper_number="B 99")
    assert wrong.status == 422
    assert "#paper_kind" in wrong.links.values()
    added = handler.send(page, "/papers", paper_kind="passport", paper_number="B 9988776")
    assert "The paper is added." in added.says
    assert "•••• 76" in added.says


def test_a_household_is_begun_a_member_found_and_taken_out_again(handler: Reader):
    mother, son = with_case(SHIRIN), with_case(person(AZAD, phones=[]))
    page = handler.send(handler.open(f"/people/{mother}"), "/household", do="begin", role="head")
    assert "The household is changed." in page.says
    assert "Head" in page.says
    sought = handler.send(handler.open(page.links["Find or register a member"]), "/people/search", own="آزاد محمد")
    joined = handler.send(sought, f"/{son}/household", role="child")
    assert f"/people/{mother}" in joined.links.values()
    assert joined.says.count("no valid consent") == 2

    left = handler.send(joined, f"/{son}/household", do="leave")
    assert "In no household." in left.says
    token = dict(left.form("/household").fields)["token"]
    assert handler.post(f"/people/{son}/household", {"token": token, "household": "nonsense"}).status == 404
    assert handler.open("/people?household=nonsense").status == 404


def test_two_entries_are_compared_joined_and_taken_apart(handler: Reader):
    keep = with_case(AZAD)
    assert handler.actor is not None
    other = register_person(handler.actor, person(AZAD, born="1987"), known=[keep]).id
    beside = handler.open(handler.open(f"/people/{keep}").links["Compare"])
    assert "differs" in beside.says
    assert "+9647701234567" not in beside.text

    joined = handler.send(beside, f"/people/{keep}/merge")
    assert "The two entries are joined." in joined.says
    assert handler.open(f"/people/{other}").status == 404
    stale = handler.send(beside, f"/people/{other}/merge")
    assert stale.status in {404, 409}

    apart = handler.send(joined, "/unmerge")
    assert "separate again" in apart.says
    assert handler.open(f"/people/{other}").status == 200


def test_only_who_may_join_sees_the_buttons(office: Office, reader: Callable[..., Reader]):
    one, two = with_case(AZAD), with_case(person(SHIRIN, names={"own": "Other"}))
    at = office.land.at_desk("case_handler", "norvale").seats[0]
    officer = reader(office.land.seat(at.desk_id, at.organisation_id, "intake_officer"))
    page = officer.open(f"/people/{one}/beside/{two}")
    assert not page.leads("/merge")
    token = dict(officer.open("/work").form("/sign-out").fields)["token"]
    assert officer.post(f"/people/{one}/merge", {"token": token, "other": two}).status == 403


def test_whoever_protects_data_reads_the_whole_ledger_without_the_person(
    office: Office, reader: Callable[..., Reader], handler: Reader
):
    person_id = with_case(AZAD)
    assert handler.open(f"/people/{person_id}/ledger").status == 403
    seat = office.land.seat(None, office.land.at_desk("supervisor", "norvale").seats[0].organisation_id, "auditor")
    page = reader(seat).open(f"/people/{person_id}/ledger")
    assert page.status == 200
    assert "Nothing was shared." in page.says
    assert "آزاد" not in page.text
    assert reader(seat).open("/people").status == 403


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"arrived_on": "soon"}, "#arrived_on"),
        ({"path": "no_such"}, "#path"),
        ({"governorate": "nowhere"}, "#governorate"),
        ({"programme": "x\x00"}, "#programme"),
    ],
)
def test_a_case_is_not_opened_with_a_mistake(handler: Reader, sent: Any, field: str):
    assert handler.actor is not None
    made = register_person(handler.actor, SHIRIN).id
    page = handler.send(handler.open(f"/people/{made}/open-case"), "/open-case", **{"governorate": "norvale", **sent})
    assert page.status == 422
    assert field in page.links.values()


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("ckb", "rtl")])
def test_the_pages_are_there_in_each_language(office: Office, reader, language: str, direction: str):
    person_id = with_case(AZAD)
    one = reader(office.land.at_desk("supervisor", "norvale"), language)
    register = nobody(one, search(one, own="Sana"))
    found = search(one, own="آزاد محمد")
    opened = [one.open(path) for path in ("/people", f"/people/{person_id}")]
    for page in (found, register, *opened):
        assert (page.status, page.language, page.direction, page.inline) == (200, language, direction, [])
    assert one.open(f"/people/{person_id}/open-case").status == 200


@pytest.mark.parametrize("path", ["/people/%00", "/cases/%00/consent", "/tasks/%00", "/cases?number=%00"])
def test_an_address_that_no_row_can_have_leads_nowhere(handler: Reader, path: str):
    assert handler.open(path).status == 404


def test_who_opens_a_case_that_another_desk_works_on_reads_that_it_is_open(office: Office, reader):
    desk = reader(office.land.at_desk("reception", "norvale"))
    made = desk.send(nobody(desk, search(desk, **SOUGHT)), "/people", born="1970", sex="female", governorate="norvale")
    opened = desk.send(desk.open(made.links["Open a case"]), "/open-case", path="hello")
    assert opened.status == 200
    assert "The case is open. The desk that works on it has it now." in opened.says
