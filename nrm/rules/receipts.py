"""Receipts: numbers that people write down and ask with later; they tell nothing about what they are for."""

from __future__ import annotations

import re
from typing import Final

from nrm.rules.texts import fold_digits

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS: Final = 20
"""100 random bits: nobody finds one by trying."""


def make_receipt(random: bytes) -> str:
    """Write a receipt in Crockford's base 32, in groups of four.

    Args:
        random: at least 20 random bytes.
    """
    letters = "".join(_ALPHABET[byte & 31] for byte in random[:LETTERS])
    return "-".join(letters[at : at + 4] for at in range(0, LETTERS, 4))


def read_receipt(text: str) -> str | None:
    """Read a receipt as somebody typed it, with any digits, spaces or hyphens; O is 0, I and L are 1.

    Returns:
        None when it cannot be a receipt.
    """
    letters = re.sub(r"[\s\-\u2010-\u2015]", "", fold_digits(text)).upper()
    letters = letters.translate(str.maketrans("OIL", "011"))
    if len(letters) != LETTERS or set(letters) - set(_ALPHABET):
        return None
    return "-".join(letters[at : at + 4] for at in range(0, LETTERS, 4))
