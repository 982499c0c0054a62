"""Needs and reintegration plans: record, change, approve, add a service at any time."""

from __future__ import annotations

from api.schemas.plans import AddService, ChangeNeed, RecordNeed, RecordPlan
from api.transport.endpoint import Ask, Noun
from nrm.actions import needs as need_actions
from nrm.actions import plans as actions
from nrm.actions.needs import NeedResult
from nrm.actions.plans import PlanResult, WantedService
from nrm.errors import NotValid, Problem
from nrm.installation import installation
from nrm.queries import cases as queries
from nrm.queries.cases import NeedRow, PlanView

plans = Noun("plans")


@plans.get("/cases/<case_id>/needs", answer=tuple[NeedRow, ...])
def list_needs(ask: Ask, case_id: str) -> tuple[NeedRow, ...]:
    """List the needs of a case."""
    return queries.needs(ask.actor, installation().clock.now(), case_id)


@plans.post("/cases/<case_id>/needs", body=RecordNeed, answer=NeedResult, status=201)
def record_need(ask: Ask, case_id: str) -> NeedResult:
    """Record that a returnee needs something."""
    return need_actions.record_need(ask.actor, case_id, **ask.body)


@plans.patch("/needs/<need_id>", body=ChangeNeed, answer=NeedResult, versioned=True)
def change_need(ask: Ask, need_id: str) -> NeedResult:
    """Change how pressing a need is, or say that it was met or cannot be met, and why."""
    if not ask.body:
        raise NotValid([Problem(pointer="", code="nothing_to_change")])
    return need_actions.change_need(ask.actor, need_id, version=ask.version, **ask.body)


@plans.get("/cases/<case_id>/plans", answer=tuple[PlanView, ...])
def list_plans(ask: Ask, case_id: str) -> tuple[PlanView, ...]:
    """List the revisions of the reintegration plan, the latest first."""
    return queries.plans(ask.actor, installation().clock.now(), case_id)


@plans.post("/cases/<case_id>/plans", body=RecordPlan, answer=PlanResult, status=201)
def record_plan(ask: Ask, case_id: str) -> PlanResult:
    """Record the next revision of the plan; nothing starts before a second person approves it."""
    services = [WantedService(**service) for service in ask.body["services"]]
    return actions.record_plan(ask.actor, case_id, services=services, agreed=ask.body["agreed"])


@plans.post("/plans/<plan_id>/approve", answer=PlanResult, versioned=True)
def approve(ask: Ask, plan_id: str) -> PlanResult:
    """Approve, as the second person, the latest revision of a plan; its services start."""
    return actions.approve_plan(ask.actor, plan_id, version=ask.version)


@plans.post("/plans/<plan_id>/services", body=AddService, answer=PlanResult, status=201, versioned=True)
def add_service(ask: Ask, plan_id: str) -> PlanResult:
    """Add a service to a plan and start its path at once."""
    return actions.add_service(ask.actor, plan_id, wanted=WantedService(**ask.body), version=ask.version)
