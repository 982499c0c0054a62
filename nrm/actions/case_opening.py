"""A new case: whose it is, at which desk, and its first path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Required, TypedDict, Unpack

from sqlalchemy import bindparam, select

from nrm import ids
from nrm.actions import runs
from nrm.actions._action import Work
from nrm.actions.case_sharing import share_with_owner
from nrm.actions.closing import MAIN_PATH
from nrm.actions.numbering import fresh_number
from nrm.actions.openings import OWNER_ROLE
from nrm.errors import IllegalMove, NotFound, NotValid, Problem
from nrm.models import Case, Person
from nrm.queries import packs
from nrm.queries.packs import DeskEntry
from nrm.sealing import seal
from nrm.vocabulary import CaseStatus, Level, Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """How a case stands after a verb."""

    id: str
    number: str
    status: str
    version: int


START_VALUES: Final = frozenset({"pre_arrival"})
"""Names of the values with which every case's main path is started."""


class CaseFacts(TypedDict, total=False):
    """What is known of a new case.

    Attributes:
        governorate: key of the place of return; decides jurisdiction and desk.
        level: who may know of it; standard when not given.
        priority: how pressing it is; normal when not given.
        return_type: code of the kind of return.
        host_country: two-letter code of the country that the person returned from.
        programme: code of the programme that helped.
        returned_on: date of return.
        arrived_on: date of arrival, where it has happened.
        external_refs: references of other systems.
        desk_id: the desk that owns it; else the desk of case handlers of the place.
        path: path to start; the main path when not given, None for none.
        values: decision values to begin with.
    """

    governorate: Required[str]
    level: str
    priority: str
    return_type: str | None
    host_country: str | None
    programme: str | None
    returned_on: date | None
    arrived_on: date | None
    external_refs: Mapping[str, str] | None
    desk_id: str | None
    path: str | None
    values: Mapping[str, str | int | bool | None] | None


def begin_case(work: Work, person_id: str, **facts: Unpack[CaseFacts]) -> CaseResult:
    """Open a case inside another action (an arrival list); arguments and errors as for `open_case`."""
    governorate = facts["governorate"]
    level, priority = facts.get("level", Level.STANDARD), facts.get("priority", Priority.NORMAL)
    codes: dict[str, str | None] = {
        "return_type": facts.get("return_type"),
        "host_country": facts.get("host_country"),
        "programme": facts.get("programme"),
    }
    check_codes(codes, level, priority)
    jurisdiction = packs.pack().jurisdiction_of(governorate)
    if jurisdiction is None:
        raise NotValid([Problem(pointer="/governorate", code="unknown_place")])
    # Two requests at once for one person: the second waits here and then finds the first one's case.
    person = work.session.get(Person, person_id, with_for_update=True, populate_existing=True)
    if person is None or person.merged_into_id is not None:
        raise NotFound("person_not_found")
    no_open_case(work, person_id)
    desk = _owning_desk(facts.get("desk_id"), governorate, jurisdiction)
    case_id = ids.new_id("cas")
    number = fresh_number(work, Case, str(packs.pack().country.get("case_prefix", "XX")))
    work.add(
        Case,
        id=case_id,
        number=number,
        person_id=person_id,
        organisation_id=desk.organisation_id,
        desk_id=desk.id,
        level=level,
        priority=priority,
        governorate=governorate,
        jurisdiction=jurisdiction,
        **codes,
        returned_on=facts.get("returned_on"),
        arrived_on=facts.get("arrived_on"),
        external_refs=seal(dict(facts.get("external_refs") or {}), row=case_id, column="cases.external_refs"),
        opened_at=work.now,
        active_at=work.now,
        livemode=work.actor.livemode,
    )
    case = work.lock_case_new(case_id)
    work.record(
        "case.opened",
        stream=case_id,
        subject=("case", case_id),
        data={"governorate": governorate, "desk": desk.id, "level": level},
        organisation_id=desk.organisation_id,
    )
    share_with_owner(work, case)
    path = facts.get("path", MAIN_PATH)
    if path is not None:
        runs.begin(
            work, case, path, values={"pre_arrival": facts.get("arrived_on") is None, **(facts.get("values") or {})}
        )
    return CaseResult(id=case_id, number=number, status=case.status, version=1)


_OPEN_CASE: Final = select(Case.id).where(Case.person_id == bindparam("person"), Case.status == str(CaseStatus.OPEN))


def no_open_case(work: Work, person_id: str) -> None:
    """Stop when a person has an open case.

    Raises:
        IllegalMove: the person has one.
    """
    if work.session.execute(_OPEN_CASE, {"person": person_id}).first() is not None:
        raise IllegalMove((), "person_has_open_case")


def _owning_desk(desk_id: str | None, governorate: str, jurisdiction: str) -> DeskEntry:
    if desk_id is not None:
        desk = next((entry for entry in packs.pack().desks if entry.id == desk_id), None)
        if desk is None or not works_on_cases(desk.role):
            raise NotValid([Problem(pointer="/desk_id", code="unknown_desk")])
        return desk
    found = packs.pack().find_desk(OWNER_ROLE, governorate=governorate, jurisdiction=jurisdiction)
    if found is None:
        raise NotValid([Problem(pointer="/governorate", code="no_desk_here")])
    return found


def check_codes(coded: Mapping[str, str | None], level: str, priority: str) -> None:
    """Stop unless codes, level and priority are known.

    Raises:
        NotValid: with a problem for each that is not.
    """
    problems = [
        Problem(pointer=f"/{code_list}", code="unknown_code")
        for code_list, code in coded.items()
        if code is not None and code not in packs.pack().codes_of(code_list)
    ]
    if level not in set(Level):
        problems.append(Problem(pointer="/level", code="unknown_code"))
    if priority not in set(Priority):
        problems.append(Problem(pointer="/priority", code="unknown_code"))
    if problems:
        raise NotValid(problems)


def works_on_cases(role: str) -> bool:
    """Say whether a desk of this role may have cases."""
    return "case.work" in packs.pack().roles.get(role, frozenset())
