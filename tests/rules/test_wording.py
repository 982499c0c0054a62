"""Texts in the wrong language, script or words are found; reviewers' sheets come back safely."""

from __future__ import annotations

import io
import json
from datetime import date

import pytest
from openpyxl import load_workbook

from nrm.countries.wording import TextChange, Wording, read_wording
from nrm.errors import NotValid
from nrm.rules.wording import (
    Unwanted,
    Vocabulary,
    check_wording,
    read_reviews,
    read_vocabulary,
    reviewed_share,
    write_reviews,
)
from nrm.rules.wording_sheets import read_text_sheet, text_rows
from nrm.rules.workbooks import write_workbook
from tests.architecture.sources import ROOT

PACKS = ("iraq", "testland")
DAY = date(2026, 3, 1)
GOOD = {"ar": "متابعة العائد", "ckb": "بەدواداچوونی گەڕاوە", "en": "Follow the returnee up"}
WORDS = Vocabulary(
    unwanted={
        "en": (Unwanted(word="beneficiary", use="returnee"), Unwanted(word="client", use="returnee")),
        "ar": (Unwanted(word="مستفيد", use="عائد"),),
        "ckb": (Unwanted(word="سوودمەند", use="گەڕاوە"),),
    },
    latin=frozenset({"Testpay"}),
    letters=frozenset({"چمچمال"}),
    names=("Client Street",),
)


def vocabulary(pack):
    return read_vocabulary(json.loads((ROOT / "workflows" / pack / "vocabulary.json").read_text()))


def found(file="forms/a.json", **texts):
    wording = Wording(file=file, key="/title", texts={**GOOD, **texts})
    return [(finding.language, finding.code, finding.detail) for finding in check_wording([wording], WORDS)]


@pytest.mark.parametrize("pack", PACKS)
def test_every_text_of_the_packs_and_the_program_is_in_order(pack):
    texts = read_wording(ROOT / "workflows" / pack, sources=(ROOT / "nrm", ROOT / "api"))
    assert len(texts) > 1000
    assert check_wording(texts, vocabulary(pack)) == ()


@pytest.mark.parametrize("pack", PACKS)
def test_preferred_terms_are_there_in_each_language_and_not_unwanted(pack):
    words = vocabulary(pack)
    assert len(words.terms) >= 90
    for language in ("ar", "ckb", "en"):
        assert len(words.unwanted[language]) >= 10
    texts = [Wording(file="vocabulary.json", key=key, texts=term) for key, term in words.terms.items()]
    assert check_wording(texts, words) == ()


def test_a_good_text_is_left_alone():
    assert found() == []
    assert (
        found(ar="متابعة العائد عبر Testpay في چمچمال رقم IQ-12 ({name})", en="by IQ-12 {name}", ckb="بە IQ-12 {name}")
        == []
    )


def test_missing_texts_are_found():
    assert found(ckb=" ") == [("ckb", "missing", "")]
    texts = {"ar": "نص", "en": "Text"}
    assert [entry.language for entry in check_wording([Wording(file="f", key="k", texts=texts)], WORDS)] == ["ckb"]


def test_an_english_sentence_is_no_arabic():
    assert found(ar="Follow the returnee up")[0][:2] == ("ar", "not_arabic_script")
    assert found(ckb="بەدواداچوونی returnee") == [("ckb", "latin", "returnee")]


def test_letters_of_the_neighbours_are_found():
    assert found(ar="متابعة العائدین") == [("ar", "other_letters", "العائدین")]
    assert found(ckb="بەدواداچوونى گەڕاوە") == [("ckb", "other_letters", "بەدواداچوونى")]


def test_places_to_fill_in_must_agree():
    assert found(en="Ask {name}", ar="اسأل {nam}", ckb="لە {name} بپرسە") == [("ar", "places_differ", "nam, name")]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Call the Beneficiary"),
        ("en", "The client's home"),
        ("ar", "بيانات المستفيدين"),
        ("ar", "وللمستفيدات"),
        ("ar", "مُستفيد"),
        ("ckb", "سوودمەندەکان"),
    ],
)
def test_unwanted_words_are_found_with_their_endings(language, text):
    assert [(entry[0], entry[1]) for entry in found(**{language: text})] == [(language, "unwanted")]


