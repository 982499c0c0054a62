"""Webhooks: events delivered per second, beside two commits of one number and one HTTPS POST to the same receiver."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import func, select

from nrm.actions import webhooks
from nrm.actors import Actor, ActorKind, Seat
from nrm.config import AllowedHost
from nrm.db import db
from nrm.installation import install
from nrm.jobs.kinds import DELIVERIES
from nrm.models import WebhookDelivery, WebhookEndpoint
from nrm.worker.loop import Runner
from tests.load import floors
from tests.load.rounds import Measure, Round, alternate, compare
from tests.load.sizes import Sizes
from tests.load.stages import ROOT, Stage, Stages, config
from tests.receiver import make_certificate
from tests.told import happen, providers

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")

_LINE = 31
"""Bytes of a line in the receiver's log: an id and a line break."""


@dataclass(slots=True)
class Partner:
    """A receiver in a process of its own, and what lies in its folder."""

    folder: Path
    port: int
    process: subprocess.Popen[str]

    @property
    def taken(self) -> int:
        """Give how many requests it has taken."""
        log = self.folder / "log"
        return log.stat().st_size // _LINE if log.exists() else 0


@contextmanager
def partner(folder: Path) -> Iterator[Partner]:
    """Run a receiver for the length of a block."""
    make_certificate(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "tests.receiver", str(folder), str(port), "--log", str(folder / "log")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield Partner(folder, port, process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def posting(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (g): one receiver that answers at once, alone; then beside receivers that do not answer."""
    stage = stages.copy("posting")
    with partner(stages.folder / "partner") as receiver, _silence() as silent:
        allow(stages, stage, receiver, {receiver.port, *silent})
        kept = floors.shelf(stages.kind, stages.folder)
        with stage.app.app_context():
            (good, service), (bad, other) = providers()[:2]
            webhooks.add_endpoint(_program(good), url=f"https://localhost:{receiver.port}/hooks")
        alone = alternate(
            _deliver(stage, receiver, good, service, sizes.posts),
            _posts(kept, receiver, sizes.posts),
            rounds=sizes.rounds,
        )
        with stage.app.app_context():
            for port in silent:
                webhooks.add_endpoint(_program(bad), url=f"https://localhost:{port}/hooks")
        beside = alternate(
            _deliver(stage, receiver, good, service, sizes.posts, also=(bad, other)),
            _posts(kept, receiver, sizes.posts),
            rounds=sizes.rounds,
        )
        kept.close()
    note = "floor: two durable commits of one number each and one HTTPS POST on an open connection per event"
    return [
        compare(
            f"g delivering {sizes.posts:,} events to one receiver",
            *alone,
            unit="events/s",
            database=stages.kind,
            at_least=0.4,
            decide=sizes.decide,
            note=note,
        ),
        compare(
            f"g the same beside {len(silent)} receivers that do not answer",
            *beside,
            unit="events/s",
            database=stages.kind,
            at_least=0.4,
            decide=sizes.decide,
            note=note,
        ),
    ]


@contextmanager
def _silence() -> Iterator[tuple[int, ...]]:
    """Give ports: one where nobody listens, two where somebody takes connections and says nothing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
        socket.create_server(("127.0.0.1", 0)) as none,
    ):
        refused = int(none.getsockname()[1])
        none.close()
        yield refused, int(first.getsockname()[1]), int(second.getsockname()[1])


def allow(stages: Stages, stage: Stage, receiver: Partner, ports: set[int]) -> None:
    """Say, as an operator would, that these ports of this machine may be reached."""
    hosts = tuple(AllowedHost(host="localhost", port=port, network=LOOPBACK) for port in sorted(ports))
    settings = replace(
        config(stage.url, stages.folder),
        outbound_allowed=hosts,
        outbound_ca_file=str(receiver.folder / "authority.pem"),
    )
    install(settings, stages.clock)


def _program(organisation_id: str) -> Actor:
    seat = Seat(
        organisation_id=organisation_id, desk_id=None, role="partner", permissions=frozenset({"webhooks:manage"})
    )
    return Actor(kind=ActorKind.KEY, id="key_measuring", seats=(seat,))


def _deliver(
    stage: Stage, receiver: Partner, organisation: str, service: str, count: int, *, also: tuple[str, str] | None = None
) -> Round:
    """Let things happen, and give how many events a second arrive and are noted as sent."""

    def one_round() -> float:
        runner = Runner(stage.app.app_context, threads=1, queues=(DELIVERIES,))
        thread = threading.Thread(target=runner.run)
        thread.start()
        try:
            with stage.app.app_context():
                if also is not None:
                    happen(stage.clock.now(), *also, count // 4)
                before = receiver.taken
                started = time.perf_counter()
                happen(stage.clock.now(), organisation, service, count)
                _until(lambda: receiver.taken >= before + count)
                _until(lambda: _waiting(organisation) == 0)
                return count / (time.perf_counter() - started)
        finally:
            runner.stop()
            thread.join()

    return one_round


def _waiting(organisation: str) -> int:
    mine = select(WebhookEndpoint.id).where(WebhookEndpoint.organisation_id == organisation)
    found = select(func.count()).where(WebhookDelivery.state == "waiting", WebhookDelivery.endpoint_id.in_(mine))
    number = int(db.session.execute(found).scalar() or 0)
    db.session.remove()
    return number


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("the events did not arrive")
        time.sleep(0.01)


def _posts(kept: floors.Shelf, receiver: Partner, count: int) -> Round:
    context = ssl.create_default_context(cafile=str(receiver.folder / "authority.pem"))
    body = b'{"type":"service.capacity_changed","data":{"service":"srv_0"}}' * 8
    headers = {"Content-Type": "application/json", "webhook-id": "whd_" + "0" * 26}

    def one_round() -> float:
        connection = http.client.HTTPSConnection("localhost", receiver.port, context=context)
        started = time.perf_counter()
        for _ in range(count):
            kept.touch()
            connection.request("POST", "/hooks", body=body, headers=headers)
            connection.getresponse().read()
            kept.touch()
        spent = time.perf_counter() - started
        connection.close()
        return count / spent

    return one_round
