"""A designer tries a draft: answers its forms, lets time pass, keeps the way as a scenario, sees what is left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Browser, Office
from tests.api.test_path_drafts import begun
from tests.drafting import designer as designer_of


@pytest.fixture
def designer(office: Office) -> Browser:
    return office.browser(designer_of(office.land))


def tried(browser: Browser, draft_id: str, **what: Any) -> dict[str, Any]:
    answer = browser.post(f"/path-drafts/{draft_id}/trials", what)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_tasks_open_one_after_the_other_and_the_path_ends(designer: Browser):
    draft = begun(designer, path="hello")["id"]
    begin = tried(designer, draft)
    assert [(task["step"], task["form"], task["role"]) for task in begin["tasks"]] == [
        ("ask", "hello_ask", "case_handler")
    ]
    assert begin["tasks"][0]["due_at"] > begin["clock"]
    assert {step["id"]: step["state"] for step in begin["steps"]}["ask"] == "current"
    wanted = [{"complete": "ask", "answers": {"wants_tea": True, "tea_kind": "black"}}]
    second = tried(designer, draft, moves=wanted)
    assert [task["step"] for task in second["tasks"]] == ["serve"]
    assert second["status"] == "running"
    third = tried(designer, draft, moves=[*wanted, {"complete": "serve", "answers": {"cups": 2}}])
    assert (third["status"], third["outcome"], third["moves"], third["problem"]) == ("finished", "served", 2, None)
    assert third["log"][-1]["what"] == "finished"
    assert tried(designer, draft) == begin, "a trial keeps nothing"


def test_a_wrong_answer_is_told_and_the_task_stays_open(designer: Browser):
    draft = begun(designer, path="hello")["id"]
    found = tried(designer, draft, moves=[{"complete": "ask", "answers": {"wants_tea": "perhaps"}}])
    assert found["problem"]["code"] == "scenario_answer_refused"
    assert found["moves"] == 0
    assert [task["step"] for task in found["tasks"]] == ["ask"]


def test_time_passes_and_a_timer_fires(designer: Browser):
    draft = begun(designer, path="wait_for_answer")["id"]
    scenarios = designer.get(f"/path-drafts/{draft}").get_json()["scenarios"]
    first = next(iter(scenarios.values()))["steps"][:1]
    begin = tried(designer, draft, moves=first)
    assert begin["timers"]
    assert begin["messages"]
    later = tried(designer, draft, moves=[*first, {"advance": "P400D"}])
    assert later["clock"] > begin["timers"][0]["at"]
    assert later["timers"] == []


def test_a_check_waits_until_the_trial_answers_it(designer: Browser):
    draft = begun(designer, path="service_referral")["id"]
    scenarios = designer.get(f"/path-drafts/{draft}").get_json()["scenarios"]
    name, scenario = next((name, each) for name, each in scenarios.items() if each["checks"])
    begin = {"start": scenario["start"], "settings": scenario.get("settings", {})}
    stopped = tried(designer, draft, moves=scenario["steps"], **begin)
    assert stopped["checks"], name
    assert stopped["checks"][0]["check"] in scenario["checks"]
    assert stopped["checks"][0]["values"]
    moves = [move for move in scenario["steps"] if "expect_open" not in move]
    whole = tried(designer, draft, moves=moves, checks=scenario["checks"], **begin)
    assert (whole["status"], whole["outcome"]) == ("finished", scenario["ends"])


def test_a_trial_is_told_in_arabic(designer: Browser):
    draft = begun(designer, path="hello")["id"]
    answer = designer.post(f"/path-drafts/{draft}/trials", {}, headers={"Accept-Language": "ar"})
    texts = [line["text"] for line in answer.get_json()["log"]]
    assert any("تُفتح مهمة" in text for text in texts), texts


def test_a_recorded_way_becomes_a_scenario_and_the_rest_is_named(designer: Browser):
    draft = begun(designer, path="hello")["id"]
    for name in ("tea", "no_tea"):
        version = designer.get(f"/path-drafts/{draft}").get_json()["draft"]["version"]
        designer.delete(f"/path-drafts/{draft}/scenarios/{name}", json={"version": version})
    none = designer.get(f"/path-drafts/{draft}/coverage").get_json()
    assert [gap["code"] for gap in none["gaps"]] == ["no_scenario"]
    moves = [{"complete": "ask", "answers": {"wants_tea": False}}]
    kept = designer.put(
        f"/path-drafts/{draft}/scenarios/refused", {"moves": moves, "expect": "no_tea", "title": "No", "version": 3}
    )
    assert kept.status_code == 200, kept.text
    one = designer.get(f"/path-drafts/{draft}/coverage").get_json()
    assert [(each["name"], each["title"], each["passed"]) for each in one["scenarios"]] == [("refused", "No", True)]
    assert "serve" not in one["steps"]
    assert one["steps"]["ask"] == 1
    assert one["gaps"]
    wrong = designer.put(f"/path-drafts/{draft}/scenarios/wrong", {"moves": moves, "expect": "served", "version": 4})
    assert wrong.status_code == 200, "what does not pass yet can be kept"
    two = designer.get(f"/path-drafts/{draft}/coverage").get_json()
    assert {each["name"]: each["passed"] for each in two["scenarios"]} == {"refused": True, "wrong": False}


@pytest.mark.parametrize(
    ("key", "body", "code"),
    [
        ("Bad", {"moves": []}, "not_a_code"),
        ("fine", {"moves": [{"dance": "ask"}]}, "not_a_scenario"),
        ("fine", {"moves": [], "checks": {"record_intake": "yes"}}, "not_a_scenario"),
        ("fine", {"moves": [{"complete": "ask", "answers": {"text": "x" * 300_000}}]}, "scenario_too_large"),
        ("fine", {"moves": [{"complete": "ask"}] * 501}, "too_many_entries"),
    ],
)
def test_what_is_no_scenario_is_refused(designer: Browser, key: str, body: dict[str, Any], code: str):
    draft = begun(designer, path="hello")["id"]
    answer = designer.put(f"/path-drafts/{draft}/scenarios/{key}", {**body, "version": 1})
    assert answer.status_code == 422, answer.text
    assert code in {each["code"] for each in answer.get_json()["errors"]}


@pytest.mark.parametrize(
    "moves",
    [
        [{"complete": None}],
        [{"complete": ["ask"]}],
        [{"complete": "ask", "answers": [1, 2]}],
        [{"complete": "ask", "answers": {"wants_tea": {"typename": "datetime"}}}],
        [{"message": "no.such", "values": "x"}],
        [{"advance": "P9999999999Y"}],
        [{"advance": "nonsense"}],
        [{"child": "ask", "values": {"a": {"b": 1}}}],
        [{"expect_open": 5}],
        [{"complete": "ask", "item": {"x": 1}, "answers": {}}],
    ],
)
def test_odd_moves_are_told_and_break_nothing(designer: Browser, moves: list[dict[str, Any]]):
    draft = begun(designer, path="hello")["id"]
    answer = designer.post(f"/path-drafts/{draft}/trials", {"moves": moves})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 200:
        assert answer.get_json()["problem"] is not None or answer.get_json()["moves"] == 1
    assert tried(designer, draft)["problem"] is None, "the next trial is not disturbed"


def test_a_draft_that_cannot_run_says_why_it_cannot_be_tried(designer: Browser):
    draft = begun(designer, path="hello")["id"]
    diagram = (
        designer.get(f"/path-drafts/{draft}").get_json()["diagram"].replace("startEvent", "intermediateThrowEvent")
    )
    answer = designer.post(f"/path-drafts/{draft}/trials", {"diagram": diagram})
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_two_designers_publish_by_the_doors(office: Office, designer: Browser):
    reviewer = office.browser(designer_of(office.land, "two"))
    draft = begun(designer, path="hello")["id"]
    asked = designer.post(f"/path-drafts/{draft}/submit", {"version": 1, "note": "No change"})
    assert asked.get_json()["status"] == "in_review"
    seen = reviewer.get(f"/path-drafts/{draft}").get_json()["draft"]
    assert seen["actions"] == ["publish", "send_back"]
    assert (
        designer.post(f"/path-drafts/{draft}/publish", {"version": 2}).get_json()["code"] == "second_person_publishes"
    )
    published = reviewer.post(f"/path-drafts/{draft}/publish", {"version": 2})
    assert published.status_code == 200, published.text
    assert published.get_json()["number"] == 2
    first = designer.get(f"/path-drafts/{draft}").get_json()["draft"]["base_version_id"]
    assert reviewer.post(f"/path-versions/{first}/retire").status_code == 204
    again = reviewer.post(f"/path-versions/{first}/retire")
    assert again.status_code == 409
