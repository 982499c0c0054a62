"""The events feed before its door: going on, waiting, and refusals that say what to do."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select

from api.transport.waiting import SEATS, Seats
from api.v1 import events as door
from nrm.actions.keys import revoke_key
from nrm.actors import SYSTEM
from nrm.credentials import secret_hash
from nrm.db import db
from nrm.installation import installation
from nrm.models import ApiKey, Organisation, Referral
from tests.api.conftest import Browser, Office
from tests.api.test_keys import Issue, program, sent_referral

assert program  # a fixture


def uninvolved(office: Office) -> str:
    """Give an organisation that neither sent nor got a referral."""
    session = office.land.session
    involved = select(Referral.from_organisation_id).union(select(Referral.to_organisation_id))
    found = session.execute(select(Organisation.id).where(Organisation.active, Organisation.id.not_in(involved)))
    organisation_id = str(found.scalars().first())
    session.close()
    return organisation_id


def test_a_program_goes_on_after_the_last_event_that_it_saw(office: Office, program: Issue):
    referral_id, receiver = sent_referral(office)
    ngo = program(receiver)
    first = ngo.get("/events").get_json()
    assert [event["type"] for event in first["data"]] == ["referral.sent"]
    event = first["data"][0]
    assert event["subject"] == referral_id
    assert event["data"]["state"] == "sent"
    assert event["time"] == event["timestamp"]
    assert len(str(event)) < 2000
    version = ngo.get(f"/referrals/{referral_id}").get_json()["version"]
    ngo.post(f"/referrals/{referral_id}/accept", {"version": version})
    later = ngo.get(f"/events?after={event['id']}&types=referral.accepted,referral.declined").get_json()
    assert [event["type"] for event in later["data"]] == ["referral.accepted"]
    assert ngo.get(f"/events?after={later['data'][0]['id']}&types=referral.accepted").get_json()["data"] == []


def test_other_organisations_and_keys_without_the_scope_get_nothing(office: Office, program: Issue):
    referral_id, receiver = sent_referral(office)
    assert program(uninvolved(office)).get("/events").get_json()["data"] == []
    assert referral_id
    answer = program(receiver, "referrals:read").get("/events")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "scope_missing")
    handler = office.handler(name="two")
    assert handler.get("/events").status_code == 403


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("after=evt_00000000000000000000000000", "unknown_event"),
        ("after=nonsense", "not_an_id"),
        ("types=referral.sent,nonsense", "unknown_event_type"),
        ("wait=26", "out_of_range"),
        ("wait=-1", "wrong_type"),
        ("limit=0", "out_of_range"),
    ],
)
def test_a_wrong_question_is_answered_with_what_to_write(office: Office, program: Issue, query: str, code: str):
    answer = program().get(f"/events?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["code"] == code


def test_an_event_of_another_organisation_looks_like_none(office: Office, program: Issue):
    _, receiver = sent_referral(office)
    event = program(receiver).get("/events").get_json()["data"][0]["id"]
    answer = program(uninvolved(office)).get(f"/events?after={event}")
    assert (answer.status_code, answer.get_json()["errors"][0]["code"]) == (422, "unknown_event")


def test_a_program_that_waits_is_answered_when_something_happens(
    office: Office, program: Issue, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(door, "LOOK_SECONDS", 0.05)
    referral_id, receiver = sent_referral(office)
    ngo = program(receiver)
    last = ngo.get("/events").get_json()["data"][-1]["id"]
    version = ngo.get(f"/referrals/{referral_id}").get_json()["version"]
    last = ngo.get(f"/events?after={last}").get_json()["data"][-1]["id"]
    found: list[str] = []

    def wait() -> None:
        with office.app.app_context():
            answer = ngo.get(f"/events?after={last}&wait=20")
            found.extend(event["type"] for event in answer.get_json()["data"])

    waiting = threading.Thread(target=wait)
    started = time.monotonic()
    waiting.start()
    time.sleep(0.3)
    held = []
    for _ in range(20):
        db.session.remove()
        held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]  # both databases keep a pool
        time.sleep(0.01)
    assert min(held) == 0, "who waits holds no connection"
    ngo.post(f"/referrals/{referral_id}/accept", {"version": version})
    waiting.join(15)
    assert "referral.accepted" in found
    assert time.monotonic() - started < 10


def test_a_key_that_is_revoked_while_its_program_waits_gets_nothing_more(
    office: Office, program: Issue, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(door, "LOOK_SECONDS", 0.05)
    referral_id, receiver = sent_referral(office)
    ngo, other = program(receiver), program(receiver)
    version = other.get(f"/referrals/{referral_id}").get_json()["version"]
    last = ngo.get("/events").get_json()["data"][-1]["id"]
    found: list[int] = []

    def wait() -> None:
        with office.app.app_context():
            found.append(ngo.get(f"/events?after={last}&wait=20&types=referral.accepted").status_code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    revoke_key(SYSTEM, _key_id(ngo, office))
    other.post(f"/referrals/{referral_id}/accept", {"version": version})
    waiting.join(15)
    assert found == [401]


def _key_id(browser: Browser, office: Office) -> str:
    text = browser.headers["Authorization"].removeprefix("Bearer ")
    found = office.land.session.execute(select(ApiKey.id).where(ApiKey.key_sha256 == secret_hash(text))).scalar_one()
    office.land.session.close()
    return str(found)


def test_who_finds_no_seat_to_wait_on_is_answered_at_once(office: Office, program: Issue):
    ngo = program()
    with SEATS.take("org_1", most=9), SEATS.take("org_2", most=9):
        assert installation().config.long_polls == 2
        started = time.monotonic()
        answer = ngo.get("/events?wait=25")
        assert time.monotonic() - started < 5
    assert answer.status_code == 200
    assert answer.get_json() == {"data": [], "has_more": False}
    assert answer.headers["Retry-After"] == "5"


def test_one_organisation_never_takes_two_seats():
    seats = Seats()
    with (
        seats.take("org_1", most=2) as first,
        seats.take("org_1", most=2) as again,
        seats.take("org_2", most=2) as other,
    ):
        assert (first, again, other) == (True, False, True)
        with seats.take("org_3", most=2) as late:
            assert not late
    with seats.take("org_1", most=1) as free:
        assert free
