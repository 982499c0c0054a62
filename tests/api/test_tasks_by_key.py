"""An organisation's program works on the tasks of its desks, with the same calls as people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from nrm.actions.keys import issue_key
from nrm.actors import SYSTEM
from nrm.models import Task
from tests.api.conftest import Browser, Office

Opened = Callable[..., str]
TEA = {"answers": {"wants_tea": True, "tea_kind": "mint"}}


def program(office: Office, organisation_id: str, *scopes: str) -> Browser:
    key = issue_key(SYSTEM, organisation_id, name="case system", scopes=scopes)
    client = office.app.test_client(use_cookies=False)
    return Browser(client=client, headers={"Authorization": f"Bearer {key.text}"})


@pytest.fixture
def task(office: Office, opened: Opened) -> Task:
    """The first task of a small path, at a desk."""
    return office.land.open_tasks(opened())["ask"]


def names(body: Any) -> set[str]:
    return {word for word in ("Invented", "Example") if word in str(body)}


def test_a_program_finds_takes_and_completes_a_task_of_its_organisations_desk(office: Office, task: Task):
    ngo = program(office, task.organisation_id, "tasks:read", "tasks:act")
    (row,) = ngo.get("/tasks?tab=desk").get_json()["data"]
    assert row["id"] == task.id
    assert row["person"].startswith("P-"), "a program's lists name nobody"
    assert "claim" in row["allowed_actions"]
    taken = ngo.post(f"/tasks/{task.id}/claim", {"version": row["version"]})
    assert taken.status_code == 200, taken.text
    assert [found["id"] for found in ngo.get("/tasks?tab=mine").get_json()["data"]] == [task.id]
    view = ngo.get(f"/tasks/{task.id}").get_json()
    assert view["form"]["key"] == "hello_ask"
    assert names(view) == set()
    wrong = ngo.post(f"/tasks/{task.id}/complete", {"answers": {}, "version": view["version"]})
    assert wrong.status_code == 422
    done = ngo.post(f"/tasks/{task.id}/complete", {**TEA, "version": view["version"]})
    assert done.status_code == 200, done.text
    assert done.get_json()["opened"]


def test_what_one_key_took_the_next_key_of_the_organisation_completes(office: Office, task: Task):
    old = program(office, task.organisation_id, "tasks:read", "tasks:act")
    version = old.post(f"/tasks/{task.id}/claim", {"version": task.version}).get_json()["version"]
    new = program(office, task.organisation_id, "tasks:read", "tasks:act")
    done = new.post(f"/tasks/{task.id}/complete", {**TEA, "version": version})
    assert done.status_code == 200, done.text


def test_a_colleague_sees_that_the_program_holds_it(office: Office, task: Task):
    ngo = program(office, task.organisation_id, "tasks:read", "tasks:act")
    version = ngo.post(f"/tasks/{task.id}/claim", {"version": task.version}).get_json()["version"]
    handler = office.handler()
    refused = handler.post(f"/tasks/{task.id}/claim", {"version": version})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "task_taken")
    assert ngo.post(f"/tasks/{task.id}/release", {"version": version}).status_code == 200
    assert handler.post(f"/tasks/{task.id}/claim", {"version": version + 1}).status_code == 200


def test_reading_is_not_acting_and_another_organisations_tasks_are_not_there(office: Office, task: Task):
    reader = program(office, task.organisation_id, "tasks:read")
    refused = reader.post(f"/tasks/{task.id}/claim", {"version": task.version})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "scope_missing")
    other = office.land.at_desk("case_handler", "hillin").organisations[0]
    assert other != task.organisation_id
    stranger = program(office, other, "tasks:read", "tasks:act")
    assert stranger.get("/tasks?tab=desk").get_json()["data"] == []
    assert stranger.get(f"/tasks/{task.id}").status_code == 404
    assert stranger.post(f"/tasks/{task.id}/claim", {"version": task.version}).status_code == 404
    without = program(office, task.organisation_id, "referrals:read")
    assert without.get("/tasks").status_code == 403


def test_a_task_of_a_strict_case_is_not_there_for_a_program(office: Office, task: Task):
    office.land.session.execute(update(Task).where(Task.id == task.id).values(level="strict"))
    office.land.session.commit()
    ngo = program(office, task.organisation_id, "tasks:read", "tasks:act", "subject:read")
    assert ngo.get("/tasks?tab=desk").get_json()["data"] == []
    assert ngo.get(f"/tasks/{task.id}").status_code == 404
    assert ngo.post(f"/tasks/{task.id}/claim", {"version": task.version}).status_code == 404
    office.land.session.close()
    assert office.land.session.execute(select(Task.assignee_id)).scalars().all() == [None]
