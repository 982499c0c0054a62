"""Reintegration plans by hand: a revision, its approval by a second person, one more service at any time.

A plan that a path recorded has its services started by that path. A plan that somebody records here waits for its
approval, which starts a run for each of its services.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select, update

from nrm.actions import runs
from nrm.actions._action import Work, action
from nrm.actions.checks_plans import add_plan_service, write_plan
from nrm.actions.needs import check_codes, lock_open_case
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, Problem, StaleVersion
from nrm.models import Case, Event, Organisation, Plan, PlanService
from nrm.queries import packs
from nrm.rules.texts import WrongValue, clean_text
from nrm.sealing import Json
from nrm.vocabulary import SERVICE_CATEGORY, PlanStatus, Priority

MOST_SERVICES: Final = 50
"""As many as a path's list may hold."""

_TABLES: Final = ("plan_service_paths", "service_paths")
_PATH: Final = "service_referral"
"""The call tables of services, the first that the country has counts; the path of those that it does not name."""

_UNPLANNED: Final = "service_paths"
"""The call table of services that stand in no plan."""

_LONGEST_GOAL: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedService:
    """A service that shall be in a plan.

    Attributes:
        category: code of the service category.
        priority: how pressing it is.
        goal: what it is for, in the returnee's words; kept sealed.
        preferred_organisation_id: who shall give it, where the returnee has a wish.
        due_on: by when.
    """

    category: str
    priority: str = Priority.NORMAL
    goal: str | None = None
    preferred_organisation_id: str | None = None
    due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """A plan after a verb.

    Attributes:
        id: the plan.
        number: which revision of the case's plan it is.
        status: how it stands now.
        version: its version now.
        services: ids of the services that the verb wrote or started.
        runs: ids of the runs that the verb started.
    """

    id: str
    number: int
    status: str
    version: int
    services: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


@action("plan.record", permission="plan.edit")
def record_plan(work: Work, case_id: str, *, services: Sequence[WantedService], agreed: bool) -> PlanResult:
    """Record the next revision of a case's plan; nothing starts before a second person approves it.

    Args:
        work: the transaction.
        case_id: the case.
        services: 1 to `MOST_SERVICES`.
        agreed: the returnee agrees with it.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor may only read it.
        NotValid: a code or organisation is unknown, or there are no services or too many.
        IllegalMove: the case is closed.
    """
    case = lock_open_case(work, case_id)
    if not services:
        raise NotValid([Problem(pointer="/services", code="required")])
    if len(services) > MOST_SERVICES:
        raise NotValid([Problem(pointer="/services", code="too_many_entries", params={"most": MOST_SERVICES})])
    entries = [_entry(work, wanted, at=f"/services/{place}") for place, wanted in enumerate(services)]
    plan_id, written = write_plan(work, case, entries, agreed=agreed)
    work.flush()
    plan = work.session.get_one(Plan, plan_id)
    return PlanResult(id=plan_id, number=plan.number, status=plan.status, version=plan.version, services=written)


@action("plan.approve", permission="plan.approve")
def approve_plan(work: Work, plan_id: str, *, version: int | None) -> PlanResult:
    """Approve, as the second person, the latest revision of a plan; what an earlier one agreed is replaced.

    Args:
        work: the transaction.
        plan_id: the plan.
        version: the version that the actor saw.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor recorded the plan, or may only read the case.
        StaleVersion: it changed since.
        IllegalMove: it was approved or replaced, the returnee does not agree, the case is closed, or a path of a
            service cannot start.
    """
    case, plan = _hold(work, plan_id, version)
    if plan.status == PlanStatus.APPROVED:
        raise IllegalMove((), "approved_before")
    if _author(work, plan) == work.actor.id:
        raise NotAllowed("second_person_needed")
    if not plan.agreed:
        raise IllegalMove((), "plan_not_agreed")
    work.change(Plan, plan.id, version=plan.version, status=PlanStatus.APPROVED, approved_at=work.now)
    work.session.execute(
        update(Plan)
        .where(Plan.case_id == case.id, Plan.id != plan.id, Plan.status != PlanStatus.REPLACED)
        .values(status=PlanStatus.REPLACED, version=Plan.version + 1)
        .execution_options(synchronize_session=False)
    )
    work.record("plan.approved", stream=case.id, subject=("plan", plan.id), data={"number": plan.number})
    planned: Sequence[PlanService] = ()
    if plan.run_id is None:
        found = select(PlanService).where(PlanService.plan_id == plan.id, PlanService.status == "planned")
        planned = work.session.execute(found.order_by(PlanService.created_at, PlanService.id)).scalars().all()
    started = tuple(_start(work, case, service.id, service.category, service.priority) for service in planned)
    return PlanResult(
        id=plan.id,
        number=plan.number,
        status=PlanStatus.APPROVED,
        version=plan.version + 1,
        services=tuple(service.id for service in planned),
        runs=started,
    )


