"""Cursors of lists: the key of the last row, signed, so that a client can only hand back what it was given."""

from __future__ import annotations

import base64
import binascii
import hmac
from functools import lru_cache

import orjson

from nrm.errors import NotValid, Problem
from nrm.installation import installation
from nrm.queries.page import Key

_SIGNATURE = 16


@lru_cache(maxsize=4)
def _signing_key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"nrm:cursor", "sha256")


def _sign(place: str, payload: bytes) -> bytes:
    key = _signing_key(installation().config.secret)
    return hmac.digest(key, place.encode() + b"\x00" + payload, "sha256")[:_SIGNATURE]


def write_cursor(place: str, key: Key) -> str:
    """Make the cursor after a row.

    Args:
        place: name of the list; a cursor of another list is refused.
        key: the row's key.
    """
    payload = orjson.dumps(key)
    return base64.urlsafe_b64encode(_sign(place, payload) + payload).rstrip(b"=").decode()


def read_cursor(place: str, cursor: str) -> Key:
    """Give the key of a cursor.

    Raises:
        NotValid: we did not make it, or it is of another list.
    """
    try:
        data = base64.urlsafe_b64decode(cursor.encode("ascii", "replace") + b"=" * (-len(cursor) % 4))
    except (ValueError, binascii.Error):
        data = b""
    signature, payload = data[:_SIGNATURE], data[_SIGNATURE:]
    if not payload or not hmac.compare_digest(signature, _sign(place, payload)):
        raise NotValid([Problem(pointer="/cursor", code="bad_cursor")])
    return tuple(orjson.loads(payload))
