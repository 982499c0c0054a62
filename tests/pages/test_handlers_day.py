"""A handler's day on the pages, in a browser without a script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from api.app import create_app
from nrm.actions.seats import give_membership
from nrm.actors import SYSTEM
from nrm.config import Config
from nrm.db import db
from nrm.models import FormVersion, User
from tests.api.conftest import PASSWORD, Office
from tests.installations import ROOT, forget
from tests.pages.conftest import Page, Reader


def first_task(page) -> str:
    return next(link for link in page.links.values() if link.startswith("/tasks/"))


def test_a_handler_signs_in_takes_the_next_task_completes_it_and_sees_what_comes_next(
    office: Office, handler: Reader, opened: Callable[..., str]
):
    opened()
    desk = handler.open("/work?tab=desk")
    assert desk.leads("/take")

    task = handler.send(desk, "/take-next")
    assert task.leads("/answers")

    done = handler.send(task, "/answers", do="complete", a__wants_tea="true", a__tea_kind="mint")
    assert "The task is completed." in done.says
    assert done.leads("/undo")
    assert "Next in this case" in done.says


def test_the_name_of_a_desk_stands_at_its_tasks_only_for_those_who_have_several(
    office: Office, handler: Reader, opened: Callable[..., str]
):
    opened()
    assert handler.actor is not None
    assert rows_of(handler.open("/work?tab=desk")) == {""}
    other = office.land.at_desk("case_handler", "lakemar", "far")
    seat = {"organisation_id": other.organisations[0], "desk_id": other.desks[0], "role": "case_handler"}
    give_membership(SYSTEM, handler.actor.id, **seat)
    assert "" not in rows_of(handler.open("/work?tab=desk"))


def rows_of(page: Page) -> set[str]:
    return set(re.findall(r'<p class="where quiet">([^<]*)</p>', page.text))


def test_answers_that_cannot_be_taken_stand_there_with_what_is_wrong_and_are_kept_as_a_draft(
    handler: Reader, opened: Callable[..., str]
):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")

    refused = handler.send(task, "/answers", do="complete", a__wants_tea="true")

    assert refused.status == 422
    assert any("#q-a-tea_kind" in link for link in refused.links.values())
    assert ("a.wants_tea", "true") in refused.form("/answers").fields
    again = handler.open(first_task(handler.open("/work")))
    assert ("a.wants_tea", "true") in again.form("/answers").fields


def test_a_draft_is_there_after_a_power_cut(handler: Reader, opened: Callable[..., str], reader):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    form = task.form("/answers")
    told = handler.client.post(form.action, data={**dict(form.fields), "do": "draft", "a.wants_tea": "false"})
    assert told.get_json()["version"] == 1
    assert "Draft saved" in told.get_json()["words"]

    elsewhere = reader(handler.actor)
    found = elsewhere.open(first_task(elsewhere.open("/work")))
    assert ("a.wants_tea", "false") in found.form("/answers").fields
    stale = handler.client.post(form.action, data={**dict(form.fields), "do": "draft", "draft_version": "9"})
    assert stale.status_code == 409
    assert "newer draft" in stale.get_json()["words"]


def test_undo_opens_the_task_again_with_its_answers(handler: Reader, opened: Callable[..., str]):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    done = handler.send(task, "/answers", do="complete", a__wants_tea="true", a__tea_kind="mint")
    back = handler.send(done, "/undo")
    assert "open again" in back.says
    assert ("a.wants_tea", "true") in back.form("/answers").fields


def test_a_second_click_completes_once(handler: Reader, opened: Callable[..., str]):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    handler.send(task, "/answers", do="complete", a__wants_tea="false")
    second = handler.send(task, "/answers", do="complete", a__wants_tea="false")
    assert "counted once" in second.says


def test_a_task_that_a_colleague_took_first_is_shown_as_it_is(office: Office, reader, opened: Callable[..., str]):
    opened()
    one, two = (reader(office.land.at_desk("case_handler", "norvale", name)) for name in ("one", "two"))
    seen_by_both = two.open("/work?tab=desk")
    one.send(one.open("/work?tab=desk"), "/take-next")
    beaten = two.send(seen_by_both, "/take")
    assert "A colleague was quicker" in beaten.says
    assert not beaten.leads("/answers")


def test_what_was_typed_stands_beside_what_a_colleague_stored(office: Office, reader, opened: Callable[..., str]):
    opened()
    one = reader(office.land.at_desk("case_handler", "norvale", "one"))
    supervisor = reader(office.land.at_desk("supervisor", "norvale"))
    colleague = office.land.at_desk("case_handler", "norvale", "two")
    mine = one.send(one.open("/work?tab=desk"), "/take-next")
    theirs = supervisor.open(mine.form("/answers").action.removesuffix("/answers"))
    supervisor.send(theirs, "/hand-over", to_user=colleague.id)
    two = reader(colleague)
    two.send(two.open(first_task(two.open("/work"))), "/answers", do="complete", a__wants_tea="false")

    late = one.send(mine, "/answers", do="complete", a__wants_tea="true", a__tea_kind="mint")

    assert late.status == 409
    assert "Nothing was overwritten" in late.says
    assert "You typed" in late.says


def test_hold_release_and_comment(handler: Reader, opened: Callable[..., str]):
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    assert "a quiet word" in handler.send(task, "/comment", text="a quiet word").says
    held = handler.send(handler.open(first_task(handler.open("/work"))), "/hold", days="3", reason="other")
    assert "On hold" in held.says
    resumed = handler.send(handler.open(first_task(held)), "/resume")
    released = handler.send(handler.open(first_task(handler.open("/work?tab=desk"))), "/release", reason="lunch")
    assert resumed.leads("/release")
    assert "You have taken no task." in released.says


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_pages_speak_the_readers_language_and_are_written_in_its_direction(
    office: Office, reader, opened: Callable[..., str], language: str
):
    opened()
    one = reader(office.land.at_desk("case_handler", "norvale", "one"), language)
    for path in ("/work", "/work?tab=desk", "/work?tab=done", "/work?tab=on_hold", "/work?tab=waiting"):
        page = one.open(path)
        assert (page.language, page.direction, page.inline) == (language, "rtl", [])
    task = one.send(one.open("/work?tab=desk"), "/take-next")
    assert task.inline == []
    refused = one.send(task, "/answers", do="complete")
    assert refused.status == 422


def test_another_offices_task_is_not_there(office: Office, reader, opened: Callable[..., str]):
    opened()
    inside = reader(office.land.at_desk("case_handler", "norvale", "one"))
    address = first_task(inside.open("/work?tab=desk"))
    outside = reader(office.land.at_desk("case_handler", "lakemar", "far"))
    assert outside.open(address).status == 404
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    for verb in ("take", "answers", "hold", "hand-over", "comment", "undo", "release", "resume"):
        assert outside.post(f"{address}/{verb}", {"token": token, "version": "1"}).status == 404, verb


def test_a_form_of_another_site_is_refused(handler: Reader, opened: Callable[..., str]):
    opened()
    page = handler.open("/work?tab=desk")
    action = page.form("/take").action
    assert handler.post(action, {"version": "1"}).status == 403
    other_site = handler.client.post(
        action, data=dict(page.form("/take").fields), headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert other_site.status_code == 403


def test_a_session_that_has_ended_leads_to_the_sign_in_and_back(office: Office, handler: Reader):
    page = handler.open("/work")
    handler.send(page, "/sign-out")
    asked = handler.open("/work?tab=done")
    assert dict(asked.form("/sign-in").fields)["next"] == "/work?tab=done"
    back = handler.send(asked, "/sign-in", login=handler.actor.id, password=PASSWORD)
    assert "Done recently" in back.says


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(office: Office, reader, address: str):
    actor = office.land.at_desk("case_handler", "norvale", "one")
    one = reader(actor)
    stranger = reader()
    page = stranger.open("/sign-in")
    answer = stranger.client.post(
        "/sign-in",
        data={**dict(page.form("/sign-in").fields), "login": actor.id, "password": PASSWORD, "next": address},
    )
    assert answer.headers["Location"] == "/work"
    assert one.open("/work").status == 200


def test_a_wrong_password_says_so_and_keeps_the_name(office: Office, reader):
    stranger = reader()
    page = stranger.send(stranger.open("/sign-in"), "/sign-in", login="somebody", password="wrong words here")
    assert page.status == 401
    assert page.alerts
    assert ("login", "somebody") in page.form("/sign-in").fields


def test_a_language_can_be_chosen_before_and_after_signing_in(reader, handler: Reader):
    stranger = reader()
    assert stranger.open("/sign-in", **{"Accept-Language": "en-GB,en;q=0.8"}).language == "en"
    assert stranger.post("/language", {"language": "ckb", "back": "/sign-in"}).language == "ckb"
    changed = handler.send(handler.open("/work"), "/my-language", language="ar")
    assert (changed.language, changed.direction) == ("ar", "rtl")


def test_static_files_are_kept_for_ever_under_their_stamp(handler: Reader):
    page = handler.open("/work")
    sheet = next(word for word in page.text.split('"') if word.endswith("desk.css"))
    answer = handler.client.get(sheet, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert handler.client.get("/static/0/css/desk.css").headers["Cache-Control"] == "public, max-age=60"
    assert handler.client.get("/static/0/../app.py").status_code == 404


def test_the_front_door_leads_to_the_work(database_url: str, tmp_path):
    config = Config(
        database_url=database_url,
        data_dir=tmp_path,
        secret="only for tests: " + "0123456789abcdef" * 2,
        country="testland",
        packs_dir=ROOT / "workflows",
    )
    app = create_app(config)
    forget()
    with app.app_context():
        try:
            answer = app.test_client().get("/", base_url="https://localhost")
        finally:
            db.session.remove()
            db.engine.dispose()
            forget()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/work")


def test_the_inbox_is_searched_by_the_number_of_a_case_in_whatever_digits(handler: Reader, opened: Callable[..., str]):
    opened()
    desk = handler.open("/work?tab=desk")
    number = next(word for word in desk.words if word.startswith("TL-"))
    asked = dict(desk.form("/work").fields)
    assert "number" in asked
    typed = number.lower().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    found = handler.open(f"/work?tab=desk&number={typed}")
    assert number in found.says
    assert first_task(found) == first_task(desk)
    nothing = handler.open("/work?tab=desk&number=TL-2026-NOTHERE")
    assert not any(link.startswith("/tasks/") for link in nothing.links.values())
    assert "TL-2026-NOTHERE" in nothing.text


def test_a_line_names_the_colleague_of_the_own_desk_who_has_taken_it(
    office: Office, handler: Reader, opened: Callable[..., str], reader: Callable[..., Reader]
):
    opened()
    handler.send(handler.open("/work?tab=desk"), "/take-next")
    colleague = reader(office.land.at_desk("case_handler", "norvale", "two"))
    seen = colleague.open("/work?tab=desk")
    assert handler.actor is not None
    name = db.session.scalar(select(User.name).where(User.id == handler.actor.id))
    assert name in seen.words
    assert f"<bdi>{name}</bdi>" not in handler.open("/work").text


def test_a_version_that_is_no_number_changes_nothing(handler: Reader, opened: Callable[..., str]):
    opened()
    desk = handler.open("/work?tab=desk")
    refused = handler.send(desk, "/take", version="abc")
    assert refused.status == 422
    assert handler.open("/work?tab=desk").leads("/take")


def test_what_a_form_begins_with_stands_there_until_it_is_answered(handler: Reader, opened: Callable[..., str]):
    form = db.session.execute(select(FormVersion).where(FormVersion.key == "hello_ask")).scalar_one()
    first, second = form.content["fields"]
    texts = {"ar": "للضيوف", "ckb": "بۆ میوان", "en": "For guests"}
    form.content = {
        **form.content,
        "description": texts,
        "fields": [{**first, "default": True}, {**second, "default": "mint"}],
    }
    db.session.commit()
    opened()
    task = handler.send(handler.open("/work?tab=desk"), "/take-next")
    assert "For guests" in task.says
    begins = dict(task.form("/answers").fields)
    assert (begins["a.wants_tea"], begins["a.tea_kind"]) == ("true", "mint")

    sent = {**begins, "do": "draft", "a.tea_kind": ""}
    assert handler.client.post(task.form("/answers").action, data=sent).status_code == 200
    again = handler.open(first_task(handler.open("/work")))
    assert ("a.tea_kind", "") in again.form("/answers").fields, "what was cleared stays cleared"
