"""Web and runner start together and stop together, whoever asks for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.serving import CannotServe, check_port, host_of, port_of
from nrm.config import BadSetting
from nrm.migrations import run
from tests.smoke import free_port, processes_of

ROOT = Path(__file__).parents[2]
PATIENCE = 90


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`nrm serve` on an empty database, in a session of its own, once it answers."""
    port = free_port()
    (tmp_path / "data").mkdir()
    run.upgrade(f"sqlite:///{tmp_path / 'data' / 'nrm.sqlite3'}")
    env = {
        **os.environ,
        "NRM_DEMO": "1",
        "NRM_DATA_DIR": str(tmp_path / "data"),
        "PORT": str(port),
        "HOST": "127.0.0.1",
    }
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "api.serving"], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: answers(port), "the service answers")
        yield started, port
    finally:
        for pid in processes_of(started.pid):
            os.kill(pid, signal.SIGKILL)
        started.wait()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def until(true, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_both_and_leaves_nothing(service, number):
    started, _ = service
    assert len(processes_of(started.pid)) >= 3
    os.kill(started.pid, number)
    assert started.wait(PATIENCE) == 0
    until(lambda: not processes_of(started.pid), "nothing is left")


@pytest.mark.slow
def test_nothing_is_left_when_the_parent_is_killed(service):
    started, _ = service
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    until(lambda: not processes_of(started.pid), "nothing is left")


@pytest.mark.slow
def test_when_one_part_ends_the_other_is_stopped_too(service):
    started, _ = service
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    assert started.wait(PATIENCE) == 1
    until(lambda: not processes_of(started.pid), "nothing is left")


def test_a_taken_port_is_named_with_a_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=f"PORT={port + 1}"):
            check_port("127.0.0.1", port)


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "٨٠٨٠", "80 "])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(BadSetting, match="PORT"):
        port_of({"PORT": text})


def test_without_settings_it_listens_on_this_machine_only():
    assert (host_of({}), port_of({})) == ("127.0.0.1", 8000)
