"""The directory: organisations, desks, services, places and code lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, exists, select

from nrm.actors import Actor
from nrm.db import db
from nrm.errors import NotAllowed, NotFound
from nrm.installation import installation
from nrm.models import Desk, Organisation, Service, ServiceCoverage
from nrm.queries import packs
from nrm.queries.page import Key, Page, cut, size, text_of
from nrm.queries.rows import read
from nrm.rules.providers import STALE_AFTER_DAYS, is_stale
from nrm.vocabulary import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRow:
    """An organisation."""

    id: str
    version: int
    code: str
    names: Mapping[str, str]
    kind: str
    jurisdiction: str | None
    channel: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRow:
    """A desk."""

    id: str
    code: str
    organisation_id: str
    role: str
    governorate: str | None
    jurisdiction: str | None
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """A service.

    Attributes:
        accepting: it takes referrals, but for a pause.
        paused_until: it takes none until then.
        open_slots: free places; None when nobody counts them.
        unit: what a place is (places, families, grants …), a code of the provider's; None for places.
        stale: nobody has confirmed the entry for longer than the country allows.
        governorates: where it is offered.
    """

    id: str
    version: int
    code: str
    organisation_id: str
    category: str
    names: Mapping[str, str]
    description: Mapping[str, str]
    languages: tuple[str, ...]
    visibility: str
    accepting: bool
    paused_until: date | None
    slots: int | None
    open_slots: int | None
    unit: str | None
    waiting_days: int | None
    last_verified_on: date | None
    stale: bool
    valid_until: date | None
    governorates: tuple[str, ...]


def must_read_directory(actor: Actor) -> None:
    """Stop whoever may not read the directory.

    Raises:
        NotAllowed: the actor lacks the permission.
    """
    if not actor.may("directory.read"):
        raise NotAllowed("not_allowed", permission="directory.read")


def visibilities(actor: Actor) -> frozenset[Visibility]:
    """Give the kinds of entries that an actor may find."""
    known = {Visibility.PUBLIC, Visibility.PARTNERS}
    return frozenset(known | ({Visibility.RESTRICTED} if actor.may("directory.read_restricted") else set()))


def organisations(actor: Actor, *, after: Key | None = None, limit: int = 50) -> Page[OrganisationRow]:
    """List the active organisations by code.

    Raises:
        NotAllowed: the actor may not read the directory.
        NotValid: the key is of another list.
    """
    must_read_directory(actor)
    statement = select(Organisation).where(Organisation.active).order_by(Organisation.code).limit(size(limit) + 1)
    if after is not None:
        statement = statement.where(Organisation.code > text_of(after, 0))
    rows = db.session.scalars(statement).all()
    return cut(rows, size(limit), key=lambda row: (row.code,), make=_organisation)


_ORGANISATION_NAMES: Final = select(Organisation.id, Organisation.names)


def organisation_names() -> Mapping[str, Mapping[str, str]]:
    """Give what every organisation is called, by id: who works with whom is no secret, and a page names many."""
    return {row.id: row.names for row in read(_ORGANISATION_NAMES, {})}


def _organisation(row: Organisation) -> OrganisationRow:
    return OrganisationRow(
        id=row.id,
        version=row.version,
        code=row.code,
        names=row.names,
        kind=row.kind,
        jurisdiction=row.jurisdiction,
        channel=row.channel,
        languages=tuple(row.languages),
    )


def organisation(actor: Actor, organisation_id: str) -> OrganisationRow:
    """Give an organisation.

    Raises:
        NotFound: there is no such active organisation.
        NotAllowed: the actor may not read the directory.
    """
    must_read_directory(actor)
    row = db.session.execute(
        select(Organisation).where(Organisation.id == organisation_id, Organisation.active)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    return _organisation(row)


def desks(
    actor: Actor, *, organisation_id: str | None = None, after: Key | None = None, limit: int = 50
) -> Page[DeskRow]:
    """List the active desks by code; errors as for `organisations`."""
    must_read_directory(actor)
    statement = select(Desk).where(Desk.active).order_by(Desk.code).limit(size(limit) + 1)
    if organisation_id is not None:
        statement = statement.where(Desk.organisation_id == organisation_id)
    if after is not None:
        statement = statement.where(Desk.code > text_of(after, 0))
    return cut(db.session.scalars(statement).all(), size(limit), key=lambda row: (row.code,), make=_desk)


def _desk(row: Desk) -> DeskRow:
    return DeskRow(
        id=row.id,
        code=row.code,
        organisation_id=row.organisation_id,
        role=row.role,
        governorate=row.governorate,
        jurisdiction=row.jurisdiction,
        names=row.names,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFilter:
    """What to leave out of a list; None for nothing."""

    category: str | None = None
    governorate: str | None = None
    organisation: str | None = None
    accepting: bool = False


def services(actor: Actor, *, only: ServiceFilter, after: Key | None = None, limit: int = 50) -> Page[ServiceRow]:
    """List the services that an actor may find, by code; errors as for `organisations`."""
    must_read_directory(actor)
    statement = select(Service).where(*findable(actor)).order_by(Service.code).limit(size(limit) + 1)
    if only.category is not None:
        statement = statement.where(Service.category == only.category)
    if only.organisation is not None:
        statement = statement.where(Service.organisation_id == only.organisation)
    if only.accepting:
        statement = statement.where(Service.accepting)
    if only.governorate is not None:
        covers = exists().where(
            ServiceCoverage.service_id == Service.id, ServiceCoverage.governorate == only.governorate
        )
        statement = statement.where(covers)
    if after is not None:
        statement = statement.where(Service.code > text_of(after, 0))
    rows = db.session.scalars(statement.execution_options(populate_existing=True)).all()
    covered = covered_places([row.id for row in rows])
    return cut(rows, size(limit), key=lambda row: (row.code,), make=lambda row: service_row(row, covered))


def own_services(actor: Actor) -> tuple[ServiceRow, ...]:
    """List the services that an actor's organisations keep, also those that others cannot find, by code.

    Raises:
        NotAllowed: the actor keeps none.
    """
    mine = [one for one in actor.organisations if actor.may("capacity.edit", organisation=one)]
    if not mine:
        raise NotAllowed("not_allowed", permission="capacity.edit")
    statement = select(Service).where(
        Service.organisation_id.in_(mine), Service.active, Service.livemode.is_(actor.livemode)
    )
    rows = db.session.scalars(statement.order_by(Service.code).execution_options(populate_existing=True)).all()
    covered = covered_places([row.id for row in rows])
    return tuple(service_row(row, covered) for row in rows)


def findable(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions under which an actor may find a service."""
    seen = [str(entry) for entry in visibilities(actor)]
    return Service.active.is_(True), Service.visibility.in_(seen), Service.livemode.is_(actor.livemode)


