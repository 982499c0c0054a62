"""Keys and clients of partner programs: issued once, shown once, replaced with an overlap, revoked at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update

from nrm import ids
from nrm.actions._action import Work, action
from nrm.assertions import BadPublicKey, clean_public_key
from nrm.credentials import new_client_secret, new_partner_key, secret_hash
from nrm.errors import AlreadyDone, Conflict, NotAllowed, NotFound, NotValid, Problem
from nrm.installation import installation
from nrm.models import AccessToken, ApiKey, Organisation
from nrm.queries.keys import managed_organisations
from nrm.rules.permissions import SCOPES
from nrm.vocabulary import KeyKind

LONGEST_DAYS: Final = 365
MOST_LIVE: Final = 2
OVERLAP: Final = timedelta(hours=24)
"""How long a key that was replaced goes on to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key or client.

    Attributes:
        id: its id, for revoking it; the `client_id` of a client.
        text: the key or secret itself; it is stored nowhere and cannot be shown again. "" for a client that signs.
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
    kind: str = KeyKind.KEY,
    public_key: Mapping[str, object] | None = None,
) -> IssuedKey:
    """Issue a key or client to an organisation; two of a kind may live at once, so that one can replace the other.

    Args:
        work: the transaction.
        organisation_id: whose key it is.
        name: what it is for.
        scopes: keys of `nrm.rules.permissions.SCOPES`.
        networks: networks from which it may be used ("192.0.2.0/24"); none for any.
        days: how long it is valid, 1 to 365.
        livemode: False for a key that only sees invented people.
        kind: a `KeyKind`: a key that is sent with each request, or an OAuth client with a secret or a key pair.
        public_key: the client's public key (a JWK), for "client_key" only.

    Raises:
        NotFound: no such organisation.
        NotAllowed: the actor manages keys of other organisations only.
        NotValid: a field is wrong.
        Conflict: the organisation has two live ones of this kind, or keys of this kind are switched off.
    """
    organisation = work.session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update()
    ).scalar_one_or_none()
    if organisation is None:
        raise NotFound
    _require_in(work, organisation_id)
    _check(name, scopes, networks, days, kind)
    return _add(
        work,
        ApiKey(
            kind=kind,
            organisation_id=organisation_id,
            name=name.strip()[:100],
            scopes=sorted(set(scopes)),
            networks=list(networks),
            livemode=livemode,
            public_key=_public_key(kind, public_key),
        ),
        days=days,
    )


def _add(work: Work, wanted: ApiKey, *, days: int) -> IssuedKey:
    """Store a checked key of which a few fields are known."""
    live = select(func.count()).where(
        ApiKey.organisation_id == wanted.organisation_id,
        (ApiKey.kind == str(KeyKind.KEY)).is_(wanted.kind == KeyKind.KEY),
        ApiKey.livemode.is_(wanted.livemode),
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > work.now,
    )
    if (work.session.execute(live).scalar() or 0) >= MOST_LIVE:
        raise Conflict("too_many_keys", most=MOST_LIVE)
    text = _new_secret(wanted)
    expires_at = work.now + timedelta(days=days)
    client = wanted.kind != KeyKind.KEY
    key_id = work.add(
        ApiKey,
        id=ids.new_id("cli" if client else "key"),
        kind=str(wanted.kind),
        organisation_id=wanted.organisation_id,
        name=wanted.name,
        prefix=text[:15] if client else text[:13],
        key_sha256=secret_hash(text) if text else None,
        public_key=wanted.public_key,
        scopes=wanted.scopes,
        networks=wanted.networks,
        livemode=wanted.livemode,
        created_at=work.now,
        created_by=work.actor.id,
        expires_at=expires_at,
    )
    _record(work, "key.issued", wanted.organisation_id, key_id)
    return IssuedKey(id=key_id, text=text, expires_at=expires_at)


