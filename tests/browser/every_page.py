"""Every page in every language: nothing keeps people from using it, and it fits a small phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.designing import begin, tidy
from tests.browser.visitor import Visitor

Go = Callable[[Page], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page: who reads it and how one gets there."""

    login: str
    go: Go


def at(address: str) -> Go:
    return lambda page: page.goto(address)


def follow(address: str, link: str) -> Go:
    """Open a page and follow the first link of a kind."""

    def go(page: Page) -> None:
        page.goto(address)
        page.goto(str(page.locator(link).first.get_attribute("href")))

    return go


def beyond(address: str, link: str, more: str) -> Go:
    """Open a page, follow the first link of a kind, and go to an address below it."""

    def go(page: Page) -> None:
        follow(address, link)(page)
        page.goto(page.url + more)

    return go


def mine(page: Page) -> None:
    """Open a task that is one's own, taking one where there is none."""
    page.goto("/work?tab=mine")
    if not page.locator("[data-open]").count():
        page.locator("button[data-key=n]").click()
    else:
        page.locator("[data-open]").first.click()
    page.wait_for_selector("#answers, form.card")


def incomplete(page: Page) -> None:
    """Complete a task without an answer."""
    mine(page)
    if page.locator("#answers button[value=complete]").count():
        page.click("#answers button[value=complete]")
        page.wait_for_selector(".wrong[role=alert], .done-note")


def found(page: Page) -> None:
    page.goto("/people")
    page.fill("main form[action='/people/search'] input[name=own]", "Zzyzx")
    page.fill("main form[action='/people/search'] input[name=father]", "Nobody")
    with page.expect_navigation():
        page.click("main form[action='/people/search'] button.button")


def registering(page: Page) -> None:
    found(page)
    with page.expect_navigation():
        page.click("form[action='/people/new'] button")


def person(page: Page) -> None:
    follow("/cases", TO_CASE)(page)
    page.goto(str(page.locator("main a[href^='/people/']").first.get_attribute("href")))


def many(page: Page) -> None:
    """Put the tasks that nobody holds back to their desks: each says why it cannot be."""
    page.goto("/desk?list=unassigned")
    page.click("[data-tick-all]")
    with page.expect_navigation():
        page.click("#many button[value=release]")


def drafted(page: Page) -> None:
    """Begin a draft of a path and read its review."""
    page.goto("/studio/paths/border_reception")
    tidy(page)
    with page.expect_navigation():
        page.click("main form[action='/studio/drafts'] button")
    page.goto(page.url.partition("?")[0] + "/review")


def brought(page: Page) -> None:
    """Let a diagram of another tool be read."""
    page.goto("/studio/import")
    page.set_input_files("#file", FOREIGN)
    with page.expect_navigation():
        page.click("main form[action='/studio/import'] button.button")


def tried(page: Page) -> None:
    """Try a draft without the editor, up to its first task."""
    drafted(page)
    page.goto(page.url.replace("/review", "/trial"))
    with page.expect_navigation():
        page.click("main form:has([name=verb][value=begin]) button")


def table_of_a_form(page: Page) -> None:
    """Begin a draft and open one of its forms as a table."""
    drafted(page)
    page.goto(page.url.replace("/review", "/forms/border_registration"))


def form_with_mistakes(page: Page) -> None:
    table_of_a_form(page)
    page.fill("[name='0.label.ckb']", "")
    page.locator("[name='1.relevant']").evaluate("(one) => one.value = 'crossed_at =='")
    with page.expect_navigation():
        page.locator("button[value=look]").last.click()
    page.wait_for_selector("[aria-invalid=true]")


def by_name(page: Page) -> None:
    page.goto("/work")
    page.locator(".finders summary").first.click()
    page.fill("form[action='/find-work'] input[name=name]", "Nobody")
    with page.expect_navigation():
        page.click("form[action='/find-work'] button")


def refused(page: Page) -> None:
    page.goto("/sign-in")
    page.fill("#login", "nobody.here")
    page.fill("#password", "wrong")
    page.click("main button.button")


def drawing(page: Page) -> None:
    """Open the editor and wait until it is there; on a small phone the drawing takes its place."""
    begin(page, path="border_reception")


