"""Whether the service can work: the database, its tables, and a runner that lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from sqlalchemy import func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError

from nrm.db import db
from nrm.installation import installation
from nrm.jobs.hand import JOBS, RUNNING
from nrm.jobs.kinds import QUEUES
from nrm.migrations import run as migrations
from nrm.models import Incident, Runner, WebhookDelivery, WebhookEndpoint

_WAITING = JOBS.c.state == literal_column("'waiting'")
COUNTED: Final = 1_000
"""Due jobs of a queue are counted up to this number: counting all of a million costs more than doing them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What `/readyz` says.

    Attributes:
        database: whether it answers.
        tables: whether its tables are those of this program.
        runner: whether some runner gave a sign of life lately.
        runner_seen: seconds since the last sign of life; None when there was none.
    """

    database: bool
    tables: bool
    runner: bool
    runner_seen: float | None

    @property
    def ready(self) -> bool:
        """Say whether requests can be served: a silent runner is shown, but does not stop the web."""
        return self.database and self.tables


def readiness() -> Readiness:
    """Look whether the service can work; never raises."""
    try:
        with db.engine.connect() as connection:
            tables = migrations.current(connection) == migrations.head()
            last = connection.execute(select(func.max(Runner.seen_at))).scalar() if tables else None
    except SQLAlchemyError:
        return Readiness(database=False, tables=False, runner=False, runner_seen=None)
    seen = None if last is None else (datetime.now(UTC) - last).total_seconds()
    alive = seen is not None and seen <= installation().config.worker_silent_seconds
    return Readiness(database=True, tables=tables, runner=alive, runner_seen=seen)


_ASK_AGAIN: Final = 10.0
"""Seconds for which a silent runner is taken to stay silent."""


@dataclass(slots=True)
class _Memory:
    """What this process last learned of the runners, on the machine's own clock.

    Attributes:
        alive: whether one was heard.
        until: when to ask again.
    """

    alive: bool = True
    until: float = 0.0


_memory = _Memory()


def forget() -> None:
    """Ask the database at the next look whether a runner was heard."""
    _memory.until = 0.0


def runner_is_silent() -> bool:
    """Say whether no runner gave a sign of life lately, for the bar of each page.

    A runner that was heard is not silent before the allowed silence has passed since, so one statement serves all
    pages of a process for as long; a silent one is looked for every few seconds.
    """
    moment = monotonic()
    if moment >= _memory.until:
        allowed = float(installation().config.worker_silent_seconds)
        last = db.session.scalar(select(func.max(Runner.seen_at)))
        left = 0.0 if last is None else allowed - (datetime.now(UTC) - last).total_seconds()
        _memory.alive, _memory.until = left >= 0 and last is not None, moment + max(left, _ASK_AGAIN)
    return not _memory.alive


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the metrics show; all of it read through partial indexes, so it stays cheap at a million jobs.

    Attributes:
        due: jobs per queue that could run now, counted up to `COUNTED`.
        lag: seconds since the oldest of them was due.
        running: leased jobs.
        dead: dead jobs.
        incidents: open incidents.
        runners: runners that gave a sign of life lately.
        done: jobs done by them since they started.
        failed: failed attempts of them.
        webhooks: webhooks that could be sent now, counted up to `COUNTED`.
        endpoints_off: endpoints for webhooks that were switched off because they failed.
    """

    due: Mapping[str, int]
    lag: Mapping[str, float]
    running: int
    dead: int
    incidents: int
    runners: int
    done: int
    failed: int
    webhooks: int
    endpoints_off: int


def numbers() -> Numbers:
    """Read the numbers for the metrics."""
    session = db.session()
    now = installation().clock.now()
    due, lag = {}, {}
    for queue in QUEUES:
        waiting = select(JOBS.c.due_at).where(JOBS.c.queue == queue, _WAITING, JOBS.c.due_at <= now)
        oldest = session.execute(waiting.order_by(JOBS.c.due_at).limit(1)).scalar_one_or_none()
        lag[queue] = 0.0 if oldest is None else (now - oldest).total_seconds()
        due[queue] = session.execute(select(func.count()).select_from(waiting.limit(COUNTED).subquery())).scalar_one()
    lately = datetime.now(UTC) - timedelta(seconds=installation().config.worker_silent_seconds)
    runners = session.execute(
        select(func.count(), func.coalesce(func.sum(Runner.done), 0), func.coalesce(func.sum(Runner.failed), 0)).where(
            Runner.seen_at >= lately
        )
    ).one()
    on = select(WebhookEndpoint.id).where(WebhookEndpoint.state == "enabled")
    waits = WebhookDelivery.state == literal_column("'waiting'")
    unsent = select(WebhookDelivery.id).where(
        WebhookDelivery.endpoint_id.in_(on), waits, WebhookDelivery.next_at <= now
    )
    return Numbers(
        due=due,
        lag=lag,
        running=session.execute(select(func.count()).where(RUNNING)).scalar_one(),
        dead=session.execute(select(func.count()).where(JOBS.c.state == literal_column("'dead'"))).scalar_one(),
        incidents=session.execute(select(func.count()).where(Incident.status == "open")).scalar_one(),
        runners=runners[0],
        done=int(runners[1]),
        failed=int(runners[2]),
        webhooks=session.execute(select(func.count()).select_from(unsent.limit(COUNTED).subquery())).scalar_one(),
        endpoints_off=session.execute(
            select(func.count()).where(WebhookEndpoint.state == "disabled", WebhookEndpoint.cause == "failing")
        ).scalar_one(),
    )
