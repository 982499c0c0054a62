"""A path designer takes over a diagram of another tool: sees each change, then begins a draft with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nrm.db import db
from nrm.models import PathDraft
from tests.api.conftest import Office
from tests.drafting import designer as designer_of
from tests.engine.dialects import bare, row
from tests.pages.conftest import Page, Reader, chosen

FOREIGN = Path(__file__).parents[1] / "engine" / "foreign"
NAMES = {"name_ar": "مسار مستورد", "name_ckb": "ڕێڕەوی هاوردەکراو", "name_en": "Imported path"}


@pytest.fixture
def designer(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(designer_of(office.land))


def look(designer: Reader, content: bytes, **more: str) -> Page:
    return designer.send(designer.open("/studio/import"), "/studio/import", file=chosen(content, "drawn.bpmn"), **more)


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_the_page_speaks_the_readers_language(office: Office, reader: Callable[..., Reader], language: str):
    page = reader(designer_of(office.land, "two"), language).open("/studio/import")
    assert (page.status, page.language, page.inline) == (200, language, [])


def test_each_change_is_shown_before_anything_is_kept(designer: Reader):
    page = look(designer, (FOREIGN / "A.4.1.bpmn").read_bytes())
    assert page.status == 200
    assert "it became a task that a person does" in page.says
    assert "is another process of the file" in page.says
    assert "The task has no form" in page.says
    assert "<svg" in page.text
    assert db.session.query(PathDraft).count() == 0


def test_what_was_shown_becomes_the_draft_of_a_new_path(designer: Reader):
    page = look(designer, bare(row("task"), key="Process_1").encode())
    kept = designer.send(page, "/studio/import/draft", key="taken_over", **NAMES)
    assert kept.status == 200
    (draft,) = db.session.query(PathDraft).all()
    assert (draft.path_key, draft.names["en"]) == ("taken_over", "Imported path")
    assert 'process id="taken_over"' in draft.diagram
    assert "userTask" in draft.diagram


def test_a_name_that_is_missing_is_told_and_nothing_is_lost(designer: Reader):
    page = look(designer, bare(row()).encode())
    again = designer.send(page, "/studio/import/draft", key="taken_over", **{**NAMES, "name_ckb": ""})
    assert again.status == 422
    assert len(again.alerts) > 0
    assert db.session.query(PathDraft).count() == 0
    kept = designer.send(again, "/studio/import/draft", key="taken_over", **NAMES)
    assert kept.status == 200


def test_a_diagram_may_become_a_draft_of_a_path_that_is_there(designer: Reader):
    page = look(designer, bare(row()).encode())
    designer.send(page, "/studio/import/draft", key="hello", **NAMES)
    (draft,) = db.session.query(PathDraft).all()
    assert draft.base_version_id is not None
    assert draft.names["en"] == "Hello"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Please fill this in."),
        (b"not a diagram", "not well-formed XML"),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "DOCTYPE"),
        (b"<html/>", "not a BPMN 2.0 file"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_with_its_reason(designer: Reader, content: bytes, said: str):
    page = look(designer, content)
    assert page.status == 422
    assert said in page.says


def test_another_process_of_the_file_may_be_taken(designer: Reader):
    content = (FOREIGN / "A.4.1.bpmn").read_bytes()
    page = look(designer, content, process="no such process")
    assert page.status == 422
    assert "no such process" in page.says


def test_only_those_who_change_paths_may_import(handler: Reader):
    assert handler.open("/studio/import").status in {403, 404}
