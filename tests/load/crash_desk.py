"""What the service cannot yet do over HTTP: a process that acts on orders from its input, and may be killed at any time.

An order and its answer are one line of JSON each. Every order carries a key, as a request to the service does: asked
again after a crash, it acts at most once and answers what the first one answered.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from nrm.actions import cases, deliveries
from nrm.actions._action import Idempotency, Replayed, idempotent, transact
from nrm.actors import SYSTEM, Actor
from nrm.clock import MovableClock
from nrm.db import db
from nrm.errors import Busy
from nrm.models import Task
from tests.installations import installed
from tests.world import World

PATH = "wait_for_answer"


def once(key: str, act: Callable[[], object]) -> object:
    """Act at most once under a key, and give the first answer."""
    request = Idempotency(
        owner="crash",
        key=key,
        fingerprint=hashlib.sha256(key.encode()).hexdigest(),
        render=lambda result: (200, json.dumps(getattr(result, "id", result))),
    )
    try:
        with idempotent(request):
            result = act()
    except Replayed as replayed:
        return json.loads(replayed.body)
    return getattr(result, "id", result)


def obey(order: dict[str, str], handler: Actor, land: World) -> object:
    """Carry out one order and give its answer."""
    key = order["key"]
    db.session.remove()
    match order["do"]:
        case "open":
            person = land.person()
            return once(key, lambda: cases.open_case(handler, person, governorate="norvale", path=PATH))
        case "tell":
            subject = ("task", key)
            return once(
                key,
                lambda: transact(
                    SYSTEM,
                    lambda work: deliveries.tell_organisation(
                        work, order["organisation"], template="notice", subject=subject
                    ),
                ),
            )
        case "list":
            found = select(Task.id, Task.step, Task.version).where(
                Task.case_id == order["case"], Task.status == "open", Task.assignee_id.is_(None)
            )
            return [[row.id, row.step, row.version] for row in db.session.execute(found)]
    raise ValueError(order["do"])


def main(url: str, data_dir: str) -> None:
    """Work until the input ends."""
    clock = MovableClock(Path(data_dir) / "demo-clock")
    with installed(url, Path(data_dir), clock=clock):
        land = World(clock=clock)  # type: ignore[arg-type]  # a clock that moves is one
        handler = land.at_desk("case_handler", "norvale")
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            try:
                answer: dict[str, object] = {"answer": obey(json.loads(line), handler, land)}
            except (DBAPIError, Busy) as error:
                db.session.rollback()
                answer = {"again": type(error).__name__}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
