"""The address in each problem's type leads to words about it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from api.pages.problem_list import explained
from nrm.i18n import LANGUAGES
from tests.api.coded import used_codes
from tests.api.conftest import Office


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [str(value) for name, value in attributes if name == "id"]
        assert not any(name.startswith("on") or name == "style" for name, _ in attributes)


def test_the_type_of_a_problem_leads_to_its_words(office: Office):
    browser = office.browser()
    kind = browser.get("/session").get_json()["type"]
    answer = office.app.test_client().get(kind.partition("#")[0])
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    page = _Page()
    page.feed(answer.text)
    assert kind.partition("#")[2] in page.ids
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"style", "img", "iframe"}
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert browser.client.post("/docs/problems").status_code == 405


def test_each_code_that_is_raised_has_an_anchor_and_words_in_every_language():
    shown = {problem.code: problem for problem in explained()}
    assert used_codes().keys() <= shown.keys()
    assert {"internal", "method_not_allowed", "not_acceptable", "bad_path"} <= shown.keys()
    for problem in shown.values():
        assert re.fullmatch(r"[A-Za-z0-9_.:-]+", problem.code), problem.code
        assert [language for language, _, _ in problem.texts] == list(LANGUAGES)
        assert all(words and "{" not in words for _, _, words in problem.texts)
