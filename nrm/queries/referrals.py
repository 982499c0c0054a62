"""Referrals: sent and received, read through what the asker's part and the person's consent allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import BindParameter, Boolean, ColumnElement, Select, and_, bindparam, exists, false, or_, select
from sqlalchemy.orm import aliased

from nrm.actors import Actor, ActorKind
from nrm.db import db
from nrm.errors import NotFound
from nrm.models import (
    Case,
    Consent,
    ConsentOverride,
    Disclosure,
    Need,
    Organisation,
    Person,
    Referral,
    ReferralNote,
    Restriction,
    Service,
)
from nrm.queries.cases import must_read
from nrm.queries.disclosures import RestrictionRow, restriction_row
from nrm.queries.page import Key, Page, cut, moment_key, moment_of, newest_after, size, text_of
from nrm.queries.referral_shapes import (
    Around,
    ReferralView,
    ShownConsent,
    ShownNeed,
    ShownOrganisation,
    ShownService,
    around,
    shape,
)
from nrm.queries.referral_subjects import Subject, reference, subject_of
from nrm.queries.rows import read
from nrm.queries.scope import Standing, asker, seen_by, sees_case, standing_of
from nrm.queries.shown_names import name_in_list
from nrm.rules.redaction import Relation, categories_for_program, visible_fields
from nrm.rules.statuses import TERMINAL, referral_parties
from nrm.sealing import unseal
from nrm.vocabulary import Channel, Level, Party, ReferralState

GONE: Final = frozenset({ReferralState.WITHDRAWN, ReferralState.CANCELLED, ReferralState.ENTERED_IN_ERROR})
"""States in which the receiver no longer reads anything about the person."""

_RECEIVES: Final = frozenset({"referral.receive", "referrals:read"})
"""What a person's role or a key's scope must give for referrals to have come to it."""

_PROGRAMS: Final = frozenset({ActorKind.KEY, ActorKind.LINK})
"""Askers who are no people that signed in: they read what is personal only when they may and say so."""

Given: TypeAlias = str | BindParameter[str]

_Sender, _Receiver = aliased(Organisation), aliased(Organisation)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilter:
    """What to leave out of a list; None for nothing.

    Attributes:
        states: only these; `state` is one of them.
        sender: only from this organisation.
        receiver: only to this organisation.
        updated_until: changed at this moment or before.
    """

    state: str | None = None
    states: frozenset[str] | None = None
    sender: str | None = None
    receiver: str | None = None
    updated_until: datetime | None = None
    urgency: str | None = None
    open_only: bool = False
    updated_since: datetime | None = None
    case: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralMessage:
    """A note between sender and receiver.

    Attributes:
        kind: message, or the verb with which it came (request_info, answer, progress …).
    """

    id: str
    kind: str
    author: str
    organisation_id: str | None
    text: str
    created_at: datetime


def received(actor: Actor) -> ColumnElement[bool]:
    """Give the condition under which a referral has come to an actor: never a draft, only one's own desk's."""
    return _come(_receiving(actor), Referral.livemode.is_(actor.livemode))


def _receiving(actor: Actor) -> list[tuple[str, str | None]]:
    """Give organisation and desk of the seats to which referrals come."""
    return [(seat.organisation_id, seat.desk_id) for seat in actor.seats if seat.permissions & _RECEIVES]


def _come(seats: Sequence[tuple[Given, Given | None]], live: ColumnElement[bool]) -> ColumnElement[bool]:
    parts = []
    for organisation, desk in seats:
        mine = Referral.to_organisation_id == organisation
        if desk is not None:
            mine = and_(mine, or_(Referral.to_desk_id.is_(None), Referral.to_desk_id == desk))
        parts.append(mine)
    if not parts:
        return false()
    return and_(or_(*parts), Referral.state != str(ReferralState.DRAFT), live)


def receiving_shape(actor: Actor) -> tuple[bool, ...]:
    """Say for each seat to which referrals come whether it is at a desk: on that the shape of the question depends."""
    return tuple(desk is not None for _, desk in _receiving(actor))


def received_by(seats: tuple[bool, ...]) -> ColumnElement[bool]:
    """Give the same condition as `received`, for a statement that is built once; `receiver` gives its values."""
    places: list[tuple[Given, Given | None]] = [
        (bindparam(f"receiver_{place}"), bindparam(f"receiver_desk_{place}") if at_desk else None)
        for place, at_desk in enumerate(seats)
    ]
    return _come(places, Referral.livemode == bindparam("receiver_live", type_=Boolean()))


def receiver(actor: Actor) -> dict[str, object]:
    """Give the values that the condition of `received_by` names, of this actor."""
    values: dict[str, object] = {"receiver_live": actor.livemode}
    for place, (organisation, desk) in enumerate(_receiving(actor)):
        values |= {f"receiver_{place}": organisation, f"receiver_desk_{place}": desk}
    return values


def referrals(
    actor: Actor, now: datetime, *, came_in: bool, only: ReferralFilter, after: Key | None = None, limit: int = 50
) -> Page[ReferralView]:
    """List referrals, the latest changed first.

    Args:
        actor: who asks.
        now: the present moment.
        came_in: those received; else those sent by an organisation of the actor.
        only: what to leave out.
        after: key of the last row of the page before.
        limit: rows of the page.

    Raises:
        NotValid: the key is of another list.
    """
    sent = and_(Referral.from_organisation_id.in_(actor.organisations), sees_case(actor, now, reading=True))
    # Second fact of each row: for a receiver whether it may still use what it got, for a sender whether it may act.
    writes = _unrestricted() if came_in else sees_case(actor, now, writing=True)
    statement = _named(writes).where(received(actor) if came_in else sent, *_conditions(only, came_in=came_in))
    statement = newest_after(statement, _column(Referral.updated_at), _column(Referral.id), after=after, limit=limit)
    return cut(
        list(read(statement, {})),
        size(limit),
        key=lambda row: (moment_key(row.updated_at), row.id),
        make=lambda row: _listed(actor, row, came_in=came_in),
    )


def _unrestricted() -> ColumnElement[bool]:
    """Give the condition under which a receiver may still use something of what came with a referral."""
    return exists().where(Disclosure.referral_id == Referral.id, Disclosure.restricted_at.is_(None)).correlate(Referral)


def _named(writes: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Referral,
            Case.level.label("case_level"),
            Person.identity.label("person_identity"),
            Service.code.label("service_code"),
            Service.names.label("service_names"),
            Service.category.label("service_category"),
            _Sender.code.label("sender_code"),
            _Sender.names.label("sender_names"),
            _Receiver.code.label("receiver_code"),
            _Receiver.names.label("receiver_names"),
            _Receiver.channel.label("receiver_channel"),
            writes.label("fact"),
        )
        .join(Case, Case.id == Referral.case_id)
        .join(Person, Person.id == Referral.person_id)
        .join(_Sender, _Sender.id == Referral.from_organisation_id)
        .outerjoin(_Receiver, _Receiver.id == Referral.to_organisation_id)
        .outerjoin(Service, Service.id == Referral.service_id)
    )


def _column(column: Any) -> Any:  # noqa: ANN401 - a mapped column as a plain one
    return column


_EXACTLY: Final[Mapping[str, Callable[[Any], ColumnElement[bool]]]] = {
    "state": lambda value: Referral.state == value,
    "states": Referral.state.in_,
    "urgency": lambda value: Referral.urgency == value,
    "sender": lambda value: Referral.from_organisation_id == value,
    "receiver": lambda value: Referral.to_organisation_id == value,
    "updated_since": lambda value: Referral.updated_at >= value,
    "updated_until": lambda value: Referral.updated_at <= value,
    "external_id": lambda value: Referral.external_id == value,
}
"""Member of `ReferralFilter` → what it asks of a referral when it is not None."""


def _conditions(only: ReferralFilter, *, came_in: bool) -> Iterator[ColumnElement[bool]]:
    for name, condition in _EXACTLY.items():
        value = getattr(only, name)
        if value is not None:
            yield condition(value)
    if only.open_only:
        yield Referral.state.not_in([str(state) for state in TERMINAL])
    if only.case is not None:
        # A receiver knows referrals, not the sender's case.
        yield false() if came_in else Referral.case_id == only.case


def _listed(actor: Actor, row: Any, *, came_in: bool) -> ReferralView:  # noqa: ANN401 - a row of `_named`
    gone = came_in and (ReferralState(row.state) in GONE or not row.fact)
    relation = (Relation.NONE if gone else Relation.RECEIVER) if came_in else Relation.TEAM
    parties = referral_parties(
        sends=not came_in and bool(row.fact) and row.from_organisation_id in actor.organisations,
        receives=came_in,
        in_national_unit=False,
        channel=Channel(row.receiver_channel) if row.receiver_channel else Channel.PORTAL,
        permissions=_permissions(actor),
    )
    named = actor.kind is not ActorKind.KEY and (not came_in or ("contact" in row.categories and not gone))
    names = name_in_list(row.case_id, row.person_id, row.case_level, row.person_identity) if named else None
    ref = reference(row.case_id)
    return shape(
        row,
        _around(row),
        subject=Subject(ref=ref, names=None if names == ref else names),
        relation=relation,
        parties=parties,
    )


def _around(row: Any) -> Around:  # noqa: ANN401 - a row of `_named`
    sender, receiver, service = row.from_organisation_id, row.to_organisation_id, row.service_id
    return Around(
        service=ShownService(id=service, code=row.service_code, names=row.service_names, category=row.service_category)
        if service is not None
        else None,
        sender=ShownOrganisation(id=sender, code=row.sender_code, names=row.sender_names),
        receiver=ShownOrganisation(id=receiver, code=row.receiver_code, names=row.receiver_names)
        if receiver is not None
        else None,
    )


def _permissions(actor: Actor) -> frozenset[str]:
    return frozenset().union(*(seat.permissions for seat in actor.seats))


def of_case(actor: Actor, now: datetime, case_id: str) -> tuple[ReferralView, ...]:
    """List the referrals of a case in the order in which they were made.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it.
    """
    must_read(actor, now, case_id)
    rows = read(_of_case(standing_of(actor)), {**asker(actor, now), "case": case_id})
    return tuple(_listed(actor, row, came_in=False) for row in rows)


@cache
def _of_case(standing: Standing) -> Select[*tuple[Any, ...]]:
    return (
        _named(seen_by(standing, writing=True))
        .where(Referral.case_id == bindparam("case"))
        .order_by(Referral.created_at, Referral.id)
        .limit(500)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A referral that the actor may know of, and how the actor stands to it.

    Attributes:
        may_read: a person, or a key whose scope and stated purpose let it read what is personal.
    """

    row: Referral
    case: Case
    around: Around
    relation: Relation
    parties: frozenset[Party]
    shown: frozenset[str]
    disclosed: frozenset[str]
    may_read: bool


