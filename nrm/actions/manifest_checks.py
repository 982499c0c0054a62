"""Arrival lists around their import: looked at before it, started or given up, and what was refused taken home again.

What a look found waits sealed in the data folder beside the file, for a month: the refused rows hold personal data of
people who are registered nowhere. Only who sent the list may see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from nrm.actions import manifests
from nrm.actions._action import Work, action
from nrm.actions.manifest_columns import remember_columns, remembered
from nrm.actions.manifests import ReadList, kept_file, open_kept
from nrm.actors import Actor
from nrm.db import db
from nrm.errors import Conflict, NotAllowed, NotFound, NotValid, Problem
from nrm.installation import installation
from nrm.models import Job, Manifest, ManifestRow
from nrm.rules.manifest import recognise_column
from nrm.rules.manifest_columns import HEADER_ROWS, by_hand, likely_header, mapping_of, samples
from nrm.rules.manifest_files import Cell, Row, Table, read_tables
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
        head_row: number of the header's row; where none was recognised, of the row that may be it.
        headless: no header was recognised: somebody has to say which column is which.
        columns: column index → our key, as they were recognised or matched by hand.
        left_out: columns that somebody chose to leave out.
        top: the first rows of the table as text.
        table: name of the sheet.
    """

    name: str
    rows: int
    same: int
    good: int
    head: tuple[str, ...]
    refused: tuple[RefusedLine, ...]
    refused_in_all: int
    unknown_columns: tuple[str, ...]
    head_row: int
    headless: bool
    columns: Mapping[int, str]
    left_out: frozenset[int]
    top: tuple[tuple[str, ...], ...]
    table: str


def check_list(actor: Actor, data: bytes, *, name: str) -> str:
    """Look at an arrival list without taking anything from it; it waits until `start_import` or `drop_list`.

    Columns that somebody of the same organisation matched by hand before are matched so again.

    Args:
        actor: needs the permission manifest.import.
        data: the whole file, text (CSV, TSV …) or XLSX.
        name: name of the file, only for people.

    Returns:
        Id of the list; the same file has the same id.

    Raises:
        NotAllowed: the actor may not import lists.
        NotValid: the file is too large, damaged, a bomb, or holds nothing like a header.
    """
    if not actor.may("manifest.import"):
        raise NotAllowed("not_allowed", permission="manifest.import")
    tables = read_tables(data)
    mapping = remembered(actor, tables)
    found = _look(tables, name[-120:], mapping, None)
    manifest_id = manifests.keep_list(actor, data, mapping=mapping)
    _take_over(actor, manifest_id)
    _keep(manifest_id, found)
    return manifest_id


