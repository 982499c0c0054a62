"""Attackers and clumsy programs before every door: refusals in words, nothing half-written, no name in the log."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from sqlalchemy import func, select

from api import logs
from api.transport.endpoint import OPERATIONS, Operation
from nrm.db import Base
from nrm.i18n import LANGUAGES
from nrm.models import Event, IdempotencyKey
from nrm.rules.hsds import public_id
from tests.api.conftest import Browser, Office
from tests.api.test_scope import EVERYBODYS, PART, body_of, theirs
from tests.api.test_walk import registered, with_case

ENDS_SESSION = {"sessions.sign_in", "sessions.sign_out", "sessions.end_others", "sessions.end_session"}
"""They end the session with which the others are asked, or are slow on purpose."""

NOTED = {"events", "event_heads", "sessions", "sign_in_failures"}
"""Tables that reading may write to: who read what, and when a session was last used."""

UNREADABLE = (
    b"{",
    b"\x00",
    b"\xff\xfe\x00",
    rb'{"version": 1, "a": "\ud800"}',
    rb'{"version": 1, "a\u0000": "\u0000"}',
    b'{"version": 1, "a": ' + b'{"b":' * 100 + b"1" + b"}" * 100 + b"}",
    b"[" * 100_000,
    b'{"a": "' + b"x" * 1_200_000 + b'"}',
    b"[]",
    b"null",
    b"7",
    b'{"version": 1e400}',
)
WRONG: tuple[Any, ...] = (None, True, -1, 1.5, 2**70, "", "\u202e", "'; drop table cases; --", [], {}, [[]], {"a": {}})
HEADERS = (
    {"If-Match": '"v99999999999999999999"'},
    {"If-Match": "\xff\xfe"},
    {"If-None-Match": '"\xff'},
    {"Accept-Language": "\xff;q=x, *;q=-1, ckb;q=nan"},
    {"Accept-Language": "a" * 5_000},
    {"Accept": ";;;,/,*"},
    {"X-Request-Id": "a\x7fb" * 40},
    {"Origin": "http://[::1"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "[::1"},
    {"Host": "evil.example\\@x"},
    {"Cookie": "nrm=" + "x" * 5_000},
    {"Cookie": '=;;;nrm="\\777";'},
    {"Authorization": "Bearer nrm_test_0000000000000000"},
    {"Content-Length": "-1"},
    {"Content-Length": "zwölf"},
    {"Content-Encoding": "gzip"},
    {"Transfer-Encoding": "chunked"},
    {"Idempotency-Key": "\xff"},
    {"Idempotency-Key": "x" * 201},
    {"X-Forwarded-For": "\xff"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Range": "bytes=0-1"},
)


@pytest.fixture
def owner(office: Office) -> Browser:
    return office.handler()


@pytest.fixture
def things(office: Office, owner: Browser) -> dict[str, str]:
    found = theirs(office, owner)
    anything = office.land.session
    from nrm.models import FormVersion, Organisation, PathVersion, Service

    found["version_id"] = str(anything.execute(select(PathVersion.id)).scalars().first())
    found["form_version_id"] = str(anything.execute(select(FormVersion.id)).scalars().first())
    found["organisation_id"] = str(anything.execute(select(Organisation.id)).scalars().first())
    found["service_id"] = str(anything.execute(select(Service.id)).scalars().first())
    found["migration_id"] = "mig_" + "1" * 26
    found["path_key"] = "hello"
    found["step"] = "ask"
    found["name"] = "sex"
    found |= {"list_name": "sex", "code": "female", "group": "stage", "calendar": "coast", "day": "2026-03-09"}
    found |= {"setting": "followup_first", "table_key": "priority"}
    found |= {"entry_kind": "organisation", "entry_key": "open_door"}
    found["public_uuid"] = public_id("service", found["service_id"])
    anything.close()
    return found


def routes(things: dict[str, str]) -> Iterator[tuple[Operation, str]]:
    for operation in OPERATIONS:
        if f"{operation.noun}.{operation.name}" not in ENDS_SESSION and operation.noun != "demonstration":
            yield operation, PART.sub(lambda found: things[found[1]], operation.rule)


def rows(office: Office) -> dict[str, int]:
    """Count the rows of every table that only a change writes to."""
    session = office.land.session
    session.close()
    return {
        name: session.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in Base.metadata.tables.items()
        if name not in NOTED
    }


def problem(answer: Any, what: str) -> dict[str, Any]:
    """Give the body of a refusal; anything else fails."""
    assert 400 <= answer.status_code < 500, (what, answer.status_code, answer.text[:300])
    assert answer.mimetype == "application/problem+json", (what, answer.text[:200])
    body: dict[str, Any] = answer.get_json(force=True)
    assert body["detail"] not in ("", body["code"]), what
    return body


def send(browser: Browser, method: str, path: str, **how: Any) -> Any:
    return browser.client.open(path, method=method, **how)


def test_bodies_that_no_door_can_read_change_nothing(office: Office, owner: Browser, things: dict[str, str]):
    before, tried = rows(office), 0
    for operation, path in routes(things):
        if operation.body is None:
            continue
        for data in UNREADABLE:
            answer = send(owner, operation.method, path, data=data, content_type="application/json")
            problem(answer, f"{operation.method} {path} {data[:40]!r}")
            tried += 1
        for media in ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "\xff"):
            answer = send(owner, operation.method, path, data=b'{"version": 1}', content_type=media)
            problem(answer, f"{operation.method} {path} as {media}")
        utf16 = send(
            owner, operation.method, path, data="{}".encode("utf-16"), content_type="application/json; charset=utf-16"
        )
        problem(utf16, f"{operation.method} {path} utf-16")
    assert rows(office) == before
    assert tried > 500


def test_each_field_refuses_what_is_not_its_kind(office: Office, owner: Browser, things: dict[str, str]):
    tried, wrong = 0, cycle(WRONG)
    for operation, path in routes(things):
        if operation.body is None:
            continue
        good = body_of(operation) or {}
        before = rows(office)
        answer = send(owner, operation.method, path, json={**good, "a\u0001~/b": 1})
        body = problem(answer, f"{operation.method} {path} with an unknown field")
        assert body["code"] in ("validation", "not_allowed"), (path, body)
        assert rows(office) == before, path
        for name in operation.body.fields:
            for value in islice(wrong, 4):
                answer = send(owner, operation.method, path, json={**good, name: value})
                assert answer.status_code < 500, (path, name, value, answer.text[:300])
                if answer.status_code >= 400:
                    problem(answer, f"{path} {name} {value!r}")
                tried += 1
    assert tried > 500


def test_headers_that_nobody_should_send_never_break_a_door(office: Office, owner: Browser, things: dict[str, str]):
    # Headers are read in one place; a door of each kind is enough.
    kinds = {
        (operation.method, operation.versioned, operation.media): (operation, path)
        for operation, path in routes(things)
    }
    assert len(kinds) >= 7
    for operation, path in kinds.values():
        for headers in HEADERS:
            how: dict[str, Any] = {"headers": headers}
            if operation.body is not None:
                # A version that nothing has: what passes the headers is stopped there.
                how["json"] = {"version": 2**31 - 1, "unknown": 1}
            answer = send(owner, operation.method, path, **how)
            assert answer.status_code < 500, (operation.method, path, headers, answer.text[:300])
            if answer.status_code >= 400:
                problem(answer, f"{operation.method} {path} {headers}")


def test_parts_of_addresses_that_cannot_be_are_not_there(office: Office, owner: Browser, things: dict[str, str]):
    for operation, _ in routes(things):
        if not PART.search(operation.rule):
            continue
        for part in (
            "%00",
            "x%00",
            "%ED%A0%80",
            "%FF",
            "%F0%9F%98%80",
            "a" * 2_000,
            "%2e%2e",
            "%0d%0aX:1",
            "*",
            "%252f",
        ):
            path = PART.sub(part, operation.rule)
            answer = send(owner, operation.method, path, **({"json": body_of(operation)} if operation.body else {}))
            body = problem(answer, f"{operation.method} {path}")
            assert answer.status_code == 404, (operation.method, path, body)
    for path in ("/api/v1//cases", "/api/v1/cases/../cases", "/api//v1/cases"):
        assert send(owner, "GET", path).status_code == 404, path


def test_queries_that_cannot_be_are_refused(office: Office, owner: Browser, things: dict[str, str]):
    values = cycle(("%00", "%ED%A0%80", "%FF", "x" * 3_000, "-1", "%E2%80%AE", "[]", "99999999999999999999"))
    tried = 0
    for operation, path in routes(things):
        if operation.query is None:
            problem(send(owner, operation.method, path + "?x=1", json=body_of(operation)), path)
            continue
        for name in (*operation.query.fields, "unknown", "%00", "%ED%A0%80"):
            for value in islice(values, 3):
                answer = send(owner, operation.method, f"{path}?{name}={value}")
                assert answer.status_code < 500, (path, name, value, answer.text[:300])
                if answer.status_code >= 400:
                    problem(answer, f"{path}?{name}={value}")
                tried += 1
    assert tried > 300


def test_other_methods_are_refused_and_say_which_there_are(office: Office, owner: Browser, things: dict[str, str]):
    for _, path in routes(things):
        allowed = {other.method for other in OPERATIONS if re.fullmatch(PART.sub("[^/]+", other.rule), path)}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} - allowed:
            answer = send(owner, method, path)
            assert problem(answer, f"{method} {path}")["code"] == "method_not_allowed"
            assert allowed <= set(answer.headers["Allow"].split(", ")), path
        head = send(owner, "HEAD", path)
        assert head.data == b""
        assert (head.status_code == 405) == ("GET" not in allowed), path


def test_an_answer_that_the_client_cannot_read_is_refused_before_anything_is_done(
    office: Office, owner: Browser, things: dict[str, str]
):
    before = rows(office)
    for operation, path in routes(things):
        how = {"json": body_of(operation)} if operation.body is not None else {}
        for accept in ("text/html", "application/xml, image/png;q=0.5", "application/json;q=0, text/plain;q=0"):
            if operation.media.partition("/")[0] in ("text", "image"):
                continue
            answer = send(owner, operation.method, path, headers={"Accept": accept}, **how)
            assert answer.status_code == 406, (operation.method, path, accept, answer.text[:200])
            assert problem(answer, path)["code"] == "not_acceptable"
    assert rows(office) == before
    for accept in ("*/*", "application/*", "application/json", "text/html, application/json;q=0.1", ""):
        assert send(owner, "GET", "/api/v1/cases", headers={"Accept": accept}).status_code == 200, accept


def test_refusals_speak_the_askers_language(office: Office, owner: Browser, things: dict[str, str]):
    for operation, path in routes(things):
        said = set()
        for language in LANGUAGES:
            answer = send(
                owner, operation.method, path + "?x=1", headers={"Accept-Language": language, "Accept": "a/b"}
            )
            body = problem(answer, path)
            assert answer.headers["Content-Language"] == language
            said.add((body["title"], body["detail"]))
        assert len(said) == len(LANGUAGES), path


def test_what_only_looks_like_a_key_opens_no_door(office: Office):
    client = office.app.test_client()
    for authorization in ("Bearer nrm_test_" + "0" * 40, "Basic bnJtOm5ybQ==", "\xff"):
        for operation in OPERATIONS:
            if operation.signed_in:
                path = PART.sub("x_1", operation.rule)
                answer = client.open(path, method=operation.method, headers={"Authorization": authorization})
                assert problem(answer, path)["code"] == "bad_key"


def test_what_a_stranger_is_told_of_a_thing_is_what_is_told_of_no_thing(
    office: Office, owner: Browser, things: dict[str, str]
):
    """A role that may not do something hears that at once, whatever it asks about; so nobody learns what exists."""
    gone = {name: value.partition("_")[0] + "_" + "2" * 26 if "_" in value else value for name, value in things.items()}
    people = [
        ("case_handler", "hillin"),
        ("supervisor", "hillin"),
        ("reception", "norvale"),
        ("followup_officer", "hillin"),
    ]
    for role, place in people:
        stranger = office.browser(office.land.at_desk(role, place))
        for operation in OPERATIONS:
            parts = set(PART.findall(operation.rule))
            if not parts or parts & EVERYBODYS:
                continue
            told = []
            for ids in (things, gone):
                path = PART.sub(lambda found, ids=ids: ids[found[1]], operation.rule)
                file = {"query_string": {"name": "a.pdf"}, "data": b"%PDF-1.7"}
                answer = send(
                    stranger, operation.method, path, **(file if operation.upload else {"json": body_of(operation)})
                )
                body = problem(answer, f"{role}: {operation.method} {path}")
                told.append((answer.status_code, body["code"], body["detail"], body.get("errors")))
            assert told[0] == told[1], (role, operation.method, operation.rule)
            assert told[0][0] in (403, 404), (role, operation.rule, told)


def test_each_repeated_request_is_answered_as_the_first_one(office: Office, owner: Browser, things: dict[str, str]):
    replayed = 0
    for number, (operation, path) in enumerate(routes(things)):
        if operation.method != "POST":
            continue
        key = {"Idempotency-Key": f"key-{number}"}
        how = {"json": body_of(operation), "headers": key}
        first = send(owner, "POST", path, **how)
        if first.status_code >= 300 or not operation.keyed:
            continue
        before = rows(office)
        again = send(owner, "POST", path, **how)
        assert (again.status_code, again.data) == (first.status_code, first.data), path
        assert again.headers["Idempotent-Replayed"] == "true"
        other = send(owner, "POST", path, json={**(body_of(operation) or {}), "version": 7}, headers=key)
        assert other.status_code == 422, path
        assert problem(other, path)["code"] in ("idempotency_mismatch", "validation"), path
        assert rows(office) == before, path
        replayed += 1
    assert replayed >= 8


def test_a_key_of_one_door_or_person_is_not_taken_for_another(office: Office, opened: Callable[..., str]):
    one, two, handler = opened(), opened(), office.handler()
    key = {"Idempotency-Key": "the-same"}
    assert handler.post(f"/cases/{one}/notes", {"text": "first"}, headers=key).status_code == 201
    elsewhere = handler.post(f"/cases/{two}/notes", {"text": "first"}, headers=key)
    assert (elsewhere.status_code, elsewhere.get_json()["code"]) == (422, "idempotency_mismatch")
    colleague = office.browser(office.land.at_desk("case_handler", "norvale", "two"))
    assert colleague.post(f"/cases/{one}/notes", {"text": "first"}, headers=key).status_code == 201
    assert len(handler.get(f"/cases/{one}/notes").get_json()) == 2


def test_a_refused_request_may_be_mended_under_the_same_key(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    key = {"Idempotency-Key": "mend"}
    assert handler.post(f"/cases/{case_id}/needs", {"category": "MOON"}, headers=key).status_code == 422
    assert handler.post(f"/cases/{case_id}/needs", {"category": "HOU"}, headers=key).status_code == 201


def test_neither_passwords_nor_found_people_stay_with_a_key(office: Office):
    handler = office.handler()
    registered(handler)
    key = {"Idempotency-Key": "look"}
    assert handler.post("/people/search", {"name": "Tarvin Quellstone"}, headers=key).get_json()["data"]
    wrong = {"current": "not my password", "new": "another-long-invented-one"}
    assert handler.post("/session/password", wrong, headers=key).status_code == 422
    assert office.land.session.execute(select(func.count()).select_from(IdempotencyKey)).scalar_one() == 0


def at_once(number: int, call: Callable[[int], Any]) -> list[Any]:
    """Let several clients act at the same moment, and give their answers."""
    gate, answers = threading.Barrier(number), [None] * number

    def run(place: int) -> None:
        gate.wait()
        answers[place] = call(place)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_one_key_from_many_at_once_acts_once(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    cookie = handler.client.get_cookie("nrm")
    assert cookie is not None
    headers = {"Cookie": f"nrm={cookie.value}", "Idempotency-Key": "all-together"}

    def note(_: int) -> Any:
        client = office.app.test_client(use_cookies=False)
        return client.post(f"/api/v1/cases/{case_id}/notes", json={"text": "once"}, headers=headers)

    answers = at_once(6, note)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    office.land.session.close()  # this thread has read before, and would see the case as it was then
    assert len(handler.get(f"/cases/{case_id}/notes").get_json()) == 1


def test_one_version_is_changed_by_one_of_many(office: Office, opened: Callable[..., str]):
    case_id, handler = opened(), office.handler()
    cookie = handler.client.get_cookie("nrm")
    assert cookie is not None
    need = handler.post(f"/cases/{case_id}/needs", {"category": "HOU"}).get_json()

    def change(place: int) -> Any:
        client = office.app.test_client(use_cookies=False)
        body = {"priority": ("urgent", "emergency")[place % 2], "version": 1}
        return client.patch(f"/api/v1/needs/{need['id']}", json=body, headers={"Cookie": f"nrm={cookie.value}"})

    assert sorted(answer.status_code for answer in at_once(5, change)) == [200, 412, 412, 412, 412]
    assert handler.get(f"/cases/{case_id}/needs").get_json()[0]["version"] == 2


CANARY = "Zanarilla"


def test_no_personal_value_reaches_a_line_of_the_log(
    office: Office, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
):
    logs.configure("debug")
    handler = office.handler()
    person = {
        "names": {"own": CANARY, "father": CANARY, "surname": CANARY, "mother": CANARY},
        "documents": [{"kind": "passport", "number": "Z" + CANARY.upper()}],
        "born": "1991-04-02",
        "governorate": "norvale",
    }
    made = handler.post("/people", {"person": person}).get_json()
    case_id = with_case(handler, made["id"])["id"]
    handler.post("/people/search", {"name": CANARY})
    handler.post(f"/cases/{case_id}/notes", {"text": CANARY})
    handler.post(f"/cases/{case_id}/plans", {"services": [{"category": "JOB", "goal": CANARY}], "agreed": True})
    handler.get(f"/cases?number={CANARY}")
    for path in (f"/api/v1/people/{CANARY}", f"/{CANARY}", f"/api/v1/cases?{CANARY}={CANARY}"):
        for method in ("GET", "POST", "BREW" + CANARY):
            send(handler, method, path, json={CANARY: CANARY}, headers={"User-Agent": CANARY, "Referer": CANARY})
    handler.client.post("/api/v1/session", json={"login": CANARY, "password": CANARY})

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(f"no place for {CANARY}")

    monkeypatch.setattr("api.v1.cases.queries.notes", fails)
    broken = send(handler, "GET", f"/api/v1/cases/{case_id}/notes")
    assert (broken.status_code, broken.get_json(force=True)["code"]) == (500, "internal")
    assert CANARY not in broken.text
    sys.stderr.flush()
    written = b"".join(capfdbinary.readouterr()).decode()
    assert '"event":"request"' in written
    assert "RuntimeError" in written
    assert CANARY.lower() not in written.lower()
    events = office.land.session.execute(select(Event.data)).scalars()
    assert not any(CANARY in str(data) for data in events)
