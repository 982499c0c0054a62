"""A complaint is taken down by a desk that need not know the case, and does not reach the desk that works on it."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from nrm.actions import cases, complaints, tasks
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, CaseAccess
from nrm.queries import tasks as task_queries
from tests.world import World


def case_of(land: World) -> cases.CaseResult:
    handler = land.at_desk("case_handler", "norvale")
    return cases.open_case(handler, land.person(), governorate="norvale", path=None)


def test_whoever_takes_a_complaint_down_needs_the_number_and_nothing_else(land: World):
    found = case_of(land)
    coordinator = land.at_desk("coordinator", "norvale")
    complaints.start_complaint(coordinator, f" {found.number.lower()} ", path="quiet_word")
    task = land.open_tasks(found.id)["listen"]
    with pytest.raises(NotFound):
        task_queries.task(land.at_desk("case_handler", "norvale"), land.clock.now(), task.id)
    assert task_queries.task(coordinator, land.clock.now(), task.id).task.step == "listen"


def test_a_complaint_about_a_closed_case_is_still_heard(land: World):
    found = case_of(land)
    with db.engine.begin() as connection:
        connection.execute(update(Case).where(Case.id == found.id).values(status="closed"))
    coordinator = land.at_desk("coordinator", "norvale")
    complaints.start_complaint(coordinator, found.number, path="quiet_word")
    task = land.open_tasks(found.id)["listen"]
    version = tasks.claim_task(coordinator, task.id).version
    tasks.complete_task(coordinator, task.id, answers={"note": "All was done"}, version=version)
    assert land.open_tasks(found.id) == {}


def test_a_number_that_no_case_has_starts_nothing(land: World):
    with pytest.raises(NotFound):
        complaints.start_complaint(land.at_desk("coordinator", "norvale"), "TL-00-XXXXX-X", path="quiet_word")


def test_those_who_do_not_handle_complaints_cannot_start_one_by_a_number(land: World):
    found = case_of(land)
    with pytest.raises(NotAllowed):
        complaints.start_complaint(land.at_desk("case_handler", "norvale"), found.number, path="quiet_word")
    land.session.close()
    kinds = land.session.execute(select(CaseAccess.reason).where(CaseAccess.case_id == found.id)).scalars().all()
    assert "task" not in kinds
