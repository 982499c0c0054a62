"""Short tokens for OAuth clients (RFC 6749 §4.4), and their end before time (RFC 7009)."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from nrm.actions._action import Work, transact
from nrm.actions.guessing import real_now
from nrm.actors import SYSTEM
from nrm.assertions import Assertion, BadAssertion, subject_of, verify
from nrm.credentials import is_client_secret, new_access_token, secret_hash
from nrm.db import db
from nrm.errors import NrmError
from nrm.ids import is_id
from nrm.installation import installation
from nrm.models import AccessToken, ApiKey, Organisation, UsedAssertion
from nrm.queries.keys import is_inside
from nrm.vocabulary import KeyKind

LIFETIME: Final = timedelta(minutes=15)
"""How long a token counts."""


class ClientRefused(NrmError):
    """A client does not get what it asks for; the code is one of RFC 6749 §5.2."""

    code = "invalid_client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a client shows who it is: by its secret, or by a signed assertion.

    Attributes:
        client_id: the client's id as it says; "" where only the assertion names it.
        secret: its secret, "" for none.
        assertion: a JWT that it signed, "" for none.
        audiences: who an assertion may be meant for: this service.
        address: network address from which the request came.
    """

    client_id: str = ""
    secret: str = ""
    assertion: str = ""
    audiences: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A new token.

    Attributes:
        text: the token itself, stored nowhere.
        seconds: how long it counts.
        scopes: what it is good for.
    """

    text: str
    seconds: int
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    id: str
    scopes: Collection[str]
    assertion: Assertion | None


def issue_token(proof: Proof, *, scopes: Sequence[str] | None = None) -> IssuedToken:
    """Give a client a token.

    Args:
        proof: how it shows who it is.
        scopes: what the token is to be good for; None for all that the client may do.

    Raises:
        ClientRefused: "invalid_client" when it does not show who it is, "invalid_scope" when it asks for too much.
    """
    client = _identify(proof)
    wanted = sorted(set(client.scopes if scopes is None else scopes))
    if not wanted or not set(wanted) <= set(client.scopes):
        raise ClientRefused("invalid_scope")
    text, now = new_access_token(), real_now()

    def store(work: Work) -> None:
        _use_up(work, client, now)
        work.add(
            AccessToken,
            token_sha256=secret_hash(text),
            key_id=client.id,
            scopes=wanted,
            issued_at=now,
            expires_at=now + LIFETIME,
        )

    transact(SYSTEM, store)
    return IssuedToken(text=text, seconds=int(LIFETIME.total_seconds()), scopes=tuple(wanted))


def revoke_token(proof: Proof, token: str) -> None:
    """Make a client's own token worthless; another's, or none, is no mistake (RFC 7009 §2.2).

    Raises:
        ClientRefused: the client does not show who it is.
    """
    client = _identify(proof)

    def forget(work: Work) -> None:
        _use_up(work, client, real_now())
        of_client = AccessToken.key_id == client.id
        work.session.execute(delete(AccessToken).where(AccessToken.token_sha256 == secret_hash(token), of_client))

    transact(SYSTEM, forget)


def _identify(proof: Proof) -> _Client:
    client_id = proof.client_id or subject_of(proof.assertion)
    row = db.session.execute(
        select(ApiKey.id, ApiKey.kind, ApiKey.key_sha256, ApiKey.public_key, ApiKey.scopes, ApiKey.networks)
        .join(Organisation, Organisation.id == ApiKey.organisation_id)
        .where(
            ApiKey.id == (client_id if is_id(client_id, "cli") else ""),
            ApiKey.kind != str(KeyKind.KEY),
            ApiKey.revoked_at.is_(None),
            ApiKey.expires_at > installation().clock.now(),
            Organisation.active,
        )
    ).one_or_none()
    db.session.rollback()
    if row is None or not is_inside(proof.address, row.networks):
        raise ClientRefused
    if row.kind == KeyKind.CLIENT_SECRET:
        fits = is_client_secret(proof.secret) and hmac.compare_digest(secret_hash(proof.secret), row.key_sha256 or "")
        if not fits or proof.assertion:
            raise ClientRefused
        return _Client(id=row.id, scopes=row.scopes, assertion=None)
    if proof.secret:
        raise ClientRefused
    try:
        assertion = verify(
            proof.assertion, row.public_key or {}, client_id=row.id, audiences=proof.audiences, now=real_now()
        )
    except BadAssertion:
        raise ClientRefused from None
    return _Client(id=row.id, scopes=row.scopes, assertion=assertion)


def _use_up(work: Work, client: _Client, now: datetime) -> None:
    """Take an assertion once; two requests with one meet in the table's key, and the second sees the first."""
    if client.assertion is None:
        return
    digest = secret_hash(client.assertion.jti)
    used = select(UsedAssertion).where(UsedAssertion.key_id == client.id, UsedAssertion.jti_sha256 == digest)
    if work.session.execute(used).first() is not None:
        raise ClientRefused
    # Longer than the assertion itself counts, with whatever the two clocks differ.
    until = max(client.assertion.expires_at, now) + timedelta(minutes=5)
    work.add(UsedAssertion, key_id=client.id, jti_sha256=digest, expires_at=until)


def forget_old_tokens(work: Work) -> None:
    """Remove tokens and used assertions that count no more, inside another action."""
    now = real_now()
    work.session.execute(delete(AccessToken).where(AccessToken.expires_at <= now))
    work.session.execute(delete(UsedAssertion).where(UsedAssertion.expires_at <= now))
