"""Column makers: each column says its class, so that logs, exports and fixtures can respect it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import MappedColumn, mapped_column

from nrm import ids
from nrm.vocabulary import Sensitivity

ID = String(ids.LENGTH)
CODE = String(64)
ACTOR = String(40)

IN_ITS_KEY: Final = {"sqlite_with_rowid": False}
"""For a table that is only searched by its key: on SQLite its rows lie in the key's index, which saves a page a row."""


def public(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Make a column that tells nothing about a person."""
    return mapped_column(*args, info={"sensitivity": Sensitivity.PUBLIC}, **options)


def personal(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Make a column that tells something about a person."""
    return mapped_column(*args, info={"sensitivity": Sensitivity.PERSONAL}, **options)


def sensitive(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Make a column whose leak could harm a person (health, protection, return, answers)."""
    return mapped_column(*args, info={"sensitivity": Sensitivity.SENSITIVE}, **options)


def secret(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Make a column that gives access (hashes of passwords and keys)."""
    return mapped_column(*args, info={"sensitivity": Sensitivity.SECRET}, **options)


def key() -> MappedColumn[str]:
    """Make the primary key: a random public id."""
    return public(ID, primary_key=True)


def link(target: str, *, index: bool = True, **options: Any) -> MappedColumn[Any]:
    """Make a foreign key to the id of a table.

    Args:
        target: table name.
        index: whether the column is often searched by itself.
        options: more options of the column.
    """
    return public(ID, ForeignKey(f"{target}.id"), index=index, **options)
