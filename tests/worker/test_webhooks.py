"""Webhooks from the event to the receiver: signed, tried again, given up, and never one receiver at another's cost."""

from __future__ import annotations

import base64
import ipaddress
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from nrm.actions import consents, webhooks
from nrm.actions._action import transact
from nrm.actions.webhook_sending import begin_lot, feed_endpoint, forget_old_deliveries
from nrm.actors import SYSTEM, Actor, ActorKind, Seat
from nrm.config import AllowedHost
from nrm.db import db
from nrm.delivery.outbound import Outbound, rules_of
from nrm.errors import Conflict, NotAllowed, NotFound, NotValid
from nrm.installation import install, installation
from nrm.models import Delivery, Incident, Organisation, WebhookDelivery, WebhookEndpoint
from nrm.queries import webhooks as queries
from nrm.rules.webhooks import PAUSES, next_try, rest
from nrm.worker.loop import Runner
from nrm.worker.sending import send_all
from tests import told
from tests.actions.test_referrals import Loop
from tests.installations import Installed
from tests.receiver import Got, Receiver, Reply, make_certificate
from tests.world import World


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificate(folder)
    return folder


@pytest.fixture
def receivers(installed: Installed, certificates: Path) -> Iterator[list[Receiver]]:
    """Four receivers that this installation's operator allows."""
    made = [Receiver(certificates) for _ in range(4)]
    allow(installed, made, certificates)
    yield made
    for receiver in made:
        receiver.close()


def allow(installed: Installed, receivers: list[Receiver], certificates: Path) -> None:
    network = ipaddress.ip_network("127.0.0.0/8")
    ports = {port for receiver in receivers for port in (receiver.port,)}
    allowed = tuple(AllowedHost(host="localhost", port=port, network=network) for port in sorted(ports))
    config = replace(installed.config, outbound_allowed=allowed, outbound_ca_file=str(certificates / "authority.pem"))
    install(config, installed.clock)


@pytest.fixture
def receiver(receivers: list[Receiver]) -> Receiver:
    return receivers[0]


def program(organisation_id: str, *scopes: str, livemode: bool = True) -> Actor:
    seat = Seat(
        organisation_id=organisation_id,
        desk_id=None,
        role="partner",
        permissions=frozenset(scopes or ("webhooks:manage",)),
    )
    return Actor(kind=ActorKind.KEY, id="key_" + "0" * 26, seats=(seat,), livemode=livemode)


def provider(land: World, place: int = 0) -> tuple[str, str]:
    """Give an organisation with a service, and the service."""
    land.session.close()
    return told.providers()[place]


def happen(land: World, organisation_id: str, service_id: str, count: int = 1) -> list[str]:
    return told.happen(land.clock.now(), organisation_id, service_id, count)


def step(endpoint_id: str, *, name: str = "sender") -> int:
    """Do what a sender does for one endpoint, once: take over what happened, send what is due."""
    while feed_endpoint(SYSTEM, endpoint_id):
        pass
    outbound = Outbound(rules_of(installation().config), total_seconds=1.0)
    try:
        return send_all(endpoint_id, owner=name, outbound=outbound)
    finally:
        outbound.close()


def rows_of(endpoint_id: str) -> list[WebhookDelivery]:
    db.session.remove()
    found = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    rows = list(db.session.execute(found.order_by(WebhookDelivery.position)).scalars())
    db.session.remove()
    return rows


def endpoint(endpoint_id: str) -> WebhookEndpoint:
    db.session.remove()
    row = db.session.get(WebhookEndpoint, endpoint_id)
    db.session.remove()
    assert row is not None
    return row


def test_the_receiver_of_a_referral_is_told_and_can_check_the_signature(land: World, receiver: Receiver):
    loop = Loop(land)
    loop.consent()
    actor = program(loop.service.organisation_id)
    made = webhooks.add_endpoint(actor, url=receiver.url, types=["referral.sent"])
    assert made.secret.startswith("whsec_")
    referral = loop.send()
    assert step(made.id) == 1
    (got,) = receiver.got
    event = Webhook(made.secret).verify(got.body, dict(got.headers))
    assert event["type"] == "referral.sent"
    assert event["data"]["referral"] == referral.id
    assert len(got.body) < 2000
    (row,) = rows_of(made.id)
    assert (row.state, row.id, row.event_id) == ("sent", got.headers["webhook-id"], event["id"])
    assert step(made.id) == 0


