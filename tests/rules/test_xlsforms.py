"""Every form goes out as an XLSForm that survey programs accept, and comes back the same."""

from __future__ import annotations

import copy
import io
import json

import pytest
from openpyxl import load_workbook
from pyxform.xls2xform import convert

from nrm.errors import NotValid
from nrm.expressions import evaluate, parse
from nrm.rules.forms import parse_form
from nrm.rules.manifest_files import read_tables
from nrm.rules.workbooks import write_workbook
from nrm.rules.xlsform_reading import import_form
from nrm.rules.xlsforms import CONDITIONS, arranged, export_form, form_difference, walk_fields
from tests.architecture.sources import ROOT

FORMS = sorted(ROOT.glob("workflows/*/forms/*.json"))
IDS = [f"{path.parts[-3]}-{path.stem}" for path in FORMS]


def texts(word):
    return {"ar": f"نص {word}", "ckb": f"دەق {word}", "en": word}


def field(kind, name, **more):
    return {"type": kind, "name": name, "label": texts(name), **more}


ODD = {
    "form": "odd",
    "version": 3,
    "title": texts("Odd form"),
    "description": texts("All there is"),
    "uses": ["child", "minor"],
    "choices": {"colours": [{"name": "red", "label": texts("Red")}, {"name": "2", "label": texts("Two")}]},
    "fields": [
        field("yes_no", "reached", required=True, default=False),
        field("acknowledge", "agreed", relevant="reached and not minor"),
        field(
            "yes_no",
            "again",
            relevant="agreed and reached == False",
            constraint=". == True or reached",
            constraint_message=texts("No"),
        ),
        field("integer", "age_now", relevant="again != True and child.age > 3", default=4, hint=texts("=1+1")),
        field("date", "next_on", constraint=". < add_months(today(), 2)", constraint_message=texts("Later")),
        field(
            "repeat",
            "visits",
            min=1,
            max=4,
            fields=[
                field("money", "cost"),
                field("yes_no", "done", relevant="cost.amount > 3"),
                field("text", "why", relevant="done == False"),
            ],
        ),
        {"type": "calculate", "name": "total", "calculation": "count(visits) + age_now"},
        field(
            "group",
            "more",
            relevant="is_missing(again)",
            fields=[
                field("select_one", "colour", list="colours", **{"class": "sensitive"}, appearance="minimal"),
                field("select_multiple", "wishes", list="code_list:need", relevant="colour in ['red', '2']"),
            ],
        ),
        field("phone", "phone"),
        field("person", "who"),
        field("long", "story"),
        field("file", "paper"),
        field("geopoint", "place"),
        field(
            "text",
            "paid",
            relevant="sum(visits.cost.amount) > 10 and visits.why != None",
            constraint="place.lat > 3",
            constraint_message=texts("Far"),
        ),
        field("note", "thanks"),
        field("datetime", "at"),
        field("decimal", "share"),
        field("service", "service", required=False),
        field("organisation", "office"),
    ],
}
LISTS = {"need": {"work": texts("Work"), "home": texts("Home")}}


def code_lists(path):
    lists = json.loads((path.parents[1] / "code_lists.json").read_text())
    return {entry["key"]: {item["code"]: item["names"] for item in entry["items"]} for entry in lists}


def sheet(form, lists=None):
    exported = export_form(form, code_lists=lists or LISTS)
    return write_workbook(exported.sheets)


def warnings_of(data):
    warnings = []
    convert(io.BytesIO(data), warnings=warnings, file_type=".xlsx")
    return warnings


def edited(data, change):
    book = load_workbook(io.BytesIO(data))
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def put(book, name, column, text):
    cells = book["survey"]
    columns = {cell.value: cell.column for cell in cells[1]}
    row = next(cell.row for cell in cells["B"] if cell.value == name)
    cells.cell(row, columns[column]).value = text


@pytest.mark.parametrize("path", FORMS, ids=IDS)
def test_each_form_is_accepted_without_a_warning_and_comes_back_the_same(path):
    form = json.loads(path.read_text())
    data = sheet(form, code_lists(path))
    assert warnings_of(data) == []
    back = import_form(read_tables(data))
    assert form_difference(form, back) == ()
    assert back == form
    assert json.dumps(arranged(back, form)) == json.dumps(form)


def test_the_oddest_form_comes_back_the_same_too():
    parse_form(ODD)
    data = sheet(ODD)
    assert warnings_of(data) == []
    assert import_form(read_tables(data)) == ODD


def test_what_a_spreadsheet_cannot_hold_is_told():
    losses = {(loss.name, loss.what) for loss in export_form(ODD, code_lists=LISTS).losses}
    assert losses == {
        ("child", "run_value"),
        ("minor", "run_value"),
        ("next_on", "condition"),
        ("paid", "condition"),
        ("visits", "rounds"),
        ("cost", "type"),
        ("wishes", "code_list"),
        ("phone", "type"),
        ("who", "type"),
        ("service", "type"),
        ("office", "type"),
    }


def without_our_words(book):
    cells = book["survey"]
    columns = [cell.column for cell in cells[1] if cell.value in {f"nrm_{name}" for name in CONDITIONS}]
    for column in columns:
        for row in range(2, cells.max_row + 1):
            cells.cell(row, column).value = None


