"""One returnee over HTTP: registered, a case, consent, a referral that an organisation accepts and serves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from nrm.actors import Actor
from nrm.models import Service, ServiceCoverage, SharingAgreement
from tests.api.conftest import Browser, Office

PERSON = {
    "names": {"own": "Tarvin", "father": "Olmer", "surname": "Quellstone", "mother": "Mira Osk"},
    "documents": [{"kind": "passport", "number": "X0000017"}],
    "born": "1991-04-02",
    "sex": "male",
    "governorate": "norvale",
}


def receiver_of(office: Office, organisation_id: str) -> Browser:
    return office.browser(office.land.receiver(organisation_id))


def some_service(office: Office, category: str) -> Service:
    with_agreement = select(SharingAgreement.organisation_id)
    service = (
        office.land.session.execute(
            select(Service)
            .join(ServiceCoverage, ServiceCoverage.service_id == Service.id)
            .where(
                ServiceCoverage.governorate == "norvale",
                Service.category == category,
                Service.visibility == "partners",
                Service.organisation_id.in_(with_agreement),
            )
            .order_by(Service.code)
        )
        .scalars()
        .first()
    )
    assert service is not None, f"testland has no {category} in norvale"
    return service


def registered(handler: Browser) -> str:
    answer = handler.post("/people", {"person": PERSON})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def with_case(handler: Browser, person_id: str, **facts: Any) -> dict[str, Any]:
    answer = handler.post("/cases", {"person_id": person_id, "governorate": "norvale", "path": "hello", **facts})
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.get_json()
    return case


def consented(handler: Browser, case_id: str) -> str:
    body = {
        "purposes": ["casework", "share_provider"],
        "categories": ["contact", "age", "work", "adjustments", "birth", "documents", "household", "return", "health"],
        "mode": "written",
    }
    answer = handler.post(f"/cases/{case_id}/consents", body)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def test_somebody_is_searched_registered_and_not_registered_twice(office: Office):
    handler = office.handler()
    assert handler.post("/people/search", {"name": "Tarvin Olmer Quellstone"}).get_json() == {"data": []}
    person_id = registered(handler)

    found = handler.post("/people/search", {"name": "Tarvin Quellstone"}).get_json()["data"]
    assert [card["id"] for card in found] == [person_id]
    again = handler.post("/people", {"person": PERSON})
    assert (again.status_code, again.get_json()["code"]) == (409, "possible_duplicate")
    assert handler.post("/people", {"person": PERSON, "known": [person_id]}).status_code == 201

    read = handler.get(f"/people/{person_id}")
    assert read.get_json()["data"]["names"]["own"] == "Tarvin"
    changed = handler.patch(
        f"/people/{person_id}", {"changes": {"born": "1991-04-03"}}, headers={"If-Match": read.headers["ETag"]}
    )
    assert changed.status_code == 200, changed.text
    assert handler.get(f"/people/{person_id}").get_json()["data"]["born"] == "1991-04-03"


def test_a_referral_goes_out_is_read_accepted_served_and_confirmed(office: Office):
    handler = office.handler()
    case = with_case(handler, registered(handler))
    service = some_service(office, "JOB")
    refused = handler.post(
        "/referrals", {"case_id": case["id"], "service_id": service.id, "reason": "Work as a carpenter"}
    )
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["code"] == "no_consent"

    consented(handler, case["id"])
    proposals = handler.post(f"/cases/{case['id']}/proposals", {"category": "JOB"}).get_json()
    assert service.id in {entry["service"]["id"] for entry in proposals if entry["possible"]}
    sent = handler.post(
        "/referrals",
        {"case_id": case["id"], "service_id": service.id, "reason": "Work as a carpenter"},
        headers={"Idempotency-Key": "send-once"},
    )
    assert sent.status_code == 201, sent.text
    referral = sent.get_json()
    assert referral["state"] == "sent"

    provider = receiver_of(office, service.organisation_id)
    listed = provider.get("/referrals?direction=received").get_json()["data"]
    assert [entry["id"] for entry in listed] == [referral["id"]]
    assert listed[0]["case_id"] is None
    seen = provider.get(f"/referrals/{referral['id']}")
    view = seen.get_json()
    assert view["relation"] == "receiver"
    assert view["state"] == "acknowledged"
    assert "Tarvin" in view["subject"]["names"]
    assert view["subject"]["mother"] is None
    assert (view["service"]["id"], view["to_org"]["id"]) == (service.id, service.organisation_id)

    accepted = provider.post(f"/referrals/{referral['id']}/accept", {}, headers={"If-Match": seen.headers["ETag"]})
    assert accepted.status_code == 200, accepted.text
    version = accepted.get_json()["version"]
    wrong = provider.post(f"/referrals/{referral['id']}/decline", {"reason": "no_capacity", "version": version})
    assert wrong.status_code == 409
    assert "complete" in wrong.get_json()["allowed_actions"]
    done = provider.post(f"/referrals/{referral['id']}/complete", {"outcome": "provided", "version": version})
    assert done.status_code == 200, done.text
    confirmed = handler.post(
        f"/referrals/{referral['id']}/confirm", {"received": True, "version": done.get_json()["version"]}
    )
    assert confirmed.status_code == 200, confirmed.text

    mine = handler.get(f"/referrals/{referral['id']}").get_json()
    assert (mine["relation"], mine["outcome"]["code"]) == ("team", "provided")
    assert mine["closed_at"]
    assert len(handler.get(f"/cases/{case['id']}/disclosures").get_json()) == 1
    kinds = [entry["kind"] for entry in handler.get(f"/cases/{case['id']}/timeline?limit=100").get_json()["data"]]
    assert kinds[-1] == "case.opened"
    assert {"referral.sent", "referral.accepted", "referral.completed", "referral.closed"} <= set(kinds)


def test_a_withdrawn_consent_takes_the_referral_and_the_receivers_sight_away(office: Office):
    handler = office.handler()
    case = with_case(handler, registered(handler))
    consent_id = consented(handler, case["id"])
    service = some_service(office, "JOB")
    referral = handler.post(
        "/referrals", {"case_id": case["id"], "service_id": service.id, "reason": "Work as a carpenter"}
    ).get_json()
    withdrawn = handler.post(f"/consents/{consent_id}/withdraw", {"version": 1})
    assert withdrawn.get_json() == {"referrals_ended": 1}

    view = receiver_of(office, service.organisation_id).get(f"/referrals/{referral['id']}").get_json()
    assert (view["relation"], view["state"]) == ("none", "withdrawn")
    assert {name for name, value in view["subject"].items() if value is not None} == {"ref"}
    assert view["reason"] is None


def test_a_case_is_read_changed_noted_shared_and_closed(office: Office):
    handler = office.handler()
    supervisor = office.browser(office.land.at_desk("supervisor", "norvale"))
    person_id = registered(handler)
    case_id = with_case(handler, person_id)["id"]
    view = handler.get(f"/cases/{case_id}").get_json()
    assert view["person_name"] == "Tarvin Olmer Quellstone"
    assert "change" in view["allowed_actions"]
    changed = handler.patch(f"/cases/{case_id}", {"priority": "urgent", "version": view["version"]})
    assert changed.status_code == 200, changed.text
    assert handler.get("/tasks?tab=desk&priority=urgent").get_json()["data"]
    note = handler.post(f"/cases/{case_id}/notes", {"text": "Came to the office.\nBrought papers."})
    assert note.status_code == 201
    assert handler.get(f"/cases/{case_id}/notes").get_json()[0]["text"].startswith("Came to")
    run_id = handler.get(f"/cases/{case_id}/runs").get_json()[0]["id"]
    assert handler.get(f"/runs/{run_id}").get_json()["open_steps"] == ["ask"]
    drawn = handler.get(f"/runs/{run_id}/drawing", headers={"Accept-Language": "ar"})
    assert drawn.mimetype == "image/svg+xml"
    assert handler.get(f"/cases/{case_id}/tasks").get_json()[0]["step"] == "ask"
    assert handler.get(f"/cases/{case_id}/access").get_json()
    assert [row["id"] for row in handler.get(f"/cases?person={person_id}").get_json()["data"]] == [case_id]
    version = supervisor.get(f"/cases/{case_id}").get_json()["version"]
    closed = supervisor.post(
        f"/cases/{case_id}/close", {"outcome": "no_such_outcome", "reason": "no_such_reason", "version": version}
    )
    assert closed.status_code == 422, closed.text
    assert {entry["pointer"] for entry in closed.get_json()["errors"]} == {"/outcome", "/reason"}


def test_the_directory_and_code_lists_are_read_and_kept(office: Office):
    handler = office.handler()
    assert handler.get("/organisations?limit=2").get_json()["has_more"]
    assert handler.get("/services?category=JOB&governorate=norvale").get_json()["data"]
    assert handler.get("/desks?limit=1").get_json()["data"]
    names = handler.get("/code-lists").get_json()
    first = handler.get(f"/code-lists/{names[0]}")
    assert set(first.get_json()["codes"][0]["names"]) == {"ar", "ckb", "en"}
    again = handler.get(f"/code-lists/{names[0]}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert handler.get("/places").get_json()


def test_an_arrival_list_is_taken_row_by_row(office: Office):
    importer = office.browser(_who_may(office, "manifest.import"))
    text = "name,date of birth,sex,governorate\nMirel Dane Osk,1988-01-05,male,Norvale\n,1990-01-01,female,Norvale\n"
    answer = importer.ask("POST", "/manifests?filename=list.csv", data=text.encode(), content_type="text/csv")
    assert answer.status_code == 200, answer.text
    report = answer.get_json()
    assert (report["accepted"], len(report["refused"])) == (1, 1)
    again = importer.ask("POST", "/manifests", data=text.encode(), content_type="text/csv").get_json()
    assert (again["accepted"], again["same"]) == (0, 1)


def _who_may(office: Office, permission: str) -> Actor:
    from nrm.queries import packs

    pack = packs.pack()
    desk = next(desk for desk in pack.desks if permission in pack.roles.get(desk.role, frozenset()))
    return office.land.seat(desk.id, desk.organisation_id, desk.role)


def test_paths_are_read_and_drawn_by_those_who_may(office: Office):
    reader = office.browser(_who_may(office, "path.read"))
    paths = reader.get("/paths").get_json()
    version = reader.get(f"/path-versions/{paths[0]['latest_id']}").get_json()
    assert version["steps"]
    assert reader.get(f"/path-versions/{paths[0]['latest_id']}/drawing").data.startswith(b"<svg")


def test_the_demonstrations_clock_moves_on(office: Office):
    handler = office.handler()
    before = handler.get("/demo/clock").get_json()["now"]
    after = handler.post("/demo/clock", {"advance": "P3D"}).get_json()["now"]
    assert before < after
    again = office.handler()
    assert again.post("/demo/clock", {"advance": "-P3D"}).status_code == 422


def test_machines_that_watch_get_figures(office: Office):
    client = office.app.test_client()
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json()["ready"] is True
    assert b"nrm_jobs_due" in client.get("/metrics").data
