"""Answers on paper are written as their readers write: days, moments, numbers, names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from nrm.delivery.printing import print_form, print_slip
from nrm.delivery.written import Hand, write_answer
from nrm.rules.forms import parse_form

BAGHDAD_TIME = timezone(timedelta(hours=3))


@pytest.mark.parametrize(
    ("language", "territory", "digits", "written"),
    [
        ("ar", "IQ", "latin", "2 تشرين الثاني 2026"),
        ("ar", "IQ", "arab", "٢ تشرين الثاني ٢٠٢٦"),
        ("ar", "EG", "latin", "2 نوفمبر 2026"),
        ("ar", "", "latin", "2 نوفمبر 2026"),
        ("ckb", "IQ", "latin", "2ی تشرینی دووەمی 2026"),
        ("ckb", "IQ", "arab", "٢ی تشرینی دووەمی ٢٠٢٦"),
        ("en", "IQ", "arab", "2 November 2026"),
        ("ar", "XX", "latin", "2 نوفمبر 2026"),
    ],
)
def test_a_day_has_the_month_as_the_country_calls_it(language, territory, digits, written):
    hand = Hand(language=language, territory=territory, digits=digits)
    assert write_answer("date", "2026-11-02", hand) == written


def test_a_moment_is_told_in_the_time_of_the_office():
    hand = Hand(language="ar", territory="IQ", digits="arab", zone=BAGHDAD_TIME)
    assert write_answer("datetime", "2026-11-02T21:30:00+00:00", hand) == "٣ تشرين الثاني ٢٠٢٦ – ٠٠:٣٠"


@pytest.mark.parametrize(
    ("kind", "answer", "written"),
    [
        ("integer", 34, "٣٤"),
        ("phone", "+9647700000123", "+٩٦٤٧٧٠٠٠٠٠١٢٣"),
        ("money", {"amount": "250000", "currency": "IQD"}, "٢٥٠٠٠٠ IQD"),
        ("organisation", "org_1", "دار السلام"),
        ("organisation", "org_2", "org_2"),
        ("text", "A-17", "A-17"),
        ("date", "some day", "some day"),
        ("date", None, "–"),
    ],
)
def test_numbers_and_names_are_written_for_the_reader(kind, answer, written):
    hand = Hand(language="ar", digits="arab", names={"org_1": "دار السلام"})
    assert write_answer(kind, answer, hand) == written


def test_a_printed_form_shows_no_date_of_a_machine_and_no_id():
    labels = dict.fromkeys(("ar", "ckb", "en"), "سؤال")
    form = parse_form(
        {
            "form": "talk",
            "version": 1,
            "title": labels,
            "choices": {},
            "fields": [
                {"type": "date", "name": "seen_on", "label": labels},
                {"type": "organisation", "name": "asked", "label": labels},
            ],
        }
    )
    hand = Hand(language="ckb", territory="IQ", digits="arab", names={"org_7": "ماڵی ئاشتی"})
    page = print_form(form, "ckb", code_lists={}, answers={"seen_on": "2026-03-01", "asked": "org_7"}, hand=hand)
    assert "١ی ئازاری ٢٠٢٦" in page
    assert "ماڵی ئاشتی" in page
    assert "2026-03-01" not in page
    assert "org_7" not in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ar", ["موعد", "اليوم:", "الاثنين ٢ تشرين الثاني ٢٠٢٦", "الساعة:", "٠٩:٣٠", "المكان:", "الطابق الثاني"]),
        (
            "ckb",
            ["کاتی دیاریکراو", "ڕۆژ:", "دووشەممە ٢ی تشرینی دووەمی ٢٠٢٦", "کاتژمێر:", "٠٩:٣٠", "شوێن:", "الطابق الثاني"],
        ),
        ("en", ["Appointment", "Day:", "Monday 2 November 2026", "Time:", "09:30", "Place:", "الطابق الثاني"]),
    ],
)
def test_a_slip_has_the_appointment_and_nothing_else(language, words):
    hand = Hand(language=language, territory="IQ", digits="arab", zone=BAGHDAD_TIME)
    page = print_slip(datetime(2026, 11, 2, 6, 30, tzinfo=UTC), "الطابق الثاني", hand)
    body = page[page.index("<body>") :]
    assert [text.strip() for text in re.findall(r">([^<]+)<", body) if text.strip()] == words
