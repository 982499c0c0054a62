"""The sandbox: a partner tries its program with a test key, and nobody else ever meets what it makes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from nrm.actions._action import transact
from nrm.actions.keys import issue_key
from nrm.actions.sandbox import prepare_sandbox
from nrm.actions.seeding import load_pack
from nrm.actors import SYSTEM
from nrm.countries import read_pack
from nrm.jobs.hand import holding
from nrm.jobs.kinds import QUEUES
from nrm.jobs.table import claim
from nrm.models import Case, Delivery, Job, Notification, Organisation, Person, Referral, Service
from nrm.queries.verify import verify_all
from nrm.rules.permissions import SCOPES
from nrm.worker.handlers import HANDLERS
from tests.api.conftest import Browser, Office
from tests.api.test_oauth import organisation
from tests.installations import TESTLAND


def run_due() -> None:
    """Do the jobs that are due, as the runner does."""
    while jobs := transact(
        SYSTEM, lambda work: claim(work.session, owner="test", queues=QUEUES, limit=1, now=work.now)
    ):
        with holding(jobs[0]):
            HANDLERS[jobs[0].kind](jobs[0])


@pytest.fixture
def trial(office: Office) -> Callable[..., Browser]:
    """Give a partner's program with a test key."""

    def give(organisation_id: str = "", *, livemode: bool = False) -> Browser:
        whose = organisation_id or organisation(office)
        key = issue_key(SYSTEM, whose, name="trial", scopes=tuple(SCOPES), livemode=livemode)
        client = office.app.test_client(use_cookies=False)
        return Browser(client=client, headers={"Authorization": f"Bearer {key.text}"})

    return give


def count(office: Office, model: type[Any]) -> int:
    office.land.session.close()
    return int(office.land.session.execute(select(func.count()).select_from(model)).scalar_one())


def magic(program: Browser, code: str) -> str:
    services = program.get("/services?limit=100").get_json()["data"]
    return str(next(row["id"] for row in services if row["code"] == code))


def test_an_invented_referral_comes_in_and_is_answered(office: Office, trial: Callable[..., Browser]):
    ngo = trial()
    made = ngo.post("/sandbox/referrals", {"urgency": "urgent"})
    assert made.status_code == 201, made.text
    listed = ngo.get("/referrals").get_json()["data"]
    assert [(row["id"], row["state"], row["livemode"]) for row in listed] == [(made.get_json()["id"], "sent", False)]
    seen = ngo.get(f"/referrals/{listed[0]['id']}").get_json()
    assert seen["state"] == "acknowledged"
    assert seen["number"].startswith("REF-")
    answer = ngo.post(f"/referrals/{seen['id']}/accept", {"version": seen["version"]})
    assert (answer.status_code, answer.get_json()["state"]) == (200, "accepted")


def test_nobody_else_meets_what_a_sandbox_makes(office: Office, trial: Callable[..., Browser]):
    whose = organisation(office)
    ngo, live, other = trial(whose), trial(whose, livemode=True), trial(_another(office, whose))
    before = count(office, Notification), count(office, Delivery)
    office.land.session.execute(
        update(Organisation).where(Organisation.id == whose).values(channel="email", email="x@y.example")
    )
    office.land.session.commit()
    referral = ngo.post("/sandbox/referrals").get_json()["id"]
    case_id = office.land.session.execute(select(Referral.case_id).where(Referral.id == referral)).scalar_one()
    person_id = office.land.session.execute(select(Case.person_id).where(Case.id == case_id)).scalar_one()
    office.land.session.close()
    run_due()
    assert (count(office, Notification), count(office, Delivery)) == before, "no desk and no mailbox hears of it"
    for program in (live, other):
        assert program.get("/referrals").get_json()["data"] == []
        assert program.get(f"/referrals/{referral}").status_code == 404
        assert program.post(f"/referrals/{referral}/accept", {"version": 2}).status_code == 404
    assert all(not row["code"].startswith("sandbox_") for row in live.get("/services?limit=100").get_json()["data"])
    for role, place in (("case_handler", "norvale"), ("supervisor", "norvale"), ("reception", "norvale")):
        desk = office.browser(office.land.at_desk(role, place))
        assert desk.get(f"/people/{person_id}").status_code in (403, 404)
        assert desk.get(f"/cases/{case_id}").status_code == 404
        assert desk.get(f"/referrals/{referral}").status_code == 404
    receiver = office.browser(office.land.receiver(whose))
    assert receiver.get(f"/referrals/{referral}").status_code == 404
    assert receiver.get("/referrals").get_json()["data"] == []
    registrar = office.handler()
    assert registrar.post("/people/search", {"name": "Alpha Sandbox"}).get_json()["data"] == []
    codes = [row["code"] for row in registrar.get("/organisations?limit=100").get_json()["data"]]
    assert "sandbox_office" not in codes


