"""What somebody typed into a form that could not be taken: it is shown again, so that nobody writes it twice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_SECRET: Final = ("password", "code", "otp", "secret", "token", "login")
_CHOSEN: Final = re.compile(r"[a-z]{2,4}_[0-9a-z]{26}( [0-9]+)?")
_SHORTEST: Final = 10
_LONGEST: Final = 20_000
_MOST: Final = 30


def typed_texts(fields: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Give the texts of several words among what was sent: codes, dates and ids are chosen again in a moment.

    Args:
        fields: names and values as a form sends them; passwords and codes of signing in are never given back.

    Returns:
        At most 30 texts of at most 20,000 characters.
    """
    found = (text.strip() for name, text in fields if not any(word in name for word in _SECRET))
    long = (text[:_LONGEST] for text in found if len(text) >= _SHORTEST and len(text.split(maxsplit=1)) > 1)
    return tuple(dict.fromkeys(text for text in long if not _CHOSEN.fullmatch(text)))[:_MOST]
