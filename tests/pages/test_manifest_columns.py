"""The columns of a list that nobody knows are matched by hand, without a script, and remembered for the next list."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from nrm.db import db
from nrm.models import ManifestColumn, Person
from tests.actions.test_manifests import run_bulk_jobs
from tests.api.conftest import Office
from tests.pages.administrators import organisation
from tests.pages.conftest import Page, Reader
from tests.pages.test_manifests import people, send

TITLE = [["Charterflug nach Testland", "", "", "", ""], ["Stand: März", "", "", "", ""], ["", "", "", "", ""]]
HEAD = ["Fluggast", "Herkunftsort", "Rufnummer", "Geb.", "Sitz"]
GUESTS = [
    ["Zozan Erfunden Niemand", "Norvale", "07705550101", "1.2.1990", "12A"],
    ["Hiwa Erfunden Keiner", "Lakemar", "07705550102", "3.4.1985", "12B"],
    ["Lana Erfunden Nirgend", "Atlantis", "07705550103", "5.6.1979", "12C"],
]
CHOSEN = {
    "column.0": "full_name",
    "column.1": "governorate",
    "column.2": "phone",
    "column.3": "birth_date",
    "column.4": "",
}


def written(separator: str = ";", encoding: str = "cp1252", *, title: bool = True) -> bytes:
    rows = [*(TITLE if title else []), HEAD, *GUESTS]
    return "\r\n".join(separator.join(row) for row in rows).encode(encoding)


@pytest.fixture
def desk(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(office.land.at_desk("reception", "norvale"))


def match(desk: Reader, page: Page, **chosen: Any) -> Page:
    """Choose columns; a field's name has a point, which no keyword can have."""
    form = page.form("/columns")
    sent = dict(form.fields) | CHOSEN | chosen
    answer = desk.client.post(form.action, data=sent)
    assert answer.status_code < 500, answer.text
    return desk.open(answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


@pytest.mark.parametrize(
    ("separator", "encoding"), [(";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8-sig"), (",", "utf-16-le")]
)
def test_a_list_of_unknown_words_is_matched_looked_at_and_imported(desk: Reader, separator: str, encoding: str):
    page = send(desk, written(separator, encoding))
    assert page.status == 200
    assert "The columns of this list were not recognised" in page.says
    assert page.inline == []
    for text in (*HEAD, "Zozan Erfunden Niemand", "07705550102", "12C", "Full name", "Row 4: Fluggast"):
        assert text in page.says
    assert people() == 0
    page = match(desk, page)
    assert "Looked at, not imported" in page.says
    assert "Download the refused rows" in page.links, "Atlantis is no place"
    desk.send(page, "/import")
    assert run_bulk_jobs() == 1
    assert people() == 2
    db.session.remove()
    (sitz,) = (row for row in db.session.scalars(select(ManifestColumn)) if row.column == "")
    assert "Sitz" not in sitz.fingerprint
    db.session.remove()


def test_what_was_matched_is_known_the_next_time_to_the_same_organisation_only(
    desk: Reader, office: Office, reader: Callable[..., Reader]
):
    match(desk, send(desk, written()))
    again = [HEAD[2], HEAD[0], HEAD[1], HEAD[4]], ["07705550999", "Nali Erfunden Anders", "Norvale", "1A"]
    content = "\n".join(",".join(row) for row in again).encode()
    page = send(desk, content)
    assert "Looked at, not imported" in page.says
    assert "Columns that were not recognised" not in page.says
    columns = desk.open(page.links["Match the columns by hand"])
    fields = dict(columns.form("/columns").fields)
    assert [fields.get(f"column.{place}", "") for place in range(4)] == ["phone", "full_name", "governorate", ""]
    other = reader(office.land.seat(None, organisation(office, "hro"), "reception"))
    assert "were not recognised" in send(other, content + b"\n").says


def test_a_wrong_choice_is_said_at_its_column_and_what_was_chosen_stays(desk: Reader):
    page = send(desk, written())
    wrong = match(desk, page, **{"column.2": "governorate"})
    assert wrong.status == 422
    assert "#columns-2" in wrong.links.values()
    fields = dict(wrong.form("/columns").fields)
    assert (fields["column.0"], fields["column.2"]) == ("full_name", "governorate")
    nameless = match(desk, page, **{"column.0": ""})
    assert "Choose the column in which the name" in " ".join(nameless.alerts)
    unknown = match(desk, page, **{"column.4": "colour"})
    assert unknown.status == 422
    assert "There is no such column" in " ".join(unknown.alerts)
    without_place = match(desk, page, **{"column.1": ""})
    assert "Download the refused rows" in without_place.links
    assert "The place is missing" in without_place.says
    missing = desk.open(without_place.links["Match the columns by hand"])
    assert "No column is chosen yet for: Governorate" in missing.says


def test_another_row_can_be_the_one_with_the_titles(desk: Reader):
    content = b"Name;Name\nGuest of flight;Place of origin\nNobody Invented Here;Norvale\n"
    page = send(desk, content)
    columns = desk.open(page.links["Match the columns by hand"])
    assert "Row 2: Guest of flight" in columns.says
    second = desk.open(columns.form("/columns").action + "?head=2")
    assert "Guest of flight" in second.says
    for head in ("0", "99", "x", "-1", "2026"):
        assert desk.open(columns.form("/columns").action + "?head=" + head).status == 200
    done = match(desk, second, **{"column.1": "governorate"})
    assert "Looked at, not imported" in done.says
    desk.send(done, "/import")
    assert run_bulk_jobs() == 1
    assert people() == 1


def test_a_sheet_of_a_workbook_without_known_words_is_matched_too(desk: Reader):
    book = Workbook()
    book.active.append(["A cover sheet"])
    sheet = book.create_sheet("Liste")
    for row in [*TITLE, HEAD, *GUESTS]:
        sheet.append([cell or None for cell in row])
    out = io.BytesIO()
    book.save(out)
    page = match(desk, send(desk, out.getvalue(), "list.xlsx"))
    desk.send(page, "/import")
    assert run_bulk_jobs() == 1
    assert people() == 2


def test_nothing_is_imported_before_somebody_said_which_column_is_the_name(desk: Reader):
    page = send(desk, written())
    home = desk.open(page.links["Arrival list"])
    assert not home.leads("/import")
    token = dict(page.form("/columns").fields)["token"]
    refused = desk.client.post(home.form("/drop").action.replace("/drop", "/import"), data={"token": token})
    assert refused.status_code == 422
    assert run_bulk_jobs() == 0
    assert desk.send(home, "/drop").status == 200
    assert desk.open(page.form("/columns").action).status == 404


def test_nobody_else_matches_a_list_and_nobody_after_rows_went_in(
    desk: Reader, office: Office, reader: Callable[..., Reader]
):
    page = send(desk, written())
    other = reader(office.land.at_desk("reception", "norvale", "two"))
    assert other.open(page.form("/columns").action).status == 404
    looked = match(desk, page)
    desk.send(looked, "/import")
    late = match(desk, page)
    assert late.status == 409
    assert "being imported" in late.says
    db.session.remove()
    assert db.session.scalars(select(Person.id)).all() == []
    db.session.remove()
