"""Incidents: what failed; try again, repair, give up."""

from __future__ import annotations

from dataclasses import dataclass

from api.schemas.incidents import GiveUp, IncidentQuery, Repair, RepairAnswers
from api.transport.endpoint import Ask, Noun
from api.transport.problems import explain_failure
from nrm.actions import incidents as actions
from nrm.actions.incidents import IncidentResult
from nrm.installation import installation
from nrm.queries import incidents as queries
from nrm.queries.incidents import IncidentRow, IncidentView
from nrm.queries.page import Page
from nrm.vocabulary import IncidentStatus

incidents = Noun("incidents")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedIncident:
    """An incident with its cause in words."""

    id: str
    version: int
    explanation: str
    incident: IncidentView


def _explained(found: IncidentView) -> ExplainedIncident:
    row = found.row
    return ExplainedIncident(
        id=row.id, version=row.version, explanation=explain_failure(row.code, row.params), incident=found
    )


@incidents.get("/incidents", query=IncidentQuery, answer=IncidentRow, paged=True)
def list_incidents(ask: Ask) -> Page[IncidentRow]:
    """List the incidents that one may help with, the latest first."""
    return queries.incidents(
        ask.actor,
        installation().clock.now(),
        status=IncidentStatus(ask.query["status"]) if "status" in ask.query else None,
        case_id=ask.query.get("case"),
        after=ask.after,
        limit=ask.limit,
    )


@incidents.get("/incidents/<incident_id>", answer=ExplainedIncident, shape=_explained)
def read_incident(ask: Ask, incident_id: str) -> IncidentView:
    """Read an incident: its cause in words, and the values by which its run decides."""
    return queries.incident(ask.actor, installation().clock.now(), incident_id)


@incidents.post("/incidents/<incident_id>/retry", answer=IncidentResult, versioned=True)
def retry(ask: Ask, incident_id: str) -> IncidentResult:
    """Try again what failed."""
    return actions.retry_incident(ask.actor, incident_id, version=ask.version)


@incidents.post("/incidents/<incident_id>/repair", body=Repair, answer=IncidentResult, versioned=True)
def repair(ask: Ask, incident_id: str) -> IncidentResult:
    """Change decision values of the run that failed, and try again with them."""
    return actions.repair_incident(
        ask.actor, incident_id, values=ask.body["values"], reason=ask.body["reason"], version=ask.version
    )


@incidents.post("/incidents/<incident_id>/repair-answers", body=RepairAnswers, answer=IncidentResult, versioned=True)
def repair_answers(ask: Ask, incident_id: str) -> IncidentResult:
    """Correct the answers that a step failed over, and try again; first it only says what would change."""
    return actions.repair_answers(ask.actor, incident_id, **ask.body, version=ask.version)


@incidents.post("/incidents/<incident_id>/cancel", body=GiveUp, answer=IncidentResult, versioned=True)
def give_up(ask: Ask, incident_id: str) -> IncidentResult:
    """Give up what failed: the run is cancelled, or the job is thrown away."""
    return actions.cancel_incident(ask.actor, incident_id, note=ask.body["note"], version=ask.version)
