"""Endpoints for webhooks before their door: what a partner's developer and a security officer would try."""

from __future__ import annotations

import pytest

from api.openapi import document
from nrm.rules.partner_events import TYPES
from tests.api.conftest import Browser, Office
from tests.api.test_events import uninvolved
from tests.api.test_keys import Issue, program, sent_referral

assert program  # a fixture

URL = "https://hooks.example.org/nrm"


@pytest.fixture
def ngo(office: Office, program: Issue) -> Browser:
    return program(uninvolved(office))


def test_an_endpoint_is_added_changed_switched_off_and_on_and_removed(ngo: Browser):
    made = ngo.post("/webhook_endpoints", {"url": URL, "types": ["referral.sent"]}).get_json()
    assert made["secret"].startswith("whsec_")
    path = f"/webhook_endpoints/{made['id']}"
    shown = ngo.get(path)
    assert "secret" not in shown.get_json()
    assert shown.headers["ETag"] == '"v1"'
    assert [row["id"] for row in ngo.get("/webhook_endpoints").get_json()] == [made["id"]]
    changed = ngo.patch(path, {"description": "case system", "types": None, "version": 1}).get_json()
    assert (changed["description"], changed["types"], changed["url"]) == ("case system", None, URL)
    assert ngo.patch(path, {"description": "x", "version": 1}).status_code == 412
    assert ngo.patch(path, {"description": "x"}).status_code == 428
    assert ngo.post(f"{path}/test").get_json()["state"] == "enabled"
    assert ngo.post(f"{path}/disable").get_json()["state"] == "disabled"
    refused = ngo.post(f"{path}/test")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "endpoint_disabled")
    assert ngo.post(f"{path}/enable").get_json()["state"] == "enabled"
    new = ngo.post(f"{path}/rotate_secret").get_json()
    assert new["secret"] != made["secret"]
    assert new["old_until"] == "2026-03-02T08:00:00Z"
    assert ngo.post(f"{path}/replay", {"since": "2026-03-01T07:00:00Z"}).status_code == 200
    assert ngo.get(f"{path}/deliveries?state=sent").get_json()["data"] == []
    assert ngo.delete(path).status_code == 204
    assert ngo.get(path).status_code == 404


def test_the_secret_is_never_kept_for_a_repeated_request(ngo: Browser):
    """An Idempotency-Key keeps answers; an answer with a secret must not lie in a table."""
    first = ngo.post("/webhook_endpoints", {"url": URL}, headers={"Idempotency-Key": "once"}).get_json()
    again = ngo.post("/webhook_endpoints", {"url": URL}, headers={"Idempotency-Key": "once"}).get_json()
    assert first["id"] != again["id"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "http://hooks.example.org/"}, "/url", "not_https"),
        ({"url": "https://10.0.0.1/"}, "/url", "address_refused"),
        ({"url": "https://2130706433/"}, "/url", "bad_url"),
        ({"url": "https://me:secret@hooks.example.org/"}, "/url", "credentials_in_url"),
        ({"url": "https://hooks.example.org:25/"}, "/url", "port_refused"),
        ({"url": URL, "types": ["referral.lost"]}, "/types/0", "unknown_event_type"),
        ({}, "/url", "required"),
        ({"url": URL, "secret": "mine"}, "/secret", "unknown_field"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(ngo: Browser, body: dict[str, object], pointer: str, code: str):
    answer = ngo.post("/webhook_endpoints", body)
    assert answer.status_code == 422
    assert (answer.get_json()["errors"][0]["pointer"], answer.get_json()["errors"][0]["code"]) == (pointer, code)


def test_there_is_an_end_to_endpoints(ngo: Browser):
    for number in range(10):
        assert ngo.post("/webhook_endpoints", {"url": f"{URL}/{number}"}).status_code == 201
    answer = ngo.post("/webhook_endpoints", {"url": URL})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "too_many_endpoints")


def test_people_without_the_permission_and_keys_without_the_scope_are_told_so(office: Office, program: Issue):
    assert office.handler().post("/webhook_endpoints", {"url": URL}).get_json()["code"] == "not_allowed"
    _, receiver = sent_referral(office)
    answer = program(receiver, "events:read").post("/webhook_endpoints", {"url": URL})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "scope_missing")


def test_another_organisations_program_finds_none_of_it(office: Office, program: Issue, ngo: Browser):
    made = ngo.post("/webhook_endpoints", {"url": URL}).get_json()
    _, receiver = sent_referral(office)
    stranger = program(receiver)
    path = f"/webhook_endpoints/{made['id']}"
    assert stranger.get("/webhook_endpoints").get_json() == []
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"{path}/deliveries").status_code == 404
    for verb in ("test", "enable", "disable", "rotate_secret"):
        assert stranger.post(f"{path}/{verb}").status_code == 404
    assert stranger.delete(path).status_code == 404
    assert stranger.post(f"/deliveries/whd_{'0' * 26}/redeliver").status_code == 404


def test_the_document_lists_each_type_of_event_as_a_webhook():
    content = document()
    assert set(content["webhooks"]) == set(TYPES)
    assert "Envelope" in content["components"]["schemas"]
