"""A handler's tasks: taken, put back, handed over, held, completed, undone."""

from __future__ import annotations

from nrm.actions import cases, tasks
from tests.world import World


def test_a_handler_opens_a_case_and_completes_its_first_task(land: World):
    handler = land.at_desk("case_handler", "norvale")
    case = cases.open_case(handler, land.person(), governorate="norvale", path="hello")
    task = land.open_tasks(case.id)["ask"]

    tasks.claim_task(handler, task.id, version=1)
    done = tasks.complete_task(handler, task.id, answers={"wants_tea": True, "tea_kind": "mint"}, version=2)

    assert done.incident is None
    assert set(land.open_tasks(case.id)) == {"serve"}
