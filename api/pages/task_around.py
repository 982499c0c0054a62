"""Who else is on the case of a task, and what waits there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from api.pages.kit.visits import Visit
from nrm.queries import cases, inbox, packs
from nrm.queries.inbox import TaskRow
from nrm.queries.tasks import TaskView

_OTHERS: Final = 12


def desk_of(desk_id: str | None) -> packs.DeskEntry | None:
    """Give a desk by its id; None for none."""
    return next((desk for desk in packs.pack().desks if desk.id == desk_id), None)


def others_in_case(visit: Visit, view: TaskView, case: cases.CaseView | None) -> tuple[TaskRow, ...]:
    """Give what else is to be done in the case now, where the reader may know of it."""
    if case is None or case.relation != "team":
        return ()
    open_now = inbox.tasks_of_case(visit.actor, visit.now, view.task.case_id)
    return tuple(row for row in open_now if row.id != view.id)


def at_work(visit: Visit, others: tuple[TaskRow, ...]) -> Iterator[tuple[str, str, str]]:
    """Say who else is on the case: the desk, what it does, and the task's address where the reader may open it."""
    desks = {desk.id: visit.words.name(desk.names) for desk in packs.pack().desks}
    for row in others[:_OTHERS]:
        address = f"/tasks/{row.id}" if row.desk_id in visit.actor.desks or row.allowed_actions else ""
        yield desks.get(row.desk_id, ""), visit.words.name(row.names) or row.step, address
