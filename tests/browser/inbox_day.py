"""Keeping order among many tasks: saved views, on hold until a day, many at once, a colleague who is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.doing import follow, open_case, take, task_of, today, unfold
from tests.browser.visitor import Visitor

LANGUAGES = ["ar", "ckb", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_filtered_list_is_kept_under_a_name_opened_by_it_and_forgotten(visit: Callable[..., Visitor], language: str):
    handler = visit("handler2.baghdad", language)
    page = handler.page
    page.goto("/work?tab=desk")
    page.check("form.filters input[name=free]")
    follow(page, "form.filters button")
    assert "free=1" in page.url
    held = page.locator("[data-item]").count()
    unfold(page, "form[action='/saved-views']")
    name = {"ar": "بلا صاحب", "ckb": "بێ خاوەن", "en": "Free ones"}[language]
    page.fill("#view-name", name)
    follow(page, "form[action='/saved-views'] button")
    page.goto("/work")
    follow(page, page.locator("nav.views a", has_text=name))
    assert page.locator("form.filters input[name=free]").is_checked()
    assert page.locator("[data-item]").count() == held
    assert (handler.mistakes(), handler.wide()) == ([], [])
    unfold(page, "form[action$='/forget']")
    follow(page, page.locator("form[action$='/forget']", has_text=name).locator("button"))
    assert page.locator("nav.views a", has_text=name).count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_is_put_on_hold_until_a_day_and_taken_off_hold(visit: Callable[..., Visitor], language: str):
    handler = visit("handler.baghdad", language)
    page = handler.page
    address = task_of(page, open_case(page))
    take(page, address)
    unfold(page, "form[action$='/hold']")
    day = today() + timedelta(days=9)
    page.fill("#until", day.isoformat())
    follow(page, "form[action$='/hold'] button")
    row = page.locator("[data-item]", has=page.locator(f"a[href='{address}']"))
    assert str(day.day) in row.locator(".when").inner_text()
    page.goto("/work?tab=mine")
    assert page.locator(f"a[href='{address}']").count() == 0
    page.goto(address)
    follow(page, "form[action$='/resume'] button")
    assert page.locator("#answers").count() == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_several_tasks_are_taken_at_once_and_each_says_what_became_of_it(visit: Callable[..., Visitor], language: str):
    first, second = visit("handler.baghdad", language), visit("handler2.baghdad", language)
    addresses = [task_of(first.page, open_case(first.page)) for _ in range(2)]
    page = first.page
    page.goto("/work?tab=desk&free=1")
    while not page.locator(f"a[href='{addresses[1]}']").count():
        follow(page, "a[rel=next]")
    ticked = [one for one in addresses if page.locator(f"a[href='{one}']").count()]
    for address in ticked:
        page.locator("[data-item]", has=page.locator(f"a[href='{address}']")).locator("[data-tick]").check()
    take(second.page, ticked[0])  # a colleague is quicker with one of them
    follow(page, "#many button[value=claim]")
    assert page.locator("section[aria-labelledby=failed] li").count() == 1
    assert page.locator("section[aria-labelledby=done] li").count() == len(ticked) - 1
    assert (first.mistakes(), first.wide()) == ([], [])
    second.page.goto("/work?tab=mine")
    assert second.page.locator(f"a[href='{ticked[0]}']").count() == 1
    assert second.page.locator(f"a[href='{ticked[-1]}']").count() == (1 if len(ticked) == 1 else 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tasks_of_a_colleague_who_is_away_stand_with_the_substitute(visit: Callable[..., Visitor], language: str):
    away, stands_in = visit("handler2.baghdad", language), visit("handler.baghdad", language)
    address = task_of(stands_in.page, open_case(stands_in.page))
    take(away.page, address)
    page = away.page
    page.goto("/me/times")
    page.fill("[name=first]", today().isoformat())
    page.fill("[name=last]", (today() + timedelta(days=1)).isoformat())
    page.select_option("[name=substitute]", label="رنا المثال (Rana Example)")
    follow(page, "form:has([name=substitute]) button")
    stands_in.page.goto("/work?tab=mine")
    section = stands_in.page.locator("section", has=stands_in.page.locator("[id^=away-]"))
    assert section.locator(f"a[href='{address}']").count() == 1
    page.goto("/me/times")
    follow(page, page.locator("form[action$='/end'] button").first)
    stands_in.page.goto("/work?tab=mine")
    assert stands_in.page.locator("[id^=away-]").count() == 0


TABS = [("ar", "en"), ("en", "ckb"), ("ckb", "ar")]


@pytest.mark.parametrize(("before", "after"), TABS)
def test_another_language_keeps_the_place(visit: Callable[..., Visitor], before: str, after: str):
    """One's own session: the others of the desk keep the language in which they read."""
    visitor = visit("", before)
    visitor.sign_in("coordinator.erbil")  # whoever sets up a second factor elsewhere cannot sign in so
    visitor.read_in(before)
    page = visitor.page
    page.goto("/work?tab=desk&free=1")
    held = page.locator("[data-item]").count()
    page.locator("details.drop summary").first.click()
    follow(page, f"details.drop button[value={after}]")
    expect(page.locator("html")).to_have_attribute("lang", after)
    assert page.url.endswith("/work?tab=desk&free=1")
    assert page.locator("[data-item]").count() == held
