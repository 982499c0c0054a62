"""Several people at one desk: who is quicker, what is written twice, what is handed over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.doing import completions, follow, open_case, prepare_arrival, take, task_of
from tests.browser.visitor import Visitor

LANGUAGES = ["ar", "ckb", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_two_who_take_the_same_task_one_has_it_and_the_other_reads_why_not(
    visit: Callable[..., Visitor], language: str
):
    first, second = visit("handler.baghdad", language), visit("handler2.baghdad", language)
    address = task_of(first.page, open_case(first.page))
    for one in (first, second):
        one.page.goto(address)
    for one in (first, second):
        follow(one.page, "main [data-take]")
    assert second.page.locator("main [role=alert], main [role=status]").first.is_visible()
    assert second.page.locator("#answers").count() == 0
    first.page.goto(address)
    assert first.page.locator("#answers").count() == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_double_click_on_complete_is_one_completion(visit: Callable[..., Visitor], language: str, script: bool):
    visit("handler.baghdad", language)
    page = visit("handler.baghdad", language, java_script_enabled=script).page
    case = open_case(page)
    take(page, task_of(page, case))
    prepare_arrival(page)
    page.dblclick("#answers button[value=complete]", no_wait_after=True)
    page.wait_for_selector(".done-note, [role=status].note")
    page.wait_for_load_state("load")
    assert completions(page, case) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_typed_stands_beside_what_a_colleague_completed_meanwhile(
    visit: Callable[..., Visitor], language: str
):
    mine = visit("handler.baghdad", language)
    case = open_case(mine.page)
    address = task_of(mine.page, case)
    take(mine.page, address)
    prepare_arrival(mine.page)
    expect(mine.page.locator("#draft-state")).not_to_be_empty()

    other_tab = mine.context.new_page()
    other_tab.goto(address)
    other_tab.locator("form[action$='/hand-over']").locator("xpath=..").locator("summary").click()
    other_tab.select_option("#to_user", index=1)
    follow(other_tab, "form[action$='/hand-over'] button")
    colleague = visit("handler2.baghdad", language)
    colleague.page.goto(address)
    prepare_arrival(colleague.page)
    colleague.page.fill("input[name='a.flight']", "رحلة الزميل")
    colleague.page.click("#answers button[value=complete]")
    colleague.page.wait_for_selector(".done-note")

    mine.page.fill("input[name='a.flight']", "رحلتي")
    mine.page.click("#answers button[value=complete]")
    mine.page.wait_for_selector("tr.differs")
    beside = [cell.inner_text() for cell in mine.page.locator("tr.differs td").all()]
    assert beside == ["رحلتي", "رحلة الزميل"]
    assert completions(mine.page, case) == 1
    assert (mine.mistakes(), mine.wide()) == ([], [])
