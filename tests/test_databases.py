"""The ground that tests of tables stand on: each begins in the same state, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.databases import PostgresDatabase, SqliteDatabase, TestDatabase

TABLES = (
    "CREATE TABLE colour (id integer PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE paint (id integer PRIMARY KEY, colour_id integer NOT NULL REFERENCES colour (id))",
    "INSERT INTO colour (id, name) VALUES (1, 'red'), (2, 'blue')",
)


def fill(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in TABLES:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestDatabase]:
    if request.param == "sqlite":
        yield SqliteDatabase(tmp_path, fill)
        return
    database = PostgresDatabase(request.getfixturevalue("postgresql_server"), fill)
    yield database
    database.close()


@pytest.fixture
def open_engine() -> Iterator[Callable[[str], Engine]]:
    opened: list[Engine] = []

    def make(url: str) -> Engine:
        opened.append(create_engine(url))
        return opened[-1]

    yield make
    for engine in opened:
        engine.dispose()


def rows(engine: Engine, table: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))]


def test_what_a_test_wrote_is_gone_for_the_next_and_pools_stay_valid(filled, open_engine):
    engine = open_engine(filled.url)
    for _ in range(3):
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO colour (id, name) VALUES (3, 'green')"))
            connection.execute(text("INSERT INTO paint (id, colour_id) VALUES (1, 3)"))
            connection.execute(text("UPDATE colour SET name = 'black' WHERE id = 1"))
            connection.execute(text("DELETE FROM colour WHERE id = 2"))
        filled.restore()
        assert rows(engine, "colour") == [(1, "red"), (2, "blue")]
        assert rows(engine, "paint") == []


def test_a_transaction_left_open_is_named(filled, open_engine):
    connection = open_engine(filled.url).connect()
    connection.execute(text("UPDATE colour SET name = 'black' WHERE id = 1"))
    with pytest.raises(AssertionError, match="open transaction"):
        filled.restore()
    connection.invalidate()
    connection.close()
    filled.restore()
    assert rows(open_engine(filled.url), "colour")[0] == (1, "red")


def test_both_databases_answer(database_url, open_engine):
    with open_engine(database_url).connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_an_empty_database_has_no_tables(empty_database_url, open_engine):
    with open_engine(empty_database_url).begin() as connection:
        connection.execute(text("CREATE TABLE colour (id integer PRIMARY KEY)"))
