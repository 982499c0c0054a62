"""Every letter of every pack is set as PDF and read back: joined letters, tables from the right, numbers in order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from nrm.delivery.letters.page import FOLDER, render_page
from nrm.delivery.letters.pdf import render_pdf
from nrm.errors import Conflict
from nrm.i18n import catalogue
from nrm.rules.letters import (
    DIGITS,
    LETTER_LANGUAGES,
    PLACES,
    parse_letter,
    write_date,
    write_day,
    write_digits,
    write_letter,
)
from tests.paper.printed import Mark, Printed

ROOT = Path(__file__).parents[2]
LETTERS = sorted((ROOT / "workflows").glob("*/letters/*.json"))
PICTURES = ROOT / "build" / "letters"
JOINED = ("محمد", "سلمى", "کلهر")
"""Invented names of letters that all join and have no dots: each is one piece of ink, or the script is broken."""
PHONE = "+9647700000123"
LOCAL_PHONE = "07700000123"
NUMBER = 1734
MARGIN = 40
"""Points at every edge that stay white: offices punch and staple."""
LETTER = ROOT / "workflows" / "testland" / "letters" / "support_letter.json"
VALUES = {
    **dict.fromkeys(PLACES, "كلمة"),
    "person": " ".join(JOINED),
    "age": "34",
    "born": write_day("1991-04-02"),
    "phone": PHONE,
    "document": "A1234567",
    "case_number": "TL-2026-000123",
    "referral_number": "TL-R-2026-000456",
}


@lru_cache(maxsize=64)
def printed(
    letter: Path, language: str, digits: str, person: str = VALUES["person"], phone_kind: str = "ltr"
) -> Printed:
    country = json.loads((letter.parents[1] / "country.json").read_text())
    template = parse_letter(json.loads(letter.read_text()))
    words = write_letter(template, language, VALUES | {"person": person}, digits=digits)
    last = (("value", person), *((phone_kind, f" {write_digits(phone, digits)} ") for phone in (LOCAL_PHONE, PHONE)))
    content = {
        "head": next(iter(country["jurisdictions"]))["letter_head"][language],
        "date": write_date(date(2026, 11, 21), country["months"][language], digits),
        "to": "مەلا" if language == "ckb" else "دار السلام",
        "subject": words.subject,
        "body": [*words.body, last],
        "closing": words.closing,
        "copies": words.copies,
    }
    page = render_page(content, number=NUMBER, language=language, digits=digits, style_url="/letter.css")
    return Printed(render_pdf(page))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A letter on paper."""

    language: str
    digits: str
    page: Printed


@pytest.fixture(
    params=[
        pytest.param((path, language, digits), id=f"{path.parents[1].name}-{path.stem}-{language}-{digits}")
        for path in LETTERS
        for language in LETTER_LANGUAGES
        for digits in DIGITS
    ]
)
def paper(request) -> Paper:
    path, language, digits = request.param
    page = printed(path, language, digits)
    page.save(PICTURES / f"{path.parents[1].name}-{path.stem}-{language}-{digits}.png")
    return Paper(language=language, digits=digits, page=page)


def test_every_letter_comes_out_as_one_page_that_an_office_can_stamp(paper: Paper):
    page = paper.page
    assert page.pages == 1
    left, top, right, bottom = page.ink()
    assert min(left, top, page.width - right, page.height - bottom) >= MARGIN
    assert page.width - right < 2 * MARGIN, "the text begins at the right margin"


def test_arabic_letters_are_joined(paper: Paper):
    assert {word: paper.page.pieces(paper.page.find(word)) for word in JOINED} == dict.fromkeys(JOINED, 1)


def test_words_run_from_right_to_left(paper: Paper):
    words = [paper.page.find(word) for word in JOINED]
    for word in words:
        assert falls(word)
    assert falls([word[0] for word in words])


@pytest.mark.parametrize("phone", [PHONE, LOCAL_PHONE])
def test_a_phone_number_reads_from_left_to_right_with_its_plus_in_front(paper: Paper, phone: str):
    assert rises(paper.page.find(write_digits(phone, paper.digits)))


def test_dates_keep_their_order_in_both_kinds_of_digits(paper: Paper):
    birth = write_digits(write_day("1991-04-02"), paper.digits)
    assert birth not in paper.page.text or rises(paper.page.find(birth))
    year = write_digits("2026", paper.digits)
    assert rises(paper.page.find(year))


def test_the_table_of_numbers_has_its_headings_on_the_right(paper: Paper):
    number = paper.page.find(write_digits(str(NUMBER), paper.digits))
    heading = paper.page.find(catalogue("letters", paper.language)["outgoing_number"] + ":")
    assert max(mark.right for mark in number) < min(mark.left for mark in heading)
    assert abs(number[0].bottom - heading[0].bottom) < heading[0].top - heading[0].bottom, "on one line"
    assert rises(number)


def rises(marks: list[Mark]) -> bool:
    lefts = [mark.left for mark in marks]
    return lefts == sorted(lefts)


def falls(marks: list[Mark]) -> bool:
    return rises(marks[::-1])


def test_the_font_that_comes_along_has_every_character_of_every_letter():
    drawn = {
        character
        for path in LETTERS
        for language in LETTER_LANGUAGES
        for part in ("subject", "body", "closing")
        for character in "".join(json.loads(path.read_text())[part][language])
    }
    drawn |= {
        character for language in LETTER_LANGUAGES for character in "".join(catalogue("letters", language).values())
    }
    drawn |= set("".join(DIGITS.values())) | set("ڕڵۆێەڤگچپژەئء+")
    for weight in ("Regular", "Bold"):
        font = TTFont(FOLDER / "fonts" / f"Vazirmatn-{weight}.woff2")
        assert sorted(drawn - {chr(code) for code in font.getBestCmap()}) == []


def test_the_measure_sees_letters_that_are_not_joined():
    """Without this the test of joined letters could pass on anything: here they are kept apart on purpose."""
    apart = "\u200c".join("محمد")
    page = printed(LETTER, "ar", "latin", person=apart)
    marks = page.find(apart) if apart in page.text else page.find("محمد")
    assert page.pieces(marks) == 4


def test_the_measure_sees_a_plus_on_the_wrong_side():
    """A number that is not kept apart from the Arabic around it gets its plus at the end."""
    page = printed(LETTER, "ar", "latin", phone_kind="text")
    plus, number = page.find("+"), page.find(PHONE.removeprefix("+"))
    assert plus[0].left > number[-1].left


def test_a_page_that_reaches_for_files_or_addresses_gets_nothing(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden words")
    page = render_page(
        {"head": [], "date": "", "to": "", "subject": [], "body": [], "closing": "", "copies": []},
        number=1,
        language="ar",
        digits="latin",
    )
    reaching = (
        f'<link rel="attachment" href="{secret.as_uri()}"><img src="{secret.as_uri()}">'
        '<img src="http://127.0.0.1:9/x.png"></body>'
    )
    pdf = render_pdf(page.replace("</body>", reaching))
    assert b"hidden words" not in pdf
    assert b"EmbeddedFile" not in pdf


def test_a_page_that_takes_too_long_is_given_up():
    page = "<p>" + "<table><tr><td>" * 600 + "x"
    with pytest.raises(Conflict) as refused:
        render_pdf(page, seconds=1)
    assert refused.value.code == "pdf_failed"
