"""Columns of an arrival list that a person matched by hand."""

from __future__ import annotations

import pytest

from nrm.errors import NotValid
from nrm.rules.manifest import find_header, manifest_words
from nrm.rules.manifest_columns import by_hand, check_mapping, likely_header, mapping_of, samples

WORDS = manifest_words(
    {"columns": [{"key": "full_name", "words": ["name"]}, {"key": "phone", "words": ["phone"]}]}, places={}
)
ROWS = (
    ("Charter flight XY 12, 3 March 2026", None, None, None),
    (None, None, None, None),
    ("Fluggast", "Tel.", "Tel.", None),
    ("Nobody Invented", "0770 000 0001", None, "remark"),
    ("Somebody Invented", None, "0770 000 0002", None),
)


def test_the_row_of_the_titles_is_guessed_below_the_title_lines() -> None:
    assert likely_header(ROWS) == 3
    assert likely_header((("one text",), ("another",))) is None
    assert likely_header(()) is None
    assert likely_header(((1, 2, 3), ("5 people", "7 people", None))) is None


def test_columns_are_told_by_their_title_or_by_their_place_where_two_are_called_the_same() -> None:
    mapping = mapping_of(["Fluggast", "Tel.", "Tel.", ""], {0: "full_name", 1: "", 2: "phone", 3: "note"})
    assert mapping == {"Fluggast": "full_name", "#2": "", "#3": "phone", "#4": "note"}
    header = find_header(ROWS, WORDS, mapping=mapping, head=3)
    assert (header.row, dict(header.columns)) == (3, {0: "full_name", 2: "phone", 3: "note"})
    assert header.unknown == ()


def test_a_title_matched_once_is_found_in_any_spelling_and_row() -> None:
    header = find_header((("x",), ("FLUGGAST:", "Phone")), WORDS, mapping={"Fluggast": "full_name"})
    assert (header.row, dict(header.columns)) == (2, {0: "full_name", 1: "phone"})


def test_a_list_with_nothing_but_names_can_be_matched() -> None:
    rows = (("Fluggast", "Sitz"), ("Nobody Invented", "12A"))
    mapping = mapping_of(["Fluggast", "Sitz"], {0: "full_name", 1: ""})
    assert dict(find_header(rows, WORDS, mapping=mapping, head=1).columns) == {0: "full_name"}


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({0: "full_name", 1: "phone", 2: "phone"}, [("/columns/2", "column_chosen_twice")]),
        ({0: "", 1: "phone"}, [("/columns", "name_column_needed")]),
        ({}, [("/columns", "name_column_needed")]),
        ({1: "phone", 2: "phone"}, [("/columns/2", "column_chosen_twice"), ("/columns", "name_column_needed")]),
        ({0: "first_name", 1: ""}, []),
    ],
)
def test_what_cannot_be_chosen_is_said_at_its_column(chosen: dict[int, str], found: list[tuple[str, str]]) -> None:
    try:
        mapping_of(["Fluggast", "Tel.", "Tel.", ""], chosen)
    except NotValid as wrong:
        assert [(one.pointer, one.code) for one in wrong.problems] == found
    else:
        assert found == []


def test_a_mapping_to_a_column_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    check_mapping({"Fluggast": "full_name", "Sitz": ""}, {"full_name", "phone"})
    with pytest.raises(NotValid) as caught:
        check_mapping({"Fluggast": "name"}, {"full_name", "phone"})
    assert caught.value.problems[0].params["choices"] == "full_name, phone"


def test_titles_without_letters_and_odd_places_are_no_trap() -> None:
    told = by_hand({"№": "note", "#0": "phone", "#1000": "phone", "#2": "full_name"})
    assert told.told(7, "№") == "note"
    assert told.told(1, "anything") == "full_name"
    assert told.told(0, None) is None
    assert told.widened(("x",)) == ("x", None)
    assert by_hand(None).widened(("x",)) == ("x",)


def test_the_first_three_values_that_are_there_are_shown() -> None:
    rows = (("Name",), ("",), ("a",), ("b",), (), ("c" * 100,), ("d",))
    assert samples(rows, 1, 0) == ("a", "b", "c" * 60)
    assert samples(rows, 1, 9) == ()
