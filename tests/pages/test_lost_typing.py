"""Whatever cannot be taken is given back: nobody types anything twice."""

from __future__ import annotations

from collections.abc import Callable

from api.pages.kit.typed import typed_texts
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader

BY_BUTTON = {"Accept": "text/html"}


def save(reader: Reader, page: Page, **typed: str) -> Page:
    """Press "Save for later" as a browser without a script does."""
    form = page.form("/answers")
    sent = {**dict(form.fields), "do": "draft", **{name.replace("__", "."): text for name, text in typed.items()}}
    return reader.post(form.action, sent, **BY_BUTTON)


def test_two_windows_in_which_nothing_was_saved_yet_do_not_overwrite_each_other(
    handler: Reader, opened: Callable[..., str]
):
    opened()
    one = handler.send(handler.open("/work?tab=desk"), "/take-next")
    two = handler.open(one.form("/answers").action.removesuffix("/answers"))
    assert save(handler, one, a__wants_tea="true", a__tea_kind="mint").status == 200

    refused = save(handler, two, a__wants_tea="false")
    by_script = handler.client.post(
        two.form("/answers").action, data={**dict(two.form("/answers").fields), "do": "draft"}
    )

    assert (refused.status, by_script.status_code) == (409, 409)
    assert "You typed" in refused.says
    again = handler.open(two.form("/answers").action.removesuffix("/answers"))
    assert ("a.tea_kind", "mint") in again.form("/answers").fields

    kept = save(handler, refused)
    assert "kept as a draft" in kept.says
    assert ("a.wants_tea", "false") in kept.form("/answers").fields


def test_a_draft_that_is_sent_again_because_the_answer_was_lost_is_no_conflict(
    handler: Reader, opened: Callable[..., str]
):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    form = task.form("/answers")
    sent = {**dict(form.fields), "do": "draft", "a.wants_tea": "true"}
    told = [handler.client.post(form.action, data=sent) for _ in range(2)]
    assert [(one.status_code, one.get_json()["version"]) for one in told] == [(200, 1), (200, 1)]
    following = {**sent, "draft_version": "1", "a.tea_kind": "mint"}
    assert handler.client.post(form.action, data=following).get_json()["version"] == 2


def test_a_page_that_could_not_be_completed_saves_on_in_its_own_draft(handler: Reader, opened: Callable[..., str]):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    refused = handler.send(task, "/answers", do="complete", a__wants_tea="true")
    assert refused.status == 422
    assert save(handler, refused, a__wants_tea="true", a__tea_kind="mint").status == 200


def test_a_draft_of_a_task_that_was_given_to_somebody_else_stands_there_to_be_copied(
    office: Office, reader: Callable[..., Reader], handler: Reader, opened: Callable[..., str]
):
    supervisor = reader(office.land.at_desk("supervisor", "norvale"))
    colleague = office.land.at_desk("case_handler", "norvale", "two")
    opened()
    mine = handler.send(handler.open("/work?tab=desk"), "/take-next")
    address = mine.form("/answers").action.removesuffix("/answers")
    supervisor.send(supervisor.open(address), "/hand-over", to_user=colleague.id)

    late = save(handler, mine, a__wants_tea="true", a__tea_kind="mint")

    assert late.status == 409
    assert "You typed" in late.says
    assert not late.leads("/answers")


def test_a_long_comment_that_is_refused_is_given_back_with_the_most_that_is_possible(
    handler: Reader, opened: Callable[..., str]
):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    said = "a quiet word, " * 200
    refused = handler.send(task, "/comment", text=said)
    assert refused.status == 422
    assert "2000" in refused.says
    assert said.strip() in refused.text
    told = handler.send(task, "/comment", text="one line\nanother line")
    assert "one line\nanother line" in told.text


def test_only_texts_of_several_words_are_given_back_and_never_a_secret():
    sent = [
        ("text", "called the family twice"),
        ("version", "3"),
        ("task", "tsk_" + "a" * 26 + " 3"),
        ("new_password", "four words nobody guesses"),
        ("step_up_code", "123 456 789 012"),
        ("reason", "moved"),
        ("note", "x y" * 20_000),
    ]
    assert [text[:23] for text in typed_texts(sent)] == ["called the family twice", ("x y" * 10)[:23]]
    assert max(map(len, typed_texts(sent))) == 20_000
