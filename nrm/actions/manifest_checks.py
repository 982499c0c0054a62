"""Arrival lists around their import: looked at before it, started or given up, and what was refused taken home again.

What a look found waits sealed in the data folder beside the file, for a month: the refused rows hold personal data of
people who are registered nowhere. Only who sent the list may see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import delete, func, select, update

from nrm.actions import manifests
from nrm.actions._action import Work, action
from nrm.actions.manifests import ReadList, kept_file
from nrm.actors import Actor
from nrm.db import db
from nrm.errors import Conflict, NotAllowed, NotFound
from nrm.installation import installation
from nrm.models import Job, Manifest, ManifestRow
from nrm.rules.manifest_files import Cell
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import JobState

KEPT: Final = timedelta(days=30)
"""How long the refused rows of a list can be taken home, and a list that nobody imported waits."""

_MOST_KEPT: Final = 2_000
_AT_ONCE: Final = 500
_COLUMN: Final = "manifests.checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A row that cannot be taken.

    Attributes:
        number: its number in the file.
        reasons: for each, the header text of its column, a code, and the values for the code's text.
        cells: the row as it stands in the file.
    """

    number: int
    reasons: tuple[tuple[str, str, Mapping[str, str]], ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedList:
    """What a look at a list found.

    Attributes:
        name: name of the file.
        rows: rows with something in them.
        same: rows that were imported before.
        good: rows that can be taken, with those that were imported before.
        head: the cells of the header.
        refused: the rows that cannot be taken, the first 2,000.
        refused_in_all: how many they are.
        unknown_columns: header texts that were not recognised.
    """

    name: str
    rows: int
    same: int
    good: int
    head: tuple[str, ...]
    refused: tuple[RefusedLine, ...]
    refused_in_all: int
    unknown_columns: tuple[str, ...]


def check_list(actor: Actor, data: bytes, *, name: str) -> str:
    """Look at an arrival list without taking anything from it; it waits until `start_import` or `drop_list`.

    Args:
        actor: needs the permission manifest.import.
        data: the whole file, text (CSV, TSV …) or XLSX.
        name: name of the file, only for people.

    Returns:
        Id of the list; the same file has the same id.

    Raises:
        NotAllowed: the actor may not import lists.
        NotValid: the file is too large, damaged, a bomb, or has no header that can be recognised.
    """
    if not actor.may("manifest.import"):
        raise NotAllowed("not_allowed", permission="manifest.import")
    read = manifests.read_list(data, None)
    found = _found(read, name[-120:])
    manifest_id = manifests.keep_list(actor, data)
    _take_over(actor, manifest_id)
    target = _checked_file(manifest_id)
    fresh = target.with_suffix(".fresh")
    fresh.write_text(seal(found, row=manifest_id, column=_COLUMN), encoding="utf-8")
    fresh.replace(target)
    return manifest_id


def _found(read: ReadList, name: str) -> Json:
    head = [_text(cell) for cell in read.head]
    titles = {key: head[place] for place, key in read.columns.items() if place < len(head)}
    refused: list[Json] = []
    for row in read.refused[:_MOST_KEPT]:
        reasons: list[Json] = []
        for problem in row.problems:
            column = problem.pointer.rsplit("/", 1)[-1]
            params = {key: str(value) for key, value in problem.params.items()}
            reasons.append([titles.get(column, ""), problem.code, dict(params)])
        cells: list[Json] = [_text(cell) for cell in read.cells[row.number]]
        refused.append({"number": row.number, "reasons": reasons, "cells": cells})
    return {
        "name": name,
        "rows": read.total,
        "good": len(read.marked),
        "same": _imported_before([mark for mark, _ in read.marked]),
        "head": list(head),
        "refused": refused,
        "refused_in_all": len(read.refused),
        "unknown_columns": list(read.unknown_columns),
    }


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _imported_before(marks: list[str]) -> int:
    number = 0
    for start in range(0, len(marks), _AT_ONCE):
        known = select(func.count()).where(ManifestRow.fingerprint.in_(marks[start : start + _AT_ONCE]))
        number += db.session.execute(known).scalar_one()
    db.session.rollback()
    return number


def _checked_file(manifest_id: str) -> Path:
    return kept_file(manifest_id).with_suffix(".checked")


def checked_list(actor: Actor, manifest_id: str) -> CheckedList | None:
    """Give what the look at a list found; None when it is older than `KEPT` or was never looked at.

    Raises:
        NotAllowed: the actor may not import lists.
        NotFound: no such list, or somebody else sent it.
    """
    _must_be_mine(actor, manifest_id)
    try:
        text = _checked_file(manifest_id).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    found = unseal(text, row=manifest_id, column=_COLUMN)
    if not isinstance(found, dict):
        return None
    return CheckedList(
        name=str(found["name"]),
        rows=_number(found["rows"]),
        same=_number(found["same"]),
        good=_number(found["good"]),
        head=_texts(found["head"]),
        refused=tuple(_refused(found["refused"])),
        refused_in_all=_number(found["refused_in_all"]),
        unknown_columns=_texts(found["unknown_columns"]),
    )


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()


def _refused(value: Json) -> Iterator[RefusedLine]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield RefusedLine(
                number=_number(entry["number"]), reasons=tuple(_reasons(entry["reasons"])), cells=_texts(entry["cells"])
            )


def _reasons(value: Json) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, list) and isinstance(entry[2], dict):
            yield str(entry[0]), str(entry[1]), {key: str(text) for key, text in entry[2].items()}


