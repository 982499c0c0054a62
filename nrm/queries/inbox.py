"""The inbox: what waits for somebody, what rests, what others do, what was done.

Every tab is read along one index, a desk at a time, so that a desk with thousands of open tasks among a million costs
as much as a small one: first the rows with a due date, by date, then those without.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import Case, Person, Run, Task
from nrm.queries import absences, packs, paths
from nrm.queries.desks import desks_of
from nrm.queries.page import Key, Page, cut, moment_key, moment_of, newest_after, size, text_of
from nrm.queries.referral_subjects import reference
from nrm.queries.rows import read
from nrm.queries.shown_names import name_in_list
from nrm.rules.statuses import TaskFacts, task_actions
from nrm.vocabulary import APART, Level, TaskStatus

COUNTED: Final = 1_000
"""Tabs are counted up to this number."""

NEW: Final = 99
"""What came anew is counted up to this number."""

MOST_AT_ONCE: Final = 100
"""Most rows of a list that is not read in pages."""

_TASK: Final = Task.__table__.c
_CASE: Final = Case.__table__.c
_PERSON: Final = Person.__table__.c
_RUN: Final = Run.__table__.c

NOT_OVER: Final = _TASK.ended_at.is_(None)
"""What the inboxes' indexes hold; the status says it too, but not to the database."""

_COLUMNS: Final = (
    "id",
    "version",
    "step",
    "path_version_id",
    "service_category",
    "case_id",
    "status",
    "level",
    "priority",
    "desk_id",
    "organisation_id",
    "assignee_id",
    "opened_at",
    "due_at",
    "hold_until",
    "hold_reason",
    "escalation",
    "outcome",
    "ended_at",
    "ended_by",
    "livemode",
)
"""Columns of a task that a list shows or decides by."""

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
        not_strict: none of strict cases; always so for a partner's program.
    """

    desk: str | None = None
    priority: str | None = None
    overdue: bool = False
    unclaimed: bool = False
    case_id: str | None = None
    not_strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task in a list.

    Attributes:
        names: what it is called, in each language.
        path: key of the path that it belongs to.
        person: how the person is called in lists; a code in a strict case.
        service_category: kind of the service that the step is about; never told in the list of a strict case.
        overdue: its time is over.
        allowed_actions: what the asker may do with it now.
    """

    id: str
    version: int
    names: Mapping[str, str]
    step: str
    path: str
    service_category: str | None
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
    return work_at(actor, now, desks_of(actor), tab=tab, only=only, after=after, limit=limit)


def work_at(
    actor: Actor,
    now: datetime,
    desks: tuple[str, ...],
    *,
    tab: Tab,
    only: InboxFilter,
    after: Key | None = None,
    limit: int = 50,
) -> Page[TaskRow]:
    """Read a page of a tab of some desks; the caller has found out that the actor may see their work.

    Raises:
        NotFound: the filter names a desk that is none of them.
        NotValid: the key is of another list.
    """
    if only.desk is not None:
        if only.desk not in desks:
            raise NotFound
        desks = (only.desk,)
    if actor.is_program:
        only = replace(only, not_strict=True)
    if tab is Tab.DONE:
        return _done(actor, now, only, after, limit)
    wanted = size(limit) + 1
    rows: list[Row] = []
    if after is None or after[0] is not None:
        rows = _rows(actor, tab, desks, only, now, after=after, count=wanted, dated=True)
        after = None
    if len(rows) < wanted:
        rows += _rows(actor, tab, desks, only, now, after=after, count=wanted - len(rows), dated=False)
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row[0].due_at), row[0].id),
        make=_shower(actor, now),
    )


def _rows(
    actor: Actor,
    tab: Tab,
    desks: tuple[str, ...],
    only: InboxFilter,
    now: datetime,
    *,
    after: Key | None,
    count: int,
    dated: bool,
) -> list[Row]:
    if tab is not Tab.MINE and not desks:
        return []
    statement = _page_statement(tab, len(desks), _shape(only), dated=dated, begins=after is None)
    given = {**_given(actor, only, now, desks), "count": count}
    if after is not None:
        given["last"] = text_of(after, 1)
        if dated:
            given["at"] = moment_of(after, 0)
    return [_row(row) for row in read(statement, given)]


def _shape(only: InboxFilter) -> tuple[bool, ...]:
    return (
        only.desk is not None,
        only.priority is not None,
        only.overdue,
        only.unclaimed,
        only.case_id is not None,
        only.not_strict,
    )


