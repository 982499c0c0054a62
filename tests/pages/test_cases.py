"""The page of a case, in a browser without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from nrm.actions.cases import share_case
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.models import Case, Event
from nrm.queries import packs
from tests.api.conftest import Office
from tests.counting import QueryCounter
from tests.pages.conftest import Reader


def test_a_case_says_who_has_it_now_and_since_when(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    page = handler.open(f"/cases/{case_id}")
    assert "Where the case stands" in page.says
    assert "since today at" in page.says
    assert re.search(r"since today at [0-9:]+, due ", page.says)
    assert any(link.startswith("/tasks/") for link in page.links.values())
    assert "<svg" in page.text
    assert page.inline == []
    assert "Case opened" in page.says


def test_a_link_leads_to_the_step_at_which_the_case_stands(handler: Reader, opened: Callable[..., str]):
    page = handler.open(f"/cases/{opened()}")
    assert page.links["To the current step"] == "#here"
    assert page.text.count('id="here"') == 1
    assert re.search(r'id="here"[^>]*><rect[^>]*state-open', page.text)


def test_the_drawing_can_be_mirrored_and_read_as_a_list(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    handler.send(task, "/answers", do="complete", a__wants_tea="true", a__tea_kind="mint")
    plain, mirrored = (handler.open(f"/cases/{case_id}{how}") for how in ("", "?flip=1"))
    assert "state-done" in plain.text
    assert plain.text.split("<svg")[1] != mirrored.text.split("<svg")[1]
    assert "The same as a list" in plain.says


def test_the_list_beside_the_drawing_says_where_the_case_stands_and_what_may_come(
    office: Office, reader: Callable[..., Reader], handler: Reader, opened: Callable[..., str]
):
    case_id = opened()
    page = handler.open(f"/cases/{case_id}")
    assert "Ask the guest to be done Serve tea may come next" in page.says
    assert "What may come next: Serve tea" in page.says
    office.clock.move(timedelta(days=60))
    assert "Ask the guest late Serve tea may come next" in reader(handler.actor).open(f"/cases/{case_id}").says


def test_the_history_can_be_narrowed(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    assert "Case opened" not in handler.open(f"/cases/{case_id}?kind=task").says
    assert "Task opened" in handler.open(f"/cases/{case_id}?kind=task").says
    assert handler.open(f"/cases/{case_id}?kind=nonsense&after=broken").status == 422


def test_what_one_act_did_to_the_access_of_many_desks_is_one_line_of_the_history(
    handler: Reader, opened: Callable[..., str]
):
    case_id = opened()
    rows = handler.client.get(f"/api/v1/cases/{case_id}/timeline?limit=100").json["data"]
    given = sum(row["kind"] == "case.access_given" for row in rows)
    assert given > 1
    words = handler.open(f"/cases/{case_id}").words
    assert words.count("Access given") == 1
    assert words[words.index("Access given") + 1] == str(given)


def test_a_note_stands_on_the_page_at_once(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    page = handler.send(handler.open(f"/cases/{case_id}"), "/note", text="She prefers mornings", pinned="1")
    assert "She prefers mornings" in page.says
    empty = handler.send(page, "/note", text="")
    assert empty.status == 422
    assert empty.alerts


def test_a_supervisor_hands_a_case_to_another_office_and_closes_one(office: Office, reader, opened):
    case_id = opened()
    supervisor = reader(office.land.at_desk("supervisor", "norvale"))
    page = supervisor.open(f"/cases/{case_id}")
    for action in ("/transfer", "/close"):
        if page.leads(action):
            break
    else:
        pytest.fail("a supervisor has nothing to do with a case")


def test_why_something_was_done_stands_in_the_history_in_words_and_only_known_reasons_are_taken(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str]
):
    case_id = opened()
    boss = office.land.at_desk("supervisor", "norvale")
    share_case(SYSTEM, case_id, holder_kind="user", holder_id=boss.id, access="work")
    supervisor = reader(boss)
    page = supervisor.open(f"/cases/{case_id}")
    assert supervisor.send(page, "/transfer", desk="dsk_" + "2" * 26, reason="nonsense").status == 422
    outcome, reason = (list(packs.pack().codes[name].values())[-1] for name in ("case_outcome", "closure_reason"))
    closed = supervisor.send(page, "/close", outcome=outcome.code, reason=reason.code)
    assert f"Case closed – {outcome.names['en']}" in closed.says
    assert supervisor.send(closed, "/reopen", reason="nonsense").status == 422
    again = supervisor.send(closed, "/reopen", reason="closed_by_mistake")
    assert "Case opened again – It was closed by mistake" in again.says


def test_the_sheet_is_one_page_without_buttons(handler: Reader, opened: Callable[..., str]):
    page = handler.open(f"/cases/{opened()}/sheet")
    assert page.status == 200
    assert "Printed" in page.says


def test_cases_can_be_found_by_number_stage_and_place(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    number = next(word for word in handler.open(f"/cases/{case_id}").words if word.startswith("TL-")).split()[0]
    assert f"/cases/{case_id}" in handler.open(f"/cases?number={number.lower()}").links.values()
    assert "No case fits." in handler.open("/cases?number=TL-26-00000-0").says
    assert f"/cases/{case_id}" in handler.open("/cases?governorate=norvale&status=open").links.values()


QUESTIONS = 22
"""Statements of a case's page; each costs a slow line to the database one way and back."""


