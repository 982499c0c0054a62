"""One's own working day over HTTP: many tasks at once, absences with a substitute, hours, the daily mail, views."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.api.conftest import Browser, Office


def desk_tasks(browser: Browser) -> list[dict[str, object]]:
    found: list[dict[str, object]] = browser.get("/tasks?tab=desk").get_json()["data"]
    return found


def test_many_tasks_are_taken_at_once_and_each_says_what_became_of_it(office: Office, opened: Callable[..., str]):
    for _ in range(3):
        opened()
    handler = office.handler()
    rows = desk_tasks(handler)
    chosen = [{"id": row["id"], "version": row["version"]} for row in rows]
    stale = {**chosen[0], "version": 99}
    nobody = {"id": "tsk_" + "0" * 26, "version": 1}
    done = handler.post("/tasks/many", {"verb": "claim", "tasks": [stale, *chosen[1:], nobody]})
    assert done.status_code == 200, done.text
    answer = done.get_json()
    assert (answer["done"], answer["failed"]) == (len(chosen) - 1, 2)
    by_id = {one["id"]: one for one in answer["tasks"]}
    assert by_id[chosen[0]["id"]]["code"] == "stale_version"
    assert by_id[nobody["id"]]["code"] == "not_found"
    assert by_id[nobody["id"]]["detail"]
    assert by_id[chosen[1]["id"]] == {"id": chosen[1]["id"], "done": True, "code": None, "detail": None}
    mine = handler.get("/tasks?tab=mine").get_json()["data"]
    until = (office.clock.now() + timedelta(days=3)).isoformat().replace("+00:00", "Z")
    tasks = [{"id": row["id"], "version": row["version"]} for row in mine]
    held = handler.post("/tasks/many", {"verb": "hold", "tasks": tasks, "until": until, "reason": "health"})
    assert held.get_json()["failed"] == 0, held.text
    assert len(handler.get("/tasks?tab=on_hold").get_json()["data"]) == len(tasks)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"verb": "complete", "tasks": [{"id": "tsk_" + "0" * 26}]}, "/verb"),
        ({"verb": "claim", "tasks": []}, "/tasks"),
        ({"verb": "claim"}, "/tasks"),
        ({"verb": "claim", "tasks": [{"id": "tsk_" + "0" * 26}] * 101}, "/tasks"),
        ({"verb": "claim", "tasks": ["tsk_" + "0" * 26]}, "/tasks/0"),
        ({"verb": "claim", "tasks": [{"id": "one"}]}, "/tasks/0/id"),
        ({"verb": "claim", "tasks": [{"id": "tsk_" + "0" * 26, "version": "1"}]}, "/tasks/0/version"),
        ({"verb": "hold", "tasks": [{"id": "tsk_" + "0" * 26}], "until": "soon"}, "/until"),
    ],
)
def test_a_wrong_wish_for_many_tasks_is_named(office: Office, body: dict[str, object], pointer: str):
    answer = office.handler().post("/tasks/many", body)
    assert answer.status_code == 422
    assert pointer in [one["pointer"] for one in answer.get_json()["errors"]]


def test_somebody_is_away_with_a_substitute_of_the_same_desk(office: Office):
    handler, colleague = office.handler(), office.handler(name="two")
    stranger = office.handler("hillin")
    assert colleague.actor is not None
    assert stranger.actor is not None
    (other,) = handler.get("/substitutes").get_json()
    assert other["id"] == colleague.actor.id
    first = office.clock.now().date()
    days = {"first": first.isoformat(), "last": (first + timedelta(days=3)).isoformat()}
    elsewhere = handler.post("/absences", {**days, "substitute": stranger.actor.id})
    assert elsewhere.get_json()["errors"][0]["code"] == "substitute_elsewhere"
    absence = handler.post("/absences", {**days, "substitute": other["id"]})
    assert absence.status_code == 201, absence.text
    assert handler.post("/absences", days).get_json()["errors"][0]["code"] == "absence_overlaps"
    (row,) = handler.get("/absences").get_json()
    assert (row["id"], row["substitute"]) == (absence.get_json()["id"], other["name"])
    assert colleague.get("/absences").get_json() == []
    assert handler.get("/absences?desk=true").status_code == 403
    assert stranger.post(f"/absences/{row['id']}/end").status_code == 404
    assert handler.post(f"/absences/{row['id']}/end").status_code == 204
    assert handler.post(f"/absences/{row['id']}/end").get_json()["code"] == "absence_over"
    assert handler.get("/absences").get_json() == []


def test_a_supervisor_records_the_absence_of_somebody_who_cannot(office: Office):
    handler = office.handler()
    boss = office.browser(office.land.at_desk("supervisor", "norvale"))
    other = office.browser(office.land.at_desk("supervisor", "hillin"))
    assert handler.actor is not None
    first = office.clock.now().date()
    body = {"first": first.isoformat(), "last": first.isoformat(), "user_id": handler.actor.id}
    assert other.post("/absences", body).status_code == 404
    assert boss.post("/absences", body).status_code == 201
    assert [one["user_id"] for one in boss.get("/absences?desk=true").get_json()] == [handler.actor.id]
    assert other.get("/absences?desk=true").get_json() == []


def test_working_hours_and_the_daily_mail_are_told_and_read(office: Office):
    handler = office.handler()
    assert handler.get("/working-times").get_json() == {"days": [], "begin": "", "end": "", "digest": "off"}
    assert handler.put("/working-times/hours", {"days": [6, 0, 1], "begin": "08:00", "end": "14:30"}).status_code == 204
    assert handler.put("/working-times/digest", {"digest": "daily"}).status_code == 204
    told = {"days": [0, 1, 6], "begin": "08:00", "end": "14:30", "digest": "daily"}
    assert handler.get("/working-times").get_json() == told
    for body, pointer in (
        ({"days": [7], "begin": "08:00", "end": "09:00"}, "/days/0"),
        ({"days": [0], "begin": "8", "end": "09:00"}, "/begin"),
        ({"days": [0], "begin": "10:00", "end": "09:00"}, "/end"),
        ({"days": "all"}, "/days"),
    ):
        answer = handler.put("/working-times/hours", body)
        assert pointer in [one["pointer"] for one in answer.get_json()["errors"]], answer.text
    assert handler.put("/working-times/digest", {"digest": "hourly"}).status_code == 422
    assert handler.get("/working-times").get_json() == told


def test_a_view_is_kept_for_a_desk_and_forgotten_by_who_made_it(office: Office):
    handler, colleague = office.handler(), office.handler(name="two")
    assert handler.actor is not None
    desk = handler.actor.desks[0]
    body = {"name": "Late and urgent", "filter": {"tab": "desk", "late": True, "priority": "urgent"}, "desk_id": desk}
    made = handler.post("/views", body)
    assert made.status_code == 201, made.text
    (view,) = colleague.get("/views").get_json()
    assert (view["name"], view["mine"], view["desk_id"]) == ("Late and urgent", False, desk)
    assert set(view["query"].split("&")) == {"tab=desk", "late=1", "priority=urgent"}
    assert colleague.delete(f"/views/{view['id']}").status_code == 404
    assert office.handler("hillin").get("/views").get_json() == []
    assert handler.delete(f"/views/{view['id']}").status_code == 204
    assert handler.delete(f"/views/{view['id']}").status_code == 404
    for wrong in ({"name": " "}, {"name": "x" * 61}, {"filter": {"tab": "all"}}, {"filter": {"case": "x"}}):
        assert handler.post("/views", {**body, **wrong}).status_code == 422, wrong
    assert handler.post("/views", {**body, "desk_id": "dsk_" + "0" * 26}).status_code == 404
