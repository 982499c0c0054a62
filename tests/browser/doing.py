"""What people do again and again: find a task by its step, take it, open a case for somebody who is invented."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page

NUMBERS = count(1)
LETTERS = "ابتجحدرسعفقكلمنو"
"""Letters that stay the same in every spelling; invented names are made of them."""


def today() -> date:
    """Give the day that it is where the demonstration works."""
    return datetime.now(ZoneInfo("Asia/Baghdad")).date()


def follow(page: Page, what: str | Locator) -> None:
    """Press something that leads to another page."""
    with page.expect_navigation():
        (page.locator(what) if isinstance(what, str) else what).click()


def unfold(page: Page, form: str) -> None:
    """Open what a form stands in, where it is folded away."""
    box = page.locator(form).first
    if not box.is_visible():
        page.locator("details", has=page.locator(form)).last.locator("summary").first.click()
    box.wait_for()


def invented_name() -> str:
    """Give a name that nobody else of the demonstration has."""
    number = next(NUMBERS)
    return "زكر" + "".join(LETTERS[int(digit, 16)] for digit in f"{number:x}") + "يان"


def open_case(page: Page, own: str = "", father: str = "سليمان") -> str:
    """Register somebody who was looked for and not found, and open a case; gives the case's address."""
    page.goto("/people")
    page.fill("main #own", own or invented_name())
    page.fill("main #father", father)
    follow(page, "form[action='/people/search'] button.button")
    follow(page, "form[action='/people/new'] button")
    page.select_option("#sex", "male")
    page.select_option("#governorate", "baghdad")
    follow(page, "form[action='/people'] button.button")
    if page.locator("form[action='/people'] .button").count():
        follow(page, "form[action='/people'] button.button")  # somebody is called alike, and is somebody else
    follow(page, "main a[href$='/open-case']")
    page.select_option("#path", "reintegration_case")
    follow(page, "form[action$='/open-case'] button.button")
    return page.url


def tasks_at(page: Page, step: str = "") -> list[dict[str, Any]]:
    """List the tasks of one's desks, or those of one step."""
    answer = page.request.get("/api/v1/tasks", params={"tab": "desk", "limit": 100})
    assert answer.ok, answer.text()
    return [row for row in answer.json()["data"] if step in ("", row["step"])]


def task_of(page: Page, case: str) -> str:
    """Give the address of the task at which a case waits."""
    page.goto(case)
    return str(page.locator(".now a").first.get_attribute("href"))


def take(page: Page, address: str) -> None:
    """Open a task and take it, where it is not one's own already."""
    page.goto(address)
    if page.locator("main [data-take]").count():
        follow(page, "main [data-take]")


def prepare_arrival(page: Page) -> None:
    """Fill in what is asked about an arrival."""
    page.fill("input[name='a.expected_on']", (today() + timedelta(days=5)).isoformat())
    page.fill("input[name='a.household_size']", "1")
    choose(page, "port", "BGW")
    choose(page, "medical_escort", "false")


def choose(page: Page, question: str, code: str) -> None:
    """Choose an answer, whether it is a list or buttons."""
    box = page.locator(f"#answers [data-question='{question}']")
    if box.locator("select").count():
        box.locator("select").select_option(code)
    else:
        box.locator(f"input[value='{code}']").check()


def completions(page: Page, case: str) -> int:
    """Count how often a task of a case was completed."""
    answer = page.request.get(f"/api/v1{case[case.index('/cases/') :]}/timeline", params={"limit": 100})
    assert answer.ok, answer.text()
    return sum(1 for event in answer.json()["data"] if event["kind"] == "task.completed")
