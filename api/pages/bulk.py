"""One verb on many ticked tasks, and a list that says of each what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from api.pages.kit.visits import Answer, Pages, Visit, own_address
from nrm.actions import task_bulk as actions
from nrm.actions.task_bulk import BulkLine, Chosen, Wish
from nrm.errors import NotValid
from nrm.queries import desk_work
from nrm.queries.inbox import TaskRow

bulk = Pages("bulk")

HOLD_DAYS: Final = (1, 3, 7, 14, 30)
"""For how many days many tasks can be put on hold at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What became of one task.

    Attributes:
        task_id: the task.
        name: what it is called; "" when it is not the reader's to know of.
        case_number: of its case.
        why: why it failed, in words; "" where it was done.
    """

    task_id: str
    name: str
    case_number: str
    why: str


@bulk.post("/tasks/many")
def change(visit: Visit) -> Answer:
    """Use a verb on all ticked tasks; those that fail stand in the answer with the reason."""
    chosen = _chosen(visit)
    try:
        done = actions.change_many(visit.actor, chosen, _wish(visit))
    except NotValid as error:
        return _result(visit, (), why=" ".join(visit.problem(one.code, one.params) for one in error.problems))
    rows = desk_work.tasks_by_id(visit.actor, visit.now, [one.id for one in done])
    return _result(visit, tuple(_became(visit, one, rows) for one in done))


def _chosen(visit: Visit) -> tuple[Chosen, ...]:
    """Read the ticked tasks, each "id version"."""
    found = []
    for text in visit.form.getlist("task")[: actions.AT_ONCE + 1]:
        task_id, _, version = text.partition(" ")
        known = version.isascii() and version.isdigit() and len(version) < 10
        found.append(Chosen(id=task_id[:40], version=int(version) if known else None))
    return tuple(found)


def _wish(visit: Visit) -> Wish:
    days = visit.text("days")
    wished = int(days) if days in {str(one) for one in HOLD_DAYS} else HOLD_DAYS[0]
    return Wish(
        verb=visit.text("verb"),
        to_user=visit.text("to_user"),
        until=visit.now + timedelta(days=wished),
        reason=visit.text("reason"),
    )


def _became(visit: Visit, line: BulkLine, rows: Mapping[str, TaskRow]) -> Became:
    row = rows.get(line.id)
    why = visit.problem(line.code, line.params) if line.code else ""
    name = visit.words.name(row.names) or row.step if row else ""
    return Became(task_id=line.id, name=name, case_number=row.case_number if row else "", why=why)


def _result(visit: Visit, lines: tuple[Became, ...], *, why: str = "") -> Answer:
    return visit.show(
        "work/many.html",
        status=422 if why else 200,
        verb=visit.text("verb") if visit.text("verb") in actions.VERBS else "change",
        done=tuple(one for one in lines if not one.why),
        failed=tuple(one for one in lines if one.why),
        why=why,
        way_back=own_address(visit.form.get("back")),
    )
