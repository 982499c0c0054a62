"""A whole demonstration on each kind of database: made once per kind, read by many tests, changed by none."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from nrm.config import Config, read_config
from nrm.db import db, engine_options, prepare_engine
from nrm.demo.making import Made
from nrm.demo.preparing import prepare
from nrm.demo.stories import Demo, read_demo
from nrm.installation import install
from tests import databases
from tests.installations import forget

ROOT = Path(__file__).parents[2]
PACK = ROOT / "workflows" / "iraq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A demonstration that stands in a database."""

    app: Flask
    config: Config
    demo: Demo
    made: Made


@contextmanager
def opened(url: str, data_dir: Path) -> Iterator[tuple[Flask, Config]]:
    """Open an installation of the demonstrated country on a database."""
    config = read_config(
        {
            "NRM_DEMO": "1",
            "NRM_DATABASE_URL": url,
            "NRM_DATA_DIR": str(data_dir),
            "NRM_PACKS_DIR": str(PACK.parent),
            "NRM_COUNTRY": PACK.name,
            "NRM_PASSWORD_MEMORY_KIB": "8",
            "NRM_PASSWORD_ROUNDS": "1",
        }
    )
    app = Flask("tests")
    app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(config.database_url, pool_size=3)
    db.init_app(app)
    install(config)
    forget()
    with app.app_context():
        prepare_engine(db.engine)
        try:
            yield app, config
        finally:
            db.session.remove()
            db.engine.dispose()
            forget()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shown_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a new, empty database."""
    folder = tmp_path_factory.mktemp("demo")
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'nrm.sqlite3'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"nrm_demo_{uuid.uuid4().hex[:12]}"
    url = databases.create_database(server, name)
    try:
        yield url
    finally:
        databases.drop_database(server, name)


@pytest.fixture(scope="session")
def made(shown_url: str, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What making the demonstration did, once per database."""
    with opened(shown_url, tmp_path_factory.mktemp("making")) as (_, config):
        return prepare(config)[1]


@pytest.fixture
def shown(shown_url: str, made: Made, tmp_path: Path) -> Iterator[Shown]:
    """The demonstration, opened for one test."""
    with opened(shown_url, tmp_path) as (app, config):
        yield Shown(app=app, config=config, demo=read_demo(PACK), made=made)
