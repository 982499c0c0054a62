"""The tables come and go on both databases, and are what the models say."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from nrm.db import WRITING, Base, engine_options, prepare_engine
from nrm.migrations import run
from nrm.migrations.append_only import missing_triggers
from nrm.migrations.write import missing
from nrm.models import Event


@pytest.fixture
def empty_engine(empty_database_url: str) -> Iterator[Engine]:
    engine = create_engine(empty_database_url, **engine_options(empty_database_url, pool_size=2))
    prepare_engine(engine)
    yield engine
    engine.dispose()


EVENT = {
    "stream": "system",
    "seq": 1,
    "id": "evt_1",
    "kind": "pack.loaded",
    "actor": "system",
    "subject_kind": "pack",
    "subject_id": "testland",
    "prev_hash": "",
    "hash": "x",
}


def add_event(engine: Engine, **values: object) -> None:
    row = EVENT | {"at": datetime(2031, 5, 4, tzinfo=UTC), "data": {}} | values
    with engine.connect().execution_options(**WRITING) as connection, connection.begin():
        connection.execute(sa.insert(Event.__table__), [row])


def test_the_newest_migration_makes_what_the_models_say(empty_engine: Engine) -> None:
    run.upgrade(empty_engine)
    assert run.check(empty_engine) == ()


def test_migrations_go_down_to_nothing_and_up_again_with_rows_there(empty_engine: Engine) -> None:
    run.upgrade(empty_engine)
    add_event(empty_engine)
    run.downgrade(empty_engine)
    assert set(inspect(empty_engine).get_table_names()) <= {"alembic_version"}
    run.upgrade(empty_engine)
    assert run.check(empty_engine) == ()


def test_running_the_migrations_twice_changes_nothing_and_keeps_the_rows(empty_engine: Engine) -> None:
    run.upgrade(empty_engine)
    add_event(empty_engine)
    run.upgrade(empty_engine)
    with empty_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events")).scalar_one() == 1


def test_each_migration_goes_down_one_step_and_up_again(empty_engine: Engine) -> None:
    run.upgrade(empty_engine)
    steps = len(list(run.script_directory().walk_revisions()))
    for _ in range(steps):
        run.downgrade(empty_engine, "-1")
        run.upgrade(empty_engine, "+1")
        run.downgrade(empty_engine, "-1")
    run.upgrade(empty_engine)
    assert run.check(empty_engine) == ()


def test_an_empty_database_is_told_what_to_do(empty_engine: Engine) -> None:
    (finding,) = run.check(empty_engine)
    assert "nrm db upgrade" in finding


def test_a_column_that_somebody_added_by_hand_is_found(empty_engine: Engine) -> None:
    run.upgrade(empty_engine)
    with empty_engine.begin() as connection:
        connection.execute(text("ALTER TABLE notifications ADD COLUMN stray INTEGER"))
    assert any("stray" in finding for finding in run.check(empty_engine))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET kind = 'case.closed'",
        "DELETE FROM events",
        "DELETE FROM events WHERE stream = 'system'",
    ],
)
def test_history_cannot_be_rewritten(empty_engine: Engine, statement: str) -> None:
    run.upgrade(empty_engine)
    add_event(empty_engine)
    with pytest.raises(DBAPIError, match="append-only"), empty_engine.begin() as connection:
        connection.execute(text(statement))


def test_history_cannot_be_replaced_or_truncated(empty_engine: Engine) -> None:
    run.upgrade(empty_engine)
    add_event(empty_engine)
    sqlite = empty_engine.dialect.name == "sqlite"
    columns = ", ".join(column.name for column in Base.metadata.tables["events"].columns)
    statement = (
        f"INSERT OR REPLACE INTO events ({columns}) SELECT {columns} FROM events" if sqlite else "TRUNCATE events"
    )
    with pytest.raises(DBAPIError, match=r"UNIQUE|append-only"), empty_engine.begin() as connection:
        connection.execute(text(statement))


def test_a_trigger_that_somebody_dropped_is_found(empty_engine: Engine) -> None:
    run.upgrade(empty_engine)
    sqlite = empty_engine.dialect.name == "sqlite"
    with empty_engine.begin() as connection:
        gone = "DROP TRIGGER events_no_delete" if sqlite else "ALTER TABLE events DISABLE TRIGGER events_no_truncate"
        connection.execute(text(gone))
    with empty_engine.connect() as connection:
        assert missing_triggers(connection) == (("events_no_delete",) if sqlite else ("events_no_truncate",))
    assert any("trigger missing" in finding for finding in run.check(empty_engine))


def test_indexes_are_to_the_letter_those_of_the_models(tmp_path) -> None:
    """Alembic does not compare the conditions of partial indexes; SQLite keeps the statement, so we do."""
    texts = []
    for name, make in (("made", Base.metadata.create_all), ("migrated", run.upgrade)):
        engine = create_engine(f"sqlite:///{tmp_path / name}.sqlite3")
        prepare_engine(engine)
        make(engine)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''"))
            texts.append({row.name: re.sub(r"\s+", " ", row.sql) for row in found})
        engine.dispose()
    assert texts[0] == texts[1]
    assert "WHERE state = 'waiting'" in texts[1]["ix_jobs_due"]


def test_the_head_file_names_the_only_head() -> None:
    assert run.script_directory().get_heads() == [run.head()]


def test_there_is_nothing_left_to_write() -> None:
    assert missing() is None
