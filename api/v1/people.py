"""People: search before registering, register, read, change, join."""

from __future__ import annotations

from dataclasses import dataclass

from api.schemas.people import ChangePerson, JoinHousehold, Merge, NewPaper, Register, Search
from api.transport.endpoint import Ask, Noun
from api.transport.shapes import Made, made
from nrm.actions import people as actions
from nrm.actions import person_merging
from nrm.actions.people import PersonResult
from nrm.actions.reading import note_read
from nrm.installation import installation
from nrm.queries import people as queries
from nrm.queries.people import FoundPerson, PersonView

people = Noun("people")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPeople:
    """Who was found, the likeliest first; those whom one may not see are masked."""

    data: tuple[FoundPerson, ...]


def _found(result: tuple[FoundPerson, ...]) -> FoundPeople:
    return FoundPeople(data=result)


@people.post(
    "/people/search",
    body=Search,
    answer=FoundPeople,
    permission="person.search",
    shape=_found,
    keyed=False,
    limited="search",
)
def search(ask: Ask) -> tuple[FoundPerson, ...]:
    """Find people before registering one, by name in any script, telephone or paper."""
    limit = ask.body.pop("limit")
    return actions.find_people(ask.actor, actions.read_criteria(ask.body), limit=limit)


@people.post("/people", body=Register, answer=PersonResult, status=201, permission="person.register")
def register(ask: Ask) -> PersonResult:
    """Register a person.

    When somebody very like this is registered the answer is 409 possible_duplicate: look at the search's answer and
    send their ids as `known` when it is somebody else.
    """
    return actions.register_person(
        ask.actor, ask.body["person"], known=ask.body["known"], household_id=ask.body.get("household_id")
    )


@people.get("/people/<person_id>", answer=PersonView)
def read_person(ask: Ask, person_id: str) -> PersonView:
    """Read a person in full; that it was read is recorded."""
    found = queries.person(ask.actor, person_id, installation().clock.now())
    note_read(ask.actor, "person", person_id)
    return found


@people.patch("/people/<person_id>", body=ChangePerson, answer=PersonResult, versioned=True)
def change(ask: Ask, person_id: str) -> PersonResult:
    """Change what is recorded of a person."""
    return actions.change_person(ask.actor, person_id, ask.body["changes"], version=ask.version)


@people.get("/people/<person_id>/duplicates", answer=tuple[FoundPerson, ...])
def list_duplicates(ask: Ask, person_id: str) -> tuple[FoundPerson, ...]:
    """List people who may be the same as this one."""
    return queries.possible_duplicates(ask.actor, person_id, installation().clock.now())


@people.post("/people/<person_id>/merge", body=Merge, answer=PersonResult, versioned=True)
def merge(ask: Ask, person_id: str) -> PersonResult:
    """Join another record of the same person into this one."""
    return person_merging.merge_people(ask.actor, person_id, ask.body["other_id"], version=ask.version)


@people.post("/people/<person_id>/unmerge", answer=PersonResult)
def unmerge(ask: Ask, person_id: str) -> PersonResult:
    """Take a joined record apart again; the id is that of the record that was joined to another."""
    return person_merging.unmerge_people(ask.actor, person_id)


@people.post("/people/<person_id>/papers", body=NewPaper, answer=Made, status=201, shape=made)
def add_paper(ask: Ask, person_id: str) -> str:
    """Add an identity paper."""
    return actions.add_paper(ask.actor, person_id, ask.body["paper"])


@people.put("/people/<person_id>/household", body=JoinHousehold, answer=PersonResult)
def join_household(ask: Ask, person_id: str) -> PersonResult:
    """Say which household a person belongs to."""
    return actions.join_household(ask.actor, person_id, ask.body["household_id"], role=ask.body.get("role"))


@people.get("/households/<household_id>", answer=tuple[FoundPerson, ...])
def read_household(ask: Ask, household_id: str) -> tuple[FoundPerson, ...]:
    """List the people of a household."""
    return queries.household(ask.actor, household_id, installation().clock.now())
