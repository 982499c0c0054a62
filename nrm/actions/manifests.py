"""Arrival lists: read a file, register whom it names, open their cases; the same rows again change nothing.

A list goes in by parts of 100 rows, each one transaction: a crash loses at most the part in work, and importing the
file again goes on where it ended, because each row is recognised by the keyed fingerprint of its content.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.actions.manifest_rows import KnownRow, Part, PossibleRow, Tally
from nrm.actions.openings import OWNER_ROLE
from nrm.actors import SYSTEM, Actor
from nrm.credentials import purpose_key
from nrm.db import db
from nrm.errors import NotAllowed, NotFound, Problem
from nrm.installation import installation
from nrm.jobs.kinds import BULK
from nrm.models import Manifest
from nrm.queries import packs
from nrm.queries.users import actor_of_user
from nrm.rules import manifest as lists
from nrm.rules.manifest import ManifestRow, ManifestWords, RefusedRow, fingerprint, manifest_words
from nrm.rules.manifest_columns import check_mapping
from nrm.rules.manifest_files import Row, Table, read_tables
from nrm.sealing import Json, seal, unseal

PART: Final = 100
"""Rows of one transaction."""
_MOST_KEPT: Final = 2_000
_HEAD_ROWS: Final = 60
TOP: Final = 60
"""Rows from the top of a list that are shown to whoever matches its columns."""
Progress = Callable[[int, int], None]
"""Called after each part with the rows done and the rows in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReport:
    """What became of an arrival list.

    Attributes:
        id: the list's id; "" when the file held nothing to keep.
        rows: rows with something in them, below the header.
        accepted: people who were registered, each with a case.
        known: rows about people who are registered.
        same: rows that were imported before, from this file or another.
        refused: rows that were not taken, with reasons by column.
        possible: registered people who may be known already.
        warnings: what was left out of rows that were taken.
        unknown_columns: header texts that were not recognised.
    """

    id: str
    rows: int
    accepted: int
    known: tuple[KnownRow, ...]
    same: int
    refused: tuple[RefusedRow, ...]
    possible: tuple[PossibleRow, ...]
    warnings: tuple[Problem, ...]
    unknown_columns: tuple[str, ...]


def words() -> ManifestWords:
    """Give the words of the loaded pack by which lists are read.

    Raises:
        NotValid: the pack's words contradict each other.
    """
    data = packs.pack()
    governorates = {key: place.names.values() for key, place in data.places.items() if place.parent is None}
    districts = {key: place.names.values() for key, place in data.places.items() if place.parent is not None}
    labels = {
        name: {code: entry.names.values() for code, entry in data.codes.get(name, {}).items()}
        for name in ("sex", "return_type", "host_country", "document_type")
    }
    return manifest_words(data.manifest, places=governorates, districts=districts, labels=labels)


def import_manifest(
    actor: Actor,
    data: bytes,
    filename: str = "",
    *,
    mapping: Mapping[str, str] | None = None,
    head: int | None = None,
    progress: Progress | None = None,
) -> ManifestReport:
    """Import an arrival list: bad rows are listed, the rest goes in, whoever is known is recognised.

    Args:
        actor: needs the permission manifest.import.
        data: the whole file, text (CSV, TSV …) or XLSX.
        filename: only for people; the content decides what it is.
        mapping: header text, or "#3" for the third column, → column key, as a person mapped them; "" leaves one out.
        head: number of the header's row, where a person said it.
        progress: told after each part.

    Raises:
        NotAllowed: the actor may not import lists.
        NotValid: the file is too large, damaged, a bomb, or has no header that can be recognised, or a column is
            mapped to one that there is not.
    """
    del filename
    _must(actor)
    read = read_list(read_tables(data), mapping, head)
    tally = Tally()
    manifest_id = _begin(actor, hashlib.sha256(data).hexdigest(), read.total) if read.total else ""
    for start in range(0, len(read.marked), PART):
        tally.add(_import_part(actor, manifest_id, read.marked[start : start + PART], read.families))
        if progress is not None:
            progress(min(start + PART, len(read.marked)) + len(read.refused), read.total)
    if manifest_id:
        _finish(actor, manifest_id, read.refused, tally)
    return ManifestReport(
        id=manifest_id,
        rows=read.total,
        accepted=tally.accepted,
        known=tuple(tally.known),
        same=tally.same,
        refused=read.refused,
        possible=tuple(tally.possible),
        warnings=tuple(problem for _, row in read.marked for problem in row.warnings),
        unknown_columns=read.unknown_columns,
    )


