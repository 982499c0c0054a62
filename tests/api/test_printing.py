"""A form on paper, over HTTP: for those who may read it, in the language that they ask for."""

from __future__ import annotations

from collections.abc import Callable

from tests.api.conftest import Office


def test_a_task_is_printed_blank_and_once_it_is_done_with_its_answers(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.post("/tasks/next", {}).get_json()["id"]
    number = handler.get(f"/tasks/{task}").get_json()["task"]["case_number"]

    blank = handler.get(f"/tasks/{task}/print?language=ckb")
    assert blank.mimetype == "text/html"
    assert 'lang="ckb" dir="rtl"' in blank.text
    assert number in blank.text
    assert "✓" not in blank.text
    assert "style-src 'self'" in blank.headers["Content-Security-Policy"]
    assert blank.headers["Cache-Control"] == "no-store"

    answers = {"answers": {"wants_tea": True, "tea_kind": "mint"}, "version": 2}
    assert handler.post(f"/tasks/{task}/complete", answers).status_code == 200
    filled = handler.get(f"/tasks/{task}/print", headers={"Accept-Language": "en"})
    assert 'lang="en" dir="ltr"' in filled.text
    assert "✓" in filled.text
    assert handler.get(f"/tasks/{task}/print?language=de").status_code == 422
    assert handler.get(f"/tasks/{task}/print?digits=roman").status_code == 422
    assert handler.get(f"/tasks/{task}/print?language=ar&digits=arab").status_code == 200


def test_a_frozen_form_and_the_style_sheet_are_printed(office: Office, opened: Callable[..., str]):
    opened()
    handler = office.handler()
    task = handler.post("/tasks/next", {}).get_json()["id"]
    form = handler.get(f"/tasks/{task}").get_json()["form"]
    page = handler.get(f"/form-versions/{form['id']}/print?language=ar")
    assert form["content"]["title"]["ar"] in page.text
    assert 'href="/api/v1/print.css"' in page.text
    assert "size: A4" in handler.get("/print.css").text
