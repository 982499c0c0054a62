"""Case numbers that people read out, type and print: `PREFIX-YY-XXXXX-C`.

The five characters are random (a serial number would tell how many people have come), in Crockford's base 32,
which has no I, L, O and U. The check character is a weighted sum over the field of 32 elements; the weights are
different powers of one generator, so every single wrong character and every swap of two characters, neighbours or
not, is found.
"""

from __future__ import annotations

import re
from typing import Final

from nrm.errors import NotValid, Problem
from nrm.rules.texts import fold_digits

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PREFIX: Final = re.compile(r"[A-Z]{2,4}")
_BODY: Final = 5
_POLYNOMIAL: Final = 0b100101  # x^5 + x^2 + 1, primitive: 2 generates all 31 elements that are not zero


def _powers() -> tuple[int, ...]:
    powers, value = [], 1
    for _ in range(31):
        powers.append(value)
        value <<= 1
        if value & 32:
            value ^= _POLYNOMIAL
    return tuple(powers)


_POWER: Final = _powers()
_LOGARITHM: Final = {value: exponent for exponent, value in enumerate(_POWER)}


def check_character(text: str) -> str:
    """Work out the check character of up to 30 characters of `ALPHABET`.

    Raises:
        KeyError: a character is not in the alphabet.
    """
    total = 0
    for place, character in enumerate(reversed(text), start=1):
        value = _VALUE[character]
        if value:
            total ^= _POWER[(_LOGARITHM[value] + place) % 31]
    return ALPHABET[total]


def case_number(prefix: str, year: int, random: bytes) -> str:
    """Make a case number.

    Args:
        prefix: two to four capital letters, of the country pack.
        year: year in which the case is opened.
        random: at least 4 random bytes; 25 bits of them are used.

    Raises:
        ValueError: the prefix is no such letters, or there are too few bytes.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("a prefix is two to four capital letters")
    if len(random) < 4:
        raise ValueError("at least four random bytes")
    number = int.from_bytes(random[:4], "big")
    body = "".join(ALPHABET[number >> 5 * place & 31] for place in range(_BODY))
    core = f"{year % 100:02d}{body}"
    return f"{prefix}-{core[:2]}-{body}-{check_character(core)}"


def parse_case_number(text: str, prefix: str) -> str:
    """Read a case number as people write it and give its one right form.

    Small letters, O for 0, I and L for 1, Arabic-Indic digits, spaces and any dashes, and a missing prefix are
    understood.

    Args:
        text: what was typed.
        prefix: the country pack's prefix.

    Raises:
        NotValid: it has not the shape of a case number ("bad_case_number"), or a character is wrong
            ("wrong_check_character").
    """
    bare = re.sub(r"[\s\-‐‑‒–—−_./\u200e\u200f]", "", fold_digits(text[:60])).upper()
    core = bare.removeprefix(prefix) if len(bare) > _BODY + 3 else bare
    core = core.translate(_READ_AS)
    if len(core) != _BODY + 3 or not core[:2].isdecimal() or any(character not in _VALUE for character in core):
        raise NotValid([Problem(pointer="", code="bad_case_number", params={"example": f"{prefix}-26-7F3K9-…"})])
    if check_character(core[:-1]) != core[-1]:
        raise NotValid([Problem(pointer="", code="wrong_check_character")])
    return f"{prefix}-{core[:2]}-{core[2:-1]}-{core[-1]}"