def test_nothing_from_before_the_endpoint_is_sent_but_on_request(land: World, receiver: Receiver):
    organisation, service = provider(land)
    before = happen(land, organisation, service, 2)
    actor = program(organisation)
    made = webhooks.add_endpoint(actor, url=receiver.url)
    assert step(made.id) == 0
    webhooks.replay_events(actor, made.id, since=land.clock.now() - timedelta(hours=1))
    assert step(made.id) == 2
    first = [got.headers["webhook-id"] for got in receiver.got]
    assert [json.loads(got.body)["id"] for got in receiver.got] == before
    webhooks.replay_events(actor, made.id, since=land.clock.now() - timedelta(hours=1))
    assert step(made.id) == 2
    assert [got.headers["webhook-id"] for got in receiver.got[2:]] == first
    with pytest.raises(NotValid):
        webhooks.replay_events(actor, made.id, since=land.clock.now() - timedelta(days=40))


def test_after_a_change_of_secret_both_sign_for_a_day(land: World, receiver: Receiver):
    organisation, service = provider(land)
    actor = program(organisation)
    made = webhooks.add_endpoint(actor, url=receiver.url)
    new = webhooks.rotate_secret(actor, made.id)
    assert new.secret != made.secret
    happen(land, organisation, service)
    step(made.id)
    got = receiver.got[-1]
    for secret in (made.secret, new.secret):
        assert Webhook(secret).verify(got.body, dict(got.headers))
    land.move(hours=25)
    happen(land, organisation, service)
    step(made.id)
    got = receiver.got[-1]
    assert got.headers["webhook-signature"].count("v1,") == 1
    assert Webhook(new.secret).verify(got.body, dict(got.headers))


def test_with_a_public_key_the_receiver_can_check_and_not_sign(land: World, receiver: Receiver):
    organisation, service = provider(land)
    actor = program(organisation)
    made = webhooks.add_endpoint(actor, url=receiver.url, asymmetric=True)
    new = webhooks.rotate_secret(actor, made.id)
    happen(land, organisation, service)
    step(made.id)
    got = receiver.got[-1]
    signed = b".".join((got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body))
    signatures = [part.removeprefix("v1a,") for part in got.headers["webhook-signature"].split()]
    # The new key signs first, the old one for a day beside it.
    for key, signature in zip((new.secret, made.secret), signatures, strict=True):
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))
        public.verify(base64.b64decode(signature), signed)
        with pytest.raises(InvalidSignature):
            public.verify(base64.b64decode(signature), signed + b" ")


def test_a_receiver_that_fails_gets_the_same_event_under_the_same_id_until_it_takes_it(land: World, receiver: Receiver):
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    happen(land, organisation, service)
    answers = iter(
        [Reply(status=500, body=b"broken " * 200), Reply(status=503, headers={"Retry-After": "600"}), Reply()]
    )
    receiver.behave = lambda got: next(answers)
    assert step(made.id) == 1
    (row,) = rows_of(made.id)
    assert (row.state, row.attempts, row.tries[0]["status"]) == ("waiting", 1, 500)
    assert row.answer is not None
    assert len(row.answer) == 500
    assert step(made.id) == 0
    land.move(seconds=7)
    assert step(made.id) == 1
    (row,) = rows_of(made.id)
    assert row.next_at is not None
    assert row.next_at - land.clock.now() >= timedelta(seconds=600)
    land.move(seconds=550)
    assert step(made.id) == 0
    land.move(seconds=60)
    assert step(made.id) == 1
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    (row,) = rows_of(made.id)
    assert [entry["status"] for entry in row.tries] == [500, 503, 200]
    assert endpoint(made.id).failures == 0


@pytest.mark.parametrize(
    ("reply", "status", "cause"),
    [
        (Reply(cut=True), None, "answer_broken"),
        (Reply(wait=3), None, "timeout"),
        (Reply(status=307, headers={"Location": "https://localhost/"}), 307, None),
        (Reply(status=404), 404, None),
        (Reply(status=429, headers={"Retry-After": "9"}), 429, None),
    ],
    ids=["cut", "slow", "redirect", "404", "429"],
)
def test_every_bad_end_is_noted_and_tried_again(land: World, receiver: Receiver, reply: Reply, status, cause):
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    happen(land, organisation, service)
    receiver.behave = lambda got: reply
    step(made.id)
    (row,) = rows_of(made.id)
    assert (row.tries[0]["status"], row.tries[0]["cause"]) == (status, cause)
    receiver.behave = lambda got: Reply()
    land.move(minutes=6)
    step(made.id)
    assert rows_of(made.id)[0].state == "sent"


