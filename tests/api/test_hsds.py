"""The public directory: what stands in it is valid HSDS 3.1, and what must not stand in it is nowhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from nrm import ids
from nrm.actions.capacity import set_capacity
from nrm.db import db
from nrm.models import Organisation, Service, ServiceCoverage
from nrm.rules.hsds import public_id
from tests.api.conftest import Office

SCHEMAS = Path(__file__).parents[1] / "fixtures" / "hsds"
CANARY = "Kanarienvogel"
LISTS = ("services", "service_at_locations", "organizations", "taxonomies", "taxonomy_terms")


@lru_cache(maxsize=1)
def registry() -> Registry[Any]:
    files = [*SCHEMAS.glob("*.json"), *SCHEMAS.glob("compiled/*.json")]
    named = ((file.name, json.loads(file.read_text())) for file in files)
    return Registry().with_resources(
        (name, Resource.from_contents(content, default_specification=DRAFT202012)) for name, content in named
    )


def must_be(schema: str, value: Any) -> None:
    """Fail when a value is not what the published schema says."""
    validator = Draft202012Validator({"$ref": schema}, registry=registry(), format_checker=FormatChecker())
    found = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]
    assert found == [], schema


def make_service(code: str = "open_school", **columns: Any) -> str:
    """Write a service of an NGO into the directory."""
    db.session.close()
    service_id = ids.new_id("svc")
    values: dict[str, Any] = {
        "code": code,
        "category": "EDU",
        "names": {"ar": "مدرسة مفتوحة", "ckb": "قوتابخانەی کراوە", "en": f"Open school {CANARY}"},
        "description": {"en": "Evening lessons for adults"},
        "eligibility": "age >= 18 and age < 61",
        "languages": ["ar", "ckb"],
        "details": {
            "cost": "free",
            "accessible": True,
            "female_staff": False,
            "documents": ["national_card"],
            "phones": ["+9647500000000"],
            "schedule": [{"days": ["sunday", "monday"], "opens": "08:00", "closes": "14:00"}],
        },
        "slots": 20,
        "open_slots": 7,
        "waiting_days": 3,
        "last_verified_on": date(2026, 2, 1),
    }
    with db.engine.begin() as connection:
        owner = connection.execute(select(Organisation.id).where(Organisation.code == "open_door")).scalar_one()
        row = {"id": service_id, "organisation_id": owner, **values, **columns}
        connection.execute(insert(Service).values(**row))
        for governorate in ("norvale", "sandor"):
            connection.execute(
                insert(ServiceCoverage).values(id=ids.new_id("cov"), service_id=service_id, governorate=governorate)
            )
    return service_id


@pytest.fixture
def client(office: Office) -> Any:
    return office.app.test_client()


def contents(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    page = answer.get_json()
    assert page.keys() == {
        "total_items", "total_pages", "page_number", "size", "first_page", "last_page", "empty", "contents",
    }  # fmt: skip
    assert page["size"] == len(page["contents"])
    assert page["empty"] == (page["contents"] == [])
    return list(page["contents"])


def test_a_public_service_is_found_by_everybody_and_every_answer_is_valid_hsds(client: Any):
    service_id = make_service()
    about = client.get("/hsds/v3/").get_json()
    assert about["version"] == "3.1"
    assert about["openapi_url"].endswith("/api/v1/openapi.json")
    # The answer is kept by caches for everybody: whoever asked first must not decide where it leads.
    assert client.get("/hsds/v3/", headers={"Host": "elsewhere.example"}).get_json() == about

    for row in contents(client.get("/hsds/v3/services")):
        must_be("service_list.json", row)
        must_be("service_with_definitions.json", client.get(f"/hsds/v3/services/{row['id']}").get_json())
    for row in contents(client.get("/hsds/v3/services?full=true")):
        must_be("service_with_definitions.json", row)
        must_be("service.json", row)
    for row in contents(client.get("/hsds/v3/organizations")):
        must_be("organization_list.json", row)
        must_be("organization.json", client.get(f"/hsds/v3/organizations/{row['id']}").get_json())
    for row in contents(client.get("/hsds/v3/service_at_locations")):
        must_be("service_at_location_list.json", row)
        must_be("service_at_location.json", client.get(f"/hsds/v3/service_at_locations/{row['id']}").get_json())
    for row in contents(client.get("/hsds/v3/taxonomies")):
        must_be("taxonomy.json", client.get(f"/hsds/v3/taxonomies/{row['id']}").get_json())
    for row in contents(client.get("/hsds/v3/taxonomy_terms")):
        must_be("taxonomy_term.json", client.get(f"/hsds/v3/taxonomy_terms/{row['id']}").get_json())
    assert public_id("service", service_id) in {row["id"] for row in contents(client.get("/hsds/v3/services"))}


def test_a_service_says_who_it_is_for_what_it_costs_when_it_is_open_and_whether_there_is_room(client: Any):
    uuid_ = public_id("service", make_service(paused_until=date(2027, 1, 1)))
    found = client.get(f"/hsds/v3/services/{uuid_}").get_json()
    assert (found["minimum_age"], found["maximum_age"]) == (18, 60)
    assert "18" in found["eligibility_description"]
    assert found["status"] == "temporarily closed"
    assert "2027-01-01" in found["alert"]
    assert [(row["available"], row["maximum"]) for row in found["capacities"]] == [(7, 20)]
    assert [(row["byday"], row["opens_at"]) for row in found["schedules"]] == [("SU,MO", "08:00")]
    assert [row["number"] for row in found["phones"]] == ["+9647500000000"]
    assert {row["code"] for row in found["languages"]} == {"ar", "ckb"}
    assert [row["document"] for row in found["required_documents"]] == ["National card"]
    assert {row.get("extent") for row in found["service_areas"]} == {"TL01", None}
    terms = [row["taxonomy_term"]["code"] for row in found["attributes"] if "taxonomy_term" in row]
    assert terms == ["EDU"]


def test_texts_come_in_the_language_that_is_asked_for_and_names_in_all(client: Any):
    path = f"/hsds/v3/services/{public_id('service', make_service())}"
    for language, name in (("ar", "مدرسة مفتوحة"), ("ckb", "قوتابخانەی کراوە"), ("ku", "قوتابخانەی کراوە")):
        answer = client.get(path, headers={"Accept-Language": language})
        assert answer.get_json()["name"] == name
        assert answer.headers["Content-Language"] in ("ar", "ckb")
        assert answer.headers["Vary"] == "Accept-Language"
    names = [row for row in client.get(path).get_json()["attributes"] if row["link_type"] == "name"]
    assert {row["label"] for row in names} == {"ar", "ckb", "en"}


def canaries() -> Iterator[dict[str, Any]]:
    for visibility in ("partners", "restricted", "hidden"):
        yield {"visibility": visibility}
    yield {"livemode": False}
    yield {"active": False}
    yield {"category": "SHE"}
    yield {"category": "GBV"}


def test_what_is_not_public_is_nowhere_by_no_list_no_search_and_no_id(office: Office, client: Any):
    hidden = [make_service(f"canary_{number}", **columns) for number, columns in enumerate(canaries())]
    asked = 0
    for name in LISTS:
        for query in ("", "?full=true", f"?search={CANARY}", "?pcode=TL01", "?per_page=100"):
            if ("full" in query and name.startswith("taxonom")) or ("pcode" in query and name.startswith("taxonom")):
                continue
            answer = client.get(f"/hsds/v3/{name}{query}")
            assert answer.status_code == 200, answer.text
            assert CANARY not in answer.text
            asked += 1
    for service_id in hidden:
        assert client.get(f"/hsds/v3/services/{public_id('service', service_id)}").status_code == 404
        place = public_id("service_at_location", service_id, "norvale")
        assert client.get(f"/hsds/v3/service_at_locations/{place}").status_code == 404
        asked += 2
    owner = office.land.session.execute(select(Organisation.id).where(Organisation.code == "open_door")).scalar_one()
    assert client.get(f"/hsds/v3/organizations/{public_id('organization', owner)}").status_code == 404
    office.land.session.close()
    assert asked > 30
    make_service("seen")
    assert CANARY in client.get(f"/hsds/v3/services?search={CANARY}").text


def test_an_organisation_shows_neither_its_own_phone_nor_mailbox_nor_our_ids(client: Any):
    service_id = make_service()
    with db.engine.begin() as connection:
        connection.execute(update(Organisation).values(email="focal.point@invented.example", phone="+9647511111111"))
        owner = connection.execute(select(Service.organisation_id).where(Service.id == service_id)).scalar_one()
    for path in ("organizations?full=true", f"organizations/{public_id('organization', owner)}?full_service=true"):
        text = client.get(f"/hsds/v3/{path}").text
        assert "Open school" in text
        assert "focal.point" not in text
        assert "+9647511111111" not in text
        assert owner not in text
        assert service_id not in text


def test_lists_are_cut_into_pages(client: Any):
    for number in range(5):
        make_service(f"paged_{number}")
    first = client.get(f"/hsds/v3/services?search={CANARY}&per_page=2").get_json()
    assert (first["total_items"], first["total_pages"], first["first_page"], first["last_page"]) == (5, 3, True, False)
    last = client.get(f"/hsds/v3/services?search={CANARY}&per_page=2&page=3").get_json()
    assert (last["size"], last["first_page"], last["last_page"]) == (1, False, True)
    after = client.get(f"/hsds/v3/services?search={CANARY}&per_page=2&page=9").get_json()
    assert (after["empty"], after["contents"], after["total_items"]) == (True, [], 5)
    none = client.get("/hsds/v3/services?search=nothinglikethis").get_json()
    assert (none["empty"], none["total_pages"], none["last_page"]) == (True, 0, True)


def test_lists_are_filtered_by_kind_organisation_place_and_words(client: Any):
    service_id = make_service()
    one = client.get(f"/hsds/v3/services/{public_id('service', service_id)}").get_json()
    term = next(row["taxonomy_term_id"] for row in one["attributes"] if "taxonomy_term_id" in row)
    taxonomy = client.get("/hsds/v3/taxonomies").get_json()["contents"][0]["id"]
    other = str(uuid.uuid4())
    for fits, misses in (
        (f"taxonomy_term_id={term}", f"taxonomy_term_id={other}"),
        (f"taxonomy_id={taxonomy}", f"taxonomy_id={other}"),
        (f"organization_id={one['organization_id']}", f"organization_id={other}"),
        ("pcode=TL01", "pcode=TL03"),
        ("search=SCHOOL", "search=swimming"),
        ("search=مدرسة", "search=مستشفى"),
    ):
        for path in ("services", "service_at_locations"):
            found = contents(client.get(f"/hsds/v3/{path}?{fits}&per_page=100"))
            assert any(row["id"] == one["id"] or row.get("service_id") == one["id"] for row in found), (path, fits)
            missed = contents(client.get(f"/hsds/v3/{path}?{misses}&per_page=100"))
            assert not any(row["id"] == one["id"] or row.get("service_id") == one["id"] for row in missed), misses


def test_words_that_are_searched_for_may_stay_out_of_the_address(client: Any):
    make_service()
    for name in LISTS:
        answer = client.post(f"/hsds/v3/{name}", json={"search": "open", "per_page": 10})
        assert answer.status_code == 200, answer.text
    found = client.post("/hsds/v3/services", json={"search": CANARY, "full": True}).get_json()["contents"]
    assert [row["minimum_age"] for row in found] == [18]
    assert client.post("/hsds/v3/services?search=x", json={}).status_code == 422


def test_an_answer_may_be_kept_by_everybody_until_it_changes(client: Any):
    service_id = make_service()
    path = f"/hsds/v3/services/{public_id('service', service_id)}"
    first = client.get(path)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    arabic = client.get(path, headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "ar"})
    assert arabic.status_code == 200
    db.session.close()
    with db.engine.begin() as connection:
        connection.execute(update(Service).where(Service.id == service_id).values(open_slots=6))
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "per_page=101", "per_page=-1", "full=yes", "search=a&search=b", "unknown=1", "format=xml"],
)
def test_a_parameter_that_cannot_be_used_is_named(client: Any, query: str):
    answer = client.get(f"/hsds/v3/services?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"].strip("/") == query.partition("=")[0]


@pytest.mark.parametrize("name", LISTS)
def test_an_id_that_is_not_there_is_not_found(client: Any, name: str):
    for wrong in (str(uuid.uuid4()), "x", "svc_" + "0" * 26):
        assert client.get(f"/hsds/v3/{name}/{wrong}").status_code == 404


def test_an_entry_says_to_the_hour_when_it_changed_and_is_found_by_it(office: Office, client: Any):
    service_id = make_service(accepting=True)
    one = public_id("service", service_id)
    before = client.get(f"/hsds/v3/services/{one}").get_json()
    assert before["capacities"][0]["updated"] == "2026-02-01T00:00:00Z"
    now = office.clock.move(timedelta(days=3, minutes=7))
    with db.engine.connect() as connection:
        owner = connection.execute(select(Service.organisation_id).where(Service.id == service_id)).scalar_one()
    keeper = office.land.receiver(owner, "provider_focal_point")
    set_capacity(keeper, service_id, accepting=True, available=3, unit="seats")
    db.session.close()
    after = client.get(f"/hsds/v3/services/{one}").get_json()
    hour = now.replace(minute=0, second=0, microsecond=0).isoformat().replace("+00:00", "Z")
    assert (after["last_modified"], after["capacities"][0]["updated"]) == (hour, hour)
    assert (after["capacities"][0]["available"], after["capacities"][0]["unit"]["name"]) == (3, "seats")
    must_be("service_with_definitions.json", after)

    moment = now.isoformat().replace("+00:00", "Z")
    rows = contents(client.get(f"/hsds/v3/services?modified_after={moment}&minimal=true"))
    assert rows == [{"id": one, "last_modified": hour}]
    places = contents(client.get(f"/hsds/v3/service_at_locations?modified_after={moment}"))
    assert {row["service_id"] for row in places} == {one}
    later = (now + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    assert contents(client.get(f"/hsds/v3/services?modified_after={later}")) == []
    assert client.get("/hsds/v3/services?modified_after=yesterday").status_code == 422
