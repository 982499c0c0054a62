"""Every route × another organisation's objects × every stranger: people of each role, programs of each scope.

The routes come from the declarations, so a new one is tried without being named here; a route whose address has a
part of a new kind needs an object of that kind in `tests.api.test_scope.theirs`. `make soak` sets NRM_WHOLE and so
tries all roles and all scopes on both databases; without it a few of each are enough.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from api.transport.endpoint import OPERATIONS, Operation
from nrm.actions.keys import issue_key
from nrm.actors import SYSTEM
from nrm.models import Desk, Service
from nrm.queries import packs
from nrm.rules.permissions import SCOPES
from tests.api import test_walk
from tests.api.conftest import Browser, Office
from tests.api.test_oauth import GRANT, ask, basic, bearer
from tests.api.test_scope import EVERYBODYS, PART, body_of, theirs

WHOLE = os.environ.get("NRM_WHOLE") == "1"
CANARY = "Zanarilla"
PERSON = {
    "names": {"own": CANARY, "father": CANARY, "surname": CANARY, "mother": CANARY},
    "documents": [{"kind": "passport", "number": "Z0000099"}],
    "born": "1991-04-02",
    "sex": "male",
    "governorate": "norvale",
}
ABOUT_THE_ASKER = ("not_allowed", "not_for_keys", "scope_missing", "not_your_service")
"""Refusals that tell nothing of the object; a service stands in the directory that everybody reads."""


@pytest.fixture
def things(office: Office, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One object of each kind of an office in Norvale, full of a name that nobody else may read."""
    monkeypatch.setattr(test_walk, "PERSON", PERSON)
    owner = office.handler()
    found = theirs(office, owner)
    owner.post(f"/cases/{found['case_id']}/notes", {"text": CANARY})
    owner.post(f"/referrals/{found['referral_id']}/messages", {"text": CANARY})
    service = select(Service.id).where(Service.code == "training_coast")
    found["service_id"] = str(office.land.session.execute(service).scalar_one())
    office.land.session.close()
    assert CANARY in owner.get(f"/people/{found['person_id']}").text, "the owner reads what others must not"
    return found


def receiver_of(office: Office, things: dict[str, str]) -> str:
    from nrm.models import Referral

    found = select(Referral.to_organisation_id).where(Referral.id == things["referral_id"])
    return str(office.land.session.execute(found).scalar_one())


def stranger(office: Office, things: dict[str, str]) -> str:
    """Give an organisation that takes referrals, but none of these."""
    taken = {receiver_of(office, things)}
    owner = select(Service.organisation_id).where(Service.id == things["service_id"])
    taken.add(str(office.land.session.execute(owner).scalar_one()))
    found = select(Desk.organisation_id).where(Desk.role == "receiving_desk", Desk.organisation_id.not_in(taken))
    return str(office.land.session.execute(found.order_by(Desk.organisation_id)).scalars().first())


def people(office: Office, things: dict[str, str]) -> Iterator[tuple[str, Browser]]:
    """Give somebody of each role of another office or organisation; roles for the whole country may see more."""
    pack = packs.pack()
    other = stranger(office, things)
    for role in sorted(pack.roles):
        if role in pack.country_roles or role == "embassy":
            continue
        if role in pack.provider_roles:
            yield role, office.browser(office.land.seat(None, other, role))
        elif pack.find_desk(role, governorate="hillin") is not None:
            yield role, office.browser(office.land.at_desk(role, "hillin"))


def programs(office: Office, things: dict[str, str]) -> Iterator[tuple[str, Browser]]:
    """Give programs of a stranger with each scope and with all, and the receiver's own program in its sandbox."""
    other = stranger(office, things)
    everything = tuple(SCOPES)
    client = issue_key(SYSTEM, other, name="x", scopes=everything, kind="client_secret")
    for scope in everything:
        yield scope, bearer(office, ask(office, {**GRANT, "scope": scope}, headers=basic(client)))
    yield "all scopes", bearer(office, ask(office, GRANT, headers=basic(client)))
    trial = issue_key(SYSTEM, receiver_of(office, things), name="x", scopes=everything, livemode=False)
    sandbox = Browser(
        client=office.app.test_client(use_cookies=False), headers={"Authorization": f"Bearer {trial.text}"}
    )
    yield "the receiver's sandbox", sandbox


def strangers(office: Office, things: dict[str, str]) -> Iterator[tuple[str, Browser]]:
    few = {"case_handler", "provider_manager", "referrals:read", "all scopes", "the receiver's sandbox"}
    for name, browser in (*people(office, things), *programs(office, things)):
        if WHOLE or name in few:
            yield name, browser


