"""Partner programs before the doors: a key in the header, scopes, and how a refusal is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from api.security.request_log import RequestLog
from api.transport.endpoint import OPERATIONS
from nrm.actions.keys import issue_key, revoke_key
from nrm.actions.schedules import run_schedule
from nrm.actors import SYSTEM
from nrm.errors import Conflict
from nrm.installation import install, installation
from nrm.models import ApiKey, Delivery, IdempotencyKey, Organisation
from nrm.rules.permissions import SCOPES
from tests.api.conftest import Browser, Office
from tests.api.test_scope import PART, body_of
from tests.api.test_walk import consented, registered, some_service, with_case

Issue = Callable[..., Browser]


@pytest.fixture
def program(office: Office) -> Issue:
    """Give a partner's program, which asks with a key of an organisation."""

    def issue(organisation_id: str = "", *scopes: str, **terms: Any) -> Browser:
        if not organisation_id:
            found = select(Organisation.id).where(Organisation.active).order_by(Organisation.id)
            organisation_id = str(office.land.session.execute(found).scalars().first())
            office.land.session.close()
        key = issue_key(SYSTEM, organisation_id, name="case system", scopes=scopes or tuple(SCOPES), **terms)
        client = office.app.test_client(use_cookies=False)
        return Browser(client=client, headers={"Authorization": f"Bearer {key.text}"})

    return issue


def sent_referral(office: Office) -> tuple[str, str]:
    """Send a referral and give its id and its receiver's."""
    owner = office.handler()
    case_id = with_case(owner, registered(owner))["id"]
    consented(owner, case_id)
    service = some_service(office, "JOB")
    made = owner.post("/referrals", {"case_id": case_id, "service_id": service.id, "reason": "Work"}).get_json()
    return made["id"], service.organisation_id


def test_a_receiving_organisations_program_finds_and_accepts_a_referral(office: Office, program: Issue):
    referral_id, receiver = sent_referral(office)
    ngo = program(receiver)
    listed = ngo.get("/referrals").get_json()["data"]
    assert [row["id"] for row in listed] == [referral_id]
    version = ngo.get(f"/referrals/{referral_id}").get_json()["version"]
    answer = ngo.post(f"/referrals/{referral_id}/accept", {"version": version})
    assert (answer.status_code, answer.get_json()["state"]) == (200, "accepted")


def test_another_organisations_program_learns_nothing_of_the_referral(office: Office, program: Issue):
    referral_id, receiver = sent_referral(office)
    others = select(Organisation.id).where(Organisation.id != receiver, Organisation.kind == "ngo")
    other = program(str(office.land.session.execute(others).scalars().first()))
    assert other.get("/referrals").get_json()["data"] == []
    assert other.get(f"/referrals/{referral_id}").status_code == 404
    assert other.post(f"/referrals/{referral_id}/accept", {"version": 1}).status_code == 404


def test_a_key_opens_only_the_doors_of_its_scope(program: Issue):
    reader = program("", "referrals:read")
    tried = {"not_for_keys": 0, "scope_missing": 0}
    for operation in OPERATIONS:
        if not operation.signed_in or operation.scope in ("referrals:read", "any"):
            continue
        path = PART.sub("x_1", operation.rule).removeprefix("/api/v1")
        answer = reader.ask(operation.method, path, json=body_of(operation))
        expected = "not_for_keys" if operation.scope is None else "scope_missing"
        assert (answer.status_code, answer.get_json()["code"]) == (403, expected), operation.rule
        if operation.scope is not None:
            assert operation.scope in answer.get_json()["detail"]
            assert f'error="insufficient_scope", scope="{operation.scope}"' in answer.headers["WWW-Authenticate"]
        tried[expected] += 1
    assert tried["not_for_keys"] > 50
    assert tried["scope_missing"] > 15


def test_each_declared_scope_is_in_the_document(office: Office):
    document = office.app.test_client().get("/api/v1/openapi.json").get_json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    needed = {
        verb["operationId"]: [way["key"] for way in verb["security"] if "key" in way]
        for verbs in document["paths"].values()
        for verb in verbs.values()
    }
    for operation in OPERATIONS:
        expected = {None: [], "any": [[]]}.get(operation.scope, [[operation.scope]])
        assert needed[f"{operation.noun}.{operation.name}"] == expected


