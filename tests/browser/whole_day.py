"""A handler's whole day, in each language: from the second factor to the printed sheet."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.doing import choose, follow, invented_name, open_case, take, tasks_at
from tests.browser.visitor import PASSWORD, Visitor

LANGUAGES = ["ar", "ckb", "en"]
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
NEWCOMERS = {"ar": "focal.molsa", "ckb": "unit.kurdistan", "en": "followup.baghdad"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_a_second_factor_one_signs_in_by_its_code_or_once_by_a_code_from_the_paper(
    visit: Callable[..., Visitor], language: str
):
    login, visitor = NEWCOMERS[language], visit("", language)
    page = visitor.page
    visitor.sign_in(login)
    visitor.read_in(language)
    page.goto("/me/second-factor")
    code = pyotp.TOTP("".join(page.locator("code.secret").inner_text().split()))
    page.fill("#code", code.now())
    follow(page, "form[action='/me/second-factor'] button")
    recovery = page.locator("main code, main kbd").all_inner_texts()
    assert len(recovery) >= 8
    follow_sign_out(visitor)

    enter(page, login, "")
    assert page.locator(".wrong[role=alert]").is_visible()
    # The phone shows the next code already; the one of the set-up counts once only.
    from_phone = code.at(int(time.time()) + 30)
    enter(page, login, from_phone.translate(ARABIC_DIGITS) if language != "en" else from_phone)
    assert "/work" in page.url
    follow_sign_out(visitor)
    enter(page, login, recovery[0])
    assert "/work" in page.url
    follow_sign_out(visitor)
    enter(page, login, recovery[0])
    assert page.locator(".wrong[role=alert]").is_visible()


def enter(page: Page, login: str, code: str) -> None:
    """Sign in with a password and a code."""
    page.goto("/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.fill("#otp", code)
    follow(page, "main button.button")


def follow_sign_out(visitor: Visitor) -> None:
    """Sign out by the menu of the bar."""
    visitor.page.locator("details.drop summary").last.click()
    follow(visitor.page, "form[action='/sign-out'] button")


@pytest.mark.parametrize("language", LANGUAGES)
def test_signing_out_empties_the_browser(visit: Callable[..., Visitor], language: str):
    visitor = visit("", language)
    visitor.sign_in("handler2.baghdad")
    page = visitor.page
    page.goto("/work?tab=desk")
    page.keyboard.press("?")
    page.check("#keys-off")
    page.keyboard.press("Escape")
    page.evaluate("sessionStorage.setItem('x', 'y')")
    assert page.evaluate("localStorage.length") == 1
    follow_sign_out(visitor)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert [cookie["name"] for cookie in visitor.context.cookies() if "session" in cookie["name"]] == []
    page.go_back()
    page.wait_for_load_state("load")
    assert page.locator("[data-item]").count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_is_taken_drafted_resumed_completed_taken_back_and_handed_over(
    visit: Callable[..., Visitor], language: str
):
    page = visit("handler.baghdad", language).page
    page.goto("/work?tab=desk")
    address = "/tasks/" + tasks_at(page, "skills")[0]["id"]
    take(page, address)
    for box in page.locator("input[name='a.wishes']:checked").all():
        box.uncheck()
    choose(page, "education", "isced_2")
    page.fill("input[name='a.occupation']", "نجار")
    expect(page.locator("#draft-state")).to_have_text(re.compile(r"\d\d:\d\d"))
    expect(page.locator("input[name='a.occupation_years']")).to_be_visible()

    page.goto("/work?tab=mine")
    follow(page, f"a[href='{address}']")
    expect(page.locator("input[name='a.occupation']")).to_have_value("نجار")
    page.click("#answers button[value=complete]")  # what is wished for was not asked yet
    page.wait_for_selector(".wrong[role=alert]")
    page.locator(".wrong a").first.click()
    assert page.evaluate("document.activeElement.closest('[data-question]')?.dataset.question") == "wishes"
    page.check("input[name='a.wishes'][value=job]")
    page.click("#answers button[value=complete]")
    page.wait_for_selector(".done-note")

    follow(page, "form[action$='/undo'] button")
    expect(page.locator("input[name='a.occupation']")).to_have_value("نجار")

    page.locator("form[action$='/hand-over']").locator("xpath=..").locator("summary").click()
    page.select_option("#to_user", index=1)
    page.fill("#note", "يرجى الإكمال، مثال مختلق")
    follow(page, "form[action$='/hand-over'] button")
    colleague = visit("handler2.baghdad", language).page
    colleague.goto("/work?tab=mine")
    follow(colleague, f"a[href='{address}']")
    assert "يرجى الإكمال، مثال مختلق" in colleague.locator("main").inner_text()
    colleague.locator("form[action$='/release']").locator("xpath=..").locator("summary").click()
    follow(colleague, "form[action$='/release'] button")


WRITINGS = {
    "ar": (("كريم", "يوسف"), ("Karim", "Yusuf")),
    "ckb": (("كريم", "محمود"), ("کەریم", "مەحموود")),
    "en": (("Karim", "Tahsin"), ("كريم", "تحسين")),
}
"""Own name and father's name as they were registered, and as somebody else writes them."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_is_found_who_was_written_in_another_script_and_the_sheet_is_one_page(
    visit: Callable[..., Visitor], language: str
):
    page = visit("handler.baghdad", language).page
    (own, father), (their_own, their_father) = WRITINGS[language]
    case = open_case(page, own, father)
    person = str(page.locator("h1 a").get_attribute("href"))

    page.goto("/people")
    page.fill("main #own", their_own)
    page.fill("main #father", their_father)
    follow(page, "form[action='/people/search'] button.button")
    assert page.locator(f"main a[href='{person}']").count() == 1

    page.goto(case)
    follow(page, "main a[href$='/sheet']")
    sheet = page.pdf(prefer_css_page_size=True, format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", sheet)) == 1
    assert invented_name() not in page.content()
