"""The inbox: what waits for somebody, what rests, what others do, what was done.

Every tab is read along one index, a desk at a time, so that a desk with thousands of open tasks among a million costs
as much as a small one: first the rows with a due date, by date, then those without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import Case, Person, Run, Task
from nrm.queries import paths
from nrm.queries.desks import desks_of
from nrm.queries.page import Key, Page, cut, moment_key, moment_of, newest_after, size, text_of
from nrm.queries.shown_names import name_in_list
from nrm.rules.statuses import TaskFacts, task_actions
from nrm.vocabulary import APART, TaskStatus

COUNTED: Final = 1_000
"""Tabs are counted up to this number."""

Ids: TypeAlias = Select[*tuple[Any, ...]]


class Tab(StrEnum):
    """The tabs of the inbox."""

    MINE = "mine"
    DESK = "desk"
    ON_HOLD = "on_hold"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFilter:
    """What to leave out.

    Attributes:
        desk: only this desk, one that the actor sees.
        priority: only this priority.
        overdue: only tasks that are late.
        unclaimed: only tasks that nobody has taken.
        case_id: only this case.
    """

    desk: str | None = None
    priority: str | None = None
    overdue: bool = False
    unclaimed: bool = False
    case_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task in a list.

    Attributes:
        names: what it is called, in each language.
        path: key of the path that it belongs to.
        person: how the person is called in lists; a code in a strict case.
        overdue: its time is over.
        allowed_actions: what the asker may do with it now.
    """

    id: str
    version: int
    names: Mapping[str, str]
    step: str
    path: str
    case_id: str
    case_number: str
    person: str
    governorate: str
    level: str
    status: str
    priority: str
    desk_id: str
    organisation_id: str
    assignee_id: str | None
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    hold_until: datetime | None
    hold_reason: str | None
    escalation: int
    outcome: str | None
    ended_at: datetime | None
    allowed_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxCounts:
    """How many tasks each tab holds, counted up to `COUNTED`."""

    mine: int
    desk: int
    on_hold: int
    waiting: int
    overdue: int


def inbox(
    actor: Actor, now: datetime, *, tab: Tab, only: InboxFilter, after: Key | None = None, limit: int = 50
) -> Page[TaskRow]:
    """Read a page of a tab: late first, then by due date; what was done, the latest first.

    Args:
        actor: who asks.
        now: the present moment.
        tab: the tab.
        only: what to leave out.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotFound: the filter names a desk that the actor does not see.
        NotValid: the key is of another list.
    """
    if only.desk is not None and only.desk not in desks_of(actor):
        raise NotFound
    if tab is Tab.DONE:
        return _done(actor, now, only, after, limit)
    wanted = size(limit) + 1
    found: list[str] = []
    if after is None or after[0] is not None:
        found = _ids(actor, tab, only, now, after=after, count=wanted, dated=True)
        after = None
    if len(found) < wanted:
        found += _ids(actor, tab, only, now, after=after, count=wanted - len(found), dated=False)
    rows = _rows(found)
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row[0].due_at), row[0].id),
        make=lambda row: shown(row, actor, now),
    )


def _ids(
    actor: Actor, tab: Tab, only: InboxFilter, now: datetime, *, after: Key | None, count: int, dated: bool
) -> list[str]:
    parts = [
        part.where(_after(after, dated=dated), *_conditions(actor, only, now))
        .order_by(Task.due_at, Task.id)
        .limit(count)
        for part in _parts(actor, tab, only)
    ]
    if not parts:
        return []
    if len(parts) == 1:
        return list(db.session.execute(parts[0]).scalars())
    both = union_all(*(select(part.subquery()) for part in parts)).subquery()
    ordered = select(both.c.id).order_by(both.c.due_at, both.c.id).limit(count)
    return list(dict.fromkeys(db.session.execute(ordered).scalars()))


def _parts(actor: Actor, tab: Tab, only: InboxFilter) -> Iterator[Ids]:
    desks = [only.desk] if only.desk else list(desks_of(actor))
    columns = select(Task.id, Task.due_at)
    if tab is Tab.MINE:
        yield columns.where(Task.assignee_id == actor.id, Task.status == str(TaskStatus.OPEN))
    elif tab is Tab.WAITING:
        if desks:
            # What is kept apart from the case's own desk does not show there, not even by the name of its step.
            yield (
                columns.join(Case, Case.id == Task.case_id)
                .join(Run, Run.id == Task.run_id)
                .where(Case.desk_id.in_(desks), Task.status == str(TaskStatus.OPEN), Task.desk_id.not_in(desks))
                .where(Run.context[APART].as_string().is_(None))
            )
    else:
        status = TaskStatus.OPEN if tab is Tab.DESK else TaskStatus.ON_HOLD
        for desk in desks:
            yield columns.where(Task.desk_id == desk, Task.status == str(status))


def _conditions(actor: Actor, only: InboxFilter, now: datetime) -> Iterator[ColumnElement[bool]]:
    yield Task.livemode.is_(actor.livemode)
    if only.desk is not None:
        yield Task.desk_id == only.desk
    if only.priority is not None:
        yield Task.priority == only.priority
    if only.overdue:
        yield Task.due_at < now
    if only.unclaimed:
        yield Task.assignee_id.is_(None)
    if only.case_id is not None:
        yield Task.case_id == only.case_id


def _after(after: Key | None, *, dated: bool) -> ColumnElement[bool]:
    if not dated:
        begin = Task.due_at.is_(None)
        return begin if after is None else and_(begin, Task.id > text_of(after, 1))
    if after is None:
        return Task.due_at.is_not(None)
    at = moment_of(after, 0)
    # The first part alone bounds the index; the second tells rows of the same moment apart.
    return and_(Task.due_at >= at, or_(Task.due_at > at, Task.id > text_of(after, 1)))


