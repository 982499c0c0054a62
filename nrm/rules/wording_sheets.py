"""Send all texts to reviewers as a spreadsheet, and take their corrections back.

A row carries a stamp of its texts: when somebody has changed one of them since the sheet was made, the row is stale
and is refused, so that a reviewer's sheet never undoes another's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from nrm.countries.wording import TextChange, Wording
from nrm.errors import NotValid, Problem
from nrm.i18n import LANGUAGES
from nrm.rules.manifest_files import Row, read_tables
from nrm.rules.texts import WrongValue, clean_text
from nrm.rules.wording import Review

COLUMNS: Final = ("file", "key", "en", "ar", "ckb", "reviewed_en", "reviewed_ar", "reviewed_ckb", "stamp")
WIDTHS: Final = (26, 34, 50, 50, 50, 14, 14, 14, 26)
_YES: Final = frozenset({"yes", "x", "y", "1", "نعم", "بەڵێ"})
_LONGEST: Final = 4900
"""Characters of a text; cells are read up to 5,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextImport:
    """What a reviewer's sheet says.

    Attributes:
        changes: the texts to change.
        reviewed: hash of a text as it will stand → its review.
        stale: places of rows that were made from other texts than those of today.
    """

    changes: tuple[TextChange, ...]
    reviewed: Mapping[str, Review]
    stale: tuple[str, ...]


def text_rows(texts: Iterable[Wording], reviews: Mapping[str, Review]) -> tuple[tuple[str, ...], ...]:
    """Give the rows of the sheet, the header first."""
    return (COLUMNS, *(_row(wording, reviews) for wording in texts))


def _row(wording: Wording, reviews: Mapping[str, Review]) -> tuple[str, ...]:
    said = {language: wording.texts.get(language, "") for language in LANGUAGES}
    read = {language: reviews.get(wording.mark(language)) for language in LANGUAGES}
    marks = [f"{found.reviewer} {found.on}" if (found := read[name]) else "" for name in ("en", "ar", "ckb")]
    return (wording.file, wording.key, said["en"], said["ar"], said["ckb"], *marks, wording.stamp)


def read_text_sheet(
    data: bytes, texts: Iterable[Wording], *, reviewer: str, on: date, language: str | None = None
) -> TextImport:
    """Read what a reviewer sent back.

    Args:
        data: the workbook.
        texts: all texts as they are today.
        reviewer: who read them.
        on: when.
        language: take only this language; None takes all.

    Returns:
        Changes, reviews and stale rows; nothing is written.

    Raises:
        NotValid: not such a sheet ("column_missing"), a place that is not known ("unknown_text"), an empty or
            unreadable text.
    """
    rows = _sheet(data)
    known = {(wording.file, wording.key): wording for wording in texts}
    reading = _Reading(known, Review(reviewer=reviewer, on=on), (language,) if language else LANGUAGES)
    for number, row in enumerate(rows, start=2):
        if any(row.values()):
            reading.row(number, row)
    if reading.problems:
        raise NotValid(reading.problems, "bad_text_sheet")
    return TextImport(changes=tuple(reading.changes), reviewed=reading.reviewed, stale=tuple(reading.stale))


def _sheet(data: bytes) -> list[dict[str, str]]:
    header, *rows = read_tables(data)[0].rows
    names = [str(cell or "").strip().lower() for cell in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise NotValid([Problem(pointer="/1", code="column_missing", params={"name": missing[0]})], "bad_text_sheet")
    return [_cells(names, row) for row in rows]


def _cells(names: list[str], row: Row) -> dict[str, str]:
    return {name: "" if cell is None else str(cell) for name, cell in zip(names, row, strict=False)}


class _Reading:
    """Reads rows and keeps what they say."""

    def __init__(self, known: Mapping[tuple[str, str], Wording], review: Review, languages: tuple[str, ...]) -> None:
        self.known, self.review, self.languages = known, review, languages
        self.changes: list[TextChange] = []
        self.reviewed: dict[str, Review] = {}
        self.stale: list[str] = []
        self.problems: list[Problem] = []

    def row(self, number: int, row: Mapping[str, str]) -> None:
        wording = self.known.get((row.get("file", ""), row.get("key", "")))
        if wording is None:
            self.wrong(f"/{number}/file", "unknown_text", text=row.get("key", "")[:80])
            return
        changed = self.changed(number, row, wording)
        agreed = [name for name in self.languages if row.get(f"reviewed_{name}", "").strip().lower() in _YES]
        if row.get("stamp") != wording.stamp:
            if changed or agreed:
                self.stale.append(f"{wording.file} {wording.key}")
            return
        after = Wording(file=wording.file, key=wording.key, texts={**wording.texts, **changed})
        self.changes += [
            TextChange(
                file=wording.file,
                key=wording.key,
                language=name,
                before=wording.texts.get(name, ""),
                after=text,
            )
            for name, text in changed.items()
        ]
        self.reviewed.update({after.mark(name): self.review for name in agreed})

    def changed(self, number: int, row: Mapping[str, str], wording: Wording) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in self.languages:
            before = wording.texts.get(name, "")
            if row.get(name, "") == before:
                continue
            try:
                text = clean_text(row.get(name, ""), longest=_LONGEST, lines=True)
            except WrongValue as wrong:
                self.wrong(f"/{number}/{name}", wrong.code, **wrong.params)
                continue
            if not text:
                self.wrong(f"/{number}/{name}", "text_missing", language=name)
            elif text != before and wording.file.startswith("program/"):
                self.wrong(f"/{number}/{name}", "text_in_program")
            elif text != before:
                found[name] = text
        return found

    def wrong(self, pointer: str, code: str, **params: str | int | None) -> None:
        self.problems.append(Problem(pointer=pointer, code=code, params=params))