def _given(actor: Actor, only: InboxFilter, now: datetime, desks: tuple[str, ...]) -> dict[str, object]:
    """Give the values of all that `_parts` and `_conditions` may name; what a statement does not name is left aside."""
    return {
        "actor": actor.id,
        "live": actor.livemode,
        "now": now,
        "priority": only.priority,
        "case": only.case_id,
        "desks": list(desks),
        "desk": only.desk,
        **{f"desk_{number}": desk for number, desk in enumerate(desks)},
    }


@lru_cache(maxsize=256)
def _page_statement(
    tab: Tab, desks: int, shape: tuple[bool, ...], *, dated: bool, begins: bool
) -> Select[*tuple[Any, ...]]:
    """Build the statement of a tab once for each shape of a filter; building it costs more than running it.

    Which tasks the page has is found along one index first; cases and people are looked up for those alone.
    """
    parts = [
        part.where(_after(dated=dated, begins=begins), *_conditions(shape))
        .order_by(_TASK.due_at, _TASK.id)
        .limit(bindparam("count", type_=Integer()))
        for part in _parts(tab, desks)
    ]
    found = parts[0].subquery("found")
    if len(parts) > 1:
        all_found = union_all(*(select(part.subquery()) for part in parts)).subquery("all_found")
        count: BindParameter[int] = bindparam("count", type_=Integer())
        found = select(all_found).order_by(all_found.c.due_at, all_found.c.id).limit(count).subquery("found")
    return _SHOWN.join(found, found.c.id == _TASK.id).order_by(found.c.due_at, found.c.id)


def _parts(tab: Tab, desks: int) -> Iterator[Ids]:
    columns = select(_TASK.id, _TASK.due_at)
    listed: BindParameter[str] = bindparam("desks", expanding=True)
    if tab is Tab.MINE:
        mine = columns.where(_TASK.assignee_id == bindparam("actor"), _TASK.status == str(TaskStatus.OPEN))
        yield mine.where(NOT_OVER)
    elif tab is Tab.WAITING:
        # What is kept apart from the case's own desk does not show there, not even by the name of its step.
        yield (
            columns.join(Case.__table__, _CASE.id == _TASK.case_id)
            .join(Run.__table__, _RUN.id == _TASK.run_id)
            .where(_CASE.desk_id.in_(listed), _TASK.status == str(TaskStatus.OPEN), _TASK.desk_id.not_in(listed))
            .where(_RUN.context[APART].as_string().is_(None))
        )
    else:
        status = TaskStatus.OPEN if tab is Tab.DESK else TaskStatus.ON_HOLD
        for number in range(desks):
            at_desk = columns.where(_TASK.desk_id == bindparam(f"desk_{number}"), _TASK.status == str(status))
            yield at_desk.where(NOT_OVER)


def _conditions(shape: tuple[bool, ...]) -> Iterator[ColumnElement[bool]]:
    at_desk, of_priority, overdue, unclaimed, of_case, not_strict = shape
    yield _TASK.livemode == bindparam("live")
    if at_desk:
        yield _TASK.desk_id == bindparam("desk")
    if of_priority:
        yield _TASK.priority == bindparam("priority")
    if overdue:
        yield _TASK.due_at < bindparam("now")
    if unclaimed:
        yield _TASK.assignee_id.is_(None)
    if of_case:
        yield _TASK.case_id == bindparam("case")
    if not_strict:
        yield _TASK.level != str(Level.STRICT)


def _after(*, dated: bool, begins: bool) -> ColumnElement[bool]:
    if not dated:
        undated = _TASK.due_at.is_(None)
        return undated if begins else and_(undated, _TASK.id > bindparam("last"))
    if begins:
        return _TASK.due_at.is_not(None)
    # The first part alone bounds the index; the second tells rows of the same moment apart.
    return and_(_TASK.due_at >= bindparam("at"), or_(_TASK.due_at > bindparam("at"), _TASK.id > bindparam("last")))


Row: TypeAlias = tuple[Task, str, str, str, str]
"""Task, case number, governorate, person's id, sealed identity."""


_SHOWN: Final = (
    select(
        *(_TASK[name] for name in _COLUMNS),
        _CASE.number.label("case_number"),
        _CASE.governorate.label("case_governorate"),
        _PERSON.id.label("shown_person_id"),
        _PERSON.identity.label("shown_identity"),
    )
    .join(Case.__table__, _CASE.id == _TASK.case_id)
    .join(Person.__table__, _PERSON.id == _CASE.person_id)
)
"""Plain columns: making objects of rows that nobody changes takes longer than reading them."""


def _row(row: Any) -> Row:  # noqa: ANN401 - a row of the statement above, which names a task's columns as a task does
    return row, row.case_number, row.case_governorate, row.shown_person_id, row.shown_identity


