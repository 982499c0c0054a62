"""Cases: lists, one case opened, and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import BindParameter, Integer, Select, and_, bindparam, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import (
    Case,
    CaseAccess,
    CaseNote,
    Consent,
    ConsentOverride,
    Disclosure,
    Need,
    Person,
    Plan,
    PlanService,
    User,
)
from nrm.queries.page import Key, Page, cut, moment_key, moment_of, size, text_of
from nrm.queries.rows import read
from nrm.queries.scope import Standing, asker, seen_by, standing_of
from nrm.queries.shown_names import full_name, name_in_list
from nrm.rules.case_actions import case_actions
from nrm.sealing import unseal
from nrm.vocabulary import CaseStatus

_MOST: Final = 500
"""Most rows of one kind that are read of a case."""
_CASE: Final[BindParameter[str]] = bindparam("case")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What to leave out of a list; None for nothing."""

    status: str | None = None
    stage: str | None = None
    governorate: str | None = None
    priority: str | None = None
    desk: str | None = None
    handler: str | None = None
    number: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case in a list.

    Attributes:
        person: how lists call the person; None where the asker only has an overview.
    """

    id: str
    version: int
    number: str
    person: str | None
    status: str
    stage: str
    priority: str
    level: str
    governorate: str
    organisation_id: str
    desk_id: str | None
    handler_id: str | None
    opened_at: datetime
    active_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case, opened; what only the team may read is None for those who have an overview.

    Attributes:
        relation: "team" or "overview".
        person_name: full name, for the team.
    """

    id: str
    version: int
    number: str
    relation: str
    person_id: str | None
    person_name: str | None
    status: str
    stage: str
    priority: str
    level: str
    governorate: str
    jurisdiction: str
    organisation_id: str
    desk_id: str | None
    handler_id: str | None
    return_type: str | None
    host_country: str | None
    programme: str | None
    returned_on: date | None
    arrived_on: date | None
    external_refs: object
    outcome: str | None
    closing_reason: str | None
    opened_at: datetime
    active_at: datetime
    closed_at: datetime | None
    allowed_actions: tuple[str, ...]


def cases(actor: Actor, now: datetime, *, only: CaseFilter, after: Key | None = None, limit: int = 50) -> Page[CaseRow]:
    """List the cases that an actor may know of, the latest active first.

    Args:
        actor: who asks.
        now: the present moment.
        only: what to leave out.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotValid: the key is of another list.
    """
    wished = {name: value for name in _WISHES if (value := getattr(only, name)) is not None}
    given = {**asker(actor, now), **wished, "count": size(limit) + 1}
    if after is not None:
        given |= {"at": moment_of(after, 0), "last": text_of(after, 1)}
    statement = _list(standing_of(actor), frozenset(wished), begins=after is None)
    return cut(
        list(read(statement, given)),
        size(limit),
        key=lambda row: (moment_key(row.active_at), row.id),
        make=_row,
    )


_WISHES: Final[Mapping[str, InstrumentedAttribute[Any]]] = {
    "status": Case.status,
    "stage": Case.stage,
    "governorate": Case.governorate,
    "priority": Case.priority,
    "desk": Case.desk_id,
    "handler": Case.handler_id,
    "number": Case.number,
    "person": Case.person_id,
}
"""Member of `CaseFilter` → the column that must have its value."""


@lru_cache(maxsize=256)
def _list(standing: Standing, wished: frozenset[str], *, begins: bool) -> Select[*tuple[Any, ...]]:
    """Build the statement of a list once for each shape of a filter."""
    statement = (
        select(Case, Person.identity, seen_by(standing, reading=True).label("may_read"))
        .join(Person, Person.id == Case.person_id)
        .where(seen_by(standing), *(_WISHES[name] == bindparam(name) for name in sorted(wished)))
    )
    if not begins:
        same = and_(Case.active_at == bindparam("at"), Case.id < bindparam("last"))
        statement = statement.where(or_(Case.active_at < bindparam("at"), same))
    return statement.order_by(Case.active_at.desc(), Case.id.desc()).limit(bindparam("count", type_=Integer()))


