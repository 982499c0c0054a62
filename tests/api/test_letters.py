"""Letters over HTTP: a referral to an office on paper, printed, answered and carried on."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from nrm.models import Service
from tests.api.conftest import Office
from tests.api.test_walk import consented, registered, with_case


def test_an_office_on_paper_gets_a_letter_and_its_answer_is_recorded(office: Office):
    handler = office.handler()
    case = with_case(handler, registered(handler))
    consented(handler, case["id"])
    service = office.land.session.execute(select(Service.id).where(Service.code == "training_coast")).scalar_one()
    body = {"case_id": case["id"], "service_id": service, "reason": "wants a trade", "categories": ["contact", "age"]}
    sent = handler.post("/referrals", body)
    assert sent.status_code == 201, sent.text

    (line,) = handler.get(f"/letters?referral={sent.get_json()['id']}&unanswered=true").get_json()["data"]
    page = handler.get(f"/letters/{line['id']}/page")
    assert page.mimetype == "text/html"
    assert "Tarvin" in page.text
    assert "/api/v1/letter-style.css" in page.text
    assert 'dir="rtl"' in page.text
    style = handler.get("/letter-style.css")
    assert (style.status_code, style.mimetype) == (200, "text/css")

    pdf = handler.get(f"/letters/{line['id']}/pdf")
    assert (pdf.status_code, pdf.mimetype) == (200, "application/pdf") or (
        pdf.status_code,
        pdf.get_json()["code"],
    ) == (406, "pdf_not_installed")

    printed = handler.post(f"/letters/{line['id']}/print", {"version": line["version"]})
    assert printed.status_code == 200, printed.text
    answer = {"answer": "agreed", "number": "45", "dated": line["dated"], "version": printed.get_json()["version"]}
    assert handler.post(f"/letters/{line['id']}/answer", answer).status_code == 200
    assert handler.get(f"/referrals/{sent.get_json()['id']}").get_json()["state"] == "accepted"
    read = handler.get(f"/letters/{line['id']}").get_json()
    assert (read["answer"], read["answer_number"]) == ("agreed", "45")
    again = handler.post(f"/letters/{line['id']}/answer", {**answer, "version": read["version"]})
    assert (again.status_code, again.get_json()["code"]) == (409, "letter_answered")


def test_a_support_letter_needs_consent_and_stays_unknown_to_strangers(office: Office):
    handler = office.handler()
    case = with_case(handler, registered(handler))
    service = office.land.session.execute(select(Service).where(Service.code == "training_coast")).scalar_one()
    body = {"template": "support_letter", "organisation_id": service.organisation_id}
    refused = handler.post(f"/cases/{case['id']}/letters", body)
    assert (refused.status_code, refused.get_json()["errors"][0]["code"]) == (422, "no_consent")
    consented(handler, case["id"])
    made = handler.post(f"/cases/{case['id']}/letters", body | {"language": "ckb", "digits": "arab"})
    assert made.status_code == 201, made.text
    stranger = office.handler("hillin", "two")
    for path in ("", "/page", "/pdf"):
        assert stranger.get(f"/letters/{made.get_json()['id']}{path}").status_code == 404
    assert stranger.get("/letters").get_json()["data"] == []


def test_the_appointment_of_a_referral_goes_on_a_slip(office: Office):
    handler = office.handler()
    case = with_case(handler, registered(handler))
    consented(handler, case["id"])
    service = office.land.session.execute(select(Service.id).where(Service.code == "training_coast")).scalar_one()
    body = {"case_id": case["id"], "service_id": service, "reason": "wants a trade", "categories": ["contact", "age"]}
    referral = handler.post("/referrals", body).get_json()["id"]
    none = handler.get(f"/referrals/{referral}/slip")
    assert (none.status_code, none.get_json()["code"]) == (404, "no_appointment")

    (letter,) = handler.get(f"/letters?referral={referral}").get_json()["data"]
    answer = {"answer": "agreed", "number": "45", "dated": letter["dated"], "version": letter["version"]}
    assert handler.post(f"/letters/{letter['id']}/answer", answer).status_code == 200
    at = (office.clock.now() + timedelta(days=2)).isoformat()
    version = handler.get(f"/referrals/{referral}").get_json()["version"]
    given = handler.post(f"/referrals/{referral}/schedule", {"at": at, "place": "Room 4", "version": version})
    assert given.status_code == 200, given.text
    slip = handler.get(f"/referrals/{referral}/slip?language=ar&digits=arab")
    assert slip.status_code == 200
    assert "Room 4" in slip.text
    assert "Tarvin" not in slip.text
    assert case["number"] not in slip.text
    assert office.handler("hillin", "two").get(f"/referrals/{referral}/slip").status_code == 404
