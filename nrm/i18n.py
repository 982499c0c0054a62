"""Texts for people: catalogues `nrm/locale/<language>/<catalogue>.json`, code → text with {named} places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from babel import Locale

LANGUAGES: Final = ("ar", "ckb", "en")
DEFAULT: Final = "en"
LOCALE: Final = Path(__file__).parent / "locale"


@lru_cache(maxsize=1024)
def catalogue(name: str, language: str) -> Mapping[str, str]:
    """Give a catalogue, read once per process; an empty one where the language has none of that name."""
    file = LOCALE / language / f"{name}.json"
    if not file.is_file():
        return {}
    texts: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return texts


@lru_cache(maxsize=8)
def locale_of(language: str) -> Locale:
    """Give what Babel knows of a language: its plural forms, among others."""
    return Locale.parse(language)


_MINUTE: Final = 60
_HOUR: Final = 3600
_LONGEST_IN_MINUTES: Final = 90


def wait_in_words(seconds: int, language: str) -> str:
    """Say how long to wait, rounded up, in the unit that people count such a time in.

    Args:
        seconds: ≥ 1; from a minute on it is told in minutes, beyond an hour and a half in hours.
        language: ar, ckb or en; another gives English.
    """
    language = language if language in LANGUAGES else DEFAULT
    unit, number = "second", seconds
    if seconds > _LONGEST_IN_MINUTES * _MINUTE:
        unit, number = "hour", -(-seconds // _HOUR)
    elif seconds >= _MINUTE:
        unit, number = "minute", -(-seconds // _MINUTE)
    return catalogue("pages/waits", language)[f"{unit}.{locale_of(language).plural_form(number)}"].format(n=number)


class _Places(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def say(name: str, code: str, language: str, params: Mapping[str, object] | None = None) -> str | None:
    """Say a coded thing in words.

    Args:
        name: the catalogue.
        code: key of the text.
        language: ar, ckb or en; another gives English.
        params: values for the places of the text; `retry_after`, in seconds, also fills the place `wait`, in words.

    Returns:
        None when the catalogue has no such code.
    """
    text = catalogue(name, language).get(code) or catalogue(name, DEFAULT).get(code)
    if text is None:
        return None
    shown = {key: str(value) for key, value in (params or {}).items()}
    pause = (params or {}).get("retry_after")
    if isinstance(pause, int):
        shown["wait"] = wait_in_words(pause, language)
    return text.format_map(_Places(shown))