Row: TypeAlias = tuple[Task, str, str, str, str]
"""Task, case number, governorate, person's id, sealed identity."""


def _rows(found: list[str]) -> list[Row]:
    if not found:
        return []
    rows = db.session.execute(_with_case().where(Task.id.in_(found))).all()
    place = {task_id: number for number, task_id in enumerate(found)}
    return sorted((_row(row) for row in rows), key=lambda row: place[row[0].id])


def _with_case() -> Ids:
    return (
        select(Task, Case.number, Case.governorate, Person.id, Person.identity)
        .join(Case, Case.id == Task.case_id)
        .join(Person, Person.id == Case.person_id)
        .execution_options(populate_existing=True)
    )


def _row(row: Any) -> Row:  # noqa: ANN401 - a row of the statement above
    return row[0], row[1], row[2], row[3], row[4]


def _done(actor: Actor, now: datetime, only: InboxFilter, after: Key | None, limit: int) -> Page[TaskRow]:
    statement = _with_case().where(
        Task.ended_by == actor.id, Task.ended_at.is_not(None), *_conditions(actor, only, now)
    )
    ended: ColumnElement[datetime] = Task.ended_at  # type: ignore[assignment]  # not null in this list
    statement = newest_after(statement, ended, Task.id, after=after, limit=limit)  # type: ignore[arg-type]
    rows = [_row(row) for row in db.session.execute(statement).all()]
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row[0].ended_at), row[0].id),
        make=lambda row: shown(row, actor, now),
    )


def tasks_of_case(actor: Actor, now: datetime, case_id: str) -> tuple[TaskRow, ...]:
    """List the tasks of a case that are open or on hold, by due date; the caller has checked that it may be seen."""
    statement = _with_case().where(
        Task.case_id == case_id, Task.status.in_([str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD)])
    )
    rows = [_row(row) for row in db.session.execute(statement.order_by(Task.opened_at, Task.id).limit(500)).all()]
    return tuple(shown(row, actor, now) for row in rows)


def next_unclaimed(actor: Actor, desk: str | None = None) -> str | None:
    """Give the most pressing task of one's desks that nobody has taken; None when there is none.

    Emergencies come first, then what is due first.

    Raises:
        NotFound: the desk is not the actor's.
    """
    desks = list(actor.desks) if desk is None else [desk]
    if not set(desks) <= set(actor.desks):
        raise NotFound
    for priority in ("emergency", "urgent", "normal"):
        free = and_(
            Task.desk_id.in_(desks),
            Task.status == str(TaskStatus.OPEN),
            Task.assignee_id.is_(None),
            Task.priority == priority,
            Task.livemode.is_(actor.livemode),
        )
        for dated in (Task.due_at.is_not(None), Task.due_at.is_(None)):
            statement = select(Task.id).where(free, dated).order_by(Task.due_at, Task.id).limit(1)
            found = db.session.execute(statement).scalar_one_or_none()
            if found is not None:
                return found
    return None


def shown(row: Row, actor: Actor, now: datetime) -> TaskRow:
    """Make what a list shows of a task."""
    task, number, governorate, person_id, identity = row
    version = paths.version(task.path_version_id)
    step = version.spec.steps.get(task.step)
    return TaskRow(
        id=task.id,
        version=task.version,
        names=step.names if step else {},
        step=task.step,
        path=version.path,
        case_id=task.case_id,
        case_number=number,
        person=name_in_list(task.case_id, person_id, task.level, identity),
        governorate=governorate,
        level=task.level,
        status=task.status,
        priority=task.priority,
        desk_id=task.desk_id,
        organisation_id=task.organisation_id,
        assignee_id=task.assignee_id,
        opened_at=task.opened_at,
        due_at=task.due_at,
        overdue=task.due_at is not None and task.due_at < now and task.status == TaskStatus.OPEN,
        hold_until=task.hold_until,
        hold_reason=task.hold_reason,
        escalation=task.escalation,
        outcome=task.outcome,
        ended_at=task.ended_at,
        allowed_actions=task_actions(facts_of(task, actor)),
    )


def facts_of(task: Task, actor: Actor, *, undoable: bool = False) -> TaskFacts:
    """Say how an actor stands to a task."""
    desk, organisation = task.desk_id, task.organisation_id
    return TaskFacts(
        status=TaskStatus(task.status),
        assigned=task.assignee_id is not None,
        mine=task.assignee_id == actor.id,
        at_desk=desk in actor.desks,
        may_work=actor.may("task.work", desk=desk, organisation=organisation),
        may_assign=actor.may("task.assign", desk=desk, organisation=organisation) and task.livemode == actor.livemode,
        completed_by_me=task.ended_by == actor.id,
        undoable=undoable,
    )


def counts(actor: Actor, now: datetime) -> InboxCounts:
    """Count what the tabs hold."""
    nothing = InboxFilter()
    number = {tab: _count(actor, tab, nothing, now) for tab in (Tab.MINE, Tab.DESK, Tab.ON_HOLD, Tab.WAITING)}
    return InboxCounts(
        mine=number[Tab.MINE],
        desk=number[Tab.DESK],
        on_hold=number[Tab.ON_HOLD],
        waiting=number[Tab.WAITING],
        overdue=_count(actor, Tab.DESK, InboxFilter(overdue=True), now),
    )


def _count(actor: Actor, tab: Tab, only: InboxFilter, now: datetime) -> int:
    total = 0
    for part in _parts(actor, tab, only):
        rows = part.where(*_conditions(actor, only, now)).limit(COUNTED).subquery()
        total += db.session.execute(select(func.count()).select_from(rows)).scalar_one()
    return min(total, COUNTED)
