"""Texts for people: catalogues `nrm/locale/<language>/<catalogue>.json`, code → text with {named} places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("ar", "ckb", "en")
DEFAULT: Final = "en"
LOCALE: Final = Path(__file__).parent / "locale"


@lru_cache(maxsize=64)
def catalogue(name: str, language: str) -> Mapping[str, str]:
    """Give a catalogue, read once per process; an empty one where the language has none of that name."""
    file = LOCALE / language / f"{name}.json"
    if not file.is_file():
        return {}
    texts: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return texts


class _Places(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def say(name: str, code: str, language: str, params: Mapping[str, object] | None = None) -> str | None:
    """Say a coded thing in words.

    Args:
        name: the catalogue.
        code: key of the text.
        language: ar, ckb or en; another gives English.
        params: values for the places of the text.

    Returns:
        None when the catalogue has no such code.
    """
    text = catalogue(name, language).get(code) or catalogue(name, DEFAULT).get(code)
    if text is None:
        return None
    return text.format_map(_Places({key: str(value) for key, value in (params or {}).items()}))
