"""Triggers that make `events` append-only, so that no program mistake can rewrite history.

They stop an honest mistake and a stolen application password; a database administrator can drop them, and then
the hash chain shows it (`nrm verify`). The texts are frozen: a change is a new migration with new texts.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

_SQLITE: Final = {
    "events_no_update": "CREATE TRIGGER events_no_update BEFORE UPDATE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    "events_no_delete": "CREATE TRIGGER events_no_delete BEFORE DELETE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    # INSERT OR REPLACE removes the old row without a delete trigger where recursive triggers are off.
    "events_no_replace": "CREATE TRIGGER events_no_replace BEFORE INSERT ON events "
    "WHEN EXISTS (SELECT 1 FROM events WHERE (stream = NEW.stream AND seq = NEW.seq) OR id = NEW.id "
    "OR position = NEW.position) "
    "BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: events'); END",
}

_POSTGRESQL: Final = {
    "events_no_change": "CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON events "
    "FOR EACH ROW EXECUTE FUNCTION events_append_only()",
    "events_no_truncate": "CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events "
    "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()",
}

_FUNCTION: Final = (
    "CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'restrict_violation'; END $$"
)


def install_triggers(connection: Connection) -> None:
    """Put the triggers on `events`; the table must be there."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(_FUNCTION))
    for statement in _expected(connection).values():
        connection.execute(text(statement))


def remove_triggers(connection: Connection) -> None:
    """Take the triggers off `events`."""
    place = " ON events" if connection.dialect.name == "postgresql" else ""
    for name in _expected(connection):
        connection.execute(text(f"DROP TRIGGER {name}{place}"))
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION events_append_only()"))


def missing_triggers(connection: Connection) -> tuple[str, ...]:
    """Name the triggers that should be on `events` and are not, or are switched off."""
    if connection.dialect.name == "postgresql":
        # 'D' marks a trigger that somebody switched off.
        query = "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('events') AND tgenabled <> 'D'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'"
    there = set(connection.execute(text(query)).scalars())
    return tuple(name for name in _expected(connection) if name not in there)


def _expected(connection: Connection) -> dict[str, str]:
    return _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
