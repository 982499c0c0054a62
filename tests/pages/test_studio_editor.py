"""A path designer before the editor without a script: the drawing, the findings, the file taken and brought back."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from html import unescape
from json import loads
from re import search

import pytest

from nrm.db import db
from nrm.models import PathDraft
from tests.api.conftest import Office
from tests.drafting import designer as designer_of
from tests.pages.conftest import Reader, chosen


@pytest.fixture
def designer(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(designer_of(office.land))


@pytest.fixture
def draft(designer: Reader) -> str:
    answer = designer.client.post("/api/v1/path-drafts", json={"path": "hello"})
    assert answer.status_code == 201, answer.text
    return f"/studio/drafts/{answer.get_json()['id']}"


def file_of(designer: Reader, draft: str) -> str:
    answer = designer.client.get(f"{draft}/diagram.bpmn")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="hello.bpmn"'
    return answer.text


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_the_drawing_and_what_was_found_are_there_without_a_script(
    office: Office, reader: Callable[..., Reader], draft: str, language: str
):
    page = reader(designer_of(office.land, "two"), language).open(draft)
    assert (page.status, page.language, page.inline) == (200, language, [])
    assert "<svg" in page.text
    told = loads(unescape(search(r'data-told="([^"]+)"', page.text)[1]))
    assert told["language"] == language
    assert told["texts"]["do_undo"] in page.text


def test_a_file_that_was_changed_elsewhere_becomes_the_draft(designer: Reader, draft: str):
    changed = file_of(designer, draft).replace('role="case_handler"', 'role="wizard"')
    page = designer.send(designer.open(draft), "/diagram", file=chosen(changed.encode(), "hello.bpmn"))
    assert page.status == 200
    assert "wizard" in page.says
    assert "wizard" in file_of(designer, draft)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Please fill this in."),
        (b"\xff\xfe\x00broken", "Save the file in UTF-8."),
        (b"no diagram at all", ""),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', ""),
    ],
)
def test_what_is_no_diagram_is_refused_and_changes_nothing(designer: Reader, draft: str, content: bytes, said: str):
    before = file_of(designer, draft)
    page = designer.send(designer.open(draft), "/diagram", file=chosen(content, "hello.bpmn"))
    assert page.status == 422
    assert said in page.says
    assert file_of(designer, draft) == before


def test_who_saves_an_outdated_file_is_told_and_overwrites_nobody(designer: Reader, draft: str):
    page = designer.open(draft)
    content = file_of(designer, draft)
    first = designer.send(page, "/diagram", file=chosen(content.replace("tea", "coffee").encode(), "hello.bpmn"))
    assert first.status == 200
    second = designer.send(page, "/diagram", file=chosen(content.encode(), "hello.bpmn"))
    assert second.status == 412
    assert db.session.get_one(PathDraft, draft.rpartition("/")[2]).diagram == file_of(designer, draft)


def test_a_handler_does_not_see_drafts(handler: Reader, draft: str):
    assert handler.open(draft).status == 403
    assert handler.open(f"{draft}/diagram.bpmn").status == 403


def test_a_draft_that_is_not_there_is_not_found(designer: Reader):
    assert designer.open("/studio/drafts/drf_nothing").status == 404


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_a_draft_is_read_step_by_step(office: Office, reader: Callable[..., Reader], language: str):
    somebody = reader(designer_of(office.land, "aloud"), language)
    draft = somebody.client.post("/api/v1/path-drafts", json={"path": "hello"}).get_json()["id"]
    page = somebody.open(f"/studio/drafts/{draft}/steps")
    assert (page.status, page.language) == (200, language)
    inside = {link for link in page.links.values() if link.startswith("#")}
    assert len(inside) > 2
    assert all(f'id="{link[1:]}"' in page.text for link in inside - {"#main"})
    assert somebody.open("/studio/drafts/drf_00000000000000000000000000/steps").status == 404
    somebody.client.put(f"/api/v1/path-drafts/{draft}/diagram", json={"diagram": "<definitions/>", "version": 1})
    assert somebody.open(f"/studio/drafts/{draft}/steps").status == 200


@pytest.mark.parametrize(
    ("name", "accepted", "encoding"),
    [
        ("editor/editor.js", "gzip, deflate, br, zstd", "br"),
        ("editor/editor.js", "BR;q=1.0, gzip;q=0.8", "br"),
        ("editor/editor.js", "gzip, br;q=0", "gzip"),
        ("editor/editor.js", "gzip;q=0", None),
        ("editor/editor.js", "", None),
        ("css/desk.css", "gzip, br", "gzip"),
        ("editor/bpmn.woff2", "gzip, br", None),
    ],
)
def test_static_files_are_sent_as_small_as_the_browser_reads_them(
    designer: Reader, name: str, accepted: str, encoding: str | None
):
    answer = designer.client.get(f"/static/0/{name}", headers={"Accept-Encoding": accepted})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, encoding)
    plain = designer.client.get(f"/static/0/{name}", headers={"Accept-Encoding": "identity"})
    assert plain.headers.get("Vary", "") == ("" if name.endswith("woff2") else "Accept-Encoding")
    if encoding == "gzip":
        assert gzip.decompress(answer.data) == plain.data
    elif encoding == "br":
        assert len(answer.data) < 0.9 * len(gzip.compress(plain.data, 9))
    assert designer.client.get("/static/0/editor/editor.js.br").status_code == 404
