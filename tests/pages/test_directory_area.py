"""Who keeps the directory of one governorate changes what lies there, and reads the rest."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from sqlalchemy import select

from nrm.actions.capacity import verify_service
from nrm.actions.directory_editing import add_entry, change_entry
from nrm.errors import NotAllowed
from nrm.models import Service
from nrm.queries.pack_entries import directory_entries, directory_entry
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader
from tests.pages.test_directory_admin import NAMES, save

HERE, THERE, BOTH = "moh_case_handler_norvale", "moh_case_handler_lakemar", "training_coast"


@pytest.fixture
def keeper(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(office.land.at_desk("coordinator", "norvale"))


def entry(reader: Reader, kind: str, key: str) -> Page:
    page = reader.open(f"/admin/directory/{kind}?key={quote(key)}")
    assert page.status == 200
    return page


def test_a_desk_of_the_own_governorate_is_changed_and_one_of_another_is_only_read(keeper: Reader):
    assert "Saved" in save(keeper, entry(keeper, "desk", HERE), **NAMES).says
    there = entry(keeper, "desk", THERE)
    assert "others keep" in there.says
    assert "disabled" in there.text
    address = f"/admin/directory/desk?key={THERE}"
    fields = dict(there.form(address).fields)
    refused = keeper.post(address, {"token": fields["token"], "seen": fields["seen"], "names.en": "Taken Over"})
    assert refused.status == 403
    assert "others keep" in refused.says
    assert "Taken Over" not in entry(keeper, "desk", THERE).says


def test_nothing_is_moved_out_of_the_own_governorate_or_added_elsewhere(keeper: Reader):
    actor = keeper.actor
    assert actor is not None
    mine = directory_entry(actor, "desk", HERE)
    with pytest.raises(NotAllowed) as caught:
        change_entry(actor, "desk", HERE, changes={"governorate": "lakemar"}, seen=mine.seen)
    assert caught.value.code == "outside_your_area"
    names = {"ar": "مكتب مختلق", "ckb": "نووسینگەی داهێنراو", "en": "Invented desk"}
    desk = {"code": "moh_new", "role": "case_handler", "names": names}
    for place in ({"governorate": "lakemar"}, {"governorate": None}):
        with pytest.raises(NotAllowed):
            add_entry(actor, "desk", data={**desk, **place}, under="moh")
    with pytest.raises(NotAllowed):
        add_entry(actor, "organisation", data={"code": "new_one", "names": names, "kind": "ngo", "channel": "portal"})
    assert add_entry(actor, "desk", data={**desk, "governorate": "norvale"}, under="moh").key == "moh_new"


def test_what_counts_in_several_governorates_is_left_to_those_who_keep_all_of_them(keeper: Reader, office: Office):
    assert keeper.actor is not None
    coast = {one.key: one.editable for one in directory_entries(keeper.actor)["service"]}
    assert not coast[BOTH]
    national = office.land.at_desk("national_unit", "norvale")
    everything = directory_entries(national)
    assert all(one.editable for rows in everything.values() for one in rows)


def test_the_list_says_what_can_only_be_read_and_offers_no_new_organisation(keeper: Reader, reader, office: Office):
    page = keeper.open("/admin/directory")
    assert "to read only" in page.says
    assert "/admin/directory/organisation/new" not in page.links.values()
    national = reader(office.land.at_desk("national_unit", "norvale")).open("/admin/directory")
    assert "to read only" not in national.says
    assert "/admin/directory/organisation/new" in national.links.values()


def test_the_places_of_a_service_that_is_offered_elsewhere_are_not_counted_from_here(keeper: Reader, office: Office):
    office.land.session.close()
    service = office.land.session.execute(select(Service.id).where(Service.code == BOTH)).scalar_one()
    office.land.session.close()
    with pytest.raises(NotAllowed):
        verify_service(keeper.actor, service)
