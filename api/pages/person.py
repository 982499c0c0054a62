"""One person: facts, papers, contact, household, cases, and what was shared with whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from api.pages.codes import label, labels, names
from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from api.pages.people import choices
from api.pages.person_form import paper, told
from api.transport import cursors
from nrm import ids
from nrm.actions import cases as case_actions
from nrm.actions import people as actions
from nrm.actions.case_opening import CaseFacts
from nrm.actions.reading import note_read
from nrm.errors import NotFound, NotValid, Problem
from nrm.queries import cases, disclosures, path_list, people, person_joins
from nrm.queries.cases import CaseView
from nrm.queries.people import FoundPerson, PersonView
from nrm.rules.identity import NAME_PARTS, OTHER_NAMES
from nrm.rules.texts import fold_digits
from nrm.vocabulary import Level, Priority, ReadPurpose

person = Pages("person")

_LEDGER = "people.ledger"
_DONE = frozenset({"registered", "paper", "household", "joined", "apart", "changed", "paper_changed"})
_LEVELS = tuple(str(level) for level in Level)
_PRIORITIES = tuple(str(priority) for priority in Priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of the household.

    Attributes:
        card: as far as the reader may see.
        consent: whether the person gave consent: "yes", "no" or "unknown" where the reader may not read it.
    """

    card: FoundPerson
    consent: str


@person.get("/people/<person_id>")
def show_person(visit: Visit, person_id: str) -> Answer:
    """Show a person; telephone numbers and numbers of papers stay covered until somebody asks for them."""
    return _page(visit, person_id, uncovered=False)


@person.post("/people/<person_id>/uncover")
def uncover(visit: Visit, person_id: str) -> Answer:
    """Show a person with telephone numbers, address and numbers of papers; that they were read is recorded."""
    return _page(visit, person_id, uncovered=True)


def _page(visit: Visit, person_id: str, *, uncovered: bool, status: int = 200, problems: Told = ()) -> Answer:
    found = people.person(visit.actor, person_id, visit.now)
    note_read(visit.actor, "person", person_id, purpose=str(ReadPurpose.CONTACT) if uncovered else None)
    mine = tuple(cases.case(visit.actor, visit.now, case_id) for case_id in found.case_ids)
    edits = visit.may("person.edit") and people.may_see(visit.actor, person_id, visit.now, writing=True)
    merges = visit.may("person.merge")
    done = visit.query.get("done")
    return visit.show(
        "people/person.html",
        status=status,
        person=found,
        name_rows=name_rows(found),
        uncovered=uncovered,
        phones=tuple(phone if uncovered else cover(phone) for phone in found.data.phones),
        numbers={one.id: one.number if uncovered else cover(one.number) for one in found.papers},
        cases=mine,
        opens=visit.may("case.open") and not any(case.status == "open" for case in mine),
        members=tuple(_members(visit, found)),
        duplicates=people.possible_duplicates(visit.actor, person_id, visit.now),
        joined=person_joins.joined_records(visit.actor, person_id, visit.now) if merges else (),
        shared=tuple(_shared(visit, mine)),
        edits=edits,
        merges=merges,
        done=done if done in _DONE else None,
        given=visit.form,
        problems=problems,
        names=names(visit),
        **choices(visit),
    )


def cover(text: str) -> str:
    """Cover all but the last two characters, so that two numbers can be told apart but nobody be called."""
    return "•••• " + text[-2:] if len(text) > 4 else "••••" if text else ""


def name_rows(view: PersonView) -> tuple[tuple[str, str], ...]:
    """Give the parts of a name that are known, in order, as code and text."""
    return tuple((part, view.data.names[part]) for part in (*NAME_PARTS, *OTHER_NAMES) if view.data.names.get(part))


def _members(visit: Visit, view: PersonView) -> Iterator[Member]:
    if view.household_id is None:
        return
    for card in people.household(visit.actor, view.household_id, visit.now):
        yield Member(card=card, consent=_consent(visit, card))


def _consent(visit: Visit, card: FoundPerson) -> str:
    if card.case_id is None or cases.case(visit.actor, visit.now, card.case_id).relation != "team":
        return "unknown"
    given = cases.consents(visit.actor, visit.now, card.case_id).consents
    whole = (one for one in given if one.withdrawn_at is None or one.withdrawn_scope)
    valid = (one.expires_at is None or one.expires_at > visit.now for one in whole)
    return "yes" if any(valid) else "no"


def _shared(visit: Visit, mine: tuple[CaseView, ...]) -> Iterator[cases.DisclosureRow]:
    for case in mine:
        if case.relation == "team":
            yield from cases.disclosures(visit.actor, visit.now, case.id)


