"""A designer tries a draft without a script: answers what is open, round by round, and keeps it as a scenario."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from nrm.actions.path_drafts import begin_draft
from nrm.actions.path_scenarios import draft_coverage
from nrm.db import db
from nrm.queries import path_drafts
from tests.api.conftest import Office
from tests.drafting import designer as designer_of
from tests.pages.conftest import HtmlForm, Page, Reader

Draft = Callable[[str], str]


@pytest.fixture
def designer(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(designer_of(office.land))


@pytest.fixture
def draft(office: Office) -> Draft:
    """Begin a draft of a path, and give the address of its trial."""

    def begin(path: str) -> str:
        draft_id = begin_draft(designer_of(office.land), path=path).id
        db.session.rollback()
        return f"/studio/drafts/{draft_id}/trial"

    return begin


def form_of(page: Page, verb: str, **of: str) -> HtmlForm:
    wanted = {("verb", verb), *of.items()}
    return next(form for form in page.forms if wanted <= set(form.fields))


def press(reader: Reader, page: Page, verb: str, of: dict[str, str] | None = None, **filled: str | list[str]) -> Page:
    """Press the button of what is open, with some fields filled in."""
    form = form_of(page, verb, **(of or {}))
    sent: dict[str, list[str]] = {}
    for name, value in [*form.fields, *((name, value) for name, value in form.buttons if name == "do")]:
        sent[name] = [value]
    for name, value in filled.items():
        sent[name.replace("__", ".")] = value if isinstance(value, list) else [value]
    return reader.post(form.action, sent)


def begun(reader: Reader, place: str) -> Page:
    page = reader.open(place)
    assert (page.status, page.inline) == (200, [])
    return press(reader, page, "begin")


def test_tasks_are_answered_and_what_was_tried_becomes_a_scenario(designer: Reader, draft: Draft):
    place = draft("hello")
    page = begun(designer, place)
    assert "Running" in page.says
    page = press(designer, page, "complete", a__wants_tea="true", a__tea_kind="black")
    assert page.alerts == []
    page = press(designer, page, "complete", a__cups="2")
    assert "Ended: served" in page.says
    review = designer.send(page, "/record", name="two_cups", title="Two cups")
    assert "Two cups" in review.says
    draft_id = place.split("/")[3]
    kept = path_drafts.draft(designer.actor, draft_id).scenarios["two_cups"]
    assert kept["ends"] == "served"
    coverage = draft_coverage(designer.actor, draft_id, language="en")
    assert {each.name: each.passed for each in coverage.scenarios}["two_cups"]


def test_a_wrong_answer_is_told_and_what_was_typed_stays(designer: Reader, draft: Draft):
    page = begun(designer, draft("hello"))
    page = press(designer, page, "complete", a__wants_tea="perhaps", a__tea_kind="black")
    assert page.status == 422
    assert page.alerts
    assert ("a.tea_kind", "black") in form_of(page, "complete").fields
    assert not any(("verb", "back") in form.fields for form in page.forms), "the move was not kept"


@pytest.mark.parametrize(("path", "one_by_one"), [("many_visits", False), ("visits_in_order", True)])
def test_the_rounds_of_a_step_are_answered_one_by_one(designer: Reader, draft: Draft, path: str, one_by_one: bool):
    page = begun(designer, draft(path))
    page = press(designer, page, "complete", a__house_ids=["house_a", "house_b"])
    assert "house_a, house_b" in page.says, "a list is shown as people write it"
    assert any(("item", "house_b") in form.fields for form in page.forms) is not one_by_one
    if not one_by_one:
        page = press(designer, page, "take", {"item": "house_b"})
        page = press(designer, page, "complete", {"item": "house_b"}, a__note="All was done")
        page = press(designer, page, "complete", {"item": "house_a"}, a__note="All was done")
    else:
        for house in ("house_a", "house_b"):
            page = press(designer, page, "complete", {"item": house}, a__note="All was done")
    assert "Ended: done" in page.says


@pytest.mark.parametrize(
    ("how", "filled", "said"),
    [
        ("outcome", {"outcome": "done"}, "Ended"),
        ("error", {"code": "not_possible"}, "Complete the task"),
        ("escalation", {"code": "needs_attention"}, "The path child_step runs now"),
        ("cancel", {}, "Failed: given_up"),
    ],
)
def test_a_called_path_ends_fails_escalates_or_is_cancelled(
    designer: Reader, draft: Draft, how: str, filled: dict[str, str], said: str
):
    page = begun(designer, draft("call_with_boundaries"))
    assert "not_possible" in page.says, "what is caught is named"
    page = press(designer, page, "child", how=how, **filled)
    assert said in page.says


def test_a_message_comes_time_passes_and_the_last_move_is_taken_back(designer: Reader, draft: Draft):
    place = draft("wait_for_answer")
    page = begun(designer, place)
    waiting = press(designer, page, "complete", a__note="Written")
    late = press(designer, waiting, "wait")
    assert late.alerts == []
    assert late.says != waiting.says
    back = press(designer, late, "back")
    assert form_of(back, "wait")
    answered = press(designer, back, "message")
    assert answered.alerts == []
    assert not any(("verb", "message") in form.fields for form in answered.forms)


def test_a_check_of_the_program_is_answered(designer: Reader, draft: Draft):
    place = draft("service_referral")
    scenarios = path_drafts.draft(designer.actor, place.split("/")[3]).scenarios
    db.session.rollback()
    name = next(name for name, each in scenarios.items() if each["checks"])
    played = press(designer, designer.open(place), "load", name=name)
    assert "Ended" in played.says
    sent = dict(form_of(played, "back").fields)
    state = json.loads(sent["state"])
    unanswered = json.dumps({**state, "checks": {}})
    page = designer.post(place, {**sent, "verb": "take", "state": unanswered})
    asked = dict(form_of(page, "answer").fields)["check"]
    first = state["checks"][asked][0]
    page = press(designer, page, "answer", **{f"v__{name}": str(value).lower() for name, value in first.items()})
    answered = json.loads(dict(form_of(page, "back").fields)["state"])["checks"]
    assert answered == {asked: [first]}


@pytest.mark.parametrize(
    "state",
    [
        "",
        "[]",
        "{",
        '{"moves": 1}',
        '{"moves": [1], "order": [], "checks": {}, "start": {}, "settings": {}}',
        "[" * 5000,
    ],
)
def test_what_no_page_carries_is_refused(designer: Reader, draft: Draft, state: str):
    place = draft("hello")
    token = dict(designer.open(place).forms[-1].fields)["token"]
    answer = designer.post(place, {"token": token, "verb": "advance", "time": "P1D", "state": state})
    assert answer.status == 422


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_the_page_speaks_the_readers_language(
    office: Office, reader: Callable[..., Reader], draft: Draft, language: str
):
    place = draft("call_with_boundaries")
    page = begun(reader(designer_of(office.land), language), place)
    assert (page.language, page.direction) == (language, "rtl")
    assert "studio_trial." not in page.text


def test_a_handler_tries_nothing(handler: Reader, draft: Draft):
    assert handler.open(draft("hello")).status == 403
