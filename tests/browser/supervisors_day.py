"""A supervisor's day: what is late, what nobody holds, who gets it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.doing import follow, open_case, task_of
from tests.browser.visitor import Visitor


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_two_tasks_that_nobody_holds_are_given_to_a_handler_and_one_goes_on_to_another(
    visit: Callable[..., Visitor], language: str
):
    handler = visit("handler.baghdad", language).page
    addresses = [task_of(handler, open_case(handler)) for _ in range(2)]

    supervisor = visit("supervisor.baghdad", language)
    page = supervisor.page
    page.goto("/desk?list=overdue")
    assert page.locator("[data-item]").count() >= 1
    assert page.locator("table.loads").count() >= 2
    page.goto("/desk?list=unassigned")
    for address in addresses:
        while not page.locator(f"a[href='{address}']").count():
            follow(page, "a[rel=next]")
        page.locator("[data-item]", has=page.locator(f"a[href='{address}']")).locator("[data-tick]").check()
        if address != addresses[-1] and not page.locator(f"a[href='{addresses[-1]}']").count():
            break
    ticked = page.locator("[data-tick]:checked").count()
    page.locator("#many select[name=to_user]").select_option(label="سامر المثال (Samir Example)")
    follow(page, "#many button[value=assign]")
    assert (supervisor.mistakes(), supervisor.wide()) == ([], [])

    colleague = visit("handler2.baghdad", language).page
    colleague.goto("/work?tab=mine")
    given = [address for address in addresses if colleague.locator(f"a[href='{address}']").count()]
    assert len(given) == ticked >= 1

    page.set_viewport_size({"width": 1280, "height": 850})
    page.goto(given[0])
    page.locator("form[action$='/hand-over']").locator("xpath=..").locator("summary").click()
    page.select_option("#to_user", label="رنا المثال (Rana Example)")
    follow(page, "form[action$='/hand-over'] button")
    handler.goto("/work?tab=mine")
    assert handler.locator(f"a[href='{given[0]}']").count() == 1
