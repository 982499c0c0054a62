"""A case's history as its team reads it: the events, the latest first, with who acted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotValid, Problem
from nrm.models import Event, Run, Task, User
from nrm.queries import paths
from nrm.queries.cases import must_read
from nrm.queries.page import Key, Page, cut, size
from nrm.queries.runs import not_apart


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One fact.

    Attributes:
        kind: one of `nrm.events.KINDS`.
        actor_name: name of the user who acted; None for a program.
        data: ids and codes.
        names: name of the step or path that it is about, in each language; empty for other things.
    """

    id: str
    seq: int
    at: datetime
    kind: str
    actor: str
    actor_name: str | None
    organisation_id: str | None
    subject_kind: str
    subject_id: str
    data: Mapping[str, object]
    names: Mapping[str, str]


def timeline(
    actor: Actor,
    now: datetime,
    case_id: str,
    *,
    after: Key | None = None,
    limit: int = 50,
    kinds: Collection[str] = (),
) -> Page[TimelineEntry]:
    """Read a page of a case's history, without what is kept apart from its team.

    Args:
        actor: who asks.
        now: the present moment.
        case_id: the case.
        after: key of the last row of the page before.
        limit: rows of the page.
        kinds: first words of the kinds wished ("referral"); none for all.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it.
        NotValid: the key is of another list.
    """
    must_read(actor, now, case_id)
    statement = select(Event, User.name).outerjoin(User, User.id == Event.actor).where(Event.stream == case_id)
    if after is not None:
        if len(after) != 1 or not isinstance(after[0], int):
            raise NotValid([Problem(pointer="/cursor", code="bad_cursor")])
        statement = statement.where(Event.seq < after[0])
    hidden = _apart(case_id)
    if hidden:
        statement = statement.where(Event.subject_id.not_in(hidden))
    if kinds:
        statement = statement.where(or_(*(Event.kind.startswith(kind + ".") for kind in kinds)))
    rows = list(db.session.execute(statement.order_by(Event.seq.desc()).limit(size(limit) + 1)).all())
    names = _names([row[0] for row in rows])
    return cut(
        rows,
        size(limit),
        key=lambda row: (row[0].seq,),
        make=lambda row: _entry(row[0], row[1], names.get(row[0].subject_id, {})),
    )


def _names(events: Collection[Event]) -> Mapping[str, Mapping[str, str]]:
    """Give what the steps and paths that some events are about are called, by the id of their task or run."""
    tasks = [event.subject_id for event in events if event.subject_kind == "task"]
    ran = [event.subject_id for event in events if event.subject_kind == "run"]
    found: dict[str, Mapping[str, str]] = {}
    for task_id, version_id, step in db.session.execute(
        select(Task.id, Task.path_version_id, Task.step).where(Task.id.in_(tasks))
    ):
        known = paths.version(version_id).spec.steps.get(step)
        found[task_id] = known.names if known else {}
    for run_id, version_id in db.session.execute(select(Run.id, Run.path_version_id).where(Run.id.in_(ran))):
        found[run_id] = paths.version(version_id).spec.names
    return found


def _apart(case_id: str) -> list[str]:
    """Give the ids of runs that are kept apart from the case's own team, and of their tasks."""
    runs = list(db.session.scalars(select(Run.id).where(Run.case_id == case_id, ~not_apart())))
    return [*runs, *db.session.scalars(select(Task.id).where(Task.run_id.in_(runs)))] if runs else []


def _entry(event: Event, name: str | None, names: Mapping[str, str]) -> TimelineEntry:
    return TimelineEntry(
        id=event.id,
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        actor=event.actor,
        actor_name=name,
        organisation_id=event.organisation_id,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        data=event.data,
        names=names,
    )
