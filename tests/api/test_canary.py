"""A name that must not get out: a whole referral with it in every field, then a look into everything that left.

Logs, webhooks, mails, addresses, figures, jobs, events and notices hold ids and codes; the name itself stays in the
columns that are there for it.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, or_, select, text

from api import logs
from nrm.config import AllowedHost
from nrm.db import Base, db
from nrm.installation import install, installation
from nrm.models import Job, Organisation, WebhookDelivery
from nrm.worker.loop import Runner
from tests.api import test_walk
from tests.api.conftest import Browser, Office
from tests.api.test_keys import Issue, program
from tests.api.test_walk import consented, receiver_of, registered, some_service, with_case
from tests.receiver import Receiver

assert program  # a fixture

CANARY = "Zanarilla"
PERSON = {
    "names": {"own": CANARY, "father": CANARY, "surname": CANARY, "mother": CANARY},
    "documents": [{"kind": "passport", "number": "ZANARILLA7"}],
    "born": "1991-04-02",
    "sex": "male",
    "governorate": "norvale",
}
OPEN_TABLES = (
    "deliveries",
    "event_heads",
    "events",
    "incidents",
    "jobs",
    "notifications",
    "outcomes",
    "run_steps",
    "runs",
    "webhook_deliveries",
    "webhook_endpoints",
)
"""Tables of which nothing may tell a name."""


@pytest.fixture(autouse=True)
def named(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the returnee bear the name, and give the log back afterwards."""
    monkeypatch.setattr(test_walk, "PERSON", PERSON)
    yield
    logs.configure("error")


@pytest.fixture
def receiver(office: Office, tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path / "certificates")
    host = AllowedHost(host="localhost", port=made.port, network=ipaddress.ip_network("127.0.0.0/8"))
    config = replace(installation().config, outbound_allowed=(host,), outbound_ca_file=str(made.ca_file))
    install(config, office.clock)
    yield made
    made.close()


def referral_with_the_name(office: Office, provider: Callable[[str], Browser], key: Issue, url: str) -> Browser:
    """Walk a referral to its end with the name wherever a text can be written, and give the sender's browser."""
    owner = office.handler()
    person = registered(owner)
    case = with_case(owner, person)["id"]
    consent = consented(owner, case)
    service = some_service(office, "JOB")
    with db.engine.begin() as connection:
        connection.execute(
            Organisation.__table__.update()
            .where(Organisation.id == service.organisation_id)
            .values(channel="email", email="desk@ngo.example")
        )
    assert owner.actor is not None
    for organisation in (service.organisation_id, owner.actor.organisations[0]):
        assert key(organisation).post("/webhook_endpoints", {"url": url}).status_code == 201
    owner.post(f"/cases/{case}/notes", {"text": CANARY})
    owner.post("/people/search", {"name": CANARY})
    made = owner.post(
        "/referrals",
        {"case_id": case, "service_id": service.id, "reason": f"{CANARY} wants to work", "expected_result": CANARY},
    ).get_json()
    ngo = provider(service.organisation_id)

    def do(browser: Browser, verb: str, **fields: object) -> None:
        version = browser.get(f"/referrals/{made['id']}").get_json()["version"]
        answer = browser.post(f"/referrals/{made['id']}/{verb}", {"version": version, **fields})
        assert answer.status_code == 200, (verb, answer.text)

    do(ngo, "request-info", note=f"Is {CANARY} there?")
    do(owner, "answer", note=f"{CANARY} is")
    do(ngo, "accept", note=CANARY)
    do(ngo, "schedule", at="2026-03-09T08:00:00Z", place=f"with {CANARY}")
    do(ngo, "start")
    do(ngo, "progress", note=CANARY)
    assert ngo.post(f"/referrals/{made['id']}/messages", {"text": CANARY}).status_code == 201
    do(ngo, "complete", outcome="provided", note=CANARY)
    # What goes wrong must not tell it either.
    owner.client.get(f"/api/v1/{CANARY}?name={CANARY}")
    owner.client.get(f"/api/v1/referrals?direction={CANARY}")
    owner.client.post("/api/v1/people", data=f'{{"person": "{CANARY}"', content_type="application/json")
    owner.post(f"/consents/{consent}/withdraw", {"version": 1})
    return owner


def work_off(office: Office, receiver: Receiver) -> None:
    """Let the runner do everything that is due, and send all webhooks."""
    runner = Runner(office.app.app_context, threads=1, poll_seconds=0.05)
    thread = threading.Thread(target=runner.run)
    thread.start()
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            time.sleep(0.2)
            db.session.remove()
            due = select(func.count()).where(or_(Job.state == "running", Job.due_at <= office.clock.now()))
            waiting = select(func.count()).where(WebhookDelivery.state == "waiting")
            if receiver.got and not db.session.execute(due).scalar() and not db.session.execute(waiting).scalar():
                return
    finally:
        runner.stop()
        thread.join(30)
        db.session.remove()
    raise AssertionError("something was left over")


def test_a_name_stays_where_it_belongs(
    office: Office,
    program: Issue,
    receiver: Receiver,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    logs.configure("debug")  # here, where standard error is what `capfd` reads
    capfd.readouterr()
    owner = referral_with_the_name(office, lambda one: receiver_of(office, one), program, receiver.url)
    work_off(office, receiver)
    office.clock.move(timedelta(days=5))
    work_off(office, receiver)
    written = capfd.readouterr()
    mails = [file.read_text() for file in (installation().config.data_dir / "mail").glob("*.eml")]
    left = {
        "log of the web process": written.err + written.out,
        "log of the runner": caplog.text,
        "webhooks": "\n".join(f"{got.path} {dict(got.headers)} {got.body.decode()}" for got in receiver.got),
        "mails": "\n".join(mails),
        "figures": owner.client.get("/metrics").text,
        "tables": "\n".join(_rows(table) for table in OPEN_TABLES),
    }
    assert {place: text for place, text in left.items() if CANARY.lower() in text.lower()} == {}
    assert "/api/v1/referrals" in left["log of the web process"]
    assert "referral.completed" in left["webhooks"]
    assert "consent.withdrawn" in left["webhooks"]
    assert mails
    assert "nrm_" in left["figures"]
    assert "referral.completed" in left["tables"]
    assert CANARY in _rows("people") + _rows("referral_notes"), "the name was never there"


def _rows(table: str) -> str:
    assert table in Base.metadata.tables
    with db.engine.connect() as connection:
        return "\n".join(str(tuple(row)) for row in connection.execute(text(f"SELECT * FROM {table}")))
