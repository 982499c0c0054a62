"""How long somebody has to wait is said as people say it."""

from __future__ import annotations

import pytest

from nrm.i18n import LANGUAGES, say, wait_in_words

TOLD = [
    (1, "1 second", "ثانية واحدة", "یەک چرکە"),
    (2, "2 seconds", "ثانيتين", "2 چرکە"),
    (59, "59 seconds", "59 ثانية", "59 چرکە"),
    (60, "1 minute", "دقيقة واحدة", "یەک خولەک"),
    (61, "2 minutes", "دقيقتين", "2 خولەک"),
    (400, "7 minutes", "7 دقائق", "7 خولەک"),
    (2899, "49 minutes", "49 دقيقة", "49 خولەک"),
    (5400, "90 minutes", "90 دقيقة", "90 خولەک"),
    (5401, "2 hours", "ساعتين", "2 کاتژمێر"),
    (86_400, "24 hours", "24 ساعة", "24 کاتژمێر"),
]


@pytest.mark.parametrize(("seconds", "english", "arabic", "sorani"), TOLD)
def test_a_wait_is_told_in_the_unit_that_people_count_it_in(seconds: int, english: str, arabic: str, sorani: str):
    assert [wait_in_words(seconds, one) for one in ("en", "ar", "ckb")] == [english, arabic, sorani]
    assert wait_in_words(seconds, "xx") == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_tried_too_often_is_not_made_to_divide_by_sixty(language: str):
    told = say("errors", "too_many", language, {"retry_after": 2899})
    assert told is not None
    assert "49" in told
    assert "2899" not in told
    assert "…" not in told
