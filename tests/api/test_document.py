"""The OpenAPI document is valid, whole, and true: random requests get only answers that it announces."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.app import create_app
from api.openapi import document
from api.transport.endpoint import OPERATIONS
from nrm.queries import packs
from nrm.rules.permissions import SCOPES
from tests.api.conftest import Office
from tests.api.test_oauth import GRANT, basic, client_with_secret
from tests.api.test_oauth import ask as ask_for_token

assert create_app  # its import declares the endpoints

WHOLE = os.environ.get("NRM_WHOLE") == "1"
"""Every role and every scope; `make soak` does."""

ROUNDS = 3
"""Random requests for each endpoint and asker."""

LEFT_OUT = {"sessions.sign_in", "sessions.sign_out", "sessions.end_others", "demonstration.move_clock"}
"""They end the session with which the others are asked, or slow the sign-in down."""


@schemathesis.serializer("application/zip")
def as_it_is(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """Send what was made up as the bytes of a file."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def test_the_document_is_valid_and_names_every_endpoint():
    content = document()
    OpenAPIV31SpecValidator(content).validate()
    described = {verb["operationId"] for verbs in content["paths"].values() for verb in verbs.values()}
    assert described == {f"{operation.noun}.{operation.name}" for operation in OPERATIONS}
    for verbs in content["paths"].values():
        for verb in verbs.values():
            assert verb["summary"]


def test_the_document_is_served_and_kept(office: Office):
    client = office.app.test_client()
    first = client.get("/api/v1/openapi.json")
    assert first.get_json()["openapi"] == "3.1.0"
    assert client.get("/api/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def askers(office: Office) -> Iterator[tuple[str, dict[str, str]]]:
    """Give headers with which to ask: of each role, of a key with each scope; a few of them unless NRM_WHOLE is 1."""
    people = {"case_handler": office.handler()}
    if WHOLE:
        pack = packs.pack()
        somewhere = office.handler().actor
        assert somewhere is not None
        people |= {
            role: office.browser(office.land.seat(None, somewhere.organisations[0], role))
            for role in sorted(pack.roles)
        }
    for role, browser in people.items():
        cookie = browser.client.get_cookie("nrm")
        assert cookie is not None
        yield role, {"Cookie": f"nrm={cookie.value}"}
    client = client_with_secret(office, *SCOPES)
    for scope in (*(SCOPES if WHOLE else ()), " ".join(SCOPES)):
        answer = ask_for_token(office, {**GRANT, "scope": scope}, headers=basic(client))
        yield scope, {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


def test_random_requests_get_announced_answers(office: Office):
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", office.app)
    tried: Counter[str] = Counter()
    for name, headers in askers(office):
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.definition.raw["operationId"] not in LEFT_OUT:
                ask_anything(operation, headers)
                tried[name] += 1
    assert len(tried) >= 2
    assert min(tried.values()) > 80


def ask_anything(operation: Any, headers: dict[str, str]) -> None:
    """Send random requests to an endpoint; each answer must be one that the document announces."""
    announced = operation.definition.raw["responses"]

    @settings(
        max_examples=ROUNDS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        # Another way of asking, made up by chance, would only be refused.
        case.headers = {key: value for key, value in (case.headers or {}).items() if key != "Authorization"}
        case.cookies = {}
        answer = case.call(headers=headers)
        assert answer.status_code < 500, (case.method, case.path, answer.text)
        assert str(answer.status_code) in announced, (case.method, case.path, answer.status_code, answer.text)

    ask()
