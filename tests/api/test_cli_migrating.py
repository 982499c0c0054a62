"""Two people move running cases at a terminal: planned, looked at, approved by the second, and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from api.cli import migrating
from api.cli.starting import application
from nrm.actions import cases
from nrm.actions.sign_in import change_password, sign_in
from nrm.db import db
from nrm.errors import NotAllowed, NotFound, NotSignedIn, NotValid
from nrm.installation import installation
from tests.api.test_cli import Command, closed_pools, command
from tests.moving import next_version, work_off
from tests.world import World

__all__ = ["closed_pools", "command"]

PATH = "wait_for_answer"
PASSWORD = "own-invented-words-9"


@pytest.fixture
def studio(command: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Two designers with passwords of their own, two versions of a path, and two cases on the older one."""
    first = "invented-words-7-for-tests"
    for login in ("designer.one", "designer.two"):
        made = command("user", "add", login, "--name", login, "--role", "path_designer", "--organisation", "moh")
        assert made.exception is None, made.output
    monkeypatch.setenv("NRM_PASSWORD", first)
    refused = command("path", "migrate", "list", "--as", "designer.one")
    assert isinstance(refused.exception, click.UsageError), "who has only the first password acts nowhere"
    with application():
        for login in ("designer.one", "designer.two"):
            actor, _ = sign_in(login, first)
            change_password(actor, current=first, new=PASSWORD)
        land = World(clock=installation().clock)  # type: ignore[arg-type]  # only asked what time it is
        for place in ("norvale", "hillin"):
            handler = land.at_desk("case_handler", place)
            cases.open_case(handler, land.person(governorate=place), governorate=place, path=PATH)
        next_version(land, PATH, ("P2D", "P9D"))
        db.session.remove()
    monkeypatch.setenv("NRM_PASSWORD", PASSWORD)
    yield command


def done(command: Command, *words: str, who: str = "designer.one") -> dict[str, Any]:
    """Run a command of `nrm path migrate`, and give the plan that it prints."""
    result = command("path", "migrate", *words, "--as", who, "--json")
    assert result.exception is None, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def run_on(plan_id: str) -> None:
    """Do what the runner does."""
    with application():
        work_off(plan_id)
        db.session.remove()


def planned(command: Command) -> str:
    return str(done(command, "plan", PATH, "--from", "1", "--to", "2")["id"])


def test_cases_are_planned_looked_at_moved_and_put_back_by_two_people(studio: Command):
    plan_id = planned(studio)
    assert done(studio, "check", plan_id)["plan"]["status"] == "checking"
    run_on(plan_id)
    seen = done(studio, "show", plan_id)
    assert (seen["plan"]["status"], seen["plan"]["counts"]["ready"], seen["exact"]) == ("checked", None, False)
    own = studio("path", "migrate", "approve", plan_id, "--as", "designer.one")
    assert isinstance(own.exception, NotAllowed)
    assert own.exception.code == "second_person_approves"
    assert done(studio, "approve", plan_id, who="designer.two")["plan"]["status"] == "running"
    assert done(studio, "pause", plan_id, who="designer.two")["plan"]["status"] == "paused"
    assert done(studio, "resume", plan_id, who="designer.two")["plan"]["status"] == "running"
    run_on(plan_id)
    assert done(studio, "undo", plan_id, who="designer.two")["plan"]["status"] == "undoing"
    run_on(plan_id)
    told = studio("path", "migrate", "show", plan_id, "--as", "designer.two")
    assert "undone" in told.output
    assert "may be done now: nothing" in told.output
    listed = studio("path", "migrate", "list", PATH, "--as", "designer.two", "--json")
    assert [json.loads(line)["status"] for line in listed.output.splitlines()] == ["undone"]


def test_waiting_shows_how_far_the_runner_is_and_ends(studio: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(migrating, "LOOK_EVERY", 0.05)
    plan_id = planned(studio)
    late = studio("path", "migrate", "check", plan_id, "--as", "designer.one", "--wait", "1")
    assert late.return_value == 1, "the runner was not done when the waiting ended"
    assert "checking: nothing looked at yet" in late.output
    run_on(plan_id)
    assert studio("path", "migrate", "show", plan_id, "--as", "designer.one", "--wait", "1").return_value == 0


def test_a_plan_with_errors_ends_with_status_one_and_a_slip_is_told(studio: Command, tmp_path: Path):
    steps = tmp_path / "steps.json"
    steps.write_text(json.dumps({"write": {"to": "wait"}}))
    words = ("path", "migrate", "plan", PATH, "--from", "1", "--to", "2", "--as", "designer.one")
    assert studio(*words, "--steps", str(steps)).return_value == 1
    steps.write_text(json.dumps({"write": 3}))
    assert isinstance(studio(*words, "--steps", str(steps)).exception, NotValid)
    steps.write_text("{")
    assert isinstance(studio(*words, "--steps", str(steps)).exception, click.UsageError)
    no_version = studio("path", "migrate", "plan", PATH, "--from", "1", "--to", "7", "--as", "designer.one")
    assert isinstance(no_version.exception, click.UsageError)
    nowhere = studio("path", "migrate", "show", "mig_" + "0" * 26, "--as", "designer.one")
    assert isinstance(nowhere.exception, NotFound)


def test_nobody_acts_at_the_terminal_in_anothers_name(studio: Command, monkeypatch: pytest.MonkeyPatch):
    plan_id = planned(studio)
    monkeypatch.setenv("NRM_PASSWORD", "another-invented-word-3")
    refused = studio("path", "migrate", "discard", plan_id, "--as", "designer.two")
    assert isinstance(refused.exception, NotSignedIn)
    monkeypatch.setenv("NRM_PASSWORD", PASSWORD)
    assert done(studio, "discard", plan_id)["plan"]["status"] == "discarded"
