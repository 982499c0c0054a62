"""Appointments by text message: only who chose it is told, only day and time, by a gateway that may be reached."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from nrm.actions._action import transact
from nrm.actions.people import change_person
from nrm.actors import SYSTEM
from nrm.config import AllowedHost, BadSetting, read_config
from nrm.db import db
from nrm.errors import DeliveryFailed
from nrm.installation import install
from nrm.jobs import table
from nrm.jobs.hand import holding
from nrm.jobs.kinds import DELIVERIES
from nrm.models import Case, Delivery
from nrm.worker.handlers import HANDLERS
from tests.actions.test_referrals import Loop
from tests.installations import Installed
from tests.receiver import Receiver, Reply, make_certificate
from tests.world import World

PHONE = "+9647701234567"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificate(folder)
    return folder


@pytest.fixture
def gateway(installed: Installed, certificates: Path) -> Iterator[Receiver]:
    """A gateway for text messages that the operator allows."""
    made = Receiver(certificates)
    allowed = AllowedHost(host="localhost", port=made.port, network=ipaddress.ip_network("127.0.0.0/8"))
    config = replace(
        installed.config,
        sms_url=f"https://localhost:{made.port}/messages",
        sms_token="invented-token",
        outbound_allowed=(allowed,),
        outbound_ca_file=str(certificates / "authority.pem"),
    )
    install(config, installed.clock)
    yield made
    made.close()


def wished(
    land: World, *, language: str = "en", channel: str | None = "sms", phones: tuple[str, ...] = (PHONE,)
) -> Loop:
    """A returnee who chose how to be told, and a provider that has accepted a referral."""
    loop = Loop(land)
    loop.consent()
    land.session.close()
    person_id = land.session.execute(select(Case.person_id).where(Case.id == loop.case.id)).scalar_one()
    land.session.close()
    facts = {"safe_contact": {"channel": channel}, "phones": list(phones), "language": language}
    change_person(SYSTEM, str(person_id), facts, version=None)
    return loop


def scheduled(loop: Loop, **more: object) -> str:
    sent = loop.send()
    loop.do(loop.provider, "acknowledge", sent.id)
    loop.do(loop.provider, "accept", sent.id)
    at = loop.land.clock.now() + timedelta(days=3)
    loop.do(loop.provider, "schedule", sent.id, at=at, place="An invented clinic", **more)
    return sent.id


def deliver() -> int:
    """Do what the runner does with the text messages that are due, and give how many there were."""
    done = 0
    while True:
        jobs = transact(
            SYSTEM, lambda work: table.claim(work.session, owner="test", queues=[DELIVERIES], limit=1, now=work.now)
        )
        if not jobs:
            return done
        with holding(jobs[0]):
            HANDLERS[jobs[0].kind](jobs[0])
        done += 1


def texts() -> list[Delivery]:
    db.session.remove()
    found = list(db.session.scalars(select(Delivery).where(Delivery.channel == "sms")))
    db.session.remove()
    return found


@pytest.mark.parametrize(("language", "word"), [("en", "Appointment: "), ("ar", "موعد"), ("ckb", "کاتی دیاریکراو")])
def test_a_returnee_who_chose_it_reads_day_and_time_and_nothing_else(
    land: World, gateway: Receiver, language: str, word: str
):
    loop = wished(land, language=language)
    referral_id = scheduled(loop)
    assert deliver() >= 1
    [got] = gateway.got
    said = json.loads(got.body)
    assert set(said) == {"id", "to", "text"}
    assert said["to"] == PHONE
    assert word in said["text"]
    assert "clinic" not in said["text"]
    assert "Invented" not in said["text"], "neither name"
    assert loop.case.number not in said["text"]
    assert got.headers["authorization"] == "Bearer invented-token"
    assert got.headers["idempotency-key"] == said["id"]
    [row] = texts()
    assert (row.id, row.state, row.subject_id) == (said["id"], "sent", referral_id)
    assert "referral.appointment_told" in loop.events(referral_id)


@pytest.mark.parametrize(
    "wish", [{"channel": "phone"}, {"channel": None}, {"phones": ()}], ids=["telephone", "no choice", "no number"]
)
def test_who_did_not_choose_it_is_not_told(land: World, gateway: Receiver, wish: dict[str, object]):
    scheduled(wished(land, **wish))
    deliver()
    assert gateway.got == []
    assert texts() == []


def test_without_a_gateway_nothing_is_queued(land: World):
    scheduled(wished(land))
    assert texts() == []


def test_a_strictly_confidential_case_sends_none(land: World, gateway: Receiver):
    from nrm.actions.cases import set_level

    loop = wished(land)
    sent = loop.send()
    loop.do(loop.provider, "acknowledge", sent.id)
    loop.do(loop.provider, "accept", sent.id)
    set_level(SYSTEM, loop.case.id, level="strict", version=None)
    at = loop.land.clock.now() + timedelta(days=3)
    loop.do(loop.provider, "schedule", sent.id, at=at)
    deliver()
    assert gateway.got == []


def test_an_appointment_that_was_called_off_before_is_not_told(land: World, gateway: Receiver):
    loop = wished(land)
    referral_id = scheduled(loop)
    loop.do(loop.provider, "no_show", referral_id, at=loop.land.clock.now())
    deliver()
    assert gateway.got == []
    [row] = texts()
    assert (row.state, row.error) == ("dead", "not_wanted")


def test_a_changed_appointment_that_waits_is_told_once_as_it_is_now(land: World, gateway: Receiver):
    loop = wished(land)
    referral_id = scheduled(loop)
    later = loop.land.clock.now() + timedelta(days=9)
    loop.do(loop.provider, "schedule", referral_id, at=later)
    deliver()
    [got] = gateway.got
    assert str(later.day) in json.loads(got.body)["text"]
    loop.do(loop.provider, "schedule", referral_id, at=later + timedelta(days=1))
    deliver()
    assert len(gateway.got) == 2


def test_a_gateway_that_refuses_is_tried_again(land: World, gateway: Receiver):
    gateway.behave = lambda got: Reply(status=503)
    scheduled(wished(land))
    with pytest.raises(DeliveryFailed) as failed:
        deliver()
    assert failed.value.code == "gateway_refused"
    [row] = texts()
    assert (row.state, row.error, row.attempts) == ("failed", "gateway_refused", 1)


def test_a_gateway_inside_the_network_that_nobody_allowed_is_not_reached(
    land: World, installed: Installed, gateway: Receiver
):
    scheduled(wished(land))
    install(replace(installed.config, sms_url=f"https://localhost:{gateway.port}/messages"), installed.clock)
    with pytest.raises(DeliveryFailed) as failed:
        deliver()
    assert failed.value.code in {"port_refused", "address_refused"}
    assert gateway.got == []


def test_the_gateways_address_is_https(tmp_path: Path):
    known = {"NRM_DATA_DIR": str(tmp_path), "NRM_DEMO": "1", "NRM_COUNTRY": "testland"}
    assert read_config(known).sms_url == ""
    with pytest.raises(BadSetting, match="NRM_SMS_URL"):
        read_config({**known, "NRM_SMS_URL": "http://gateway.example/messages"})
    assert read_config({**known, "NRM_SMS_URL": "https://gateway.example/messages"}).sms_url.startswith("https://")
