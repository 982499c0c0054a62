"""A case's history as its team reads it: the events, the latest first, with who acted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BindParameter, Integer, Select, bindparam, or_, select

from nrm.actors import Actor
from nrm.errors import NotValid, Problem
from nrm.models import Event, Run, Task, User
from nrm.queries import paths
from nrm.queries.cases import must_read
from nrm.queries.page import Key, Page, cut, size
from nrm.queries.rows import read
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
    if after is not None and (len(after) != 1 or not isinstance(after[0], int)):
        raise NotValid([Problem(pointer="/cursor", code="bad_cursor")])
    hidden = _apart(case_id)
    given = {
        "case": case_id,
        "before": after[0] if after else None,
        "hidden": hidden,
        "count": size(limit) + 1,
        **{f"kind_{place}": f"{kind}." for place, kind in enumerate(kinds)},
    }
    rows = read(_page(begins=after is None, hides=bool(hidden), kinds=len(kinds)), given)
    names = _names(rows)
    return cut(
        rows,
        size(limit),
        key=lambda row: (row.seq,),
        make=lambda row: _entry(row, names.get(row.subject_id, {})),
    )


@lru_cache(maxsize=64)
def _page(*, begins: bool, hides: bool, kinds: int) -> Select[*tuple[Any, ...]]:
    """Build the statement of a page once for each shape of what is wished."""
    statement = (
        select(
            Event.id,
            Event.seq,
            Event.at,
            Event.kind,
            Event.actor,
            Event.organisation_id,
            Event.subject_kind,
            Event.subject_id,
            Event.data,
            User.name.label("actor_name"),
        )
        .outerjoin(User, User.id == Event.actor)
        .where(Event.stream == _CASE)
    )
    if not begins:
        statement = statement.where(Event.seq < bindparam("before"))
    if hides:
        statement = statement.where(Event.subject_id.not_in(bindparam("hidden", expanding=True)))
    if kinds:
        wished = (Event.kind.startswith(bindparam(f"kind_{place}")) for place in range(kinds))
        statement = statement.where(or_(*wished))
    return statement.order_by(Event.seq.desc()).limit(bindparam("count", type_=Integer()))


_CASE: Final[BindParameter[str]] = bindparam("case")
_ABOUT: Final[BindParameter[str]] = bindparam("about", expanding=True)
_TASKS: Final = select(Task.id, Task.path_version_id, Task.step).where(Task.id.in_(_ABOUT))
_RUNS: Final = select(Run.id, Run.path_version_id).where(Run.id.in_(_ABOUT))
_APART_RUNS: Final = select(Run.id).where(Run.case_id == _CASE, ~not_apart())
_APART_TASKS: Final = select(Task.id).where(Task.run_id.in_(_ABOUT))


def _names(events: Collection[Any]) -> Mapping[str, Mapping[str, str]]:
    """Give what the steps and paths that some events are about are called, by the id of their task or run."""
    tasks = [event.subject_id for event in events if event.subject_kind == "task"]
    ran = [event.subject_id for event in events if event.subject_kind == "run"]
    found: dict[str, Mapping[str, str]] = {}
    for task in read(_TASKS, {"about": tasks}) if tasks else ():
        known = paths.version(task.path_version_id).spec.steps.get(task.step)
        found[task.id] = known.names if known else {}
    for run in read(_RUNS, {"about": ran}) if ran else ():
        found[run.id] = paths.version(run.path_version_id).spec.names
    return found


def _apart(case_id: str) -> list[str]:
    """Give the ids of runs that are kept apart from the case's own team, and of their tasks."""
    runs = [row.id for row in read(_APART_RUNS, {"case": case_id})]
    return [*runs, *(row.id for row in read(_APART_TASKS, {"about": runs}))] if runs else []


def _entry(event: Any, names: Mapping[str, str]) -> TimelineEntry:  # noqa: ANN401 - a row of the statement above
    return TimelineEntry(
        id=event.id,
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        actor=event.actor,
        actor_name=event.actor_name,
        organisation_id=event.organisation_id,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        data=event.data,
        names=names,
    )
