"""Loading a country pack: the first time everything, later only what nobody here has changed."""

import dataclasses

import pytest
from sqlalchemy import delete, func, select, update

from nrm.actions.seeding import Taken, export_pack, load_pack
from nrm.actors import SYSTEM, Actor, ActorKind
from nrm.countries import BadPack, ItemKind, read_pack
from nrm.db import db
from nrm.errors import NotAllowed
from nrm.installation import install
from nrm.models import Desk, FormVersion, Organisation, Path, PathDraft, PathVersion, Service, SharingAgreement
from nrm.queries import packs, paths
from nrm.vocabulary import PathStatus
from tests.installations import TESTLAND


@pytest.fixture(scope="module")
def testland():
    return read_pack(TESTLAND)


def with_service(pack, code, **changes):
    services = tuple(
        dataclasses.replace(service, **changes) if service.code == code else service for service in pack.services
    )
    return dataclasses.replace(pack, services=services)


def change_here(statement):
    db.session.execute(statement)
    db.session.commit()


def taken(report):
    return {(change.kind, change.key): change.taken for change in report.changes}


def test_the_first_load_publishes_every_path(installed, testland):
    versions = db.session.scalars(select(PathVersion)).all()
    assert {version.status for version in versions} == {PathStatus.PUBLISHED}
    assert len(versions) == len(testland.paths)
    assert db.session.scalar(select(Path.latest_id).where(Path.key == "hello")) is not None
    assert paths.version(paths.published("reintegration_case")).spec.key == "reintegration_case"


def test_loading_the_same_pack_again_changes_nothing(installed, testland):
    stamp = packs.pack().stamp
    report = load_pack(SYSTEM, testland)
    assert report.changes == ()
    assert report.unchanged > 100
    packs.forget()
    assert packs.pack().stamp == stamp


def test_what_only_the_pack_changed_is_updated(installed, testland):
    names = {"ar": "تدريب جديد", "ckb": "ڕاهێنانی نوێ", "en": "New training"}
    report = load_pack(SYSTEM, with_service(testland, "training_coast", names=names, coverage=(("norvale", None),)))
    assert taken(report) == {("service", "training_coast"): Taken.UPDATED}
    stored = db.session.scalar(select(Service).where(Service.code == "training_coast"))
    assert stored.names == names
    assert stored.version == 2
    again = load_pack(SYSTEM, with_service(testland, "training_coast", names=names, coverage=(("norvale", None),)))
    assert again.changes == ()


def test_what_an_admin_changed_stays_and_is_reported(installed, testland):
    names = {"ar": "اسم محلي", "ckb": "ناوی ناوخۆیی", "en": "Our own name"}
    change_here(update(Organisation).where(Organisation.code == "open_door").values(names=names))
    report = load_pack(SYSTEM, testland)
    assert taken(report) == {("organisation", "open_door"): Taken.KEPT}
    assert report.differences == report.changes
    assert db.session.scalar(select(Organisation.names).where(Organisation.code == "open_door")) == names


def test_what_both_changed_stays_and_is_reported_as_a_conflict(installed, testland):
    change_here(update(Service).where(Service.code == "job_search").values(eligibility="age >= 16"))
    report = load_pack(SYSTEM, with_service(testland, "job_search", eligibility="age >= 21"))
    assert taken(report) == {("service", "job_search"): Taken.CONFLICT}
    assert db.session.scalar(select(Service.eligibility).where(Service.code == "job_search")) == "age >= 16"


def test_open_places_that_a_provider_keeps_are_no_difference(installed, testland):
    change_here(update(Service).where(Service.code == "training_one_seat").values(open_slots=0, accepting=False))
    assert load_pack(SYSTEM, testland).changes == ()


def test_an_entry_that_left_the_pack_stays(installed, testland):
    fewer = tuple(service for service in testland.services if service.code != "small_shops")
    report = load_pack(SYSTEM, dataclasses.replace(testland, services=fewer))
    assert taken(report) == {("service", "small_shops"): Taken.GONE}
    assert db.session.scalar(select(Service.active).where(Service.code == "small_shops"))


def test_an_entry_that_was_made_here_is_nobody_elses_business(installed, testland):
    organisation = db.session.scalar(select(Organisation.id).where(Organisation.code == "open_door"))
    names = {"ar": "مكتب", "ckb": "نووسینگە", "en": "Our desk"}
    made = {"id": "dsk_" + "0" * 26, "code": "open_door_extra", "organisation_id": organisation}
    db.session.add(Desk(**made, role="receiving_desk", names=names))
    db.session.commit()
    assert load_pack(SYSTEM, testland).changes == ()


def test_a_changed_diagram_becomes_a_draft_and_nobody_is_moved(installed, testland):
    before = paths.published("hello")
    changed = testland.paths["hello"].replace(b'name="Serve', b'name="Kindly serve', 1)
    assert changed != testland.paths["hello"]
    pack = dataclasses.replace(testland, paths={**testland.paths, "hello": changed})
    assert taken(load_pack(SYSTEM, pack)) == {("path", "hello"): Taken.DRAFTED}
    assert paths.published("hello") == before
    assert load_pack(SYSTEM, pack).changes == ()
    versions = select(PathVersion.number).join(Path).where(Path.key == "hello")
    assert list(db.session.scalars(versions)) == [1]
    drafts = db.session.scalars(select(PathDraft).where(PathDraft.path_key == "hello")).all()
    assert [(draft.status, draft.base_version_id) for draft in drafts] == [("draft", before)]
    assert "Kindly serve" in drafts[0].diagram


