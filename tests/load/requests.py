"""Over HTTP: completions per second beside a bare endpoint, and the memory of a web process."""

from __future__ import annotations

import json
import statistics

from sqlalchemy import insert, update

from nrm import ids
from nrm.credentials import hash_password
from nrm.db import db
from nrm.models import User
from tests.load import copies
from tests.load.days import Day, day_on
from tests.load.diagrams import answers
from tests.load.rounds import Measure, Round, alternate, compare
from tests.load.servers import Request, Server, serving
from tests.load.sizes import Sizes
from tests.load.stages import Stage, Stages

PASSWORD = "seven green lamps"
GROWTH = 1.0
"""Megabytes that a web process may grow in 10,000 requests."""


def completing(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (a): completing tasks over HTTP, beside a bare endpoint under the same gunicorn settings."""
    stage = stages.copy("web")
    day = _seated(stage)
    _bare_tables(stage)
    product_folder, bare_folder = stages.folder / "web", stages.folder / "bare"
    with serving(stage, product_folder) as product, serving(stage, bare_folder, bare=True) as bare:
        product.sign_in(day.handler.id, PASSWORD)
        spent: dict[Server, list[float]] = {product: [], bare: []}
        rates = alternate(
            _metered(_completions(stage, day, product, sizes.requests), product, spent[product], sizes.requests),
            _metered(_bare_completions(stage, bare, sizes.requests), bare, spent[bare], sizes.requests),
            rounds=sizes.rounds,
        )
        ours, theirs = (statistics.median(spent[server]) for server in (product, bare))
    return [
        compare(
            "a completing a task over HTTP / bare Flask and SQLAlchemy endpoint",
            *rates,
            unit="requests/s",
            database=stages.kind,
            at_least=0.5,
            decide=sizes.decide,
            note=f"processor of the web processes: {ours:.2f} and {theirs:.2f} ms per request ({theirs / ours:.2f})",
        )
    ]


def _metered(one_round: Round, server: Server, spent: list[float], count: int) -> Round:
    """Note beside each round how many milliseconds of processor time the server spent on a request of it."""

    def metered() -> float:
        before = server.cpu()
        found = one_round()
        spent.append(1000 * (server.cpu() - before) / count)
        return found

    return metered


def memory(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (f): what one web process grows by, over pages of the inbox, reads, completions and refusals."""
    stage = stages.copy("web")
    day = _seated(stage)
    with serving(stage, stages.folder / "memory", more={"NRM_WEB_PROCESSES": "1"}) as server:
        server.sign_in(day.handler.id, PASSWORD)
        _mixed(stage, day, server, sizes.growth // 5)
        before = server.resident()
        _mixed(stage, day, server, sizes.growth)
        grown = (server.resident() - before) / 1e6
    return [
        Measure(
            name=f"f growth of a web process over {sizes.growth:,} requests after {sizes.growth // 5:,}",
            value=grown,
            unit="MB",
            floor=before / 1e6,
            ratio=grown / GROWTH,
            goal="≤ 1",
            ok=grown < GROWTH if sizes.decide else None,
            database=stages.kind,
            note="floor: resident before",
        )
    ]


def _seated(stage: Stage) -> Day:
    with stage.app.app_context():
        day = day_on(stage)
        hashed = hash_password(PASSWORD, memory_kib=64, rounds=1)
        with db.engine.begin() as connection:
            connection.execute(update(User).where(User.id == day.handler.id).values(password_hash=hashed))
    return day


def _complete(task: str) -> Request:
    body = json.dumps({"answers": answers(), "version": 1})
    return "POST", f"/api/v1/tasks/{task}/complete", body


def _completions(stage: Stage, day: Day, server: Server, count: int) -> Round:
    def one_round() -> float:
        with stage.app.app_context():
            tasks = copies.taken_tasks(day, count)
        return count / server.send([_complete(task) for task in tasks])

    return one_round


def _mixed(stage: Stage, day: Day, server: Server, count: int) -> None:
    with stage.app.app_context():
        tasks = copies.taken_tasks(day, count // 5)
    requests: list[Request] = []
    for task in tasks:
        requests += [
            ("GET", "/api/v1/tasks?tab=mine", None),
            ("GET", f"/api/v1/tasks/{task}", None),
            _complete(task),
            ("GET", "/api/v1/tasks/tsk_nobody_has_this", None),
            ("POST", f"/api/v1/tasks/{task}/complete", '{"answers": 7, "version": "one"}'),
        ]
    server.send(requests, expect=frozenset({200, 404, 409, 422}))


def _bare_tables(stage: Stage) -> None:
    import os

    os.environ["NRM_DATABASE_URL"] = stage.url
    from tests.load.bare_app import Base

    with stage.app.app_context():
        Base.metadata.create_all(db.engine)


def _bare_completions(stage: Stage, server: Server, count: int) -> Round:
    from tests.load.bare_app import Item

    body = json.dumps({"answers": answers(), "version": 1})

    def one_round() -> float:
        names = [ids.new_id("itm") for _ in range(count)]
        rows = [{"id": name, "status": "open", "answers": {}, "version": 1} for name in names]
        with stage.app.app_context(), db.engine.begin() as connection:
            connection.execute(insert(Item.__table__), rows)
        return count / server.send([("POST", f"/items/{name}/complete", body) for name in names])

    return one_round