def test_a_page_of_a_case_asks_few_questions_however_long_its_history(
    handler: Reader, opened: Callable[..., str], query_counter: QueryCounter
):
    case_id = opened()

    def asked() -> int:
        handler.open(f"/cases/{case_id}")
        with query_counter() as count:
            handler.open(f"/cases/{case_id}")
            return count()

    at_first = asked()
    for number in range(10):
        handler.send(handler.open(f"/cases/{case_id}"), "/note", text=f"Note {number}")
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    handler.send(task, "/answers", do="complete", a__wants_tea="true", a__tea_kind="mint")
    assert asked() <= at_first + 1
    assert at_first <= QUESTIONS


def test_another_offices_case_is_not_there(office: Office, reader, opened: Callable[..., str]):
    case_id = opened()
    outside = reader(office.land.at_desk("case_handler", "lakemar", "far"))
    assert outside.open(f"/cases/{case_id}").status == 404
    assert outside.open(f"/cases/{case_id}/sheet").status == 404
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    sent = {"version": "1", "message": "risk.raised", "reason": "other", "text": "x", "path": "hello", "outcome": "x"}
    for verb in ("note", "start", "transfer", "tell", "close", "reopen"):
        assert outside.post(f"/cases/{case_id}/{verb}", {**sent, "token": token}).status in {403, 404}, verb


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_a_case_reads_in_the_readers_language(office: Office, reader, opened: Callable[..., str], language: str):
    case_id = opened()
    one = reader(office.land.at_desk("case_handler", "norvale", "one"), language)
    for address in (f"/cases/{case_id}", "/cases", f"/cases/{case_id}/sheet", f"/cases/{case_id}?flip=1"):
        page = one.open(address)
        assert (page.status, page.language, page.inline) == (200, language, [])


def test_the_drawing_says_what_is_done_what_is_open_with_a_link_and_what_is_late(
    office: Office, reader: Callable[..., Reader], handler: Reader, opened: Callable[..., str]
):
    case_id = opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    handler.send(task, "/answers", do="complete", a__wants_tea="true", a__tea_kind="mint")
    drawn = handler.open(f"/cases/{case_id}").text.partition('class="drawing')[2].partition("</svg>")[0]
    assert "state-done" in drawn
    assert "state-open" in drawn
    assert 'href="/tasks/tsk_' in drawn
    office.clock.move(timedelta(days=60))
    late = reader(handler.actor).open(f"/cases/{case_id}").text.partition('class="drawing')[2].partition("</svg>")[0]
    assert "state-overdue" in late
    assert "state-open" not in late


def test_each_page_of_a_strict_case_leaves_a_trace_when_it_is_opened(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    pages = ("", "/sheet", "/plan", "/plan/new", "/consent", "/documents", "/service")

    def read() -> int:
        db.session.remove()
        found = select(func.count()).where(Event.kind == "record.read", Event.subject_id == case_id)
        number = int(db.session.execute(found).scalar_one())
        db.session.remove()
        return number

    for page in pages:
        assert handler.open(f"/cases/{case_id}{page}").status == 200
    assert read() == 0
    with db.engine.begin() as connection:
        connection.execute(update(Case).where(Case.id == case_id).values(level="strict"))
    seen = []
    for page in pages:
        assert handler.open(f"/cases/{case_id}{page}").status == 200
        seen.append(read())
    assert seen == list(range(1, len(pages) + 1))


def test_a_task_says_who_else_is_on_the_case(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    alone = handler.send(handler.open("/work?tab=desk"), "/take-next")
    assert "Who else is on the case" not in alone.says
    handler.send(handler.open(f"/cases/{case_id}"), "/start", path="hello")
    page = handler.open(alone.form("/answers").action.removesuffix("/answers"))
    assert "Who else is on the case" in page.says
    assert sum(link.startswith("/tasks/tsk_") for link in page.links.values()) == 1
