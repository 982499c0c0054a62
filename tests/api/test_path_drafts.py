"""Two path designers: what is drafted, what is refused, and what a diagram may name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Browser, Office
from tests.drafting import designer as designer_of

NAMES = {"ar": "مسار جديد", "ckb": "ڕێڕەوی نوێ", "en": "A new path"}


@pytest.fixture
def designer(office: Office) -> Browser:
    return office.browser(designer_of(office.land))


def begun(browser: Browser, **what: Any) -> dict[str, Any]:
    answer = browser.post("/path-drafts", what)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_designer_changes_a_path_and_hears_what_is_wrong_in_sorani(designer: Browser):
    draft = begun(designer, path="hello")
    seen = designer.get(f"/path-drafts/{draft['id']}").get_json()
    assert seen["draft"]["base_number"] == 1
    assert set(seen["scenarios"]) == {"no_tea", "tea"}
    broken = seen["diagram"].replace('role="case_handler"', 'role="wizard"')
    assert broken != seen["diagram"]
    saved = designer.put(
        f"/path-drafts/{draft['id']}/diagram",
        {"diagram": broken, "version": 1},
        headers={"Accept-Language": "ckb"},
    )
    assert saved.status_code == 200, saved.text
    codes = {finding["code"]: finding for finding in saved.get_json()["findings"]}
    assert codes["unknown_role"]["severity"] == "error"
    assert "wizard" in codes["unknown_role"]["text"]
    assert saved.get_json()["version"] == 2
    assert designer.get(f"/path-drafts/{draft['id']}").get_json()["diagram"].count("wizard")


def test_a_diagram_as_it_is_installed_has_no_error(designer: Browser):
    draft = begun(designer, path="reintegration_case")
    found = designer.post(f"/path-drafts/{draft['id']}/findings", {}).get_json()
    assert [each for each in found if each["severity"] == "error"] == []


def test_a_new_path_begins_with_a_beginning_and_an_end(designer: Browser):
    draft = begun(designer, key="new_path", names=NAMES)
    seen = designer.get(f"/path-drafts/{draft['id']}").get_json()
    assert seen["draft"]["base_version_id"] is None
    assert NAMES["ckb"] in seen["diagram"]
    found = designer.post(f"/path-drafts/{draft['id']}/findings", {}).get_json()
    assert "unreadable" not in {each["code"] for each in found}
    assert found, "a path that does nothing can not be published"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/path", "give_one"),
        ({"path": "hello", "key": "x"}, "/path", "give_one"),
        ({"key": "hello", "names": NAMES}, "/key", "key_taken"),
        ({"key": "Bad-Key", "names": NAMES}, "/key", "not_a_code"),
        ({"key": "fine", "names": {"en": "Only English"}}, "/names/ar", "required"),
        ({"key": "fine", "names": {**NAMES, "fr": "Chemin"}}, "/names/fr", "unknown_field"),
    ],
)
def test_a_draft_of_nothing_is_refused(designer: Browser, body: dict[str, Any], pointer: str, code: str):
    answer = designer.post("/path-drafts", body)
    assert answer.status_code == 422
    assert (pointer, code) in {(each["pointer"], each["code"]) for each in answer.get_json()["errors"]}


def test_a_path_that_is_not_there_cannot_be_drafted(designer: Browser):
    assert designer.post("/path-drafts", {"path": "no_such"}).status_code == 404
    assert designer.post("/path-drafts", {"from_version": "ver_" + "0" * 26}).status_code == 404


@pytest.mark.parametrize(
    ("diagram", "code"),
    [
        ("", "file_empty"),
        ("no diagram", "not_xml"),
        ("<a/>", "not_bpmn"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "doctype"),
    ],
)
def test_what_is_no_diagram_is_refused_and_nothing_changes(designer: Browser, diagram: str, code: str):
    draft = begun(designer, path="hello")
    before = designer.get(f"/path-drafts/{draft['id']}").get_json()
    answer = designer.put(f"/path-drafts/{draft['id']}/diagram", {"diagram": diagram, "version": 1})
    assert answer.status_code == 422
    assert code in {each["code"] for each in answer.get_json()["errors"]}
    assert designer.get(f"/path-drafts/{draft['id']}").get_json() == before


def test_of_two_who_save_at_once_the_second_hears_that_it_changed(office: Office, designer: Browser):
    other = office.browser(designer_of(office.land, "two"))
    draft = begun(designer, path="hello")
    diagram = designer.get(f"/path-drafts/{draft['id']}").get_json()["diagram"]
    first = designer.put(
        f"/path-drafts/{draft['id']}/diagram", {"diagram": diagram.replace("tea", "coffee"), "version": 1}
    )
    assert first.status_code == 200
    second = other.put(
        f"/path-drafts/{draft['id']}/diagram", {"diagram": diagram.replace("tea", "water"), "version": 1}
    )
    assert second.status_code == 412
    assert second.get_json()["current_version"] == 2


def test_a_draft_that_was_given_up_can_be_read_but_not_changed(designer: Browser):
    draft = begun(designer, path="hello")
    assert designer.post(f"/path-drafts/{draft['id']}/discard", {"version": 1}).get_json()["status"] == "discarded"
    answer = designer.put(f"/path-drafts/{draft['id']}/diagram", {"diagram": "<a/>", "version": 2})
    assert answer.status_code == 422
    diagram = designer.get(f"/path-drafts/{draft['id']}").get_json()["diagram"]
    answer = designer.put(f"/path-drafts/{draft['id']}/diagram", {"diagram": diagram, "version": 2})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "draft_not_open")
    assert designer.get("/path-drafts").get_json() == []
    assert [row["id"] for row in designer.get("/path-drafts?closed=true").get_json()] == [draft["id"]]


def test_a_form_is_changed_in_the_draft_and_conditions_know_its_new_question(designer: Browser):
    draft = begun(designer, path="hello")
    version = designer.get("/paths").get_json()
    hello = next(row for row in version if row["key"] == "hello")
    steps = designer.get(f"/path-versions/{hello['latest_id']}").get_json()["steps"]
    form_id = next(step["form_version_id"] for step in steps if step["form"] == "hello_ask")
    content = designer.get(f"/form-versions/{form_id}").get_json()["content"]
    label = {"ar": "هل تريد الماء؟", "ckb": "ئاوت دەوێت؟", "en": "Do you want water?"}
    content["fields"].append({"type": "yes_no", "name": "wants_water", "label": label})
    saved = designer.put(f"/path-drafts/{draft['id']}/forms/hello_ask", {"content": content, "version": 1})
    assert saved.status_code == 200, saved.text
    words = designer.get(f"/path-vocabulary?draft={draft['id']}").get_json()
    form = next(form for form in words["forms"] if form["key"] == "hello_ask")
    assert "wants_water" in {field["name"] for field in form["fields"]}
    wrong = designer.put(f"/path-drafts/{draft['id']}/forms/other", {"content": content, "version": 2})
    assert wrong.get_json()["errors"][0]["code"] == "form_key_differs"
    back = designer.delete(f"/path-drafts/{draft['id']}/forms/hello_ask", json={"version": 2})
    assert back.get_json()["version"] == 3
    assert designer.get(f"/path-drafts/{draft['id']}").get_json()["forms"] == {}


def test_the_vocabulary_names_everything_in_the_readers_language(designer: Browser):
    words = designer.get("/path-vocabulary", headers={"Accept-Language": "ar"}).get_json()
    assert {"key": "case_handler", "name": "مسؤول الحالة"} in words["roles"]
    assert {path["key"] for path in words["paths"]} >= {"hello", "reintegration_case"}
    assert "record_intake" in {check["key"] for check in words["checks"]}
    assert words["stages"]
    assert words["levels"]
    assert words["settings"]
    assert words["call_tables"][0]["entries"]


def test_who_only_reads_paths_sees_no_draft(office: Office, designer: Browser):
    draft = begun(designer, path="hello")
    reader = office.browser(office.land.at_desk("supervisor", "norvale"))
    for path in ("/path-drafts", f"/path-drafts/{draft['id']}", "/path-vocabulary"):
        assert reader.get(path).status_code == 403
    assert reader.post(f"/path-drafts/{draft['id']}/findings", {}).status_code == 403
    assert reader.post("/path-drafts", {"path": "hello"}).status_code == 403


def test_the_difference_of_a_draft_is_told_in_words(designer: Browser):
    draft = begun(designer, path="hello")
    seen = designer.get(f"/path-drafts/{draft['id']}").get_json()
    base = seen["draft"]["base_version_id"]
    same = designer.get(f"/path-versions/{base}/difference/{draft['id']}").get_json()
    assert same["same"]
    diagram = seen["diagram"].replace('<nrm:due time="P1D"', '<nrm:due time="P5D"')
    designer.put(f"/path-drafts/{draft['id']}/diagram", {"diagram": diagram, "version": 1})
    for language, word in (("en", "the time that it may take"), ("ar", "المهلة"), ("ckb", "ماوە")):
        found = designer.get(
            f"/path-versions/{base}/difference/{draft['id']}", headers={"Accept-Language": language}
        ).get_json()
        assert not found["same"]
        (change,) = found["changed"]
        assert (change["element"], change["what"], change["before"], change["after"]) == (
            "ask",
            "due.time",
            "P1D",
            "P5D",
        )
        assert word in change["text"]
    assert designer.get(f"/path-versions/{base}/difference/drf_{'0' * 26}").status_code == 404


def test_a_reader_of_paths_compares_versions_but_no_drafts(office: Office, designer: Browser):
    draft = begun(designer, path="hello")
    base = designer.get(f"/path-drafts/{draft['id']}").get_json()["draft"]["base_version_id"]
    reader = office.browser(office.land.at_desk("supervisor", "norvale"))
    assert reader.get(f"/path-versions/{base}/difference/{base}").get_json()["same"]
    assert reader.get(f"/path-versions/{base}/difference/{draft['id']}").status_code == 403
