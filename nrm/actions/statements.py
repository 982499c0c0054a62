"""Statements of the hot path as text: SQLAlchemy writes the SQL once per table and columns, and is left out after that.

A statement of SQLAlchemy looks up its compiled form and prepares its values anew each time it runs. Twelve of them in
a request cost more than all else that happens between the two ends of a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import (
    Connection,
    CursorResult,
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

ROW: Final = "row_"
SEEN: Final = "seen_"
_SET: Final = "set_"

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

    def run(self, connection: Connection, rows: Sequence[Values]) -> CursorResult[Any]:
        """Run it once for each row.

        Args:
            connection: of the transaction.
            rows: the values, at least one row.
        """
        given = [self._given(row) for row in rows]
        return connection.exec_driver_sql(self.text, given[0] if len(given) == 1 else given)

    def _given(self, row: Values) -> Any:  # noqa: ANN401 - a tuple or a mapping, as the driver wants it
        if self.defaults:
            row = {**{name: make() for name, make in self.defaults.items()}, **row}
        if self.positional:
            return tuple([row[name] if write is None else write(row[name]) for name, write in self.places])
        return {name: row[name] if write is None else write(row[name]) for name, write in self.places}


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


def set_values(values: Values) -> dict[str, Any]:
    """Give the values of `update_row` for new values of columns."""
    return {_SET + name: value for name, value in values.items()}


def _prepared(statement: Insert | Update, names: tuple[str, ...] | None, dialect: Dialect) -> Prepared:
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
