"""How often programs may ask: buckets shared between processes, headers, and a refusal that says when to come back."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import pytest

from api.security.limits import PLACES, SharedLimits, policies_of
from api.transport.rates import Policy
from nrm.actions.keys import issue_key
from nrm.actors import SYSTEM
from tests.api.conftest import Browser, Office
from tests.api.test_oauth import organisation


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


FEW = {"key": Policy(name="key", rate=10, burst=50), "search": Policy(name="search", rate=2, burst=10)}


def test_a_burst_then_the_rate_then_a_pause(tmp_path: Path):
    clock = Hand()
    limits = SharedLimits(tmp_path / "limits", FEW, clock=clock)
    left = [limits.take("key_1", "key") for _ in range(50)]
    assert all(taken.allowed for taken in left)
    assert [taken.left for taken in left] == list(range(49, -1, -1))
    refused = limits.take("key_1", "key")
    assert (refused.allowed, refused.left, refused.retry_after) == (False, 0, 1)
    assert limits.take("key_2", "key").allowed, "another key has its own bucket"
    assert limits.take("key_1", "search").allowed, "another limit too"
    clock.at += 0.1
    assert limits.take("key_1", "key").allowed
    assert not limits.take("key_1", "key").allowed
    clock.at += 60
    assert limits.take("key_1", "key").left == 49
    limits.close()


def test_over_a_long_time_nobody_gets_more_than_the_rate(tmp_path: Path):
    clock = Hand()
    limits = SharedLimits(tmp_path / "limits", FEW, clock=clock)
    allowed = 0
    for _ in range(10_000):
        allowed += limits.take("key_1", "key").allowed
        clock.at += 0.01
    assert 10 * 100 <= allowed <= 10 * 100 + 50
    limits.close()


def test_two_processes_share_one_bucket(tmp_path: Path):
    clock = Hand()
    ours = SharedLimits(tmp_path / "limits", FEW, clock=clock)
    children = []
    for _ in range(3):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            theirs = SharedLimits(tmp_path / "limits", FEW, clock=clock)
            got = sum(theirs.take("key_1", "key").allowed for _ in range(40))
            os.write(write, struct.pack("<i", got))
            os._exit(0)
        os.close(write)
        children.append((child, read))
    got = 0
    for child, read in children:
        got += struct.unpack("<i", os.read(read, 4))[0]
        os.close(read)
        os.waitpid(child, 0)
    assert got == 50
    assert not ours.take("key_1", "key").allowed
    ours.close()


def test_a_machine_that_was_started_again_forgets(tmp_path: Path):
    clock = Hand()
    clock.at = 1_000_000.0
    limits = SharedLimits(tmp_path / "limits", FEW, clock=clock)
    for _ in range(60):
        limits.take("key_1", "key")
    clock.at = 3.0
    assert limits.take("key_1", "key").left == 49
    limits.close()


def test_very_many_askers_take_no_more_room(tmp_path: Path):
    limits = SharedLimits(tmp_path / "limits", FEW, clock=Hand())
    for number in range(2_000):
        assert limits.take(f"key_{number}", "key").allowed
    assert (tmp_path / "limits").stat().st_size == PLACES * 16
    limits.close()


@pytest.fixture
def slow(office: Office, tmp_path: Path) -> Office:
    """The office with the limits that an installation has."""
    office.app.extensions["nrm.limits"] = SharedLimits(tmp_path / "few", FEW, clock=Hand())
    return office


def test_a_program_hears_what_is_left_and_when_to_come_back(slow: Office):
    key = issue_key(SYSTEM, organisation(slow), name="x", scopes=["referrals:read"])
    program = Browser(client=slow.app.test_client(), headers={"Authorization": f"Bearer {key.text}"})
    first = program.get("/whoami")
    assert first.headers["RateLimit-Policy"] == '"key";q=50;w=5'
    assert re.fullmatch(r'"key";r=49;t=1', first.headers["RateLimit"])
    assert first.get_json()["rate_limit"] == {"per_second": 10.0, "burst": 50, "left": 49}
    for _ in range(49):
        assert program.get("/whoami").status_code == 200
    answer = program.get("/whoami")
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many")
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["RateLimit"].startswith('"key";r=0')
    refused = program.get("/tasks")
    assert refused.status_code == 429, "also where the key may not ask at all"


def test_people_search_for_people_at_the_pace_of_people(slow: Office):
    handler = slow.handler()
    answers = [handler.post("/people/search", {"name": "Tarvin"}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
    assert handler.get("/cases").status_code == 200


def test_the_limits_of_an_installation_are_its_settings(office: Office):
    from nrm.installation import installation

    policies = policies_of(installation().config)
    assert (policies["key"].burst, policies["search"].burst) == (10_000, 50_000)
