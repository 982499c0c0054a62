"""What pages cost on a thin line: bytes are limits, seconds to the first paint are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import CDPSession

from tests.browser.visitor import Visitor

KB = 1000
FIRST, LATER, CASE_LATER = 110 * KB, 10 * KB, 15 * KB
LINE = {"offline": False, "latency": 400, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}
SLOWER = 6
TO_CASE = "main a[href^='/cases/']"


@dataclass
class Line:
    """Counts what comes over the wire, headers too."""

    session: CDPSession
    received: dict[str, int] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, visitor: Visitor) -> Line:
        line = cls(session=visitor.context.new_cdp_session(visitor.page))
        line.session.on("Network.requestWillBeSent", line._ask)
        line.session.on("Network.loadingFinished", line._finish)
        line.session.send("Network.enable")
        return line

    def _ask(self, event: dict[str, Any]) -> None:
        self.asked[event["requestId"]] = event["request"]["url"]

    def _finish(self, event: dict[str, Any]) -> None:
        self.received[event["requestId"]] = int(event["encodedDataLength"])

    def count(self, visitor: Visitor, address: str) -> int:
        """Open a page and count its bytes."""
        self.received.clear()
        visitor.page.goto(address)
        visitor.page.wait_for_load_state("networkidle")
        return sum(self.received.values())

    def thin(self) -> None:
        """Become 400 kbit/s with 400 ms, before a processor six times slower."""
        self.session.send("Network.emulateNetworkConditions", LINE)
        self.session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def first_paint(visitor: Visitor) -> float:
    """Say after how many seconds something was seen."""
    visitor.page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    return float(visitor.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_inbox_and_a_case_come_over_a_thin_line(visit: Callable[..., Visitor], language: str):
    visit("handler.baghdad", language)  # signs in and chooses the language; the next browser has an empty cache
    visitor = visit("handler.baghdad", language)
    line = Line.of(visitor)
    line.thin()
    first = line.count(visitor, "/work?tab=desk")
    seen = [first_paint(visitor)]
    later = line.count(visitor, "/work?tab=desk")
    seen.append(first_paint(visitor))
    visitor.page.goto("/cases")
    case = str(visitor.page.locator(TO_CASE).first.get_attribute("href"))
    line.count(visitor, case)
    case_later = line.count(visitor, case)
    seen.append(first_paint(visitor))
    assert visitor.page.locator(".drawing svg").count() == 1
    told = ", ".join(
        f"{name} {size / KB:.1f} KB, first paint {seconds:.1f} s"
        for name, size, seconds in zip(
            ("inbox first", "inbox later", "case later"), (first, later, case_later), seen, strict=True
        )
    )
    print(f"\n{language}: {told}")
    assert 20 * KB < first <= FIRST
    assert 500 < later <= LATER
    assert 500 < case_later <= CASE_LATER