def _open(actor: Actor, now: datetime, referral_id: str, purpose: str | None) -> _Opened:
    found = db.session.execute(
        select(
            Referral,
            Case,
            Service,
            _Sender,
            _Receiver,
            received(actor),
            sees_case(actor, now),
            sees_case(actor, now, reading=True),
            sees_case(actor, now, writing=True),
        )
        .join(Case, Case.id == Referral.case_id)
        .join(_Sender, _Sender.id == Referral.from_organisation_id)
        .outerjoin(_Receiver, _Receiver.id == Referral.to_organisation_id)
        .outerjoin(Service, Service.id == Referral.service_id)
        .where(Referral.id == referral_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    row, case, service, sender, receiver, receives, sees, reads, writes = found
    if not receives and not sees:
        raise NotFound
    reads = bool(reads) and (actor.may("case.read") or _is_sending_key(actor, row))
    lines = _disclosed(row)
    disclosed = frozenset(category for line in lines for category in line)
    relation = _relation(row, receives=bool(receives) and bool(lines), reads=reads, sees=bool(sees))
    parties = referral_parties(
        sends=row.from_organisation_id in actor.organisations and bool(writes),
        receives=bool(receives),
        in_national_unit=actor.may("referral.correct") and bool(sees),
        channel=Channel(receiver.channel) if receiver else Channel.PORTAL,
        permissions=_permissions(actor),
    )
    whole = frozenset(row.categories) if relation is Relation.TEAM else disclosed
    level = Level(case.level)
    program = actor.kind in _PROGRAMS
    scoped = actor.may("subject:read")
    shown = categories_for_program(whole, level, scoped=scoped, purpose=purpose) if program else whole
    return _Opened(
        row=row,
        case=case,
        around=around(service, sender, receiver),
        relation=relation,
        parties=parties,
        shown=shown if relation in {Relation.TEAM, Relation.RECEIVER} else frozenset(),
        disclosed=disclosed,
        may_read=not program or (scoped and (purpose is not None or level is Level.STANDARD)),
    )


def _is_sending_key(actor: Actor, row: Referral) -> bool:
    return (
        actor.kind is ActorKind.KEY and actor.may("referrals:read") and row.from_organisation_id in actor.organisations
    )


def _relation(row: Referral, *, receives: bool, reads: bool, sees: bool) -> Relation:
    if reads:
        return Relation.TEAM
    if receives and ReferralState(row.state) not in GONE:
        return Relation.RECEIVER
    return Relation.OVERVIEW if sees else Relation.NONE


def referral(actor: Actor, now: datetime, referral_id: str, *, purpose: str | None = None) -> ReferralView:
    """Give a referral with what the asker's relation, the disclosed categories and a key's scopes let show.

    Args:
        actor: who asks.
        now: the present moment.
        referral_id: the referral.
        purpose: what a partner's program reads it for, a code of `ReadPurpose`; None when it did not say.

    Raises:
        NotFound: there is no such referral, or it is not the actor's to know of.
    """
    opened = _open(actor, now, referral_id, purpose)
    row, relation = opened.row, opened.relation
    told = relation in {Relation.TEAM, Relation.RECEIVER}
    personal = told and opened.may_read
    program = actor.kind in _PROGRAMS
    # A program that works for the sending organisation is no member of the case's team: it sees what was shared.
    seen_as = Relation.RECEIVER if program and relation is Relation.TEAM else relation
    fields = visible_fields(seen_as, Level(opened.case.level), opened.shown) if told or not program else frozenset()
    plain = shape(
        row,
        opened.around,
        subject=subject_of(opened.case, fields, now),
        relation=relation,
        parties=opened.parties,
    )
    return replace(
        plain,
        in_full=True,
        reason=_text(row.reason, row.id, "reason") if personal else None,
        expected_result=_text(row.expected_result, row.id, "expected_result") if personal else None,
        needs=_needs(row) if told else (),
        consent=_consent(row, opened.disclosed) if told else None,
        withheld=tuple(sorted(opened.disclosed - opened.shown)) if told else (),
        restriction=_restriction(row) if told or row.to_organisation_id in actor.organisations else None,
        appointment=replace(plain.appointment, place=_text(row.appointment_place, row.id, "appointment_place"))
        if plain.appointment is not None and personal
        else plain.appointment,
        outcome=replace(
            plain.outcome,
            note=_text(row.outcome_note, row.id, "outcome_note"),
            cost=_text(row.cost, row.id, "cost"),
        )
        if plain.outcome is not None and personal
        else plain.outcome,
    )


def _text(sealed: str | None, row_id: str, column: str) -> str | None:
    value = unseal(sealed, row=row_id, column=f"referrals.{column}")
    return None if value is None else str(value)


def _disclosed(row: Referral) -> list[list[str]]:
    """Give the lines of the ledger for what came with a referral and was not restricted since, as categories."""
    lines = select(Disclosure.categories).where(Disclosure.referral_id == row.id, Disclosure.restricted_at.is_(None))
    return list(db.session.scalars(lines))


def _restriction(row: Referral) -> RestrictionRow | None:
    found = db.session.scalars(
        select(Restriction)
        .where(Restriction.case_id == row.case_id, Restriction.organisation_id == row.to_organisation_id)
        .order_by(Restriction.confirmed_at.is_not(None), Restriction.asked_at.desc())
        .limit(1)
    ).first()
    return None if found is None else restriction_row(found)


def _needs(row: Referral) -> tuple[ShownNeed, ...]:
    found = db.session.scalars(
        select(Need)
        .where(Need.case_id == row.case_id, Need.category == row.category)
        .order_by(Need.created_at, Need.id)
        .limit(20)
    )
    return tuple(ShownNeed(category=need.category, priority=need.priority) for need in found)


def _consent(row: Referral, disclosed: frozenset[str]) -> ShownConsent | None:
    scope = tuple(sorted(disclosed))
    consent = db.session.get(Consent, row.consent_id) if row.consent_id else None
    if consent is not None:
        return ShownConsent(
            id=consent.id, ground="consent", scope=scope, given_at=consent.given_at, expires_at=consent.expires_at
        )
    override = db.session.get(ConsentOverride, row.override_id) if row.override_id else None
    if override is None:
        return None
    return ShownConsent(
        id=override.id, ground="override", scope=scope, given_at=override.approved_at, expires_at=override.expires_at
    )


def messages(
    actor: Actor, now: datetime, referral_id: str, *, purpose: str | None = None, after: Key | None, limit: int
) -> Page[ReferralMessage]:
    """List the notes between sender and receiver, the oldest first; empty for whoever may not read what is personal.

    Raises:
        NotFound: there is no such referral, or it is not the actor's to know of.
        NotValid: the key is of another list.
    """
    opened = _open(actor, now, referral_id, purpose)
    if opened.relation not in {Relation.TEAM, Relation.RECEIVER} or not opened.may_read:
        return Page(items=())
    statement = (
        select(ReferralNote)
        .where(ReferralNote.referral_id == referral_id)
        .order_by(ReferralNote.created_at, ReferralNote.id)
        .limit(size(limit) + 1)
    )
    if after is not None:
        at, last = moment_of(after, 0), text_of(after, 1)
        later = or_(ReferralNote.created_at > at, and_(ReferralNote.created_at == at, ReferralNote.id > last))
        statement = statement.where(later)
    rows = db.session.scalars(statement).all()
    return cut(rows, size(limit), key=lambda row: (moment_key(row.created_at), row.id), make=_message)


def _message(row: ReferralNote) -> ReferralMessage:
    return ReferralMessage(
        id=row.id,
        kind=row.kind,
        author=row.author,
        organisation_id=row.organisation_id,
        text=str(unseal(row.text, row=row.id, column="referral_notes.text")),
        created_at=row.created_at,
    )