def test_a_refused_connection_is_tried_again(land: World, receiver: Receiver, installed: Installed, certificates: Path):
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    port = receiver.port
    receiver.close()
    happen(land, organisation, service)
    step(made.id)
    assert rows_of(made.id)[0].tries[0]["cause"] == "not_reachable"
    again = Receiver(certificates, port=port)
    land.move(minutes=6)
    step(made.id)
    again.close()
    assert len(again.got) == 1


def test_one_event_that_is_refused_does_not_hold_up_the_others(land: World, receiver: Receiver):
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    poison, *others = happen(land, organisation, service, 6)
    receiver.behave = lambda got: Reply(status=500 if poison.encode() in got.body else 200)
    step(made.id)
    assert [row.state for row in rows_of(made.id)] == ["waiting", *("sent" for _ in others)]


def test_a_receiver_that_says_gone_gets_nothing_more(land: World, receiver: Receiver):
    organisation, service = provider(land)
    actor = program(organisation)
    made = webhooks.add_endpoint(actor, url=receiver.url)
    happen(land, organisation, service, 3)
    receiver.behave = lambda got: Reply(status=410)
    step(made.id)
    assert len(receiver.got) == 1
    row = queries.endpoint(actor, made.id)
    assert (row.state, row.cause, row.waiting) == ("disabled", "gone", 3)
    land.move(days=2)
    assert step(made.id) == 0
    with pytest.raises(Conflict):
        webhooks.send_test(actor, made.id)


def test_after_three_days_of_failing_people_are_told_and_what_was_missed_can_be_sent_again(
    land: World, receiver: Receiver
):
    organisation, service = provider(land)
    with db.engine.begin() as connection:
        connection.execute(
            Organisation.__table__.update()
            .where(Organisation.id == organisation)
            .values(email="office@example.org", channel="api")
        )
    actor = program(organisation)
    made = webhooks.add_endpoint(actor, url=receiver.url)
    happen(land, organisation, service)
    receiver.behave = lambda got: Reply(status=500)
    for _ in range(len(PAUSES)):
        assert step(made.id) == 1
        upcoming = rows_of(made.id)[0].next_at
        if upcoming is not None:
            land.clock.at = upcoming + timedelta(minutes=6)
    assert step(made.id) == 0
    (row,) = rows_of(made.id)
    assert (row.state, row.attempts) == ("dead", 10)
    assert (endpoint(made.id).state, endpoint(made.id).cause) == ("disabled", "failing")
    incident = land.session.execute(select(Incident).where(Incident.kind == "webhook")).scalar_one()
    assert (incident.code, incident.organisation_id) == ("endpoint_switched_off", organisation)
    mail = land.session.execute(select(Delivery).where(Delivery.template == "endpoint_disabled")).scalars().all()
    assert [one.organisation_id for one in mail] == [organisation]
    land.session.close()
    missed = happen(land, organisation, service, 2)
    with pytest.raises(Conflict):
        webhooks.redeliver(actor, row.id)
    webhooks.enable_endpoint(actor, made.id)
    webhooks.redeliver(actor, row.id)
    receiver.behave = lambda got: Reply()
    receiver.got.clear()
    assert step(made.id) == 3
    assert row.id in {got.headers["webhook-id"] for got in receiver.got}
    assert {json.loads(got.body)["id"] for got in receiver.got} >= set(missed)
    assert queries.endpoint(actor, made.id).dead == 0


def test_what_waits_is_withheld_once_the_receiver_may_no_longer_know_of_it(land: World, receiver: Receiver):
    loop = Loop(land)
    consent_id = loop.consent()
    made = webhooks.add_endpoint(program(loop.service.organisation_id), url=receiver.url)
    referral = loop.send()
    receiver.behave = lambda got: Reply(status=500)
    step(made.id)
    consents.withdraw_consent(loop.handler, consent_id, scope=[], version=None)
    receiver.behave = lambda got: Reply()
    receiver.got.clear()
    land.move(hours=1)
    step(made.id)
    step(made.id)
    told = [json.loads(got.body) for got in receiver.got]
    assert sorted(event["type"] for event in told if event["subject"] == referral.id) == [
        "consent.withdrawn",
        "referral.withdrawn",
    ]
    assert "withheld" in {row.state for row in rows_of(made.id)}


