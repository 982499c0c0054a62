"""A path from nothing to a case that runs on it: drawn, mended, tried, recorded, sent to a second person, published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from playwright.sync_api import Page

from tests.browser.designing import (
    DESIGNER,
    SECOND,
    append,
    ask,
    begin,
    choose,
    findings,
    names,
    pick,
    place,
    saved,
    write,
)
from tests.browser.visitor import Visitor

FORM = "closure_approval"
QUESTION, YES, NO = "closure_decision", "approve", "revise"


def draw(page: Page) -> None:
    """Draw a task, a question and a second end between the start and the end that are there."""
    choose(page, "lane_1")
    names(page, "Supervisor", "المشرف", "سەرپەرشتیار")
    pick(page, "role", "supervisor")
    place(page, "create.task", 420, 240)
    names(page, "Look at the case", "النظر في الحالة", "تەماشاکردنی کەیس")
    write(page, "id", "look")
    pick(page, "form", FORM)
    write(page, "due-amount", "3")
    place(page, "create.exclusive", 640, 240)
    names(page, "Well done?", "هل أُنجز جيدًا؟", "باش ئەنجام درا؟")
    write(page, "id", "decided")
    append(page, "end")
    names(page, "Sent back", "أُعيد", "گەڕێندرایەوە")
    write(page, "id", "end_back")


def flows(page: Page) -> list[str]:
    return list(
        page.evaluate("() => pathEditor.registry.get('decided').businessObject.outgoing.map((flow) => flow.id)")
    )


def mend(page: Page) -> None:
    """Say what the findings miss: the outcomes, and when each way is taken."""
    for end, outcome in (("end", "provided"), ("end_back", "unmet")):
        choose(page, end)
        pick(page, "outcome", outcome)
    first, second = flows(page)
    page.evaluate("(id) => pathEditor.select(id)", first)
    names(page, "yes", "نعم", "بەڵێ")
    pick(page, "question-0", QUESTION)
    pick(page, "value-0", YES)
    page.evaluate("(id) => pathEditor.select(id)", second)
    names(page, "no", "لا", "نەخێر")
    page.check("[name=default]")
    saved(page)


def play(page: Page, answer: str, scenario: str) -> None:
    """Try one way to its end and record it."""
    page.click("#tab-trial")
    page.click("#trial-begin")
    page.wait_for_selector("#pane-trial .ed-card")
    page.click("#pane-trial .ed-card details summary")
    page.locator(f"#pane-trial [name='answer-{QUESTION}']").select_option(answer)
    page.get_by_role("button", name="Fill the rest with examples").click()
    page.get_by_role("button", name="Complete the task").click()
    page.wait_for_selector("#pane-trial .ed-state b:has-text('Ended')")
    page.click("#pane-trial summary:has-text('Record as a scenario')")
    page.fill("#pane-trial [name=scenario-name]", scenario)
    page.locator("#pane-trial [name=scenario-name]").blur()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_selector("#pane-trial .ed-told:has-text('Recorded')")
    page.get_by_role("button", name="End the trial").click()


def test_a_path_is_drawn_mended_tried_published_by_a_second_person_and_a_case_runs_on_it(
    visit: Callable[..., Visitor],
):
    page = visit(DESIGNER, "en").page
    key = f"second_look_{datetime.now():%H%M%S}"
    texts = {"en": "A second look", "ar": "نظرة ثانية", "ckb": "سەیرکردنێکی دووەم"}
    draft = begin(page, key=key, names=texts)
    draw(page)
    saved(page)
    assert "outcome" in findings(page)
    page.click("#do-submit")
    page.wait_for_selector("#editor-told:has-text('Mend')")
    mend(page)
    page.wait_for_selector("#tab-findings:not([data-worst=error])")
    play(page, YES, "well_done")
    page.click("#do-coverage")
    page.wait_for_selector("#editor-told:not([hidden])")
    assert page.locator(".coverage-gap").count() > 0
    play(page, NO, "sent_back")
    page.click("#do-submit")
    page.wait_for_url("**/review")

    refused = ask(
        page,
        "POST",
        f"/path-drafts/{draft}/publish",
        None,
        ask(page, "GET", f"/path-drafts/{draft}")["draft"]["version"],
    )
    assert refused["code"] == "second_person_publishes"

    second = visit(SECOND, "en").page
    second.goto(f"/studio/drafts/{draft}/review")
    second.click("form[action$='/publish'] button")
    second.wait_for_url(f"**/studio/paths/{key}")

    handler = visit("handler.baghdad", "en").page
    handler.goto("/cases")
    handler.goto(str(handler.locator("main a[href^='/cases/']").first.get_attribute("href")))
    case = handler.url.rpartition("/")[2]
    run = ask(handler, "POST", f"/cases/{case}/runs", {"path": key})
    assert run.get("id", "").startswith("run_"), run
