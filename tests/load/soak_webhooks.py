"""`python -m tests.load.soak_webhooks`: kill runners and the receiver while webhooks are sent; none may be lost.

Two real runners post to a receiver that refuses, cuts, redirects and fails now and then, over TLS. Runners and
receiver are killed with signal 9 and started again. At the end the receiver has taken each event at least once, each
event always came under one id, and every delivery is noted as sent.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from nrm.actions import webhooks
from nrm.actors import Actor, ActorKind, Seat
from nrm.clock import MovableClock
from nrm.config import AllowedHost
from nrm.db import db
from nrm.installation import install
from nrm.models import Incident, Job, WebhookDelivery, WebhookEndpoint
from tests.installations import ROOT, Installed, fill_with_testland, installed
from tests.load.crash_server import KillableServer
from tests.load.posting import LOOPBACK
from tests.load.soak import RUNNERS, SECRET, Child, count, until
from tests.receiver import make_certificate
from tests.told import happen, providers

BATCH = 100


def soak(kind: str, folder: Path, *, events: int, kills: int) -> bool:
    """Run it on one kind of database, print what was found, and say whether all is well."""
    server = KillableServer() if kind == "postgresql" else None
    url = server.url if server else f"sqlite:///{folder / 'nrm.sqlite3'}"
    data_dir = folder / "data"
    data_dir.mkdir()
    clock = MovableClock(data_dir / "demo-clock")
    try:
        fill_with_testland(url, data_dir)
        with installed(url, data_dir, clock=clock) as opened:
            return _soak(kind, opened, folder, clock=clock, events=events, kills=kills)
    finally:
        if server is not None:
            server.close()


def _soak(kind: str, opened: Installed, folder: Path, *, clock: MovableClock, events: int, kills: int) -> bool:
    make_certificate(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    log = folder / "log"
    receiver = Child(
        [sys.executable, "-m", "tests.receiver", str(folder), str(port), "--log", str(log), "--faults"],
        dict(os.environ),
        talks=True,
    )
    runners = [
        Child([sys.executable, "-m", "api.serving", "runner"], _env(opened, folder, port)) for _ in range(RUNNERS)
    ]
    begun = time.monotonic()
    (organisation, service), *_ = providers()
    endpoint_id = _endpoint(opened, organisation, port)
    written: list[str] = []
    killed: Counter[str] = Counter()
    try:
        for child in (receiver, *runners):
            child.start()
        while len(written) < events or sum(killed.values()) < kills:
            if len(written) < events:
                written += happen(clock.now(), organisation, service, min(BATCH, events - len(written)))
            time.sleep(random.uniform(0.1, 0.6))
            clock.move(timedelta(seconds=20))
            if random.random() < 0.25 and sum(killed.values()) < kills:
                what = random.choice(["receiver", "runner"])
                killed[what] += (receiver if what == "receiver" else random.choice(runners)).kill()
            for child in (receiver, *runners):
                child.keep()
        in_time = until(lambda: _all_sent(endpoint_id, events, clock), 600)
    finally:
        for child in (*runners, receiver):
            child.kill()
    spent = time.monotonic() - begun
    print(f"\n{kind}: {events} events, {sum(killed.values())} kills in {spent:.0f} s ({dict(killed)})")
    figures = _judge(endpoint_id, written, log)
    for name, expected, found in figures:
        print(f"  {'ok ' if expected == found else 'BAD'} {name}: {found} of {expected}")
    return in_time and all(expected == found for _, expected, found in figures)


def _env(opened: Installed, folder: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "NRM_DATABASE_URL": opened.config.database_url,
        "NRM_DATA_DIR": str(opened.config.data_dir),
        "NRM_DEMO": "1",
        "NRM_SECRET": SECRET,
        "NRM_COUNTRY": "testland",
        "NRM_PACKS_DIR": str(ROOT / "workflows"),
        "NRM_OUTBOUND_ALLOWED": f"localhost:{port}={LOOPBACK}",
        "NRM_OUTBOUND_CA_FILE": str(folder / "authority.pem"),
        "PYTHONWARNINGS": "ignore",
    }


def _endpoint(opened: Installed, organisation: str, port: int) -> str:
    allowed = AllowedHost(host="localhost", port=port, network=LOOPBACK)
    install(replace(opened.config, outbound_allowed=(allowed,)), opened.clock)
    seat = Seat(organisation_id=organisation, desk_id=None, role="partner", permissions=frozenset({"webhooks:manage"}))
    actor = Actor(kind=ActorKind.KEY, id="key_soaking", seats=(seat,))
    return webhooks.add_endpoint(actor, url=f"https://localhost:{port}/hooks").id


def _all_sent(endpoint_id: str, events: int, clock: MovableClock) -> bool:
    # The pauses between attempts pass quickly here; a day is far from the five after which it is switched off.
    clock.move(timedelta(seconds=30))
    sent = count(WebhookDelivery, WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "sent")
    return sent == events


def _judge(endpoint_id: str, written: list[str], log: Path) -> list[tuple[str, int, int]]:
    db.session.remove()
    rows = db.session.execute(
        select(WebhookDelivery.id, WebhookDelivery.event_id).where(WebhookDelivery.endpoint_id == endpoint_id)
    ).all()
    db.session.remove()
    taken = Counter(log.read_text().split())
    print(f"     taken by the receiver: {sum(taken.values())}, of them again: {sum(taken.values()) - len(taken)}")
    return [
        ("events that have a delivery", len(written), len({row.event_id for row in rows} & set(written))),
        ("deliveries (one for each event)", len(written), len(rows)),
        ("events that the receiver took", len(written), sum(1 for row in rows if row.id in taken)),
        ("ids that the receiver did not expect", 0, len(taken.keys() - {row.id for row in rows})),
        ("deliveries noted as sent", len(written), count(WebhookDelivery, WebhookDelivery.state == "sent")),
        ("endpoints still on", 1, count(WebhookEndpoint, WebhookEndpoint.state == "enabled")),
        ("dead jobs", 0, count(Job, Job.state == "dead")),
        ("incidents", 0, count(Incident)),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the test.

    Returns:
        0 when nothing was lost, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak_webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20, help="how many kills on each database")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    given = parser.parse_args(arguments)
    kinds = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    well = True
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="nrm-hooks-") as folder:
            well = soak(kind, Path(folder), events=given.events, kills=given.kills) and well
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
