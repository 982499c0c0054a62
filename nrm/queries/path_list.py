"""Paths and their versions, for those who read how things are meant to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from nrm.actors import Actor
from nrm.db import db
from nrm.engine.confined_drawings import draw_confined, walk_confined
from nrm.engine.drawing import draw_path
from nrm.engine.effects import RunStatus
from nrm.engine.walking import ReadStep
from nrm.errors import BadPath, NotAllowed, NotFound
from nrm.models import FormVersion, Path, PathVersion, Run
from nrm.queries import paths
from nrm.queries.exact_counts import sees_exact_counts
from nrm.queries.path_turns import turn
from nrm.queries.rows import read
from nrm.rules.small_numbers import shown
from nrm.vocabulary import PathStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version of a path."""

    id: str
    number: int
    status: str
    sha256: str
    created_at: datetime
    published_at: datetime | None
    published_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRow:
    """A path with its versions, the latest first."""

    id: str
    key: str
    names: Mapping[str, str]
    level: str
    latest_id: str | None
    versions: tuple[VersionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step of a path version."""

    id: str
    kind: str
    names: Mapping[str, str]
    instructions: Mapping[str, str]
    role: str | None
    form: str | None
    form_version_id: str | None
    due: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """A path version, opened.

    Attributes:
        messages: what it waits for: name → "run" or "case".
        called: keys of the paths that it may call.
        diagram: the BPMN text.
    """

    id: str
    path: str
    number: int
    names: Mapping[str, str]
    level: str
    messages: Mapping[str, str]
    called: tuple[str, ...]
    steps: tuple[StepView, ...]
    diagram: str


def path_list(actor: Actor) -> tuple[PathRow, ...]:
    """List the paths with their versions.

    Raises:
        NotAllowed: the actor may not read paths.
    """
    _must_read(actor)
    versions: dict[str, list[VersionRow]] = {}
    statement = select(PathVersion).order_by(PathVersion.path_id, PathVersion.number.desc())
    for row in db.session.scalars(statement):
        shown = VersionRow(
            id=row.id,
            number=row.number,
            status=row.status,
            sha256=row.sha256,
            created_at=row.created_at,
            published_at=row.published_at,
            published_by=row.published_by,
        )
        versions.setdefault(row.path_id, []).append(shown)
    return tuple(
        PathRow(
            id=row.id,
            key=row.key,
            names=row.names,
            level=row.level,
            latest_id=row.latest_id,
            versions=tuple(versions.get(row.id, ())),
        )
        for row in db.session.scalars(select(Path).order_by(Path.key))
    )


_STARTABLE: Final = select(Path.key, Path.names).where(Path.latest_id.is_not(None)).order_by(Path.key)


def startable_paths(actor: Actor) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """List key and names of the paths that have a published version, for those who open cases or start paths.

    Raises:
        NotAllowed: the actor may do neither.
    """
    if not (actor.may("case.open") or actor.may("run.start")):
        raise NotAllowed("not_allowed", permission="run.start")
    return tuple((row.key, row.names) for row in read(_STARTABLE, {}))


def running_on(actor: Actor, key: str) -> Mapping[str, int | None]:
    """Count the runs that go on, by the version of a path that they are on; None for a number that is not shown.

    Args:
        actor: who asks.
        key: the path's key.

    Raises:
        NotAllowed: the actor may not read paths.
    """
    _must_read(actor)
    rows = db.session.execute(
        select(Run.path_version_id, func.count())
        .join(PathVersion, PathVersion.id == Run.path_version_id)
        .join(Path, Path.id == PathVersion.path_id)
        .where(Path.key == key, Run.status == str(RunStatus.RUNNING))
        .group_by(Run.path_version_id)
    )
    level = db.session.execute(select(Path.level).where(Path.key == key)).scalar_one_or_none() or ""
    return shown({str(version): int(count) for version, count in rows}, exact=sees_exact_counts(actor, level))


def _must_read(actor: Actor) -> None:
    if not actor.may("path.read"):
        raise NotAllowed("not_allowed", permission="path.read")


def _version(actor: Actor, version_id: str) -> paths.Version:
    _must_read(actor)
    status = db.session.execute(select(PathVersion.status).where(PathVersion.id == version_id)).scalar_one_or_none()
    if status is None or status == PathStatus.DRAFT:
        raise NotFound
    return paths.version(version_id)


def path_version(actor: Actor, version_id: str) -> VersionView:
    """Give a published or retired version.

    Raises:
        NotFound: there is none of this id.
        NotAllowed: the actor may not read paths.
    """
    found = _version(actor, version_id)
    spec = found.spec
    return VersionView(
        id=found.id,
        path=found.path,
        number=found.number,
        names=spec.names,
        level=spec.level,
        messages=spec.messages,
        called=tuple(sorted(spec.called)),
        steps=tuple(
            StepView(
                id=step.id,
                kind=str(step.kind),
                names=step.names,
                instructions=step.instructions,
                role=step.role,
                form=step.form,
                form_version_id=found.forms.get(step.form) if step.form else None,
                due=step.due.time if step.due else None,
                outcome=step.outcome,
            )
            for step in spec.steps.values()
        ),
        diagram=found.diagram,
    )


def version_drawing(actor: Actor, version_id: str, *, language: str, styled: bool = True) -> str:
    """Draw a version as SVG; errors as for `path_version`.

    Args:
        actor: who asks.
        version_id: a published or retired version.
        language: of the texts.
        styled: put the style inside; False for a page that has it in its own sheet.
    """
    return draw_path(_version(actor, version_id).diagram.encode(), language=language, styled=styled)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormContent:
    """A form as it was frozen."""

    id: str
    key: str
    number: int
    content: Mapping[str, object]


def form_version(actor: Actor, form_version_id: str) -> FormContent:
    """Give a form version.

    Raises:
        NotFound: there is none of this id.
        NotAllowed: the actor neither reads paths nor works on tasks.
    """
    if not (actor.may("path.read") or actor.may("task.work")):
        raise NotAllowed("not_allowed", permission="path.read")
    row = db.session.execute(select(FormVersion).where(FormVersion.id == form_version_id)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return FormContent(id=row.id, key=row.key, number=row.number, content=row.content)


def draw_file(
    content: bytes, *, language: str, mirrored: bool | None = None, on_paper: bool = False, styled: bool = True
) -> str:
    """Draw a diagram that is not stored.

    Args:
        content: a BPMN file.
        language: language of the texts.
        mirrored: draw from right to left; None for "as the language is written".
        on_paper: give HTML with A4 pages instead of one SVG.
        styled: put the style inside; False for a page that has it in its own sheet.

    Raises:
        BadPath: the file cannot be read, or drawing it took too long.
        Busy: too many diagrams are being worked on at this moment.
    """
    return draw_confined(content, language=language, mirrored=mirrored, on_paper=on_paper, styled=styled)


def draw_for(actor: Actor, diagram: str, *, language: str) -> str:
    """Draw a diagram that somebody has in hand, for a page that has the style in its own sheet.

    Args:
        actor: who asks.
        diagram: the BPMN text.
        language: of the texts.

    Returns:
        An SVG; "" where nothing can be drawn, or not in time.

    Raises:
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    with turn(actor):
        try:
            return draw_file(diagram.encode(), language=language, styled=False)
        except BadPath:
            return ""


def steps_of(actor: Actor, diagram: str) -> tuple[ReadStep, ...]:
    """Read the steps of a diagram that somebody has in hand, in the order in which they follow each other.

    Returns:
        The steps; () where nothing can be read, or not in time.

    Raises:
        Busy: too many diagrams are being worked on at this moment.
        TooMany: the actor has too many checks under way.
    """
    with turn(actor):
        try:
            return walk_confined(diagram.encode())
        except BadPath:
            return ()
