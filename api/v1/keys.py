"""Partners' programs: who one is, keys and clients for those who manage them, and what programs asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import current_app, g

from api.schemas.keys import IssueKey, KeyQuery, RotateKey
from api.transport.endpoint import ANY_KEY, Ask, Noun
from api.transport.rates import Taken
from nrm.actions import keys as actions
from nrm.actions.keys import IssuedKey
from nrm.installation import installation
from nrm.queries import keys as queries
from nrm.queries import request_log
from nrm.queries.keys import KeyRow, OrganisationName
from nrm.queries.page import Page
from nrm.queries.request_log import RequestRow

keys = Noun("keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How often one may ask.

    Attributes:
        per_second: requests a second that may go on for ever.
        burst: requests at once after a rest.
        left: requests that are left at once.
    """

    per_second: float
    burst: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmI:
    """Who asks.

    Attributes:
        kind: "key" for programs, "user" for people.
        credential_id: id of the key, client or user.
        organisation: one's organisation; of a user's the first.
        scopes: what a key or token is good for.
        livemode: False for a test key, which sees only invented people.
        now: the server's time.
        rate_limit: None for people.
    """

    kind: str
    credential_id: str
    organisation: OrganisationName | None
    scopes: tuple[str, ...]
    livemode: bool
    now: datetime
    rate_limit: RateLimit | None


@keys.get("/whoami", answer=WhoAmI, scope=ANY_KEY)
def who_am_i(ask: Ask) -> WhoAmI:
    """Say who asks, with which scopes, and how often it may: the first call of a new program."""
    taken: Taken | None = g.get("taken")
    return WhoAmI(
        kind=str(ask.actor.kind),
        credential_id=ask.actor.id,
        organisation=queries.organisation_of(ask.actor),
        scopes=queries.scopes_of(ask.actor),
        livemode=ask.actor.livemode,
        now=installation().clock.now(),
        rate_limit=None
        if taken is None
        else RateLimit(per_second=taken.policy.rate, burst=taken.policy.burst, left=taken.left),
    )


@keys.get("/keys", query=KeyQuery, answer=KeyRow, paged=True, permission="key.manage")
def list_keys(ask: Ask) -> Page[KeyRow]:
    """List keys and clients, the newest first."""
    return queries.keys(ask.actor, organisation_id=ask.query.get("organisation"), after=ask.after, limit=ask.limit)


@keys.post("/keys", body=IssueKey, answer=IssuedKey, status=201, permission="key.manage", keyed=False)
def issue(ask: Ask) -> IssuedKey:
    """Issue a key or an OAuth client; the key or secret is shown in this answer only."""
    return actions.issue_key(ask.actor, ask.body.pop("organisation_id"), **ask.body)


@keys.get("/keys/<key_id>", answer=KeyRow, permission="key.manage")
def read_key(ask: Ask, key_id: str) -> KeyRow:
    """Read what is known of a key or client."""
    return queries.key(ask.actor, key_id)


@keys.post("/keys/<key_id>/rotate", body=RotateKey, answer=IssuedKey, permission="key.manage", keyed=False)
def rotate(ask: Ask, key_id: str) -> IssuedKey:
    """Replace a key or client; the old one counts for another day."""
    return actions.rotate_key(ask.actor, key_id, **ask.body)


@keys.delete("/keys/<key_id>", permission="key.manage")
def revoke(ask: Ask, key_id: str) -> None:
    """Make a key, or a client and its tokens, worthless at once."""
    actions.revoke_key(ask.actor, key_id)


@keys.get("/request-log", answer=RequestRow, paged=True, scope=ANY_KEY)
def read_request_log(ask: Ask) -> Page[RequestRow]:
    """List what one's programs asked in the last 30 days, the latest first; the last seconds may be missing."""
    current_app.extensions["nrm.request_log"].flush()
    return request_log.requests(ask.actor, after=ask.after, limit=ask.limit)
