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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nrm.rules.partner_events import Envelope

SHARED: Final = "whsec_"
PRIVATE: Final = "whsk_"
PUBLIC: Final = "whpk_"
_OPTIONS: Final = orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_UTC_Z


def new_secret(*, asymmetric: bool = False) -> str:
    """Make the secret of an endpoint: 32 random bytes, for HMAC-SHA256 (v1) or as a private key of Ed25519 (v1a)."""
    return (PRIVATE if asymmetric else SHARED) + base64.b64encode(secrets.token_bytes(32)).decode()


def is_asymmetric(secret: str) -> bool:
    """Say whether what a secret signs is checked with a public key."""
    return secret.startswith(PRIVATE)


def checks(secret: str) -> str:
    """Give what a receiver checks signatures with: the secret itself, or the public key of a private one."""
    if not is_asymmetric(secret):
        return secret
    public = _private_key(secret).public_key().public_bytes_raw()
    return PUBLIC + base64.b64encode(public).decode()


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
        "webhook-signature": " ".join(_sign(secret, signed) for secret in signing),
    }


def _sign(secret: str, signed: bytes) -> str:
    if is_asymmetric(secret):
        return "v1a," + base64.b64encode(_private_key(secret).sign(signed)).decode()
    key = base64.b64decode(secret.removeprefix(SHARED))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _private_key(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret.removeprefix(PRIVATE)))
