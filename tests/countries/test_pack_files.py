"""A pack is read whole or not at all, and its author hears of every mistake at once."""

import json
from pathlib import Path

import pytest

from nrm.actions.pack_checks import render_problem
from nrm.countries import BadPack, ItemKind, read_pack, write_pack


def texts(english):
    return {"ar": f"{english} ar", "ckb": f"{english} ckb", "en": english}


FILES = {
    "country.json": {
        "key": "lowland",
        "names": texts("Lowland"),
        "languages": ["ar", "ckb", "en"],
        "default_language": "en",
        "jurisdictions": [{"key": "low", "names": texts("Low"), "calendar": "low"}],
        "calendars": {"low": {"weekend": ["friday"], "day_start": "08:00", "day_end": "15:00", "timezone": "+03:00"}},
        "settings": {"decision": "P7D"},
    },
    "places.json": [
        {"key": "north", "kind": "governorate", "names": texts("North"), "jurisdiction": "low", "verified": True},
        {"key": "north_hill", "kind": "district", "parent": "north", "names": texts("Hill")},
    ],
    "organisations.json": [
        {
            "code": "OFF",
            "names": texts("Office"),
            "kind": "ministry",
            "jurisdiction": "low",
            "invented": True,
            "desks": [
                {"code": "OFF-NORTH", "role": "case_handler", "governorate": "north", "names": texts("North desk")}
            ],
            "agreements": [
                {"categories": ["contact"], "signed_on": "2026-01-01", "expires_on": "2027-01-01", "demo": True}
            ],
        }
    ],
    "services.json": [
        {
            "code": "OFF-VT",
            "organisation": "OFF",
            "desk": "OFF-NORTH",
            "category": "VT",
            "names": texts("Training"),
            "slots": 0,
            "coverage": [{"governorate": "north"}, {"governorate": "north", "district": "north_hill"}],
        }
    ],
    "roles.json": [{"code": "case_handler", "names": texts("Case handler"), "permissions": ["case.read"]}],
    "code_lists.json": [
        {
            "key": "service_category",
            "names": texts("Services"),
            "items": [{"code": "VT", "names": texts("Training"), "dimension": "economic"}],
        },
        {
            "key": "data_category",
            "names": texts("Data"),
            "items": [{"code": "contact", "names": texts("Contact")}],
        },
    ],
    "labels/ar.json": {"low": "ar"},
    "labels/ckb.json": {"low": "ckb"},
    "labels/en.json": {"low": "en"},
    "forms/intake.json": {"form": "intake", "version": 1, "title": texts("Intake"), "fields": []},
    "call_tables.json": [
        {"key": "service_paths", "names": texts("Paths of services"), "entries": {"VT": "service_referral"}}
    ],
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        change(tmp_path, name, lambda data: data, start=content)
    (tmp_path / "paths").mkdir()
    (tmp_path / "paths/service_referral.bpmn").write_bytes(b"<definitions/>")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/priority.dmn").write_text("<definitions/>")
    return tmp_path


def change(folder: Path, name: str, edit, start=None):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.loads(path.read_text()) if start is None else json.loads(json.dumps(start))
    edit(data)
    path.write_text(json.dumps(data, ensure_ascii=False))


def problems(folder):
    with pytest.raises(BadPack) as caught:
        read_pack(folder)
    return {(problem.file, problem.pointer, problem.code) for problem in caught.value.problems}


def test_a_pack_is_read_into_values(folder):
    pack = read_pack(folder)
    assert pack.key == "lowland"
    assert [place.parent for place in pack.places] == [None, "north"]
    (desk,) = pack.desks
    assert (desk.organisation, desk.jurisdiction) == ("OFF", "low")
    (service,) = pack.services
    assert service.coverage == (("north", None), ("north", "north_hill"))
    assert service.slots == 0
    assert pack.codes[0].extra == {"dimension": "economic"}
    assert pack.contents(ItemKind.SETTING) == {"decision": "P7D"}
    assert pack.contents(ItemKind.TABLE) == {"priority": "<definitions/>"}


def test_a_pack_written_and_read_again_is_the_same(folder, tmp_path):
    pack = read_pack(folder)
    write_pack(pack, tmp_path / "copy")
    assert read_pack(tmp_path / "copy") == pack


def test_all_mistakes_are_named_at_once(folder):
    change(folder, "places.json", lambda data: data[0]["names"].pop("ckb"))
    change(folder, "services.json", lambda data: data[0].update(slots="many", colour="red"))
    change(folder, "organisations.json", lambda data: data[0]["agreements"][0].update(signed_on="soon"))
    (folder / "roles.json").write_text("{")
    (folder / "labels/en.json").unlink()
    assert problems(folder) == {
        ("places.json", "/0/names", "text_missing"),
        ("services.json", "/0/slots", "wrong_type"),
        ("services.json", "/0/colour", "unknown_field"),
        ("organisations.json", "/0/agreements/0/signed_on", "not_a_date"),
        ("roles.json", "", "not_json"),
        ("labels/en.json", "", "file_missing"),
    }


def test_an_entry_that_refers_to_nothing_is_named(folder):
    change(folder, "services.json", lambda data: data[0].update(desk="NOBODY", organisation="NONE"))
    change(folder, "organisations.json", lambda data: data[0]["desks"][0].update(role="wizard"))
    change(folder, "call_tables.json", lambda data: data[0]["entries"].update(JOB="no_such_path"))
    codes = {code for _, _, code in problems(folder)}
    assert codes == {"unknown_desk", "unknown_organisation", "unknown_role", "unknown_path"}


def test_the_same_code_twice_is_named(folder):
    change(folder, "services.json", lambda data: data.append(data[0]))
    assert problems(folder) == {("services.json", "", "twice")}


def test_a_form_must_be_called_like_its_file(folder):
    (folder / "forms/intake.json").rename(folder / "forms/arrival.json")
    assert problems(folder) == {("forms/arrival.json", "/form", "name_differs_from_file")}


def test_a_folder_that_is_not_there_has_every_file_missing(tmp_path):
    assert {code for _, _, code in problems(tmp_path / "nowhere")} == {"file_missing"}


def test_every_mistake_is_said_in_three_languages(folder):
    change(folder, "places.json", lambda data: data[0]["names"].pop("ckb"))
    change(folder, "services.json", lambda data: data[0].update(slots="many", colour="red", visibility="loud"))
    change(folder, "roles.json", lambda data: data[0].update(code="a b"))
    (folder / "code_lists.json").write_text("{")
    (folder / "labels/en.json").unlink()
    (folder / "paths/Bad Name.bpmn").write_bytes(b"<x/>")
    (folder / "tables/priority.dmn").write_bytes(b"\xff")
    with pytest.raises(BadPack) as caught:
        read_pack(folder)
    assert len({problem.code for problem in caught.value.problems}) >= 8
    for problem in caught.value.problems:
        said = {render_problem(problem, language) for language in ("ar", "ckb", "en")}
        assert len(said) == 3
        assert problem.code not in said


def test_broken_references_are_said_in_three_languages(folder):
    change(folder, "services.json", lambda data: data[0].update(desk="NOBODY", organisation="NONE"))
    change(folder, "services.json", lambda data: data[0]["coverage"].append({"governorate": "moon", "district": "sea"}))
    change(folder, "organisations.json", lambda data: data[0].update(jurisdiction="sky"))
    change(folder, "organisations.json", lambda data: data[0]["desks"][0].update(role="wizard", jurisdiction="sky"))
    change(folder, "organisations.json", lambda data: data[0]["agreements"][0].update(categories=["soul"]))
    change(folder, "call_tables.json", lambda data: data[0]["entries"].update(JOB="no_such_path"))
    with pytest.raises(BadPack) as caught:
        read_pack(folder)
    assert len({problem.code for problem in caught.value.problems}) == 8
    for problem in caught.value.problems:
        said = {render_problem(problem, language) for language in ("ar", "ckb", "en")}
        assert len(said) == 3
        assert all(str(problem.params["value"]) in text for text in said)
