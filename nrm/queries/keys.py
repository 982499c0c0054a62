"""Keys of partner programs: who stands behind one."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select

from nrm.actors import Actor, ActorKind, Seat
from nrm.credentials import is_partner_key, secret_hash
from nrm.db import UtcDateTime, db
from nrm.errors import NotSignedIn
from nrm.models import ApiKey, Organisation
from nrm.queries import packs
from nrm.rules.permissions import permissions_of_scopes

ROLE: Final = "partner"
"""The role of a key's one seat."""

# Built once, since every request of a program begins with it.
_KEY: Final = (
    select(ApiKey.id, ApiKey.organisation_id, ApiKey.scopes, ApiKey.networks, ApiKey.livemode, packs.stored_stamp())
    .join(Organisation, Organisation.id == ApiKey.organisation_id)
    .where(
        ApiKey.key_sha256 == bindparam("secret"),
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > bindparam("now", type_=UtcDateTime()),
        Organisation.active,
    )
)


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
    if row is None or not _inside(address, row.networks):
        raise NotSignedIn("bad_key")
    packs.noticed(row[5])
    seat = Seat(
        organisation_id=row.organisation_id, desk_id=None, role=ROLE, permissions=permissions_of_scopes(row.scopes)
    )
    return Actor(kind=ActorKind.KEY, id=row.id, seats=(seat,), livemode=row.livemode, request_id=request_id)


def _inside(address: str, networks: Sequence[str]) -> bool:
    if not networks:
        return True
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(place in ipaddress.ip_network(network) for network in networks)
