"""The inbox is read along its indexes, whatever the planner makes of the rest of the statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from nrm.db import db
from nrm.queries.inbox import InboxFilter, Tab, inbox
from tests.world import World


@contextmanager
def _heard() -> Iterator[list[tuple[str, Any]]]:
    heard: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        heard.append((arguments[2], arguments[3]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield heard
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("tab", "index"),
    [
        (Tab.DESK, "ix_tasks_desk_inbox"),
        (Tab.ON_HOLD, "ix_tasks_desk_inbox"),
        (Tab.MINE, "ix_tasks_assignee_inbox"),
        (Tab.DONE, "ix_tasks_ended_by"),
    ],
)
def test_a_tab_is_found_along_its_index(land: World, tab: Tab, index: str):
    handler = land.at_desk("case_handler", "norvale")
    with _heard() as heard:
        inbox(handler, land.clock.now(), tab=tab, only=InboxFilter())
    db.session.close()
    lists = [(statement, given) for statement, given in heard if "FROM tasks" in statement]
    assert lists
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            plans = [connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text, given).all() for text, given in lists]
        else:
            # The tables are empty: reading them whole would be right, and says nothing of full ones.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            plans = [connection.exec_driver_sql("EXPLAIN " + text, given).all() for text, given in lists]
    assert all(index in str(plan) for plan in plans), plans