def is_everybodys(operation: Operation) -> bool:
    """Say whether an operation reads what every organisation may read, or asks for nobody."""
    parts = set(PART.findall(operation.rule))
    return (
        not operation.signed_in
        or bool(parts & (EVERYBODYS - {"service_id"}))
        or (operation.method == "GET" and "service_id" in parts)
    )


def keeps_it(browser: Browser, operation: Operation) -> bool:
    """Say whether somebody keeps the directory, which is every organisation's."""
    edits = browser.actor is not None and browser.actor.may("directory.edit")
    return edits and "service_id" in PART.findall(operation.rule)


def wanted(operation: Operation, things: dict[str, str]) -> dict[str, Any]:
    """Give what is sent: a body that the verb would take, or a file."""
    if operation.upload:
        return {"query_string": {"name": "a.pdf"}, "data": b"%PDF-1.7"}
    if operation.name == "create" and operation.noun == "referrals":
        return {"json": {"case_id": things["case_id"], "service_id": things["service_id"], "reason": "x"}}
    return {"json": body_of(operation)} if operation.body is not None else {}


def test_no_stranger_learns_of_another_organisations_objects(office: Office, things: dict[str, str]):
    wrong, said = [], Counter[tuple[int, str]]()
    for name, browser in strangers(office, things):
        for operation in OPERATIONS:
            if not PART.search(operation.rule) or is_everybodys(operation) or keeps_it(browser, operation):
                continue
            path = PART.sub(lambda found: things[found[1]], operation.rule).removeprefix("/api/v1")
            answer = browser.ask(operation.method, path, **wanted(operation, things))
            code = str((answer.get_json(silent=True, force=True) or {}).get("code"))
            said[answer.status_code, code] += 1
            hidden = answer.status_code == 404 or (answer.status_code == 403 and code in ABOUT_THE_ASKER)
            if not hidden or CANARY in answer.text:
                wrong.append(f"{name}: {operation.method} {path} {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)
    assert said[404, "not_found"] > 150, said
    assert said[403, "not_for_keys"] > 100, said
    assert said[403, "scope_missing"] > 20, said


def test_a_key_hears_the_same_of_a_strangers_object_as_of_none(office: Office, things: dict[str, str]):
    """Neither status nor words nor headers tell that something is there."""
    gone = {name: value.partition("_")[0] + "_" + "2" * 26 for name, value in things.items()}
    tried = 0
    for name, browser in programs(office, things):
        if not WHOLE and name != "all scopes":
            continue
        for operation in OPERATIONS:
            parts = set(PART.findall(operation.rule))
            if operation.scope is None or not parts or is_everybodys(operation) or "service_id" in parts:
                continue
            told = []
            for ids in (things, gone):
                path = PART.sub(lambda found, ids=ids: ids[found[1]], operation.rule).removeprefix("/api/v1")
                answer = browser.ask(operation.method, path, **wanted(operation, things))
                body = answer.get_json()
                headers = {key for key, _ in answer.headers if not key.startswith("RateLimit")}
                told.append((answer.status_code, body["code"], body["detail"], body.get("errors"), headers))
            assert told[0] == told[1], (name, operation.method, operation.rule)
            tried += 1
    assert tried > 20


def test_no_list_of_a_stranger_holds_anything_of_another_organisation(office: Office, things: dict[str, str]):
    secrets = {things[part] for part in things if part not in EVERYBODYS}
    read, wrong = 0, []
    for name, browser in strangers(office, things):
        mine = {browser.get("/session").get_json()["session_id"]} if browser.actor is not None else set()
        for operation in OPERATIONS:
            if PART.search(operation.rule) or operation.method != "GET" or not operation.signed_in:
                continue
            answer = browser.get(operation.rule.removeprefix("/api/v1"))
            read += answer.status_code == 200
            if CANARY in answer.text or any(secret in answer.text for secret in secrets - mine):
                wrong.append(f"{name}: {operation.rule} {answer.text[:300]}")
    assert not wrong, "\n".join(wrong)
    assert read > 40


def test_a_program_refers_nobody_elses_case(office: Office, things: dict[str, str]):
    for name, browser in programs(office, things):
        body = {"case_id": things["case_id"], "service_id": things["service_id"], "reason": "x"}
        answer = browser.post("/referrals", body)
        assert answer.status_code in (403, 404), (name, answer.text)
        assert CANARY not in answer.text


def test_each_part_of_an_address_has_an_object_that_strangers_ask_for(things: dict[str, str]):
    parts = {part for operation in OPERATIONS for part in PART.findall(operation.rule)}
    assert parts <= things.keys() | EVERYBODYS, "make one in tests.api.test_scope.theirs"
