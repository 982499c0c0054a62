"""Count the statements that reach a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import event

from nrm.actions import statements
from nrm.actions.statements import Cursor, Step, send
from nrm.db import db

QueryCounter = Callable[[], AbstractContextManager[Callable[[], int]]]


@contextmanager
def counted_queries() -> Iterator[Callable[[], int]]:
    """Count statements of the open installation, those that begin transactions left out."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    def sent(cursor: Cursor, step: Step) -> Cursor:
        seen.append(step.statement.text)
        return send(cursor, step)

    event.listen(db.engine, "before_cursor_execute", note)
    statements.send = sent
    try:
        yield lambda: len(seen)
    finally:
        statements.send = send
        event.remove(db.engine, "before_cursor_execute", note)
