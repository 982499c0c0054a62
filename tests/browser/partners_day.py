"""A focal point's day: a referral comes in, is read, accepted or declined, given an appointment and reported on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.doing import choose, follow, take, tasks_at, today, unfold
from tests.browser.visitor import Visitor

TO_WHOM = {
    "ar": ("handler.baghdad", "desk.molsa", "JOB", "molsa_job"),
    "en": ("handler.baghdad", "desk.iom", "HOU", "iom_hou"),
    "ckb": ("handler.erbil", "desk.krg-molsa", "JOB", ""),
}
"""By language: who refers, who answers, what is needed, and which service; "" where a referral was sent already."""
WHY, MORE = "مثال مختلق: يحتاج إلى هذه الخدمة", "مثال مختلق"


def refer(page: Page, category: str, service: str) -> tuple[str, str]:
    """Refer a case to a provider; gives the case and the service's name as it was chosen."""
    known = page.request.get("/api/v1/services", params={"limit": 100}).json()["data"]
    wanted = next(row["id"] for row in known if row["code"] == service)
    for task in tasks_at(page, "prepare"):
        if task["service_category"] != category:
            continue
        take(page, "/tasks/" + task["id"])
        box = page.locator("select[name='a.service']")
        if box.locator(f"option[value='{wanted}']").count():
            break
    box.select_option(wanted)
    choose(page, "referral_urgency", "normal")
    page.fill("[name='a.reason']", WHY)
    page.fill("[name='a.expected_result']", MORE)
    page.check("input[name='a.disclosure'][value=contact]")
    page.click("#answers button[value=complete]")
    page.wait_for_selector(".done-note")
    return "/cases/" + task["case_id"], task["case_number"]


def sent_already(focal: Page) -> str:
    """Give the address of a referral that waits to be read."""
    focal.goto("/referrals?way=received&state=sent")
    return str(focal.locator("a[data-open]").first.get_attribute("href"))


def newest_referral(page: Page, case: str, category: str) -> str:
    """Give the address of the newest referral of a case for one kind of service."""
    rows = page.request.get(f"/api/v1{case}/referrals").json()
    fitting = [row for row in rows if row["category"] == category]
    return "/referrals/" + str(max(fitting, key=lambda row: row["attempt"])["id"])


def do(page: Page, verb: str, **fields: str) -> None:
    """Do something with a referral by its form."""
    form = page.locator(f"form[action$='/do/{verb}']")
    if not form.is_visible():
        page.locator(f"details:has(form[action$='/do/{verb}'])").locator("summary").first.click()
    for name, value in fields.items():
        box = form.locator(f"[name={name}]")
        if not box.is_visible():
            form.locator("summary").click()
        if box.evaluate("one => one.localName") == "select":
            box.select_option(value)
        else:
            box.fill(value)
    follow(page, form.locator("button.button"))
    assert page.locator(".done-note").count() == 1, page.locator("main").inner_text()[:300]


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_a_referral_is_read_accepted_scheduled_and_reported_and_the_handler_sees_it(
    visit: Callable[..., Visitor], language: str
):
    sender, login, category, service = TO_WHOM[language]
    handler, focal = visit(sender, language).page, visit(login, language)
    handler.goto("/work?tab=desk")
    if service:
        case, _ = refer(handler, category, service)
        address = newest_referral(handler, case, category)
    else:
        address = sent_already(focal.page)

    focal.page.goto("/referrals?way=received")
    follow(focal.page, f"a[href='{address}']")  # reading it is told to the sender
    assert not service or WHY in focal.page.locator("main").inner_text()
    do(focal.page, "accept")
    at = (datetime.now() + timedelta(days=2)).strftime("%Y-%m-%dT10:00")
    do(focal.page, "schedule", at=at, place=MORE)
    do(focal.page, "start")
    do(focal.page, "complete", outcome="provided", note=MORE)
    assert (focal.mistakes(), focal.wide()) == ([], [])

    handler.goto(address)
    assert MORE in handler.locator("main").inner_text()
    state = handler.request.get(f"/api/v1{address}").json()
    assert (state["state"], state["outcome"]["code"]) == ("completed", "provided")


def test_a_declined_referral_names_its_reason_and_comes_back_to_the_handler(visit: Callable[..., Visitor]):
    handler = visit("handler.baghdad", "ar").page
    handler.goto("/work?tab=desk")
    case, number = refer(handler, "LEG", "ngo_olive_leg")
    address = newest_referral(handler, case, "LEG")
    focal = visit("desk.olive", "ar").page
    focal.goto(address)
    do(focal, "decline", reason="no_capacity", note=MORE)
    handler.wait_for_timeout(2000)  # the runner wakes the path
    assert [row for row in tasks_at(handler) if row["case_number"] == number and row["step"] in ("prepare", "fix")]


def offered(page: Page, service: str) -> bool:
    """Say whether a handler who looks for a service is told that this one takes people."""
    taking = page.request.get("/api/v1/services", params={"limit": 100, "accepting": "true"}).json()["data"]
    return service in {row["id"] for row in taking if row["paused_until"] is None}


def change_capacity(focal: Visitor, service: str, state: str, until: str = "") -> None:
    """Say how a service stands, by its form."""
    page = focal.page
    page.goto("/services")
    unfold(page, f"form[action='/services/{service}/capacity']")
    form = page.locator(f"form[action='/services/{service}/capacity']")
    form.locator(f"input[name=state][value={state}]").check()
    form.locator("[name=until]").fill(until)
    follow(page, form.locator("button"))
    assert page.locator(f"[id='{service}'] .done-note").count() == 1


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_a_focal_point_pauses_a_service_opens_it_and_confirms_that_all_is_still_right(
    visit: Callable[..., Visitor], language: str
):
    handler, focal = visit("handler.baghdad", language).page, visit("focal.iom", language)
    known = handler.request.get("/api/v1/services", params={"limit": 100}).json()["data"]
    service = next(row["id"] for row in known if row["code"] == "iom_hou")
    until = today() + timedelta(days=20)
    change_capacity(focal, service, "paused", until.isoformat())
    card = focal.page.locator(f"[id='{service}']")
    assert str(until.day) in card.locator(".tag").first.inner_text()
    assert (focal.mistakes(), focal.wide()) == ([], [])
    focal.page.set_viewport_size({"width": 1280, "height": 850})
    assert not offered(handler, service)

    change_capacity(focal, service, "open")
    assert offered(handler, service)
    follow(focal.page, f"form[action='/services/{service}/verify'] button")
    assert str(today().day) in card.locator(".row .quiet").inner_text()
    assert card.locator(".late").count() == 0
