"""The country's data over HTTP: read, changed from what one saw, with their history, and never half-written."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from nrm.models import Event, Service
from nrm.queries import packs
from tests.api.conftest import Browser, Office
from tests.pages.administrators import administrator

NAMES = {"ar": "اسم مختلق", "ckb": "ناوی داهێنراو", "en": "Invented Word"}
CODE = "/pack/codes/cancel_reason/no_longer_needed"
ORGANISATION = "/pack/directory/organisation/open_door"
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a code": ("PATCH", CODE, {"names": NAMES, "active": False}),
    "a label": ("PUT", "/pack/labels/stage/reception", {"names": NAMES}),
    "the name of a role": ("PUT", "/pack/labels/names.role/supervisor", {"names": NAMES}),
    "a setting": ("PUT", "/pack/settings/followup_first", {"value": "P2M"}),
    "an organisation": ("PATCH", ORGANISATION, {"changes": {"names": NAMES, "phone": None}}),
    "a service": ("PATCH", "/pack/directory/service/training_coast", {"changes": {"names": NAMES, "slots": 7}}),
    "a desk": ("PATCH", "/pack/directory/desk/moh_supervisor_norvale", {"changes": {"names": NAMES}}),
}


@pytest.fixture
def boss(office: Office) -> Browser:
    return office.browser(administrator(office))


def told(office: Office) -> list[str]:
    office.land.session.close()
    kinds = select(Event.kind).where(Event.kind.in_(("pack.changed", "directory.changed")))
    return list(office.land.session.scalars(kinds))


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_what_was_seen_is_changed_once_and_told_with_before_and_after(boss: Browser, office: Office, what: str):
    method, path, body = CHANGES[what]
    found = boss.get(path)
    assert found.status_code == 200, found.text
    etag = found.headers["ETag"]
    done = boss.ask(method, path, json=body, headers={"If-Match": etag})
    assert done.status_code == 200, done.text
    assert done.headers["ETag"] != etag
    late = boss.ask(method, path, json=body, headers={"If-Match": etag})
    assert (late.status_code, late.get_json()["code"]) == (412, "changed_since")
    assert boss.ask(method, path, json=body).get_json()["code"] == "stamp_required"
    again = boss.ask(method, path, json={**body, "seen": done.headers["ETag"].strip('"')})
    assert again.status_code == 200, "the same values again change nothing"
    assert len(told(office)) == 1
    entry = done.get_json()
    entry = entry.get("entry", entry)
    history = boss.get(f"/pack/history?kind={entry['kind']}&key={quote(entry['key'], safe='')}").get_json()
    assert len(history) == 1
    assert history[0]["actor"] == boss.actor.id if boss.actor else False
    assert history[0]["data"]["what"]


def test_a_changed_word_is_said_at_once(boss: Browser):
    for what in ("a code", "a label", "the name of a role"):
        method, path, body = CHANGES[what]
        boss.ask(method, path, json=body, headers={"If-Match": boss.get(path).headers["ETag"]})
    pack = packs.pack()
    assert pack.codes["cancel_reason"]["no_longer_needed"].names["en"] == "Invented Word"
    assert "no_longer_needed" not in pack.codes_of("cancel_reason")
    assert pack.labels["ckb"]["stage"]["reception"] == NAMES["ckb"]
    assert pack.role_names["supervisor"]["ar"] == NAMES["ar"]


def test_entries_are_added_and_found_in_their_lists(boss: Browser, office: Office):
    codes = boss.get("/pack/codes/cancel_reason").get_json()
    added = boss.post("/pack/codes/cancel_reason", {"code": "invented_reason", "names": NAMES})
    assert (added.status_code, added.get_json()["key"]) == (201, "cancel_reason/invented_reason")
    assert boss.post("/pack/codes/cancel_reason", {"code": "invented_reason", "names": NAMES}).status_code == 422
    assert len(boss.get("/pack/codes/cancel_reason").get_json()) == len(codes) + 1
    place = {"governorate": "norvale", "role": "supervisor"}
    desk = {"under": "moh", "data": {"code": "invented_desk", "names": NAMES, **place}}
    assert boss.post("/pack/directory/desk", desk).status_code == 201
    assert boss.post("/pack/directory/desk", {**desk, "under": "nobody"}).status_code == 404
    keys = [one["key"] for one in boss.get("/pack/directory/desk?under=moh").get_json()]
    assert "invented_desk" in keys
    signed = {"signed_on": "2026-02-01", "categories": ["contact"]}
    agreement = boss.post("/pack/directory/agreement", {"under": "open_door", "data": signed})
    assert (agreement.status_code, agreement.get_json()["key"]) == (201, "open_door/2026-02-01")
    assert boss.get("/pack/directory/agreement/open_door:2026-02-01").get_json()["data"]["categories"] == ["contact"]
    assert told(office) == ["pack.changed", "directory.changed", "directory.changed"]


def test_a_holiday_comes_and_goes(boss: Browser):
    day = {"day": "2026-03-09", "names": NAMES}
    assert boss.post("/pack/calendars/coast/holidays", day).status_code == 201
    assert boss.post("/pack/calendars/coast/holidays", day).get_json()["code"] == "holiday_exists"
    calendars = {one["key"]: one["data"]["holidays"] for one in boss.get("/pack/calendars").get_json()}
    assert "2026-03-09" in str(calendars["calendar/coast"])
    assert "2026-03-09" not in str(calendars["calendar/hills"])
    assert boss.delete("/pack/calendars/coast/holidays/2026-03-09").status_code == 204
    assert boss.delete("/pack/calendars/coast/holidays/2026-03-09").status_code == 404
    assert boss.delete("/pack/calendars/coast/holidays/tomorrow").status_code == 404
    assert boss.post("/pack/calendars/nowhere/holidays", day).status_code == 404


def test_the_rules_of_a_table_are_replaced_and_its_columns_stay(boss: Browser, office: Office):
    keys = boss.get("/pack/tables").get_json()
    assert "priority" in keys
    found = boss.get("/pack/tables/priority")
    table = found.get_json()
    lines = [{**one} for one in table["grid"]["lines"]]
    path, match = "/pack/tables/priority", {"If-Match": found.headers["ETag"]}
    short = [{**lines[0], "cells": lines[0]["cells"][:-1]}, *lines[1:]]
    answer = boss.put(path, {"lines": short}, headers=match)
    assert [(one["pointer"], one["code"]) for one in answer.get_json()["errors"]] == [
        ("/lines/0/cells", "wrong_number_of_cells")
    ]
    unreadable = [{**lines[0], "cells": ["(((" for _ in lines[0]["cells"]]}, *lines[1:]]
    assert boss.put(path, {"lines": unreadable}, headers=match).status_code == 422
    assert told(office) == []
    lines[0]["description"] = "Invented reason of a rule"
    done = boss.put(path, {"lines": lines}, headers=match)
    assert done.status_code == 200, done.text
    assert done.get_json()["grid"]["lines"][0]["description"] == "Invented reason of a rule"
    assert done.get_json()["grid"]["inputs"] == table["grid"]["inputs"]
    assert done.get_json()["uses"]
    assert boss.put(path, {"lines": lines}, headers=match).status_code == 412


BAD_LABELS: list[tuple[Any, str]] = [
    ({"ar": "ا", "en": "x"}, "/names"),
    ({**NAMES, "fr": "x"}, "/names/fr"),
    ({**NAMES, "en": 7}, "/names"),
    ({**NAMES, "en": ["x"]}, "/names"),
    ({**NAMES, "en": {"x": "y"}}, "/names"),
    ({**NAMES, "en": "<script>"}, "/names/en"),
    ({**NAMES, "en": "x" * 201}, "/names/en"),
    ({**NAMES, "en": "x" * 100_000}, "/names/en"),
    ({**NAMES, "en": "a\u202eb"}, "/names/en"),
    ([], "/names"),
    ("Invented", "/names"),
    (None, "/names"),
]


@pytest.mark.parametrize(("names", "pointer"), BAD_LABELS)
def test_names_that_cannot_be_taken_are_refused_at_every_door(boss: Browser, office: Office, names: Any, pointer: str):
    doors = [
        ("PUT", "/pack/labels/stage/reception", {"names": names}),
        ("PATCH", CODE, {"names": names}),
        ("POST", "/pack/codes/cancel_reason", {"names": names, "code": "invented"}),
        ("POST", "/pack/calendars/coast/holidays", {"names": names, "day": "2026-03-09"}),
        ("PATCH", ORGANISATION, {"changes": {"names": names}}),
    ]
    for method, path, body in doors:
        seen = {"If-Match": boss.get(path).headers["ETag"]} if method != "POST" else {}
        answer = boss.ask(method, path, json=body, headers=seen)
        assert answer.status_code == 422, (path, answer.text)
        pointers = [one["pointer"] for one in answer.get_json()["errors"]]
        assert any(one.startswith("/names") for one in pointers), (path, pointers)
        assert path == ORGANISATION or "codes" in path or pointer in pointers
    assert told(office) == []


ODD: list[Any] = [
    7,
    -1,
    1.5,
    True,
    "",
    "x" * 5_000,
    [],
    [1],
    [[]],
    {},
    {"x": {"y": []}},
    "9999-99-99",
    "\u202e",
    10**30,
]


@pytest.mark.parametrize("kind", ["organisation/open_door", "desk/moh_supervisor_norvale", "service/training_coast"])
def test_no_odd_value_of_any_field_breaks_the_directory(boss: Browser, office: Office, kind: str):
    path = f"/pack/directory/{kind}"
    found = boss.get(path)
    before = found.get_json()["data"]
    for name in before:
        for value in ODD:
            answer = boss.ask(
                "PATCH", path, json={"changes": {name: value}}, headers={"If-Match": boss.get(path).headers["ETag"]}
            )
            assert answer.status_code in (200, 409, 422), (name, value, answer.text)
    unknown = boss.ask(
        "PATCH", path, json={"changes": {"colour": 1}}, headers={"If-Match": boss.get(path).headers["ETag"]}
    )
    assert unknown.get_json()["errors"][0]["code"] == "unknown_field"


@pytest.mark.parametrize(
    "path",
    [
        "/pack/codes/nothing",
        "/pack/codes/cancel_reason/nothing",
        "/pack/labels/stage/nothing",
        "/pack/labels/nothing/nothing",
        "/pack/settings/nothing",
        "/pack/tables/nothing",
        "/pack/directory/nothing",
        "/pack/directory/organisation/nothing",
        "/pack/directory/agreement/open_door:1999-01-01",
    ],
)
def test_what_is_not_there_is_not_found(boss: Browser, path: str):
    assert boss.get(path).status_code == 404


def test_only_those_who_keep_them_read_and_change_the_countrys_data(office: Office, boss: Browser):
    handler = office.handler()
    for method, path, body in CHANGES.values():
        assert handler.get(path).status_code == 403
        etag = boss.get(path).headers["ETag"]
        assert handler.ask(method, path, json=body, headers={"If-Match": etag}).status_code == 403
    assert handler.get("/pack/history?kind=code&key=cancel_reason%2Fno_longer_needed").status_code == 403
    assert told(office) == []


def test_a_stamp_that_is_none_is_refused(boss: Browser):
    path = "/pack/labels/stage/reception"
    for header in ("*", '"v1"', "x", '"' + "g" * 16 + '"'):
        answer = boss.put(path, {"names": NAMES}, headers={"If-Match": header})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_if_match")
    etag = boss.get(path).headers["ETag"]
    both = boss.put(path, {"names": NAMES, "seen": "0" * 16}, headers={"If-Match": etag})
    assert both.get_json()["errors"][0]["code"] == "versions_differ"


def test_who_changed_the_places_of_a_service_is_told_to_those_who_keep_it(office: Office, boss: Browser):
    office.land.session.close()
    service = office.land.session.scalars(select(Service).where(Service.code == "training_coast")).one()
    service_id, owner = service.id, service.organisation_id
    office.land.session.close()
    keeper = office.browser(office.land.seat(None, owner, "provider_manager"))
    path = f"/services/{service_id}/capacity"
    assert keeper.put(path, {"accepting": True, "available": 4}).status_code == 200
    assert keeper.post(f"/services/{service_id}/verify").status_code == 200
    for one in (keeper, boss):
        told = one.get(f"{path}/history").get_json()
        assert {row["kind"] for row in told} == {"service.capacity_changed", "service.verified"}
    assert keeper.actor is not None
    assert {row["actor"] for row in told} == {keeper.actor.id}
    assert office.handler().get(f"{path}/history").status_code == 404
    assert boss.get(f"/services/svc_{'0' * 26}/capacity/history").status_code == 404