def _must(actor: Actor) -> None:
    if not actor.may("manifest.import"):
        raise NotAllowed("not_allowed", permission="manifest.import")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadList:
    """A file as it was read.

    Attributes:
        marked: fingerprint and row of each that can be taken.
        refused: the others, with reasons.
        families: household of the list → id of a new household.
        head: the cells of the header.
        head_row: number of its row.
        top: the first rows of its table, with the header.
        table: name of its sheet.
        columns: column index → key.
        cells: row number → cells, of those that are refused.
    """

    marked: tuple[tuple[str, ManifestRow], ...]
    refused: tuple[RefusedRow, ...]
    families: dict[str, str]
    unknown_columns: tuple[str, ...]
    head: Row
    head_row: int
    top: tuple[Row, ...]
    table: str
    columns: Mapping[int, str]
    cells: Mapping[int, Row]

    @property
    def total(self) -> int:
        """Count the rows with something in them."""
        return len(self.marked) + len(self.refused)


def read_list(tables: Sequence[Table], mapping: Mapping[str, str] | None, head: int | None = None) -> ReadList:
    """Read a list without taking anything from it.

    Args:
        tables: from `nrm.rules.manifest_files.read_tables`.
        mapping: as for `import_manifest`.
        head: as for `import_manifest`.

    Raises:
        NotValid: the file cannot be used at all, or a column is mapped to one that there is not.
    """
    facts = packs.pack()
    today = installation().clock.now().astimezone(facts.zone).date()
    known = words()
    check_mapping(mapping, frozenset(known.columns.values()))
    region = facts.answer_setting.region
    read = lists.parse_manifest(tables, known, today=today, region=region, mapping=mapping, head=head)
    source = next(table.rows for table in tables if table.name == read.table)
    placeless = {row.number: problem for row in read.rows if (problem := _place_problem(row))}
    refused = [*read.refused, *(RefusedRow(number=number, problems=(one,)) for number, one in placeless.items())]
    rows = [row for row in read.rows if row.number not in placeless]
    key = purpose_key(installation().config.secret, "manifest")
    return ReadList(
        marked=tuple((fingerprint(row, key), row) for row in rows),
        refused=tuple(sorted(refused, key=lambda row: row.number)),
        families=_families(rows),
        unknown_columns=read.header.unknown,
        head=source[read.header.row - 1],
        head_row=read.header.row,
        top=source[:TOP],
        table=read.table,
        columns=read.header.columns,
        cells={row.number: source[row.number - 1] for row in refused},
    )


def receive_manifest(actor: Actor, data: bytes, *, mapping: Mapping[str, str] | None = None) -> str:
    """Take a long list that the runner imports later, and give its id; `queries.manifests` tells how far it is.

    The file waits sealed in the data folder and goes when it is done.

    Args:
        actor: needs the permission manifest.import, now and when the list is imported.
        data: the whole file.
        mapping: as for `import_manifest`.

    Raises:
        NotAllowed: the actor may not import lists.
        NotValid: the file cannot be used at all.
    """
    _must(actor)
    _check_header(data, mapping)
    manifest_id = keep_list(actor, data, mapping=mapping)
    ask_for_import(actor, manifest_id)
    return manifest_id


def keep_list(actor: Actor, data: bytes, *, mapping: Mapping[str, str] | None = None, head: int | None = None) -> str:
    """Put a file sealed into the data folder until it is imported, and give the list's id.

    Args:
        actor: needs the permission manifest.import.
        data: the whole file.
        mapping: as for `import_manifest`.
        head: as for `import_manifest`.

    Raises:
        NotAllowed: the actor may not import lists.
    """
    manifest_id = _begin(actor, hashlib.sha256(data).hexdigest(), 0)
    kept = kept_file(manifest_id)
    kept.parent.mkdir(parents=True, exist_ok=True)
    content: Json = {
        "data": base64.b64encode(data).decode(),
        "mapping": {key: str(text) for key, text in (mapping or {}).items()},
        "head": head,
    }
    fresh = kept.with_suffix(".new")
    fresh.write_text(seal(content, row=manifest_id, column="manifests.file"), encoding="utf-8")
    fresh.replace(kept)
    return manifest_id


def _check_header(data: bytes, mapping: Mapping[str, str] | None) -> None:
    """Raise what reading the list would raise about the file as a whole."""
    known = words()
    heads = [replace(table, rows=table.rows[:_HEAD_ROWS]) for table in read_tables(data)]
    lists.parse_manifest(heads, known, today=installation().clock.now().date(), region=None, mapping=mapping)


def kept_file(manifest_id: str) -> Path:
    """Give where the file of a list waits until it is imported."""
    return installation().config.data_dir / "manifests" / f"{manifest_id}.sealed"


@action("manifest.ask", permission="manifest.import")
def ask_for_import(work: Work, manifest_id: str) -> None:
    """Let the runner import a list whose file waits; asking again goes on where it ended."""
    key = f"manifest:{manifest_id}"
    work.cancel_jobs(key)
    work.enqueue("manifest_part", {"manifest": manifest_id}, due_at=work.now, queue=BULK, dedup_key=key)