def _row(case: Any) -> CaseRow:  # noqa: ANN401 - a row of the statement above
    return CaseRow(
        id=case.id,
        version=case.version,
        number=case.number,
        person=name_in_list(case.id, case.person_id, case.level, case.identity) if case.may_read else None,
        status=case.status,
        stage=case.stage,
        priority=case.priority,
        level=case.level,
        governorate=case.governorate,
        organisation_id=case.organisation_id,
        desk_id=case.desk_id,
        handler_id=case.handler_id,
        opened_at=case.opened_at,
        active_at=case.active_at,
        closed_at=case.closed_at,
    )


@cache
def _case_by_id(standing: Standing) -> Select[*tuple[Any, ...]]:
    reads, works = seen_by(standing, reading=True), seen_by(standing, writing=True)
    return (
        select(Case, Person.identity, reads.label("may_read"), works.label("may_work"))
        .join(Person, Person.id == Case.person_id)
        .where(Case.id == _CASE, seen_by(standing))
    )


def case(actor: Actor, now: datetime, case_id: str) -> CaseView:
    """Give a case.

    Raises:
        NotFound: there is no such case, or it is not the actor's to know of.
    """
    found = read(_case_by_id(standing_of(actor)), {**asker(actor, now), "case": case_id})
    if not found:
        raise NotFound
    (row,) = found
    reads = bool(row.may_read) and actor.may("case.read")
    if reads:
        _keep_may_read(actor, now, case_id)
    shown = row if reads else None
    return CaseView(
        id=row.id,
        version=row.version,
        number=row.number,
        relation="team" if reads else "overview",
        person_id=shown.person_id if shown else None,
        person_name=full_name(unseal(row.identity, row=row.person_id, column="people.identity")) if reads else None,
        status=row.status,
        stage=row.stage,
        priority=row.priority,
        level=row.level,
        governorate=row.governorate,
        jurisdiction=row.jurisdiction,
        organisation_id=row.organisation_id,
        desk_id=row.desk_id,
        handler_id=row.handler_id,
        return_type=shown.return_type if shown else None,
        host_country=shown.host_country if shown else None,
        programme=shown.programme if shown else None,
        returned_on=shown.returned_on if shown else None,
        arrived_on=shown.arrived_on if shown else None,
        external_refs=unseal(shown.external_refs, row=row.id, column="cases.external_refs") if shown else None,
        outcome=shown.outcome if shown else None,
        closing_reason=shown.closing_reason if shown else None,
        opened_at=row.opened_at,
        active_at=row.active_at,
        closed_at=row.closed_at,
        allowed_actions=case_actions(
            CaseStatus(row.status),
            may_work=bool(row.may_work),
            permissions=frozenset().union(*(seat.permissions for seat in actor.seats)),
        ),
    )


_MAY_READ: Final = "nrm.may_read"


def must_read(actor: Actor, now: datetime, case_id: str) -> None:
    """Stop unless an actor may read what stands in a case.

    A page asks this for each of its parts: the answer is kept for as long as the session reads in one transaction.

    Raises:
        NotFound: it is not the actor's to know of.
        NotAllowed: the actor only has an overview.
    """
    session = db.session()
    question = (session.get_transaction(), actor, now, case_id)
    if question[0] is not None and session.info.get(_MAY_READ) == question:
        return
    found = read(_may_read(standing_of(actor)), {**asker(actor, now), "case": case_id})
    if not found:
        raise NotFound
    if not found[0].may_read or not actor.may("case.read"):
        raise NotAllowed("overview_only")
    _keep_may_read(actor, now, case_id)


@cache
def _may_read(standing: Standing) -> Select[*tuple[Any, ...]]:
    reads = seen_by(standing, reading=True).label("may_read")
    return select(reads).where(Case.id == _CASE, seen_by(standing))


