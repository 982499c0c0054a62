"""Finding work: by the name of the person, by a number or a page's name, in saved views; and what came anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

import orjson
from flask import Response, current_app, request

from api.pages.kit.visits import Answer, Pages, Visit, own_address, see
from api.pages.work import groups_of, inbox_page
from api.security.limits import SEARCH
from api.transport.rates import Limits
from nrm.actions import views as actions
from nrm.errors import NotFound, NotValid, NrmError, Problem, TooMany
from nrm.queries import cases, inbox
from nrm.queries.inbox_search import case_of_number, is_case_number, tasks_by_name
from nrm.rules.texts import unstorable

work_finding = Pages("work_finding")

LONGEST: Final = 120
"""Letters of a name that is looked for."""
_PLACES: Final = (
    ("/work", "shell.menu_work", None),
    ("/desk", "desk.desks", "task.assign"),
    ("/cases", "shell.menu_cases", "case.read"),
    ("/people", "shell.menu_people", "person.search"),
    ("/referrals", "shell.menu_referrals", "directory.read"),
    ("/notices", "shell.notices", None),
    ("/me", "shell.my_profile", None),
    ("/me/times", "times.times", None),
)
"""Address, text and permission of the pages that are found by their name."""


@work_finding.post("/find-work")
def find(visit: Visit) -> Answer:
    """Show the tasks at one's desks that are about somebody of a name; the name never stands in an address."""
    return _found(visit, visit.text("name")[:LONGEST])


def _found(visit: Visit, name: str) -> Answer:
    _count(visit)
    if not name or unstorable(name):
        raise NotValid([Problem(pointer="/name", code="required" if not name else "broken_text")])
    rows = tasks_by_name(visit.actor, visit.now, name)
    lines = [line for _, some in groups_of(visit, rows, grouped=False) for line in some]
    return visit.show("work/found.html", lines=lines, name=name, here="/work", tab="found")


def _count(visit: Visit) -> None:
    """Count a search, as one for people: who goes through all names by guessing is stopped."""
    limits: Limits = current_app.extensions["nrm.limits"]
    taken = limits.take(visit.actor.id, SEARCH)
    if not taken.allowed:
        raise TooMany(taken.retry_after)


@work_finding.post("/go")
def go(visit: Visit) -> Answer:
    """Go to a case by its number, or to a page by the beginning of its name; else look for a name among one's work."""
    wanted = visit.text("q")[:LONGEST]
    if is_case_number(wanted):
        return see(_way_to(visit, wanted))
    for address, text, permission in _PLACES:
        named = visit.words.t(text).casefold().startswith(wanted.casefold())
        if wanted and named and (permission is None or visit.may(permission)):
            return see(address)
    return _found(visit, wanted)


def _way_to(visit: Visit, number: str) -> str:
    """Give the address of a case; the same list for a number that nothing has and for a case that is not one's own."""
    case_id = case_of_number(number)
    try:
        if case_id is not None:
            cases.case(visit.actor, visit.now, case_id)
            return f"/cases/{case_id}"
    except NrmError:
        pass
    return "/work?tab=desk&number=" + "".join(letter for letter in number if letter.isalnum() or letter == "-")


@work_finding.get("/work-news")
def news(visit: Visit) -> Answer:
    """Say how many tasks came since a moment; asked by the page itself, so it keeps no session alive."""
    try:
        since = datetime.fromisoformat(visit.query.get("since", ""))
        known = since.astimezone(UTC)
    except (ValueError, OverflowError):
        since = known = visit.now
    if since.tzinfo is None:
        raise NotFound
    number = inbox.new_since(visit.actor, known)
    answer = Response(status=304)
    answer.set_etag(str(number))
    if request.if_none_match.contains_weak(str(number)):
        return answer
    told = {"number": number, "words": visit.words.t("work.news", n=number) if number else ""}
    answer = Response(orjson.dumps(told), content_type="application/json")
    answer.set_etag(str(number))
    return answer


@work_finding.post("/saved-views")
def save(visit: Visit) -> Answer:
    """Keep the list that is shown under a name."""
    address = own_address(visit.form.get("back"))
    query = dict(parse_qsl(address.partition("?")[2]))
    try:
        actions.save_view(visit.actor, name=visit.text("name"), query=query, desk_id=visit.text("desk") or None)
    except NotValid as error:
        told = tuple((one.pointer.strip("/"), visit.problem(one.code, one.params)) for one in error.problems)
        return inbox_page(visit, told)
    return see(address)


@work_finding.post("/saved-views/<view_id>/forget")
def forget(visit: Visit, view_id: str) -> Answer:
    """Forget a saved view."""
    actions.forget_view(visit.actor, view_id)
    return see("/work")