def covered_places(service_ids: list[str]) -> dict[str, list[tuple[str, str | None]]]:
    """Give where services are offered: governorate and district by service."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    rows = db.session.execute(
        select(ServiceCoverage.service_id, ServiceCoverage.governorate, ServiceCoverage.district)
        .where(ServiceCoverage.service_id.in_(service_ids))
        .order_by(ServiceCoverage.governorate)
    )
    for service_id, governorate, district in rows:
        found.setdefault(service_id, []).append((governorate, district))
    return found


def stale_days() -> int:
    """Give after how many days without a confirmation an entry of the directory is stale."""
    return int(packs.pack().settings.get("directory_stale_days", str(STALE_AFTER_DAYS)))


def today() -> date:
    """Give the present day in the country."""
    return installation().clock.now().astimezone(packs.pack().zone).date()


def service_row(row: Service, covered: Mapping[str, list[tuple[str, str | None]]]) -> ServiceRow:
    """Write a service as lists show it."""
    return ServiceRow(
        id=row.id,
        version=row.version,
        code=row.code,
        organisation_id=row.organisation_id,
        category=row.category,
        names=row.names,
        description=row.description,
        languages=tuple(row.languages),
        visibility=row.visibility,
        accepting=row.accepting,
        paused_until=row.paused_until,
        slots=row.slots,
        open_slots=row.open_slots,
        unit=row.capacity_unit,
        waiting_days=row.waiting_days,
        last_verified_on=row.last_verified_on,
        stale=is_stale(row.last_verified_on, today=today(), days=stale_days()),
        valid_until=row.valid_until,
        governorates=tuple(dict.fromkeys(place for place, _ in covered.get(row.id, []))),
    )


def service(actor: Actor, service_id: str) -> ServiceRow:
    """Give a service.

    Raises:
        NotFound: there is no such service that the actor may find.
        NotAllowed: the actor may not read the directory.
    """
    must_read_directory(actor)
    row = db.session.execute(
        select(Service).where(Service.id == service_id, *findable(actor)).execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    return service_row(row, covered_places([row.id]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """A code of a list."""

    code: str
    names: Mapping[str, str]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """A code list."""

    name: str
    codes: tuple[CodeRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """A governorate or district."""

    key: str
    kind: str
    parent: str | None
    jurisdiction: str | None
    names: Mapping[str, str]


def code_list_names() -> tuple[str, ...]:
    """List the names of the code lists."""
    return tuple(sorted(packs.pack().codes))


def code_list(name: str) -> CodeList:
    """Give a code list.

    Raises:
        NotFound: there is none of this name.
    """
    found = packs.pack().codes.get(name)
    if found is None:
        raise NotFound
    return CodeList(
        name=name,
        codes=tuple(CodeRow(code=entry.code, names=entry.names, active=entry.active) for entry in found.values()),
    )


def place_list() -> tuple[PlaceRow, ...]:
    """List the places by key."""
    return tuple(
        PlaceRow(
            key=place.key, kind=place.kind, parent=place.parent, jurisdiction=place.jurisdiction, names=place.names
        )
        for place in packs.pack().places.values()
    )


def stamp() -> str:
    """Give the stamp that changes with every change of the country's data."""
    return packs.pack().stamp


def organisation_id(code: str) -> str:
    """Give the id of the organisation with a code, for commands.

    Raises:
        NotFound: there is none.
    """
    found = db.session.execute(select(Organisation.id).where(Organisation.code == code)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found
