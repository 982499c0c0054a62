"""A handler's work in the browser: keys, drafts, a power cut, a lost line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor

ARABIC_LAYOUT = {"KeyJ": "ت", "KeyK": "ن", "KeyO": "خ", "KeyC": "ؤ", "KeyN": "ى"}
FREE = "/work?tab=desk&free=1"
ANSWER = "#answers textarea:visible, #answers input[type=text]:visible, #answers input:not([type]):visible"


def press(page: Page, code: str) -> None:
    """Press a key of an Arabic keyboard."""
    page.evaluate(
        "([code, key]) => document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {code, key, bubbles: true, cancelable: true}))",
        [code, ARABIC_LAYOUT[code]],
    )


def take_one_with_words(page: Page) -> str:
    """Take a task that asks for words; gives its address."""
    page.goto(FREE)
    addresses = [str(link.get_attribute("href")) for link in page.locator("[data-open]").all()]
    for address in addresses:
        page.goto(address)
        with page.expect_navigation():
            page.click("main [data-take]")
        if page.locator(ANSWER).count():
            return address
    raise AssertionError("no task at the desk asks for words")


@pytest.mark.parametrize("language", ["en", "ar", "ckb"])
def test_keys_work_on_an_arabic_layout_until_they_are_switched_off(visit: Callable[..., Visitor], language: str):
    page = visit("handler.baghdad", language).page
    page.goto(FREE)
    press(page, "KeyJ")
    press(page, "KeyJ")
    assert "at" in (page.locator("[data-item]").nth(1).get_attribute("class") or "").split()
    press(page, "KeyK")
    wanted = str(page.locator("[data-open]").first.get_attribute("href"))
    with page.expect_navigation():
        press(page, "KeyO")
    assert page.url.endswith(wanted)
    page.goto(FREE)
    page.keyboard.press("?")
    page.check("#keys-off")
    page.keyboard.press("Escape")
    press(page, "KeyJ")
    assert page.locator("[data-item].at").count() == 0


@pytest.mark.parametrize("language", ["en", "ar", "ckb"])
def test_a_power_cut_and_a_lost_line_lose_nothing_that_was_typed(visit: Callable[..., Visitor], language: str):
    before = visit("handler.baghdad", language)
    address = take_one_with_words(before.page)
    box = before.page.locator(ANSWER).first
    with before.page.expect_response(lambda answer: answer.url.endswith("/answers")) as kept:
        box.fill("كلمات قبل انقطاع الكهرباء")
    assert kept.value.ok
    before.context.close()

    after = visit("handler.baghdad", language)
    after.page.goto(address)
    box = after.page.locator(ANSWER).first
    expect(box).to_have_value("كلمات قبل انقطاع الكهرباء")
    after.context.set_offline(True)
    box.fill("كلمات بلا خط")
    state = after.page.locator("#draft-state")
    expect(state).to_have_text(str(state.get_attribute("data-lost")))
    expect(after.page.locator("#line")).to_be_visible()
    with after.page.expect_response(lambda answer: answer.url.endswith("/answers")) as kept:
        after.context.set_offline(False)
    assert kept.value.ok
    after.complaints.clear()  # the browser tells of the lost line, as it must

    later = visit("handler.baghdad", language)
    later.page.goto(address)
    expect(later.page.locator(ANSWER).first).to_have_value("كلمات بلا خط")


def test_without_a_script_a_task_is_taken_and_its_answers_are_kept(visit: Callable[..., Visitor]):
    visit("handler.baghdad")
    plain = visit("handler.baghdad", java_script_enabled=False)
    address = take_one_with_words(plain.page)
    plain.page.locator(ANSWER).first.fill("written without a script")
    with plain.page.expect_navigation():
        plain.page.click("#answers button[value=draft]")
    plain.page.goto(address)
    assert plain.page.locator(ANSWER).first.input_value() == "written without a script"