def import_received(manifest_id: str) -> None:
    """Import a list that was received before, in the name of the one who sent it; safe to be broken off.

    Args:
        manifest_id: from `receive_manifest`.

    Raises:
        NotFound: no such list, or its file is gone.
        NotAllowed: the sender may not import lists any more.
    """
    sender = db.session.execute(select(Manifest.imported_by).where(Manifest.id == manifest_id)).scalar_one_or_none()
    if sender is None:
        raise NotFound
    held = open_kept(manifest_id)
    actor = actor_of_user(sender, installation().clock.now()) if sender.startswith("usr_") else SYSTEM
    import_manifest(actor, held.data, mapping=held.mapping, head=held.head)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptList:
    """A file that waits, and how its columns were matched."""

    data: bytes
    mapping: Mapping[str, str]
    head: int | None


def open_kept(manifest_id: str) -> KeptList:
    """Open the file of a list that waits to be imported.

    Raises:
        NotFound: it is gone.
    """
    try:
        text = kept_file(manifest_id).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound from None
    content = unseal(text, row=manifest_id, column="manifests.file")
    held = content if isinstance(content, dict) else {}
    mapping, head = held.get("mapping"), held.get("head")
    return KeptList(
        data=base64.b64decode(str(held.get("data", ""))),
        mapping={key: str(text) for key, text in mapping.items()} if isinstance(mapping, dict) else {},
        head=head if isinstance(head, int) else None,
    )


@action("manifest.end", permission="manifest.import")
def end_received(work: Work, manifest_id: str) -> None:
    """Put the file of an imported list away, with the commit that ends its job."""
    work.after_commit.append(lambda: kept_file(manifest_id).unlink(missing_ok=True))


def _place_problem(row: ManifestRow) -> Problem | None:
    """Say why nobody could take care of somebody in this place; None when somebody can."""
    pointer = f"/rows/{row.number}/governorate"
    if row.governorate is None:
        return Problem(pointer=pointer, code="place_missing")
    desk = packs.pack().find_desk(OWNER_ROLE, governorate=row.governorate)
    return None if desk else Problem(pointer=pointer, code="no_desk_here")


def _families(rows: Sequence[ManifestRow]) -> dict[str, str]:
    """Make an id for every household that has more than one row."""
    seen: set[str] = set()
    shared: dict[str, str] = {}
    for row in rows:
        if row.household and row.household in seen:
            shared.setdefault(row.household, ids.new_id("hh"))
        seen.add(row.household)
    return shared


@action("manifest.begin", permission="manifest.import")
def _begin(work: Work, digest: str, total: int) -> str:
    known = work.session.execute(select(Manifest.id).where(Manifest.sha256 == digest)).scalar_one_or_none()
    if known is not None:
        if total:
            work.session.execute(update(Manifest).where(Manifest.id == known).values(rows=total))
        return known
    return work.add(
        Manifest,
        id=ids.new_id("man"),
        sha256=digest,
        imported_at=work.now,
        imported_by=work.actor.id,
        rows=total,
    )


@action("manifest.import_part", permission="manifest.import")
def _import_part(
    work: Work, manifest_id: str, marked: Sequence[tuple[str, ManifestRow]], families: dict[str, str]
) -> Tally:
    part = Part(work, manifest_id, families)
    part.take(marked)
    changes = {"accepted": Manifest.accepted + part.tally.accepted, "known": Manifest.known + len(part.tally.known)}
    if part.tally.accepted or part.tally.known:
        work.session.execute(update(Manifest).where(Manifest.id == manifest_id).values(changes))
    return part.tally


@action("manifest.finish", permission="manifest.import")
def _finish(work: Work, manifest_id: str, refused: Sequence[RefusedRow], tally: Tally) -> None:
    """Keep which rows were refused (codes only); an import that changed nothing leaves no trace."""
    row = work.session.get(Manifest, manifest_id, populate_existing=True)
    if row is None or (row.refused == len(refused) and not tally.accepted and not tally.known):
        return
    work.session.execute(update(Manifest).where(Manifest.id == manifest_id).values(refused=len(refused)))
    listed = [
        f"{entry.number} {problem.pointer.rsplit('/', 1)[-1]} {problem.code}"
        for entry in refused
        for problem in entry.problems
    ]
    work.record(
        "manifest.imported",
        stream=manifest_id,
        subject=("manifest", manifest_id),
        data={
            "accepted": tally.accepted,
            "known": len(tally.known),
            "same": tally.same,
            "refused": listed[:_MOST_KEPT],
            "possible": [f"{entry.number} {entry.person_id}" for entry in tally.possible[:_MOST_KEPT]],
        },
    )
