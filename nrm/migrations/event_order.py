"""On PostgreSQL: what a reader needs in order to page through the events without ever skipping one.

A position is taken when a row is written, a row is seen when its transaction commits: a transaction that took its
positions early may commit late, and a reader who has gone past them would never see its events. So each transaction
that writes events holds a shared advisory lock, before it takes its first position, whose number is the last position
that was taken until then. `events_settled()` gives the position up to which nothing can appear any more: the smallest
of these numbers, and never more than the last position that was taken when it began to look. The lock goes with the
transaction, after its rows are seen, so nothing is ever left behind, and nobody waits for anybody.

SQLite has one writer at a time: there the order of positions is the order of commits. The texts are frozen: a change
is a new migration with new texts.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

_LAST: Final = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_position_seq)"

# The upper 16 bits of the lock's number tell ours from other advisory locks: 20050 is "NR".
_FUNCTIONS: Final = (
    "CREATE FUNCTION events_note_writer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF coalesce(current_setting('nrm.writes_events', true), '') <> 'yes' THEN "
    f"PERFORM pg_advisory_xact_lock_shared((20050::bigint << 48) | {_LAST}); "
    "PERFORM set_config('nrm.writes_events', 'yes', true); "
    "END IF; RETURN NULL; END $$",
    "CREATE FUNCTION events_settled() RETURNS bigint LANGUAGE plpgsql AS $$ "
    "DECLARE taken bigint; begun bigint; BEGIN "
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO taken FROM events_position_seq; "
    "SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO begun FROM pg_locks "
    "WHERE locktype = 'advisory' AND objsubid = 1 AND (classid::bigint >> 16) = 20050 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()); "
    "RETURN least(taken, coalesce(begun, taken)); END $$",
)

_TRIGGER: Final = (
    "CREATE TRIGGER events_note_writer BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION events_note_writer()"
)


def install_order(connection: Connection) -> None:
    """Make the functions and the trigger; the table must be there. Nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        for statement in (*_FUNCTIONS, _TRIGGER):
            connection.execute(text(statement))


def remove_order(connection: Connection) -> None:
    """Take them away again."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP TRIGGER events_note_writer ON events"))
        connection.execute(text("DROP FUNCTION events_note_writer()"))
        connection.execute(text("DROP FUNCTION events_settled()"))


def missing_order(connection: Connection) -> tuple[str, ...]:
    """Name what is not there, or is switched off."""
    if connection.dialect.name != "postgresql":
        return ()
    query = (
        "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('events') AND tgenabled <> 'D' "
        "UNION ALL SELECT proname FROM pg_proc WHERE proname = 'events_settled'"
    )
    there = set(connection.execute(text(query)).scalars())
    return tuple(name for name in ("events_note_writer", "events_settled") if name not in there)
