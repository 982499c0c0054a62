"""Public ids: opaque, random, with a prefix that says what they name.

An id is the prefix, "_" and 26 characters of Crockford's base 32: 130 random bits. It is also the primary key
of its table (docs/adr/0002): serial numbers leak volume and invite guessing, ids made from the time leak when a
person was registered.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTERS: Final = (_ALPHABET * 8).encode()
"""What each of 256 bytes becomes; the alphabet goes into them without a rest, so that all letters are as likely."""
_SHAPE: Final = re.compile(r"[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}")

LENGTH: Final = 31
"""Longest id: a prefix of four letters, "_" and 26 characters."""


def new_id(prefix: str) -> str:
    """Make a new random id.

    Args:
        prefix: two to four lower-case letters, one per table ("per", "cas", "ref").
    """
    return prefix + "_" + secrets.token_bytes(26).translate(_LETTERS).decode()


def is_id(text: str, prefix: str | None = None) -> bool:
    """Say whether a text has the shape of an id, with this prefix where one is given."""
    return bool(_SHAPE.fullmatch(text)) and (prefix is None or text.startswith(prefix + "_"))
