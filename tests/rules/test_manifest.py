"""Arrival lists as they come by e-mail."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm.errors import NotValid
from nrm.rules.loose_dates import parse_loose_date
from nrm.rules.manifest import (
    Manifest,
    ManifestRow,
    find_header,
    fingerprint,
    manifest_words,
    parse_manifest,
)
from nrm.rules.manifest_files import LARGEST, read_tables
from nrm.rules.matching import Identity, match
from nrm.rules.texts import WrongValue
from nrm.vocabulary import BirthPrecision

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "fixtures" / "manifests"
TODAY = date(2026, 3, 1)
PLACES = {
    "anbar": ["الأنبار", "Anbar"],
    "basra": ["البصرة", "Basra"],
    "najaf": ["النجف", "Najaf"],
    "qadisiyah": ["القادسية (الديوانية)", "Qadisiyah (Diwaniyah)"],
    "sulaymaniyah": ["السليمانية", "سلێمانی", "Sulaymaniyah"],
    "baghdad": ["بغداد", "بەغدا", "Baghdad"],
    "duhok": ["دهوك", "دهۆک", "Duhok"],
    "diyala": ["ديالى", "Diyala"],
    "erbil": ["أربيل", "هەولێر", "Erbil"],
    "kirkuk": ["كركوك", "Kirkuk"],
    "ninewa": ["نينوى", "نەینەوا", "Ninewa"],
    "salah_al_din": ["صلاح الدين", "Salah al-Din"],
    "thi_qar": ["ذي قار", "Thi-Qar"],
    "halabja": ["حلبجة", "هەڵەبجە", "Halabja"],
}
WORDS = manifest_words(
    json.loads((ROOT / "workflows/testland/manifest.json").read_text(encoding="utf-8")),
    places=PLACES,
    districts={"old_town": ["المدينة القديمة", "Old Town"]},
)


def read(data: bytes, **more: Any) -> Manifest:
    return parse_manifest(read_tables(data), WORDS, today=TODAY, region="IQ", **more)


def csv_of(*rows: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(rows).encode(encoding)


def xlsx_of(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def only(manifest: Manifest) -> ManifestRow:
    (row,) = manifest.rows
    return row


def test_the_arabic_list_goes_in_but_for_its_bad_rows() -> None:
    manifest = read((FILES / "charter_ar.csv").read_bytes())
    assert (len(manifest.rows), len(manifest.refused)) == (189, 11)
    assert {(row.number, row.problems[0].code) for row in manifest.refused} == {
        (2, "unknown_place"),
        (48, "unknown_place"),
        (82, "unknown_place"),
        (67, "date_in_future"),
        (76, "no_such_day"),
        (138, "formula"),
        *((number, "name_missing") for number in (113, 124, 144, 154, 182)),
    }
    first = manifest.rows[0]
    assert first.full_name == "شيرين دلشاد سردار برکات الدليمي"
    assert (first.born, first.precision) == (date(1970, 7, 1), BirthPrecision.YEAR)
    assert (first.sex, first.host_country, first.phone) == ("female", "LT", "+9647769812467")


def test_the_english_workbook_goes_in_but_for_its_bad_rows() -> None:
    manifest = read((FILES / "charter_en.xlsx").read_bytes())
    assert len(manifest.rows) + len(manifest.refused) == 200
    assert {row.problems[0].code for row in manifest.refused} == {
        "unknown_place",
        "date_in_future",
        "no_such_day",
        "name_missing",
        "formula",
        "year_out_of_range",
    }
    (warned,) = [row for row in manifest.rows if row.warnings]
    assert (warned.sex, warned.warnings[0].code) == (None, "unknown_word")
    assert all(row.latin for row in manifest.rows)


def identity_of(row: ManifestRow) -> Identity:
    return Identity(
        name=row.full_name,
        mother=row.mother,
        born=row.born,
        precision=row.precision,
        documents=frozenset({row.document} - {""}),
        phones=frozenset({row.phone} - {None}),  # type: ignore[arg-type]
        governorate=row.governorate,
        sex=row.sex,
    )


def test_the_people_who_stand_twice_in_a_list_are_found_and_nobody_else() -> None:
    rows = read((FILES / "charter_ar.csv").read_bytes()).rows
    people = [(row.number, identity_of(row)) for row in rows]
    found = {
        (one, two): match(left, right).verdict()
        for place, (two, right) in enumerate(people)
        for one, left in people[:place]
    }
    assert {pair for pair, verdict in found.items() if verdict == "likely"} == {
        (19, 31), (10, 34), (4, 42), (49, 69), (22, 84), (85, 110), (20, 185)
    }  # fmt: skip
    assert {pair for pair, verdict in found.items() if verdict == "possible"} == {(12, 186)}


def test_no_problem_repeats_what_stood_in_the_file() -> None:
    for name in ("charter_ar.csv", "charter_en.xlsx"):
        manifest = read((FILES / name).read_bytes())
        told = [problem for row in manifest.refused for problem in row.problems]
        told += [problem for row in manifest.rows for problem in row.warnings]
        assert all(not isinstance(value, str) for problem in told for value in problem.params.values())


def test_the_same_file_has_the_same_fingerprints_and_another_phone_another_one() -> None:
    data = (FILES / "charter_ar.csv").read_bytes()
    once = [fingerprint(row, b"key") for row in read(data).rows]
    assert once == [fingerprint(row, b"key") for row in read(data).rows]
    assert once != [fingerprint(row, b"other") for row in read(data).rows]
    header = "الاسم الكامل;الهاتف"
    one, two, three = (
        only(read(csv_of(header, row)))
        for row in ("محمد علي;07701234567", "محـمد  علی;٠٧٧٠١٢٣٤٥٦٧", "محمد علي;07701234568")
    )
    assert fingerprint(one, b"k") == fingerprint(two, b"k") != fingerprint(three, b"k")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"])
def test_any_usual_encoding_and_separator_is_recognised(separator: str, encoding: str) -> None:
    rows = [
        ["الاسم الرباعي", "الجنس", "تاريخ الميلاد", "المحافظة"],
        ["محمد علي حسين أحمد", "ذكر", "12/03/1987", "بغداد"],
        ["فاطمة عبد الله سعد", "أنثى", "1990", "أربيل"],
    ]
    manifest = read(csv_of(*(separator.join(row) for row in rows), encoding=encoding))
    assert [row.names["own"] for row in manifest.rows] == ["محمد", "فاطمة"]
    assert manifest.rows[1].names["father"] == "عبد الله"
    assert [row.governorate for row in manifest.rows] == ["baghdad", "erbil"]


def test_a_western_list_in_windows_1252_is_recognised() -> None:
    manifest = read(csv_of("Förnamn;Efternamn;Kön;Avresseland", "Ahmed Ömer;Åziz;kvinna;Sverige", encoding="cp1252"))
    row = only(manifest)
    assert row.names == {"own": "Ahmed", "father": "Ömer", "surname": "Åziz"}
    assert (row.sex, row.host_country) == ("female", "SE")


def test_a_separator_line_of_a_spreadsheet_and_quoted_line_breaks_are_understood() -> None:
    manifest = read(csv_of("sep=;", '"Name";"Remarks"', '"Ali; Hasan";"one', 'two"', "Omar Saad;x"))
    assert [row.number for row in manifest.rows] == [3, 4]
    assert manifest.rows[0].note == "one two"


def test_title_lines_above_the_header_and_repeated_headers_below_are_passed_over() -> None:
    manifest = read(
        csv_of(
            "Ministry list of arrivals,,",
            ",,",
            "Flight XX 123,,1 March 2026",
            "No.,Full name (as in passport),Date of birth / تاريخ الميلاد",
            "1,Ali Hasan,1990",
            "No.,Full name (as in passport),Date of birth / تاريخ الميلاد",
            ",,",
            "2,Omar Saad,12.3.1987",
        )
    )
    assert manifest.header.row == 4
    assert [(row.number, row.names["own"]) for row in manifest.rows] == [(5, "Ali"), (8, "Omar")]


def test_columns_with_unknown_words_can_be_mapped_by_hand() -> None:
    data = csv_of("Wer,Wann geboren,Full name", "Ali Hasan,1990,ignored")
    header = find_header(read_tables(data)[0].rows, WORDS)
    assert header.unknown == ("Wer", "Wann geboren")
    row = only(read(data, mapping={"wer": "full_name", "Wann geboren": "birth_date", "Full name": ""}))
    assert row.full_name == "Ali Hasan"
    assert row.precision is BirthPrecision.YEAR


def test_a_file_without_a_header_says_so() -> None:
    with pytest.raises(NotValid) as caught:
        read(csv_of("1,2,3", "4,5,6"))
    assert caught.value.problems[0].code == "no_header"


def test_names_in_several_columns_and_with_the_surname_first() -> None:
    several = only(read(csv_of("First name,Father's name,Surname", "Abd al-Rahman,Nur al-Din,Al-Rawi")))
    assert several.names == {"own": "Abd al-Rahman", "father": "Nur al-Din", "surname": "Al-Rawi"}
    turned = only(read(csv_of("Name;Sex", "Al-Rawi, Ali Hasan;M")))
    assert turned.names == {"own": "Ali", "father": "Hasan", "surname": "Al-Rawi"}
    five = only(read(csv_of("Name;Sex", "A Be Ce De Ef Ge;M")))
    assert five.names["surname"] == "Ef Ge"


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("07701234567", "+9647701234567"),
        (7701234567, "+9647701234567"),
        ("7701234567.0", "+9647701234567"),
        ("00964 770 123 4567", "+9647701234567"),
        ("'+964-770-1234567", "+9647701234567"),
        ("٠٧٧٠ ١٢٣ ٤٥٦٧", "+9647701234567"),
        ("+49 30 901820", "+4930901820"),
        ("12", None),
        ("none", None),
    ],
)
def test_phones_are_repaired_or_left_out_with_a_warning(written: object, phone: str | None) -> None:
    row = only(read(xlsx_of(["Full name", "Phone"], ["Ali Hasan", written])))
    assert row.phone == phone
    assert bool(row.warnings) == (written == "12")


@pytest.mark.parametrize(
    ("written", "place"),
    [("الديوانية", "qadisiyah"), ("Diwaniya", "qadisiyah"), ("al-Basra", "basra"), ("بصره", "basra"),
     ("صلاح الدین", "salah_al_din"), ("ThiQar", "thi_qar"), ("سليماني", "sulaymaniyah"), ("HALABJA", "halabja"),
     ("هه‌ولێر", "erbil"), ("-", None)],
)  # fmt: skip
def test_places_are_found_in_any_usual_spelling(written: str, place: str | None) -> None:
    assert only(read(csv_of("Full name;Governorate", f"Ali Hasan;{written}"))).governorate == place


DAY, MONTH, YEAR = BirthPrecision.DAY, BirthPrecision.MONTH, BirthPrecision.YEAR


@pytest.mark.parametrize(
    ("written", "expected", "precision"),
    [
        ("12/03/1987", date(1987, 3, 12), DAY),
        ("12-3-87", date(1987, 3, 12), DAY),
        ("12.3.1987", date(1987, 3, 12), DAY),
        ("1-2-20", date(2020, 2, 1), DAY),
        ("1-2-27", date(1927, 2, 1), DAY),
        ("1987-03-12", date(1987, 3, 12), DAY),
        ("1987/3/12", date(1987, 3, 12), DAY),
        ("1987-03-12 00:00:00", date(1987, 3, 12), DAY),
        ("١٢/٠٣/١٩٨٧", date(1987, 3, 12), DAY),
        ("۱۹۸۷-۰۳-۱۲", date(1987, 3, 12), DAY),
        ("19870312", date(1987, 3, 12), DAY),
        (31848, date(1987, 3, 12), DAY),
        ("31848", date(1987, 3, 12), DAY),
        (date(1987, 3, 12), date(1987, 3, 12), DAY),
        ("12 March 1987", date(1987, 3, 12), DAY),
        ("12-Mar-87", date(1987, 3, 12), DAY),
        ("12 آذار 1987", date(1987, 3, 12), DAY),
        ("12 كانون الثاني 1987", date(1987, 1, 12), DAY),
        ("١٢ ئازار ١٩٨٧", date(1987, 3, 12), DAY),
        ("03/1987", date(1987, 3, 1), MONTH),
        ("1987", date(1987, 1, 1), YEAR),
        (1987, date(1987, 1, 1), YEAR),
        ("01/07/1987", date(1987, 7, 1), YEAR),
        (date(1987, 7, 1), date(1987, 7, 1), YEAR),
    ],
)
def test_dates_are_read_as_they_are_written(written: object, expected: date, precision: BirthPrecision) -> None:
    assert parse_loose_date(written, today=TODAY) == (expected, precision)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("31/02/1990", "no_such_day"),
        ("05/13/1990", "date_order"),
        ("2031-05-05", "date_in_future"),
        ("1890", "year_out_of_range"),
        ("1405-01-01", "year_out_of_range"),
        ("soon", "not_a_date"),
        ("1/2", "not_a_date"),
        ("12 Foo 1987", "not_a_date"),
        ("5", "not_a_date"),
        (3.5, "not_a_date"),
        ("1" * 40, "not_a_date"),
        ("0-0-0", "not_a_date"),
    ],
)
def test_dates_that_cannot_be_are_refused(written: object, code: str) -> None:
    with pytest.raises(WrongValue) as caught:
        parse_loose_date(written, today=TODAY)
    assert caught.value.code == code


@given(st.text(max_size=30) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.dates())
def test_any_cell_is_a_date_or_refused(cell: object) -> None:
    try:
        day, _ = parse_loose_date(cell, today=TODAY)
    except WrongValue:
        return
    assert day <= TODAY


def code_of(data: bytes) -> str:
    with pytest.raises(NotValid) as caught:
        read_tables(data)
    return caught.value.problems[0].code


def zipped(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_opened() -> None:
    bomb = zipped({"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": b"<a>" + b"0" * 60_000_000})
    assert len(bomb) < 100_000
    began = time.perf_counter()
    assert code_of(bomb) == "zip_bomb"
    assert time.perf_counter() - began < 5
    assert code_of(zipped({f"xl/{number}.xml": b"<a/>" for number in range(501)})) == "zip_bomb"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_everything_at_once_is_refused_before_anything_is_unpacked(method: int) -> None:
    bomb = bytearray(zipped({"xl/workbook.xml": b"<a>" + b"0" * 40_000_000}, method))
    size = (40_000_003).to_bytes(4, "little")
    while size in bomb:
        place = bomb.find(size)
        bomb[place : place + 4] = (5).to_bytes(4, "little")  # the list lies about what comes out
    tracemalloc.start()
    try:
        assert code_of(bytes(bomb)) == "damaged_workbook"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_document_type_in_a_workbook_is_refused() -> None:
    good = zipfile.ZipFile(io.BytesIO(xlsx_of(["Full name", "Sex"], ["Ali Hasan", "M"])))
    parts = {name: good.read(name) for name in good.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    entity = b'<!DOCTYPE x [<!ENTITY a "' + b"b" * 50 + b'">]>'
    for hidden in (entity + sheet, b"<?xml version='1.0'?>" + entity + sheet, b" " * 5000 + entity + sheet,
                   (entity + sheet).decode().encode("utf-16")):  # fmt: skip
        assert code_of(zipped(parts | {"xl/worksheets/sheet1.xml": hidden})) == "damaged_workbook"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf \r\n", "empty_file"),
        (b"x" * (LARGEST + 1), "file_too_large"),
        (b"%PDF-1.7", "not_a_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_or_locked_workbook"),
        (b"PK\x03\x04broken", "damaged_workbook"),
        (zipped({"word/document.xml": b"<a/>"}), "not_a_table"),
        (zipped({"xl/workbook.xml": b"<a/>"}), "damaged_workbook"),
        (b"\xff\xfe\x00\xd8", "unknown_encoding"),
        (b"name,sex\n" + b"a,b\n" * 50_001, "too_many_rows"),
        (b"a,b\x00c\nd,e" + b"\n" * 90, "not_a_table"),
    ],
)
def test_what_is_no_usable_table_is_refused_by_name(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_damaged_workbook_never_breaks_anything() -> None:
    good = xlsx_of(["Full name", "Sex"], ["Ali Hasan", "M"])
    for place in range(0, len(good), 97):
        broken = good[:place] + bytes([good[place] ^ 0x5A]) + good[place + 1 :]
        try:
            read_tables(broken)
        except NotValid as refused:
            assert refused.problems


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        tables = read_tables(data)
    except NotValid:
        return
    assert tables


def test_formulas_come_out_as_text_and_the_row_is_refused() -> None:
    manifest = read(
        xlsx_of(["Full name", "Remarks"], ['=HYPERLINK("http://127.0.0.1","x")', ""], ["Ali Hasan", "=1+1"])
    )
    assert manifest.refused[0].problems[0].code == "formula"
    assert only(manifest).warnings[0].code == "formula"


def test_the_second_sheet_is_read_when_the_first_has_no_list() -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.append(["Notes on this flight"])
    second = book.create_sheet("List")
    second.append(["Full name", "Date of birth"])
    second.append(["Ali Hasan", date(1987, 3, 12)])
    data = io.BytesIO()
    book.save(data)
    manifest = read(data.getvalue())
    assert manifest.table == "List"
    assert only(manifest).born == date(1987, 3, 12)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"columns": []}, "/columns"),
        ({"columns": [{"key": "sex"}]}, "/columns/0/words"),
        ({"columns": [{"key": "a", "words": ["x"]}, {"key": "b", "words": ["X"]}]}, "/columns/1"),
        ({"values": {"sex": {"female": ["f"], "male": ["F"]}}}, "/values/sex/male"),
    ],
)
def test_a_wrong_word_list_says_where(change: dict[str, Any], pointer: str) -> None:
    data = {"columns": [{"key": "full_name", "words": ["name"]}]} | change
    with pytest.raises(NotValid) as caught:
        manifest_words(data, places={})
    assert caught.value.problems[0].pointer == pointer


def test_every_pack_has_a_usable_word_list() -> None:
    for file in sorted((ROOT / "workflows").glob("*/manifest.json")):
        words = manifest_words(json.loads(file.read_text(encoding="utf-8")), places={})
        assert {"full_name", "birth_date", "governorate", "phone"} <= set(words.columns.values())


def test_twenty_thousand_rows_take_seconds() -> None:
    lines = (FILES / "charter_ar.csv").read_text(encoding="utf-8-sig").splitlines()
    data = csv_of(lines[0], *(lines[1:] * 100))
    began = time.perf_counter()
    manifest = read(data)
    took = time.perf_counter() - began
    print(f"\nmanifest: 20,000 rows in {took:.1f} s")
    assert len(manifest.rows) + len(manifest.refused) == 20_000
    assert took < 60
