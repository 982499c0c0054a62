"""Who asks: somebody signed in with a cookie, or a partner's program with a key; never both."""

from __future__ import annotations

import re
from typing import Final

from flask import Request, g

from api.security import sessions
from api.transport.endpoint import Asked
from api.transport.refusals import Refused
from nrm.actions.guessing import real_now
from nrm.actors import Actor
from nrm.credentials import is_access_token
from nrm.errors import NotSignedIn
from nrm.installation import installation
from nrm.queries.keys import actor_for_key, actor_for_token

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,200}=*)", re.IGNORECASE)
_SECRET_IN_ADDRESS: Final = re.compile(r"nrm_(live|test|token|client)_[0-9A-Za-z]{8}|access_token=", re.IGNORECASE)


def who_asks(request: Request) -> Asked:
    """Find who asks, by the header Authorization or by the session cookie.

    A key cannot be sent by another site's page behind somebody's back, as cookies are; so a request with one needs
    no proof of where it comes from.

    Raises:
        NotSignedIn: nobody, or a key that does not count.
        Refused: both a cookie and a key, or a change that another site's page asks for.
    """
    if "Authorization" not in request.headers:
        return sessions.who_asks(request)
    if sessions.has_cookie(request):
        raise Refused(400, "two_credentials")
    return Asked(actor=_partner(bearer_of(request), request), session_id="")


def _partner(text: str, request: Request) -> Actor:
    """Find who stands behind a key or a token."""
    place = installation()
    address, request_id = request.remote_addr or "", str(g.get("request_id", ""))
    now = place.clock.now()
    if is_access_token(text):
        return actor_for_token(text, now=now, real_now=real_now(), address=address, request_id=request_id)
    if not place.config.allow_static_keys:
        raise NotSignedIn("static_keys_off")
    return actor_for_key(text, now=now, address=address, request_id=request_id)


def bearer_of(request: Request) -> str:
    """Give the key that a request carries (RFC 6750 §2.1).

    Raises:
        NotSignedIn: the header Authorization holds something else.
    """
    found = _BEARER.fullmatch(request.headers["Authorization"].strip())
    if found is None:
        raise NotSignedIn("bad_key")
    return found[1]


def refuse_secret_in_address(request: Request) -> None:
    """Refuse a request whose address holds a key: addresses are kept in logs and histories.

    Raises:
        Refused: there is one.
    """
    if _SECRET_IN_ADDRESS.search(request.query_string.decode("latin-1")) or _SECRET_IN_ADDRESS.search(request.path):
        raise Refused(400, "key_in_address")
