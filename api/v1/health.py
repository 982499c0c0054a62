"""Whether the service works, for machines that watch it; not for a public listener."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from api.transport.endpoint import Ask, Noun
from api.transport.shapes import write_json
from nrm.queries import health as queries

health = Noun("health", prefix="")

_TEXT = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """The process answers."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Whether requests can be served.

    Attributes:
        ready: database and tables are there.
        runner: whether a runner lives; without one clocks stand still, but people can work.
        runner_seen: seconds since its last sign of life.
    """

    ready: bool
    database: bool
    tables: bool
    runner: bool
    runner_seen: float | None


@health.get("/healthz", answer=Alive, signed_in=False)
def alive(ask: Ask) -> Alive:
    """Say that the process answers."""
    del ask
    return Alive(status="ok")


@health.get("/readyz", answer=Ready, signed_in=False)
def ready(ask: Ask) -> Ready | Response:
    """Say whether requests can be served; 503 when not."""
    del ask
    found = queries.readiness()
    said = Ready(
        ready=found.ready,
        database=found.database,
        tables=found.tables,
        runner=found.runner,
        runner_seen=found.runner_seen,
    )
    return said if found.ready else Response(write_json(said), status=503, content_type="application/json")


@health.get("/metrics", answer=str, media=_TEXT, signed_in=False)
def metrics(ask: Ask) -> Response:
    """Give the figures of jobs, runners and incidents, as Prometheus reads them."""
    del ask
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers())
    return Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


class _Numbers:
    def collect(self) -> list[Metric]:
        """Read the figures now."""
        found = queries.numbers()
        due = GaugeMetricFamily("nrm_jobs_due", "Jobs that could run now (counted up to 1000)", labels=["queue"])
        lag = GaugeMetricFamily("nrm_jobs_lag_seconds", "Age of the oldest due job", labels=["queue"])
        for queue, number in found.due.items():
            due.add_metric([queue], number)
        for queue, seconds in found.lag.items():
            lag.add_metric([queue], seconds)
        plain = {
            "nrm_jobs_running": ("Leased jobs", found.running),
            "nrm_jobs_dead": ("Dead jobs", found.dead),
            "nrm_incidents_open": ("Open incidents", found.incidents),
            "nrm_runners": ("Runners that live", found.runners),
            "nrm_runners_done": ("Jobs done by living runners", found.done),
            "nrm_webhooks_due": ("Webhooks that could be sent now (counted up to 1000)", found.webhooks),
            "nrm_webhook_endpoints_failing": ("Endpoints that were switched off for failing", found.endpoints_off),
            "nrm_runners_failed": ("Failed attempts of living runners", found.failed),
        }
        return [due, lag, *(GaugeMetricFamily(name, says, value=value) for name, (says, value) in plain.items())]
