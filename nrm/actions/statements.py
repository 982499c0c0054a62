"""Statements of the hot path as text: SQLAlchemy writes the SQL once per table and columns, and is left out after that.

A statement of SQLAlchemy looks up its compiled form and prepares its values anew each time it runs, and makes a result
of what it did. Ten of them in a request cost more than all else that happens between the two ends of a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

import psycopg
from sqlalchemy import (
    Connection,
    Delete,
    Dialect,
    Insert,
    Table,
    Update,
    bindparam,
    insert,
    update,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault

from nrm.db import in_one_trip

ROW: Final = "row_"
SEEN: Final = "seen_"
_SET: Final = "set_"

Cursor: TypeAlias = psycopg.Cursor[Any] | sqlite3.Cursor

Values: TypeAlias = Mapping[str, Any]
_Writer: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A statement as one kind of database reads it.

    Attributes:
        text: its SQL.
        places: name of each value, and what makes of it what the driver takes; None where it takes it as it is.
        defaults: by name, what makes a value that a row does not bring.
        positional: whether values go in by position.
    """

    text: str
    places: tuple[tuple[str, _Writer | None], ...]
    defaults: Mapping[str, Callable[[], Any]]
    positional: bool

    def given(self, row: Values) -> Any:  # noqa: ANN401 - a tuple or a mapping, as the driver wants it
        """Make of a row's values what the driver takes."""
        if self.defaults:
            row = {**{name: make() for name, make in self.defaults.items()}, **row}
        if self.positional:
            return tuple([row[name] if write is None else write(row[name]) for name, write in self.places])
        return {name: row[name] if write is None else write(row[name]) for name, write in self.places}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A statement with the rows for each of which it runs.

    Attributes:
        statement: what to run.
        rows: its values, at least one row.
        changes: table and id of the one row that must be there; None where there may be any number.
    """

    statement: Prepared
    rows: Sequence[Values]
    changes: tuple[Table, str] | None = None


def run_together(connection: Connection, steps: Sequence[Step]) -> list[int]:
    """Run statements one after another, with one wait for all of them, and say how many rows each of them touched.

    Args:
        connection: of the transaction.
        steps: what to run, in this order.

    Raises:
        DBAPIError: one of them failed; what comes after it was not run.
    """
    with in_one_trip(connection) as driver:
        cursors = [send(driver.cursor(), step) for step in steps]
    return [cursor.rowcount for cursor in cursors]


def send(cursor: Cursor, step: Step) -> Cursor:
    """Give a step to a cursor of a driver."""
    statement = step.statement
    if len(step.rows) == 1:
        cursor.execute(statement.text, statement.given(step.rows[0]))
    else:
        cursor.executemany(statement.text, [statement.given(row) for row in step.rows])
    return cursor


@lru_cache(maxsize=512)
def insert_into(table: Table, names: tuple[str, ...], dialect: Dialect) -> Prepared:
    """Give the insert of rows into a table.

    Args:
        table: the table.
        names: the columns that the rows bring; columns with a default in Python get it, others stay empty.
        dialect: the database's.
    """
    return _prepared(insert(table), names, dialect)


@lru_cache(maxsize=512)
def update_row(
    table: Table, key: str, names: tuple[str, ...], dialect: Dialect, *, versioned: bool = False
) -> Prepared:
    """Give the update of one row.

    Args:
        table: the table.
        key: the column by which the row is found; its value is called `ROW`.
        names: columns that change; their values are called as `set_values` says.
        dialect: the database's.
        versioned: only while the row has the version that is called `SEEN`.
    """
    statement = update(table).where(table.c[key] == bindparam(ROW, type_=table.c[key].type))
    if versioned:
        statement = statement.where(table.c.version == bindparam(SEEN, type_=table.c.version.type))
    return _prepared(
        statement.values({name: bindparam(_SET + name, type_=table.c[name].type) for name in names}), None, dialect
    )


@lru_cache(maxsize=64)
def delete_rows(statement: Delete, dialect: Dialect) -> Prepared:
    """Give a delete that is made once, whose values are called as its parameters are.

    Args:
        statement: the delete.
        dialect: the database's.
    """
    return _prepared(statement, None, dialect)


def set_values(values: Values) -> dict[str, Any]:
    """Give the values of `update_row` for new values of columns."""
    return {_SET + name: value for name, value in values.items()}


def _prepared(statement: Insert | Update | Delete, names: tuple[str, ...] | None, dialect: Dialect) -> Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    order = compiled.positiontup or list(compiled.binds)
    return Prepared(
        text=compiled.string,
        places=tuple((name, _writer(compiled, name, dialect)) for name in order),
        defaults={column.key: _made(column.default) for column in compiled.insert_prefetch},
        positional=compiled.positiontup is not None,
    )


def _writer(compiled: SQLCompiler, name: str, dialect: Dialect) -> _Writer | None:
    return compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)


def _made(default: object) -> Callable[[], Any]:
    if isinstance(default, ScalarElementColumnDefault):
        return lambda: default.arg
    if isinstance(default, CallableColumnDefault):
        # SQLAlchemy makes each of them take the context of the statement, of which none of ours makes use.
        make = cast("Callable[[None], Any]", default.arg)
        return lambda: make(None)
    raise TypeError(f"a default that SQL makes: {default!r}")
