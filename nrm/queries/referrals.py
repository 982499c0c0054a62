"""Referrals: sent and received, read through what the asker's part and the person's consent allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotFound
from nrm.installation import installation
from nrm.models import Case, Disclosure, Organisation, Person, Referral, ReferralNote
from nrm.queries.cases import must_read
from nrm.queries.page import Key, Page, cut, moment_key, newest_after, size
from nrm.queries.person_records import load_people
from nrm.queries.scope import sees_case
from nrm.queries.shown_names import full_name, name_in_list
from nrm.rules.redaction import Relation, pseudonym, visible_fields
from nrm.rules.statuses import TERMINAL, referral_actions, referral_parties
from nrm.sealing import unseal
from nrm.vocabulary import Channel, Level, Party, ReferralState

_GONE = frozenset({ReferralState.WITHDRAWN, ReferralState.CANCELLED, ReferralState.ENTERED_IN_ERROR})
"""States in which the receiver no longer reads anything about the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilter:
    """What to leave out of a list; None for nothing."""

    state: str | None = None
    urgency: str | None = None
    open_only: bool = False
    updated_since: datetime | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRow:
    """A referral in a list.

    Attributes:
        person: how this asker calls the person: the name or a code.
    """

    id: str
    version: int
    number: str
    state: str
    urgency: str
    category: str
    person: str
    case_id: str | None
    service_id: str | None
    from_organisation_id: str
    to_organisation_id: str | None
    attempt: int
    sent_at: datetime | None
    reply_due_at: datetime | None
    updated_at: datetime
    outcome: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralNoteRow:
    """A note between sender and receiver."""

    id: str
    kind: str
    author: str
    organisation_id: str | None
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralView:
    """A referral, opened.

    Attributes:
        relation: team, receiver, overview or none: what decided which fields show.
        subject: the fields of the person that may be shown here; "code" always.
        reason: why the service is needed; None where it may not be read.
    """

    id: str
    version: int
    number: str
    relation: str
    state: str
    urgency: str
    category: str
    case_id: str | None
    service_id: str | None
    from_organisation_id: str
    from_desk_id: str | None
    to_organisation_id: str | None
    to_desk_id: str | None
    subject: Mapping[str, object]
    categories: tuple[str, ...]
    reason: str | None
    expected_result: str | None
    attempt: int
    parent_id: str | None
    external_id: str | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    decided_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    reply_due_at: datetime | None
    appointment_at: datetime | None
    appointment_place: str | None
    no_shows: int
    waitlist_position: int | None
    review_on: date | None
    expected_start: date | None
    expected_end: date | None
    hold_until: date | None
    cancellation_requested: bool
    redirected_to: str | None
    end_reason: str | None
    outcome: str | None
    outcome_note: str | None
    delivered_on: date | None
    units: int | None
    cost: str | None
    confirmed: str | None
    satisfaction: int | None
    error_reason: str | None
    error_asked_by: str | None
    error_asked_at: datetime | None
    created_at: datetime
    updated_at: datetime
    notes: tuple[ReferralNoteRow, ...]
    allowed_actions: tuple[str, ...]


def received(actor: Actor) -> ColumnElement[bool]:
    """Give the condition under which a referral has come to an actor: never a draft, only one's own desk's."""
    parts = []
    for seat in actor.seats:
        if "referral.receive" not in seat.permissions:
            continue
        mine = Referral.to_organisation_id == seat.organisation_id
        if seat.desk_id is not None:
            mine = and_(mine, or_(Referral.to_desk_id.is_(None), Referral.to_desk_id == seat.desk_id))
        parts.append(mine)
    if not parts:
        return false()
    return and_(or_(*parts), Referral.state != str(ReferralState.DRAFT), Referral.livemode.is_(actor.livemode))


def referrals(
    actor: Actor, now: datetime, *, came_in: bool, only: ReferralFilter, after: Key | None = None, limit: int = 50
) -> Page[ReferralRow]:
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
    statement = (
        select(Referral, Case.level, Person.identity)
        .join(Case, Case.id == Referral.case_id)
        .join(Person, Person.id == Referral.person_id)
        .where(received(actor) if came_in else sent, *_conditions(only, came_in=came_in))
        .execution_options(populate_existing=True)
    )
    statement = newest_after(statement, _column(Referral.updated_at), _column(Referral.id), after=after, limit=limit)
    rows = list(db.session.execute(statement).all())
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row[0].updated_at), row[0].id),
        make=lambda row: _row(row[0], row[1], row[2], came_in=came_in),
    )


