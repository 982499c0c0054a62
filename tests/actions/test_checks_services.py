"""A service of the plan is served by the path of its kind, and what came of it is kept with the need."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from nrm import ids
from nrm.actions import cases
from nrm.actions._action import transact
from nrm.actions.checks import CHECKS, CheckCall
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.engine.failures import StepFailed
from nrm.models import Need, Plan, PlanService
from tests.world import World


def planned(land: World, category: str) -> tuple[str, str]:
    """Plan one service for a new case; gives the case's and the planned service's id."""
    handler = land.at_desk("case_handler", "norvale")
    person = land.person()
    case_id = cases.open_case(handler, person, governorate="norvale", path=None).id
    need, plan, service = ids.new_id("nee"), ids.new_id("pla"), ids.new_id("pls")
    now = land.clock.now()
    rows = (
        (Need, {"id": need, "person_id": person, "category": category, "updated_at": now}),
        (Plan, {"id": plan, "number": 1, "status": "approved", "agreed": True}),
        (PlanService, {"id": service, "plan_id": plan, "need_id": need, "category": category}),
    )
    with db.engine.begin() as connection:
        for model, values in rows:
            connection.execute(insert(model).values(case_id=case_id, created_at=now, **values))
    return case_id, service


def check(name: str, case_id: str, service: str, **params: str) -> dict:
    def work_it(work):
        call = CheckCall(
            case=work.lock_case(case_id),
            run_id="",
            step="here",
            token="1",
            params=params,
            item=None,
            context={},
            values={"service_id": service},
        )
        return dict(CHECKS[name](work, call).values)

    return transact(SYSTEM, work_it)


def test_the_category_of_a_planned_service_chooses_its_path(land: World):
    case_id, service = planned(land, "VT")
    assert check("planned_category", case_id, service) == {"category": "VT"}


@pytest.mark.parametrize(("outcome", "status"), [("provided", "met"), ("partly", "open"), ("unmet", "unmet")])
def test_the_end_of_a_service_is_kept_with_its_need(land: World, outcome: str, status: str):
    case_id, service = planned(land, "BUS")
    check("close_planned_service", case_id, service, outcome=outcome)
    land.session.close()
    kept = land.session.execute(select(PlanService.status, PlanService.outcome)).one()
    assert tuple(kept) == ("closed", outcome)
    assert land.session.execute(select(Need.status)).scalar_one() == status


def test_a_service_of_another_case_is_not_touched(land: World):
    case_id, _ = planned(land, "VT")
    _, other = planned(land, "VT")
    with pytest.raises(StepFailed, match="no_planned_service"):
        check("planned_category", case_id, other)