def test_who_sends_nothing_hears_how_to_ask(office: Office):
    answer = office.browser().get("/referrals")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="nrm", Cookie realm="nrm"'


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Basic bnJtOm5ybQ==",
        "Bearer nrm_test_" + "0" * 46,
        "Bearer two words",
        "Bearer " + "x" * 5000,
        "\xff",
        "",
    ],
)
def test_a_key_that_is_none_is_refused(office: Office, authorization: str):
    browser = Browser(client=office.app.test_client(use_cookies=False), headers={"Authorization": authorization})
    answer = browser.get("/referrals")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "bad_key")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_revoked_key_is_worthless_at_once(office: Office, program: Issue):
    organisation = str(office.land.session.execute(select(Organisation.id)).scalars().first())
    key = issue_key(SYSTEM, organisation, name="case system", scopes=["referrals:read"])
    browser = Browser(client=office.app.test_client(), headers={"Authorization": f"bearer {key.text}"})
    assert browser.get("/referrals").status_code == 200
    revoke_key(SYSTEM, key.id)
    assert browser.get("/referrals").status_code == 401


def test_a_key_counts_only_from_its_networks(office: Office, program: Issue):
    ngo = program("", "referrals:read", networks=["192.0.2.0/24"])
    assert ngo.get("/referrals").status_code == 401
    assert ngo.get("/referrals", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_a_cookie_and_a_key_together_are_refused(office: Office, program: Issue):
    handler, key = office.handler(), program()
    answer = handler.get("/referrals", headers=key.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "two_credentials")


def test_a_key_in_the_address_is_refused_with_the_advice_to_replace_it(office: Office, program: Issue):
    text = program().headers["Authorization"].removeprefix("Bearer ")
    client = office.app.test_client()
    for path in (f"/api/v1/referrals?key={text}", f"/api/v1/referrals/{text}", "/api/v1/referrals?access_token=x"):
        answer = client.get(path)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "key_in_address")
        assert text not in answer.text


def test_a_program_needs_no_proof_of_its_site(program: Issue):
    ngo = program()
    answer = ngo.post("/referrals/ref_1/accept", {"version": 1}, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 404


def test_a_repeated_request_is_answered_alike_for_the_next_key_of_the_organisation(office: Office, program: Issue):
    referral_id, receiver = sent_referral(office)
    first, second = program(receiver, "referrals:act"), program(receiver, "referrals:act")
    once = {"Idempotency-Key": "from-our-outbox-17", "If-Match": '"v2"'}
    said = first.post(f"/referrals/{referral_id}/accept", {}, headers=once)
    again = second.post(f"/referrals/{referral_id}/accept", {}, headers=once)
    assert (said.status_code, again.status_code, again.data) == (200, 200, said.data)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert office.land.session.execute(select(func.count()).select_from(IdempotencyKey)).scalar_one() == 1


def test_a_kept_answer_is_not_given_to_a_key_that_may_see_less(office: Office, program: Issue):
    referral_id, receiver = sent_referral(office)
    full, narrow = program(receiver, "referrals:act", "subject:read"), program(receiver, "referrals:act")
    once = {"Idempotency-Key": "same", "If-Match": '"v2"'}
    assert full.post(f"/referrals/{referral_id}/accept", {}, headers=once).status_code == 200
    answer = narrow.post(f"/referrals/{referral_id}/accept", {}, headers=once)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_mismatch")


def test_a_new_program_asks_who_it_is(office: Office, program: Issue):
    me = program("", "events:read", livemode=False).get("/whoami").get_json()
    assert (me["kind"], me["scopes"], me["livemode"]) == ("key", ["events:read"], False)
    assert me["organisation"]["names"]
    assert me["now"] == "2026-03-01T08:00:00Z"
    handler = office.handler()
    assert handler.get("/whoami").get_json()["kind"] == "user"


def test_static_keys_can_be_switched_off(office: Office, program: Issue):
    place = installation()
    ngo = program()
    install(replace(place.config, allow_static_keys=False), place.clock)
    answer = ngo.get("/whoami")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "static_keys_off")
    with pytest.raises(Conflict, match="static_keys_off"):
        program()


