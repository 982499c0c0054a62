"""Every text that people see is there in each language, with the same places to fill in."""

from __future__ import annotations

import json
import re

import pytest

from nrm.events import KINDS
from tests.architecture.sources import ROOT

LOCALE = ROOT / "nrm" / "locale"
LANGUAGES = ("ar", "ckb", "en")
PLACE = re.compile(r"\{(\w+)")
PLURAL_FORMS = {"zero", "one", "two", "few", "many", "other"}
CATALOGUES = sorted({path.relative_to(LOCALE / path.relative_to(LOCALE).parts[0]) for path in LOCALE.rglob("*.json")})


def flat(texts: dict[str, object], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in texts.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{before}{key}."))
        else:
            found[before + key] = str(value)
    return found


def catalogue(language: str, file: object) -> dict[str, str]:
    return flat(json.loads((LOCALE / language / str(file)).read_text()))


def test_there_are_texts_in_three_languages():
    assert sorted(path.name for path in LOCALE.iterdir() if path.is_dir()) == sorted(LANGUAGES)
    assert CATALOGUES


@pytest.mark.parametrize("file", CATALOGUES, ids=str)
@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_each_english_text_is_translated_whole(language, file):
    english, translated = catalogue("en", file), catalogue(language, file)
    assert translated.keys() == english.keys()
    assert [key for key, text in translated.items() if not text.strip()] == []
    other_places = {key: text for key, text in translated.items() if places(key, text) != places(key, english[key])}
    assert other_places == {}


def places(key: str, text: str) -> set[str]:
    """Give the places of a text; a plural form may say its number as a word."""
    return set(PLACE.findall(text)) - ({"n"} if key.rpartition(".")[2] in PLURAL_FORMS else set())


def test_every_text_that_a_page_names_is_there():
    named = re.compile(r"""\bt\(\s*["'](\w+)\.(\w+)["']\s*[,)]""")
    files = [*(ROOT / "api" / "templates").rglob("*.html"), *(ROOT / "api" / "pages").rglob("*.py")]
    found = {match.groups() for file in files for match in named.finditer(file.read_text())}
    assert found
    missing = []
    for noun, code in sorted(found):
        file = LOCALE / "en" / "pages" / f"{noun}.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        if code not in known and f"{code}.other" not in known:
            missing.append(f"{noun}.{code}")
    assert missing == []


@pytest.mark.parametrize("file", CATALOGUES, ids=str)
def test_arabic_and_sorani_are_written_in_their_script(file):
    english = catalogue("en", file)
    letters = re.compile(r"[\u0600-\u06ff]")
    in_words = [key for key, text in english.items() if len(re.findall(r"[a-z]{3,}", PLACE.sub("", text))) > 2]
    for language in ("ar", "ckb"):
        texts = catalogue(language, file)
        assert [key for key in in_words if not letters.search(texts[key])] == []


def test_every_kind_of_event_has_words_for_the_history():
    assert set(catalogue("en", "pages/events.json")) == set(KINDS)