def _new_secret(wanted: ApiKey) -> str:
    if wanted.kind == KeyKind.CLIENT_KEY:
        return ""
    return new_client_secret() if wanted.kind == KeyKind.CLIENT_SECRET else new_partner_key(livemode=wanted.livemode)


def _check(name: str, scopes: Sequence[str], networks: Sequence[str], days: int, kind: str) -> None:
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
    if kind not in set(KeyKind):
        problems.append(Problem(pointer="/kind", code="not_a_choice", params={"choices": ", ".join(KeyKind)}))
    for place, network in enumerate(networks):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            problems.append(Problem(pointer=f"/networks/{place}", code="not_a_network"))
    if problems:
        raise NotValid(problems)
    if kind == KeyKind.KEY and not installation().config.allow_static_keys:
        raise Conflict("static_keys_off")


def _public_key(kind: str, jwk: Mapping[str, object] | None) -> dict[str, str] | None:
    if kind != KeyKind.CLIENT_KEY:
        if jwk is not None:
            raise NotValid([Problem(pointer="/public_key", code="not_with_this_kind")])
        return None
    if jwk is None:
        raise NotValid([Problem(pointer="/public_key", code="required")])
    try:
        return clean_public_key(jwk)
    except BadPublicKey as mistake:
        raise NotValid([Problem(pointer="/public_key", code=str(mistake))]) from None


@action("key.rotate", permission="key.manage")
def rotate_key(
    work: Work, key_id: str, *, days: int = 180, public_key: Mapping[str, object] | None = None
) -> IssuedKey:
    """Issue a key or client like another one, which ends a day later: time to change over.

    Args:
        work: the transaction.
        key_id: the one that is replaced.
        days: how long the new one is valid.
        public_key: the new public key of a client that signs.

    Raises:
        NotFound: no such key, or not one that the actor manages.
        AlreadyDone: it does not live any more.
        NotValid: a field is wrong.
        Conflict: the organisation has two live ones of this kind; revoke one first.
    """
    old = _load(work, key_id)
    if old.revoked_at is not None or old.expires_at <= work.now:
        raise AlreadyDone("key_revoked")
    _check(old.name, old.scopes, old.networks, days, old.kind)
    wanted = ApiKey(
        kind=old.kind,
        organisation_id=old.organisation_id,
        name=old.name,
        scopes=old.scopes,
        networks=old.networks,
        livemode=old.livemode,
        public_key=_public_key(old.kind, public_key),
    )
    issued = _add(work, wanted, days=days)
    ends = min(old.expires_at, work.now + OVERLAP)
    work.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(expires_at=ends))
    return issued


@action("key.revoke", permission="key.manage")
def revoke_key(work: Work, key_id: str) -> None:
    """Make a key, or a client and its tokens, worthless at once.

    Raises:
        NotFound: no such key, or not one that the actor manages.
        AlreadyDone: it was revoked before.
    """
    found = _load(work, key_id)
    if found.revoked_at is not None:
        raise AlreadyDone("key_revoked")
    work.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=work.now))
    work.session.execute(delete(AccessToken).where(AccessToken.key_id == key_id))
    _record(work, "key.revoked", found.organisation_id, key_id)


def _load(work: Work, key_id: str) -> ApiKey:
    """Load a key that the actor manages; others are not the actor's to know of."""
    found = work.session.get(ApiKey, key_id, populate_existing=True)
    managed = managed_organisations(work.actor)
    if found is None or (managed is not None and found.organisation_id not in managed):
        raise NotFound
    # Two rotations of one organisation at once must count each other's key.
    work.session.execute(select(Organisation.id).where(Organisation.id == found.organisation_id).with_for_update())
    return found


def _require_in(work: Work, organisation_id: str) -> None:
    managed = managed_organisations(work.actor)
    if managed is not None and organisation_id not in managed:
        raise NotAllowed("not_allowed", permission="key.manage")


def _record(work: Work, kind: str, organisation_id: str, key_id: str) -> None:
    work.record(kind, stream=organisation_id, subject=("key", key_id), organisation_id=organisation_id)