def test_an_organisation_reads_what_its_programs_asked(office: Office, program: Issue):
    receivers = list(office.land.session.execute(select(Organisation.id).where(Organisation.kind == "ngo")).scalars())
    ours, second, trial = program(receivers[0]), program(receivers[0]), program(receivers[0], livemode=False)
    theirs = program(receivers[1])
    ours.get("/referrals/ref_1", headers={"X-Request-Id": "our-request-17"})
    ours.get("/referrals?state=sent")
    theirs.get("/referrals")
    trial.get("/whoami")
    log = second.get("/request-log").get_json()["data"]
    assert [(row["method"], row["route"], row["status"], row["code"]) for row in log] == [
        ("GET", "/api/v1/referrals", 200, None),
        ("GET", "/api/v1/referrals/<referral_id>", 404, "not_found"),
    ]
    assert log[1]["request_id"] == "our-request-17"
    assert "ref_1" not in str(log)
    assert [row["route"] for row in trial.get("/request-log").get_json()["data"]] == ["/api/v1/whoami"]
    page = second.get("/request-log?limit=1").get_json()
    rest = second.get(f"/request-log?limit=100&cursor={page['next_cursor']}").get_json()["data"]
    assert page["data"][0]["route"] == "/api/v1/request-log"
    assert [row["route"] for row in rest] == ["/api/v1/referrals", "/api/v1/referrals/<referral_id>"]
    admin = office.browser(office.land.at_desk("case_handler", "norvale"))
    assert admin.get("/request-log").status_code == 403


def test_requests_are_kept_a_month_and_the_last_use_of_a_key_to_a_minute(office: Office, program: Issue):
    ngo = program()
    kept: RequestLog = office.app.extensions["nrm.request_log"]

    def used_at() -> datetime:
        kept.flush()
        office.land.session.close()
        return office.land.session.execute(select(ApiKey.used_at)).scalar_one()

    assert used_at() is None
    ngo.get("/whoami")
    first = used_at()
    office.clock.move(timedelta(seconds=59))
    ngo.get("/whoami")
    assert used_at() == first
    office.clock.move(timedelta(seconds=1))
    ngo.get("/whoami")
    assert used_at() == first + timedelta(minutes=1)
    office.clock.move(timedelta(days=31))
    run_schedule(SYSTEM, "forget_requests", {})
    assert ngo.get("/request-log").get_json()["data"] == []


def test_requests_are_stored_a_little_later_and_wait_when_they_cannot_be(
    office: Office, program: Issue, monkeypatch: pytest.MonkeyPatch
):
    ngo, stored = program(), []
    monkeypatch.setattr("api.security.request_log.keep_requests", lambda _, asked: stored.append(len(asked)))
    ngo.get("/whoami").close()
    assert stored == []
    monkeypatch.setattr("api.security.request_log.MOST", 3)
    ngo.get("/whoami").close()
    ngo.get("/whoami").close()
    assert stored == [3]

    def fails(*_: object) -> None:
        raise RuntimeError("no place")

    monkeypatch.setattr("api.security.request_log.keep_requests", fails)
    for _ in range(3):
        answer = ngo.get("/whoami")
        answer.close()
        assert answer.status_code == 200
    monkeypatch.setattr("api.security.request_log.keep_requests", lambda _, asked: stored.append(len(asked)))
    ngo.get("/whoami").close()
    assert stored == [3, 4]


def test_an_organisation_is_reminded_a_month_a_week_and_a_day_before_its_key_ends(office: Office, program: Issue):
    organisation_id = str(office.land.session.execute(select(Organisation.id)).scalars().first())
    office.land.session.execute(
        update(Organisation).where(Organisation.id == organisation_id).values(email="focal@open-door.example")
    )
    office.land.session.commit()
    issue_key(SYSTEM, organisation_id, name="x", scopes=["events:read"], days=60)
    told = []
    for _ in range(61):
        run_schedule(SYSTEM, "remind_of_keys", {})
        told.append(office.land.session.execute(select(func.count()).select_from(Delivery)).scalar_one())
        office.land.session.close()
        office.clock.move(timedelta(days=1))
    assert [day for day in range(1, 61) if told[day] > told[day - 1]] == [30, 53, 59]
    templates = office.land.session.execute(select(Delivery.template).order_by(Delivery.created_at)).scalars()
    assert list(templates) == ["key_ends", "key_ends", "key_ends_tomorrow"]
