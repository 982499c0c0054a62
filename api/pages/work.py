"""My work: what is to be done, the most pressing first; and taking it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from urllib.parse import parse_qsl, urlencode

from flask import Response

from api.pages.bulk import HOLD_DAYS
from api.pages.codes import label
from api.pages.kit.visits import Answer, Pages, Visit, own_address, see, wrong
from api.pages.kit.words import Due
from api.transport import cursors
from nrm.actions import tasks as actions
from nrm.actors import Actor
from nrm.errors import Conflict, IllegalMove, NotFound, StaleVersion
from nrm.queries import inbox as inboxes
from nrm.queries import packs, views
from nrm.queries.absences import deskmates
from nrm.queries.inbox import InboxFilter, Tab, TaskRow
from nrm.queries.inbox_search import case_of_number, colleague_names, tasks_of_absent
from nrm.queries.page import Page
from nrm.queries.tasks import Colleague as Taker
from nrm.queries.views import ViewRow
from nrm.vocabulary import HoldReason

work = Pages("work")

ROWS: Final = 40
PRIORITIES: Final = ("emergency", "urgent", "normal")
_LIST: Final = "pages.work"
_VERBS: Final[Mapping[Tab, tuple[str, ...]]] = {
    Tab.MINE: ("assign", "release", "hold"),
    Tab.DESK: ("claim",),
    Tab.ON_HOLD: ("resume",),
}
"""What can be done with many tasks of a tab at once."""
_NO_CASE: Final = "none"
"""An id that no case has: a number that is not there finds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One task in the list.

    Attributes:
        task: the task.
        due: how pressing it is.
        desk: name of the desk that has it.
        mine: the reader has taken it.
        colleague: name of the colleague who has taken it; "" when nobody has, or when it is not the reader's to know.
        category: kind of the service that it is about, in words.
    """

    task: TaskRow
    due: Due
    desk: str
    mine: bool
    colleague: str
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A saved view in the list of them.

    Attributes:
        row: the view.
        address: where it leads.
        number: how many tasks it holds; None where that is not counted.
        here: it is what the page shows.
    """

    row: ViewRow
    address: str
    number: int | None
    here: bool


@work.get("/work")
def show(visit: Visit) -> Answer:
    """Show a tab of the inbox, in groups by how pressing things are."""
    return inbox_page(visit)


def inbox_page(visit: Visit, problems: tuple[tuple[str, str], ...] = ()) -> Response:
    """Make the page of the inbox, with what is wrong with something that was asked there."""
    tab = tab_of(visit.query)
    only = filter_of(visit.actor, visit.query)
    cursor = visit.query.get("after")
    after = cursors.read_cursor(_LIST, cursor) if cursor else None
    page = inboxes.inbox(visit.actor, visit.now, tab=tab, only=only, after=after, limit=ROWS)
    groups = groups_of(visit, page.items, grouped=tab not in {Tab.DONE, Tab.ON_HOLD})
    return visit.show(
        "work/inbox.html",
        status=422 if problems else 200,
        problems=problems,
        tab=tab,
        tabs=tuple(Tab),
        counts=inboxes.counts(visit.actor, visit.now),
        groups=tuple((group or str(tab), lines) for group, lines in groups),
        absent=_absent(visit) if tab is Tab.MINE and after is None and only == InboxFilter() else (),
        only=only,
        views=tuple(_views(visit)),
        takers=_takers(visit, tab),
        verbs=_VERBS.get(tab, ()),
        hold_days=HOLD_DAYS,
        hold_reasons=tuple(HoldReason),
        desks=[desk for desk in packs.pack().desks if desk.id in visit.actor.desks],
        priorities=PRIORITIES,
        number=visit.query.get("number", "").strip()[:24],
        next_page=_next(visit, page),
        here=_here(visit),
        filtered=only != InboxFilter(),
        taken=visit.query.get("taken"),
    )


def tab_of(query: Mapping[str, str]) -> Tab:
    """Read the tab of an address; one's own tasks where it names none."""
    return Tab(query["tab"]) if query.get("tab") in set(Tab) else Tab.MINE


