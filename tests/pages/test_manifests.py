"""Arrival lists, in a browser without a script: looked at, imported, followed, and what was refused taken home."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from nrm.actions import manifest_checks
from nrm.actions.manifests import kept_file
from nrm.db import db
from nrm.models import Event, Manifest, Person
from tests.actions.test_manifests import line, run_bulk_jobs
from tests.api.conftest import Office
from tests.arrival_lists import as_csv, rows
from tests.pages.conftest import Page, Reader, chosen


@pytest.fixture
def desk(office: Office, reader: Callable[..., Reader]) -> Reader:
    """A reception desk."""
    return reader(office.land.at_desk("reception", "norvale"))


def send(one: Reader, content: bytes, name: str = "arrivals.csv") -> Page:
    return one.send(one.open("/manifests"), "/manifests", file=chosen(content, name))


def people() -> int:
    db.session.remove()
    number = len(db.session.scalars(select(Person.id)).all())
    db.session.remove()
    return number


def test_a_list_is_looked_at_before_anybody_is_registered_and_then_imported(desk: Reader):
    page = send(desk, as_csv([*rows(3), line(place="Atlantis")]))
    assert "Looked at, not imported" in page.says
    assert "arrivals.csv" in page.says
    assert page.inline == []
    assert people() == 0
    assert "Download the refused rows" in page.links

    page = desk.send(page, "/import")
    assert "Being imported" in page.says
    assert "0 of 3 rows are in" in page.says
    assert "How far is it now?" in page.links
    assert run_bulk_jobs() == 1
    page = desk.open(page.links["How far is it now?"])
    assert "Imported" in page.says
    assert page.says.count("registered, with a case") == 3
    assert "not a case of yours" in page.says, "the offices have the cases"
    assert people() == 3
    assert "Download the refused rows" in page.links, "also after the import"


def test_the_refused_rows_are_taken_home_as_texts_corrected_and_sent_again(desk: Reader):
    page = send(desk, as_csv([*rows(2), line(place="=HYPERLINK(1)"), line(name="+cmd|calc", place="Atlantis")]))
    answer = desk.client.get(page.links["Download the refused rows"])
    assert answer.status_code == 200
    sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]
    cells = [list(row) for row in sheet.iter_rows()]
    assert len(cells) == 3
    assert all(cell.data_type in {"s", "n"} for row in cells for cell in row), "no cell is a formula"
    assert cells[0][-1].value == "Reason"
    assert cells[1][-1].value
    db.session.remove()
    read = db.session.scalars(select(Event.subject_id).where(Event.kind == "record.read")).all()
    assert page.links["Download the refused rows"].split("/")[2] in read
    db.session.remove()


def test_a_known_person_is_joined_and_the_same_list_changes_nothing(desk: Reader):
    content = as_csv([line(), *rows(2)])
    desk.send(send(desk, content), "/import")
    assert run_bulk_jobs() == 1
    again = send(desk, content)
    assert "Imported before 3" in again.says
    desk.send(again, "/import")
    assert run_bulk_jobs() == 1
    assert people() == 3

    desk.send(send(desk, as_csv([line(phone="")])), "/import")
    assert run_bulk_jobs() == 1
    assert people() == 3
    lists = desk.open("/manifests")
    joined = [desk.open(link) for link in set(re.findall(r"/manifests/man_\w+", lists.text))]
    assert len(joined) == 2
    assert any("joined with a person who was registered" in page.says for page in joined)


def test_a_broken_off_import_goes_on_where_it_ended(desk: Reader, monkeypatch: pytest.MonkeyPatch):
    from nrm.actions import manifests as importing

    page = desk.send(send(desk, as_csv(rows(150))), "/import")
    part, calls = importing._import_part, []

    def die_at_the_second(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionError("killed")
        return part(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(importing, "_import_part", die_at_the_second)
        with pytest.raises(ConnectionError):
            run_bulk_jobs()
    db.session.remove()
    page = desk.open(page.links["How far is it now?"])
    assert "100 of 150" in page.says
    manifest_id = page.links["How far is it now?"].split("/")[2]
    assert desk.actor is not None
    manifest_checks.start_import(desk.actor, manifest_id)
    assert run_bulk_jobs() == 1
    assert people() == 150


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "empty.csv", "The file is empty"),
        (b"Dear all\nhere is nothing\n", "other.csv", "No header was found"),
        (b"\x00\x01\x02garbage", "x.xlsx", "not a list"),
        (b"PK\x03\x04 no workbook", "x.xlsx", "workbook"),
        (b"", "", "Please fill this in"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_words_and_leaves_nothing(
    desk: Reader, content: bytes, name: str, words: str
):
    page = send(desk, content, name)
    assert page.status == 422
    assert "#file" in page.links.values()
    assert words in " ".join(page.alerts)
    db.session.remove()
    assert db.session.scalars(select(Manifest.id)).all() == []
    db.session.remove()


def test_a_list_without_a_good_row_cannot_be_imported_only_given_up(desk: Reader):
    page = send(desk, as_csv([line(place="Atlantis")]))
    assert "No row can be taken" in page.says
    assert not page.leads("/import")
    manifest_id = page.form("/drop").action.split("/")[2]
    gone = desk.send(page, "/drop")
    assert "The list was given up" in gone.says
    assert desk.open(f"/manifests/{manifest_id}").status == 404
    assert not kept_file(manifest_id).exists()
    assert list(kept_file(manifest_id).parent.iterdir()) == []


def test_what_was_given_up_or_is_being_imported_is_said_so(desk: Reader):
    page = send(desk, as_csv(rows(2)))
    running = desk.send(page, "/import")
    refused = desk.send(page, "/drop")
    assert refused.status == 409
    assert "Wait until it is done" in refused.says
    assert run_bulk_jobs() == 1
    late = desk.send(page, "/import")
    assert late.status == 409
    assert "Send it again" in late.says
    assert running.status == 200


def test_the_rows_of_a_list_are_for_who_sent_it(office: Office, desk: Reader, reader: Callable[..., Reader]):
    page = send(desk, as_csv([*rows(1), line(place="Atlantis", name="Zanarilla")]))
    manifest_id = page.form("/import").action.split("/")[2]
    other = reader(office.land.at_desk("reception", "hillin", "two"))
    seen = other.open(f"/manifests/{manifest_id}")
    assert "Somebody else sent this list" in seen.says
    assert not seen.leads("/import")
    assert other.open(f"/manifests/{manifest_id}/refused").status == 404
    token = dict(other.open("/work").form("/sign-out").fields)["token"]
    for verb in ("import", "drop"):
        assert other.post(f"/manifests/{manifest_id}/{verb}", {"token": token}).status == 404
    handler = reader(office.land.at_desk("case_handler", "norvale"))
    assert handler.open("/manifests").status == 403
    assert "Arrival lists" not in handler.open("/work").links


def test_old_lists_are_swept_away(desk: Reader, monkeypatch: pytest.MonkeyPatch):
    page = send(desk, as_csv([*rows(1), line(place="Atlantis")]))
    manifest_id = page.form("/import").action.split("/")[2]
    assert manifest_checks.sweep_lists() == {"removed": 0}
    monkeypatch.setattr(manifest_checks, "KEPT", -manifest_checks.KEPT)
    assert manifest_checks.sweep_lists() == {"removed": 2}
    again = desk.open(f"/manifests/{manifest_id}")
    assert (again.status, again.leads("/import")) == (200, False)


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_lists_read_in_the_readers_language(office: Office, reader: Callable[..., Reader], language: str):
    one = reader(office.land.at_desk("reception", "norvale"), language)
    page = send(one, as_csv([*rows(1), line(place="Atlantis")]))
    assert (page.status, page.language, page.inline) == (200, language, [])
    assert one.send(page, "/import").language == language
    assert run_bulk_jobs() == 1
    assert one.open("/manifests").language == language
