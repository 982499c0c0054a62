"""What gunicorn is told about a web process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from api import gunicorn_conf


def test_freed_memory_goes_back_to_the_system_from_time_to_time(monkeypatch: pytest.MonkeyPatch):
    given_back: list[int] = []
    monkeypatch.setattr(gunicorn_conf, "_give_back", given_back.append)
    for number in range(1, 1001):
        gunicorn_conf.post_request(SimpleNamespace(nr=number), None, None, None)
    assert len(given_back) == 2


def test_a_c_library_that_keeps_what_is_freed_does_no_harm(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gunicorn_conf, "_give_back", None)
    worker = SimpleNamespace(nr=500)
    gunicorn_conf.post_request(worker, None, None, None)
    assert worker.nr == 500
