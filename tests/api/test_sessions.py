"""Signing in and out."""

from __future__ import annotations

import pytest

from tests.api.conftest import PASSWORD, Office


def test_somebody_signs_in_sees_who_they_are_and_signs_out(office: Office):
    handler = office.handler()

    me = handler.get("/session").get_json()
    assert me["id"] == handler.actor.id
    assert me["seats"][0]["role"] == "case_handler"
    assert "task.work" in me["permissions"]

    assert handler.delete("/session").status_code == 204
    assert handler.get("/session").status_code == 401


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(office: Office):
    office.handler()
    actor = office.land.at_desk("case_handler", "norvale")
    browser = office.browser()
    answer = browser.post("/session", {"login": actor.id, "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie


def test_wrong_words_say_the_same_for_known_and_unknown_names(office: Office):
    handler = office.handler()
    known = office.browser().post("/session", {"login": handler.actor.id, "password": "wrong"})
    unknown = office.browser().post("/session", {"login": "nobody.at.all", "password": "wrong"})
    assert known.status_code == unknown.status_code == 401
    assert known.headers["WWW-Authenticate"]
    assert known.get_json()["detail"] == unknown.get_json()["detail"]


def test_who_guesses_has_to_wait(office: Office):
    browser = office.browser()
    answers = [browser.post("/session", {"login": "guessed", "password": "wrong"}) for _ in range(7)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}])
def test_a_page_of_another_site_cannot_act_in_somebodys_name(office: Office, headers: dict[str, str]):
    answer = office.handler().post("/session/end-others", {}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "other_site")


@pytest.mark.parametrize(
    ("language", "word"), [("ar", "سجّل"), ("ckb", "ژوورەوە"), ("en", "Sign in"), ("ku", "ژوورەوە")]
)
def test_refusals_speak_the_askers_language(office: Office, language: str, word: str):
    answer = office.browser().get("/session", headers={"Accept-Language": language})
    assert answer.status_code == 401
    assert word in answer.get_json()["detail"]


def test_a_users_own_language_counts_when_the_browser_names_none(office: Office):
    handler = office.handler()
    handler.put("/session/language", {"language": "ckb"})
    answer = handler.get("/tasks/tsk_unknown")
    assert answer.headers["Content-Language"] == "ckb"


def test_sessions_are_listed_and_ended_one_by_one(office: Office):
    first, second = office.handler(), office.handler()
    listed = first.get("/session/list").get_json()
    assert len(listed) == 2
    mine = first.get("/session").get_json()["session_id"]
    other = next(entry["id"] for entry in listed if entry["id"] != mine)
    assert first.delete(f"/session/list/{other}").status_code == 204
    assert second.get("/session").status_code == 401
    assert first.get("/session").status_code == 200


def test_answers_carry_headers_that_keep_browsers_safe(office: Office):
    headers = office.handler().get("/session").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-Id"]
