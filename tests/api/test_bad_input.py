"""Whatever is sent, the answer is a clear refusal and nothing is half-written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nrm.i18n import LANGUAGES
from tests.api.conftest import Browser, Office

UNREADABLE: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (b"{", 400, "unreadable_json"),
    "lone surrogate": (rb'{"text": "\ud800"}', 400, "unreadable_json"),
    "broken UTF-8": (b'{"text": "\xff\xfe"}', 400, "unreadable_json"),
    "NUL": (rb'{"text": "a\u0000b"}', 400, "nul_character"),
    "NUL in a name": (rb'{"te\u0000xt": 1}', 400, "nul_character"),
    "not a number": (b'{"text": NaN}', 400, "unreadable_json"),
    "deep": (b'{"text": ' + b"[" * 200 + b"]" * 200 + b"}", 400, "json_too_deep"),
    "very deep": (b"[" * 100_000, 400, "unreadable_json"),
    "5 MB": (b'{"text": "' + b"a" * 5_000_000 + b'"}', 413, "body_too_large"),
    "a list": (b"[1]", 422, "validation"),
    "a word": (b'"text"', 422, "validation"),
    "nothing": (b"null", 422, "validation"),
}


def send(browser: Browser, path: str, data: bytes, **headers: str) -> Any:
    return browser.ask("POST", path, data=data, headers={"Content-Type": "application/json", **headers})


def test_what_cannot_be_read_is_refused_in_the_askers_language(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.get("/tasks?tab=desk").get_json()["data"][0]["id"]
    for name, (data, status, code) in UNREADABLE.items():
        for language in LANGUAGES:
            answer = send(handler, f"/tasks/{task}/comments", data, **{"Accept-Language": language})
            assert (answer.status_code, answer.get_json()["code"]) == (status, code), name
            assert answer.headers["Content-Language"] == language
    assert handler.get(f"/tasks/{task}").get_json()["comments"] == []


def test_a_form_is_not_json(office: Office):
    answer = office.handler().ask("POST", "/session/end-others", data={"a": "b"})
    assert (answer.status_code, answer.get_json()["code"]) == (415, "not_json_type")


BODIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown field": ({"until": "2026-03-09T08:00:00Z", "reason": "health", "colour": 1}, "/colour", "unknown_field"),
    "missing": ({"reason": "health"}, "/until", "required"),
    "null": ({"until": None, "reason": "health"}, "/until", "required"),
    "wrong type": ({"until": 7, "reason": "health"}, "/until", "not_a_moment"),
    "no such day": ({"until": "2026-02-31T08:00:00Z", "reason": "health"}, "/until", "not_a_moment"),
    "no time zone": ({"until": "2026-03-09T08:00:00", "reason": "health"}, "/until", "not_a_moment"),
    "in the past": ({"until": "2020-03-09T08:00:00Z", "reason": "health"}, "/until", "hold_date"),
    "far away": ({"until": "9999-12-31T23:59:59-14:00", "reason": "health"}, "/until", "not_a_moment"),
    "no such reason": ({"until": "2026-03-09T08:00:00Z", "reason": "Is ill!"}, "/reason", "not_a_choice"),
    "version as text": (
        {"until": "2026-03-09T08:00:00Z", "reason": "health", "version": "2"},
        "/version",
        "wrong_type",
    ),
    "version as half": (
        {"until": "2026-03-09T08:00:00Z", "reason": "health", "version": 2.5},
        "/version",
        "wrong_type",
    ),
    "version as true": (
        {"until": "2026-03-09T08:00:00Z", "reason": "health", "version": True},
        "/version",
        "wrong_type",
    ),
    "version too small": (
        {"until": "2026-03-09T08:00:00Z", "reason": "health", "version": 0},
        "/version",
        "out_of_range",
    ),
    "version too large": (
        {"until": "2026-03-09T08:00:00Z", "reason": "health", "version": 2**63},
        "/version",
        "out_of_range",
    ),
}


def test_each_wrong_field_is_named_by_its_pointer(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.post("/tasks/next", {}).get_json()
    for name, (body, pointer, code) in BODIES.items():
        answer = handler.post(f"/tasks/{task['id']}/hold", {"version": 2, **body})
        assert answer.status_code == 422, name
        assert [(entry["pointer"], entry["code"]) for entry in answer.get_json()["errors"]] == [(pointer, code)], name
    assert handler.get(f"/tasks/{task['id']}").get_json()["version"] == 2


def test_answers_that_do_not_fit_the_form_are_named_one_by_one(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.post("/tasks/next", {}).get_json()
    answer = handler.post(
        f"/tasks/{task['id']}/complete", {"answers": {"wants_tea": "perhaps", "sugar": 3}, "version": 2}
    )
    assert answer.status_code == 422
    assert {entry["pointer"] for entry in answer.get_json()["errors"]} == {"/wants_tea", "/sugar"}


def test_a_move_that_does_not_fit_says_what_does(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.post("/tasks/next", {}).get_json()
    answer = handler.post(f"/tasks/{task['id']}/resume", {"version": 2})
    assert answer.status_code == 409
    assert "complete" in answer.get_json()["allowed_actions"]


def test_a_list_says_what_is_wrong_with_its_query(office: Office):
    handler = office.handler()
    for query in ("limit=0", "limit=101", "limit=ten", "limit=5&limit=6", "tab=all", "cursor=abc", "x=1", "desk=%00"):
        assert handler.get("/tasks?" + query).status_code == 422, query


def test_an_etag_that_is_not_ours_is_refused(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.get("/tasks?tab=desk").get_json()["data"][0]["id"]
    for header in ("v1", '"1"', "*", '"v0"', "\u00a7"):
        answer = handler.post(f"/tasks/{task}/claim", headers={"If-Match": header})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_if_match"), header


def test_ids_that_cannot_be_are_not_found(office: Office):
    handler = office.handler()
    for part in ("%00", "a%00b", "..", "%F0%9F%98%80", "x" * 300, "tsk_" + "0" * 26, "'; drop table tasks"):
        assert handler.get(f"/tasks/{part}").status_code == 404, part


def test_pages_of_a_list_follow_each_other_and_a_changed_cursor_is_refused(office: Office, opened: Callable[..., str]):
    cases = {opened() for _ in range(5)}
    handler = office.handler()
    seen, path = [], "/tasks?tab=desk&limit=2"
    while path:
        answer = handler.get(path)
        seen += [task["case_id"] for task in answer.get_json()["data"]]
        cursor = answer.get_json()["next_cursor"]
        assert ("Link" in answer.headers) == (cursor is not None)
        path = f"/tasks?tab=desk&limit=2&cursor={cursor}" if cursor else ""
    assert len(seen) == len(set(seen)) == 5
    assert set(seen) == cases
    first = handler.get("/tasks?tab=desk&limit=2").get_json()["next_cursor"]
    changed = first[:-3] + ("AAA" if not first.endswith("AAA") else "BBB")
    assert handler.get(f"/tasks?tab=desk&cursor={changed}").status_code == 422


def test_unknown_addresses_and_methods_are_problems_too(office: Office):
    handler = office.handler()
    assert handler.get("/nothing/here").get_json()["code"] == "not_found"
    answer = handler.ask("PATCH", "/session")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
