"""One case walks from an arrival list to its end over the JSON API, on both databases; what can go wrong is said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from api.app import create_app
from api.demo import walk as walks
from api.demo.browser import Answer, Refused, Send
from api.demo.case import read_script
from api.demo.walk import Script, Walk, WentWrong, persist
from api.demo.walking import begin, finish, take_step, timeline
from nrm.db import db
from nrm.demo.stories import BadStory
from nrm.demo.time_travel import do_what_is_due
from tests.demo.conftest import PACK, ROOT, Shown
from tests.installations import forget


@dataclass
class Served:
    """The demonstration behind its own web application, with a runner that works whenever somebody waits."""

    app: Flask
    shown: Shown

    def send(self, method: str, path: str, headers, content) -> Answer:
        client = self.app.test_client(use_cookies=False)
        with client.open(path, method=method, headers=dict(headers), data=content) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(status=answer.status_code, headers=found, content=answer.get_data())

    def work(self) -> None:
        with self.app.app_context():
            do_what_is_due()

    def walk(self, say: Callable[[str], None] = lambda line: None, send: Send | None = None) -> Walk:
        return Walk(send or self.send, self.shown.demo, read_script(PACK)[0], say, self.work)


@pytest.fixture
def served(shown: Shown) -> Iterator[Served]:
    app = create_app(shown.config)
    forget()
    yield Served(app=app, shown=shown)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_returnee_is_followed_from_the_arrival_list_to_the_closed_case(served: Served):
    said: list[str] = []
    walk = served.walk(said.append)
    script, arrivals = read_script(PACK)
    begin(walk, arrivals)
    for step in script.steps:
        take_step(walk, step)
    number = finish(walk)
    history = "\n".join(timeline(walk))
    assert walk.case["number"] == number
    assert [row["state"] for row in by_attempt(walk, "JOB")] == ["completed"]
    assert [row["state"] for row in by_attempt(walk, "LEG")] == ["declined", "completed"]
    assert [(row["state"], row["outcome"]["code"]) for row in by_attempt(walk, "HOU")] == [("expired", "not_provided")]
    assert [
        need["status"] for need in walk.handler.get(f"/cases/{walk.case_id}/needs") if need["category"] == "HOU"
    ] == ["unmet"]
    for fact in ("referral.due_soon", "rung=1", "rung=2", "rung=3", "rung=4", "referral.expired", "need.unmet"):
        assert fact in history
    assert history.count("step=visit") == 6, "three visits, each opened and completed"
    assert any("coordinator" in line and "notice" in line for line in said)
    assert any("unit" in line and "notice" in line for line in said)


def by_attempt(walk: Walk, category: str) -> list[dict]:
    rows = walk.handler.get(f"/cases/{walk.case_id}/referrals")
    return sorted((row for row in rows if row["category"] == category), key=lambda row: row["attempt"])


def test_tasks_that_are_alike_say_which_service_they_are_about(served: Served):
    """A plan with three services opens three preparations at once."""
    handler = served.walk().handler
    alike = [task for task in handler.all("/tasks", tab="desk", limit=100) if task["step"] == "prepare"]
    of_one_case = [task["id"] for task in alike if [row["case_id"] for row in alike].count(task["case_id"]) == 3]
    assert sorted(handler.get(f"/tasks/{task}")["service_category"] for task in of_one_case) == ["HOU", "JOB", "LEG"]
    others = [task["id"] for task in handler.all("/tasks", tab="desk", limit=100) if task["step"] == "plan"]
    assert {handler.get(f"/tasks/{task}")["service_category"] for task in others} == {None}


def test_the_same_list_again_gives_the_next_case(served: Served):
    arrivals = read_script(PACK)[1]
    first, second = served.walk(), served.walk()
    begin(first, arrivals)
    take_step(first, {"task": "prepare_arrival"})
    begin(second, arrivals)
    assert first.case_id != second.case_id


def test_a_list_that_cannot_be_read_is_named(served: Served):
    with pytest.raises(Refused, match="no_header"):
        begin(served.walk(), b"1;2;3")


def test_a_task_that_never_opens_is_named(served: Served, monkeypatch):
    monkeypatch.setattr(walks, "PATIENCE", 0.2)
    walk = served.walk()
    begin(walk, read_script(PACK)[1])
    with pytest.raises(WentWrong, match="the task closure"):
        take_step(walk, {"task": "closure"})


def test_something_that_does_not_happen_in_time_is_named(served: Served):
    walk = served.walk()
    begin(walk, read_script(PACK)[1])
    with pytest.raises(WentWrong, match=r"case\.closed did not happen within P2D"):
        take_step(walk, {"until": "case.closed", "by": "P1D", "most": "P2D"})


def test_a_step_without_a_verb_is_named(served: Served):
    with pytest.raises(WentWrong, match="verb"):
        take_step(served.walk(), {"dance": "wild"})


def test_the_services_own_words_are_passed_on(served: Served):
    walk = served.walk()
    with pytest.raises(Refused, match="404 not_found"):
        walk.handler.get("/cases/cas_0000000000000000000000000")


def test_who_was_beaten_by_the_runner_tries_again():
    tries = []

    def act() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise Refused(412, {"code": "stale_version"}, "POST /x")
        return "done"

    assert persist(act) == "done"


def test_a_refusal_that_trying_again_cannot_help_is_passed_on_at_once():
    tries = []

    def act() -> None:
        tries.append(1)
        raise Refused(403, {"code": "not_allowed"}, "POST /x")

    with pytest.raises(Refused):
        persist(act)
    assert len(tries) == 1


def test_a_missing_story_is_named(tmp_path: Path):
    with pytest.raises(BadStory, match=r"demo_case\.json"):
        read_script(tmp_path)


def test_the_story_goes_through_three_referrals():
    script: Script = read_script(PACK)[0]
    verbs = {(step["referral"], step["of"]) for step in script.steps if "referral" in step}
    assert {("accept", "JOB"), ("decline", "LEG"), ("accept", "LEG")} <= verbs
    assert {step["until"] for step in script.steps if step.get("of") == "HOU" and "until" in step} >= {
        "referral.due_soon",
        "referral.overdue",
        "referral.expired",
    }


@pytest.mark.slow
def test_one_command_starts_a_service_walks_the_case_and_stops_it_again(tmp_path: Path):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PORT": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "api.demo.case"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("closed ")
    assert list(tmp_path.iterdir()) == []