def _keep_may_read(actor: Actor, now: datetime, case_id: str) -> None:
    session = db.session()
    session.info[_MAY_READ] = (session.get_transaction(), actor, now, case_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """A note on a case."""

    id: str
    author: str
    author_name: str | None
    text: str
    pinned: bool
    created_at: datetime


_NOTES: Final = (
    select(CaseNote, User.name.label("author_name"))
    .outerjoin(User, User.id == CaseNote.author_id)
    .where(CaseNote.case_id == _CASE)
    .order_by(CaseNote.pinned.desc(), CaseNote.created_at.desc(), CaseNote.id)
    .limit(_MOST)
)


def notes(actor: Actor, now: datetime, case_id: str) -> tuple[NoteRow, ...]:
    """List the notes of a case, pinned ones first, then the latest; errors as for `must_read`."""
    must_read(actor, now, case_id)
    return tuple(
        NoteRow(
            id=note.id,
            author=note.author_id,
            author_name=note.author_name,
            text=str(unseal(note.text, row=note.id, column="case_notes.text")),
            pinned=note.pinned,
            created_at=note.created_at,
        )
        for note in read(_NOTES, {"case": case_id})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRow:
    """Somebody who may know of a case."""

    holder_kind: str
    holder_id: str
    access: str
    reason: str
    since: datetime
    until: datetime | None


_ACCESSES: Final = (
    select(CaseAccess).where(CaseAccess.case_id == _CASE).order_by(CaseAccess.since, CaseAccess.id).limit(_MOST)
)


def accesses(actor: Actor, now: datetime, case_id: str) -> tuple[AccessRow, ...]:
    """List who may know of a case; errors as for `must_read`."""
    must_read(actor, now, case_id)
    return tuple(
        AccessRow(
            holder_kind=row.holder_kind,
            holder_id=row.holder_id,
            access=row.access,
            reason=row.reason,
            since=row.since,
            until=row.until,
        )
        for row in read(_ACCESSES, {"case": case_id})
        if row.until is None or row.until > now
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """What a person agreed to."""

    id: str
    version: int
    given_by: str
    mode: str
    language: str | None
    interpreter: bool
    assent_child: bool | None
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    organisations_allowed: tuple[str, ...]
    organisations_denied: tuple[str, ...]
    given_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_scope: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow:
    """A disclosure without consent that was asked for.

    Attributes:
        reason: why, for those who may ask or approve; None for everybody else.
        refusal: why it was refused, for the same people.
    """

    id: str
    organisation_id: str
    ground: str
    reason: str | None
    categories: tuple[str, ...]
    asked_by: str
    asked_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    refused_at: datetime | None
    refusal: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentList:
    """Consents of a case, and what was asked for without one."""

    consents: tuple[ConsentRow, ...]
    overrides: tuple[OverrideRow, ...]


_CONSENTS: Final = (
    select(Consent).where(Consent.case_id == _CASE).order_by(Consent.given_at.desc(), Consent.id).limit(_MOST)
)
_OVERRIDES: Final = (
    select(ConsentOverride)
    .where(ConsentOverride.case_id == _CASE)
    .order_by(ConsentOverride.asked_at.desc(), ConsentOverride.id)
    .limit(_MOST)
)


def consents(actor: Actor, now: datetime, case_id: str) -> ConsentList:
    """List the consents of a case, the latest first; errors as for `must_read`."""
    must_read(actor, now, case_id)
    told = actor.may("consent.override") or actor.may("consent.approve")
    return ConsentList(
        consents=tuple(_consent(row) for row in read(_CONSENTS, {"case": case_id})),
        overrides=tuple(_override(row, told=told) for row in read(_OVERRIDES, {"case": case_id})),
    )


def _consent(row: Consent) -> ConsentRow:
    return ConsentRow(
        id=row.id,
        version=row.version,
        given_by=row.given_by,
        mode=row.mode,
        language=row.language,
        interpreter=row.interpreter,
        assent_child=row.assent_child,
        purposes=tuple(row.purposes),
        categories=tuple(row.categories),
        organisations_allowed=tuple(row.organisations_allowed),
        organisations_denied=tuple(row.organisations_denied),
        given_at=row.given_at,
        expires_at=row.expires_at,
        withdrawn_at=row.withdrawn_at,
        withdrawn_scope=None if row.withdrawn_scope is None else tuple(row.withdrawn_scope),
    )


def _override(row: ConsentOverride, *, told: bool) -> OverrideRow:
    reason = unseal(row.reason, row=row.id, column="consent_overrides.reason") if told else None
    refusal = unseal(row.refusal, row=row.id, column="consent_overrides.refusal") if told and row.refusal else None
    return OverrideRow(
        id=row.id,
        organisation_id=row.organisation_id,
        ground=row.ground,
        reason=None if reason is None else str(reason),
        categories=tuple(row.categories),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        refused_at=row.refused_at,
        refusal=None if refusal is None else str(refusal),
        expires_at=row.expires_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRow:
    """One line of the ledger: which categories went to whom, on what ground."""

    id: str
    organisation_id: str
    referral_id: str | None
    consent_id: str | None
    override_id: str | None
    purpose: str
    categories: tuple[str, ...]
    kind: str
    actor: str
    at: datetime
    restricted_at: datetime | None
    restriction_confirmed_at: datetime | None


_DISCLOSURES: Final = (
    select(Disclosure).where(Disclosure.case_id == _CASE).order_by(Disclosure.at.desc(), Disclosure.id).limit(_MOST)
)


def disclosures(actor: Actor, now: datetime, case_id: str) -> tuple[DisclosureRow, ...]:
    """List what of a case was disclosed to whom, the latest first; errors as for `must_read`."""
    must_read(actor, now, case_id)
    return tuple(
        DisclosureRow(
            id=row.id,
            organisation_id=row.organisation_id,
            referral_id=row.referral_id,
            consent_id=row.consent_id,
            override_id=row.override_id,
            purpose=row.purpose,
            categories=tuple(row.categories),
            kind=row.kind,
            actor=row.actor,
            at=row.at,
            restricted_at=row.restricted_at,
            restriction_confirmed_at=row.restriction_confirmed_at,
        )
        for row in read(_DISCLOSURES, {"case": case_id})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRow:
    """Something that a returnee needs."""

    id: str
    version: int
    category: str
    priority: str
    status: str
    reason: str | None
    created_at: datetime
    updated_at: datetime


_NEEDS: Final = select(Need).where(Need.case_id == _CASE).order_by(Need.created_at, Need.id).limit(_MOST)


def needs(actor: Actor, now: datetime, case_id: str) -> tuple[NeedRow, ...]:
    """List the needs of a case; errors as for `must_read`."""
    must_read(actor, now, case_id)
    return tuple(
        NeedRow(
            id=row.id,
            version=row.version,
            category=row.category,
            priority=row.priority,
            status=row.status,
            reason=row.reason,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in read(_NEEDS, {"case": case_id})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedService:
    """One service of a plan."""

    id: str
    need_id: str | None
    category: str
    priority: str
    goal: str | None
    preferred_organisation_id: str | None
    due_on: date | None
    status: str
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A revision of a reintegration plan.

    Attributes:
        of_path: a path recorded it, and that path starts its services.
    """

    id: str
    version: int
    number: int
    status: str
    agreed: bool
    of_path: bool
    created_at: datetime
    approved_at: datetime | None
    services: tuple[PlannedService, ...]


_PLANS: Final = select(Plan).where(Plan.case_id == _CASE).order_by(Plan.number.desc(), Plan.id).limit(_MOST)
_PLANNED: Final = (
    select(PlanService)
    .where(PlanService.case_id == _CASE)
    .order_by(PlanService.created_at, PlanService.id)
    .limit(_MOST)
)


def plans(actor: Actor, now: datetime, case_id: str) -> tuple[PlanView, ...]:
    """List the revisions of a case's plan, the latest first; errors as for `must_read`."""
    must_read(actor, now, case_id)
    revisions = read(_PLANS, {"case": case_id})
    services: Mapping[str, list[PlannedService]] = {row.id: [] for row in revisions}
    for row in read(_PLANNED, {"case": case_id}):
        goal = unseal(row.goal, row=row.id, column="plan_services.goal")
        services[row.plan_id].append(
            PlannedService(
                id=row.id,
                need_id=row.need_id,
                category=row.category,
                priority=row.priority,
                goal=None if goal is None else str(goal),
                preferred_organisation_id=row.preferred_organisation_id,
                due_on=row.due_on,
                status=row.status,
                outcome=row.outcome,
            )
        )
    return tuple(
        PlanView(
            id=row.id,
            version=row.version,
            number=row.number,
            status=row.status,
            agreed=row.agreed,
            of_path=row.run_id is not None,
            created_at=row.created_at,
            approved_at=row.approved_at,
            services=tuple(services[row.id]),
        )
        for row in revisions
    )