ANSWERS = (
    {},
    {"reached": True, "agreed": True, "again": True, "age_now": 3, "colour": "red"},
    {"reached": False, "again": False, "colour": "blue"},
    {"reached": False, "agreed": True, "again": True},
    {"reached": True, "again": False, "colour": "2", "done": False},
)


def test_conditions_that_are_only_there_in_their_words_mean_the_same():
    form = copy.deepcopy(ODD)
    form["fields"] = [entry for entry in form["fields"] if entry["name"] not in ("next_on", "paid")]
    back = import_form(read_tables(edited(sheet(form), without_our_words)))
    ours = {str(entry["name"]): entry for entry, _ in walk_fields(form["fields"])}
    seen = 0
    for entry, _ in walk_fields(back["fields"]):
        for column in ("relevant", "constraint"):
            text = ours[str(entry["name"])].get(column)
            assert bool(text) == bool(entry.get(column))
            for answers in ANSWERS if text else ():
                scope = {**answers, "this": answers.get("again")}
                first = parse(text.replace(".", "this", 1) if column == "constraint" else text)
                other = str(entry[column])
                second = parse(other.replace(".", "this", 1) if column == "constraint" else other)
                assert bool(evaluate(first, scope)) == bool(evaluate(second, scope)), (text, other, answers)
                seen += 1
    assert seen >= 30


@pytest.mark.parametrize("path", FORMS, ids=IDS)
def test_each_form_can_be_read_without_our_own_words(path):
    data = edited(sheet(json.loads(path.read_text()), code_lists(path)), without_our_words)
    parse_form(import_form(read_tables(data)))


def test_a_changed_cell_wins_over_the_words_that_were_kept():
    def change(book):
        put(book, "agreed", "relevant", "${reached} = 'no' and ${minor} = 3")
        put(book, "reached", "label::Kurdish Sorani (ckb)", "گەیشت؟")
        put(book, "story", "required", "yes")
        put(book, "age_now", "default", "5")
        put(book, "why", "relevant", "${done} = 'yes'")

    back = import_form(read_tables(edited(sheet(ODD), change)))
    assert form_difference(ODD, back) == (
        '- fields[reached].label.ckb: "دەق reached"',
        '+ fields[reached].label.ckb: "گەیشت؟"',
        '- fields[agreed].relevant: "reached and not minor"',
        '+ fields[agreed].relevant: "reached == False and minor == 3"',
        "- fields[age_now].default: 4",
        '+ fields[age_now].default: "5"',
        '- fields[visits].fields[why].relevant: "done == False"',
        '+ fields[visits].fields[why].relevant: "done"',
        "+ fields[story].required: true",
    )


def test_added_taken_and_moved_questions_are_told_by_name():
    after = copy.deepcopy(ODD)
    first, second, *others = after["fields"]
    after["fields"] = [second, first, *others[1:], field("text", "added")]
    lines = form_difference(ODD, after)
    assert [line.partition(":")[0] for line in lines] == ["- fields[again]", "+ fields[added]", "  fields"]


def test_a_form_that_another_program_made_is_read():
    rows = [
        ["type", "name", "label::Arabic (ar)", "label:ckb", "label::en", "required", "relevant", "appearance"],
        ["start", "start", "", "", "", "", "", ""],
        ["text", "name_given", "الاسم", "ناو", "Name", "true()", "", ""],
        ["begin group", "home", "البيت", "ماڵ", "Home", "", "${name_given} != ''", ""],
        ["text", "street", "الشارع", "شەقام", "Street", "", "", "multiline"],
        ["image", "photo", "صورة", "وێنە", "Picture", "", "", ""],
        ["end group", "", "", "", "", "", "", ""],
    ]
    titles = ["nrm_title_ar", "nrm_title_ckb", "form_title", "form_id", "version"]
    settings = [titles, ["زيارة", "سەردان", "Visit", "visit", "2026010101"]]
    form = import_form(read_tables(write_workbook({"survey": rows, "settings": settings})))
    read = {str(entry["name"]): entry for entry, _ in walk_fields(form["fields"])}
    assert [entry["type"] for entry in read.values()] == ["text", "group", "long", "file"]
    assert read["home"]["relevant"] == "name_given != None"
    assert read["name_given"]["required"] is True


@pytest.mark.parametrize(
    ("name", "column", "text", "code"),
    [
        ("phone", "type", "barcode", "unknown_type"),
        ("reached", "relevant", "${again} mod 2 = 1", "bad_expression"),
        ("visits", "nrm_min", "few", "not_an_integer"),
        ("more", "type", "text", "unexpected_end"),
        ("total", "type", "begin_group", "group_not_closed"),
        ("story", "label::Arabic (ar)", "ن\u202eص", "direction_override"),
        ("story", "label::Arabic (ar)", None, "text_missing"),
        ("story", "name", "phone", "duplicate_name"),
        ("reached", "relevant", "${again} = 'yes'", "later_name"),
    ],
)
def test_mistakes_in_a_spreadsheet_are_told(name, column, text, code):
    with pytest.raises(NotValid) as wrong:
        import_form(read_tables(edited(sheet(ODD), lambda book: put(book, name, column, text))))
    assert code in {problem.code for problem in wrong.value.problems}


def test_a_workbook_without_questions_is_refused():
    with pytest.raises(NotValid) as wrong:
        import_form(read_tables(edited(sheet(ODD), lambda book: book.remove(book["survey"]))))
    assert [problem.code for problem in wrong.value.problems] == ["sheet_missing"]
