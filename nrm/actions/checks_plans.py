"""Checks about needs and plans: what a returnee needs, which services were agreed, what a visit found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions._action import Work
from nrm.actions.check_calls import Answers, CheckCall, CheckResult, Registered, codes, latest_answers, text
from nrm.models import Case, Need, Organisation, Plan, PlanService
from nrm.sealing import Json, seal
from nrm.vocabulary import NeedStatus, PlanStatus, Priority


def _record_needs(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    needs = codes(answers.get("needs"))
    for category in needs:
        add_need(work, call.case, category)
    return CheckResult(values={"needs": len(needs)})


def add_need(work: Work, case: Case, category: str, priority: str = Priority.NORMAL) -> str:
    """Give the id of a case's open need of this category, recording it when there is none."""
    work.flush()
    known = select(Need.id).where(Need.case_id == case.id, Need.category == category, Need.status != NeedStatus.MET)
    found = work.session.execute(known).scalars().first()
    if found is not None:
        return found
    need_id = ids.new_id("nee")
    work.add(
        Need,
        id=need_id,
        case_id=case.id,
        person_id=case.person_id,
        category=category,
        priority=priority if priority in set(Priority) else Priority.NORMAL,
        created_at=work.now,
        updated_at=work.now,
    )
    work.record("need.recorded", stream=case.id, subject=("need", need_id), data={})
    return need_id


def _record_plan(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    wanted = [entry for entry in _entries(answers) if entry.get("category")]
    agreed = answers.get("returnee_agrees") is True
    plan_id, services = write_plan(work, call.case, wanted, agreed=agreed, run_id=call.run_id)
    return CheckResult(values={"service_ids": services, "services": len(services)}, context={"plan": plan_id})


def write_plan(
    work: Work, case: Case, wanted: Sequence[Mapping[str, Json]], *, agreed: bool, run_id: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Write the next revision of a case's plan with its services.

    Args:
        work: the transaction.
        case: the locked case.
        wanted: the services: category, and priority, goal, preferred_org, due where known.
        agreed: the returnee agrees with it.
        run_id: the run whose path starts the services; None where none does.

    Returns:
        The plan's id and the ids of its services.
    """
    plan_id = ids.new_id("pla")
    work.flush()
    earlier = len(work.session.execute(select(Plan.id).where(Plan.case_id == case.id)).all())
    work.add(
        Plan,
        id=plan_id,
        case_id=case.id,
        number=earlier + 1,
        status=PlanStatus.PROPOSED,
        agreed=agreed,
        run_id=run_id,
        created_at=work.now,
    )
    services = tuple(add_plan_service(work, case, plan_id, entry) for entry in wanted)
    work.record("plan.recorded", stream=case.id, subject=("plan", plan_id), data={"services": len(services)})
    return plan_id, services


def _entries(answers: Answers) -> list[Mapping[str, Json]]:
    """Give the services of a plan form: a repeat of services, or objectives that hold services."""
    found: list[Mapping[str, Json]] = []
    for name in ("services", "objectives"):
        part = answers.get(name)
        for entry in part if isinstance(part, list) else []:
            if isinstance(entry, dict):
                inner = _entries(entry)
                found += inner or [entry]
    return found


def add_plan_service(work: Work, case: Case, plan_id: str, entry: Mapping[str, Json]) -> str:
    """Write one service of a plan, and its need where the case has none yet; give the service's id."""
    service_id = ids.new_id("pls")
    priority = str(entry.get("priority") or entry.get("service_priority") or Priority.NORMAL)
    category = str(entry["category"])
    goal = text(entry.get("goal"))
    due = entry.get("due")
    work.add(
        PlanService,
        id=service_id,
        plan_id=plan_id,
        case_id=case.id,
        need_id=add_need(work, case, category, priority),
        category=category,
        priority=priority if priority in set(Priority) else Priority.NORMAL,
        goal=seal(goal, row=service_id, column="plan_services.goal") if goal else None,
        preferred_organisation_id=_organisation(work, entry.get("preferred_org")),
        due_on=date.fromisoformat(str(due)) if due else None,
        created_at=work.now,
    )
    return service_id


def _organisation(work: Work, found: Json | None) -> str | None:
    known = work.session.get(Organisation, str(found)) if found else None
    return known.id if known else None


def _record_followup(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    new_needs = codes(answers.get("new_needs"))
    for category in new_needs:
        add_need(work, call.case, category)
    new_need = answers.get("new_need") is True or bool(new_needs)
    concern = answers.get("protection_concern") is True or answers.get("concern") is True
    return CheckResult(values={"new_need": new_need, "concern": concern})


CHECKS: Final[Mapping[str, Registered]] = {
    "record_needs": Registered(check=_record_needs, values={"needs": int}),
    "record_plan": Registered(check=_record_plan, values={"service_ids": tuple, "services": int}),
    "record_followup": Registered(check=_record_followup, values={"new_need": bool, "concern": bool}),
}
"""Name in the diagram → what it does."""
