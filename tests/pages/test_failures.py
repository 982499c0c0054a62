"""What a browser shows when no page could answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.pages.kit import visits
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
ID = "asked-about-1234"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "There is nothing here"), ("ar", "لا شيء هنا"), ("ckb", "هیچ شتێک")]
)
def test_an_address_that_nothing_has_is_a_page_in_the_readers_language(office: Office, language: str, words: str):
    answer = office.app.test_client().get("/wrok", headers={"Accept": BROWSER, "Accept-Language": language})
    page = Page(answer)
    assert (answer.status_code, answer.mimetype, page.language) == (404, "text/html", language)
    assert words in page.says
    assert not page.inline


def test_a_program_that_asks_for_an_unknown_address_reads_a_problem(office: Office):
    client = office.app.test_client()
    for path, accept in (("/wrok", "*/*"), ("/wrok", "application/json"), ("/api/v1/wrok", BROWSER)):
        answer = client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json"), (path, accept)


def test_a_page_that_is_asked_for_in_a_wrong_way_says_so(office: Office):
    answer = office.app.test_client().post("/docs", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.mimetype) == (405, "text/html")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Something is wrong in the program"), ("ar", "حدث خلل في البرنامج")]
)
def test_a_page_that_breaks_says_the_number_to_ask_about(
    office: Office, reader: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch, language: str, words: str
):
    one = reader(office.land.at_desk("case_handler", "norvale", "one"), language)

    def break_down(*_: object) -> None:
        raise RuntimeError("secret words of a stack")

    monkeypatch.setattr(visits, "_packed", break_down)
    answer = one.client.get("/work", headers={"Accept": BROWSER, "X-Request-Id": ID})
    page = Page(answer)
    assert (answer.status_code, answer.mimetype, page.language) == (500, "text/html", language)
    assert words in page.says
    assert ID in page.says
    assert "secret words" not in page.text


def test_when_even_that_page_breaks_there_is_an_answer(
    office: Office, reader: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
):
    one = reader(office.land.at_desk("case_handler", "norvale", "one"))

    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(visits, "render_template", break_down)
    answer = one.client.get("/work", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