def test_test_programs_and_real_ones_are_two_worlds(land: World, receivers: list[Receiver]):
    loop = Loop(land)
    loop.consent()
    organisation = loop.service.organisation_id
    live = webhooks.add_endpoint(program(organisation), url=receivers[0].url)
    test = webhooks.add_endpoint(program(organisation, livemode=False), url=receivers[1].url)
    loop.send()
    step(live.id)
    assert step(test.id) == 0
    assert receivers[0].got
    with pytest.raises(NotFound):
        queries.endpoint(program(organisation), test.id)
    with pytest.raises(NotFound):
        queries.endpoint(program(organisation, livemode=False), live.id)


def test_a_test_event_reaches_the_one_endpoint_that_asked(land: World, receivers: list[Receiver]):
    organisation, _ = provider(land)
    actor = program(organisation)
    one = webhooks.add_endpoint(actor, url=receivers[0].url, types=["referral.sent"])
    other = webhooks.add_endpoint(actor, url=receivers[1].url)
    webhooks.send_test(actor, one.id)
    assert step(one.id) == 1
    assert step(other.id) == 0
    assert json.loads(receivers[0].got[0].body)["type"] == "webhook.test"


def test_only_the_organisation_itself_looks_after_its_endpoints(land: World, receiver: Receiver):
    organisation, service = provider(land)
    actor, stranger = program(organisation), program(provider(land, 1)[0])
    made = webhooks.add_endpoint(actor, url=receiver.url)
    happen(land, organisation, service)
    step(made.id)
    delivery = rows_of(made.id)[0].id
    for refused in (
        lambda: webhooks.rotate_secret(stranger, made.id),
        lambda: webhooks.remove_endpoint(stranger, made.id),
        lambda: webhooks.redeliver(stranger, delivery),
        lambda: queries.deliveries(stranger, made.id),
        lambda: queries.endpoint(stranger, made.id),
        lambda: webhooks.add_endpoint(stranger, url=receiver.url, organisation_id=organisation),
    ):
        with pytest.raises(NotFound):
            refused()
    with pytest.raises(NotAllowed):
        webhooks.add_endpoint(program(organisation, "referrals:read"), url=receiver.url)
    webhooks.remove_endpoint(actor, made.id)
    with pytest.raises(NotFound):
        queries.endpoint(actor, made.id)


def test_addresses_inside_are_refused_when_they_are_typed_and_when_they_are_used(
    land: World, receiver: Receiver, installed: Installed
):
    organisation, service = provider(land)
    actor = program(organisation)
    for url, code in (("https://169.254.169.254/", "address_refused"), ("http://hooks.example.org/", "not_https")):
        with pytest.raises(NotValid) as error:
            webhooks.add_endpoint(actor, url=url)
        assert [(problem.pointer, problem.code) for problem in error.value.problems] == [("/url", code)]
    made = webhooks.add_endpoint(actor, url=receiver.url)
    happen(land, organisation, service)
    # The operator takes the setting back: what was allowed when it was typed is looked at again when it is used.
    install(replace(installation().config, outbound_allowed=()), installed.clock)
    step(made.id)
    assert receiver.got == []
    assert rows_of(made.id)[0].tries[0]["cause"] == "port_refused"


def test_two_senders_never_work_on_one_endpoint(land: World, receiver: Receiver):
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    happen(land, organisation, service, 3)
    feed_endpoint(SYSTEM, made.id)
    assert begin_lot(SYSTEM, made.id, owner="one") is not None
    assert begin_lot(SYSTEM, made.id, owner="two") is None
    # The first one dies; when its lease has run out the other sends all, under the ids that they had.
    with db.engine.begin() as connection:
        connection.execute(
            WebhookEndpoint.__table__.update().values(lease_until=land.clock.now() - timedelta(days=9000))
        )
    assert step(made.id, name="two") == 3


def test_nothing_is_sent_to_an_organisation_that_takes_part_no_more(land: World, receiver: Receiver):
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    happen(land, organisation, service)
    assert queries.behind() == (made.id,)
    feed_endpoint(SYSTEM, made.id)
    real_now = datetime.now(UTC)
    assert [due.id for due in queries.due_endpoints(land.clock.now(), real_now)] == [made.id]
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(Organisation.__table__.update().where(Organisation.id == organisation).values(active=False))
    happen(land, organisation, service)
    assert queries.behind() == ()
    assert queries.due_endpoints(land.clock.now(), real_now) == ()
    db.session.remove()


