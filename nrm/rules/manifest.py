"""Read an arrival list: find its header, recognise its columns, and take each row or say why not.

What words a sender uses is data of the country pack. A row is refused when it has no usable name, birth date or
place; anything else that cannot be read is left out and noted as a warning, because the person arrives all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

from nrm.errors import NotValid, Problem
from nrm.rules.answer_types import clean_phone
from nrm.rules.loose_dates import parse_loose_date
from nrm.rules.manifest_columns import HEADER_ROWS, NAME_COLUMNS, by_hand
from nrm.rules.manifest_files import Cell, Row, Table, non_empty
from nrm.rules.matching import document_token
from nrm.rules.names import fold, split_written
from nrm.rules.texts import WrongValue, clean_text, fold_digits
from nrm.vocabulary import BirthPrecision

T = TypeVar("T")

_LONGEST: Final = 200
_LONGEST_EMPTY: Final = 30
NAME_KEYS: Final = ("own", "father", "grandfather", "great_grandfather")
_CODED: Final = ("sex", "host_country", "return_type", "document_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestWords:
    """The words of a country by which lists are read; everything is folded.

    Attributes:
        columns: header word → column key.
        values: column key → word → code.
        places: word → key of a governorate.
        districts: word → key of a district.
        empty: words that mean "nothing".
    """

    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    districts: Mapping[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(text)).strip()


def manifest_words(
    data: Mapping[str, object],
    *,
    places: Mapping[str, Iterable[str]],
    districts: Mapping[str, Iterable[str]] | None = None,
    labels: Mapping[str, Mapping[str, Iterable[str]]] | None = None,
) -> ManifestWords:
    """Build the words from the pack's `manifest.json`.

    Args:
        data: {"columns": [{"key", "words": […]}], "values": {column: {code: […]}}, "empty_words": […]}.
        places: key of a governorate → its names in all languages.
        districts: key of a district → its names.
        labels: column key → code → labels of the pack's code list, beside the words of the file.

    Raises:
        NotValid: a column has no key or words, or one word stands for two columns or codes, by pointer.
    """
    problems: list[Problem] = []
    columns: dict[str, str] = {}
    entries = data.get("columns")
    for place, entry in enumerate(entries if isinstance(entries, list) else []):
        pointer = f"/columns/{place}"
        if not isinstance(entry, Mapping) or not isinstance(entry.get("words"), list):
            problems.append(Problem(pointer=f"{pointer}/words", code="required"))
            continue
        _add(columns, str(entry.get("key")), [*entry["words"], str(entry.get("key"))], pointer, problems)
    if not columns:
        problems.append(Problem(pointer="/columns", code="required"))
    values = _value_words(data.get("values"), labels or {}, problems)
    if problems:
        raise NotValid(problems)
    empty = data.get("empty_words")
    return ManifestWords(
        columns=columns,
        values=values,
        places=_place_words(places),
        districts=_place_words(districts or {}),
        empty=frozenset(fold(str(word)) for word in (empty if isinstance(empty, list) else [])),
    )


def _add(words: dict[str, str], code: str, texts: Iterable[object], pointer: str, problems: list[Problem]) -> None:
    for text in texts:
        key = _key(str(text)) or fold(str(text))
        if words.setdefault(key, code) != code:
            problems.append(Problem(pointer=pointer, code="word_for_two", params={"word": str(text)[:60]}))


def _value_words(
    data: object, labels: Mapping[str, Mapping[str, Iterable[str]]], problems: list[Problem]
) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for column, codes in data.items() if isinstance(data, Mapping) else ():
        words = values.setdefault(str(column), {})
        for code, texts in codes.items():
            _add(words, str(code), [*texts, str(code)], f"/values/{column}/{code}", problems)
    for column, by_code in labels.items():
        words = values.setdefault(column, {})
        for code, texts in by_code.items():
            for text in (*texts, code):
                words.setdefault(_key(text), code)
    return values


def _place_words(places: Mapping[str, Iterable[str]]) -> dict[str, str]:
    words: dict[str, str] = {}
    for key, names in places.items():
        for name in (key, *names):
            for spelling in _spellings(name):
                words.setdefault(spelling, key)
    return words


def _spellings(name: str) -> set[str]:
    """Give the ways a place is looked up: whole, without and only what is in brackets, without article, joined."""
    inside = re.findall(r"\(([^)]*)\)", name)
    found = {_key(name), _key(re.sub(r"\([^)]*\)", "", name)), *(_key(part) for part in inside)}
    found |= {spelling.removeprefix("ال") for spelling in found} | {re.sub(r"^(al|el) ", "", text) for text in found}
    found |= {spelling.replace(" ", "") for spelling in found} | {spelling.rstrip("hه") for spelling in found}
    return {spelling for spelling in found if len(spelling) > 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where the header stands and what its columns are.

    Attributes:
        row: number of its row, from 1.
        columns: column index (from 0) → key.
        unknown: header texts that were not recognised, to be mapped by hand.
    """

    row: int
    columns: Mapping[int, str]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    """One person of an arrival list; what is missing is None or "".

    Attributes:
        number: row number in the file, from 1.
        names: own, father, grandfather, great_grandfather, surname: those that are there.
        latin: the names are in Latin letters.
        mother: mother's name.
        sex: code.
        born: birth date, or the first day of what is known.
        precision: how much of it is known.
        document: number of the travel document.
        document_type: code.
        host_country: code.
        return_type: code.
        governorate: key.
        district: key.
        phone: in E.164.
        arrival: date of arrival.
        flight: flight number.
        household: what rows of one family share.
        external_id: the sender's own reference.
        special_needs: text.
        note: text.
        warnings: what was left out because it could not be read.
    """

    number: int
    names: Mapping[str, str]
    latin: bool = False
    mother: str = ""
    sex: str | None = None
    born: date | None = None
    precision: BirthPrecision = BirthPrecision.UNKNOWN
    document: str = ""
    document_type: str | None = None
    host_country: str | None = None
    return_type: str | None = None
    governorate: str | None = None
    district: str | None = None
    phone: str | None = None
    arrival: date | None = None
    flight: str = ""
    household: str = ""
    external_id: str = ""
    special_needs: str = ""
    note: str = ""
    warnings: tuple[Problem, ...] = ()

    @property
    def full_name(self) -> str:
        """The names in order, with the surname last."""
        return " ".join(self.names[key] for key in (*NAME_KEYS, "surname") if key in self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row that was not taken, and why."""

    number: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An arrival list as it was read."""

    header: Header
    rows: tuple[ManifestRow, ...]
    refused: tuple[RefusedRow, ...]
    table: str = ""


def recognise_column(text: Cell, words: Mapping[str, str]) -> str | None:
    """Recognise a header text: whole, without its brackets, or one part of a header in two languages."""
    if not isinstance(text, str):
        return None
    tries = [
        text,
        re.sub(r"[(\[].*?[)\]]", "", text),
        *re.findall(r"[(\[](.*?)[)\]]", text),
        *re.split(r"[/\n|–]| - ", text),
    ]
    found = (words.get(_key(part)) or words.get(fold(part)) for part in tries if part.strip())
    return next((key for key in found if key), None)


def find_header(
    rows: Sequence[Row],
    words: ManifestWords,
    *,
    mapping: Mapping[str, str] | None = None,
    head: int | None = None,
) -> Header:
    """Find the header under any title lines.

    Args:
        rows: the rows of a table from the top.
        words: the pack's words.
        mapping: header text, or "#3" for the third column, → column key, as a person mapped them; "" leaves one out.
        head: number of the header's row, where a person said it.

    Raises:
        NotValid: no row of the first 25 names a name column beside another ("no_header").
    """
    said = by_hand(mapping)
    best: Header | None = None
    for number, row in enumerate(rows[:HEADER_ROWS], start=1):
        if head not in (None, number):
            continue
        columns: dict[int, str] = {}
        unknown = []
        for place, cell in enumerate(said.widened(row)):
            told = said.told(place, cell)
            key = recognise_column(cell, words.columns) if told is None else told
            if key and key not in columns.values():
                columns[place] = key
            elif cell is not None and told is None:
                unknown.append(str(cell)[:60])
        wide = head is not None or len(columns) + len(unknown) >= 2
        usable = wide and NAME_COLUMNS & set(columns.values())
        if usable and (best is None or len(columns) > len(best.columns)):
            best = Header(row=number, columns=columns, unknown=tuple(unknown))
    if best is None:
        raise NotValid([Problem(pointer="", code="no_header", params={"rows": HEADER_ROWS})])
    return best


def parse_manifest(
    tables: Sequence[Table],
    words: ManifestWords,
    *,
    today: date,
    region: str | None,
    mapping: Mapping[str, str] | None = None,
    head: int | None = None,
) -> Manifest:
    """Read the first table that has a header.

    Args:
        tables: from `nrm.rules.manifest_files.read_tables`.
        words: the pack's words.
        today: no birth date is later.
        region: two-letter country of phone numbers without a country code.
        mapping: header text, or "#3" for the third column, → column key, mapped by hand.
        head: number of the header's row, where a person said it.

    Raises:
        NotValid: no table has a header.
    """
    refusal = NotValid([Problem(pointer="", code="no_header", params={"rows": HEADER_ROWS})])
    for table in tables:
        try:
            header = find_header(table.rows, words, mapping=mapping, head=head)
        except NotValid as wrong:
            refusal = wrong
            continue
        taken: list[ManifestRow] = []
        refused: list[RefusedRow] = []
        titles = table.rows[header.row - 1]
        for number, row in non_empty(table.rows):
            if number > header.row and row != titles:
                read = read_row(number, row, header, words, today=today, region=region)
                (taken if isinstance(read, ManifestRow) else refused).append(read)  # type: ignore[arg-type]
        return Manifest(header=header, rows=tuple(taken), refused=tuple(refused), table=table.name)
    raise refusal


def read_row(
    number: int, row: Row, header: Header, words: ManifestWords, *, today: date, region: str | None
) -> ManifestRow | RefusedRow:
    """Read one row.

    Args:
        number: its number in the file, from 1.
        row: its cells.
        header: the table's header.
        words: the pack's words.
        today: no birth date is later.
        region: two-letter country of phone numbers without a country code.
    """
    cells = {key: row[place] for place, key in header.columns.items() if place < len(row)}
    reader = _RowReader(number, cells, words, today, region)
    return reader.read()


class _RowReader:
    """Reads one row and collects what is wrong with it."""

    def __init__(
        self, number: int, cells: Mapping[str, Cell], words: ManifestWords, today: date, region: str | None
    ) -> None:
        self.number = number
        self.cells = {key: cell for key, cell in cells.items() if not _is_empty(cell, words.empty)}
        self.words = words
        self.today = today
        self.region = region
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def read(self) -> ManifestRow | RefusedRow:
        names = self.names()
        born = self.take("birth_date", lambda cell: parse_loose_date(cell, today=self.today), needed=True)
        governorate = self.place()
        mother = self.text("mother_name", needed=True)
        if self.problems:
            return RefusedRow(number=self.number, problems=tuple(self.problems))
        codes = {key: self.take(key, self.coder(key)) for key in _CODED}
        arrival = self.take("arrival_date", self.arrival)
        return ManifestRow(
            number=self.number,
            names=names,
            latin=all(part.isascii() or not re.search("[\u0600-\u06ff]", part) for part in names.values()),
            mother=mother,
            born=born[0] if born else None,
            precision=born[1] if born else BirthPrecision.UNKNOWN,
            document=self.text("document_number"),
            governorate=governorate,
            district=self.take("district", self.district),
            phone=self.take("phone", lambda cell: clean_phone(_phone_text(cell), self.region)),
            arrival=arrival,
            special_needs=self.text("special_needs", longest=2000),
            note=self.text("note", longest=2000),
            sex=codes["sex"],
            host_country=codes["host_country"],
            return_type=codes["return_type"],
            document_type=codes["document_type"],
            flight=self.text("flight"),
            household=self.text("household"),
            external_id=self.text("external_id"),
            warnings=tuple(self.warnings),
        )

    def take(self, key: str, read: Callable[[Cell], T], *, needed: bool = False) -> T | None:
        cell = self.cells.get(key)
        if cell is None:
            return None
        try:
            return read(cell)
        except WrongValue as wrong:
            where = self.problems if needed else self.warnings
            where.append(Problem(pointer=f"/rows/{self.number}/{key}", code=wrong.code, params=wrong.params))
            return None

    def text(self, key: str, *, longest: int = _LONGEST, needed: bool = False) -> str:
        return self.take(key, lambda cell: _clean(cell, longest), needed=needed) or ""

    def names(self) -> dict[str, str]:
        """Collect the names from one column or from several."""
        full = self.text("full_name", needed=True)
        surname = self.text("family_name", needed=True)
        parts = [self.text(key, needed=True) for key in ("first_name", "father_name", "grandfather_name")]
        if not surname and len(halves := re.split("[,،]", full)) == 2 and all(half.strip() for half in halves):
            surname, full = (half.strip() for half in halves)
        written = list(split_written(full)) if full else []
        if not written:
            own = list(split_written(parts[0])) if parts[0] else []
            written = own + [part for part in parts[1:] if part]
        if not written and not self.problems:
            self.problems.append(Problem(pointer=f"/rows/{self.number}/full_name", code="name_missing"))
        names = dict(zip(NAME_KEYS, written, strict=False))
        rest = " ".join(written[len(NAME_KEYS) :])
        if surname or rest:
            names["surname"] = surname or rest
        return names

    def place(self) -> str | None:
        return self.take("governorate", self.governorate, needed=True)

    def governorate(self, cell: Cell) -> str:
        return _find(self.words.places, cell, "unknown_place")

    def district(self, cell: Cell) -> str:
        return _find(self.words.districts, cell, "unknown_place")

    def coder(self, key: str) -> Callable[[Cell], str]:
        def code(cell: Cell) -> str:
            found = self.words.values.get(key, {}).get(_key(_clean(cell, _LONGEST)))
            if found is None:
                raise WrongValue("unknown_word")
            return found

        return code

    def arrival(self, cell: Cell) -> date:
        return parse_loose_date(cell, today=self.today.replace(year=self.today.year + 1, day=1), longest_ago=20)[0]


def _is_empty(cell: Cell, empty: frozenset[str]) -> bool:
    return cell is None or (
        isinstance(cell, str) and (not cell.strip() or (len(cell) < _LONGEST_EMPTY and fold(cell) in empty))
    )


def _clean(cell: Cell, longest: int) -> str:
    text = clean_text(cell if isinstance(cell, str) else str(cell), longest=longest)
    if text.startswith(("=", "@")) or re.match(r"[+-]\s*[A-Za-z(]", text):
        raise WrongValue("formula")
    return text


def _phone_text(cell: Cell) -> str:
    """Repair what spreadsheets do to phone numbers: a lost leading zero, 00 for +, an apostrophe, a trailing .0."""
    text = fold_digits(_clean(cell, 60) if isinstance(cell, str) else str(cell)).lstrip("'")
    digits = re.sub(r"[^\d+]", "", text.removesuffix(".0"))
    if digits.startswith("00"):
        return "+" + digits[2:]
    return "0" + digits if len(digits) == 10 and digits.startswith("7") else digits or text


def _find(words: Mapping[str, str], cell: Cell, code: str) -> str:
    for spelling in sorted(_spellings(_clean(cell, _LONGEST)), key=len, reverse=True):
        if spelling in words:
            return words[spelling]
    raise WrongValue(code)


def fingerprint(row: ManifestRow, key: bytes) -> str:
    """Make a row's fingerprint: the same content gives the same one, however it was spelled or coloured.

    Args:
        row: the row; its number and warnings do not count.
        key: the installation's secret: without it a fingerprint cannot be guessed from a known person.

    Returns:
        64 hexadecimal characters.
    """
    parts = (
        fold(row.full_name),
        fold(row.mother),
        row.born.isoformat() if row.born else "",
        str(row.precision),
        document_token(row.document),
        row.sex or "",
        row.phone or "",
        row.host_country or "",
        row.return_type or "",
        row.governorate or "",
        row.arrival.isoformat() if row.arrival else "",
        fold(row.external_id),
    )
    return hmac.digest(key, "\x1f".join(parts).encode(), hashlib.sha256).hex()
