"""What became of imported arrival lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, Event, Job, Manifest, ManifestRow
from nrm.queries.scope import sees_case
from nrm.vocabulary import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestView:
    """An imported list in figures; `waiting` while the runner has not finished it."""

    id: str
    imported_at: datetime
    imported_by: str
    rows: int
    accepted: int
    known: int
    refused: int
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A row that was not taken, and one reason."""

    number: int
    column: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRow:
    """A row that was taken.

    Attributes:
        outcome: made (a person was registered) or joined (the person was known).
        possible: the person may be known under another record.
        case_id: None when the actor may not know of the case.
    """

    number: int
    outcome: str
    possible: bool
    case_id: str | None
    case_number: str | None


def manifests(actor: Actor, *, limit: int = 50) -> tuple[ManifestView, ...]:
    """List imported lists, the newest first.

    Raises:
        NotAllowed: the actor may not import lists.
    """
    _must(actor)
    rows = db.session.execute(
        select(Manifest, _waits()).order_by(Manifest.imported_at.desc(), Manifest.id).limit(limit)
    )
    return tuple(_view(row, waiting) for row, waiting in rows)


def manifest(actor: Actor, manifest_id: str) -> ManifestView:
    """Give one list in figures.

    Raises:
        NotAllowed: the actor may not import lists.
        NotFound: no such list.
    """
    _must(actor)
    found = db.session.execute(
        select(Manifest, _waits()).where(Manifest.id == manifest_id).execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    return _view(found[0], found[1])


def refused_rows(actor: Actor, manifest_id: str) -> tuple[RefusedLine, ...]:
    """List the rows of a list that were refused when it was imported last (the first 2,000 reasons).

    Raises:
        NotAllowed: the actor may not import lists.
    """
    _must(actor)
    data = db.session.scalars(
        select(Event.data)
        .where(Event.stream == manifest_id, Event.kind == "manifest.imported")
        .order_by(Event.seq.desc())
        .limit(1)
    ).first()
    lines = (str(line).split(" ", 2) for line in (data or {}).get("refused", []))
    return tuple(RefusedLine(number=int(number), column=column, code=code) for number, column, code in lines)


def taken_rows(
    actor: Actor, manifest_id: str, now: datetime, *, after: int = 0, limit: int = 100
) -> tuple[TakenRow, ...]:
    """List the rows of a list that were taken, by row number.

    Args:
        actor: needs the permission manifest.import.
        manifest_id: the list.
        now: the present moment.
        after: only rows after this number (the next page).
        limit: most rows, 1 to 500.

    Raises:
        NotAllowed: the actor may not import lists.
    """
    _must(actor)
    rows = db.session.execute(
        select(ManifestRow.number, ManifestRow.outcome, ManifestRow.person_id, Case.id, Case.number)
        .outerjoin(Case, (Case.id == ManifestRow.case_id) & sees_case(actor, now))
        .where(ManifestRow.manifest_id == manifest_id, ManifestRow.number > after)
        .order_by(ManifestRow.number)
        .limit(max(1, min(limit, 500)))
    )
    doubtful = _possible(manifest_id)
    return tuple(
        TakenRow(
            number=row.number,
            outcome=row.outcome,
            possible=row.person_id in doubtful,
            case_id=row.id,
            case_number=row[4],
        )
        for row in rows
    )


def _possible(manifest_id: str) -> frozenset[str]:
    """Give the people of a list who may be known under another record, by what its imports recorded."""
    found = db.session.scalars(select(Event.data).where(Event.stream == manifest_id, Event.kind == "manifest.imported"))
    return frozenset(str(line).partition(" ")[2] for data in found for line in data.get("possible", []))


def _must(actor: Actor) -> None:
    if not actor.may("manifest.import"):
        raise NotAllowed("not_allowed", permission="manifest.import")


def _waits() -> ColumnElement[bool]:
    return exists().where(Job.dedup_key == "manifest:" + Manifest.id, Job.state != str(JobState.DEAD))


def _view(row: Manifest, waiting: bool) -> ManifestView:
    return ManifestView(
        id=row.id,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
        rows=row.rows,
        accepted=row.accepted,
        known=row.known,
        refused=row.refused,
        waiting=waiting,
    )
