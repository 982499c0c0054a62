"""Changing what is recorded of a person, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.actions.cases import open_case
from nrm.actions.people import change_person, register_person
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.models import Event, IdentityDocument
from nrm.queries.person_records import load_people
from nrm.rules.identity import PersonData
from tests.api.conftest import Office
from tests.pages.conftest import Reader
from tests.people_data import AZAD, person


@pytest.fixture
def azad(office: Office) -> str:
    """Somebody with a case at Norvale."""
    made = register_person(SYSTEM, AZAD).id
    open_case(SYSTEM, made, governorate="norvale", path=None)
    return made


def known(person_id: str) -> PersonData:
    db.session.remove()
    found = load_people(db.session(), [person_id])[person_id]
    db.session.remove()
    return found


def reads(person_id: str) -> int:
    db.session.remove()
    found = select(Event.id).where(Event.kind == "record.read", Event.subject_id == person_id)
    number = len(db.session.scalars(found).all())
    db.session.remove()
    return number


def test_a_name_is_corrected_and_the_covered_telephone_stays(handler: Reader, azad: str):
    page = handler.open(handler.open(f"/people/{azad}").links["Change"])
    assert "770123" not in page.text
    saved = handler.send(page, "/edit", grandfather="عبدالله", born="1987", estimated="1", mother="")
    assert "The changes are saved." in saved.says
    data = known(azad)
    assert (data.names["grandfather"], data.born, data.precision) == ("عبدالله", "1987", "estimated")
    assert "mother" not in data.names
    assert data.phones == ("+9647701234567",)


def test_a_telephone_is_changed_after_a_recorded_look_at_it(handler: Reader, azad: str):
    page = handler.open(f"/people/{azad}/edit")
    before = reads(azad)
    sent = {**dict(page.form("/edit").fields), "father": "أحمد"}
    shown = handler.post(f"/people/{azad}/edit/contact", sent)
    assert reads(azad) == before + 1
    sent = dict(shown.form("/edit").fields)
    assert (sent["phone"], sent["father"]) == ("+9647701234567", "أحمد")
    saved = handler.send(shown, "/edit", phone="0780 765 4321", address_line="An invented street")
    assert saved.status == 200
    assert "780 765 4321" not in saved.text
    assert "+9647807654321" not in saved.text
    data = known(azad)
    assert (data.phones, data.names["father"]) == (("+9647807654321",), "أحمد")
    assert data.address["line"] == "An invented street"


def test_what_a_colleague_saved_meanwhile_stands_beside_what_one_typed(handler: Reader, azad: str):
    page = handler.open(f"/people/{azad}/edit")
    change_person(SYSTEM, azad, {"names": {"grandfather": "كريم"}, "sex": "female"}, version=None)
    told = handler.send(page, "/edit", grandfather="عبدالله")
    assert told.status == 409
    assert "كريم" in told.says
    assert "عبدالله" in told.says
    assert known(azad).names["grandfather"] == "كريم", "nothing was overwritten"
    assert dict(told.form("/edit").fields)["grandfather"] == "عبدالله", "nothing is lost"
    saved = handler.send(told, "/edit", sex="female")
    assert "The changes are saved." in saved.says
    assert (known(azad).names["grandfather"], known(azad).sex) == ("عبدالله", "female")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"own": "", "latin": ""}, "#own"),
        ({"born": "12.5.1987"}, "#born"),
        ({"governorate": "atlantis"}, "#governorate"),
        ({"safe_note": "x" * 501}, "#safe_note"),
        ({"uncovered": "1", "phone": "12"}, "#phone"),
        ({"uncovered": "1", "address_line": "x" * 501}, "#address_line"),
    ],
)
def test_what_cannot_be_taken_is_told_at_its_field(handler: Reader, azad: str, typed: dict[str, str], field: str):
    told = handler.send(handler.open(f"/people/{azad}/edit"), "/edit", **typed)
    assert told.status == 422
    assert field in told.links.values()
    assert known(azad).names == person(AZAD)["names"]


def test_a_paper_is_lost_and_its_number_stays_covered(handler: Reader, azad: str):
    page = handler.open(f"/people/{azad}")
    address = next(link for link in page.links.values() if "/papers/idd_" in link)
    form = handler.open(address)
    assert "1234567" not in form.text
    wrong = handler.send(form, address, expires_on="soon", paper_status="")
    assert wrong.status == 422
    assert {"#expires_on", "#paper_status"} & set(wrong.links.values())
    lost = handler.send(form, address, paper_status="lost", expires_on="2030-01-31")
    assert "The paper is changed." in lost.says
    db.session.remove()
    paper = db.session.scalars(select(IdentityDocument)).one()
    assert (paper.status, str(paper.expires_on)) == ("lost", "2030-01-31")
    assert paper.number
    db.session.remove()


def test_a_stranger_changes_nobody(office: Office, reader: Callable[..., Reader], azad: str):
    outside = reader(office.land.at_desk("case_handler", "lakemar", "far"))
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    for address in ("edit", "papers/idd_x"):
        assert outside.open(f"/people/{azad}/{address}").status == 404
    for address in ("edit", "edit/contact", "papers/idd_x"):
        assert outside.post(f"/people/{azad}/{address}", {"token": token, "version": "1"}).status == 404
    receiver = reader(office.land.receiver_of("mow_coast"))
    assert receiver.open(f"/people/{azad}/edit").status in {403, 404}


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_the_form_reads_in_the_readers_language(
    office: Office, reader: Callable[..., Reader], azad: str, language: str
):
    one = reader(office.land.at_desk("case_handler", "norvale", "one"), language)
    page = one.open(f"/people/{azad}/edit")
    assert (page.status, page.language, page.inline) == (200, language, [])
    change_person(SYSTEM, azad, {"names": {"grandfather": "كريم"}}, version=None)
    assert one.send(page, "/edit").status == 409
