"""Who comes to know: a run that is kept apart from the case's own desk, and a case that becomes strict."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from nrm.actions import cases, tasks
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import Case, Run
from nrm.queries import inbox
from nrm.queries import tasks as task_queries
from nrm.queries.inbox import InboxFilter, Tab
from tests.world import World


def waiting(land: World, actor) -> list[str]:
    land.session.close()
    page = inbox.inbox(actor, land.clock.now(), tab=Tab.WAITING, only=InboxFilter())
    return [row.step for row in page.items]


def opened(land: World, path: str) -> tuple[object, str]:
    handler = land.at_desk("case_handler", "norvale")
    return handler, cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def test_what_is_told_about_a_desk_in_confidence_does_not_reach_that_desk(land: World):
    handler, case_id = opened(land, "quiet_word")
    task = land.open_tasks(case_id)["listen"]
    assert waiting(land, handler) == []
    with pytest.raises(NotFound):
        task_queries.task(handler, land.clock.now(), task.id)
    coordinator = land.at_desk("coordinator", "norvale")
    assert task_queries.task(coordinator, land.clock.now(), task.id).task.step == "listen"


def test_the_page_of_the_case_does_not_name_what_is_kept_apart_but_to_those_who_work_on_it(land: World):
    handler, case_id = opened(land, "quiet_word")
    coordinator = land.at_desk("coordinator", "norvale")

    def steps(actor) -> list[str]:
        land.session.close()
        return [row.step for row in inbox.tasks_of_case(actor, land.clock.now(), case_id)]

    assert (steps(handler), steps(coordinator)) == ([], ["listen"])


def test_the_answers_of_a_run_kept_apart_stay_with_those_who_worked_on_it(land: World):
    handler, case_id = opened(land, "quiet_word")
    task = land.open_tasks(case_id)["listen"]
    coordinator = land.at_desk("coordinator", "norvale")
    claimed = tasks.claim_task(coordinator, task.id).version
    tasks.complete_task(coordinator, task.id, answers={"note": "All was done"}, version=claimed)
    assert task_queries.task(coordinator, land.clock.now(), task.id).answers == {"note": "All was done"}
    with pytest.raises(NotFound):
        task_queries.task(handler, land.clock.now(), task.id)


def test_the_same_task_of_an_ordinary_run_is_one_that_the_desk_waits_for(land: World):
    handler, case_id = opened(land, "quiet_word")
    task = land.open_tasks(case_id)["listen"]
    land.session.close()
    with db.engine.begin() as connection:
        connection.execute(update(Run).where(Run.case_id == case_id).values(context={}))
    assert waiting(land, handler) == ["listen"]
    assert task_queries.task(handler, land.clock.now(), task.id).task.step == "listen"


def test_a_path_may_make_its_case_strict(land: World):
    _, case_id = opened(land, "quiet_word")
    land.session.close()
    assert land.session.execute(select(Case.level).where(Case.id == case_id)).scalar_one() == "strict"
    assert land.open_tasks(case_id)["listen"].level == "strict"
