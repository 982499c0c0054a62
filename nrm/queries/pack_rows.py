"""The country's data as they are stored, in the same values in which a pack is read: to compare and to write back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Generic, TypeAlias, TypeVar

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from nrm import countries
from nrm.countries import ItemKind, Pack
from nrm.models import (
    CodeEntry,
    Desk,
    FormVersion,
    Organisation,
    PackItem,
    Path,
    PathVersion,
    Place,
    Service,
    ServiceCoverage,
    SharingAgreement,
)

Entry: TypeAlias = (
    countries.Place
    | countries.Organisation
    | countries.Desk
    | countries.Agreement
    | countries.Service
    | countries.Code
    | countries.Item
)
E = TypeVar("E", bound=Entry)

INVENTED: Final = "sandbox_"
"""Codes of organisations and services that begin so are the sandbox's own and belong to no pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Generic[E]):
    """An entry as the database holds it.

    Attributes:
        id: the row's id; "" for a pack item, whose kind and key are its primary key.
        entry: what it says now.
        loaded_hash: `entry_hash` of what the pack said when it was last taken over; None when it came otherwise.
    """

    id: str
    entry: E
    loaded_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPack:
    """Everything of the pack that the database holds, by the key that tells entries apart."""

    places: Mapping[str, Stored[countries.Place]]
    organisations: Mapping[str, Stored[countries.Organisation]]
    desks: Mapping[str, Stored[countries.Desk]]
    agreements: Mapping[str, Stored[countries.Agreement]]
    services: Mapping[str, Stored[countries.Service]]
    codes: Mapping[str, Stored[countries.Code]]
    items: Mapping[str, Stored[countries.Item]]


KEPT_BY_PROVIDERS: Final = ("accepting", "paused_until", "open_slots", "waiting_days", "last_verified_on")
"""Facts of a service that its provider keeps up to date: the pack only gives their first value."""


def entry_hash(entry: Entry) -> str:
    """Hash what an entry says (SHA-256 over its canonical JSON), without what changes in daily work."""
    fields = asdict(entry)
    if isinstance(entry, countries.Service):
        fields = {name: value for name, value in fields.items() if name not in KEPT_BY_PROVIDERS}
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()


def entry_key(entry: Entry) -> str:
    """Give the key that tells an entry from the others of its kind, the same in every installation."""
    match entry:
        case countries.Place():
            return entry.key
        case countries.Agreement():
            return f"{entry.organisation}/{entry.signed_on.isoformat()}"
        case countries.Code():
            return f"{entry.list}/{entry.code}"
        case countries.Item():
            return f"{entry.kind}/{entry.key}"
        case _:
            return entry.code


def read_stored(session: Session) -> StoredPack:
    """Read everything of the pack that the database holds."""
    real = Organisation.code.not_like(INVENTED.replace("_", r"\_") + "%", escape="\\")
    organisations = list(session.scalars(select(Organisation).where(real).order_by(Organisation.code)))
    desks = list(session.scalars(select(Desk).order_by(Desk.code)))
    codes = {row.id: row.code for row in organisations}
    return StoredPack(
        places=_keyed(_place(row) for row in session.scalars(select(Place).order_by(Place.key))),
        organisations=_keyed(_organisation(row) for row in organisations),
        desks=_keyed(_desk(row, codes) for row in desks),
        agreements=_keyed(_agreement(row, codes) for row in session.scalars(select(SharingAgreement))),
        services=_services(session, codes, {row.id: row.code for row in desks}),
        codes=_keyed(
            _code(row) for row in session.scalars(select(CodeEntry).order_by(CodeEntry.list, CodeEntry.position))
        ),
        items=_keyed(
            _item(row)
            for row in session.scalars(
                select(PackItem).where(PackItem.kind.in_(list(ItemKind))).order_by(PackItem.kind, PackItem.key)
            )
        ),
    )


def read_pack(session: Session) -> Pack:
    """Put the stored data together as a pack, with the newest version of each path and form."""
    stored = read_stored(session)
    country = stored.items["country/country"].entry.content
    return Pack(
        key=str(country["key"]) if isinstance(country, dict) else "",
        places=_entries(stored.places),
        organisations=_entries(stored.organisations),
        desks=_entries(stored.desks),
        agreements=_entries(stored.agreements),
        services=_entries(stored.services),
        codes=_entries(stored.codes),
        items=_entries(stored.items),
        forms=_forms(session),
        paths=_paths(session),
        scenarios=_scenarios(session),
    )


def _entries(rows: Mapping[str, Stored[E]]) -> tuple[E, ...]:
    return tuple(row.entry for row in rows.values())


def _keyed(rows: Iterable[Stored[E]]) -> dict[str, Stored[E]]:
    return {entry_key(row.entry): row for row in rows}


