"""Turn a file as it comes by e-mail into rows of cells: CSV in any usual encoding and separator, or an XLSX workbook.

Nothing in the file is trusted: its size, the number and growth of a workbook's parts and document types inside
them are checked before anything is opened; formulas come out as text and are never worked out.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias

from nrm.errors import NotValid, Problem

Cell: TypeAlias = str | int | float | date | None
Row: TypeAlias = tuple[Cell, ...]

LARGEST: Final = 10 * 1024 * 1024
"""Most bytes of a file."""
MOST_ROWS: Final = 50_000
_MOST_COLUMNS: Final = 200
_MOST_PARTS: Final = 500
_MOST_UNPACKED: Final = 200 * 1024 * 1024
_MOST_GROWTH: Final = 100
_SMALL_PART: Final = 1024 * 1024
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How a part may be packed: the other methods unpack a whole part at once, whatever size the file's list tells."""
_PROLOG: Final = 4096
_SEPARATORS: Final = (",", ";", "\t", "|")
_LONGEST_CELL: Final = 5000
_ARABIC_LETTER: Final = re.compile("[ء-يپچژگکیڤڕڵۆێەھ]")
_ODD: Final = re.compile("[\u0080-\u009f\u00a4-\u00bf\u0640\u064b-\u0652ƒ†‡ˆ‰Œœ¢-¿]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One sheet, or one text file.

    Attributes:
        name: the sheet's name; "" for a text file.
        rows: its rows from the top; empty ones too, so that row numbers are those of the file.
        encoding: how a text file was written; "" for a workbook.
        separator: what parts its cells; "" for a workbook.
    """

    name: str
    rows: tuple[Row, ...]
    encoding: str = ""
    separator: str = ""


def _refuse(code: str, **params: str | int) -> NotValid:
    return NotValid([Problem(pointer="", code=code, params=params)])


def read_tables(data: bytes) -> tuple[Table, ...]:
    """Read a file into tables.

    Args:
        data: the whole file.

    Returns:
        One table for a text file, one for each sheet that is not empty for a workbook.

    Raises:
        NotValid: too large, too many rows, a workbook that is damaged, encrypted, a bomb, or of the old kind, or
            not a table at all; the code says which.
    """
    if len(data) > LARGEST:
        raise _refuse("file_too_large", most=LARGEST // (1024 * 1024))
    if not data.strip(b"\x00\xef\xbb\xbf\xff\xfe\r\n\t ,;|"):
        raise _refuse("empty_file")
    if data.startswith(b"PK"):
        return _read_workbook(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refuse("old_or_locked_workbook")
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf", b"\x1f\x8b")):
        raise _refuse("not_a_table")
    return (_read_text(data),)


def _read_text(data: bytes) -> Table:
    text, encoding = _decode(data)
    if "\x00" in text:
        raise _refuse("not_a_table")
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r"sep=(.)\r?", first)
    separator = told[1] if told else _separator(text)
    reader = csv.reader(io.StringIO(rest if told else text, newline=""), delimiter=separator)
    rows: list[Row] = [()] if told else []
    try:
        for row in itertools.islice(reader, MOST_ROWS + 2):
            rows.append(tuple(cell[:_LONGEST_CELL] or None for cell in row[:_MOST_COLUMNS]))
    except csv.Error:
        raise _refuse("not_a_table") from None
    _check_rows(len(rows))
    return Table(name="", rows=tuple(rows), encoding=encoding, separator=separator)


def _check_rows(count: int) -> None:
    if count > MOST_ROWS + 1:
        raise _refuse("too_many_rows", most=MOST_ROWS)


def _decode(data: bytes) -> tuple[str, str]:
    """Find the encoding: a byte order mark, UTF-16 by its zero bytes, UTF-8 when valid, else an 8-bit one."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _strictly(data, name), name
    head = data[:2000]
    if head.count(0) > len(head) // 10:
        name = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
        return _strictly(data, name), name
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _eight_bits(data)


def _strictly(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        raise _refuse("unknown_encoding") from None


def _eight_bits(data: bytes) -> tuple[str, str]:
    best: tuple[int, str, str] | None = None
    sample = bytes(byte for byte in data[:200_000] if byte > 127)[:5000]
    for name in ("cp1256", "iso8859_6", "cp1252"):
        tried = sample.decode(name, "replace")
        letters = len(_ARABIC_LETTER.findall(tried)) if name != "cp1252" else sum(map(str.isalpha, tried))
        score = letters - 2 * (len(_ODD.findall(tried)) + tried.count("\ufffd"))
        if best is None or score > best[0]:
            best = (score, data.decode(name, "replace"), name)
    if best is None or best[0] < 0:
        raise _refuse("unknown_encoding")
    return best[1], best[2]


def _separator(text: str) -> str:
    sample = "\n".join([line for line in text[:20_000].splitlines() if line.strip()][:40])

    def regular(separator: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(io.StringIO(sample), delimiter=separator))
        except csv.Error:
            return 0, 0
        width, times = max(
            widths.items(), key=lambda entry: (entry[1] if entry[0] > 1 else 0, entry[0]), default=(0, 0)
        )
        return (times, width) if width > 1 else (0, 0)

    return max(_SEPARATORS, key=regular)


def _read_workbook(data: bytes) -> tuple[Table, ...]:
    _check_workbook(data)
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy, and only for workbooks

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            tables = tuple(
                Table(name=sheet.title, rows=_sheet_rows(sheet.iter_rows(values_only=True)))
                for sheet in book.worksheets[:20]
            )
            book.close()
    except NotValid:
        raise
    except Exception:
        # The library raises many kinds of errors on damaged parts; none of them tells the sender more than this.
        raise _refuse("damaged_workbook") from None
    filled = tuple(table for table in tables if any(_filled(row) for row in table.rows))
    if not filled:
        raise _refuse("empty_file")
    return filled


def _filled(row: Row) -> bool:
    return any(cell is not None for cell in row)


def _sheet_rows(rows: Iterable[Sequence[object]]) -> tuple[Row, ...]:
    found: list[Row] = []
    empty = 0
    for row in rows:
        cells = tuple(_cell(value) for value in row[:_MOST_COLUMNS])
        empty = 0 if _filled(cells) else empty + 1
        if empty > 1000:
            break
        found.append(cells)
        _check_rows(len(found) - empty)
    return tuple(found[: len(found) - min(empty, 1000)])


def _cell(value: object) -> Cell:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return int(value)
    if isinstance(value, date | int | float):
        return value
    return str(value)[:_LONGEST_CELL]


def _check_workbook(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _check_parts(parts)
            if "xl/workbook.xml" not in {part.filename for part in parts}:
                raise _refuse("not_a_table")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    _check_prolog(archive, part)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise _refuse("damaged_workbook") from None


def _check_parts(parts: Sequence[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if any(part.flag_bits & 1 for part in parts):
        raise _refuse("old_or_locked_workbook")
    if any(part.compress_type not in _METHODS for part in parts):
        raise _refuse("damaged_workbook")
    grown = any(
        part.file_size > _SMALL_PART and part.file_size > _MOST_GROWTH * max(part.compress_size, 1) for part in parts
    )
    if len(parts) > _MOST_PARTS or unpacked > _MOST_UNPACKED or grown:
        raise _refuse("zip_bomb")
    if unpacked > _SMALL_PART and unpacked > _MOST_GROWTH * max(packed, 1):
        raise _refuse("zip_bomb")


def _check_prolog(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse a document type: no honest workbook has one, and entities grow from it."""
    with archive.open(part) as stream:
        head = stream.read(_PROLOG)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head or re.search(rb"<!\s*(DOCTYPE|ENTITY)", head):
        raise _refuse("damaged_workbook")
    if head.strip() and not re.search(rb"<[A-Za-z_]", head):
        raise _refuse("damaged_workbook")


def non_empty(rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
    """Give the rows that hold something, with their number in the file, counted from 1."""
    return ((number, row) for number, row in enumerate(rows, start=1) if _filled(row))
