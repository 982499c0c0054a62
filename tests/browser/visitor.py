"""Somebody before a browser: what they do, and what the browser complains about meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

AXE = Path(__file__).parent / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
EXPECTED = ("status of 4",)
"""What Chromium says in its console whenever an answer is a refusal; the refusal is what the page shows."""
WATCH = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`content policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"""
PASSWORD = "only for the demo"


def open_context(browser: Browser, address: str, language: str, **how: Any) -> BrowserContext:
    """Open a browser of one's own."""
    settings = {"viewport": {"width": 1280, "height": 850}, "locale": language, "base_url": address, **how}
    context = browser.new_context(**settings)
    context.set_default_timeout(20_000)
    context.add_init_script(WATCH)
    return context


@cache
def axe() -> str:
    """Read the checker."""
    return AXE.read_text()


@dataclass
class Visitor:
    """Somebody and what their browser complained about."""

    context: BrowserContext
    page: Page
    language: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in EXPECTED):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def sign_in(self, login: str) -> None:
        self.page.goto("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button.button")
        self.page.wait_for_url("**/work**")

    def read_in(self, language: str) -> None:
        """Choose a language in the menu of the bar."""
        self.page.goto("/me")
        if self.page.locator("html").get_attribute("lang") != language:
            self.page.locator("details.drop summary").first.click()
            with self.page.expect_navigation():
                self.page.click(f"details.drop button[value={language}]")
        assert self.page.locator("html").get_attribute("lang") == language

    def mistakes(self) -> list[str]:
        """Say what keeps people from using the page (WCAG 2.2 A and AA), as far as a program can find it."""
        self.page.evaluate(axe())
        found = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"
            ".then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ' ' + n.target + ': ' + n.failureSummary)))",
            RULES,
        )
        return [str(one) for one in found]

    def wide(self) -> list[str]:
        """Say what is wider than a small phone, 320 px."""
        self.page.set_viewport_size({"width": 320, "height": 640})
        return list(
            self.page.evaluate(
                """() => document.documentElement.scrollWidth <= 320 ? [] : [
                  `${document.documentElement.scrollWidth} px`,
                  ...[...document.querySelectorAll("body *")].filter((one) => {
                    const box = one.getBoundingClientRect();
                    return box.right > 321 || box.left < -1;
                  }).slice(0, 5).map((one) => one.outerHTML.slice(0, 120))]"""
            )
        )
