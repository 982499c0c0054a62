"""Arrival lists: send a file, read what became of each row."""

from __future__ import annotations

from dataclasses import dataclass

from api.schemas.directory import ManifestQuery
from api.transport.endpoint import Ask, Noun, read_file
from api.transport.mistakes import Mistake, tell
from nrm.actions.manifest_rows import KnownRow, PossibleRow
from nrm.actions.manifests import ManifestReport, import_manifest

manifests = Noun("manifests")

LARGEST = 20_000_000
"""Most bytes of a file."""

_MEDIA = (
    "text/csv",
    "text/plain",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that was not taken, and why."""

    number: int
    problems: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestAnswer:
    """What became of an arrival list.

    Attributes:
        accepted: people who were registered, each with a case.
        known: rows about people who were registered before.
        same: rows that were imported before.
        possible: registered people who may be known already.
        warnings: what was left out of rows that were taken.
    """

    id: str
    rows: int
    accepted: int
    same: int
    known: tuple[KnownRow, ...]
    possible: tuple[PossibleRow, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[Mistake, ...]
    unknown_columns: tuple[str, ...]


def _answer(report: ManifestReport) -> ManifestAnswer:
    return ManifestAnswer(
        id=report.id,
        rows=report.rows,
        accepted=report.accepted,
        same=report.same,
        known=report.known,
        possible=report.possible,
        refused=tuple(Refusal(number=row.number, problems=tell(row.problems)) for row in report.refused),
        warnings=tell(report.warnings),
        unknown_columns=tuple(report.unknown_columns),
    )


@manifests.post(
    "/manifests",
    upload=_MEDIA,
    query=ManifestQuery,
    answer=ManifestAnswer,
    permission="manifest.import",
    shape=_answer,
    limit=LARGEST,
)
def send_list(ask: Ask) -> ManifestReport:
    """Import an arrival list (CSV or XLSX as the whole body); the same list a second time changes nothing.

    `columns` maps columns by hand, by title, by place, or leaves one out: "Passenger=full_name;#3=phone;Seat=".
    """
    pairs = (entry.partition("=") for entry in ask.query["columns"].split(";") if "=" in entry)
    mapping = {header.strip(): column.strip() for header, _, column in pairs}
    return import_manifest(
        ask.actor, read_file(LARGEST), ask.query["filename"], mapping=mapping or None, head=ask.query["head"]
    )
