"""A whole demonstration on each kind of database: made once per kind, put back after every test."""

from __future__ import annotations

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


def fill(url: str, folder: Path) -> Made:
    """Make the whole demonstration in an empty database."""
    with opened(url, folder) as (_, config):
        return prepare(config)[1]


MADE: dict[str, Made] = {}


@pytest.fixture(scope="session")
def demo_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> databases.SqliteDatabase:
    """This process's SQLite file with the demonstration; ask for `shown` instead."""
    folder = tmp_path_factory.mktemp("demo")
    return databases.SqliteDatabase(folder, lambda url: MADE.update({url: fill(url, folder)}))


@pytest.fixture(scope="session")
def demo_on_postgresql(
    postgresql_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[databases.PostgresDatabase]:
    """This process's PostgreSQL database with the demonstration; ask for `shown` instead."""
    folder = tmp_path_factory.mktemp("demo")
    database = databases.PostgresDatabase(postgresql_server, lambda url: MADE.update({url: fill(url, folder)}))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shown]:
    """The demonstration as it was made, once per kind of database; whatever the test writes is undone after it."""
    database: databases.TestDatabase = request.getfixturevalue(f"demo_on_{request.param}")
    with opened(database.url, tmp_path) as (app, config):
        yield Shown(app=app, config=config, demo=read_demo(PACK), made=MADE[database.url])
    database.restore()