def match_columns(actor: Actor, manifest_id: str, *, head: int, chosen: Mapping[int, str]) -> None:
    """Match the columns of a list that was looked at with ours, look again, and remember it for the organisation.

    Args:
        actor: who sent the list.
        manifest_id: the list.
        head: number of the header's row.
        chosen: column index → our key, "" to leave it out.

    Raises:
        NotAllowed: the actor may not import lists.
        NotFound: no such list, or somebody else sent it.
        NotValid: one of ours was chosen twice, there is no such one, or none was chosen for the name; by pointer.
        Conflict: its file is gone, or it is being imported or was in part.
    """
    checked = checked_list(actor, manifest_id)
    if checked is None or not waits_for_import(manifest_id):
        raise Conflict("list_gone")
    _must_be_untouched(actor, manifest_id)
    if not 1 <= head <= min(HEADER_ROWS, len(checked.top)):
        raise NotValid([Problem(pointer="/head", code="out_of_range", params={"least": 1, "most": len(checked.top)})])
    width = max(len(row) for row in checked.top)
    titles = [*checked.top[head - 1], *[""] * (width - len(checked.top[head - 1]))]
    inside = {place: key for place, key in chosen.items() if 0 <= place < width}
    mapping = mapping_of(titles, inside)
    kept = open_kept(manifest_id)
    found = _look(read_tables(kept.data), checked.name, mapping, head)
    manifests.keep_list(actor, kept.data, mapping=mapping, head=head)
    _keep(manifest_id, found)
    remember_columns(actor, mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnView:
    """A column of a list, for somebody who says what it is.

    Attributes:
        place: its index, from 0.
        title: its title; "" for none.
        samples: its first values, three at most.
        key: ours with which it is matched; None for none, "" where it is left out.
    """

    place: int
    title: str
    samples: tuple[str, ...]
    key: str | None


def columns_of(checked: CheckedList, head: int) -> tuple[ColumnView, ...]:
    """Give the columns of a list that was looked at, if the titles stood in this row (from 1)."""
    width = max((len(row) for row in checked.top), default=0)
    titles = list(checked.top[head - 1]) if 1 <= head <= len(checked.top) else []
    titles += [""] * (width - len(titles))
    if head == checked.head_row and not checked.headless:
        keys: dict[int, str] = {**dict.fromkeys(checked.left_out, ""), **checked.columns}
    else:
        words = manifests.words().columns
        keys = {place: key for place, title in enumerate(titles) if (key := recognise_column(title, words))}
    return tuple(
        ColumnView(place=place, title=title, samples=samples(checked.top, head, place), key=keys.get(place))
        for place, title in enumerate(titles)
    )


def _look(tables: Sequence[Table], name: str, mapping: Mapping[str, str], head: int | None) -> Json:
    """Read a list; one whose header is not recognised is shown from its top, for somebody to match its columns."""
    try:
        read = manifests.read_list(tables, mapping, head)
    except NotValid as wrong:
        if wrong.problems[0].code != "no_header":
            raise
        return _headless(tables, name, wrong)
    said = by_hand(mapping)
    left_out: list[Json] = [place for place, cell in enumerate(read.head) if said.told(place, cell) == ""]
    return {**_found(read, name), "left_out": left_out}


def _headless(tables: Sequence[Table], name: str, wrong: NotValid) -> dict[str, Json]:
    likely = [(table, head) for table in tables if (head := likely_header(table.rows))]
    if not likely:
        raise wrong
    table, head = likely[0]
    top: list[Json] = [_row(row) for row in table.rows[: manifests.TOP]]
    return {
        "name": name,
        "rows": 0,
        "good": 0,
        "same": 0,
        "head": _row(table.rows[head - 1]),
        "refused": [],
        "refused_in_all": 0,
        "unknown_columns": [],
        "head_row": head,
        "headless": True,
        "columns": {},
        "left_out": [],
        "top": top,
        "table": table.name,
    }


def _row(row: Row) -> Json:
    return [_text(cell) for cell in row]


def _keep(manifest_id: str, found: Json) -> None:
    target = _checked_file(manifest_id)
    fresh = target.with_suffix(".fresh")
    fresh.write_text(seal(found, row=manifest_id, column=_COLUMN), encoding="utf-8")
    fresh.replace(target)


def _found(read: ReadList, name: str) -> dict[str, Json]:
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
        "head_row": read.head_row,
        "headless": False,
        "columns": {str(place): key for place, key in read.columns.items()},
        "top": [_row(row) for row in read.top],
        "table": read.table,
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
        head_row=_number(found.get("head_row")),
        headless=found.get("headless") is True,
        columns=_columns(found.get("columns")),
        left_out=_numbers(found.get("left_out")),
        top=tuple(_texts(row) for row in _list(found.get("top"))),
        table=str(found.get("table") or ""),
    )


def _columns(value: Json) -> Mapping[int, str]:
    return {int(place): str(key) for place, key in value.items()} if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _numbers(value: Json) -> frozenset[int]:
    return frozenset(_number(entry) for entry in _list(value))


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
        NotValid: nobody said yet which column is which.
        Conflict: its file is not there any more.
    """
    checked = checked_list(actor, manifest_id)
    if not waits_for_import(manifest_id):
        raise Conflict("list_gone")
    if checked is not None and checked.headless:
        raise NotValid([Problem(pointer="/columns", code="name_column_needed")])
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


def _is_running(session: Session, manifest_id: str) -> bool:
    running = select(Job.id).where(Job.dedup_key == f"manifest:{manifest_id}", Job.state != str(JobState.DEAD))
    return session.execute(running).first() is not None


def _has_rows(session: Session, manifest_id: str) -> bool:
    imported = select(ManifestRow.manifest_id).where(ManifestRow.manifest_id == manifest_id)
    return session.execute(imported.limit(1)).first() is not None


@action("manifest.match_columns", permission="manifest.import")
def _must_be_untouched(work: Work, manifest_id: str) -> None:
    """Stop who would read a list otherwise whose rows went in already: nobody could tell them apart any more."""
    if _is_running(work.session, manifest_id) or _has_rows(work.session, manifest_id):
        raise Conflict("list_is_imported")


@action("manifest.drop", permission="manifest.import")
def _forget(work: Work, manifest_id: str) -> None:
    if _is_running(work.session, manifest_id):
        raise Conflict("list_is_imported")
    if not _has_rows(work.session, manifest_id):
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