def filter_of(actor: Actor, query: Mapping[str, str]) -> InboxFilter:
    """Read the filter of an address; what the reader may not name is left out."""
    priority, desk, number = query.get("priority"), query.get("desk"), query.get("number", "").strip()
    return InboxFilter(
        desk=desk if desk in actor.desks else None,
        priority=priority if priority in PRIORITIES else None,
        overdue=query.get("late") == "1",
        unclaimed=query.get("free") == "1",
        case_id=(case_of_number(number) or _NO_CASE) if number else None,
    )


def _views(visit: Visit) -> Iterator[Saved]:
    for row in views.saved_views(visit.actor):
        query = dict(parse_qsl(row.query))
        tab, only = tab_of(query), filter_of(visit.actor, query)
        number = inboxes.count(visit.actor, visit.now, tab=tab, only=only) if tab is not Tab.DONE else None
        address = "/work?" + row.query
        yield Saved(row=row, address=address, number=number, here=_here(visit) == address)


def groups_of(visit: Visit, rows: Sequence[TaskRow], *, grouped: bool = True) -> Iterator[tuple[str, list[Line]]]:
    """Give the rows in groups; they come in the order of their due dates, so each group is one stretch.

    Args:
        visit: who reads.
        rows: the tasks.
        grouped: by how pressing they are; else all in one group without a name.
    """
    desks = {desk.id: visit.words.name(desk.names) for desk in packs.pack().desks}
    colleagues = colleague_names(visit.actor, rows)
    lines = (_line(visit, row, desks, colleagues) for row in rows)
    if not grouped:
        yield "", list(lines)
        return
    for group, members in groupby(lines, key=lambda line: line.due.group):
        yield group, list(members)


def _takers(visit: Visit, tab: Tab) -> tuple[Taker, ...]:
    """Give the colleagues to whom one's own tasks can be handed over."""
    if tab is not Tab.MINE or not visit.may("task.work"):
        return ()
    return tuple(Taker(id=user_id, name=name) for user_id, name in deskmates(visit.actor.id, visit.now))


def _absent(visit: Visit) -> tuple[tuple[str, list[Line]], ...]:
    """Give the tasks of colleagues who are away and for whom the reader stands in, by colleague."""
    found = tasks_of_absent(visit.actor, visit.now)
    return tuple(
        (name, [line for _, lines in groups_of(visit, rows, grouped=False) for line in lines]) for name, rows in found
    )


def _line(visit: Visit, row: TaskRow, desks: Mapping[str, str], colleagues: Mapping[str, str]) -> Line:
    return Line(
        task=row,
        due=visit.words.due(row.due_at),
        desk=desks.get(row.desk_id, ""),
        mine=row.assignee_id == visit.actor.id,
        colleague=colleagues.get(row.assignee_id or "", ""),
        category=label(visit, "service_category", row.service_category),
    )


def _next(visit: Visit, page: Page[TaskRow]) -> str | None:
    if page.next_key is None:
        return None
    kept = {name: value for name, value in visit.query.items() if name != "after"}
    return "/work?" + urlencode({**kept, "after": cursors.write_cursor(_LIST, page.next_key)})


def _here(visit: Visit) -> str:
    kept = {name: value for name, value in visit.query.items() if name not in {"after", "taken"}}
    return "/work" + ("?" + urlencode(kept) if kept else "")


@work.post("/take-next", permission="task.work")
def take_next(visit: Visit) -> Answer:
    """Take the most pressing task of one's desks that nobody has taken, and open it."""
    for _ in range(5):
        found = inboxes.next_unclaimed(visit.actor)
        if found is None:
            break
        try:
            actions.claim_task(visit.actor, found)
        except IllegalMove:
            continue  # a colleague was quicker; there may be another one
        return see(f"/tasks/{found}")
    return wrong(visit, NotFound("no_task_waits"))


@work.post("/tasks/<task_id>/take")
def take(visit: Visit, task_id: str) -> Answer:
    """Take a task; when a colleague was quicker, say so and show it as it is."""
    try:
        actions.claim_task(visit.actor, task_id, version=visit.version())
    except (IllegalMove, StaleVersion, Conflict):
        return see(f"/tasks/{task_id}?quicker=1")
    return see(own_address(visit.form.get("back"), f"/tasks/{task_id}"))


@work.post("/tasks/<task_id>/release")
def release(visit: Visit, task_id: str) -> Answer:
    """Put a task back to its desk."""
    actions.release_task(visit.actor, task_id, version=visit.version(), reason=visit.text("reason") or None)
    return see(own_address(visit.form.get("back")))
