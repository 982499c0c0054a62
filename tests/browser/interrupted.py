"""What breaks into somebody's typing: a session that ends, a sign-out in another window, a server that loses its power."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.doing import follow, open_case, prepare_arrival, take, task_of
from tests.browser.serving import service_of_ones_own
from tests.browser.visitor import PASSWORD, Visitor, open_context

LANGUAGES = ["ar", "ckb", "en"]
FLIGHT = "input[name='a.flight']"
BEFORE, AFTER = "رحلة قبل الانقطاع", "رحلة بعد الانقطاع"


def begin(visitor: Visitor) -> str:
    """Open a case, take its first task and begin to answer; gives the task's address."""
    page = visitor.page
    visitor.read_in(visitor.language)
    address = task_of(page, open_case(page))
    take(page, address)
    prepare_arrival(page)
    return address


def end_session(visitor: Visitor, chromium: Browser, address: str) -> None:
    """End the session without the browser's knowing, as time does."""
    copy = open_context(chromium, address, visitor.language, storage_state=visitor.context.storage_state())
    page = copy.new_page()
    page.goto("/me")
    page.locator("details.drop summary").last.click()
    follow(page, "form[action='/sign-out'] button")
    copy.close()


def sign_in_again(page: Page, login: str = "handler.baghdad") -> None:
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    follow(page, "main form.card button.button")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(
    visit: Callable[..., Visitor], chromium: Browser, address: str, language: str, script: bool
):
    visitor = visit("", language, java_script_enabled=script)
    page = visitor.page
    visitor.sign_in("handler.baghdad")
    task = begin(visitor)
    end_session(visitor, chromium, address)
    page.fill(FLIGHT, BEFORE)
    state = page.locator("#draft-state")
    if script:
        expect(state).to_have_text(str(state.get_attribute("data-ended")))
        assert (visitor.mistakes(), visitor.wide()) == ([], [])
        page.set_viewport_size({"width": 1280, "height": 850})
    page.click("#answers button[value=draft]")
    page.wait_for_selector("#password")
    assert page.locator("html").get_attribute("lang") == language
    sign_in_again(page)
    if script:
        assert (visitor.mistakes(), visitor.wide()) == ([], [])
    follow(page, "main form.card button.button")
    assert page.url.partition("?")[0].endswith(task)
    assert page.locator(FLIGHT).input_value() == BEFORE


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_signed_out_in_another_window_comes_back_to_what_was_typed(visit: Callable[..., Visitor], language: str):
    visitor = visit("", language)
    page = visitor.page
    visitor.sign_in("handler.baghdad")
    begin(visitor)
    expect(page.locator("#draft-state")).not_to_be_empty()
    other = visitor.context.new_page()
    other.goto("/me")
    other.locator("details.drop summary").last.click()
    follow(other, "form[action='/sign-out'] button")
    page.fill(FLIGHT, AFTER)
    expect(page.locator("#draft-state a")).to_be_visible()
    sign_in_again(other)
    page.click("#answers button[value=complete]")
    page.wait_for_selector(".done-note")
    assert page.locator(FLIGHT).input_value() == AFTER


def test_a_server_that_loses_its_power_while_somebody_types_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser
):
    with service_of_ones_own(tmp_path_factory.mktemp("power")) as service:
        context = open_context(chromium, service.address, "ar")
        visitor = Visitor(context=context, page=context.new_page(), language="ar")
        page = visitor.page
        visitor.sign_in("handler.baghdad")
        task = begin(visitor)
        state = page.locator("#draft-state")
        with page.expect_response(lambda answer: answer.url.endswith("/answers") and answer.ok):
            page.fill(FLIGHT, BEFORE)
        service.lose_power()

        page.fill(FLIGHT, AFTER)
        expect(state).to_have_text(str(state.get_attribute("data-lost")))
        expect(page.locator("#line")).to_have_text(str(page.locator("#line").get_attribute("data-lost")))
        page.click("#answers button[value=complete]")
        expect(page.locator("#answers button[value=complete]")).to_be_enabled()
        expect(page.locator(FLIGHT)).to_have_value(AFTER)

        service.start()
        with page.expect_response(lambda answer: answer.url.endswith("/answers") and answer.ok):
            page.wait_for_timeout(100)
        expect(page.locator("#line")).not_to_have_text(str(page.locator("#line").get_attribute("data-lost")))
        elsewhere = open_context(chromium, service.address, "ar", storage_state=context.storage_state())
        kept = elsewhere.new_page()
        kept.goto(task)
        expect(kept.locator(FLIGHT)).to_have_value(AFTER)
        page.click("#answers button[value=complete]")
        page.wait_for_selector(".done-note")
        for one in (elsewhere, context):
            one.close()