def test_words_that_only_look_alike_are_left_alone():
    assert found(en="Clientele of Client Street") == []
    assert found(ar="استفادة") == []


def test_hidden_direction_marks_and_stray_spaces_are_found():
    assert found(ar="متابعة\u202e العائد")[0][1] == "broken"
    assert found(en="Follow  the returnee up")[0][1] == "broken"


def test_messages_to_authors_may_name_the_words_of_diagrams():
    texts = {"ar": "اكتب run أو case", "ckb": "run یان case بنووسە", "en": "Write run or case"}
    assert found("catalogue/findings", **texts) == []
    assert {entry[1] for entry in found(**texts)} == {"latin"}


@pytest.mark.parametrize("data", [[], {"unwanted": {"en": [{"word": "x"}]}}, {"terms": 3}, {"unwanted": {"en": 1}}])
def test_a_broken_vocabulary_is_refused(data):
    with pytest.raises(ValueError, match=r"vocabulary\.json"):
        read_vocabulary(data)


TEXTS = (
    Wording(file="forms/a.json", key="/title", texts=GOOD),
    Wording(file="forms/a.json", key="/hint", texts={"ar": "=1+1", "ckb": "٢", "en": "=two"}),
    Wording(file="program/nrm/x.py", key="T", texts=GOOD),
)


def sheet(edit=lambda cells: None, reviews=None):
    rows = text_rows(TEXTS, reviews or {})
    book = load_workbook(io.BytesIO(write_workbook({"texts": rows})))
    edit(book["texts"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def back(data, texts=TEXTS, **kwargs):
    return read_text_sheet(data, texts, reviewer="Test Reviewer", on=DAY, **kwargs)


@pytest.mark.parametrize("pack", PACKS)
def test_all_texts_go_out_and_come_back_unchanged(pack):
    texts = read_wording(ROOT / "workflows" / pack)
    data = write_workbook({"texts": text_rows(texts, {})})
    said = read_text_sheet(data, texts, reviewer="Test Reviewer", on=DAY)
    assert (said.changes, said.reviewed, said.stale) == ((), {}, ())


def test_a_correction_and_a_review_come_back():
    def edit(cells):
        cells["D2"] = "متابعة العائدين"
        cells["G2"] = "نعم"

    said = back(sheet(edit))
    change = TextChange(file="forms/a.json", key="/title", language="ar", before=GOOD["ar"], after="متابعة العائدين")
    assert said.changes == (change,)
    corrected = Wording(file="forms/a.json", key="/title", texts={**GOOD, "ar": "متابعة العائدين"})
    assert set(said.reviewed) == {corrected.mark("ar")}
    assert reviewed_share([corrected], said.reviewed) == {"ar": (1, 1), "ckb": (0, 1), "en": (0, 1)}
    assert reviewed_share(TEXTS[:1], said.reviewed)["ar"] == (0, 1)
    assert read_reviews(json.loads(json.dumps(write_reviews(said.reviewed)))) == said.reviewed


def test_a_row_made_from_older_texts_is_refused():
    def edit(cells):
        cells["D2"] = "نص آخر"

    today = (Wording(file="forms/a.json", key="/title", texts={**GOOD, "en": "Another"}), *TEXTS[1:])
    said = back(sheet(edit), today)
    assert said.changes == ()
    assert said.stale == ("forms/a.json /title",)


def test_only_the_reviewers_language_is_taken():
    def edit(cells):
        cells["D2"], cells["E2"], cells["H2"] = "نص", "دەق", "x"

    said = back(sheet(edit), language="ckb")
    assert [change.language for change in said.changes] == ["ckb"]
    assert len(said.reviewed) == 1


@pytest.mark.parametrize(
    ("cell", "text", "code"),
    [
        ("D2", None, "text_missing"),
        ("D2", "م\u202eنص", "direction_override"),
        ("D4", "نص", "text_in_program"),
        ("B2", "/other", "unknown_text"),
        ("I1", "else", "column_missing"),
    ],
)
def test_mistakes_in_a_sheet_are_told(cell, text, code):
    def edit(cells):
        cells[cell] = text

    with pytest.raises(NotValid) as wrong:
        back(sheet(edit))
    assert code in {problem.code for problem in wrong.value.problems}
