"""Count the statements that reach a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import event

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

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield lambda: len(seen)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
