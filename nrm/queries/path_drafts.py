"""Drafts of paths, for those who change and publish them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, select

from nrm.actors import Actor
from nrm.countries import Json
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import FormVersion, Path, PathComment, PathDraft, PathVersion, User
from nrm.rules.drafts import EDIT, PUBLISH, DraftState, draft_moves
from nrm.vocabulary import DraftStatus

OPEN: Final = (str(DraftStatus.DRAFT), str(DraftStatus.IN_REVIEW))

MOST_SHOWN: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """A draft of a path.

    Attributes:
        base_number: number of the version that it began with; None for a path without one.
        is_outdated: another version was published since.
        actions: what whoever asks may do with it now.
    """

    id: str
    path: str
    names: Mapping[str, str]
    status: str
    version: int
    base_version_id: str | None
    base_number: int | None
    is_outdated: bool
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    submitted_at: datetime | None
    submitted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    published_version_id: str | None
    note: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft, opened.

    Attributes:
        draft: its row.
        diagram: the BPMN text.
        forms: content of the forms that it changes or adds, by key.
        scenarios: its scenarios by name, as in scenario files.
        last_editor: name of the colleague who changed it last; "" for the system.
    """

    draft: DraftRow
    last_editor: str
    diagram: str
    forms: Mapping[str, Mapping[str, Json]]
    scenarios: Mapping[str, Mapping[str, Json]]

    @property
    def version(self) -> int:
        """Version of the draft, for the header ETag."""
        return self.draft.version


def must_see(actor: Actor) -> None:
    """Stop unless somebody may see drafts.

    Raises:
        NotAllowed: they neither change nor publish paths.
    """
    if not (actor.may(EDIT) or actor.may(PUBLISH)):
        raise NotAllowed("not_allowed", permission=EDIT)


def draft_list(
    actor: Actor, *, path: str | None = None, closed: bool = False, before: datetime | None = None
) -> tuple[DraftRow, ...]:
    """List drafts, the last changed first.

    Args:
        actor: who asks.
        path: only those of this path.
        closed: the published and discarded ones too.
        before: only those that nobody has changed since this moment, the longest untouched first.

    Raises:
        NotAllowed: the actor may not see drafts.
    """
    must_see(actor)
    newest_first = PathDraft.changed_at.desc() if before is None else PathDraft.changed_at
    statement = _rows().order_by(newest_first, PathDraft.id).limit(200)
    if before is not None:
        statement = statement.where(PathDraft.changed_at < before)
    if path is not None:
        statement = statement.where(PathDraft.path_key == path)
    if not closed:
        statement = statement.where(PathDraft.status.in_(OPEN))
    found = db.session.execute(statement)
    return tuple(_row(actor, row, latest, number) for row, latest, number in found)


def draft(actor: Actor, draft_id: str) -> DraftView:
    """Give a draft.

    Raises:
        NotFound: there is none of this id.
        NotAllowed: the actor may not see drafts.
    """
    must_see(actor)
    found = db.session.execute(_rows().where(PathDraft.id == draft_id)).one_or_none()
    if found is None:
        raise NotFound
    row, latest, number = found
    return DraftView(
        draft=_row(actor, row, latest, number),
        last_editor=names_of([row.changed_by]).get(row.changed_by, ""),
        diagram=row.diagram,
        forms=row.forms,
        scenarios=row.scenarios,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRow:
    """A comment on a draft; `element` is None when it is about the whole of it."""

    id: str
    element: str | None
    text: str
    created_at: datetime
    created_by: str
    author: str
    resolved_at: datetime | None


def comments(actor: Actor, draft_id: str) -> tuple[CommentRow, ...]:
    """List what was said about a draft, what is not settled first, each in the order in which it was said.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see drafts.
    """
    must_see(actor)
    if db.session.execute(select(PathDraft.id).where(PathDraft.id == draft_id)).first() is None:
        raise NotFound
    rows = db.session.scalars(
        select(PathComment)
        .where(PathComment.draft_id == draft_id)
        .order_by(PathComment.resolved_at.is_not(None), PathComment.created_at, PathComment.id)
        .limit(MOST_SHOWN)
    ).all()
    authors = names_of({row.created_by for row in rows})
    return tuple(
        CommentRow(
            id=row.id,
            element=row.element,
            text=row.text,
            created_at=row.created_at,
            created_by=row.created_by,
            author=authors.get(row.created_by, ""),
            resolved_at=row.resolved_at,
        )
        for row in rows
    )


def names_of(user_ids: Iterable[str | None]) -> dict[str, str]:
    """Give the names of the colleagues who drafted and published, by id."""
    wanted = sorted({found for found in user_ids if found})
    return {key: name for key, name in db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))}  # noqa: C416 - rows are not pairs to mypy


def outdated_forms(form_ids: Iterable[str]) -> dict[str, Mapping[str, Json]]:
    """Give the content of those of some form versions that are not the newest of their key, by key."""
    newest = select(FormVersion.key, func.max(FormVersion.number).label("number")).group_by(FormVersion.key).subquery()
    rows = db.session.execute(
        select(FormVersion.key, FormVersion.content)
        .join(newest, newest.c.key == FormVersion.key)
        .where(FormVersion.id.in_(sorted(form_ids)), FormVersion.number < newest.c.number)
    )
    return {key: content for key, content in rows}  # noqa: C416 - rows are not pairs to mypy


def state_of(row: PathDraft) -> DraftState:
    """Give as much of a draft as decides who may do what."""
    return DraftState(status=row.status, changers=frozenset(row.changers), submitted_by=row.submitted_by)


def _rows() -> Select[PathDraft, str | None, int]:
    return (
        select(PathDraft, Path.latest_id, PathVersion.number)
        .outerjoin(Path, Path.key == PathDraft.path_key)
        .outerjoin(PathVersion, PathVersion.id == PathDraft.base_version_id)
    )


def _row(actor: Actor, row: PathDraft, latest: str | None, number: int | None) -> DraftRow:
    moves = draft_moves(state_of(row), actor_id=actor.id, may_edit=actor.may(EDIT), may_publish=actor.may(PUBLISH))
    return DraftRow(
        id=row.id,
        path=row.path_key,
        names=row.names,
        status=row.status,
        version=row.version,
        base_version_id=row.base_version_id,
        base_number=number,
        is_outdated=row.status in OPEN and latest != row.base_version_id,
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        submitted_at=row.submitted_at,
        submitted_by=row.submitted_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        published_version_id=row.published_version_id,
        note=row.note,
        actions=moves,
    )