def _done(actor: Actor, now: datetime, only: InboxFilter, after: Key | None, limit: int) -> Page[TaskRow]:
    statement = _SHOWN.where(
        _TASK.ended_by == bindparam("actor"), _TASK.ended_at.is_not(None), *_conditions(_shape(only))
    )
    ended: ColumnElement[datetime] = _TASK.ended_at
    statement = newest_after(statement, ended, _TASK.id, after=after, limit=limit)
    rows = [_row(row) for row in read(statement, _given(actor, only, now, ()))]
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row[0].ended_at), row[0].id),
        make=_shower(actor, now),
    )


_OF_CASE: Final = (
    _SHOWN.join(Run.__table__, _RUN.id == _TASK.run_id)
    .where(_TASK.case_id == bindparam("case"), _TASK.status.in_([str(TaskStatus.OPEN), str(TaskStatus.ON_HOLD)]))
    # What is kept apart shows to nobody but those who work on it, not even by the name of its step.
    .where(
        or_(
            _RUN.context[APART].as_string().is_(None),
            _TASK.desk_id.in_(bindparam("desks", expanding=True)),
            _TASK.assignee_id == bindparam("actor"),
        )
    )
    .order_by(_TASK.opened_at, _TASK.id)
    .limit(500)
)


def tasks_of_case(actor: Actor, now: datetime, case_id: str) -> tuple[TaskRow, ...]:
    """List the tasks of a case that are open or on hold; the caller has checked that it may be seen.

    Those of runs that are kept apart are left out for all but the desks and people who work on them.
    """
    given = {"case": case_id, "desks": list(actor.desks), "actor": actor.id}
    return tuple(map(_shower(actor, now), map(_row, read(_OF_CASE, given))))


def tasks_where(
    actor: Actor, now: datetime, *conditions: ColumnElement[bool], limit: int = MOST_AT_ONCE
) -> tuple[TaskRow, ...]:
    """Read tasks by due date; the caller's conditions keep to what the actor may know of.

    Args:
        actor: who asks; practice is read apart from work.
        now: the present moment.
        conditions: on `Task`.
        limit: most rows.
    """
    statement = _SHOWN.where(*conditions, _TASK.livemode.is_(actor.livemode))
    rows = db.session.execute(statement.order_by(_TASK.due_at.is_(None), _TASK.due_at, _TASK.id).limit(limit))
    return tuple(map(_shower(actor, now), map(_row, rows)))


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
            NOT_OVER,
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
    return _shower(actor, now)(row)


def _shower(actor: Actor, now: datetime) -> Callable[[Row], TaskRow]:
    """Give a function that shows tasks to an actor; what tasks alike allow is worked out once."""
    standing = cache(functools.partial(_standing, actor))
    away = cache(lambda: absences.stood_in_for(actor, now))

    @cache
    def allowed(desk: str, organisation: str, *facts: Any) -> tuple[str, ...]:  # noqa: ANN401 - columns of a task
        stands, holder = standing(desk, organisation), facts[1]
        instead = stands[0] and holder is not None and holder != actor.id and holder in away()
        return task_actions(_facts(facts, actor, stands, desk=desk, instead=instead))

    def show(row: Row) -> TaskRow:
        task = row[0]
        found = _shown(row, now, allowed(task.desk_id, task.organisation_id, *_FACTS(task)))
        return replace(found, person=reference(task.case_id)) if actor.is_program else found

    return show


def _shown(row: Row, now: datetime, allowed: tuple[str, ...]) -> TaskRow:
    task, number, governorate, person_id, identity = row
    case_id, level, status, due_at = task.case_id, task.level, task.status, task.due_at
    version = paths.version(task.path_version_id)
    step = version.spec.steps.get(task.step)
    return TaskRow(
        id=task.id,
        version=task.version,
        names=step.names if step else {},
        step=task.step,
        path=version.path,
        service_category=None if level == Level.STRICT else task.service_category,
        case_id=case_id,
        case_number=number,
        person=name_in_list(case_id, person_id, level, identity),
        governorate=governorate,
        level=level,
        status=status,
        priority=task.priority,
        desk_id=task.desk_id,
        organisation_id=task.organisation_id,
        assignee_id=task.assignee_id,
        opened_at=task.opened_at,
        due_at=due_at,
        overdue=due_at is not None and due_at < now and status == TaskStatus.OPEN,
        hold_until=task.hold_until,
        hold_reason=task.hold_reason,
        escalation=task.escalation,
        outcome=task.outcome,
        ended_at=task.ended_at,
        allowed_actions=allowed,
    )


Standing: TypeAlias = tuple[bool, bool, bool]
"""Sits at a desk, may work there, may assign there."""


