"""A handler's day, over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from tests.api.conftest import Office


def test_a_handler_signs_in_takes_a_task_completes_it_and_finds_the_next(office: Office, opened: Callable[..., str]):
    case_id = opened()
    handler = office.handler()

    listed = handler.get("/tasks?tab=desk").get_json()["data"]
    assert [task["case_id"] for task in listed] == [case_id]
    task = listed[0]
    assert task["allowed_actions"] == ["claim", "comment"]
    assert set(task["names"]) == {"ar", "ckb", "en"}

    claimed = handler.post(f"/tasks/{task['id']}/claim", headers={"If-Match": '"v1"'})
    assert claimed.headers["ETag"] == '"v2"'
    seen = handler.get(f"/tasks/{task['id']}").get_json()
    assert seen["form"]["content"]["fields"]
    assert "complete" in seen["allowed_actions"]

    done = handler.post(
        f"/tasks/{task['id']}/complete", {"answers": {"wants_tea": True, "tea_kind": "mint"}, "version": 2}
    )
    assert done.status_code == 200
    assert len(done.get_json()["opened"]) == 1
    assert [task["step"] for task in handler.get("/tasks?tab=desk").get_json()["data"]] == ["serve"]
    assert [task["step"] for task in handler.get("/tasks?tab=done").get_json()["data"]] == ["ask"]
    assert handler.get("/tasks/counts").get_json()["desk"] == 1


def test_completing_without_saying_which_version_was_seen_is_refused(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.post("/tasks/next", {}).get_json()

    assert handler.post(f"/tasks/{task['id']}/complete", {"answers": {}}).status_code == 428
    stale = handler.post(f"/tasks/{task['id']}/complete", {"answers": {"wants_tea": False}, "version": 1})
    assert stale.status_code == 412
    assert stale.get_json()["current_version"] == 2


def test_a_second_click_gets_the_first_ones_answer(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.post("/tasks/next", {}).get_json()
    body = {"answers": {"wants_tea": False}, "version": 2}
    key = {"Idempotency-Key": "click-1"}

    first = handler.post(f"/tasks/{task['id']}/complete", body, headers=key)
    second = handler.post(f"/tasks/{task['id']}/complete", body, headers=key)
    other = handler.post(f"/tasks/{task['id']}/complete", {**body, "version": 3}, headers=key)

    assert (first.status_code, second.status_code, other.status_code) == (200, 200, 422)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.get_json() == first.get_json()
    assert other.get_json()["code"] == "idempotency_mismatch"
    without_key = handler.post(f"/tasks/{task['id']}/complete", body)
    assert (without_key.status_code, without_key.get_json()["code"]) == (409, "task_completed_by_you")
