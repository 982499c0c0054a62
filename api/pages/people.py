"""People: look for somebody in any spelling first, and register only who is not there yet."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, current_app

from api.pages.codes import governorates, labels, sayers
from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from api.pages.person_form import entered, sought, told
from api.security.limits import SEARCH
from api.transport.rates import Limits
from nrm import ids
from nrm.actions import people as actions
from nrm.actions.people import PossibleDuplicate
from nrm.errors import NotFound, NotValid, TooMany
from nrm.i18n import say
from nrm.queries import people as queries
from nrm.queries.people import FoundPerson

people = Pages("people")

_MOST_KNOWN: Final = 50


@people.get("/people", permission="person.search")
def find(visit: Visit) -> Answer:
    """Show the form of the search."""
    return _search_page(visit, household_id=_household(visit, visit.query.get("household", "")))


@people.post("/people/search", permission="person.search")
def search(visit: Visit) -> Answer:
    """Show who may be the person looked for; what was typed never stands in an address."""
    _count(visit)
    household_id = _household(visit, visit.text("household"))
    try:
        criteria = actions.read_criteria(sought(visit))
    except NotValid as error:
        return _search_page(visit, household_id=household_id, problems=told(visit, error))
    return _search_page(visit, household_id=household_id, found=actions.find_people(visit.actor, criteria))


def _count(visit: Visit) -> None:
    """Count a search: who goes through all people by guessing is stopped, here as in the API."""
    limits: Limits = current_app.extensions["nrm.limits"]
    taken = limits.take(visit.actor.id, SEARCH)
    if not taken.allowed:
        raise TooMany(taken.retry_after)


def _household(visit: Visit, household_id: str) -> str:
    """Give the household that a member is looked for, "" for none.

    Raises:
        NotFound: it is not the visitor's to know of.
    """
    if household_id:
        if not ids.is_id(household_id, "hh"):
            raise NotFound
        queries.household(visit.actor, household_id, visit.now)
    return household_id


def _search_page(
    visit: Visit, *, household_id: str, found: tuple[FoundPerson, ...] | None = None, problems: Told = ()
) -> Response:
    return visit.show(
        "people/find.html",
        status=422 if problems else 200,
        given=visit.form,
        found=found,
        household_id=household_id,
        problems=problems,
        **choices(visit),
    )


def choices(visit: Visit) -> dict[str, Any]:
    """Give what the templates about people choose from and say codes by."""
    return {
        "sexes": labels(visit, "sex"),
        "languages": labels(visit, "language"),
        "nationalities": labels(visit, "nationality"),
        "paper_kinds": labels(visit, "document_type"),
        "channels": labels(visit, "contact_channel"),
        "roles": labels(visit, "household_role"),
        "governorates": governorates(visit),
        "reason": lambda code: say("reasons", code, visit.language) or code,
        **sayers(visit),
    }


@people.post("/people/new", permission="person.register")
def new(visit: Visit) -> Answer:
    """Show the form for a new person, with what was looked for; who has not searched is led to the search."""
    try:
        actions.read_criteria(sought(visit))
    except NotValid:
        return see("/people")
    return _form(visit)


@people.post("/people", permission="person.register")
def register(visit: Visit) -> Answer:
    """Register a person; somebody very like one who is registered only after a look at those."""
    try:
        made = actions.register_person(
            visit.actor,
            entered(visit),
            known=_known(visit),
            household_id=_household(visit, visit.text("household")) or None,
        )
    except PossibleDuplicate as error:
        return _form(visit, status=409, found=error.found)
    except NotValid as error:
        return _form(visit, status=422, problems=told(visit, error))
    return see(f"/people/{made.id}?done=registered")


def _known(visit: Visit) -> tuple[str, ...]:
    """Give those whom the visitor has looked at and who are somebody else."""
    return tuple(dict.fromkeys(visit.form.getlist("known")))[:_MOST_KNOWN]


def _form(visit: Visit, *, status: int = 200, found: tuple[FoundPerson, ...] = (), problems: Told = ()) -> Response:
    return visit.show(
        "people/register.html",
        status=status,
        given=visit.form,
        known=tuple(dict.fromkeys((*_known(visit), *(one.id for one in found))))[-_MOST_KNOWN:],
        found=found,
        household_id=visit.text("household"),
        problems=problems,
        **choices(visit),
    )
