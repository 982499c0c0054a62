"""One shape of a referral for people and programs: what shows, what is kept back, drafts, references, filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from nrm.actions.cases import share_case
from nrm.actions.keys import issue_key
from nrm.actors import SYSTEM
from nrm.models import Case, Event, Referral, Service
from tests.api.conftest import Browser, Office
from tests.api.test_walk import consented, receiver_of, registered, some_service, with_case

Issue = Callable[..., Browser]


@pytest.fixture
def program(office: Office) -> Issue:
    """Give the program of an organisation, which asks with a key."""

    def issue(organisation_id: str, *scopes: str) -> Browser:
        key = issue_key(SYSTEM, organisation_id, name="case system", scopes=scopes)
        client = office.app.test_client(use_cookies=False)
        return Browser(client=client, headers={"Authorization": f"Bearer {key.text}"})

    return issue


class Sent:
    """A referral that has come to its provider."""

    def __init__(self, office: Office, category: str = "JOB", **more: Any) -> None:
        self.office = office
        self.handler = office.handler()
        self.case_id = with_case(self.handler, registered(self.handler))["id"]
        consented(self.handler, self.case_id)
        self.service: Service = some_service(office, category)
        self.made = self.send(**more)

    def send(self, **more: Any) -> dict[str, Any]:
        body = {"case_id": self.case_id, "service_id": self.service.id, "reason": "Work as a carpenter", **more}
        answer = self.handler.post("/referrals", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.get_json()
        return made

    @property
    def path(self) -> str:
        return f"/referrals/{self.made['id']}"


def personal(view: dict[str, Any]) -> set[str]:
    return {name for name, value in view["subject"].items() if value is not None}


def test_lists_and_answers_of_verbs_have_the_shape_of_the_read_without_what_is_personal(office: Office):
    sent = Sent(office)
    provider = receiver_of(office, sent.service.organisation_id)
    listed = provider.get("/referrals").get_json()["data"][0]
    read = provider.get(sent.path).get_json()
    assert set(listed) == set(read) == set(sent.made)
    assert (listed["in_full"], sent.made["in_full"], read["in_full"]) == (False, False, True)
    assert personal(sent.made) == {"ref"}
    assert personal(listed) == {"ref", "names"}, "people find a referral in their list by the name that was shared"
    assert read["reason"] == "Work as a carpenter"
    assert {name: read[name]["id"] for name in ("service", "to_org")} == {
        "service": sent.service.id,
        "to_org": sent.service.organisation_id,
    }
    assert set(read["from_org"]["names"]) == {"ar", "ckb", "en"}
    assert read["consent"]["ground"] == "consent"
    assert "contact" in read["consent"]["scope"]
    assert read["links"]["self"] == f"/api/v1{sent.path}"
    assert provider.get(read["links"]["messages"].removeprefix("/api/v1")).status_code == 200


def test_a_program_without_subject_read_gets_a_reference_and_no_words(office: Office, program: Issue):
    sent = Sent(office)
    ngo = program(sent.service.organisation_id, "referrals:read", "referrals:act")
    sent.handler.post(f"{sent.path}/messages", {"text": "Speaks Sorani only"})
    read = ngo.get(sent.path).get_json()
    assert personal(read) == {"ref"}
    assert (read["reason"], read["expected_result"]) == (None, None)
    assert read["withheld"] == sorted(read["consent"]["scope"])
    assert read["state"] == "sent", "nothing personal was read, so nobody has acknowledged"
    assert ngo.get(f"{sent.path}/messages").get_json()["data"] == []
    assert personal(ngo.get("/referrals").get_json()["data"][0]) == {"ref"}


def test_the_first_read_of_personal_data_by_a_program_acknowledges_and_is_recorded(office: Office, program: Issue):
    sent = Sent(office)
    ngo = program(sent.service.organisation_id, "referrals:read", "referrals:act", "subject:read")
    read = ngo.get(sent.path, headers={"NRM-Purpose": "contact"}).get_json()
    assert (read["state"], read["subject"]["names"]) == ("acknowledged", "Tarvin Olmer Quellstone")
    found = select(Event.data).where(Event.kind == "record.read", Event.subject_id == sent.made["id"])
    assert office.land.session.execute(found).scalars().all() == [{"purpose": "contact"}]
    wrong = ngo.get(sent.path, headers={"NRM-Purpose": "curiosity"})
    assert (wrong.status_code, wrong.get_json()["errors"][0]["code"]) == (422, "unknown_purpose")


def test_a_read_of_the_person_alone_where_no_reason_was_written_is_recorded_too(office: Office, program: Issue):
    sent = Sent(office)
    office.land.session.execute(update(Referral).where(Referral.id == sent.made["id"]).values(reason=None))
    office.land.session.commit()
    client = program(sent.service.organisation_id, "referrals:read", "referrals:act", "subject:read")
    read = client.get(sent.path).get_json()
    assert read["reason"] is None
    assert personal(read) > {"ref"}
    assert read["state"] == "acknowledged"
    found = select(Event.id).where(Event.kind == "record.read", Event.subject_id == sent.made["id"])
    assert office.land.session.scalars(found).one()


def test_of_a_restricted_case_a_program_reads_nothing_personal_without_a_purpose(office: Office, program: Issue):
    sent = Sent(office)
    office.land.session.execute(Case.__table__.update().where(Case.id == sent.case_id).values(level="restricted"))
    office.land.session.commit()
    ngo = program(sent.service.organisation_id, "referrals:read", "subject:read")
    assert personal(ngo.get(sent.path).get_json()) == {"ref"}
    assert ngo.get(sent.path).get_json()["reason"] is None
    assert "names" in personal(ngo.get(sent.path, headers={"NRM-Purpose": "service"}).get_json())


def test_an_external_id_stands_for_one_referral_of_an_organisation(office: Office):
    sent = Sent(office, external_id="A-1")
    again = sent.handler.post(
        "/referrals",
        {"case_id": sent.case_id, "service_id": sent.service.id, "reason": "Again", "external_id": "A-1"},
    )
    body = again.get_json()
    assert (again.status_code, body["code"], body["existing_id"]) == (409, "external_id_used", sent.made["id"])
    listed = sent.handler.get("/referrals?direction=sent&external_id=A-1").get_json()["data"]
    assert [row["id"] for row in listed] == [sent.made["id"]]
    assert sent.handler.get("/referrals?direction=sent&external_id=A-2").get_json()["data"] == []


def test_a_draft_is_changed_and_sent_and_a_sent_one_is_not(office: Office):
    sent = Sent(office, draft=True)
    other = some_service(office, "VT") if sent.service.category != "VT" else some_service(office, "JOB")
    changed = sent.handler.patch(
        sent.path,
        {"version": sent.made["version"], "service_id": other.id, "urgency": "urgent", "external_id": "B-7"},
    )
    assert changed.status_code == 200, changed.text
    view = sent.handler.get(sent.path).get_json()
    assert (view["service"]["id"], view["category"], view["urgency"]) == (other.id, other.category, "urgent")
    assert view["to_org"]["id"] == other.organisation_id
    assert view["reason"] == "Work as a carpenter"
    assert view["external_id"] == "B-7"
    stale = sent.handler.patch(sent.path, {"version": 1, "urgency": "normal"})
    assert stale.status_code == 412
    assert receiver_of(office, other.organisation_id).get(sent.path).status_code == 404
    version = sent.handler.post(f"{sent.path}/send", {"version": view["version"]}).get_json()["version"]
    late = sent.handler.patch(sent.path, {"version": version, "urgency": "normal"})
    assert (late.status_code, late.get_json()["code"]) == (409, "not_a_draft")


def test_lists_are_narrowed_by_state_urgency_and_change(office: Office):
    sent = Sent(office, urgency="urgent")
    provider = receiver_of(office, sent.service.organisation_id)

    def count(query: str) -> int:
        return len(provider.get(f"/referrals?{query}").get_json()["data"])

    assert [count(f"state={state}") for state in ("sent", "accepted")] == [1, 0]
    assert [count(f"urgency={urgency}") for urgency in ("urgent", "normal")] == [1, 0]
    before = office.clock.now().isoformat().replace("+00:00", "Z")
    office.land.move(minutes=5)
    after = office.clock.now().isoformat().replace("+00:00", "Z")
    assert [count(f"updated_since={moment}") for moment in (before, after)] == [1, 0]


def test_a_sending_organisations_program_refers_a_case_that_was_opened_to_it(office: Office, program: Issue):
    sent = Sent(office, draft=True)
    organisation = sent.made["from_org"]["id"]
    sender = program(organisation, "referrals:read", "referrals:act", "referrals:send")
    body = {"case_id": sent.case_id, "service_id": sent.service.id, "reason": "Work", "external_id": "own-9"}
    assert sender.post("/referrals", body).status_code == 403, "so far it may only read the case"
    supervisor = office.land.at_desk("supervisor", "norvale")
    share_case(supervisor, sent.case_id, holder_kind="organisation", holder_id=organisation, access="work")
    made = sender.post("/referrals", body, headers={"Idempotency-Key": "once"})
    assert made.status_code == 201, made.text
    view = made.get_json()
    read = sender.get(f"/referrals/{view['id']}").get_json()
    assert (read["relation"], read["state"], read["external_id"]) == ("team", "sent", "own-9")
    assert personal(read) == {"ref"}
    ended = sender.post(f"/referrals/{view['id']}/cancel", {"reason": "duplicate", "version": view["version"]})
    assert (ended.status_code, ended.get_json()["state"]) == (200, "cancelled")
    outside = program(sent.service.organisation_id, "referrals:send", "referrals:read")
    assert outside.post("/referrals", body).status_code == 404
    assert office.land.session.get(Referral, view["id"]) is not None


def test_nobody_writes_to_the_other_side_of_a_referral_that_was_taken_back(office: Office, program: Issue):
    sent = Sent(office)
    client = program(sent.service.organisation_id, "referrals:read", "referrals:act")
    assert client.post(f"{sent.path}/messages", {"text": "When may she come?"}).status_code == 201
    body = {"reason": "returnee_request", "version": sent.made["version"]}
    assert sent.handler.post(f"{sent.path}/withdraw", body).status_code == 200
    for writer in (client, sent.handler):
        answer = writer.post(f"{sent.path}/messages", {"text": "We had called already"})
        assert (answer.status_code, answer.get_json()["code"]) == (409, "referral_taken_back")
