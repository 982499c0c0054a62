"""The ledger of disclosures: which fields of a person went to whom, on what ground; and who has yet to stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.models import Case, Disclosure, Organisation, Person, Restriction
from nrm.queries.page import Key, Page, cut, moment_key, newest_after, size
from nrm.queries.referral_subjects import reference
from nrm.queries.scope import sees_case
from nrm.rules.redaction import FIELD_CATEGORIES
from nrm.vocabulary import Level

READ = "disclosure.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureEntry:
    """One line of a person's ledger.

    Attributes:
        case_ref: code of the person in referrals of that case; the same that the organisation was given.
        purpose: what for, a code.
        kind: sent (with a referral), shown (in a task) or written (in a letter).
        fields: the fields that these categories cover.
        ground: consent or override.
        consent_id: the consent; None for an override.
        override_id: the approved disclosure without consent; None for a consent.
        restricted_at: when the organisation was told to use them no more.
        restriction_confirmed_at: when it said that it does so.
    """

    id: str
    at: datetime
    case_id: str
    case_ref: str
    organisation_id: str
    organisation_names: Mapping[str, str]
    referral_id: str | None
    purpose: str
    kind: str
    categories: tuple[str, ...]
    fields: tuple[str, ...]
    ground: str
    consent_id: str | None
    override_id: str | None
    actor: str
    restricted_at: datetime | None
    restriction_confirmed_at: datetime | None


def of_person(
    actor: Actor, now: datetime, person_id: str, *, after: Key | None = None, limit: int = 50
) -> Page[DisclosureEntry]:
    """List what of a person was disclosed to whom, the latest first.

    Whoever may read the ledger sees all of it but for strict cases that are not theirs to know of.

    Raises:
        NotAllowed: the actor may not read the ledger.
        NotFound: there is no such person.
        NotValid: the key is of another list.
    """
    if not actor.may(READ):
        raise NotAllowed("not_allowed", permission=READ)
    if db.session.get(Person, person_id) is None:
        raise NotFound
    open_to_all = and_(Case.level != str(Level.STRICT), Case.livemode.is_(actor.livemode))
    statement = (
        select(Disclosure, Organisation.names)
        .join(Case, Case.id == Disclosure.case_id)
        .join(Organisation, Organisation.id == Disclosure.organisation_id)
        .where(Disclosure.person_id == person_id, or_(open_to_all, sees_case(actor, now, reading=True)))
        .execution_options(populate_existing=True)
    )
    ordered = newest_after(
        statement, Disclosure.__table__.c["at"], Disclosure.__table__.c["id"], after=after, limit=limit
    )
    rows = list(db.session.execute(ordered).all())
    return cut(
        rows,
        size(limit),
        key=lambda row: (moment_key(row[0].at), row[0].id),
        make=lambda row: _entry(row[0], row[1]),
    )


def fields_of(categories: Iterable[str]) -> tuple[str, ...]:
    """Give the fields of a person that some data categories cover, in alphabetical order."""
    known = set(categories)
    return tuple(sorted(name for name, category in FIELD_CATEGORIES.items() if category in known))


def _entry(row: Disclosure, names: Mapping[str, str]) -> DisclosureEntry:
    return DisclosureEntry(
        id=row.id,
        at=row.at,
        case_id=row.case_id,
        case_ref=reference(row.case_id),
        organisation_id=row.organisation_id,
        organisation_names=names,
        referral_id=row.referral_id,
        purpose=row.purpose,
        kind=row.kind,
        categories=tuple(sorted(row.categories)),
        fields=fields_of(row.categories),
        ground="override" if row.override_id else "consent",
        consent_id=row.consent_id,
        override_id=row.override_id,
        actor=row.actor,
        restricted_at=row.restricted_at,
        restriction_confirmed_at=row.restriction_confirmed_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionRow:
    """A request to use data no more.

    Attributes:
        case_ref: code of the returnee.
        referral_id: a referral with which the data came; None when a task or a letter told them.
        due_at: until when to confirm.
    """

    id: str
    case_ref: str
    organisation_id: str
    referral_id: str | None
    asked_at: datetime
    due_at: datetime
    confirmed_at: datetime | None


def restrictions(
    actor: Actor, now: datetime, *, only_open: bool = False, after: Key | None = None, limit: int = 50
) -> Page[RestrictionRow]:
    """List the requests to the actor's own organisations, and those of the cases that the actor works on.

    Raises:
        NotValid: the key is of another list.
    """
    receiving = [
        seat.organisation_id for seat in actor.seats if seat.permissions & {"referral.receive", "referrals:read"}
    ]
    statement = (
        select(Restriction)
        .join(Case, Case.id == Restriction.case_id)
        .where(
            Restriction.livemode.is_(actor.livemode),
            or_(Restriction.organisation_id.in_(receiving), sees_case(actor, now, writing=True)),
        )
        .execution_options(populate_existing=True)
    )
    if only_open:
        statement = statement.where(Restriction.confirmed_at.is_(None))
    table = Restriction.__table__
    ordered = newest_after(statement, table.c["asked_at"], table.c["id"], after=after, limit=limit)
    rows = list(db.session.scalars(ordered).all())
    return cut(rows, size(limit), key=lambda row: (moment_key(row.asked_at), row.id), make=restriction_row)


def restriction_row(row: Restriction) -> RestrictionRow:
    """Write a request as lists show it."""
    return RestrictionRow(
        id=row.id,
        case_ref=reference(row.case_id),
        organisation_id=row.organisation_id,
        referral_id=row.referral_id,
        asked_at=row.asked_at,
        due_at=row.due_at,
        confirmed_at=row.confirmed_at,
    )
