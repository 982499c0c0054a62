"""Join two records of one person, and take them apart again: cases and papers move, nothing is lost."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select, update

from nrm.actions._action import Work, action
from nrm.actions.people import PersonResult, load_person, renew_tokens
from nrm.db import Base
from nrm.errors import IllegalMove, NotFound, NotValid, Problem
from nrm.models import (
    Case,
    Consent,
    ConsentOverride,
    Disclosure,
    Document,
    Event,
    IdentityDocument,
    Need,
    Person,
    PersonToken,
    Referral,
)
from nrm.vocabulary import CaseStatus

_OF_CASES: tuple[type[Base], ...] = (Consent, ConsentOverride, Disclosure, Document, Need, Referral)
"""Tables whose rows belong to a case and name its person."""


@action("person.merge", permission="person.merge")
def merge_people(work: Work, keep_id: str, other_id: str, *, version: int | None = None) -> PersonResult:
    """Join two records of one person: cases and papers of the other go to the kept one, which keeps its own data.

    The other record stays, marked, so that the joining can be undone; it is found under the kept one.

    Args:
        work: the transaction.
        keep_id: the record that stays.
        other_id: the record that goes into it.
        version: the version of the kept record that the actor saw.

    Raises:
        NotFound: a record is not the actor's to know of, or was joined before.
        NotValid: both are the same record.
        IllegalMove: both have an open case: close one first.
        StaleVersion: the kept record was changed since.
    """
    if keep_id == other_id:
        raise NotValid([Problem(pointer="/other", code="same_record")])
    rows = {key: load_person(work, key) for key in sorted((keep_id, other_id))}
    keep = rows[keep_id]
    if version is not None and version != keep.version:
        work.change(Person, keep_id, version=version)
    cases = _lock_cases(work, (keep_id, other_id))
    if sum(case.status == CaseStatus.OPEN for case in cases) > 1:
        raise IllegalMove((), "both_have_open_cases")
    moved = [case.id for case in cases if case.person_id == other_id]
    papers = list(work.session.scalars(select(IdentityDocument.id).where(IdentityDocument.person_id == other_id)))
    _move(work, moved, papers, keep_id)
    work.change(Person, other_id, version=rows[other_id].version, merged_into_id=keep_id, updated_at=work.now)
    kept_version = keep.version
    work.change(Person, keep_id, version=kept_version, updated_at=work.now)
    work.session.execute(delete(PersonToken).where(PersonToken.person_id == other_id))
    renew_tokens(work, keep_id)
    data: dict[str, str | int | bool | list[str] | None] = {"into": keep_id, "cases": moved, "papers": papers}
    work.record("person.merged", stream=keep_id, subject=("person", other_id), data=data)
    for case_id in moved:
        work.record("case.changed", stream=case_id, subject=("case", case_id), data={"what": ["person"]})
    return PersonResult(id=keep_id, version=kept_version + 1)


@action("person.unmerge", permission="person.merge")
def unmerge_people(work: Work, other_id: str) -> PersonResult:
    """Take two joined records apart again: what came with the other one goes back to it.

    Args:
        work: the transaction.
        other_id: the record that was joined to another.

    Raises:
        NotFound: the record was not joined, or the kept one is not the actor's to know of.
    """
    other = work.session.execute(
        select(Person).where(Person.id == other_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if other is None or other.merged_into_id is None:
        raise NotFound
    keep = load_person(work, other.merged_into_id)
    moved, papers = _what_came_along(work, keep.id, other_id)
    _lock_cases(work, (keep.id,))
    _move(work, moved, papers, other_id)
    version = other.version
    work.change(Person, other_id, version=version, merged_into_id=None, updated_at=work.now)
    work.change(Person, keep.id, version=keep.version, updated_at=work.now)
    renew_tokens(work, keep.id)
    renew_tokens(work, other_id)
    data: dict[str, str | int | bool | list[str] | None] = {"from": keep.id, "cases": moved, "papers": papers}
    work.record("person.unmerged", stream=keep.id, subject=("person", other_id), data=data)
    for case_id in moved:
        work.record("case.changed", stream=case_id, subject=("case", case_id), data={"what": ["person"]})
    return PersonResult(id=other_id, version=version + 1)


def _lock_cases(work: Work, people: Collection[str]) -> list[Case]:
    found = work.session.scalars(select(Case.id).where(Case.person_id.in_(people)).order_by(Case.id)).all()
    return [work.lock_case(case_id) for case_id in found]


def _move(work: Work, cases: list[str], papers: list[str], person_id: str) -> None:
    work.session.execute(update(Case).where(Case.id.in_(cases)).values(person_id=person_id, version=Case.version + 1))
    for model in _OF_CASES:
        table = model.__table__
        change = update(model).where(table.c.case_id.in_(cases), table.c.person_id.is_not(None))
        work.session.execute(change.values(person_id=person_id))
    work.session.execute(update(IdentityDocument).where(IdentityDocument.id.in_(papers)).values(person_id=person_id))


def _what_came_along(work: Work, keep_id: str, other_id: str) -> tuple[list[str], list[str]]:
    """Read from the history which cases and papers came with a record, those that are still there."""
    data = work.session.scalars(
        select(Event.data)
        .where(Event.stream == keep_id, Event.kind == "person.merged", Event.subject_id == other_id)
        .order_by(Event.seq.desc())
    ).first()
    if data is None:
        raise NotFound
    cases = select(Case.id).where(Case.id.in_(data["cases"]), Case.person_id == keep_id)
    papers = select(IdentityDocument.id).where(
        IdentityDocument.id.in_(data["papers"]), IdentityDocument.person_id == keep_id
    )
    return list(work.session.scalars(cases)), list(work.session.scalars(papers))
