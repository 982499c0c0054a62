"""What states, stages, roles and places are called is changed on a page, and counts at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.actions.seeding import Taken, load_pack
from nrm.actors import SYSTEM
from nrm.countries import read_pack
from nrm.models import Event
from nrm.queries import packs
from tests.api.conftest import Office
from tests.installations import TESTLAND
from tests.pages.administrators import administrator
from tests.pages.conftest import Reader

Readers = Callable[..., Reader]
NAMES = {"names__ar": "اسم مختلق", "names__ckb": "ناوی داهێنراو", "names__en": "Invented Word"}
STAGE = "/admin/labels/edit?key=stage%2Freception"


@pytest.fixture
def boss(office: Office, reader: Readers) -> Reader:
    return reader(administrator(office))


def told(office: Office) -> list[Event]:
    office.land.session.close()
    return list(office.land.session.scalars(select(Event).where(Event.kind == "pack.changed")))


def test_a_stage_is_called_otherwise_at_once_and_the_page_says_who_changed_what(boss: Reader, office: Office):
    page = boss.open(boss.open("/admin").links["Labels"])
    assert page.inline == []
    assert "Stages" in page.says
    listed = boss.open("/admin/labels?group=stage")
    assert STAGE.replace("%2F", "/") in listed.links.values()
    assert "changed here" not in listed.says
    done = boss.send(boss.open(STAGE), STAGE, **NAMES)
    assert "Saved" in done.says
    labels = packs.pack().labels
    assert [labels[one]["stage"]["reception"] for one in ("ar", "ckb", "en")] == [*NAMES.values()]
    assert labels["en"]["stage"]["pre_arrival"] == "Before arrival"
    (event,) = told(office)
    assert (event.subject_kind, event.subject_id) == ("label", "stage/reception")
    assert "Invented Word" in event.data["after"]
    assert "changed here" in boss.open("/admin/labels?group=stage").says
    assert load_pack(SYSTEM, read_pack(TESTLAND)).count(Taken.KEPT) == 3


def test_two_who_change_the_same_label_do_not_overwrite_one_another(boss: Reader, office: Office):
    first = boss.open(STAGE)
    assert "Saved" in boss.send(first, STAGE, **NAMES).says
    late = boss.send(first, STAGE, **{**NAMES, "names__en": "Too Late"})
    assert late.status == 409
    assert "Invented Word" in late.says
    assert packs.pack().labels["en"]["stage"]["reception"] == "Invented Word"
    same = boss.send(boss.open(STAGE), STAGE, **NAMES)
    assert "Saved" in same.says
    assert len(told(office)) == 1, "what changes nothing is not told"


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("names__ckb", "", "“کوردی” is missing"),
        ("names__ar", "   ", "“العربية” is missing"),
        ("names__en", "<b>bold</b>", "tag"),
        ("names__en", "R&amp;D", "tag"),
        ("names__en", "x" * 201, "200"),
        ("names__en", "a\u202eb", "direction"),
    ],
)
def test_words_that_cannot_be_shown_are_refused_at_their_field(
    boss: Reader, office: Office, field: str, text: str, says: str
):
    page = boss.send(boss.open(STAGE), STAGE, **{**NAMES, field: text})
    assert page.status == 422
    assert "#entry-names" in page.links.values()
    assert says in page.says
    assert told(office) == []


def test_signs_that_are_no_markup_may_stand_in_a_label(boss: Reader):
    words = "Return & reception < 3 days"
    assert "Saved" in boss.send(boss.open(STAGE), STAGE, **{**NAMES, "names__en": words}).says
    assert packs.pack().labels["en"]["stage"]["reception"] == words


def test_roles_places_and_jurisdictions_are_named_here_too(boss: Reader, office: Office):
    for key in ("names.role/supervisor", "names.place/norvale", "names.jurisdiction/coast", "names.code_list/sex"):
        address = "/admin/labels/edit?key=" + key.replace("/", "%2F")
        assert "Saved" in boss.send(boss.open(address), address, **NAMES).says, key
    pack = packs.pack()
    assert pack.role_names["supervisor"]["en"] == "Invented Word"
    assert "case.close" in pack.roles["supervisor"], "the rest of a role stays"
    assert pack.places["norvale"].names["ckb"] == NAMES["names__ckb"]
    assert pack.places["norvale"].jurisdiction == "coast"
    assert {event.subject_kind for event in told(office)} == {"label"}


@pytest.mark.parametrize("key", ["", "stage", "stage/", "stage/nothing", "nothing/reception", "names.place/x", "a/b/c"])
def test_a_label_that_is_not_there_is_not_found(boss: Reader, key: str):
    assert boss.open("/admin/labels/edit?key=" + key.replace("/", "%2F")).status == 404


def test_who_may_not_change_the_countrys_data_sees_no_labels(office: Office, reader: Readers):
    handler = reader(office.land.at_desk("case_handler", "norvale"))
    assert handler.open("/admin/labels").status == 403
    assert handler.open(STAGE).status == 403
