"""Letters that come in, over HTTP."""

from __future__ import annotations

from sqlalchemy import select

from nrm.models import Desk
from tests.api.conftest import Office
from tests.api.test_walk import registered, with_case


def test_a_clerk_registers_a_letter_and_adds_it_to_its_case(office: Office):
    handler = office.handler()
    case = with_case(handler, registered(handler))
    desk = office.land.session.execute(select(Desk.id).where(Desk.code == "moh_case_handler_norvale")).scalar_one()
    today = office.clock.now().date().isoformat()
    body = {"desk_id": desk, "received_on": today, "subject": "A question about somebody", "sender": "An office"}
    made = handler.post("/incoming-letters", body | {"their_number": "ص/٤٥"})
    assert made.status_code == 201, made.text
    (line,) = handler.get(f"/incoming-letters?unlinked=true&desk={desk}").get_json()["data"]
    assert (line["number"], line["their_number"], line["sender"]) == (1, "ص/45", "An office")
    link = handler.post(f"/incoming-letters/{line['id']}/link", {"case_id": case["id"], "version": line["version"]})
    assert link.status_code == 200, link.text
    assert handler.get("/incoming-letters?unlinked=true").get_json()["data"] == []
    read = handler.get(f"/incoming-letters/{line['id']}").get_json()
    assert read["case_id"] == case["id"]


def test_a_letter_without_a_sender_or_from_tomorrow_is_refused_with_the_place(office: Office):
    handler = office.handler()
    desk = office.land.session.execute(select(Desk.id).where(Desk.code == "moh_case_handler_norvale")).scalar_one()
    body = {"desk_id": desk, "received_on": "2999-01-01", "subject": "A question"}
    refused = handler.post("/incoming-letters", body)
    assert refused.status_code == 422
    assert {entry["pointer"] for entry in refused.get_json()["errors"]} == {"/sender", "/received_on"}
