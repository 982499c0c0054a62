"""Bring a database to the tables of this program, take it back, and say whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import alembic.command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text

import nrm.models  # noqa: F401 - the models fill Base.metadata
from nrm.db import WRITING, Base, UtcDateTime, engine_options, prepare_engine
from nrm.migrations.append_only import missing_triggers
from nrm.migrations.event_order import missing_order

FOLDER: Final = Path(__file__).parent
HEAD_FILE: Final = FOLDER / "HEAD"
"""Holds the newest revision, so that two new migrations made at once meet as a conflict in the history."""

_LOCK: Final = 0x6E726D  # "nrm"; any number that no other program locks in this database


def upgrade(target: Engine | str, revision: str = "head") -> None:
    """Run the migrations up to a revision; does nothing when they are done. Safe when two programs start at once.

    Args:
        target: an engine prepared by `nrm.db.prepare_engine`, or a database URL.
        revision: a revision's number, or "head".
    """
    with _writing(target) as connection:
        alembic.command.upgrade(_config(connection), revision)


def downgrade(target: Engine | str, revision: str = "base") -> None:
    """Take migrations back down to a revision; data of the tables that go is lost.

    Args:
        target: an engine or a database URL.
        revision: a revision's number, "-1" for one step, or "base" for none.
    """
    with _writing(target) as connection:
        alembic.command.downgrade(_config(connection), revision)


def head() -> str:
    """Give the newest revision that this program knows."""
    return HEAD_FILE.read_text().strip()


def current(connection: Connection) -> str | None:
    """Give the revision of a database, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def check(target: Engine | str) -> tuple[str, ...]:
    """Compare a database with the tables of this program.

    Args:
        target: an engine or a database URL.

    Returns:
        What differs, in words; nothing when the database is at the newest revision and like the models.
    """
    with _engine(target) as engine, engine.connect() as connection:
        found = current(connection)
        if found != head():
            return (f"the database is at {found or 'no revision'}, the program needs {head()}: nrm db upgrade",)
        differences = compare_metadata(MigrationContext.configure(connection, opts=_OPTIONS), Base.metadata)
        triggers = [f"trigger missing: {name}" for name in (*missing_triggers(connection), *missing_order(connection))]
        return (*(describe(difference) for difference in differences), *triggers)


def describe(difference: object) -> str:
    """Put one difference found by Alembic into one line."""
    if isinstance(difference, list):
        return "; ".join(describe(part) for part in difference)
    return " ".join(str(part) for part in difference if part is not None) if isinstance(difference, tuple) else "?"


def configure_context(context: Any) -> None:  # noqa: ANN401 - Alembic's module-like proxy has no type
    """Give Alembic's context the open connection and the models."""
    context.configure(
        connection=context.config.attributes["connection"],
        transactional_ddl=True,
        **_OPTIONS,
    )


def render_item(kind: str, item: object, autogenerate_context: object) -> str | Literal[False]:
    """Write our own column type by its plain name into new migrations."""
    del autogenerate_context
    return "UtcDateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


_OPTIONS: Final[dict[str, Any]] = {
    "render_as_batch": True,
    "render_item": render_item,
    "compare_type": True,
    "target_metadata": Base.metadata,
}


def script_directory() -> ScriptDirectory:
    """Give Alembic's view of the migrations' folder."""
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _engine(target: Engine | str) -> Iterator[Engine]:
    if isinstance(target, Engine):
        yield target
        return
    engine = create_engine(target, **engine_options(target, pool_size=1))
    prepare_engine(engine)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _writing(target: Engine | str) -> Iterator[Connection]:
    with _engine(target) as engine, engine.connect().execution_options(**WRITING) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection
