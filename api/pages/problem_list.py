"""What the page says to which the type of each problem leads: every code in every language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from api.pages.kit.words import RIGHT_TO_LEFT
from nrm.i18n import DEFAULT, LANGUAGES, catalogue

_CATALOGUES: Final = ("errors", "problems", "findings", "expressions")
"""Where words of codes are looked for, in this order, as for the answers themselves."""

_PLACE: Final = re.compile(r"\{\w*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A code with its words.

    Attributes:
        code: the anchor.
        texts: language, its direction, and the words.
    """

    code: str
    texts: tuple[tuple[str, str, str], ...]

    def told_in(self, language: str) -> tuple[tuple[str, str, str], ...]:
        """Give the texts with those of one language first."""
        return tuple(sorted(self.texts, key=lambda text: text[0] != language))


@lru_cache(maxsize=1)
def explained() -> tuple[Explained, ...]:
    """Give every code that an answer may carry, in alphabetical order."""
    codes = {code for name in _CATALOGUES for code in catalogue(name, DEFAULT)}
    shown = sorted(code for code in codes if not code.startswith("title_") and code != "problems_head")
    return tuple(
        Explained(code=code, texts=tuple((lang, _direction(lang), _words(code, lang)) for lang in LANGUAGES))
        for code in shown
    )


def _direction(language: str) -> str:
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def _words(code: str, language: str) -> str:
    found = next(catalogue(name, language)[code] for name in _CATALOGUES if code in catalogue(name, language))
    return _PLACE.sub("…", found)
