"""The inbox of a busy desk among many tasks, beside the bare query for the same rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from nrm.db import db
from nrm.models import Case, Person, Task
from nrm.queries.inbox import InboxFilter, Tab, inbox
from nrm.queries.page import Key
from tests.load.days import Day, day_on
from tests.load.rounds import Measure, Round, alternate, compare
from tests.load.sizes import Sizes
from tests.load.stages import Stage, Stages

PAGE = 50
DEEP = 10
"""Pages read one after another from the first; then again from the first."""


def pages(stages: Stages, sizes: Sizes) -> list[Measure]:
    """Measure (d): pages of the desk's tab, as the API reads them, beside one indexed query of the same rows.

    Judged is the query of the rows that the page shows: tasks with the number of their case and the person, over a
    connection taken for each page as the product takes it. The tasks alone, over a connection that stays open, stand
    beside it for information.
    """
    stage = stages.filled("large", sizes)
    with stage.app.app_context():
        day = day_on(stage)
    ours = _inbox(stage, day, sizes.pages)
    floors: dict[str, tuple[Round, float | None]] = {
        "the bare query of the tasks alone": (_bare(stage, day, sizes.pages, _TASKS_ALONE, stays=True), None),
        "the bare query of all that it shows": (_bare(stage, day, sizes.pages, _ALL_SHOWN, stays=False), 4),
    }
    return [
        compare(
            f"d a page of {PAGE} of a desk with 2,000 open tasks among {sizes.many:,} / {name}",
            *alternate(ours, floor, rounds=sizes.rounds),
            unit="ms",
            database=stages.kind,
            at_most=at_most,
            decide=sizes.decide,
        )
        for name, (floor, at_most) in floors.items()
    ]


def _inbox(stage: Stage, day: Day, count: int) -> Round:
    def one_round() -> float:
        with stage.app.app_context():
            after: Key | None = None
            spent = 0.0
            for number in range(count):
                after = after if number % DEEP else None
                started = time.perf_counter()
                page = inbox(day.handler, stage.clock.now(), tab=Tab.DESK, only=InboxFilter(), after=after, limit=PAGE)
                db.session.close()
                spent += time.perf_counter() - started
                if len(page.items) != PAGE:
                    raise RuntimeError("a page of the inbox is not full")
                after = page.next_key
            return 1000 * spent / count

    return one_round


_TASKS = Task.__table__.c
_CASES = Case.__table__.c
_PEOPLE = Person.__table__.c
_AFTER = and_(
    _TASKS.due_at >= bindparam("at"),
    or_(_TASKS.due_at > bindparam("at"), _TASKS.id > bindparam("last")),
)


def _of_desk(statement: Select[Any]) -> Select[Any]:
    found = statement.where(_TASKS.desk_id == bindparam("desk"), _TASKS.status == "open", _TASKS.ended_at.is_(None))
    return found.order_by(_TASKS.due_at, _TASKS.id).limit(PAGE + 1)


_TASKS_ALONE = _of_desk(select(Task.__table__))
_ALL_SHOWN = _of_desk(
    select(Task.__table__, _CASES.number, _CASES.governorate, _PEOPLE.identity)
    .join(Case.__table__, _CASES.id == _TASKS.case_id)
    .join(Person.__table__, _PEOPLE.id == _CASES.person_id)
)


def _bare(stage: Stage, day: Day, count: int, first: Select[Any], *, stays: bool) -> Round:
    desk = day.handler.desks[0]
    following = first.where(_AFTER)

    def page(connection: Connection, last: Any) -> Sequence[Any]:
        if last is None:
            return connection.execute(first, {"desk": desk}).all()
        return connection.execute(following, {"desk": desk, "at": last.due_at, "last": last.id}).all()

    def taken(last: Any) -> Sequence[Any]:
        with db.engine.connect() as connection:
            return page(connection, last)

    def one_round() -> float:
        with stage.app.app_context(), db.engine.connect() as open_one:
            spent = 0.0
            last = None
            for number in range(count):
                last = last if number % DEEP else None
                started = time.perf_counter()
                rows = page(open_one, last) if stays else taken(last)
                open_one.rollback()
                spent += time.perf_counter() - started
                if len(rows) != PAGE + 1:
                    raise RuntimeError("a bare page is not full")
                last = rows[PAGE - 1]
            return 1000 * spent / count

    return one_round