def _column(column: Any) -> Any:  # noqa: ANN401 - a mapped column as a plain one
    return column


def _conditions(only: ReferralFilter, *, came_in: bool) -> Iterator[ColumnElement[bool]]:
    if only.state is not None:
        yield Referral.state == only.state
    if only.urgency is not None:
        yield Referral.urgency == only.urgency
    if only.open_only:
        yield Referral.state.not_in([str(state) for state in TERMINAL])
    if only.updated_since is not None:
        yield Referral.updated_at >= only.updated_since
    if only.case is not None:
        # A receiver knows referrals, not the sender's case.
        yield false() if came_in else Referral.case_id == only.case


def _row(row: Referral, level: str, identity: str, *, came_in: bool) -> ReferralRow:
    if came_in and ("contact" not in row.categories or ReferralState(row.state) in _GONE):
        person = pseudonym(row.case_id, installation().config.secret.encode())
    else:
        person = name_in_list(row.case_id, row.person_id, level, identity)
    return ReferralRow(
        id=row.id,
        version=row.version,
        number=row.number,
        state=row.state,
        urgency=row.urgency,
        category=row.category,
        person=person,
        case_id=None if came_in else row.case_id,
        service_id=row.service_id,
        from_organisation_id=row.from_organisation_id,
        to_organisation_id=row.to_organisation_id,
        attempt=row.attempt,
        sent_at=row.sent_at,
        reply_due_at=row.reply_due_at,
        updated_at=row.updated_at,
        outcome=row.outcome,
        closed_at=row.closed_at,
    )


def of_case(actor: Actor, now: datetime, case_id: str) -> tuple[ReferralRow, ...]:
    """List the referrals of a case in the order in which they were made.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotAllowed: the actor only has an overview of it.
    """
    must_read(actor, now, case_id)
    rows = db.session.execute(
        select(Referral, Case.level, Person.identity)
        .join(Case, Case.id == Referral.case_id)
        .join(Person, Person.id == Referral.person_id)
        .where(Referral.case_id == case_id)
        .order_by(Referral.created_at, Referral.id)
        .limit(500)
    ).all()
    return tuple(_row(row, level, identity, came_in=False) for row, level, identity in rows)


