"""Systems that speak FHIR read referrals as Tasks: the same rights, nothing lost, errors as FHIR has them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.task import Task
from werkzeug.test import TestResponse

from nrm.actions.keys import issue_key
from nrm.actors import SYSTEM
from nrm.rules.fhir import SYSTEM as OURS
from nrm.rules.fhir import from_task
from tests.api.conftest import Browser, Office
from tests.api.test_referral_shape import Sent
from tests.api.test_scope import _other_provider
from tests.api.test_walk import consented, receiver_of, with_case

FHIR = {"Accept": "application/fhir+json"}


def program(office: Office, organisation_id: str, *scopes: str) -> Browser:
    key = issue_key(SYSTEM, organisation_id, name="clinic system", scopes=scopes or ("referrals:read",))
    client = office.app.test_client(use_cookies=False)
    return Browser(client=client, headers={"Authorization": f"Bearer {key.text}"})


def task_path(sent: Sent) -> str:
    return f"/fhir/Task/{sent.made['id'].replace('_', '-')}"


def another(sent: Sent) -> dict[str, Any]:
    """Send a referral of somebody else to the same provider."""
    case_id = with_case(sent.handler, sent.office.land.person())["id"]
    consented(sent.handler, case_id)
    return sent.send(case_id=case_id)


def resource(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/fhir+json"
    return dict(json.loads(answer.data))


def outcome(answer: TestResponse) -> dict[str, Any]:
    assert answer.mimetype == "application/fhir+json", answer.text
    found = dict(json.loads(answer.data))
    OperationOutcome.model_validate(found)
    return dict(found["issue"][0])


def test_a_key_without_the_scope_for_people_reads_ids_and_codes_only(office: Office):
    sent = Sent(office)
    clinic = program(office, sent.service.organisation_id)
    task = resource(clinic.get(task_path(sent), headers=FHIR))
    Task.model_validate(task)
    assert task["status"] == "requested"
    assert [entry["resourceType"] for entry in task["contained"]] == ["ServiceRequest"]
    assert "Tarvin" not in json.dumps(task, ensure_ascii=False)
    assert "carpenter" not in json.dumps(task)
    facts = from_task(task)
    assert (facts.id, facts.state, facts.receiver) == (sent.made["id"], "sent", sent.service.organisation_id)
    assert facts.number == sent.made["number"]


def test_a_key_that_may_read_people_gets_the_patient_and_the_read_acknowledges(office: Office):
    sent = Sent(office)
    clinic = program(office, sent.service.organisation_id, "referrals:read", "referrals:act", "subject:read")
    task = resource(clinic.get(task_path(sent), headers={**FHIR, "Accept-Language": "ar"}))
    Task.model_validate(task)
    patient = next(entry for entry in task["contained"] if entry["resourceType"] == "Patient")
    assert patient["name"][0]["text"]
    request = task["contained"][0]
    assert request["reasonCode"][0]["text"] == "Work as a carpenter"
    assert sent.handler.get(sent.path).get_json()["state"] == "acknowledged"
    assert from_task(task).state == "acknowledged"


def test_what_a_task_says_follows_the_referral_to_its_end(office: Office):
    sent = Sent(office)
    provider = receiver_of(office, sent.service.organisation_id)
    clinic = program(office, sent.service.organisation_id)
    seen = []
    for verb, body in (
        ("accept", {}),
        ("start", {}),
        ("hold", {"reason": "health", "until": "2026-03-20"}),
        ("resume", {}),
        ("complete", {"outcome": "provided", "delivered_on": "2026-03-02"}),
    ):
        version = provider.get(sent.path).get_json()["version"]
        assert provider.post(f"{sent.path}/{verb}", {**body, "version": version}).status_code == 200
        seen.append(resource(clinic.get(task_path(sent)))["status"])
    assert seen == ["accepted", "in-progress", "on-hold", "in-progress", "completed"]
    facts = from_task(resource(clinic.get(task_path(sent))))
    assert (facts.outcome, str(facts.delivered_on)) == ("provided", "2026-03-02")


def test_the_sender_finds_what_it_sent_and_the_receiver_what_came_in(office: Office):
    sent = Sent(office)
    other = another(sent)
    sender, receiver = sent.made["from_org"]["id"], sent.service.organisation_id
    clinic = program(office, receiver)
    bundle = resource(clinic.get("/fhir/Task", headers=FHIR))
    Bundle.model_validate(bundle)
    found = {entry["resource"]["id"] for entry in bundle["entry"]}
    assert found == {sent.made["id"].replace("_", "-"), other["id"].replace("_", "-")}
    desk = receiver_of(office, receiver)
    assert desk.get("/referrals").get_json()["data"][0]["subject"]["names"]
    kinds = [
        part["resourceType"]
        for row in resource(desk.get("/fhir/Task"))["entry"]
        for part in row["resource"]["contained"]
    ]
    assert set(kinds) == {"ServiceRequest"}
    for query in (f"requester={sender}", f"requester=Organization/{sender.replace('_', '-')}", f"owner={receiver}"):
        assert len(resource(clinic.get(f"/fhir/Task?{query}"))["entry"]) == 2, query
    assert "entry" not in resource(clinic.get(f"/fhir/Task?requester=org_{'0' * 26}"))
    assert "entry" not in resource(clinic.get(f"/fhir/Task?requester={receiver}"))


def test_a_search_by_status_and_time_and_its_pages(office: Office):
    sent = Sent(office)
    for _ in range(2):
        another(sent)
    provider = receiver_of(office, sent.service.organisation_id)
    version = provider.get(sent.path).get_json()["version"]
    assert provider.post(f"{sent.path}/accept", {"version": version}).status_code == 200
    clinic = program(office, sent.service.organisation_id)

    def count(query: str) -> int:
        return len(resource(clinic.get(f"/fhir/Task?{query}")).get("entry", []))

    assert (count("status=accepted"), count("status=requested"), count("status=accepted,requested")) == (1, 2, 3)
    now = office.clock.now()
    later, before = (now + timedelta(hours=1)).isoformat(), (now - timedelta(hours=1)).isoformat()
    later, before = later.replace("+00:00", "Z"), before.replace("+00:00", "Z")
    assert (count(f"_lastUpdated=ge{before}"), count(f"_lastUpdated=ge{later}")) == (3, 0)
    assert (count(f"_lastUpdated=le{before}"), count(f"_lastUpdated=le{later}")) == (0, 3)

    seen, path = [], "/fhir/Task?_count=2"
    while path:
        bundle = resource(clinic.get(path))
        seen += [entry["resource"]["id"] for entry in bundle["entry"]]
        links = {link["relation"]: urlsplit(link["url"]) for link in bundle["link"]}
        path = f"{links['next'].path}?{links['next'].query}" if "next" in links else ""
    assert len(seen) == len(set(seen)) == 3


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=done", "status"),
        ("_lastUpdated=yesterday", "_lastUpdated"),
        ("_lastUpdated=ge2026-03-01T00:00:00", "_lastUpdated"),
        ("_lastUpdated=ne2026-03-01T00:00:00Z", "_lastUpdated"),
        ("_lastUpdated=ge0001-01-01T00:00:00%2B14:00", "_lastUpdated"),
        ("_lastUpdated=le9999-12-31T23:59:59-14:00", "_lastUpdated"),
        ("owner=me", "owner"),
        ("_count=0", "_count"),
        ("_cursor=x", "cursor"),
        ("unknown=1", "unknown"),
    ],
)
def test_a_search_that_cannot_be_done_is_refused_in_fhir(office: Office, query: str, pointer: str):
    clinic = program(office, Sent(office).service.organisation_id)
    answer = clinic.client.get(f"/fhir/Task?{query}", headers={**clinic.headers, **FHIR})
    issue = outcome(answer)
    assert answer.status_code == 422
    assert issue["code"] == "invalid"
    assert issue["expression"] == [f"http.{pointer}"]
    assert issue["details"]["coding"][0]["system"] == OURS + "problem"


def test_strangers_learn_nothing_and_are_told_so_in_the_form_that_they_read(office: Office):
    sent = Sent(office)
    stranger = program(office, _other_provider(office))
    nobody = Browser(client=office.app.test_client(use_cookies=False))
    assert "entry" not in resource(stranger.get("/fhir/Task"))
    assert "entry" not in resource(stranger.get(f"/fhir/Task?owner={sent.service.organisation_id}"))
    hidden = stranger.client.get(task_path(sent), headers={**stranger.headers, **FHIR})
    assert (hidden.status_code, outcome(hidden)["code"]) == (404, "not-found")
    without = program(office, sent.service.organisation_id, "events:read")
    for who, status, code in ((nobody, 401, "login"), (without, 403, "forbidden")):
        answer = who.client.get(task_path(sent), headers={**who.headers, **FHIR})
        assert answer.status_code == status
        assert outcome(answer)["code"] == code
        plain = who.client.get(task_path(sent), headers=who.headers)
        assert plain.mimetype == "application/problem+json"
    missing = nobody.client.get("/fhir/Patient/x", headers=FHIR)
    assert (missing.status_code, outcome(missing)["code"]) == (404, "not-found")


def test_the_facade_says_what_it_can_do_to_everybody(office: Office):
    found = resource(office.app.test_client().get("/fhir/metadata"))
    CapabilityStatement.model_validate(found)
    assert found["fhirVersion"] == "4.0.1"
    task = found["rest"][0]["resource"][0]
    assert {entry["name"] for entry in task["searchParam"]} == {"status", "_lastUpdated", "owner", "requester"}
