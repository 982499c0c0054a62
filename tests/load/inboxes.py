"""The inbox of a busy desk among many tasks, beside the bare query for the same rows."""

from __future__ import annotations

import time

from sqlalchemy import and_, bindparam, or_, select

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
    """Measure (d): pages of the desk's tab, as the API reads them, beside one indexed query of the same rows."""
    stage = stages.filled("large", sizes)
    with stage.app.app_context():
        day = day_on(stage)
    found = alternate(_inbox(stage, day, sizes.pages), _bare(stage, day, sizes.pages), rounds=sizes.rounds)
    return [
        compare(
            f"d a page of {PAGE} of a desk with 2,000 open tasks among {sizes.many:,} / the bare query",
            *found,
            unit="ms",
            database=stages.kind,
            at_most=4,
            decide=sizes.decide,
        )
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
_FIRST = (
    select(Task.__table__, _CASES.number, _CASES.governorate, _PEOPLE.identity)
    .join(Case.__table__, _CASES.id == _TASKS.case_id)
    .join(Person.__table__, _PEOPLE.id == _CASES.person_id)
    .where(_TASKS.desk_id == bindparam("desk"), _TASKS.status == "open")
    .order_by(_TASKS.due_at, _TASKS.id)
    .limit(PAGE + 1)
)
_NEXT = _FIRST.where(
    and_(
        _TASKS.due_at >= bindparam("at"),
        or_(_TASKS.due_at > bindparam("at"), _TASKS.id > bindparam("last")),
    )
)


def _bare(stage: Stage, day: Day, count: int) -> Round:
    desk = day.handler.desks[0]

    def one_round() -> float:
        with stage.app.app_context():
            spent = 0.0
            last = None
            for number in range(count):
                begins = last is None or number % DEEP == 0
                started = time.perf_counter()
                with db.engine.connect() as connection:
                    if begins:
                        rows = connection.execute(_FIRST, {"desk": desk}).all()
                    else:
                        rows = connection.execute(_NEXT, {"desk": desk, "at": last.due_at, "last": last.id}).all()
                spent += time.perf_counter() - started
                if len(rows) != PAGE + 1:
                    raise RuntimeError("a bare page is not full")
                last = rows[PAGE - 1]
            return 1000 * spent / count

    return one_round