def referral(actor: Actor, now: datetime, referral_id: str) -> ReferralView:
    """Give a referral with what the asker's relation and the disclosed categories let show.

    Raises:
        NotFound: there is no such referral, or it is not the actor's to know of.
    """
    found = db.session.execute(
        select(
            Referral,
            Case.level,
            received(actor),
            sees_case(actor, now),
            sees_case(actor, now, reading=True),
            sees_case(actor, now, writing=True),
            Organisation.channel,
        )
        .join(Case, Case.id == Referral.case_id)
        .outerjoin(Organisation, Organisation.id == Referral.to_organisation_id)
        .where(Referral.id == referral_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    row, level, receives, sees, reads, writes, channel = found
    if not receives and not sees:
        raise NotFound
    relation = _relation(row, receives=bool(receives), reads=bool(reads) and actor.may("case.read"), sees=bool(sees))
    parties = referral_parties(
        sends=row.from_organisation_id in actor.organisations and bool(writes),
        receives=bool(receives),
        in_national_unit=actor.may("referral.correct") and bool(sees),
        channel=Channel(channel) if channel else Channel.PORTAL,
        permissions=frozenset().union(*(seat.permissions for seat in actor.seats)),
    )
    return _view(row, Level(level), relation, parties)


def _relation(row: Referral, *, receives: bool, reads: bool, sees: bool) -> Relation:
    if reads:
        return Relation.TEAM
    if receives and ReferralState(row.state) not in _GONE:
        return Relation.RECEIVER
    return Relation.OVERVIEW if sees else Relation.NONE


def _view(row: Referral, level: Level, relation: Relation, parties: frozenset[Party]) -> ReferralView:
    told = relation in {Relation.TEAM, Relation.RECEIVER}
    disclosed = _disclosed(row) if relation is Relation.RECEIVER else frozenset(row.categories)
    actions = referral_actions(ReferralState(row.state), parties, cancellation_requested=row.cancellation_requested)
    return ReferralView(
        id=row.id,
        version=row.version,
        number=row.number,
        relation=str(relation),
        state=row.state,
        urgency=row.urgency,
        category=row.category,
        case_id=row.case_id if relation is Relation.TEAM else None,
        service_id=row.service_id,
        from_organisation_id=row.from_organisation_id,
        from_desk_id=row.from_desk_id,
        to_organisation_id=row.to_organisation_id,
        to_desk_id=row.to_desk_id,
        subject=_subject(row, visible_fields(relation, level, disclosed)),
        categories=tuple(sorted(disclosed)) if told else (),
        reason=_text(row.reason, row.id, "reason") if told else None,
        expected_result=_text(row.expected_result, row.id, "expected_result") if told else None,
        attempt=row.attempt,
        parent_id=row.parent_id if relation is Relation.TEAM else None,
        external_id=row.external_id,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        decided_at=row.decided_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        closed_at=row.closed_at,
        reply_due_at=row.reply_due_at,
        appointment_at=row.appointment_at if told else None,
        appointment_place=_text(row.appointment_place, row.id, "appointment_place") if told else None,
        no_shows=row.no_shows,
        waitlist_position=row.waitlist_position,
        review_on=row.review_on,
        expected_start=row.expected_start,
        expected_end=row.expected_end,
        hold_until=row.hold_until,
        cancellation_requested=row.cancellation_requested,
        redirected_to=row.redirected_to,
        end_reason=row.end_reason,
        outcome=row.outcome,
        outcome_note=_text(row.outcome_note, row.id, "outcome_note") if told else None,
        delivered_on=row.delivered_on,
        units=row.units,
        cost=_text(row.cost, row.id, "cost") if told else None,
        confirmed=row.confirmed,
        satisfaction=row.satisfaction if relation is Relation.TEAM else None,
        error_reason=row.error_reason if told else None,
        error_asked_by=row.error_asked_by,
        error_asked_at=row.error_asked_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        notes=_notes(row.id) if told else (),
        allowed_actions=actions,
    )


def _text(sealed: str | None, row_id: str, column: str) -> str | None:
    value = unseal(sealed, row=row_id, column=f"referrals.{column}")
    return None if value is None else str(value)


def _disclosed(row: Referral) -> frozenset[str]:
    """Give the categories that the ledger says were disclosed with a referral and not restricted since."""
    lines = db.session.scalars(
        select(Disclosure.categories).where(Disclosure.referral_id == row.id, Disclosure.restricted_at.is_(None))
    )
    return frozenset(category for line in lines for category in line)


def _subject(row: Referral, shown: frozenset[str]) -> dict[str, object]:
    subject: dict[str, object] = {"code": pseudonym(row.case_id, installation().config.secret.encode())}
    if shown <= {"code", "state"}:
        return subject
    person = load_people(db.session(), [row.person_id]).get(row.person_id)
    if person is None:
        return subject
    year = person.birth_year
    values: dict[str, object] = {
        "names": full_name({"names": dict(person.names)}),
        "latin": person.names.get("latin"),
        "mother": person.names.get("mother"),
        "born": person.born or None,
        "age": installation().clock.now().year - year if year else None,
        "sex": person.sex,
        "nationality": person.nationality,
        "language": person.language,
        "governorate": person.governorate,
        "phones": list(person.phones),
        "safe_contact": dict(person.safe_contact),
        "address": dict(person.address),
        "documents": [{"kind": paper.kind, "number": paper.number} for paper in person.papers],
    }
    return subject | {name: value for name, value in values.items() if name in shown and value}


def _notes(referral_id: str) -> tuple[ReferralNoteRow, ...]:
    rows = db.session.scalars(
        select(ReferralNote)
        .where(ReferralNote.referral_id == referral_id)
        .order_by(ReferralNote.created_at, ReferralNote.id)
        .limit(500)
    )
    return tuple(
        ReferralNoteRow(
            id=row.id,
            kind=row.kind,
            author=row.author,
            organisation_id=row.organisation_id,
            text=str(unseal(row.text, row=row.id, column="referral_notes.text")),
            created_at=row.created_at,
        )
        for row in rows
    )
