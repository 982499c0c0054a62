"""The country's data on pages: codes, holidays, settings and decision tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from nrm.actions.seeding import Taken, load_pack
from nrm.actors import SYSTEM
from nrm.countries import read_pack
from nrm.engine.table_grids import read_grid, write_grid
from nrm.engine.tables import read_table
from nrm.models import CodeEntry, Event, PackItem
from nrm.queries import packs
from tests.api.conftest import Office
from tests.installations import TESTLAND
from tests.pages.administrators import administrator
from tests.pages.conftest import Page, Reader

Readers = Callable[..., Reader]
NAMES = {"names__ar": "اسم مختلق", "names__ckb": "ناوی داهێنراو", "names__en": "Invented Word"}


@pytest.fixture
def boss(office: Office, reader: Readers) -> Reader:
    return reader(administrator(office))


def stored(office: Office, kind: str, key: str) -> Any:
    office.land.session.close()
    found = select(PackItem.content).where(PackItem.kind == kind, PackItem.key == key)
    return office.land.session.execute(found).scalar_one()


def events(office: Office) -> list[Event]:
    office.land.session.close()
    return list(office.land.session.scalars(select(Event).where(Event.kind == "pack.changed")))


def test_a_word_of_a_code_is_changed_and_forms_say_it_at_once(boss: Reader, office: Office):
    page = boss.open(boss.open("/admin").links["Code lists"])
    assert page.status == 200
    page = boss.open("/admin/codes?list=cancel_reason")
    address = next(link for link in page.links.values() if "/admin/codes/edit" in link)
    address = address.replace("/no_longer", "%2Fno_longer")
    page = boss.open(address)
    assert page.inline == []
    done = boss.send(page, address, **NAMES)
    assert "Saved" in done.says
    assert "Invented Word" in done.says
    assert any(one.names["en"] == "Invented Word" for one in packs.pack().codes["cancel_reason"].values())
    conflict = boss.send(page, address, names__en="Another Word")
    assert conflict.status == 409
    missing = boss.send(boss.open(address), address, names__ckb="")
    assert missing.status == 422
    assert "#entry-names" in missing.links.values()
    off = boss.send(boss.open(address), address, active=[])
    assert "Saved" in off.says
    assert load_pack(SYSTEM, read_pack(TESTLAND)).count(Taken.KEPT) == 1


def test_a_code_is_added_at_the_end_of_its_list(boss: Reader, office: Office):
    page = boss.open("/admin/codes/new?list=cancel_reason")
    action = "/admin/codes/new?list=cancel_reason"
    for code in ("", "Two Words", "no_longer_needed", "x" * 70, "=cmd"):
        assert boss.send(page, action, **NAMES, code=code).status == 422
    assert "Saved" in boss.send(page, action, **NAMES, code="invented_reason").says
    assert list(packs.pack().codes["cancel_reason"])[-1] == "invented_reason"
    office.land.session.close()
    found = office.land.session.execute(select(CodeEntry).where(CodeEntry.code == "invented_reason")).scalar_one()
    assert found.loaded_hash is None
    assert boss.open("/admin/codes/new?list=nothing").status == 404


def test_a_holiday_is_left_out_of_deadlines_from_now_on_and_can_be_taken_back(boss: Reader, office: Office):
    page = boss.open("/admin/holidays")
    assert page.inline == []
    day = date(2026, 3, 9)
    calendar = packs.pack().calendar_for("coast")
    assert day not in calendar.holidays
    done = boss.send(page, "/admin/holidays/coast", day=day.isoformat(), **NAMES)
    assert "Saved" in done.says
    assert "Invented Word" in done.says
    assert day in packs.pack().calendar_for("coast").holidays
    assert day not in packs.pack().calendar_for("hills").holidays
    twice = boss.send(done, "/admin/holidays/coast", day=day.isoformat(), **NAMES)
    assert twice.status == 422
    gone = boss.send(done, f"/admin/holidays/coast/{day}/remove")
    assert "Saved" in gone.says
    assert day not in packs.pack().calendar_for("coast").holidays
    assert len(events(office)) == 2


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-02-30", "9999-12-31", "0001-01-01"])
def test_an_absurd_holiday_is_refused_at_its_field(boss: Reader, office: Office, day: str):
    page = boss.send(boss.open("/admin/holidays"), "/admin/holidays/coast", day=day, **NAMES)
    assert page.status == 422
    assert "#holiday-coast-day" in page.links.values()
    assert events(office) == []


def test_a_holiday_without_a_name_in_each_language_is_refused(boss: Reader, office: Office):
    page = boss.send(boss.open("/admin/holidays"), "/admin/holidays/coast", day="2026-03-09", names__en="Only this")
    assert page.status == 422
    assert events(office) == []


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("followup_first", "P2M", True),
        ("followup_first", "two months", False),
        ("followup_first", "90", False),
        ("followup_first", "", False),
        ("max_attempts", "4", True),
        ("max_attempts", "P4D", False),
        ("max_attempts", "-1", False),
        ("max_attempts", "99999999999", False),
    ],
)
def test_a_setting_stays_of_its_kind(boss: Reader, office: Office, key: str, value: str, *, right: bool):
    page = boss.open(f"/admin/settings/{key}")
    before = stored(office, "setting", key)["value"]
    done = boss.send(page, f"/admin/settings/{key}", value=value)
    assert done.status == (200 if right else 422)
    assert stored(office, "setting", key)["value"] == (value if right else before)
    if right:
        assert value in done.says
        assert boss.send(page, f"/admin/settings/{key}", value=before).status == 409


def test_a_setting_says_which_paths_read_it_and_that_they_keep_it(boss: Reader):
    page = boss.open("/admin/settings/followup_first")
    assert "keeps the settings and tables" in page.says
    assert "Reintegration" in page.says or "Follow-up" in page.says


def table(boss: Reader, key: str = "priority") -> Page:
    page = boss.open(f"/admin/tables/{key}")
    assert page.status == 200
    return page


def test_a_rule_of_a_table_is_changed_checked_and_written_as_a_table_that_paths_can_read(boss: Reader, office: Office):
    page = table(boss)
    assert page.inline == []
    done = boss.send(page, "/admin/tables/priority", o__2__0='"normal"', do="save")
    assert done.status == 200, done.alerts
    assert "Saved" in done.says
    text = stored(office, "table", "priority")
    assert read_table("priority", text).outputs == ("priority",)
    assert read_grid("priority", text).lines[2].results == ('"normal"',)
    (event,) = events(office)
    assert event.data["what"] == ["rule 3"]
    stale = boss.send(page, "/admin/tables/priority", o__1__0='"normal"', do="save")
    assert stale.status == 409
    assert load_pack(SYSTEM, read_pack(TESTLAND)).count(Taken.KEPT) == 1


def test_rules_are_added_moved_and_removed_before_anything_is_saved(boss: Reader, office: Office):
    before = stored(office, "table", "priority")
    more = boss.send(table(boss), "/admin/tables/priority", do="add")
    assert "Not saved yet" in more.says
    assert ("rows", "5") in more.form("/admin/tables/priority").fields
    up = boss.send(more, "/admin/tables/priority", i__4__2='"low"', o__4__0='"normal"', d__4="Low risk", do="up:4")
    less = boss.send(up, "/admin/tables/priority", do="remove:0")
    assert stored(office, "table", "priority") == before
    done = boss.send(less, "/admin/tables/priority", do="save")
    assert done.status == 200, done.alerts
    lines = read_grid("priority", stored(office, "table", "priority")).lines
    assert [line.description for line in lines] == ["An urgent vulnerability", "High risk", "Low risk", "All others"]


@pytest.mark.parametrize("cell", ["__import__('os')", "low", "1 +", '"a" * 9999', "x" * 600, "<b>", "=1+1"])
def test_a_cell_that_cannot_be_read_is_told_and_nothing_is_saved(boss: Reader, office: Office, cell: str):
    before = stored(office, "table", "priority")
    page = boss.send(table(boss), "/admin/tables/priority", o__0__0=cell, do="save")
    assert page.status in {200, 422}
    if page.status == 422:
        assert page.alerts
        assert stored(office, "table", "priority") == before
    assert page.inline == []


def test_a_table_without_rules_is_refused(boss: Reader, office: Office):
    before = stored(office, "table", "priority")
    page = boss.send(table(boss), "/admin/tables/priority", rows="0", do="save")
    assert page.status == 422
    assert stored(office, "table", "priority") == before


def test_every_table_of_the_pack_reads_the_same_after_writing():
    for file in (TESTLAND.parent).glob("*/tables/*.dmn"):
        text = file.read_text("utf-8")
        grid = read_grid(file.stem, text)
        again = write_grid(file.stem, grid)
        assert read_grid(file.stem, again) == grid
        assert read_table(file.stem, again) == read_table(file.stem, text)


def test_others_do_not_come_in(handler: Reader, office: Office, reader: Readers):
    addresses = ("/admin/codes", "/admin/holidays", "/admin/settings", "/admin/tables", "/admin/tables/priority")
    for one in (handler, reader(office.land.at_desk("coordinator", "norvale"))):
        for address in addresses:
            assert one.open(address).status == 403


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_it_is_all_there_in_the_readers_language(office: Office, reader: Readers, language: str):
    one = reader(administrator(office), language)
    for address in (
        "/admin",
        "/admin/codes?list=cancel_reason",
        "/admin/codes/edit?key=" + quote("cancel_reason/duplicate"),
        "/admin/codes/new?list=cancel_reason",
        "/admin/holidays",
        "/admin/settings",
        "/admin/settings/max_attempts",
        "/admin/tables",
        "/admin/tables/priority",
    ):
        page = one.open(address)
        assert (page.status, page.language, page.direction) == (200, language, "rtl")
