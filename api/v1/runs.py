"""Runs of a case: list, read, draw, start another path, cancel."""

from __future__ import annotations

from flask import Response

from api.schemas.cases import CancelRun, StartRun
from api.transport.endpoint import Ask, Noun
from api.transport.problems import language
from api.transport.shapes import Made, made
from nrm.actions import runs as actions
from nrm.installation import installation
from nrm.queries import runs as queries
from nrm.queries.runs import RunRow, RunView

runs = Noun("runs")

SVG = "image/svg+xml"


@runs.get("/cases/<case_id>/runs", answer=tuple[RunRow, ...])
def list_runs(ask: Ask, case_id: str) -> tuple[RunRow, ...]:
    """List the runs of a case."""
    return queries.runs(ask.actor, installation().clock.now(), case_id)


@runs.post("/cases/<case_id>/runs", body=StartRun, answer=Made, status=201, shape=made)
def start(ask: Ask, case_id: str) -> str:
    """Start another path for a case."""
    return actions.start_run(ask.actor, case_id, ask.body["path"], version=ask.body.get("number"))


@runs.get("/runs/<run_id>", answer=RunView)
def read_run(ask: Ask, run_id: str) -> RunView:
    """Read a run with the steps that it went through."""
    return queries.run(ask.actor, installation().clock.now(), run_id)


@runs.get("/runs/<run_id>/drawing", answer=str, media=SVG)
def draw_run(ask: Ask, run_id: str) -> Response:
    """Draw a run's path with what is done, open, waiting, late and failed."""
    drawn = queries.drawing(ask.actor, installation().clock.now(), run_id, language=language())
    return Response(drawn, content_type=SVG)


@runs.post("/runs/<run_id>/cancel", body=CancelRun)
def cancel(ask: Ask, run_id: str) -> None:
    """Cancel a run with everything that it opened."""
    actions.cancel_run(ask.actor, run_id, reason=ask.body["reason"])
