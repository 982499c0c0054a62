"""Decision tables and settings of the country, with the paths that read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from nrm.actors import Actor
from nrm.countries import ItemKind
from nrm.db import db
from nrm.engine.table_grids import read_grid
from nrm.models import Path, PathVersion
from nrm.queries.pack_entries import EntryView, item
from nrm.rules.decision_grids import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class PathUse:
    """A path whose latest version reads a table or setting.

    Attributes:
        diagram: the diagram of that version.
    """

    key: str
    names: Mapping[str, str]
    diagram: str


def table(actor: Actor, key: str) -> tuple[EntryView, Grid]:
    """Give a decision table as rows and columns.

    Raises:
        NotAllowed: the actor may not change the country's data.
        NotFound: there is none.
        BadPath: what is stored is no table.
    """
    found = item(actor, ItemKind.TABLE, key)
    return found, read_grid(key, str(found.data.get("text", "")))


def uses_of_table(key: str) -> tuple[PathUse, ...]:
    """Give the paths that decide by a table."""
    return _uses(rf'<nrm:table\s[^<>]*key="{re.escape(key)}"')


def uses_of_setting(key: str) -> tuple[PathUse, ...]:
    """Give the paths that name a setting."""
    return _uses(rf"setting:{re.escape(key)}(?![\w])")


def _uses(pattern: str) -> tuple[PathUse, ...]:
    rows = db.session.execute(
        select(Path.key, Path.names, PathVersion.diagram)
        .join(PathVersion, PathVersion.id == Path.latest_id)
        .order_by(Path.key)
    )
    wanted = re.compile(pattern)
    return tuple(
        PathUse(key=row.key, names=row.names, diagram=row.diagram) for row in rows if wanted.search(row.diagram)
    )
