"""Plain rows, read with statements that are built once.

A page that shows much asks many small questions. Putting a statement together from columns and values takes longer
than the database takes to answer it, and making objects of rows that nobody changes takes as long again. So what is
asked often is built once, with named places for the values of the moment, and its rows are read as they come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select

from nrm.db import db


def read(statement: Select[*tuple[Any, ...]], given: Mapping[str, object]) -> Sequence[Any]:
    """Read the rows of a statement, past what the session would look for among them.

    Args:
        statement: columns, or whole tables of which no two columns share a name.
        given: the values of its named places; what it does not name is left aside.

    Returns:
        Rows that give their columns by name, as they are stored now.
    """
    return db.session.connection().execute(statement, given).all()
