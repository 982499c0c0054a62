"""Files that answer questions, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.models import Document
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader, chosen

PDF = b"%PDF-1.7\ninvented paper"
FILE = "f.a.attachment"


@pytest.fixture
def task(handler: Reader, opened: Callable[..., str]) -> Page:
    """A task of one's own whose form asks for a file."""
    opened(path="service_referral")
    page = handler.send(handler.open("/work?tab=desk"), "/take-next")
    assert f'name="{FILE}"' in page.text
    return page


def kept() -> list[Document]:
    db.session.remove()
    found = list(db.session.scalars(select(Document).order_by(Document.added_at, Document.id)))
    db.session.remove()
    return found


def test_a_file_that_was_sent_stays_when_another_answer_is_wrong(handler: Reader, task: Page):
    refused = handler.send(task, "/answers", do="complete", **{FILE: chosen(PDF, "بطاقة.pdf")})
    assert refused.status == 422
    [document] = kept()
    assert "بطاقة.pdf" in refused.links
    assert handler.client.get(refused.links["بطاقة.pdf"]).data == PDF
    assert ("a.attachment", document.id) in refused.form("/answers").fields
    again = handler.send(refused, "/answers", do="complete")
    assert ("a.attachment", document.id) in again.form("/answers").fields
    elsewhere = handler.open(task.form("/answers").action.removesuffix("/answers"))
    assert "بطاقة.pdf" in elsewhere.links, "it is part of the draft"
    assert len(kept()) == 1


def test_a_draft_without_a_script_keeps_the_file_and_shows_the_task_again(handler: Reader, task: Page):
    form = task.form("/answers")
    sent = {**{name: [value] for name, value in form.fields}, "do": ["draft"], FILE: [chosen(PDF, "paper.pdf")]}
    page = handler.post(form.action, sent, Accept="text/html")
    assert "Your answers are kept as a draft." in page.says
    assert "paper.pdf" in page.links


def test_a_new_file_takes_the_place_of_the_old_one_and_one_can_be_left_out(handler: Reader, task: Page):
    first = handler.send(task, "/answers", do="complete", **{FILE: chosen(PDF, "first.pdf")})
    second = handler.send(first, "/answers", do="complete", **{FILE: chosen(PDF + b"2", "second.pdf")})
    assert "second.pdf" in second.links
    assert "first.pdf" not in second.links
    assert {row.error_reason for row in kept()} == {None, "other"}
    none = handler.send(second, "/answers", do="complete", **{"x.a.attachment": "1"})
    assert "second.pdf" not in none.links
    assert {row.error_reason for row in kept()} == {"other"}


@pytest.mark.parametrize(
    ("content", "words"), [(b"<html>", "Files of this kind"), (b"", "empty"), (b"%PDF-" + b"0" * 10**7, "10 MB")]
)
def test_a_file_that_is_not_taken_is_told_at_its_question(handler: Reader, task: Page, content: bytes, words: str):
    refused = handler.send(task, "/answers", do="complete", **{FILE: chosen(content, "x.pdf")})
    assert refused.status == 422
    assert "#q-a-attachment" in refused.links.values()
    assert words in " ".join(refused.alerts)
    assert kept() == []


def test_a_file_of_another_task_answers_nothing(handler: Reader, task: Page, opened: Callable[..., str]):
    from nrm.actions.documents import add_to_case

    assert handler.actor is not None
    elsewhere = add_to_case(handler.actor, opened(), content=PDF, name="elsewhere.pdf", kind="other")
    refused = handler.send(task, "/answers", do="complete", a__attachment=elsewhere.id)
    assert refused.status == 422
    assert "elsewhere.pdf" not in refused.links
    out = handler.send(refused, "/answers", do="complete", a__attachment=elsewhere.id, **{"x.a.attachment": "1"})
    assert out.status == 422
    assert [row.error_reason for row in kept()] == [None], "it stays as it is where it belongs"


def test_a_file_for_a_task_that_is_no_longer_ones_own_is_not_kept(
    office: Office, handler: Reader, task: Page, reader: Callable[..., Reader]
):
    address = task.form("/answers").action.removesuffix("/answers")
    handler.send(task, "/release")
    late = handler.send(task, "/answers", do="complete", **{FILE: chosen(PDF, "late.pdf")})
    assert late.status == 409
    assert kept() == []
    other = reader(office.land.at_desk("case_handler", "lakemar", "far"))
    assert other.open(address).status == 404
