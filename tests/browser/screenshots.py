"""Pictures for the handler's guide: `make screenshots` writes docs/guide/<language>/<page>.webp.

The demonstration's people and cases are the same each time; days and hours are those of the moment.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.every_page import HANDLER, PARTNER, PLACES, RECEPTION, SUPERVISOR, Go, follow
from tests.browser.serving import ROOT, demonstration, system_chromium
from tests.browser.visitor import Visitor, open_context

TO = ROOT / "docs" / "guide"
LANGUAGES = ("ar", "ckb", "en")
TALLEST = 1500
"""Pixels after which a long page is cut off; what matters stands above."""
QUALITY = 45
IN_ERBIL = {
    HANDLER: "handler.erbil",
    PARTNER: "desk.krg-molsa",
    RECEPTION: "reception.erbil",
    SUPERVISOR: "supervisor.erbil",
}
PICTURES = {
    "sign-in": "sign-in",
    "work-mine": "work: mine",
    "work-desk": "work: desk",
    "work-on-hold": "work: on_hold",
    "task-to-take": "task of nobody",
    "task": "task, mine",
    "task-incomplete": "task, incomplete",
    "cases": "cases",
    "people": "people",
    "people-found": "people found",
    "person-to-register": "person to register",
    "person": "person",
    "referrals-sent": "referrals sent",
    "referrals-received": "referrals received",
    "referral": "referral",
    "notices": "notices",
    "me": "me",
    "my-times": "my times",
    "second-factor": "second factor",
    "complain": "complain",
    "desks": "desks",
}
"""File name and the page of `every_page.PLACES` that it shows."""


def keys(page: Page) -> None:
    """Open the list of keys."""
    page.goto("/work?tab=desk")
    page.keyboard.press("?")


def line_lost(page: Page) -> None:
    """Lose the line while a task stands open."""
    PLACES["task, mine"].go(page)
    page.context.set_offline(True)
    page.wait_for_selector("#line:not([hidden])")


def case(page: Page) -> None:
    """Open a case from which something was referred: it shows most."""
    follow("/referrals?way=sent&all=1", "a[data-open]")(page)
    page.goto(str(page.locator("main a[href^='/cases/']").first.get_attribute("href")))


def below_case(more: str) -> Go:
    """Open a page below that case."""

    def go(page: Page) -> None:
        case(page)
        page.goto(page.url + more)

    return go


BY_HAND = {
    "keys": keys,
    "line-lost": line_lost,
    "case": case,
    "case-sheet": below_case("/sheet"),
    "case-plan": below_case("/plan"),
    "case-documents": below_case("/documents"),
}
SCREEN_ONLY = {"keys", "line-lost"}
"""What stands in front of the page: only what one sees at once is taken."""


def main() -> int:
    """Take all pictures, or those named on the command line; says how large they are."""
    wanted = set(sys.argv[1:])
    with (
        tempfile.TemporaryDirectory(prefix="nrm-pictures-") as folder,
        demonstration(Path(folder)) as address,
        system_chromium() as browser,
    ):
        for language in LANGUAGES:
            take_all(browser, address, language, wanted)
    size = sum(file.stat().st_size for file in TO.rglob("*.webp"))
    print(f"{len(list(TO.rglob('*.webp')))} pictures, {size / 1e6:.1f} MB")
    return 0


def take_all(browser: Browser, address: str, language: str, wanted: set[str]) -> None:
    """Take the pictures of one language, each person with one browser."""
    people: dict[str, Visitor] = {}
    for name in (*PICTURES, *BY_HAND):
        if wanted and name not in wanted:
            continue
        login = PLACES[PICTURES[name]].login if name in PICTURES else HANDLER
        login = IN_ERBIL.get(login, login) if language == "ckb" else login
        if login not in people:
            people[login] = enter(browser, address, login, language)
        page = people[login].page
        (PLACES[PICTURES[name]].go if name in PICTURES else BY_HAND[name])(page)
        keep(page, language, name)
        page.context.set_offline(False)
    for person in people.values():
        person.context.close()


def enter(browser: Browser, address: str, login: str, language: str) -> Visitor:
    """Sign somebody in who reads a language."""
    context = open_context(browser, address, language, viewport={"width": 1280, "height": 850})
    visitor = Visitor(context=context, page=context.new_page(), language=language)
    if login:
        visitor.sign_in(login)
        visitor.read_in(language)
    return visitor


def keep(page: Page, language: str, name: str) -> None:
    """Write what is seen as a small picture."""
    page.evaluate("document.fonts.ready")
    picture = Image.open(io.BytesIO(page.screenshot(full_page=name not in SCREEN_ONLY)))
    picture = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
    file = TO / language / f"{name}.webp"
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, "WEBP", quality=QUALITY, method=6)


if __name__ == "__main__":
    sys.exit(main())
