"""Finding work: by name, by number, in saved views; many tasks at once; and what came anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions.cases import open_case, set_level
from nrm.actions.people import register_person
from nrm.db import db
from nrm.models import Session
from nrm.rules.numbers import case_number
from tests.api.conftest import Office
from tests.pages.conftest import Reader
from tests.pages.test_desk import ticks


@pytest.fixture
def named(office: Office) -> Callable[..., str]:
    """Open a case of somebody of a name at the desk of the handlers, and give its id."""

    def open_one(*names: str) -> str:
        handler = office.land.at_desk("case_handler", "norvale", "one")
        parts = dict(zip(("own", "father", "grandfather"), names, strict=False))
        made = register_person(handler, {"names": parts, "born": "1990", "sex": "male", "governorate": "norvale"})
        return open_case(handler, made.id, governorate="norvale", path="hello").id

    return open_one


@pytest.mark.parametrize("typed", ["Karim Hasan", "كريم", "Kareem"])
def test_a_task_is_found_by_the_persons_name_in_any_script_and_the_name_stays_out_of_the_address(
    handler: Reader, named: Callable[..., str], typed: str
):
    named("كريم", "حسن", "نوري")
    named("Zelda", "Nobody", "Else")
    found = handler.send(handler.open("/work"), "/find-work", name=typed)
    assert found.status == 200
    assert "كريم" in found.says
    assert "Zelda" not in found.says


def test_nobody_is_found_at_the_desk_of_another_office_nor_in_a_strict_case(
    office: Office, handler: Reader, reader: Callable[..., Reader], named: Callable[..., str]
):
    case_id = named("Karim", "Example", "One")
    elsewhere = reader(office.land.at_desk("case_handler", "lakemar"))
    page = elsewhere.send(elsewhere.open("/work"), "/find-work", name="Karim Example")
    assert "No open task at your desks" in page.says
    assert "Karim" in handler.send(handler.open("/work"), "/find-work", name="Karim Example").says
    set_level(office.land.at_desk("supervisor", "norvale"), case_id, level="strict", version=None)
    assert "No open task" in handler.send(handler.open("/work"), "/find-work", name="Karim Example").says
    assert handler.send(handler.open("/work"), "/find-work", name="  ").status == 422


def test_a_number_leads_to_the_case_a_word_to_a_page_and_a_name_to_the_tasks(
    handler: Reader, named: Callable[..., str]
):
    case_id = named("Karim", "Example", "One")
    desk = handler.open("/work?tab=desk")
    number = next(word for word in desk.words if word.startswith("TL-"))
    assert handler.client.post("/go", data={"q": number, "token": _token(handler)}).headers["Location"] == (
        f"/cases/{case_id}"
    )
    assert handler.client.post("/go", data={"q": "Noti", "token": _token(handler)}).headers["Location"] == "/notices"
    assert handler.client.post("/go", data={"q": "Desks", "token": _token(handler)}).status_code == 200
    assert "Karim" in handler.send(desk, "/go", q="Karim Example").says


def _token(one: Reader) -> str:
    return dict(one.open("/me").form("/my-language").fields)["token"]


def test_a_number_of_a_case_that_is_not_ones_own_leads_to_an_empty_list(
    office: Office, reader: Callable[..., Reader], handler: Reader, named: Callable[..., str]
):
    named("Karim", "Example", "One")
    number = next(word for word in handler.open("/work?tab=desk").words if word.startswith("TL-"))
    elsewhere = reader(office.land.at_desk("case_handler", "lakemar"))
    assert "Nothing fits this choice." in elsewhere.send(elsewhere.open("/work"), "/go", q=number).says
    nobodys = case_number("TL", 2026, b"none here")
    told = [elsewhere.client.post("/go", data={"q": q, "token": _token(elsewhere)}) for q in (number, nobodys)]
    assert [one.headers["Location"] for one in told] == [f"/work?tab=desk&number={q}" for q in (number, nobodys)]


def test_a_view_is_saved_for_oneself_shown_with_its_count_and_forgotten(handler: Reader, opened: Callable[..., str]):
    opened()
    opened()
    page = handler.open("/work?tab=desk&free=1")
    saved = handler.send(page, "/saved-views", name="Not taken yet")
    assert saved.links["Not taken yet"] == "/work?tab=desk&free=1"
    assert "Not taken yet 2" in saved.says
    forget = next(form.action for form in saved.forms if form.action.endswith("/forget"))
    assert "Not taken yet" not in handler.send(saved, forget).links


def test_a_view_of_a_desk_is_there_for_all_who_sit_there_and_only_its_maker_or_supervisor_forgets_it(
    office: Office, reader: Callable[..., Reader], handler: Reader, opened: Callable[..., str]
):
    opened()
    assert handler.actor
    desk = handler.actor.desks[0]
    handler.send(handler.open("/work?tab=desk&late=1"), "/saved-views", name="Late ones", desk=desk)
    two = reader(office.land.at_desk("case_handler", "norvale", "two"))
    seen = two.open("/work")
    assert seen.links["Late ones"] == "/work?tab=desk&late=1"
    forget = next(form.action for form in seen.forms if form.action.endswith("/forget"))
    assert two.send(seen, forget).status == 404
    supervisor = reader(office.land.at_desk("supervisor", "norvale"))
    supervisor.post(forget, {"token": _token(supervisor)})
    assert "Late ones" not in two.open("/work").links
    stranger = reader(office.land.at_desk("case_handler", "lakemar"))
    assert stranger.send(stranger.open("/work"), "/saved-views", name="Mine", desk=desk).status == 404


def test_a_view_keeps_only_what_a_list_is_chosen_by(handler: Reader, opened: Callable[..., str]):
    opened()
    page = handler.open("/work?tab=desk&number=TL-26-ABCDE-1&priority=urgent&zzz=1")
    saved = handler.send(page, "/saved-views", name="Urgent")
    assert saved.links["Urgent"] == "/work?tab=desk&priority=urgent"


def test_a_view_without_a_name_and_one_too_many_are_told(handler: Reader):
    page = handler.open("/work?tab=desk")
    assert handler.send(page, "/saved-views", name=" ").status == 422
    for number in range(12):
        handler.send(page, "/saved-views", name=f"View {number}")
    refused = handler.send(page, "/saved-views", name="One more")
    assert (refused.status, "At most 12 views" in refused.says) == (422, True)


def test_a_handler_takes_many_tasks_at_once_and_hands_them_over(
    office: Office, reader: Callable[..., Reader], handler: Reader, opened: Callable[..., str]
):
    two = reader(office.land.at_desk("case_handler", "norvale", "two"))
    opened()
    opened()
    desk = handler.open("/work?tab=desk")
    taken = handler.send(desk, "/tasks/many", task=ticks(desk), verb="claim")
    assert "2 were done" in taken.says
    mine = handler.open("/work")
    assert two.actor
    given = handler.send(mine, "/tasks/many", task=ticks(mine), verb="assign", to_user=two.actor.id)
    assert "It was assigned." in given.says
    assert len(ticks(two.open("/work"))) == 2
    theirs = handler.send(mine, "/tasks/many", task=ticks(mine), verb="release")
    assert "2 could not be changed" in theirs.says


def test_what_came_anew_is_told_once_and_then_there_is_nothing_new_to_send(
    office: Office, handler: Reader, opened: Callable[..., str]
):
    page = handler.open("/work")
    since = page.text.partition('data-since="')[2].partition('"')[0]
    none = handler.client.get("/work-news", query_string={"since": since})
    assert none.get_json() == {"number": 0, "words": ""}
    office.clock.move(timedelta(seconds=30))
    opened()
    told = handler.client.get(
        "/work-news", query_string={"since": since}, headers={"If-None-Match": none.headers["ETag"]}
    )
    assert told.get_json() == {"number": 1, "words": "1 new task – show it"}
    again = handler.client.get(
        "/work-news", query_string={"since": since}, headers={"If-None-Match": told.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    assert handler.client.get("/work-news?since=yesterday").get_json()["number"] == 0
    assert handler.client.get("/work-news?since=2026-01-01T00:00:00").status_code == 404
    before_all = {"since": "0001-01-01T00:00:00+14:00"}
    assert handler.client.get("/work-news", query_string=before_all).get_json()["number"] == 0


def test_asking_by_itself_keeps_no_session_alive(handler: Reader, monkeypatch: pytest.MonkeyPatch):
    from nrm.actions import sign_in

    later = sign_in.real_now() + timedelta(minutes=5)
    monkeypatch.setattr(sign_in, "real_now", lambda: later)
    handler.client.get("/work-news")
    assert handler.actor
    seen = select(Session.seen_at).where(Session.user_id == handler.actor.id)
    assert db.session.scalar(seen) < later
    db.session.close()
    handler.open("/work")
    assert db.session.scalar(seen) == later
    db.session.close()


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_finding_is_there_in_each_language(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], language: str
):
    opened()
    one = reader(office.land.at_desk("case_handler", "norvale", "one"), language)
    page = one.send(one.open("/work"), "/find-work", name="Nobody Here")
    assert (page.status, page.language, page.inline) == (200, language, [])
