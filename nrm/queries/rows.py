"""Plain rows, read with statements that are built once.

A page that shows much asks many small questions. Putting a statement together from columns and values takes longer
than the database takes to answer it, and making objects of rows that nobody changes takes as long again. So what is
asked often is built once, with named places for the values of the moment, and its rows are read as they come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select
from sqlalchemy.orm import SessionTransaction

from nrm.db import db


def read(statement: Select[*tuple[Any, ...]], given: Mapping[str, object]) -> Sequence[Any]:
    """Read the rows of a statement, past what the session would look for among them.

    Args:
        statement: columns, or whole tables of which no two columns share a name.
        given: the values of its named places; what it does not name is left aside.

    Returns:
        Rows that give their columns by name, as they are stored now.
    """
    return _connection().execute(statement, given).all()


_CONNECTION: Final = "nrm.connection"


def _connection() -> Connection:
    """Give the connection of the session's transaction; the session looks for it as long as a small question takes."""
    session = db.session()
    transaction = session.get_transaction()
    kept: tuple[SessionTransaction, Connection] | None = session.info.get(_CONNECTION)
    if kept is not None and kept[0] is transaction:
        return kept[1]
    connection = session.connection()
    begun = session.get_transaction()
    if begun is not None:
        session.info[_CONNECTION] = (begun, connection)
    return connection