@person.post("/people/<person_id>/papers", permission="person.edit")
def add_paper(visit: Visit, person_id: str) -> Answer:
    """Add an identity paper."""
    try:
        actions.add_paper(visit.actor, person_id, paper(visit))
    except NotValid as error:
        return _page(visit, person_id, uncovered=False, status=422, problems=told(visit, error))
    return see(f"/people/{person_id}?done=paper#papers")


@person.post("/people/<person_id>/household", permission="person.edit")
def seat(visit: Visit, person_id: str) -> Answer:
    """Begin a household with a person, put the person into one, or take the person out of it."""
    household_id, role = visit.text("household"), visit.text("role") or None
    if visit.text("do") == "begin":
        actions.make_household(visit.actor, {person_id: role})
    elif visit.text("do") == "leave":
        actions.join_household(visit.actor, person_id, None)
    elif ids.is_id(household_id, "hh"):
        actions.join_household(visit.actor, person_id, household_id, role=role)
    else:
        raise NotFound
    return see(f"/people/{person_id}?done=household#household")


@person.get("/people/<person_id>/ledger", permission=disclosures.READ)
def ledger(visit: Visit, person_id: str) -> Answer:
    """Show everything of a person that went to anybody, the latest first; that it was read is recorded."""
    cursor = visit.query.get("after")
    page = disclosures.of_person(
        visit.actor, visit.now, person_id, after=cursors.read_cursor(_LEDGER, cursor) if cursor else None
    )
    note_read(visit.actor, "ledger", person_id)
    return visit.show(
        "people/ledger.html",
        person_id=person_id,
        seen=people.may_see(visit.actor, person_id, visit.now),
        rows=page.items,
        more=cursors.write_cursor(_LEDGER, page.next_key) if page.next_key else None,
        names=names(visit),
        **choices(visit),
    )


@person.get("/people/<person_id>/open-case", permission="case.open")
def case_form(visit: Visit, person_id: str) -> Answer:
    """Show what is asked before a case is opened."""
    return _case_form(visit, person_id)


def _case_form(visit: Visit, person_id: str, problems: Told = ()) -> Answer:
    found = people.person(visit.actor, person_id, visit.now)
    paths = ((key, visit.words.name(path_names)) for key, path_names in path_list.startable_paths(visit.actor))
    given = visit.form or {"governorate": found.data.governorate or ""}
    return visit.show(
        "people/open_case.html",
        status=422 if problems else 200,
        person=found,
        given=given,
        problems=problems,
        paths=tuple(sorted(paths, key=lambda entry: entry[1])),
        levels=tuple((code, label(visit, "level", code)) for code in _LEVELS),
        priorities=tuple((code, visit.words.t(f"work.priority_{code}")) for code in _PRIORITIES),
        return_types=labels(visit, "return_type"),
        hosts=labels(visit, "host_country"),
        programmes=labels(visit, "programme"),
        **choices(visit),
    )


@person.post("/people/<person_id>/open-case", permission="case.open")
def open_case(visit: Visit, person_id: str) -> Answer:
    """Open a case and start its path."""
    people.person(visit.actor, person_id, visit.now)
    facts: CaseFacts = {
        "governorate": visit.text("governorate"),
        "level": visit.text("level") or str(Level.STANDARD),
        "priority": visit.text("priority") or str(Priority.NORMAL),
        "return_type": visit.text("return_type") or None,
        "host_country": visit.text("host_country") or None,
        "programme": visit.text("programme") or None,
    }
    try:
        facts["returned_on"], facts["arrived_on"] = _day(visit, "returned_on"), _day(visit, "arrived_on")
        if visit.text("path"):
            facts["path"] = _path(visit)
        opened = case_actions.open_case(visit.actor, person_id, **facts)
    except NotValid as error:
        return _case_form(visit, person_id, told(visit, error))
    try:
        cases.case(visit.actor, visit.now, opened.id)
    except NotFound:  # who receives people opens cases that another desk then works on
        return see("/people?done=case_opened")
    return see(f"/cases/{opened.id}")


def _path(visit: Visit) -> str:
    path = visit.text("path")
    if path not in {key for key, _ in path_list.startable_paths(visit.actor)}:
        raise NotValid([Problem(pointer="/path", code="unknown_code")])
    return path


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(visit: Visit, name: str) -> date | None:
    text = fold_digits(visit.text(name))
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise NotValid([Problem(pointer=f"/{name}", code="not_a_date")])
