"""Keys and clients of partner programs: who stands behind a key or token, and lists for those who manage them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, and_, bindparam, select

from nrm.actors import Actor, ActorKind, Seat
from nrm.credentials import is_access_token, is_partner_key, secret_hash
from nrm.db import UtcDateTime, db
from nrm.errors import NotAllowed, NotFound, NotSignedIn
from nrm.models import AccessToken, ApiKey, Organisation
from nrm.queries import packs
from nrm.queries.page import Key, Page, cut, moment_key, newest_after
from nrm.rules.permissions import SCOPES, permissions_of_scopes
from nrm.vocabulary import KeyKind

_TASKS: Final = frozenset({"tasks:read", "tasks:act"})
"""Scopes with which a program works on the tasks of its organisation's desks."""

ROLE: Final = "partner"
"""The role of a key's one seat."""

# A mapped class has a Table, which its type does not say.
_KEYS: Final = cast("Table", ApiKey.__table__)
_LIVE: Final = and_(
    ApiKey.revoked_at.is_(None), ApiKey.expires_at > bindparam("now", type_=UtcDateTime()), Organisation.active
)
# Built once, since every request of a program begins with one of them.
_KEY: Final = (
    select(ApiKey.id, ApiKey.organisation_id, ApiKey.scopes, ApiKey.networks, ApiKey.livemode, packs.stored_stamp())
    .join(Organisation, Organisation.id == ApiKey.organisation_id)
    .where(ApiKey.key_sha256 == bindparam("secret"), ApiKey.kind == str(KeyKind.KEY), _LIVE)
)
_TOKEN: Final = (
    select(
        ApiKey.id, ApiKey.organisation_id, AccessToken.scopes, ApiKey.networks, ApiKey.livemode, packs.stored_stamp()
    )
    .join(AccessToken, AccessToken.key_id == ApiKey.id)
    .join(Organisation, Organisation.id == ApiKey.organisation_id)
    .where(
        AccessToken.token_sha256 == bindparam("secret"),
        AccessToken.expires_at > bindparam("real_now", type_=UtcDateTime()),
        _LIVE,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationName:
    """An organisation as a program is told of its own."""

    id: str
    code: str
    names: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key or client, without anything secret.

    Attributes:
        kind: "key", "client_secret" or "client_key".
        prefix: how the key begins, to tell keys apart.
        used_at: when it was last used, to a minute; None for never.
    """

    id: str
    kind: str
    organisation_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...]
    livemode: bool
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


def actor_for_key(text: str, *, now: datetime, address: str = "", request_id: str = "") -> Actor:
    """Find the partner behind a key; a text with a typing slip never reaches the database.

    Args:
        text: the key as sent.
        now: the present moment.
        address: network address from which the request came.
        request_id: id of the request, for logs.

    Raises:
        NotSignedIn: no such key, one that is revoked or out of date, or one that may not be used from there.
    """
    if not is_partner_key(text):
        raise NotSignedIn("bad_key")
    row = db.session.execute(_KEY, {"secret": secret_hash(text), "now": now}).one_or_none()
    return _actor(row, address, request_id)


def actor_for_token(text: str, *, now: datetime, real_now: datetime, address: str = "", request_id: str = "") -> Actor:
    """Find the partner behind a client's token.

    Args:
        text: the token as sent.
        now: the present moment; decides whether the client counts.
        real_now: the real time; decides whether the token counts.
        address: network address from which the request came.
        request_id: id of the request, for logs.

    Raises:
        NotSignedIn: no such token, one that is over, or one whose client does not count (any more, or from there).
    """
    if not is_access_token(text):
        raise NotSignedIn("bad_key")
    values = {"secret": secret_hash(text), "now": now, "real_now": real_now}
    return _actor(db.session.execute(_TOKEN, values).one_or_none(), address, request_id)


def _actor(row: Sequence[object] | None, address: str, request_id: str) -> Actor:
    if row is None:
        raise NotSignedIn("bad_key")
    key_id, organisation_id, scopes, networks, livemode, stamp = row
    if not is_inside(address, networks):  # type: ignore[arg-type]  # a list of texts
        raise NotSignedIn("bad_key")
    packs.noticed(stamp)  # type: ignore[arg-type]  # a text
    permissions = permissions_of_scopes(scopes)  # type: ignore[arg-type]  # a list of texts
    seat = Seat(organisation_id=str(organisation_id), desk_id=None, role=ROLE, permissions=permissions)
    seats = (seat, *_at_desks(seat)) if permissions & _TASKS else (seat,)
    return Actor(kind=ActorKind.KEY, id=str(key_id), seats=seats, livemode=livemode is True, request_id=request_id)


def _at_desks(seat: Seat) -> Iterator[Seat]:
    """Give a seat at each desk of an organisation: tasks are given to desks, and its program works for all of them."""
    for desk in packs.pack().desks:
        if desk.organisation_id == seat.organisation_id:
            yield replace(seat, desk_id=desk.id)


def is_inside(address: str, networks: Sequence[str]) -> bool:
    """Say whether an address lies in one of some networks; any does when there are none."""
    if not networks:
        return True
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(place in ipaddress.ip_network(network) for network in networks)


def scopes_of(actor: Actor) -> tuple[str, ...]:
    """List the scopes of a key or token."""
    return tuple(scope for scope in SCOPES if actor.may(scope))


def organisation_of(actor: Actor) -> OrganisationName | None:
    """Give an actor's first organisation; None for one who sits nowhere."""
    if not actor.organisations:
        return None
    row = db.session.execute(
        select(Organisation.id, Organisation.code, Organisation.names).where(Organisation.id == actor.organisations[0])
    ).one()
    return OrganisationName(id=row.id, code=row.code, names=row.names)


def keys(
    actor: Actor, *, organisation_id: str | None = None, after: Key | None = None, limit: int = 50
) -> Page[KeyRow]:
    """List keys and clients of the organisations whose keys the actor manages, the newest first.

    Args:
        actor: needs the permission key.manage.
        organisation_id: only this organisation's.
        after: the key after which the page begins.
        limit: rows of the page.

    Raises:
        NotAllowed: the actor does not manage keys.
        NotValid: the key is of another list.
    """
    managed = managed_organisations(actor)
    statement = select(ApiKey)
    if organisation_id is not None:
        statement = statement.where(ApiKey.organisation_id == organisation_id)
    if managed is not None:
        statement = statement.where(ApiKey.organisation_id.in_(managed))
    rows = db.session.scalars(newest_after(statement, _KEYS.c.created_at, _KEYS.c.id, after=after, limit=limit)).all()
    return cut(rows, limit, key=lambda row: (moment_key(row.created_at), row.id), make=_row)


def key(actor: Actor, key_id: str) -> KeyRow:
    """Give a key or client.

    Raises:
        NotAllowed: the actor does not manage keys.
        NotFound: no such key, or one of an organisation whose keys the actor does not manage.
    """
    managed = managed_organisations(actor)
    found = db.session.get(ApiKey, key_id, populate_existing=True)
    if found is None or (managed is not None and found.organisation_id not in managed):
        raise NotFound
    return _row(found)


def managed_organisations(actor: Actor) -> frozenset[str] | None:
    """Give the organisations whose keys an actor manages; None for all.

    Raises:
        NotAllowed: the actor manages none.
    """
    if actor.is_system:
        return None
    seats = [seat for seat in actor.seats if "key.manage" in seat.permissions]
    if not seats:
        raise NotAllowed("not_allowed", permission="key.manage")
    everywhere = packs.pack().country_roles
    if any(seat.role in everywhere for seat in seats):
        return None
    return frozenset(seat.organisation_id for seat in seats)


def _row(row: ApiKey) -> KeyRow:
    return KeyRow(
        id=row.id,
        kind=row.kind,
        organisation_id=row.organisation_id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        networks=tuple(row.networks),
        livemode=row.livemode,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
