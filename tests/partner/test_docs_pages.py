"""The partners' documentation: whole in three languages, its examples true, nothing in it that a browser refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.pages import examples
from api.pages.guide import LANGUAGES, SECTIONS, snippets
from api.transport.body import load
from api.transport.endpoint import OPERATIONS
from nrm.installation import install, installation
from nrm.rules.partner_events import TYPES
from nrm.rules.permissions import SCOPES
from nrm.rules.statuses import REFERRAL_VERBS
from nrm.vocabulary import ReferralState
from tests.api.conftest import Office
from tests.partner.conftest import Snippets

PAGES = ("/docs", "/docs/reference", "/docs/codes", "/docs/problems", "/docs/try")


@pytest.fixture
def client(office: Office) -> FlaskClient:
    return office.app.test_client()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_each_page_opens_for_everybody_in_each_language(client: FlaskClient, path: str, language: str):
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}" dir="{"ltr" if language == "en" else "rtl"}">' in answer.text
    assert Snippets(answer.text).inline == []
    assert "guide." not in re.sub(r"<[^>]*>", "", answer.text)


def test_who_changes_the_language_reads_the_page_in_it_at_once(client: FlaskClient):
    assert '<html lang="en"' in client.get("/docs", headers={"Accept-Language": "en"}).text
    answer = client.post("/language", data={"language": "ckb", "back": "/docs"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/docs")
    page = client.get("/docs", headers={"Accept-Language": "en"})
    assert '<html lang="ckb" dir="rtl">' in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_every_example_that_a_section_names_is_there_and_none_lies_about(office: Office):
    named = {part for _, parts in SECTIONS for part in parts if len(part) > 1} - {"scopes"}
    folder = {file.name.partition(".")[0] for file in (examples_folder()).glob("*.txt")}
    assert named == folder
    assert all(snippets(name) for name in named)


def examples_folder() -> Any:
    from tests.architecture.sources import ROOT

    return ROOT / "api" / "templates" / "docs" / "snippets"


def test_the_page_shows_the_examples_byte_for_byte_with_this_installations_address(office: Office, client: FlaskClient):
    shown = Snippets(client.get("/docs").text).found
    for name in {part for _, parts in SECTIONS for part in parts if len(part) > 1} - {"scopes"}:
        for one in snippets(name):
            assert shown[(name, one.language)] == one.text
            assert one.language in LANGUAGES
    assert "http://127.0.0.1:8000" in shown[("settings", "shell")]


@pytest.mark.parametrize("operation", examples.for_partners(), ids=lambda one: f"{one.noun}.{one.name}")
def test_the_example_of_a_call_is_one_that_the_call_takes(operation: Any):
    body = examples.body_of(operation)
    if body is not None:
        given = {name: value for name, value in body.items() if name != "version" or "version" in operation.body.fields}
        assert load(operation.body, given) is not None
        assert json.dumps(body, ensure_ascii=False) in examples.curl_of(operation)
        verb = REFERRAL_VERBS.get(operation.name) if operation.noun == "referrals" else None
        if verb is not None and verb.reasons is not None:
            assert body["reason"] in set(verb.reasons)
    assert "<" not in examples.path_of(operation)
    assert len(examples.query_of(operation)) == len(
        {name for name, field in operation.query.fields.items() if field.required} if operation.query else ()
    )


def test_the_reference_shows_every_call_of_a_key_and_no_other(client: FlaskClient):
    text = client.get("/docs/reference").text
    shown = set(re.findall(r'<section class="card call" id="([\w.]+)"', text))
    for operation in OPERATIONS:
        name = f"{operation.noun}.{operation.name}"
        if operation.scope is not None:
            assert name in shown
        elif operation.signed_in:
            assert name not in shown


def test_every_state_event_and_scope_is_explained(client: FlaskClient):
    codes = client.get("/docs/codes").text
    for state in ReferralState:
        assert f'id="state-{state}"' in codes
    for type_ in TYPES:
        assert f'<code dir="ltr">{type_}</code>' in codes
    guide = client.get("/docs").text
    for scope in SCOPES:
        assert scope in guide


def test_the_limits_are_those_of_this_installation(office: Office, client: FlaskClient):
    install(replace(installation().config, key_rate=7, key_burst=77), office.clock)
    assert (
        "7 requests a second go on for ever, 77 at once" in client.get("/docs", headers={"Accept-Language": "en"}).text
    )


def test_the_file_for_editors_holds_every_call(client: FlaskClient):
    answer = client.get("/docs/partner.http")
    assert answer.mimetype == "text/plain"
    assert answer.text.count("\n### ") == len(examples.for_partners())


def test_the_client_can_be_taken_away_and_is_a_program(client: FlaskClient):
    answer = client.get("/docs/nrm_client.py")
    assert answer.mimetype == "text/x-python"
    compile(answer.data, "nrm_client.py", "exec")