def waits_for_import(manifest_id: str) -> bool:
    """Say whether the file of a list is there, to be imported or gone on with."""
    return kept_file(manifest_id).exists()


def start_import(actor: Actor, manifest_id: str) -> None:
    """Let the runner import a list that was looked at; where it was broken off, it goes on.

    Raises:
        NotAllowed: the actor may not import lists.
        NotFound: no such list, or somebody else sent it.
        Conflict: its file is not there any more.
    """
    _must_be_mine(actor, manifest_id)
    if not waits_for_import(manifest_id):
        raise Conflict("list_gone")
    manifests.ask_for_import(actor, manifest_id)


def drop_list(actor: Actor, manifest_id: str) -> None:
    """Give up a list that was looked at; what was imported of it stays.

    Raises:
        NotAllowed: the actor may not import lists.
        NotFound: no such list, or somebody else sent it.
        Conflict: it is being imported.
    """
    _must_be_mine(actor, manifest_id)
    _forget(actor, manifest_id)


@action("manifest.drop", permission="manifest.import")
def _forget(work: Work, manifest_id: str) -> None:
    running = select(Job.id).where(Job.dedup_key == f"manifest:{manifest_id}", Job.state != str(JobState.DEAD))
    if work.session.execute(running).first() is not None:
        raise Conflict("list_is_imported")
    imported = select(ManifestRow.manifest_id).where(ManifestRow.manifest_id == manifest_id)
    if work.session.execute(imported).first() is None:
        work.session.execute(delete(Manifest).where(Manifest.id == manifest_id))
    for file in (kept_file(manifest_id), _checked_file(manifest_id)):
        work.after_commit.append(partial(file.unlink, missing_ok=True))


@action("manifest.take_over", permission="manifest.import")
def _take_over(work: Work, manifest_id: str) -> None:
    """Let a list that comes again belong to who sent it last: in that name it is imported."""
    mine = update(Manifest).where(Manifest.id == manifest_id, Manifest.imported_by != work.actor.id)
    work.session.execute(mine.values(imported_by=work.actor.id))


def _must_be_mine(actor: Actor, manifest_id: str) -> None:
    if not actor.may("manifest.import"):
        raise NotAllowed("not_allowed", permission="manifest.import")
    sender = db.session.execute(select(Manifest.imported_by).where(Manifest.id == manifest_id)).scalar_one_or_none()
    if sender != actor.id:
        raise NotFound


def sweep_lists() -> dict[str, int]:
    """Remove what a look at a list left when it is older than `KEPT`, and lists that nobody imported.

    Returns:
        How many files, under "removed".
    """
    folder = installation().config.data_dir / "manifests"
    # The files' times are the machine's, also where a demonstration moves the clock.
    before = (datetime.now(UTC) - KEPT).timestamp()
    removed = 0
    for file in folder.glob("man_*.*") if folder.is_dir() else ():
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
            removed += 1
    return {"removed": removed}
