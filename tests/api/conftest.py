"""People who sit before the API: the whole application on both databases, a browser each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from api.app import create_app
from nrm.actors import Actor
from nrm.clock import FixedClock
from nrm.config import Config
from nrm.credentials import hash_password
from nrm.db import db
from nrm.models import User
from tests.api import documented
from tests.installations import ROOT, START, forget
from tests.world import World

PASSWORD = "invented-words-7-for-tests"


@dataclass
class Browser:
    """Somebody's signed-in browser; every answer is compared with the OpenAPI document."""

    client: FlaskClient
    actor: Actor | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **how: Any) -> TestResponse:
        headers = {**self.headers, **how.pop("headers", {})}
        answer = self.client.open(documented.address(path), method=method, headers=headers, **how)
        documented.check(method, path, answer)
        return answer

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.ask("GET", path, **how)

    def post(self, path: str, json: Any = None, **how: Any) -> TestResponse:
        return self.ask("POST", path, **({"json": json} if json is not None else {}), **how)

    def put(self, path: str, json: Any, **how: Any) -> TestResponse:
        return self.ask("PUT", path, json=json, **how)

    def patch(self, path: str, json: Any, **how: Any) -> TestResponse:
        return self.ask("PATCH", path, json=json, **how)

    def delete(self, path: str, **how: Any) -> TestResponse:
        return self.ask("DELETE", path, **how)


@dataclass
class Office:
    """Testland behind its doors."""

    app: Flask
    land: World
    clock: FixedClock
    password_hash: str

    def browser(self, actor: Actor | None = None) -> Browser:
        """Open a browser, signed in as somebody of the land."""
        browser = Browser(client=self.app.test_client(), actor=actor)
        if actor is not None:
            with db.engine.begin() as connection:
                connection.execute(update(User).where(User.id == actor.id).values(password_hash=self.password_hash))
            answer = browser.post("/session", {"login": actor.id, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
        return browser

    def handler(self, place: str = "norvale", name: str = "one") -> Browser:
        return self.browser(self.land.at_desk("case_handler", place, name))


@pytest.fixture(scope="session")
def password_hash() -> str:
    return hash_password(PASSWORD, memory_kib=64, rounds=1)


@pytest.fixture
def office(database_url: str, tmp_path: Path, password_hash: str) -> Iterator[Office]:
    """The whole application with testland, its clock standing."""
    config = Config(
        database_url=database_url,
        data_dir=tmp_path,
        secret="only for tests: " + "0123456789abcdef" * 2,
        country="testland",
        packs_dir=ROOT / "workflows",
        demo=True,
        cookie_secure=False,
        pool_size=5,
        password_memory_kib=64,
        password_rounds=1,
        log_level="error",
        # Tests ask more quickly than people and programs do; those of the limits set their own.
        key_rate=10_000,
        key_burst=10_000,
        search_rate=10_000,
    )
    clock = FixedClock(START)
    app = create_app(config, clock)
    forget()
    with app.app_context():
        try:
            yield Office(app=app, land=World(clock=clock), clock=clock, password_hash=password_hash)
        finally:
            db.session.remove()
            db.engine.dispose()
            forget()


@pytest.fixture
def opened(office: Office) -> Callable[..., str]:
    """Open a case with a small path and give its id."""
    from nrm.actions.cases import open_case

    def open_one(place: str = "norvale", path: str = "hello", name: str = "one", **facts: Any) -> str:
        handler = office.land.at_desk("case_handler", place, name)
        return open_case(handler, office.land.person(governorate=place), governorate=place, path=path, **facts).id

    return open_one
