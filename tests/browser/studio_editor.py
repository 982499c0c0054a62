"""The path editor in Chromium: in three languages, for everybody, with every diagram, on a lost line, with a colleague."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from tests.browser.comparing import PATHS, codes, sayings
from tests.browser.designing import (
    DESIGNER,
    SECOND,
    append,
    ask,
    begin,
    choose,
    findings,
    open_draft,
    pick,
    saved,
    tidy,
    write,
)
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]
ON_TOP = """() => { const link = document.querySelector('a.bjs-powered-by'); const box = link.getBoundingClientRect();
  const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const style = getComputedStyle(link);
  return link.contains(seen) && box.width > 20 && style.visibility === 'visible' && Number(style.opacity) === 1
    && link.hostname === 'bpmn.io'; }"""
THROUGH = """async (xml) => { const { modeler } = pathEditor; const { warnings } = await modeler.importXML(xml);
  return [(await modeler.saveXML({ format: true })).xml, warnings.map((each) => each.message)]; }"""


def untranslated(visitor: Visitor) -> list[str]:
    return list(visitor.page.evaluate("() => [...window.editorMissing]"))


@pytest.mark.parametrize("language", ["ar", "en", "ckb"])
def test_everybody_can_use_the_editor_and_no_text_is_missing(visit: Visit, language: str):
    visitor = visit(DESIGNER, language)
    page = visitor.page
    begin(page, path="service_referral")
    assert (page.locator("h1").count(), page.evaluate(ON_TOP)) == (1, True)
    assert page.get_attribute("#canvas", "dir") == "ltr"
    assert visitor.mistakes() == []
    for element in (
        "prepare",
        "gate_check",
        "may_send",
        "wait_answer",
        "accepted",
        "end_provided",
        "lane_handler",
        "body",
    ):
        choose(page, element)
        wrench = page.locator(".djs-context-pad [data-action=replace]")
        if wrench.count():
            wrench.click()
            page.wait_for_selector(".djs-popup")
            page.keyboard.press("Escape")
    assert visitor.mistakes() == []
    for tab in ("findings", "trial"):
        page.click(f"#tab-{tab}")
        assert visitor.mistakes() == []
    for button in ("minimap", "find", "simulate"):
        page.click(f"#do-{button}")
    page.wait_for_selector(".bts-palette")
    page.click("#do-simulate")
    assert page.evaluate(ON_TOP)
    assert untranslated(visitor) == []


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_diagram_of_ours_survives_the_editor(visit: Visit, language: str):
    visitor = visit(DESIGNER, language)
    begin(visitor.page, path="service_referral")
    for path in PATHS:
        before = path.read_bytes()
        after, warnings = visitor.page.evaluate(THROUGH, before.decode())
        assert warnings == [], path.name
        assert sayings(after.encode()) == sayings(before), path.name
        assert codes(after.encode()) == codes(before), path.name


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_a_phone_shows_the_drawing_and_what_was_found(visit: Visit, language: str):
    visitor = visit(DESIGNER, language)
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.page.goto("/me")
    tidy(visitor.page)
    draft = ask(visitor.page, "POST", "/path-drafts", {"path": "service_referral"})["id"]
    visitor.page.goto(f"/studio/drafts/{draft}")
    assert visitor.page.locator(".ed-notice.needs-script").is_visible(), "it says that it needs a wider screen"
    assert visitor.page.locator(".drawing svg").is_visible()
    visitor.page.click("main a[href$='/steps']")
    assert visitor.page.locator("main ol > li").count() > 5
    assert (visitor.mistakes(), visitor.wide()) == ([], [])
    visitor.page.go_back()
    assert not visitor.page.locator("#canvas").is_visible()
    assert (visitor.mistakes(), visitor.wide()) == ([], [])


def test_a_name_written_in_arabic_is_the_name_in_arabic_and_undo_takes_it_back(visit: Visit):
    page = visit(DESIGNER, "ar").page
    draft = begin(page, path="service_referral")
    choose(page, "prepare")
    before = page.input_value("[name='name-en']")
    write(page, "name-ar", "تجهيز الإحالة بعناية")
    saved(page)
    shown = page.locator("[data-element-id=prepare] text").first.text_content()
    assert "بعناية" in (shown or "")
    open_draft(page, draft)
    choose(page, "prepare")
    assert (page.input_value("[name='name-ar']"), page.input_value("[name='name-en']")) == (
        "تجهيز الإحالة بعناية",
        before,
    )
    write(page, "name-ar", "غلط")
    page.click("#do-undo")
    assert page.input_value("[name='name-ar']") == "تجهيز الإحالة بعناية"


def test_a_condition_is_made_of_questions_that_were_asked_before(visit: Visit):
    page = visit(DESIGNER, "en").page
    begin(page, path="service_referral")
    page.evaluate("() => pathEditor.select('may_send')")
    append(page, "end")
    flow = page.evaluate("() => pathEditor.registry.get('may_send').businessObject.outgoing.at(-1).id")
    page.evaluate("(id) => pathEditor.select(id)", flow)
    offered = page.locator("[name='question-0'] option").evaluate_all("(all) => all.map((one) => one.value)")
    assert "gate" in offered
    assert "mismatch" not in offered, "nobody has confirmed anything before the referral was sent"
    pick(page, "question-0", "gate")
    write(page, "value-0", "no_agreement")
    assert page.evaluate("(id) => pathEditor.registry.get(id).businessObject.conditionExpression.body", flow) == (
        "gate == 'no_agreement'"
    )
    saved(page)


def test_only_what_runs_can_be_drawn(visit: Visit):
    page = visit(DESIGNER, "en").page
    begin(page, path="service_referral")
    choose(page, "prepare")
    page.locator(".djs-context-pad [data-action=replace]").click()
    entries = page.locator(".djs-popup .entry").evaluate_all("(all) => all.map((one) => one.dataset.id)")
    assert "replace-with-service-task" in entries
    assert not {"replace-with-script-task", "replace-with-task", "replace-with-transaction", "toggle-loop"} & set(
        entries
    )


def test_a_lost_line_loses_nothing(visit: Visit):
    visitor = visit(DESIGNER, "en")
    page = visitor.page
    begin(page, path="service_referral")
    broken: list[str] = []

    def cut(route: Route) -> None:
        broken.append(route.request.url)
        route.abort()

    page.route("**/diagram", cut)
    choose(page, "prepare")
    write(page, "name-en", "Prepare on a thin line")
    page.wait_for_selector("#save-state[data-state=lost]")
    page.unroute("**/diagram", cut)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    saved(page)
    assert broken
    visitor.complaints[:] = [said for said in visitor.complaints if "ERR_FAILED" not in said]


def test_two_designers_cannot_overwrite_each_other(visit: Visit):
    first, second = visit(DESIGNER, "en").page, visit(SECOND, "ar").page
    draft = begin(first, path="service_referral")
    open_draft(second, draft)
    choose(first, "prepare")
    write(first, "name-en", "Prepare it first")
    saved(first)
    choose(second, "prepare")
    write(second, "name-en", "Prepare it second")
    second.wait_for_selector("#conflict[open]")
    assert second.get_attribute("#save-state", "data-state") == "conflict"
    with second.expect_download() as file:
        second.click("#conflict-keep")
    assert "Prepare it second" in file.value.path().read_text()
    second.click("#conflict-theirs")
    second.wait_for_selector("html[data-editor=ready]", state="attached")
    choose(second, "prepare")
    assert second.input_value("[name='name-en']") == "Prepare it first"


def test_a_hostile_text_is_only_a_text(visit: Visit):
    page = visit(DESIGNER, "en").page
    draft = begin(page, path="service_referral")
    choose(page, "prepare")
    write(page, "name-en", "<img src=x onerror=document.title='taken'><script>1</script>")
    saved(page)
    open_draft(page, draft)
    assert page.title() != "taken"
    assert page.locator("#canvas img").count() == 0
    assert "taken" not in findings(page)
