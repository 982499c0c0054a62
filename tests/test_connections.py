"""Connections: what a completion costs in statements, and what happens to a connection that died while it rested."""

from __future__ import annotations

import gc
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import JSON, Column, Engine, Integer, MetaData, Table, create_engine, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from nrm.actions import cases, tasks
from nrm.db import WRITING, db, engine_options, in_one_trip, prepare_engine
from tests import databases, installations
from tests.counting import QueryCounter
from tests.world import World


def test_completing_a_step_takes_a_dozen_statements(land: World, query_counter: QueryCounter):
    handler = land.at_desk("case_handler", "norvale")
    case = cases.open_case(handler, land.person(), governorate="norvale", path="hello")
    task = land.open_tasks(case.id)["ask"]
    tasks.claim_task(handler, task.id, version=1)
    with query_counter() as count:
        tasks.complete_task(handler, task.id, answers={"wants_tea": True, "tea_kind": "mint"}, version=2)
    assert count() <= 12


def test_a_connection_that_died_while_it_rested_is_replaced(
    postgresql_database: databases.PostgresDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with installations.installed(postgresql_database.url, tmp_path):
        process = text("SELECT pg_backend_pid()")
        before = db.session.execute(process).scalar_one()
        db.session.close()
        url = db.engine.url.render_as_string(hide_password=False)
        with psycopg.connect("postgresql://" + url.partition("://")[2], autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [before])
        monkeypatch.setattr("nrm.db.LONG_REST", 0.0)
        after = db.session.execute(process).scalar_one()
        db.session.close()
        assert after != before


@pytest.mark.parametrize("kills", [True, False])
def test_what_fails_on_the_way_is_told_and_the_next_statement_finds_a_connection(
    postgresql_database: databases.PostgresDatabase, tmp_path: Path, kills: bool
):
    with installations.installed(postgresql_database.url, tmp_path):
        with db.engine.connect() as connection, pytest.raises(DBAPIError) as failed, in_one_trip(connection):
            if kills:
                connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
            connection.exec_driver_sql("INSERT INTO event_heads (stream) VALUES ('a')")
            connection.exec_driver_sql("INSERT INTO event_heads (stream) VALUES ('a')")
        assert isinstance(failed.value, OperationalError if kills else IntegrityError)
        assert failed.value.connection_invalidated is kills
        assert db.session.execute(text("SELECT count(*) FROM event_heads WHERE stream = 'a'")).scalar_one() == 0
        db.session.close()


@pytest.mark.parametrize("value", [{"a": [1, None, "ألف"]}, {"far": 2**80}, {"half": "\ud83d"}, {}], ids=repr)
def test_json_comes_back_as_it_went_in(database_url: str, value: dict[str, object]):
    engine = create_engine(database_url, **engine_options(database_url, pool_size=1))
    table = Table("kept", MetaData(), Column("id", Integer, primary_key=True), Column("value", JSON))
    with engine.connect() as connection:
        table.create(connection)
        connection.execute(table.insert(), {"id": 1, "value": value})
        assert connection.execute(select(table.c.value)).scalar_one() == value
        connection.rollback()
        table.drop(connection, checkfirst=True)
    engine.dispose()


def test_only_what_will_write_takes_the_writers_lock_on_sqlite(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'one.sqlite3'}"
    engine = create_engine(url, **engine_options(url, pool_size=2))
    prepare_engine(engine)
    with engine.connect().execution_options(**WRITING) as writer, engine.connect() as reader:
        writer.execute(text("SELECT 1"))
        reader.execute(text("SELECT 1"))
        third = sqlite3.connect(tmp_path / "one.sqlite3", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            third.execute("BEGIN IMMEDIATE")
    # Both connections are back in the pool: neither is still one that writes.
    with engine.connect() as one, engine.connect() as other:
        one.execute(text("SELECT 1"))
        other.execute(text("SELECT 1"))
        third.execute("BEGIN IMMEDIATE")
    third.close()
    engine.dispose()


def _writes(engine: Engine) -> None:
    with engine.connect().execution_options(**WRITING) as connection:
        connection.execute(text("INSERT INTO kept VALUES (1)"))
        connection.commit()


@pytest.mark.parametrize("ends", ["commit", "rollback", "close", "failure", "oblivion"])
def test_however_a_thread_ends_its_transaction_the_next_one_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
):
    url = f"sqlite:///{tmp_path / 'one.sqlite3'}"
    engine = create_engine(url, **engine_options(url, pool_size=3))
    prepare_engine(engine)
    with engine.connect() as first:
        first.execute(text("CREATE TABLE kept (id INTEGER)"))
        first.commit()
    connection = engine.connect().execution_options(**WRITING)
    connection.execute(text("SELECT 1"))
    with ThreadPoolExecutor(1) as other:
        monkeypatch.setattr("nrm.db.LONGEST_TURN", 0.05)
        with pytest.raises(OperationalError, match="locked"):
            other.submit(_writes, engine).result()
        monkeypatch.setattr("nrm.db.LONGEST_TURN", 20.0)
        waits = other.submit(_writes, engine)
        if ends == "failure":
            with pytest.raises(OperationalError):
                connection.execute(text("SELECT nothing"))
        if ends in {"commit", "rollback"}:
            getattr(connection, ends)()
        elif ends == "oblivion":
            del connection
            gc.collect()
        else:
            connection.close()
        waits.result(timeout=20)
    engine.dispose()