def _place(row: Place) -> Stored[countries.Place]:
    entry = countries.Place(
        key=row.key,
        kind=row.kind,
        names=row.names,
        parent=row.parent,
        iso=row.iso,
        pcode=row.pcode,
        jurisdiction=row.jurisdiction,
        verified=row.verified,
    )
    return Stored(id=row.id, entry=entry, loaded_hash=row.loaded_hash)


def _organisation(row: Organisation) -> Stored[countries.Organisation]:
    entry = countries.Organisation(
        code=row.code,
        names=row.names,
        kind=row.kind,
        jurisdiction=row.jurisdiction,
        channel=row.channel,
        email=row.email,
        phone=row.phone,
        languages=tuple(row.languages),
        letter_language=row.letter_language,
        letter_digits=row.letter_digits,
        active=row.active,
    )
    return Stored(id=row.id, entry=entry, loaded_hash=row.loaded_hash)


def _desk(row: Desk, organisations: Mapping[str, str]) -> Stored[countries.Desk]:
    entry = countries.Desk(
        code=row.code,
        organisation=organisations[row.organisation_id],
        role=row.role,
        names=row.names,
        governorate=row.governorate,
        jurisdiction=row.jurisdiction,
        active=row.active,
    )
    return Stored(id=row.id, entry=entry, loaded_hash=row.loaded_hash)


def _agreement(row: SharingAgreement, organisations: Mapping[str, str]) -> Stored[countries.Agreement]:
    entry = countries.Agreement(
        organisation=organisations[row.organisation_id],
        categories=tuple(row.categories),
        signed_on=row.signed_on,
        expires_on=row.expires_on,
    )
    return Stored(id=row.id, entry=entry, loaded_hash=row.loaded_hash)


def _services(
    session: Session, organisations: Mapping[str, str], desks: Mapping[str, str]
) -> dict[str, Stored[countries.Service]]:
    coverage: dict[str, list[tuple[str, str | None]]] = {}
    for row in session.scalars(select(ServiceCoverage)):
        coverage.setdefault(row.service_id, []).append((row.governorate, row.district))
    return _keyed(
        Stored(
            id=row.id,
            entry=_service(row, organisations, desks, coverage.get(row.id, [])),
            loaded_hash=row.loaded_hash,
        )
        for row in session.scalars(select(Service).order_by(Service.code))
        if not row.code.startswith(INVENTED)
    )


def _service(
    row: Service,
    organisations: Mapping[str, str],
    desks: Mapping[str, str],
    coverage: list[tuple[str, str | None]],
) -> countries.Service:
    return countries.Service(
        code=row.code,
        organisation=organisations[row.organisation_id],
        category=row.category,
        names=row.names,
        coverage=tuple(sorted(coverage, key=lambda pair: (pair[0], pair[1] or ""))),
        desk=desks[row.desk_id] if row.desk_id else None,
        description=row.description,
        eligibility=row.eligibility,
        languages=tuple(row.languages),
        details=row.details,
        visibility=row.visibility,
        slots=row.slots,
        valid_until=row.valid_until,
        active=row.active,
        livemode=row.livemode,
        accepting=row.accepting,
        paused_until=row.paused_until,
        open_slots=row.open_slots,
        waiting_days=row.waiting_days,
        last_verified_on=row.last_verified_on,
    )


def _code(row: CodeEntry) -> Stored[countries.Code]:
    entry = countries.Code(
        list=row.list, code=row.code, names=row.names, position=row.position, extra=row.extra, active=row.active
    )
    return Stored(id=row.id, entry=entry, loaded_hash=row.loaded_hash)


def _item(row: PackItem) -> Stored[countries.Item]:
    entry = countries.Item(kind=ItemKind(row.kind), key=row.key, content=row.content)
    return Stored(id="", entry=entry, loaded_hash=row.loaded_hash)


def _forms(session: Session) -> dict[str, dict[str, countries.Json]]:
    rows = session.scalars(select(FormVersion).order_by(FormVersion.key, FormVersion.number))
    return {row.key: row.content for row in rows}


def _paths(session: Session) -> dict[str, bytes]:
    rows = session.execute(
        select(Path.key, PathVersion.diagram)
        .join(PathVersion, PathVersion.path_id == Path.id)
        .order_by(Path.key, PathVersion.number)
    )
    return {key: diagram.encode() for key, diagram in rows}


def _scenarios(session: Session) -> dict[str, dict[str, dict[str, countries.Json]]]:
    rows = session.execute(
        select(Path.key, PathVersion.scenarios)
        .join(PathVersion, PathVersion.path_id == Path.id)
        .order_by(Path.key, PathVersion.number)
    )
    return {key: scenarios for key, scenarios in rows if scenarios}
