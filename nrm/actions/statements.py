"""Statements of the hot path, built once: building one in SQLAlchemy takes up to ten times as long as running it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import Insert, Table, Update, bindparam, insert, update

ROW: Final = "row_"
SEEN: Final = "seen_"
_SET: Final = "set_"


@cache
def insert_into(table: Table) -> Insert:
    """Give the insert of rows into a table; its columns come from the rows."""
    return insert(table)


def set_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parameters that `update_row` takes for new values."""
    return {_SET + name: value for name, value in values.items()}


@cache
def update_row(table: Table, key: str, names: tuple[str, ...], *, versioned: bool = False) -> Update:
    """Give the update of one row.

    Args:
        table: the table.
        key: the column by which the row is found; its value is the parameter `ROW`.
        names: columns that change; their values are the parameters that `set_values` makes.
        versioned: only while the row has the version that is the parameter `SEEN`.
    """
    statement = update(table).where(table.c[key] == bindparam(ROW, type_=table.c[key].type))
    if versioned:
        statement = statement.where(table.c.version == bindparam(SEEN, type_=table.c.version.type))
    return statement.values({name: bindparam(_SET + name, type_=table.c[name].type) for name in names})
