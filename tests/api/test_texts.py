"""Every code that may reach somebody has words in three languages."""

from __future__ import annotations

import json
import re

import pytest

from nrm.i18n import LANGUAGES, LOCALE, catalogue
from tests.api.coded import used_codes

PLACE = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_that_is_raised_has_words(language: str):
    told = catalogue("errors", language).keys() | catalogue("problems", language).keys()
    untold = {code: place for code, place in used_codes().items() if code not in told}
    assert untold == {}


def test_the_languages_say_the_same_codes_with_the_same_values():
    english = catalogue("errors", "en")
    for language in ("ar", "ckb"):
        other = catalogue("errors", language)
        assert other.keys() == english.keys()
        for code, text in english.items():
            assert set(PLACE.findall(other[code])) == set(PLACE.findall(text)), code
            assert other[code] != text, code


def test_catalogues_are_sorted_and_hold_nothing_twice():
    for language in LANGUAGES:
        for name in ("errors", "problems"):
            text = (LOCALE / language / f"{name}.json").read_text(encoding="utf-8")
            keys = [key for key, _ in json.loads(text, object_pairs_hook=list)]
            assert len(set(keys)) == len(keys)
    assert not catalogue("errors", "en").keys() & catalogue("problems", "en").keys()
