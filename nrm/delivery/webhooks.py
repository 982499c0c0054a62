"""A webhook on the wire, as Standard Webhooks 1.0.0 says: three headers and the event as the body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import orjson

from nrm.rules.partner_events import Envelope

PREFIX: Final = "whsec_"
_OPTIONS: Final = orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_UTC_Z


def new_secret() -> str:
    """Make the secret of an endpoint: 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def body_of(event: Envelope) -> bytes:
    """Write an event; the same event always gives the same bytes."""
    return orjson.dumps(event, default=dict, option=_OPTIONS)


def headers_of(delivery_id: str, body: bytes, *, signing: Sequence[str], at: datetime) -> Mapping[str, str]:
    """Give the headers that let a receiver check where a body comes from.

    Args:
        delivery_id: the same at every attempt: a receiver that has seen it need do nothing.
        body: what is sent.
        signing: one secret, or two while the old one still counts.
        at: the moment of this attempt.
    """
    stamp = str(int(at.timestamp()))
    signed = b".".join((delivery_id.encode(), stamp.encode(), body))
    return {
        "Content-Type": "application/json",
        "User-Agent": "nrm-webhooks/1",
        "webhook-id": delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{_sign(secret, signed)}" for secret in signing),
    }


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
