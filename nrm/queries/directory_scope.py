"""Where entries of the directory count, and where an actor keeps it; the rule is `nrm.rules.directory_scope`."""

from __future__ import annotations

from nrm import countries
from nrm.actors import Actor, Seat
from nrm.db import db
from nrm.models import Organisation
from nrm.queries import packs
from nrm.queries.pack_rows import Entry, StoredPack
from nrm.rules.directory_scope import Governorates, keeps, together

DIRECTORY = "directory.edit"


def area_of(actor: Actor) -> Governorates:
    """Give the governorates whose directory an actor keeps; None for the whole country.

    A role of the whole country keeps all of it. Else a seat counts for the governorate of its desk, for the
    jurisdiction of a desk without one, and where it is for a whole organisation for the organisation's jurisdiction.
    """
    if actor.is_system:
        return None
    return together(_of_seat(seat) for seat in actor.seats if DIRECTORY in seat.permissions)


def _of_seat(seat: Seat) -> Governorates:
    pack = packs.pack()
    if seat.role in pack.country_roles:
        return None
    if seat.desk_id is not None:
        desk = pack.desk(seat.desk_id)
        if desk is None:
            return frozenset()  # a retired desk keeps nothing
        if desk.governorate is not None:
            return frozenset({desk.governorate})
        if desk.jurisdiction is not None:
            return _under(desk.jurisdiction)
    found = db.session.get(Organisation, seat.organisation_id)
    return _under(found.jurisdiction if found else None)


def _under(jurisdiction: str | None) -> Governorates:
    if jurisdiction is None:
        return None
    pack = packs.pack()
    return frozenset(
        place.key
        for place in pack.places.values()
        if place.parent is None and pack.jurisdiction_of(place.key) == jurisdiction
    )


def lies_in(entry: Entry, stored: StoredPack) -> Governorates:
    """Give where an entry of the directory counts; None for the whole country."""
    match entry:
        case countries.Desk():
            if entry.governorate is not None:
                return frozenset({entry.governorate})
            return _under(entry.jurisdiction or _jurisdiction(entry.organisation, stored))
        case countries.Service():
            return frozenset(governorate for governorate, _ in entry.coverage)
        case countries.Agreement():
            return _of_organisation(entry.organisation, stored)
        case countries.Organisation():
            return _of_organisation(entry.code, stored) if entry.code in stored.organisations else None
        case _:
            return None


def _jurisdiction(code: str, stored: StoredPack) -> str | None:
    home = stored.organisations.get(code)
    return home.entry.jurisdiction if home else None


def _of_organisation(code: str, stored: StoredPack) -> Governorates:
    """Give all places in which an organisation has a desk or a service; its jurisdiction where it has none."""
    desks = [row.entry for row in stored.desks.values() if row.entry.organisation == code]
    services = [row.entry for row in stored.services.values() if row.entry.organisation == code]
    parts = [*(lies_in(one, stored) for one in desks), *(lies_in(one, stored) for one in services)]
    return together(parts) if parts else _under(_jurisdiction(code, stored))


def may_change(actor: Actor, entry: Entry, stored: StoredPack) -> bool:
    """Say whether an actor keeps the directory where an entry counts."""
    return keeps(area_of(actor), lies_in(entry, stored))
