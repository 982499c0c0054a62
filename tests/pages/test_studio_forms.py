"""A path designer changes a form as a table: rows move, mistakes are told, a spreadsheet is compared before it is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO

import openpyxl
import pytest

from nrm.actions.path_forms import forms_named
from nrm.db import db
from nrm.models import PathDraft
from nrm.queries import path_drafts
from tests.api.conftest import Office
from tests.drafting import designer as designer_of
from tests.pages.conftest import Page, Reader, chosen

FORM = "hello_ask"


@pytest.fixture
def designer(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(designer_of(office.land))


@pytest.fixture
def place(designer: Reader) -> str:
    answer = designer.client.post("/api/v1/path-drafts", json={"path": "hello"})
    return f"/studio/drafts/{answer.get_json()['id']}/forms/{FORM}"


def stored() -> dict[str, object]:
    (draft,) = db.session.query(PathDraft).all()
    return dict(draft.forms)


def names(page: Page) -> list[str]:
    (table,) = [form for form in page.forms if any(name == "content" for name, _ in form.fields)]
    return [value for name, value in table.fields if name.endswith(".name")]


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_the_table_speaks_the_readers_language(
    office: Office, reader: Callable[..., Reader], place: str, language: str
):
    page = reader(designer_of(office.land, "two"), language).open(place)
    assert (page.status, page.language, page.inline) == (200, language, [])
    assert names(page) == ["wants_tea", "tea_kind"]


def test_rows_are_added_moved_and_taken_away_before_anything_is_kept(designer: Reader, place: str):
    page = designer.send(designer.open(place), place, do="down 0")
    assert names(page) == ["tea_kind", "wants_tea"]
    page = designer.send(page, place, do="add 0")
    assert names(page) == ["tea_kind", "question_1", "wants_tea"]
    page = designer.send(page, place, do="delete 0")
    assert names(page) == ["question_1", "wants_tea"]
    assert stored() == {}


def test_a_saved_form_is_a_part_of_the_draft(designer: Reader, place: str):
    page = designer.send(designer.open(place), place, do="save", **{"0.label.en": "Do you want tea?"})
    assert page.status == 200
    (form,) = stored().values()
    assert form["fields"][0]["label"]["en"] == "Do you want tea?"
    assert form["fields"][1]["relevant"] == "wants_tea"
    assert "Do you want tea?" in page.says


def test_a_mistake_is_told_with_its_question_and_nothing_is_kept(designer: Reader, place: str):
    page = designer.send(designer.open(place), place, do="save", **{"1.relevant": "wants_tea ==", "0.label.ckb": ""})
    assert page.status == 422
    assert "wants_tea" in page.text
    assert "tea_kind – Asked only when" in page.says
    assert stored() == {}


def test_everything_that_a_question_can_say_is_changed_in_the_table(designer: Reader, place: str):
    said = {
        "description.ar": "قبل الزيارة",
        "description.ckb": "پێش سەردان",
        "description.en": "Before the visit",
        "uses": "is_urgent visit_count",
        "1.type": "integer",
        "1.hint.ar": "أكواب",
        "1.hint.ckb": "پەرداخ",
        "1.hint.en": "Cups, not pots",
        "1.constraint": ". < 9",
        "1.message.ar": "كثير",
        "1.message.ckb": "زۆرە",
        "1.message.en": "Too many",
        "1.default": "2",
        "1.appearance": "numbers",
        "1.class": "sensitive",
    }
    page = designer.send(designer.open(place), place, do="save", **said)
    assert page.status == 200
    (form,) = stored().values()
    assert form["description"]["en"] == "Before the visit"
    assert form["uses"] == ["is_urgent", "visit_count"]
    cups = form["fields"][1]
    assert (cups["hint"]["ckb"], cups["constraint_message"]["ar"]) == ("پەرداخ", "كثير")
    assert (cups["default"], cups["appearance"], cups["class"]) == (2, "numbers", "sensitive")
    assert "Cups, not pots" in page.says, "the preview shows it"
    sheet = designer.client.get(f"{place}.xlsx")
    back = designer.send(page, f"{place}/sheet", file=chosen(sheet.data, "form.xlsx"))
    assert "Nothing would change." in back.says


def test_questions_are_worked_out_repeated_and_grouped_in_the_table(designer: Reader, place: str):
    page = designer.send(designer.open(place), place, do="add 1")
    page = designer.send(page, place, do="up 2", **{"2.type": "repeat", "2.min": "1", "2.max": "3"})
    page = designer.send(page, place, do="into 2")
    assert names(page) == ["wants_tea", "question_1", "tea_kind"]
    texts = {f"{at}.label.{one}": f"{at} {one}" for at in ("1", "1.1", "2") for one in ("ar", "ckb", "en")}
    page = designer.send(page, place, do="inside 1", **texts)
    page = designer.send(page, place, do="add", **texts)
    worked_out = {"2.type": "calculate", "2.name": "pots", "2.calculation": "count(question_1)"}
    refused = designer.send(page, place, do="save", **{**worked_out, **texts, "2.calculation": ""})
    assert "2.calculation" in refused.text
    page = designer.send(page, place, do="save", **{**worked_out, **texts})
    assert page.status == 200, page.says
    (form,) = stored().values()
    repeat, pots = form["fields"][1:]
    assert (repeat["min"], repeat["max"], [one["name"] for one in repeat["fields"]]) == (
        1,
        3,
        ["tea_kind", "question_2"],
    )
    assert pots["calculation"] == "count(question_1)"
    page = designer.send(page, place, do="out 1.0")
    assert names(page) == ["wants_tea", "question_1", "question_2", "tea_kind", "pots"]


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        ("0.label.ckb", ""),
        ("1.relevant", "wants_tea =="),
        ("1.constraint", ". < nobody"),
        ("1.name", "Tea kind"),
        ("1.list", ""),
        ("1.default", "no_such_tea"),
        ("title.ar", ""),
        ("uses", "Not-a-name"),
        ("choices.teas", "green | أخضر | | green tea"),
        ("1.hint.ar", ""),
        ("1.message.en", ""),
    ],
)
def test_a_mistake_stands_at_its_cell_and_the_list_leads_there(designer: Reader, place: str, cell: str, given: str):
    right = {
        "1.type": "select_one",
        "1.list": "teas",
        "1.constraint": ". != 'x'",
        **{f"1.{column}.{one}": "…" for column in ("hint", "message") for one in ("ar", "ckb", "en")},
    }
    lines = "green | أخضر | سەوز | green tea"
    page = designer.send(designer.open(place), place, do="look", new_list="teas", new_choices=lines, **right)
    assert page.alerts == []
    for verb, status in (("look", 200), ("save", 422)):
        wrong = designer.send(page, place, do=verb, **{cell: given})
        assert wrong.status == status
        assert f'<a href="#{cell}">' in wrong.text
        assert f'id="{cell}" name="{cell}" aria-invalid="true" aria-describedby="{cell}-error' in wrong.text
        assert f'id="{cell}-error"' in wrong.text
    assert stored() == {}


def test_a_list_of_choices_is_written_as_lines(designer: Reader, place: str):
    lines = "green | أخضر | سەوز | green tea\nblack | أسود | ڕەش | black tea"
    page = designer.send(
        designer.open(place),
        place,
        do="save",
        new_list="teas",
        new_choices=lines,
        **{"1.type": "select_one", "1.list": "teas"},
    )
    assert page.status == 200
    (form,) = stored().values()
    assert [choice["name"] for choice in form["choices"]["teas"]] == ["green", "black"]
    assert form["choices"]["teas"][0]["label"] == {"ar": "أخضر", "ckb": "سەوز", "en": "green tea"}


def test_a_spreadsheet_is_compared_before_it_is_taken(designer: Reader, place: str):
    sheet = designer.client.get(f"{place}.xlsx")
    assert sheet.status_code == 200
    same = designer.send(designer.open(place), f"{place}/sheet", file=chosen(sheet.data, "form.xlsx"))
    assert "Nothing would change." in same.says
    book = openpyxl.load_workbook(BytesIO(sheet.data))
    for row in book["survey"].iter_rows():
        for cell in row:
            if cell.value == "Which tea?":
                cell.value = "Which kind of tea?"
    changed = BytesIO()
    book.save(changed)
    page = designer.send(designer.open(place), f"{place}/sheet", file=chosen(changed.getvalue(), "form.xlsx"))
    assert "Which kind of tea?" in page.says
    assert stored() == {}
    designer.send(page, place, do="save")
    (form,) = stored().values()
    assert form["fields"][1]["label"]["en"] == "Which kind of tea?"


@pytest.mark.parametrize("content", [b"", b"no workbook at all", b"PK\x03\x04broken"])
def test_a_file_that_is_no_spreadsheet_is_refused_with_its_reason(designer: Reader, place: str, content: bytes):
    page = designer.send(designer.open(place), f"{place}/sheet", file=chosen(content, "form.xlsx"))
    assert page.status == 422
    assert len(page.alerts) > 0


def test_the_review_leads_to_the_forms_of_the_path(designer: Reader, place: str):
    review = designer.open(place.partition("/forms/")[0] + "/review")
    assert place in review.links.values()


def test_a_form_that_is_not_there_begins_with_one_question(designer: Reader, place: str):
    page = designer.open(place.replace(FORM, "brand_new"))
    assert names(page) == ["question_1"]
    assert designer.open(place.replace(FORM, "Not a key")).status == 404


def test_content_that_is_no_form_is_refused(designer: Reader, place: str):
    page = designer.open(place)
    for bad in ("", "[", "[]", '"x"'):
        assert designer.send(page, place, do="save", content=bad).status == 422
    for verb in ("up 0", "down 9", "add 9.9", "delete x", "fly 0", "delete 0.0"):
        assert names(designer.send(page, place, do=verb)) == ["wants_tea", "tea_kind"] or verb.startswith("add")


def test_only_those_who_change_paths_see_it(handler: Reader, place: str):
    assert handler.open(place).status in {403, 404}


def test_a_diagram_that_is_full_of_half_tags_is_looked_through_at_once(office: Office, designer: Reader, place: str):
    draft = place.split("/")[3]
    diagram = designer.client.get(f"/api/v1/path-drafts/{draft}").get_json()["diagram"]
    diagram = diagram.replace("</", f"<!--{'<form ' * 10_000}--></", 1)
    saved = designer.client.put(f"/api/v1/path-drafts/{draft}/diagram", json={"diagram": diagram, "version": 1})
    assert saved.status_code == 200
    view = path_drafts.draft(designer_of(office.land), draft)
    began = time.process_time()
    assert FORM in forms_named(view)
    assert time.process_time() - began < 2
