"""What a path designer does in the editor, hand by hand."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

DESIGNER, SECOND = "designer.federal", "designer2.federal"
ASK = """([method, address, body, version]) => fetch('/api/v1' + address, {method, headers: {
  ...(body === null ? {} : {'Content-Type': 'application/json'}), ...(version ? {'If-Match': `"v${version}"`} : {})},
  body: body === null ? undefined : JSON.stringify(body)}).then((answer) => answer.json())"""


def ask(page: Page, method: str, address: str, body: object = None, version: int | None = None) -> Any:
    """Ask a door as the page's own script does."""
    return page.evaluate(ASK, [method, address, body, version])


KEPT = 3
"""Drafts that are left open when a test begins one: a person and a path have only so many."""


def tidy(page: Page) -> None:
    """Give up the drafts of earlier tests, but for the last few."""
    for draft in ask(page, "GET", "/path-drafts")[KEPT:]:
        if "discard" in draft["actions"]:
            ask(page, "POST", f"/path-drafts/{draft['id']}/discard", {"version": draft["version"]})


def begin(page: Page, **what: object) -> str:
    """Begin a draft and open it in the editor."""
    page.goto("/me")
    tidy(page)
    draft = str(ask(page, "POST", "/path-drafts", what)["id"])
    open_draft(page, draft)
    return draft


def open_draft(page: Page, draft: str) -> None:
    page.goto(f"/studio/drafts/{draft}")
    page.wait_for_selector("html[data-editor=ready]", state="attached")
    page.wait_for_selector("#pane-findings > *", state="attached")


def place(page: Page, entry: str, x: float, y: float) -> None:
    """Take something from the palette and put it at a place of the drawing."""
    page.locator(f".djs-palette [data-action='{entry}']").click()
    left, top = page.evaluate(
        """([x, y]) => { const view = pathEditor.modeler.get('canvas').viewbox();
          const box = document.querySelector('#canvas').getBoundingClientRect();
          return [box.left + (x - view.x) * view.scale, box.top + (y - view.y) * view.scale]; }""",
        [x, y],
    )
    page.mouse.move(left - 4, top - 4)
    page.mouse.move(left, top)
    page.wait_for_timeout(150)
    page.mouse.click(left, top)
    page.wait_for_timeout(150)


def choose(page: Page, element: str) -> None:
    """Select an element by the list of steps, as one does without a mouse."""
    page.locator("#outline").focus()
    page.select_option("#outline", element)
    page.wait_for_selector(f"#pane-panel [data-element='{element}']")


def append(page: Page, what: str) -> None:
    """Append a step to the selected one by its pad."""
    page.locator(f".djs-context-pad [data-action='append.{what}']").click()
    page.wait_for_timeout(200)


def write(page: Page, name: str, text: str) -> None:
    """Fill in an input of the panel."""
    field = page.locator(f"#pane-panel [name='{name}']").first
    field.fill(text)
    field.blur()


def names(page: Page, english: str, arabic: str, sorani: str) -> None:
    for language, text in (("en", english), ("ar", arabic), ("ckb", sorani)):
        write(page, f"name-{language}", text)


def pick(page: Page, name: str, code: str) -> None:
    page.locator(f"#pane-panel [name='{name}']").first.select_option(code)


def saved(page: Page) -> None:
    """Wait until all is saved."""
    page.wait_for_selector("#save-state[data-state=saved]")


def findings(page: Page) -> str:
    page.click("#tab-findings")
    return page.inner_text("#pane-findings")
