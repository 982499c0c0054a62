"""An endpoint on its way out says so in the document and in each of its answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api import openapi
from api.app import create_app
from api.transport import endpoint
from api.transport.endpoint import Ask, Noun
from api.transport.lifetimes import Lifetime
from nrm.config import Config
from nrm.errors import NotFound

ENDS = Lifetime(
    deprecated=datetime(2026, 3, 1, tzinfo=UTC),
    sunset=datetime(2027, 3, 1, 12, tzinfo=UTC),
    successor="/api/v1/newer",
)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application with one endpoint that ends, which no other test sees."""
    monkeypatch.setattr(endpoint, "OPERATIONS", [])
    monkeypatch.setattr(openapi, "OPERATIONS", endpoint.OPERATIONS)
    old = Noun("old")

    @old.get("/older/<name>", answer=int, signed_in=False, lifetime=ENDS)
    def read(ask: Ask, name: str) -> int:
        """Read something that is now elsewhere."""
        del ask
        if name == "none":
            raise NotFound
        return 1

    config = Config(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", data_dir=tmp_path, secret="x" * 32)
    made = create_app(config)
    made.register_blueprint(old.blueprint)
    return made


@pytest.mark.parametrize(("name", "status"), [("one", 200), ("none", 404), ("-", 404)])
def test_each_answer_says_since_when_and_until_when(app: Flask, name: str, status: int):
    answer = app.test_client().get(f"/api/v1/older/{name}")
    assert answer.status_code == status
    assert answer.headers["Deprecation"] == "@1772323200"
    assert answer.headers["Sunset"] == "Mon, 01 Mar 2027 12:00:00 GMT"
    assert answer.headers["Link"] == '</api/v1/newer>; rel="successor-version"'


def test_the_document_says_so_too(app: Flask):
    del app
    document: dict[str, Any] = openapi.document.__wrapped__()
    described = document["paths"]["/api/v1/older/{name}"]["get"]
    assert described["deprecated"] is True
    assert described["x-sunset"] == "2027-03-01T12:00:00Z"


def test_programs_get_a_year_to_change_over():
    with pytest.raises(ValueError, match="twelve months"):
        Lifetime(deprecated=datetime(2026, 3, 1, tzinfo=UTC), sunset=datetime(2026, 9, 1, tzinfo=UTC))