def _standing(actor: Actor, desk: str, organisation: str) -> Standing:
    return (
        desk in actor.desks,
        actor.may("task.work", desk=desk, organisation=organisation),
        packs.pack().supervises(actor, "task.assign", desk),
    )


def facts_of(task: Task, actor: Actor, now: datetime, *, undoable: bool = False) -> TaskFacts:
    """Say how an actor stands to a task."""
    standing = _standing(actor, task.desk_id, task.organisation_id)
    instead = standing[0] and absences.stands_in(actor, task.assignee_id, now)
    return _facts(_FACTS(task), actor, standing, desk=task.desk_id, instead=instead, undoable=undoable)


_FACTS: Final = attrgetter("status", "assignee_id", "ended_by", "livemode")


def _facts(
    columns: tuple[Any, ...],
    actor: Actor,
    standing: Standing,
    *,
    desk: str,
    instead: bool = False,
    undoable: bool = False,
) -> TaskFacts:
    status, assignee, ended_by, livemode = columns
    at_desk, may_work, may_assign = standing
    return TaskFacts(
        status=TaskStatus(status),
        assigned=assignee is not None,
        mine=actor.holds(assignee, desk=desk),
        at_desk=at_desk,
        may_work=may_work,
        may_assign=may_assign and livemode == actor.livemode,
        completed_by_me=ended_by == actor.id,
        undoable=undoable,
        stands_in=instead,
    )


def counts(actor: Actor, now: datetime) -> InboxCounts:
    """Count what the tabs hold, in one statement."""
    desks = desks_of(actor)
    row = read(_counts_statement(len(desks)), _given(actor, InboxFilter(), now, desks))[0]
    return InboxCounts(**{name: min(number, COUNTED) for name, number in row._mapping.items()})


def count(actor: Actor, now: datetime, *, tab: Tab, only: InboxFilter) -> int:
    """Count what a tab holds with a filter, up to `COUNTED`; what was done is not counted.

    Raises:
        NotFound: the filter names a desk that the actor does not see.
    """
    desks = desks_of(actor)
    if only.desk is not None:
        if only.desk not in desks:
            raise NotFound
        desks = (only.desk,)
    if tab is Tab.DONE:
        return 0
    statement = _count_statement(tab, len(desks), _shape(only))
    return min(int(read(statement, _given(actor, only, now, desks))[0][0]), COUNTED)


@lru_cache(maxsize=256)
def _count_statement(tab: Tab, desks: int, shape: tuple[bool, ...]) -> Select[*tuple[Any, ...]]:
    return select(_number(tab, desks, shape))


def new_since(actor: Actor, since: datetime, *, in_hand: bool = True) -> int:
    """Count the open tasks that came to one's desks after a moment, up to `NEW`.

    Args:
        actor: who asks.
        since: the moment.
        in_hand: count also what came into one's hands, taken by oneself or given by somebody.
    """
    parts = [
        select(_TASK.id).where(_TASK.desk_id.in_(actor.desks), _TASK.assignee_id.is_(None), _TASK.opened_at > since),
        select(_TASK.id).where(_TASK.assignee_id == actor.id, _TASK.claimed_at > since),
    ]
    live = (NOT_OVER, _TASK.status == str(TaskStatus.OPEN), _TASK.livemode.is_(actor.livemode))
    total = 0
    for part in parts if in_hand else parts[:1]:
        found = part.where(*live).limit(NEW).subquery()
        total += db.session.execute(select(func.count()).select_from(found)).scalar_one()
    return min(total, NEW)


_COUNTED_TABS: Final = {
    "mine": (Tab.MINE, False),
    "desk": (Tab.DESK, False),
    "on_hold": (Tab.ON_HOLD, False),
    "waiting": (Tab.WAITING, False),
    "overdue": (Tab.DESK, True),
}
"""Name of a count → its tab, and whether only what is late is counted."""


@lru_cache(maxsize=64)
def _counts_statement(desks: int) -> Select[*tuple[Any, ...]]:
    return select(
        *(
            _number(tab, desks, _shape(InboxFilter(overdue=late))).label(name)
            for name, (tab, late) in _COUNTED_TABS.items()
        )
    )


def _number(tab: Tab, desks: int, shape: tuple[bool, ...]) -> ColumnElement[int]:
    total: ColumnElement[int] = literal_column("0", Integer)
    if tab is not Tab.MINE and not desks:
        return total
    conditions = tuple(_conditions(shape))
    for part in _parts(tab, desks):
        counted = part.where(*conditions).limit(COUNTED).subquery()
        total = total + select(func.count()).select_from(counted).scalar_subquery()
    return total
