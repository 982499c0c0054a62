"""Keys of partner programs: issued once, shown once, revoked at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.credentials import new_partner_key, secret_hash
from nrm.errors import AlreadyDone, Conflict, NotAllowed, NotFound, NotValid, Problem
from nrm.models import ApiKey, Organisation
from nrm.queries import packs
from nrm.rules.permissions import SCOPES

LONGEST_DAYS: Final = 365
MOST_LIVE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key.

    Attributes:
        id: its id, for revoking it.
        text: the key itself; it is stored nowhere and cannot be shown again.
        expires_at: when it ends by itself.
    """

    id: str
    text: str
    expires_at: datetime


@action("key.issue", permission="key.manage")
def issue_key(
    work: Work,
    organisation_id: str,
    *,
    name: str,
    scopes: Sequence[str],
    networks: Sequence[str] = (),
    days: int = 180,
    livemode: bool = True,
) -> IssuedKey:
    """Issue a key to an organisation; two may live at once, so that one can replace the other.

    Args:
        work: the transaction.
        organisation_id: whose key it is.
        name: what it is for.
        scopes: keys of `nrm.rules.permissions.SCOPES`.
        networks: networks from which it may be used ("192.0.2.0/24"); none for any.
        days: how long it is valid, 1 to 365.
        livemode: False for a key that only sees invented people.

    Raises:
        NotFound: no such organisation.
        NotAllowed: the actor manages keys of other organisations only.
        NotValid: a scope, network or number of days is wrong.
        Conflict: the organisation has two live keys.
    """
    organisation = work.session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update()
    ).scalar_one_or_none()
    if organisation is None:
        raise NotFound
    _require_in(work, organisation_id)
    _check(name, scopes, networks, days)
    live = select(func.count()).where(
        ApiKey.organisation_id == organisation_id,
        ApiKey.livemode.is_(livemode),
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > work.now,
    )
    if (work.session.execute(live).scalar() or 0) >= MOST_LIVE:
        raise Conflict("too_many_keys", most=MOST_LIVE)
    text = new_partner_key(livemode=livemode)
    expires_at = work.now + timedelta(days=days)
    key_id = work.add(
        ApiKey,
        id=ids.new_id("key"),
        organisation_id=organisation_id,
        name=name.strip()[:100],
        prefix=text[:13],
        key_sha256=secret_hash(text),
        scopes=sorted(set(scopes)),
        networks=list(networks),
        livemode=livemode,
        created_at=work.now,
        created_by=work.actor.id,
        expires_at=expires_at,
    )
    _record(work, "key.issued", organisation_id, key_id)
    return IssuedKey(id=key_id, text=text, expires_at=expires_at)


def _check(name: str, scopes: Sequence[str], networks: Sequence[str], days: int) -> None:
    problems = [
        Problem(pointer=f"/scopes/{place}", code="not_a_choice", params={"choices": ", ".join(SCOPES)})
        for place, scope in enumerate(scopes)
        if scope not in SCOPES
    ]
    if not name.strip():
        problems.append(Problem(pointer="/name", code="required"))
    if not scopes:
        problems.append(Problem(pointer="/scopes", code="required"))
    if not 1 <= days <= LONGEST_DAYS:
        problems.append(Problem(pointer="/days", code="out_of_range", params={"least": 1, "most": LONGEST_DAYS}))
    for place, network in enumerate(networks):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            problems.append(Problem(pointer=f"/networks/{place}", code="not_a_network"))
    if problems:
        raise NotValid(problems)


@action("key.revoke", permission="key.manage")
def revoke_key(work: Work, key_id: str) -> None:
    """Make a key worthless at once.

    Raises:
        NotFound: no such key.
        NotAllowed: the actor manages keys of other organisations only.
        AlreadyDone: it was revoked before.
    """
    key = work.session.get(ApiKey, key_id, populate_existing=True)
    if key is None:
        raise NotFound
    _require_in(work, key.organisation_id)
    if key.revoked_at is not None:
        raise AlreadyDone("key_revoked")
    work.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=work.now))
    _record(work, "key.revoked", key.organisation_id, key_id)


def _require_in(work: Work, organisation_id: str) -> None:
    if work.actor.is_system or work.actor.may("key.manage", organisation=organisation_id):
        return
    everywhere = packs.pack().country_roles
    if not any("key.manage" in seat.permissions and seat.role in everywhere for seat in work.actor.seats):
        raise NotAllowed("not_allowed", permission="key.manage")


def _record(work: Work, kind: str, organisation_id: str, key_id: str) -> None:
    work.record(kind, stream=organisation_id, subject=("key", key_id), organisation_id=organisation_id)
