"""Changing a path by hand in Chromium: lines drawn, comments, differences, undo, two windows, going back, signing in again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.designing import DESIGNER, SECOND, ask, begin, choose, open_draft, pick, saved, write
from tests.browser.visitor import PASSWORD, Visitor

Visit = Callable[..., Visitor]
PATH = "service_referral"
FLOWS = """([source, target]) => pathEditor.registry.filter((one) => one.type === 'bpmn:SequenceFlow'
  && one.source.id === source && one.target.id === target).length"""
MIDDLE = """(id) => { const view = pathEditor.modeler.get('canvas').viewbox(), one = pathEditor.registry.get(id);
  const box = document.querySelector('#canvas').getBoundingClientRect();
  return [box.left + (one.x + one.width / 2 - view.x) * view.scale, box.top + (one.y + one.height / 2 - view.y) * view.scale]; }"""


def flows(page: Page, source: str, target: str) -> int:
    return int(page.evaluate(FLOWS, [source, target]))


def stored(page: Page, draft: str) -> str:
    return str(ask(page, "GET", f"/path-drafts/{draft}")["diagram"])


def unfold(page: Page, name: str) -> None:
    """Open the part of the panel that holds an input, as one does without a mouse."""
    head = page.locator(f"#pane-panel details:has([name={name}]) > summary").last
    head.focus()
    page.keyboard.press("Enter")


def undo(page: Page) -> None:
    page.click("#do-undo")


def test_a_flow_is_drawn_by_hand_and_undone_and_done_again(visit: Visit):
    page = visit(DESIGNER, "en").page
    draft = begin(page, path=PATH)
    choose(page, "prepare")
    page.click("#do-zoom-all")
    before = flows(page, "prepare", "accepted")
    page.locator(".djs-context-pad [data-action=connect]").click()
    x, y = page.evaluate(MIDDLE, "accepted")
    page.mouse.move(x - 9, y - 9)
    page.mouse.move(x, y, steps=3)
    page.mouse.click(x, y)
    page.wait_for_timeout(200)
    assert flows(page, "prepare", "accepted") == before + 1
    saved(page)
    assert stored(page, draft).count('sourceRef="prepare" targetRef="accepted"') == before + 1
    undo(page)
    assert flows(page, "prepare", "accepted") == before
    page.click("#do-redo")
    assert flows(page, "prepare", "accepted") == before + 1
    undo(page)
    saved(page)
    assert stored(page, draft).count('sourceRef="prepare" targetRef="accepted"') == before


def test_steps_are_added_joined_and_taken_away_without_a_mouse(visit: Visit):
    page = visit(DESIGNER, "ar").page
    begin(page, path=PATH)
    choose(page, "prepare")
    unfold(page, "connect")
    pick(page, "connect", "accepted")
    assert flows(page, "prepare", "accepted") == 1
    flow = page.evaluate("() => pathEditor.modeler.get('selection').get()[0].id")
    choose(page, "prepare")
    offered = page.locator("#pane-panel [name=connect] option").evaluate_all("(all) => all.map((one) => one.value)")
    assert "accepted" not in offered, "it leads there already"
    page.evaluate("(id) => pathEditor.select(id)", flow)
    away = page.locator("#pane-panel button[name=take-away]")
    unfold(page, "take-away")
    away.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert flows(page, "prepare", "accepted") == 0
    choose(page, "prepare")
    page.locator("#canvas svg").first.focus()
    name = page.input_value("[name='name-ar']")
    write(page, "name-ar", "اسم آخر")
    page.locator("#canvas svg").first.focus()
    page.keyboard.press("Control+z")
    assert page.input_value("[name='name-ar']") == name
    page.keyboard.press("Control+y")
    assert page.input_value("[name='name-ar']") == "اسم آخر"


def test_a_comment_stands_on_the_drawing_is_answered_by_a_colleague_and_settled(visit: Visit):
    first, second = visit(DESIGNER, "en"), visit(SECOND, "ckb")
    draft = begin(first.page, path=PATH)
    choose(first.page, "prepare")
    write(first.page, "comment", "Who prepares it at night? <b>Nobody</b>")
    first.page.get_by_role("button", name="Add the comment").click()
    badge = first.page.locator("#canvas .ed-said")
    badge.wait_for()
    assert "1" in str(badge.text_content())
    assert first.mistakes() == []

    open_draft(second.page, draft)
    mark = second.page.locator("#canvas .ed-said")
    mark.wait_for()
    assert "at night" in str(mark.get_attribute("title"))
    mark.dispatch_event("click")
    second.page.wait_for_selector("#pane-panel [data-element=prepare]")
    assert second.page.locator(".ed-comment b b, .ed-comment p b").count() == 1, "only who said it is bold"
    write(second.page, "comment", "بەرپرسی شەو.")
    second.page.locator(".ed-comments button").last.click()
    second.page.wait_for_selector(".ed-comment >> nth=1")

    choose(first.page, "accepted")
    choose(first.page, "prepare")
    first.page.wait_for_selector(".ed-comment >> nth=1")
    assert "بەرپرسی شەو." in first.page.inner_text(".ed-comments")
    for left in (1, 0):
        first.page.locator(".ed-comment button").first.click()
        first.page.wait_for_function("(left) => document.querySelectorAll('.ed-comment').length === left", arg=left)
    assert first.page.locator("#canvas .ed-said").count() == 0
    first.page.goto(f"/studio/drafts/{draft}/review")
    assert first.page.locator(".remark.settled").count() == 2


@pytest.mark.parametrize("language", ["en", "ar"])
def test_what_differs_from_the_version_in_use_is_drawn_and_said_in_words(visit: Visit, language: str):
    visitor = visit(DESIGNER, language)
    page = visitor.page
    draft = begin(page, path=PATH)
    choose(page, "prepare")
    write(page, f"name-{language}", "Prepare twice")
    unfold(page, "add")
    pick(page, "add", "end")
    page.evaluate("() => pathEditor.select('end_provided')")
    page.evaluate("() => pathEditor.modeling.removeElements([pathEditor.registry.get('end_provided')])")
    saved(page)
    page.click("#do-difference")
    page.wait_for_selector("#editor-told details")
    assert page.locator("#canvas .difference-added").count() >= 1
    assert page.locator("#canvas [data-element-id=prepare].difference-changed").count() == 1
    page.click("#editor-told summary")
    words = page.inner_text("#editor-told")
    assert "Prepare twice" in words
    assert visitor.mistakes() == []
    page.click("#do-difference")
    assert page.locator("#canvas .difference-added, #canvas .difference-changed").count() == 0

    page.goto(f"/studio/drafts/{draft}/review")
    assert page.locator(".drawing .state-added").count() >= 1
    assert page.locator(".drawing .state-changed").count() >= 1
    assert page.locator(".drawing .state-removed").count() >= 1
    assert "Prepare twice" in page.inner_text(".changes >> nth=0") or "Prepare twice" in page.inner_text("main")
    assert visitor.mistakes() == []


def test_the_same_draft_in_two_windows_is_not_overwritten(visit: Visit):
    visitor = visit(DESIGNER, "ckb")
    page, other = visitor.page, visitor.context.new_page()
    draft = begin(page, path=PATH)
    open_draft(other, draft)
    choose(page, "prepare")
    write(page, "name-ckb", "یەکەم")
    saved(page)
    choose(other, "prepare")
    write(other, "name-ckb", "دووەم")
    other.wait_for_selector("#conflict[open]")
    other.evaluate("() => pathEditor.saving.now()")
    assert "یەکەم" in stored(page, draft) and "دووەم" not in stored(page, draft)
    other.click("#conflict-theirs")
    other.wait_for_selector("html[data-editor=ready]", state="attached")
    assert not other.locator("#kept").is_visible()
    choose(other, "prepare")
    assert other.input_value("[name='name-ckb']") == "یەکەم"


def test_going_back_shows_what_was_drawn(visit: Visit):
    page = visit(DESIGNER, "en").page
    draft = begin(page, path=PATH)
    choose(page, "prepare")
    write(page, "name-en", "Prepare and go back")
    saved(page)
    page.click(f".ed-bar a[href='/studio/drafts/{draft}/review']")
    page.wait_for_selector("#comments")
    page.go_back()
    page.wait_for_selector("html[data-editor=ready]", state="attached")
    choose(page, "prepare")
    assert page.input_value("[name='name-en']") == "Prepare and go back"
    write(page, "name-en", "Prepare once more")
    saved(page)
    assert "Prepare once more" in stored(page, draft)


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.fill("#login", DESIGNER)
    page.fill("#password", PASSWORD)
    page.click("main button.button")
    page.wait_for_url("**/work**")


def signed_out(page: Page) -> str:
    """Begin, lose the session as by its end, and change something."""
    draft = begin(page, path=PATH)
    page.context.clear_cookies()
    choose(page, "prepare")
    write(page, "name-en", "Prepare after the break")
    page.wait_for_selector("#save-state[data-state=lost] a[target=_blank]")
    return draft


def test_who_signs_in_again_in_another_window_goes_on_where_they_were(
    visit: Visit, signed_in: dict[str, dict[str, object]]
):
    visitor = visit(DESIGNER, "en")
    page = visitor.page
    draft = signed_out(page)
    sign_in(visitor.context.new_page())
    page.bring_to_front()
    page.evaluate("() => dispatchEvent(new Event('focus'))")
    saved(page)
    assert "Prepare after the break" in stored(page, draft)
    signed_in[DESIGNER]["cookies"] = visitor.context.storage_state()


def test_who_signs_in_again_in_the_same_window_finds_what_was_not_saved(
    visit: Visit, signed_in: dict[str, dict[str, object]]
):
    visitor = visit(DESIGNER, "en")
    page = visitor.page
    draft = signed_out(page)
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page)
    open_draft(page, draft)
    page.wait_for_selector("#kept[open]")
    assert visitor.mistakes() == []
    assert "Prepare after the break" not in stored(page, draft)
    page.click("#kept-back")
    saved(page)
    choose(page, "prepare")
    assert page.input_value("[name='name-en']") == "Prepare after the break"
    open_draft(page, draft)
    assert not page.locator("#kept").is_visible()
    signed_in[DESIGNER]["cookies"] = visitor.context.storage_state()