def test_a_second_reload_takes_the_place_of_a_draft_that_nobody_touched(installed, testland):
    for word in (b"Kindly", b"Gladly"):
        changed = testland.paths["hello"].replace(b'name="Serve', b'name="' + word + b" serve", 1)
        load_pack(SYSTEM, dataclasses.replace(testland, paths={**testland.paths, "hello": changed}))
    drafts = db.session.scalars(select(PathDraft).where(PathDraft.path_key == "hello")).all()
    assert sorted((draft.status, "Gladly" in draft.diagram) for draft in drafts) == [
        ("discarded", False),
        ("draft", True),
    ]


def test_a_changed_form_makes_a_new_form_version_and_drafts_the_paths_that_ask_it(installed, testland):
    form = {**testland.forms["hello_ask"], "version": 2}
    pack = dataclasses.replace(testland, forms={**testland.forms, "hello_ask": form})
    changes = taken(load_pack(SYSTEM, pack))
    assert changes == {("form", "hello_ask"): Taken.ADDED, ("path", "hello"): Taken.DRAFTED}
    numbers = db.session.scalars(select(FormVersion.number).where(FormVersion.key == "hello_ask").order_by("number"))
    assert list(numbers) == [1, 2]


def test_a_changed_setting_drafts_only_the_paths_that_name_it(installed, testland):
    items = tuple(
        dataclasses.replace(item, content={**item.content, "value": "P9D"})
        if (item.kind, item.key) == (ItemKind.SETTING, "answer_wait")
        else item
        for item in testland.items
    )
    changes = taken(load_pack(SYSTEM, dataclasses.replace(testland, items=items)))
    assert changes.pop(("item", "setting/answer_wait")) is Taken.UPDATED
    naming = {key for key, diagram in testland.paths.items() if b"setting:answer_wait" in diagram}
    assert naming
    assert changes == {("path", key): Taken.DRAFTED for key in naming}


def test_a_pack_with_a_diagram_that_cannot_run_is_not_loaded_at_all(installed, testland):
    broken = testland.paths["hello"].replace(b"<bpmn:startEvent", b"<bpmn:scriptTask id='evil'/><bpmn:startEvent", 1)
    pack = with_service(testland, "job_search", eligibility="age >= 21")
    with pytest.raises(BadPack) as caught:
        load_pack(SYSTEM, dataclasses.replace(pack, paths={**testland.paths, "hello": broken}))
    assert {problem.file for problem in caught.value.problems if not problem.warning} == {"paths/hello.bpmn"}
    assert db.session.scalar(select(Service.eligibility).where(Service.code == "job_search")) != "age >= 21"


def test_a_handler_may_not_load_packs(installed, testland):
    with pytest.raises(NotAllowed):
        load_pack(Actor(kind=ActorKind.USER, id="usr_1"), testland)


def test_an_exported_pack_is_the_pack_that_was_loaded(installed, testland, tmp_path):
    files = export_pack(tmp_path / "out")
    again = read_pack(tmp_path / "out")
    assert "country.json" in files
    for field in (field for field in dataclasses.fields(testland) if field.compare):
        ours, theirs = getattr(testland, field.name), getattr(again, field.name)
        if isinstance(ours, tuple):
            assert sorted(map(repr, ours)) == sorted(map(repr, theirs)), field.name
        else:
            assert ours == theirs, field.name
    assert load_pack(SYSTEM, again).changes == ()


def test_pack_data_are_read_once_until_somebody_changes_them(installed, testland, query_counter):
    packs.pack()
    with query_counter() as count:
        for _ in range(50):
            packs.pack()
    assert count() == 0
    load_pack(SYSTEM, with_service(testland, "job_search", eligibility="age >= 21"))
    with query_counter() as count:
        packs.pack()
    assert count() > 0


def test_work_goes_to_the_nearest_desk_of_a_role(installed):
    data = packs.pack()
    assert data.find_desk("case_handler", governorate="hillin").code == "hro_case_handler_hillin"
    assert data.find_desk("national_unit", governorate="hillin").code == "hro_national_unit"
    assert data.find_desk("national_unit", governorate="norvale").code == "moh_national_unit"
    assert data.find_desk("no_such_role", governorate="norvale") is None


def test_a_desk_of_a_provider_is_only_found_by_naming_the_provider(installed):
    data = packs.pack()
    assert data.find_desk("provider_manager", governorate="norvale") is None
    owner = db.session.scalar(select(Organisation.id).where(Organisation.code == "open_door"))
    assert data.find_desk("provider_manager", governorate="norvale", organisation_id=owner).organisation_id == owner


def test_invented_agreements_let_no_data_out_where_people_are_real(installed, testland, tmp_path):
    assert db.session.scalar(select(func.count()).select_from(SharingAgreement)) > 0
    db.session.execute(delete(SharingAgreement))
    db.session.commit()
    install(dataclasses.replace(installed.config, demo=False), installed.clock)
    load_pack(SYSTEM, testland)
    assert db.session.scalar(select(func.count()).select_from(SharingAgreement)) == 0