def test_who_has_waited_longest_is_served_first(land: World, receivers: list[Receiver]):
    (one, service), (two, other) = provider(land), provider(land, 1)
    first = webhooks.add_endpoint(program(one), url=receivers[0].url).id
    second = webhooks.add_endpoint(program(two), url=receivers[1].url).id
    for endpoint_id, organisation, what in ((second, two, other), (first, one, service)):
        happen(land, organisation, what)
        feed_endpoint(SYSTEM, endpoint_id)
        land.move(seconds=1)
    due = queries.due_endpoints(land.clock.now(), datetime.now(UTC))
    db.session.remove()
    assert [found.id for found in due] == [second, first]


def test_old_deliveries_are_forgotten(land: World, receiver: Receiver):
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    happen(land, organisation, service)
    step(made.id)
    land.move(days=31)
    transact(SYSTEM, forget_old_deliveries)
    assert rows_of(made.id) == []


def test_the_pauses_are_those_of_the_standard_with_a_spread_of_a_fifth():
    assert next_try(1, share=0.5) == timedelta(seconds=5)
    assert next_try(2, share=0) == timedelta(minutes=4)
    assert next_try(2, share=1) == timedelta(minutes=6)
    assert next_try(9, share=0.5) == timedelta(hours=24)
    assert next_try(10) is None
    assert next_try(1, retry_after=10**9, share=0.5) == timedelta(hours=24)
    assert timedelta(hours=75) < sum(PAUSES, timedelta()) < timedelta(hours=77)
    assert rest(1, None) == timedelta()
    assert rest(1, "timeout", share=0.5) == timedelta(seconds=5)
    assert rest(50, "timeout", share=0.5) == timedelta(seconds=300)


def test_dead_and_slow_receivers_do_not_hold_up_the_others(
    installed: Installed, land: World, receivers: list[Receiver], certificates: Path
):
    """Three receivers do not answer, one does: it gets everything as if it were alone."""
    organisation, service = provider(land)
    actor = program(organisation)
    for silent in receivers[:3]:
        silent.behave = lambda got: Reply(wait=6)
        webhooks.add_endpoint(actor, url=silent.url)
    good = webhooks.add_endpoint(actor, url=receivers[3].url)
    runner = Runner(installed.app.app_context, threads=1, poll_seconds=0.05)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        arrived: list[float] = []
        receivers[3].behave = lambda got: arrived.append(time.monotonic()) or Reply()
        waits = []
        for _ in range(5):
            before = len(arrived)
            started = time.monotonic()
            happen(land, organisation, service, 10)
            while len(arrived) < before + 10 and time.monotonic() < started + 20:
                time.sleep(0.02)
            waits.append(time.monotonic() - started)
            assert len(arrived) == before + 10
        assert max(waits) < 5
    finally:
        runner.stop()
        for receiver in receivers:
            receiver.close()
        thread.join(20)
        receivers.clear()
    assert queries.endpoint(actor, good.id).state == "enabled"


def test_many_events_under_faults_all_arrive(installed: Installed, land: World, receiver: Receiver):
    """Refused, cut, redirected and failing now and then: each event arrives at least once, none is lost."""
    organisation, service = provider(land)
    made = webhooks.add_endpoint(program(organisation), url=receiver.url)
    wanted = set(happen(land, organisation, service, 150))
    taken: set[str] = set()
    by_event: dict[str, set[str]] = {}
    faults = [Reply(status=500), Reply(cut=True), Reply(status=302, headers={"Location": "/"}), Reply(status=503)]
    count = 0

    def behave(got: Got) -> Reply:
        nonlocal count
        count += 1
        event = json.loads(got.body)["id"]
        by_event.setdefault(event, set()).add(got.headers["webhook-id"])
        if count % 9 == 0:
            return faults[count // 9 % len(faults)]
        taken.add(event)
        return Reply()

    receiver.behave = behave
    for _ in range(200):
        step(made.id)
        if taken >= wanted:
            break
        land.move(minutes=7)
    assert taken == wanted
    assert all(len(seen) == 1 for seen in by_event.values())
    step(made.id)
    assert {row.state for row in rows_of(made.id)} == {"sent"}
