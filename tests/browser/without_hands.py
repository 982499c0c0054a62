"""The day without a script, and the day without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.doing import completions, follow, open_case, prepare_arrival, take, task_of
from tests.browser.visitor import Visitor

LANGUAGES = ["ar", "ckb", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_script_a_person_is_registered_a_task_completed_and_the_session_ended(
    visit: Callable[..., Visitor], signed_in: dict[str, Any], language: str
):
    plain = visit("", language, java_script_enabled=False)
    plain.sign_in("handler.baghdad")
    plain.read_in(language)
    signed_in.setdefault("handler.baghdad", {"cookies": None})["language"] = language
    page = plain.page
    case = open_case(page)
    address = task_of(page, case)
    take(page, address)
    follow(page, "#answers button[value=complete]")
    assert page.locator(".wrong[role=alert] a").count() >= 3
    prepare_arrival(page)
    page.fill("input[name='a.flight']", "XX 100")
    follow(page, "#answers button[value=draft]")
    page.goto(address)
    assert page.locator("input[name='a.flight']").input_value() == "XX 100"
    follow(page, "#answers button[value=complete]")
    assert page.locator(".done-note").count() == 1
    assert completions(page, case) == 1
    page.goto(case + "/sheet")
    assert page.locator("h1").count() == 1
    page.goto("/work")
    page.locator("details.drop summary").last.click()
    follow(page, "form[action='/sign-out'] button")
    assert page.locator("#login").count() == 1


def focus(page: Page) -> str:
    """Say where the keyboard is."""
    return str(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))


def tab_to(page: Page, selector: str, *, within: int = 80) -> None:
    """Press Tab until something has the focus, and look that one sees where it is."""
    for _ in range(within):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            look = page.evaluate(
                "(() => { const s = getComputedStyle(document.activeElement);"
                " return [s.outlineStyle, s.boxShadow]; })()"
            )
            assert look != ["none", "none"], f"nobody sees the focus on {focus(page)}"
            return
    raise AssertionError(f"Tab does not lead to {selector}; it is on {focus(page)}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_the_keyboard_alone_one_signs_in_takes_completes_and_takes_back(
    visit: Callable[..., Visitor], signed_in: dict[str, Any], language: str
):
    visitor = visit("", language)
    page = visitor.page
    page.goto("/sign-in")
    tab_to(page, "a.skip", within=1)
    tab_to(page, "#login")
    page.keyboard.type("handler.baghdad")
    tab_to(page, "#password")
    page.keyboard.type("only for the demo")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    visitor.read_in(language)
    signed_in.setdefault("handler.baghdad", {"cookies": None})["language"] = language
    case = open_case(page)
    address = task_of(page, case)
    page.goto(address)
    tab_to(page, "[data-take]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    tab_to(page, "[name='a.expected_on']")
    assert page.locator("[name='a.expected_on']").evaluate("one => one === document.activeElement")
    prepare_arrival(page)
    tab_to(page, "#answers button[value=complete]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".done-note")
    assert completions(page, case) == 1

    page.goto("/work?tab=desk&free=1")
    page.keyboard.press("?")
    assert page.locator("#keys-help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys-help").is_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("[data-tick]:checked").count() == 1
    wanted = page.locator("[data-item].at [data-open]").get_attribute("href")
    with page.expect_navigation():
        page.keyboard.press("o")
    assert page.url.endswith(str(wanted))
