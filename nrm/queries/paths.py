"""Path versions and forms as the program uses them: parsed once per process, since a frozen version never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select

from nrm.db import db
from nrm.engine.parsing import PathSpec, compile_path
from nrm.engine.steps import Resources
from nrm.errors import NotFound
from nrm.models import FormVersion, Path, PathVersion
from nrm.rules.forms import Form, parse_form
from nrm.vocabulary import PathStatus

KEPT = 256
"""Parsed versions that one process keeps; a version of 40 steps takes about half a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A path version, parsed.

    Attributes:
        id: the version's id.
        path: path key.
        number: the version's number, from 1.
        spec: the parsed diagram.
        forms: form key → id of the form version that it was published with.
        diagram: the BPMN text.
    """

    id: str
    path: str
    number: int
    spec: PathSpec
    forms: Mapping[str, str]
    diagram: str


@lru_cache(maxsize=KEPT)
def version(version_id: str) -> Version:
    """Give a path version, parsed; only the first call in a process reads it.

    Args:
        version_id: id of a published or retired version: drafts change, and are never run from here.

    Raises:
        NotFound: there is no such version.
        BadPath: its diagram cannot be used (it was stored past the checks).
    """
    row = db.session.execute(
        select(PathVersion, Path.key).join(Path, Path.id == PathVersion.path_id).where(PathVersion.id == version_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    found, key = row
    return Version(
        id=found.id,
        path=key,
        number=found.number,
        spec=compile_path(found.diagram.encode(), resources=resources_from_json(found.resources)),
        forms=found.forms,
        diagram=found.diagram,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """A form as it was frozen with the path versions that ask it.

    Attributes:
        id: id of the form version.
        content: the form file: title, choices, fields.
    """

    id: str
    key: str
    number: int
    content: Mapping[str, object]


@lru_cache(maxsize=KEPT)
def form_view(form_version_id: str) -> FormView:
    """Give a form version; only the first call in a process reads it.

    Raises:
        NotFound: there is no such version.
    """
    row = db.session.execute(
        select(FormVersion.key, FormVersion.number, FormVersion.content).where(FormVersion.id == form_version_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return FormView(id=form_version_id, key=row.key, number=row.number, content=row.content)


@lru_cache(maxsize=KEPT)
def form(form_version_id: str) -> Form:
    """Give a form version, parsed; errors as for `form_view`."""
    return parse_form(form_view(form_version_id).content)


def published(path: str, *, number: int | None = None) -> str | None:
    """Give the id of the latest published version of a path, or of one by its number; None when there is none.

    Args:
        path: path key.
        number: a version's number; a retired one may still be pinned.
    """
    if number is None:
        latest = select(Path.latest_id).where(Path.key == path)
        return db.session.execute(latest).scalar_one_or_none()
    pinned = (
        select(PathVersion.id)
        .join(Path, Path.id == PathVersion.path_id)
        .where(Path.key == path, PathVersion.number == number, PathVersion.status != str(PathStatus.DRAFT))
    )
    return db.session.execute(pinned).scalar_one_or_none()


def resources_to_json(resources: Resources) -> dict[str, object]:
    """Write what a version was parsed with, to be stored beside its diagram."""
    return {
        "settings": dict(resources.settings),
        "tables": dict(resources.tables),
        "call_tables": {name: dict(table) for name, table in resources.call_tables.items()},
    }


def resources_from_json(data: Mapping[str, dict[str, object]]) -> Resources:
    """Read it back."""
    return Resources(
        settings=_texts(data.get("settings", {})),
        tables=_texts(data.get("tables", {})),
        call_tables={name: _texts(table) for name, table in data.get("call_tables", {}).items()},
    )


def _texts(data: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in data.items()} if isinstance(data, dict) else {}


def forget() -> None:
    """Drop everything parsed (another database behind the same process, as in tests)."""
    version.cache_clear()
    form.cache_clear()
    form_view.cache_clear()
