"""What every test may use: the two databases. Tests run in any order and never leave the machine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases, installations, network
from tests.counting import QueryCounter, counted_queries
from tests.world import World

network.forbid()


@pytest.fixture(scope="session")
def fill_database(tmp_path_factory: pytest.TempPathFactory) -> databases.Fill:
    """Bring an empty database to the state in which every test of tables begins: tables, and testland loaded."""

    def fill(url: str) -> None:
        installations.fill_with_testland(url, tmp_path_factory.mktemp("filling"))

    return fill


@pytest.fixture
def installed(database_url: str, tmp_path: Path) -> Iterator[installations.Installed]:
    """An installation with testland on each kind of database, its session scope open, its clock standing."""
    with installations.installed(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def land(installed: installations.Installed) -> World:
    """Testland on a working day: people at their desks, a clock that stands until the test moves it."""
    return World(clock=installed.clock)


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """URL of a PostgreSQL server for this run, as its superuser."""
    return databases.postgresql_server()


@pytest.fixture(scope="session")
def sqlite_database(
    tmp_path_factory: pytest.TempPathFactory, fill_database: databases.Fill
) -> databases.SqliteDatabase:
    """This process's SQLite file; ask for `database_url` instead."""
    return databases.SqliteDatabase(tmp_path_factory.mktemp("sqlite"), fill_database)


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str, fill_database: databases.Fill) -> Iterator[databases.PostgresDatabase]:
    """This process's PostgreSQL database; ask for `database_url` instead."""
    database = databases.PostgresDatabase(postgresql_server, fill_database)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database in its first state, once per kind; whatever the test writes is undone after it."""
    database: databases.TestDatabase = request.getfixturevalue(f"{request.param}_database")
    yield database.url
    database.restore()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new database without tables, once per kind, for tests that change the tables themselves."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"nrm_empty_{uuid.uuid4().hex[:12]}"
    yield databases.create_database(server, name)
    databases.drop_database(server, name)


@pytest.fixture
def query_counter() -> QueryCounter:
    """Count the statements that reach the database inside a block: `with query_counter() as count: …; count()`."""
    return counted_queries
