"""One person who was written down twice: seen side by side, joined, and taken apart again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.doing import follow, invented_name
from tests.browser.visitor import Visitor


def register(page: Page, own: str, *, born: str) -> str:
    """Register somebody, also where somebody else is called alike; gives the person's address."""
    page.goto("/people")
    page.fill("main #own", own)
    page.fill("main #father", "سليمان")
    follow(page, "form[action='/people/search'] button.button")
    follow(page, "form[action='/people/new'] button")
    page.fill("#born", born)
    page.fill("#mother", "ماجدة")
    page.select_option("#sex", "male")
    page.select_option("#governorate", "baghdad")
    follow(page, "form[action='/people'] button.button")
    if page.locator("form[action='/people'] .button").count():
        follow(page, "form[action='/people'] button.button")
    return page.url.partition("?")[0].partition("#")[0]


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_two_records_of_one_person_are_compared_joined_and_taken_apart(visit: Callable[..., Visitor], language: str):
    handler = visit("handler.baghdad", language)
    page, name = handler.page, invented_name()
    first = register(page, name, born="1990-05-12")
    second = register(page, name, born="1990-12-05")
    page.goto(first)
    to_compare = f"a[href$='/beside/{second.rpartition('/')[2]}']"
    follow(page, f"#duplicates {to_compare}")
    differing = page.locator("tr.differs")
    assert differing.count() == 1
    assert ["1990-05-12" in text and "1990-12-05" in text for text in differing.all_inner_texts()] == [True]
    assert (handler.mistakes(), handler.wide()) == ([], [])
    page.set_viewport_size({"width": 1280, "height": 850})

    follow(page, f"form[action='/people/{first.rpartition('/')[2]}/merge'] button")
    expect(page.locator(".done-note")).to_be_visible()
    assert page.locator("#duplicates").count() == 0
    follow(page, "#joined form[action$='/unmerge'] button")
    expect(page.locator(".done-note")).to_be_visible()
    assert page.locator(f"#duplicates {to_compare}").count() == 1
    assert (handler.mistakes(), handler.wide()) == ([], [])