@action("plan.add_service", permission="plan.edit")
def add_service(work: Work, plan_id: str, *, wanted: WantedService, version: int | None) -> PlanResult:
    """Add a service to the latest plan of a case and start its path at once.

    Args:
        work: the transaction.
        plan_id: the plan; an approved one, or one whose path starts its services.
        wanted: the service.
        version: the version that the actor saw.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor may only read it, or may not start paths.
        NotValid: a code or organisation is unknown.
        StaleVersion: it changed since.
        IllegalMove: the plan is not approved or was replaced, the case is closed, or the path cannot start.
    """
    case, plan = _hold(work, plan_id, version)
    work.require("run.start")
    if plan.status != PlanStatus.APPROVED and plan.run_id is None:
        raise IllegalMove(("approve",), "plan_not_approved")
    service_id = add_plan_service(work, case, plan.id, _entry(work, wanted))
    work.change(Plan, plan.id, version=plan.version)
    run_id = _start(work, case, service_id, wanted.category, wanted.priority)
    data = {"service": service_id, "plan": plan.id}
    work.record("plan.service_added", stream=case.id, subject=("run", run_id), data=data)
    return PlanResult(
        id=plan.id,
        number=plan.number,
        status=plan.status,
        version=plan.version + 1,
        services=(service_id,),
        runs=(run_id,),
    )


@action("plan.start_service", permission="run.start")
def start_service(work: Work, case_id: str, *, category: str) -> str:
    """Start the path of a service for a case that has no approved plan.

    Args:
        work: the transaction.
        case_id: the case.
        category: code of the service category.

    Returns:
        Id of the run.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor may only read it.
        NotValid: the category is unknown.
        IllegalMove: the case is closed, or the path cannot start.
    """
    case = lock_open_case(work, case_id)
    check_codes(category, Priority.NORMAL)
    table = packs.pack().call_tables.get(_UNPLANNED, {})
    return runs.begin(work, case, table.get(category, _PATH), context={SERVICE_CATEGORY: category})


def _hold(work: Work, plan_id: str, version: int | None) -> tuple[Case, Plan]:
    case_id = work.session.execute(select(Plan.case_id).where(Plan.id == plan_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound
    case = lock_open_case(work, case_id)
    plan = work.session.get_one(Plan, plan_id, populate_existing=True)
    if version is not None and plan.version != version:
        raise StaleVersion(plan.version)
    later = select(Plan.id).where(Plan.case_id == case_id, Plan.number > plan.number)
    if plan.status == PlanStatus.REPLACED or work.session.execute(later).first() is not None:
        raise IllegalMove((), "plan_replaced")
    return case, plan


def _author(work: Work, plan: Plan) -> str | None:
    """Give who recorded a plan; its event says so, and cannot be changed."""
    found = select(Event.actor).where(
        Event.stream == plan.case_id, Event.kind == "plan.recorded", Event.subject_id == plan.id
    )
    return work.session.execute(found).scalars().first()


def _entry(work: Work, wanted: WantedService, *, at: str = "") -> Mapping[str, Json]:
    check_codes(wanted.category, wanted.priority, at=at)
    organisation = wanted.preferred_organisation_id
    if organisation is not None and work.session.get(Organisation, organisation) is None:
        raise NotValid([Problem(pointer=f"{at}/preferred_organisation_id", code="unknown_organisation")])
    try:
        goal = clean_text(wanted.goal or "", longest=_LONGEST_GOAL, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer=f"{at}/goal", code=error.code, params=error.params)]) from error
    return {
        "category": wanted.category,
        "priority": wanted.priority,
        "goal": goal,
        "preferred_org": organisation,
        "due": wanted.due_on.isoformat() if wanted.due_on else None,
    }


def _start(work: Work, case: Case, service_id: str, category: str, priority: str) -> str:
    known = packs.pack().call_tables
    table = next((known[key] for key in _TABLES if key in known), {})
    path = table.get(category, _PATH)
    return runs.begin(work, case, path, values={"service_id": service_id, "priority": priority})