def _another(office: Office, whose: str) -> str:
    found = select(Organisation.id).where(Organisation.kind == "ngo", Organisation.id != whose)
    return str(office.land.session.execute(found.order_by(Organisation.id)).scalars().first())


@pytest.mark.parametrize(
    ("service", "state"),
    [
        ("sandbox_accepts", "accepted"),
        ("sandbox_serves", "completed"),
        ("sandbox_declines", "declined"),
        ("sandbox_never_answers", "sent"),
    ],
)
def test_services_of_the_sandbox_answer_by_themselves(
    office: Office, trial: Callable[..., Browser], service: str, state: str
):
    ngo = trial()
    case = ngo.post("/sandbox/cases").get_json()
    assert case["number"].startswith("TEST-")
    sent = ngo.post("/referrals", {"case_id": case["id"], "service_id": magic(ngo, service), "reason": "Trying"})
    assert (sent.status_code, sent.get_json()["state"]) == (201, "sent"), sent.text
    run_due()
    found = ngo.get(f"/referrals/{sent.get_json()['id']}").get_json()
    assert (found["state"], found["livemode"]) == (state, False)


def test_time_passes_in_the_sandbox_and_nowhere_else(office: Office, trial: Callable[..., Browser]):
    ngo, other = trial(), trial(_another(office, organisation(office)))
    mine = ngo.post("/sandbox/referrals").get_json()
    theirs = other.post("/sandbox/referrals").get_json()
    now = office.clock.now()
    moved = ngo.post("/sandbox/clock", {"hours": 24 * 60})
    assert moved.get_json() == {"hours": 1440, "referrals": 1}
    for _ in range(12):
        run_due()
    assert ngo.get(f"/referrals/{mine['id']}").get_json()["state"] == "expired"
    assert other.get("/referrals").get_json()["data"][0]["reply_due_at"] == theirs["reply_due_at"]
    assert office.clock.now() == now
    assert ngo.post("/sandbox/clock", {"hours": 24}).get_json()["referrals"] == 0


def test_the_sandbox_is_closed_to_live_keys_and_to_people(office: Office, trial: Callable[..., Browser]):
    for asker in (trial(livemode=True), office.handler()):
        for path, body in (("/sandbox/referrals", {}), ("/sandbox/cases", {}), ("/sandbox/clock", {"hours": 1})):
            answer = asker.post(path, body)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "sandbox_only")
    assert count(office, Person) == 0


def test_a_test_key_chooses_only_its_own_test_services(office: Office, trial: Callable[..., Browser]):
    ngo = trial()
    ngo.post("/sandbox/cases")
    live = str(office.land.session.execute(select(Service.id).where(Service.livemode)).scalars().first())
    for service in (live, magic(ngo, "sandbox_accepts"), "svc_" + "0" * 26):
        answer = ngo.post("/sandbox/referrals", {"service_id": service})
        assert (answer.status_code, answer.get_json()["errors"][0]["code"]) == (422, "unknown_service")
    for body in ({"hours": 0}, {"hours": 10_000}, {}, {"hours": "1"}):
        assert ngo.post("/sandbox/clock", body).status_code == 422


def test_a_sandbox_leaves_records_whole_and_the_pack_as_it_is(office: Office, trial: Callable[..., Browser]):
    whose = organisation(office)
    assert prepare_sandbox(SYSTEM, whose) == prepare_sandbox(SYSTEM, whose)
    ngo = trial(whose)
    ngo.post("/sandbox/referrals")
    ngo.post("/sandbox/cases")
    run_due()
    office.clock.move(timedelta(days=1))
    assert list(verify_all()) == []
    report = load_pack(SYSTEM, read_pack(TESTLAND))
    assert "sandbox" not in str(report)
    assert office.land.session.execute(select(func.count()).where(Job.state == "dead")).scalar_one() == 0
