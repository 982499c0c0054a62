"""Complaints over HTTP: the public door, the desk that sees to them, the path for a case."""

from __future__ import annotations

import pytest

from tests.api.conftest import Office
from tests.api.test_walk import registered, with_case

SAID = {"category": "service", "text": "Nobody answered me", "governorate": "norvale"}


def test_somebody_without_a_name_complains_and_asks_later(office: Office):
    anybody = office.browser(None)
    made = anybody.post("/public/complaints", SAID)
    assert made.status_code == 201, made.text
    assert set(made.get_json()) == {"receipt"}
    receipt = made.get_json()["receipt"]
    assert anybody.post("/public/complaints/state", {"receipt": receipt}).get_json()["state"] == "received"

    officer = office.browser(office.land.at_desk("coordinator", "norvale"))
    (line,) = officer.get("/complaints?state=received").get_json()["data"]
    assert "text" not in line
    assert officer.get(f"/complaints/{line['id']}").get_json()["text"] == SAID["text"]
    taken = officer.post(f"/complaints/{line['id']}/take-up", {"version": line["version"]})
    assert taken.get_json()["state"] == "in_hand"
    answer = {"text": "It is mended.", "version": taken.get_json()["version"]}
    assert officer.post(f"/complaints/{line['id']}/answer", answer).status_code == 200
    told = anybody.post("/public/complaints/state", {"receipt": receipt.lower()}).get_json()
    assert (told["state"], told["answer"]) == ("answered", "It is mended.")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/category"), ({"category": "weather"}, "/category"), ({"text": ""}, "/text"), ({"threat": "?"}, "/threat")],
)
def test_a_complaint_that_cannot_be_read_is_answered_with_the_place(office: Office, body: dict, pointer: str):
    said = SAID | body if body else {"text": "x"}
    refused = office.browser(None).post("/public/complaints", said)
    assert refused.status_code == 422
    assert pointer in {entry["pointer"] for entry in refused.get_json()["errors"]}


def test_an_unknown_receipt_and_a_hundred_knocks(office: Office):
    anybody = office.browser(None)
    unknown = anybody.post("/public/complaints/state", {"receipt": "0123-4567-89AB-CDEF-GHJK"})
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "unknown_receipt")
    answers = [anybody.post("/public/complaints", SAID) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_staff_start_the_path_by_the_number_of_a_case(office: Office):
    handler = office.handler()
    case = with_case(handler, registered(handler))
    assert handler.post("/complaints", {"case_number": case["number"]}).status_code == 403
    officer = office.browser(office.land.at_desk("coordinator", "norvale"))
    assert officer.post("/complaints", {"case_number": "TL-26-00000-0"}).status_code == 404
    # The small country of the tests has no path of this name: that is said, and nothing is written.
    started = officer.post("/complaints", {"case_number": case["number"]})
    assert (started.status_code, started.get_json()["code"]) == (409, "path_cannot_start")