def unmatched(page: Page) -> None:
    """Send an arrival list whose columns nobody knows, and choose one of ours twice."""
    text = f"Fluggast;Ort;Sitz\nNobody Invented;Atlantis;{page.viewport_size}\n"
    page.goto("/manifests")
    page.set_input_files("#file", {"name": "x.csv", "mimeType": "text/csv", "buffer": text.encode()})
    with page.expect_navigation():
        page.click("main form[enctype] button")
    page.select_option("#columns-1", "phone")
    page.select_option("#columns-2", "phone")
    with page.expect_navigation():
        page.click("main form.card button")


FOREIGN = Path(__file__).parents[1] / "engine" / "foreign" / "A.4.1.bpmn"
TO_CASE = "main a[href^='/cases/']"
HANDLER, PARTNER, RECEPTION, SUPERVISOR = "handler.baghdad", "desk.molsa", "reception.baghdad", "supervisor.baghdad"
ADMIN, DESIGNER = "admin", "designer.federal"
PLACES = {
    "sign-in": Place(login="", go=at("/sign-in")),
    "sign-in refused": Place(login="", go=refused),
    "unknown address": Place(login="", go=at("/nothing-here")),
    "answer by letter": Place(login="", go=at("/answer")),
    **{f"complain{part}": Place(login="", go=at("/complain" + part)) for part in ("", "/answer", "/notice")},
    "guide": Place(login="", go=at("/docs")),
    "guide: reference": Place(login="", go=at("/docs/reference")),
    "guide: codes": Place(login="", go=at("/docs/codes")),
    "guide: problems": Place(login="", go=at("/docs/problems")),
    "guide: try": Place(login="", go=at("/docs/try")),
    **{
        f"work: {tab}": Place(login=HANDLER, go=at(f"/work?tab={tab}"))
        for tab in ("mine", "desk", "on_hold", "waiting", "done")
    },
    "work: nothing found": Place(login=HANDLER, go=at("/work?tab=on_hold&priority=critical&late=1")),
    "task of nobody": Place(login=HANDLER, go=follow("/work?tab=desk&free=1", "[data-open]")),
    "task, mine": Place(login=HANDLER, go=mine),
    "task, incomplete": Place(login=HANDLER, go=incomplete),
    "cases": Place(login=HANDLER, go=at("/cases")),
    "case": Place(login=HANDLER, go=follow("/cases", TO_CASE)),
    "case sheet": Place(
        login=HANDLER, go=lambda page: (follow("/cases", TO_CASE)(page), page.goto(page.url + "/sheet"))
    ),
    **{
        f"case: {part}": Place(login=HANDLER, go=beyond("/cases", TO_CASE, "/" + part))
        for part in ("documents", "consent", "plan", "plan/new", "service?category=VT")
    },
    "people": Place(login=HANDLER, go=at("/people")),
    "people found": Place(login=HANDLER, go=found),
    "person to register": Place(login=RECEPTION, go=registering),
    "person": Place(login=HANDLER, go=person),
    "person to change": Place(login=HANDLER, go=lambda page: (person(page), page.goto(page.url + "/edit"))),
    "columns of a list": Place(login=RECEPTION, go=unmatched),
    "arrival lists": Place(login=RECEPTION, go=at("/manifests")),
    "complaints": Place(login="complaints.federal", go=at("/complaints")),
    "our services": Place(login="focal.iom", go=at("/services")),
    "referrals sent": Place(login=HANDLER, go=at("/referrals")),
    "referrals received": Place(login=PARTNER, go=at("/referrals")),
    "referral": Place(login=PARTNER, go=follow("/referrals?way=received&all=1", "a[data-open]")),
    "documents of a referral": Place(
        login=PARTNER, go=beyond("/referrals?way=received&all=1", "a[data-open]", "/documents")
    ),
    "guide for handlers": Place(login=HANDLER, go=at("/guide")),
    "own password": Place(login=HANDLER, go=at("/me/password")),
    "notices": Place(login=HANDLER, go=at("/notices")),
    "me": Place(login=HANDLER, go=at("/me")),
    "work found by name": Place(login=HANDLER, go=by_name),
    "my times": Place(login=HANDLER, go=at("/me/times")),
    "second factor": Place(login=HANDLER, go=at("/me/second-factor")),
    "desks": Place(login=SUPERVISOR, go=at("/desk?list=open")),
    "what became of many": Place(login=SUPERVISOR, go=many),
    "path editor": Place(login=DESIGNER, go=drawing),
    "studio": Place(login=DESIGNER, go=at("/studio")),
    "path": Place(login=DESIGNER, go=at("/studio/paths/border_reception")),
    "path version": Place(
        login=DESIGNER, go=follow("/studio/paths/border_reception", "main a[href^='/studio/versions/']")
    ),
    "where cases wait": Place(login="unit.federal", go=at("/studio/paths/reintegration_case/waiting")),
    "cases that wait at a step": Place(
        login="unit.federal", go=follow("/studio/paths/reintegration_case/waiting", ".figures a")
    ),
    "moving cases": Place(login=DESIGNER, go=at("/studio/paths/reintegration_case/migrations")),
    "review of a draft": Place(login=DESIGNER, go=drafted),
    "diagram of another tool": Place(login=DESIGNER, go=at("/studio/import")),
    "diagram of another tool, read": Place(login=DESIGNER, go=brought),
    "steps of a draft": Place(
        login=DESIGNER, go=lambda page: (drafted(page), page.goto(page.url.replace("/review", "/steps")))
    ),
    "values of a trial": Place(
        login=DESIGNER, go=lambda page: (drafted(page), page.goto(page.url.replace("/review", "/trial")))
    ),
    "trial of a draft": Place(login=DESIGNER, go=tried),
    "form of a draft": Place(login=DESIGNER, go=table_of_a_form),
    "form of a draft with mistakes": Place(login=DESIGNER, go=form_with_mistakes),
    "administration": Place(login=SUPERVISOR, go=at("/admin")),
    "directory": Place(login=ADMIN, go=at("/admin/directory")),
    "organisation": Place(login=ADMIN, go=follow("/admin/directory", "a[data-open]")),
    "service to add": Place(login=ADMIN, go=at("/admin/directory/service/new?under=MOLSA")),
    "code lists": Place(login=ADMIN, go=at("/admin/codes?list=cancel_reason")),
    "labels": Place(login=ADMIN, go=at("/admin/labels?group=stage")),
    "label": Place(login=ADMIN, go=at("/admin/labels/edit?key=stage%2Freception")),
    "holidays": Place(login=ADMIN, go=at("/admin/holidays")),
    "settings": Place(login=ADMIN, go=at("/admin/settings")),
    "setting": Place(login=ADMIN, go=at("/admin/settings/max_attempts")),
    "decision tables": Place(login=ADMIN, go=at("/admin/tables")),
    "decision table": Place(login=ADMIN, go=at("/admin/tables/priority")),
    "users": Place(login=ADMIN, go=at("/admin/users")),
    "user": Place(login=ADMIN, go=follow("/admin/users", "a[data-open]")),
    "user to add": Place(login=ADMIN, go=at("/admin/users/new")),
    "keys": Place(login=ADMIN, go=at("/admin/keys")),
    "key to issue": Place(login=ADMIN, go=at("/admin/keys/new")),
    "code once more": Place(login=ADMIN, go=at("/step-up")),
    "incidents": Place(login=SUPERVISOR, go=at("/incidents?status=all")),
    "supervisor's work": Place(login=SUPERVISOR, go=at("/work?tab=desk")),
}


@pytest.mark.parametrize("language", ["ar", "en", "ckb"])
@pytest.mark.parametrize("name", PLACES)
def test_a_page_can_be_used_by_everybody_and_fits_a_small_phone(
    visit: Callable[..., Visitor], name: str, language: str
):
    place = PLACES[name]
    visitor = visit(place.login, language)
    place.go(visitor.page)
    visitor.page.wait_for_load_state("load")
    html = visitor.page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == (language, "ltr" if language == "en" else "rtl")
    assert visitor.page.locator("h1").count() == 1
    assert (visitor.mistakes(), visitor.wide()) == ([], [])


def test_the_first_page_of_the_demonstration_speaks_all_languages_at_once(visit: Callable[..., Visitor]):
    visitor = visit()
    visitor.page.goto("/")
    assert visitor.page.locator("section[lang]").count() == 3
    assert (visitor.mistakes(), visitor.wide()) == ([], [])
