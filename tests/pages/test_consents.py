"""What a person agreed to, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader

GIVEN: dict[str, Any] = {
    "purposes": ["casework", "share_provider"],
    "categories": ["contact", "age"],
    "mode": "written",
}


def record(one: Reader, case_id: str, **changed: Any) -> Page:
    sent = {"given_by": "self", **GIVEN, **changed}
    return one.send(one.open(f"/cases/{case_id}/consent"), "/consent", **sent)


def test_a_consent_is_recorded_from_the_case_and_stands_there(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    empty = handler.open(handler.open(f"/cases/{case_id}").links["Read, record, withdraw"])
    assert "No consent is recorded." in empty.says
    page = record(handler, case_id, expires_at="2027-01-31", interpreter="1", language="ckb")
    assert "The consent is recorded." in page.says
    assert "Share with service providers" in page.says
    assert "Somebody interpreted" in page.says
    assert page.inline == []
    assert "valid" in handler.open(f"/cases/{case_id}").says


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"purposes": []}, "#purposes"),
        ({"mode": "shouted"}, "#mode"),
        ({"categories": ["shoes"]}, "#categories"),
        ({"expires_at": "2050-01-01"}, "#expires_at"),
        ({"expires_at": "soon"}, "#expires_at"),
        ({"given_by": "nobody"}, "#given_by"),
        ({"organisations_denied": ["org_x"]}, "#organisations_denied"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_recorded(handler: Reader, opened, sent: Any, field: str):
    case_id = opened()
    page = record(handler, case_id, **sent)
    assert page.status == 422
    assert field in page.links.values()
    assert "No consent is recorded." in handler.open(f"/cases/{case_id}/consent").says


def test_a_part_of_a_consent_is_withdrawn_then_all_of_it(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    page = record(handler, case_id)
    nothing = handler.send(page, "/withdraw", do="some")
    assert nothing.status == 422
    part = handler.send(page, "/withdraw", do="some", scope=["age"])
    assert "partly withdrawn" in part.says
    assert "0 referrals ended" in part.says
    stale = handler.send(page, "/withdraw", do="all")
    assert stale.status == 412
    whole = handler.send(part, "/withdraw", do="all")
    assert not whole.leads("/withdraw")


def test_a_disclosure_without_consent_needs_a_second_person_who_reads_why(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], handler: Reader
):
    case_id = opened()
    first, second = (reader(office.land.at_desk("supervisor", "norvale", name)) for name in ("one", "two"))
    page = first.open(f"/cases/{case_id}/consent")
    assert page.leads("/override")
    organisation = page.text.split('id="o-organisation_id"')[1].split('value="org_')[1].split('"')[0]
    sent = {"organisation_id": f"org_{organisation}", "ground": "life_threat", "o-categories": ["contact"]}
    missing = first.send(page, "/override", **{**sent, "reason": " "})
    assert missing.status == 422
    assert "#o-reason" in missing.links.values()

    asked = first.send(page, "/override", **sent, reason="An invented danger")
    assert "waits for a second person" in asked.says
    assert not asked.leads("/approve")
    assert "An invented danger" not in handler.open(f"/cases/{case_id}/consent").text

    seen = second.open(f"/cases/{case_id}/consent")
    assert "An invented danger" in seen.says
    done = second.send(seen, "/approve")
    assert "The disclosure is approved." in done.says
    assert not done.leads("/approve")


def test_a_disclosure_without_consent_may_be_refused_with_a_reason(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], handler: Reader
):
    case_id = opened()
    first, second = (reader(office.land.at_desk("supervisor", "norvale", name)) for name in ("one", "two"))
    page = first.open(f"/cases/{case_id}/consent")
    organisation = page.text.split('id="o-organisation_id"')[1].split('value="org_')[1].split('"')[0]
    sent = {"organisation_id": f"org_{organisation}", "ground": "life_threat", "o-categories": ["contact"]}
    first.send(page, "/override", **sent, reason="An invented danger")

    assert f"/cases/{case_id}/consent" in second.open("/desk").text
    seen = second.open(f"/cases/{case_id}/consent")
    silent = second.send(seen, "/refuse", reason=" ")
    assert silent.status == 422
    refused = second.send(silent, "/refuse", reason="The danger is over")
    assert "The disclosure is refused" in refused.says
    assert not refused.leads("/approve")
    assert "The danger is over" in first.open(f"/cases/{case_id}/consent").says
    assert "The danger is over" not in handler.open(f"/cases/{case_id}/consent").says
    late = second.send(seen, "/approve")
    assert late.status == 409
    assert f"/cases/{case_id}/consent" not in second.open("/desk").text


def test_a_consent_of_another_offices_case_is_not_there(office: Office, reader, handler: Reader, opened):
    case_id = opened()
    page = record(handler, case_id)
    address = page.form("/withdraw").action
    outside = reader(office.land.at_desk("case_handler", "lakemar", "far"))
    assert outside.open(f"/cases/{case_id}/consent").status == 404
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    sent = {"token": token, "do": "all", "version": "1", **GIVEN, "given_by": "self"}
    assert outside.post(address, sent).status == 404
    assert outside.post(f"/cases/{case_id}/consent", sent).status == 404
    other = opened()
    mine = dict(handler.open("/work").form("/sign-out").fields)["token"]
    assert handler.post(address.replace(case_id, other), {**sent, "token": mine}).status == 404


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_the_page_is_there_in_each_language(office: Office, reader, opened: Callable[..., str], language: str):
    case_id = opened()
    one = reader(office.land.at_desk("supervisor", "norvale"), language)
    page = record(one, case_id)
    assert (page.status, page.language, page.direction, page.inline) == (200, language, "rtl", [])
