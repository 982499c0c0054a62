"""The path studio without a script: a designer drafts, a second one reads what differs and publishes."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from nrm.actions.path_drafts import begin_draft, save_diagram
from nrm.actions.path_publishing import publish_draft, submit_draft
from nrm.db import db
from nrm.engine import confined
from nrm.engine.confined_drawings import DRAW_SECONDS
from nrm.errors import StaleVersion
from nrm.queries import path_drafts
from tests.api.conftest import Office
from tests.drafting import designer
from tests.engine.test_confined_drawings import SLOW
from tests.pages.conftest import Page, Reader, chosen

Who = Callable[..., Reader]


@pytest.fixture
def author(office: Office, reader: Who) -> Reader:
    return reader(designer(office.land))


@pytest.fixture
def second(office: Office, reader: Who) -> Reader:
    return reader(designer(office.land, "two"))


def drafted(office: Office, old: str = 'time="P1D"', new: str = 'time="P5D"') -> str:
    actor = designer(office.land)
    draft = begin_draft(actor, path="hello")
    text = path_drafts.draft(actor, draft.id).diagram
    assert old in text
    db.session.rollback()
    save_diagram(actor, draft.id, diagram=text.replace(old, new, 1), version=1, language="en")
    return draft.id


def plain(page: Page) -> Page:
    assert page.status == 200
    assert page.inline == []
    return page


def test_a_reader_of_paths_sees_paths_and_versions_but_no_drafts(office: Office, reader: Who):
    drafted(office)
    supervisor = reader(office.land.at_desk("supervisor", "norvale"))
    page = plain(supervisor.open("/studio"))
    assert "Waits for a second person" not in page.says
    path = plain(supervisor.open("/studio/paths/hello"))
    assert "New cases use this version" in path.says
    assert [form.action for form in path.forms if form.action.startswith("/studio")] == []
    version = plain(supervisor.open(path.links["Version 1"]))
    assert "<svg" in version.text
    assert supervisor.open("/studio/paths/no_such").status == 404


def test_who_does_not_read_paths_has_no_studio(office: Office, reader: Who):
    handler = reader(office.land.at_desk("case_handler", "norvale"))
    assert handler.open("/studio").status == 403
    assert "/studio" not in handler.open("/work").links.values()


def test_a_change_goes_from_the_author_to_the_second_person_and_into_use(
    office: Office, author: Reader, second: Reader
):
    draft_id = drafted(office)
    review = f"/studio/drafts/{draft_id}/review"
    page = plain(author.open(review))
    assert "the time that it may take was “P1D” and is now “P5D”" in page.says
    assert page.text.count("<svg") == 2
    assert "state-changed" in page.text
    asked = author.send(page, f"{draft_id}/submit", note="More time")
    assert "In review" in asked.says
    assert "somebody else must publish it" not in plain(second.open(review)).says
    assert "More time" in second.open(review).says
    notice = second.open("/notices")
    told = notice.links["A draft of a path waits for a second person"]
    assert "More time" in second.open(told).says
    assert f"/studio/drafts/{draft_id}/publish" not in {form.action for form in author.open(review).forms}
    after = second.send(second.open(review), f"{draft_id}/publish")
    assert "Version 2" in after.says
    version = plain(second.open(after.links["Version 2"]))
    assert "is now “P5D”" in version.says


def test_a_drawing_that_takes_for_ever_keeps_nobody_from_the_page(
    office: Office, author: Reader, monkeypatch: pytest.MonkeyPatch
):
    draft_id = drafted(office)
    confined.close()
    with monkeypatch.context() as slow:
        slow.setattr(confined, "_CODE", SLOW)
        began = time.monotonic()
        editor = author.open(f"/studio/drafts/{draft_id}")
        review = author.open(f"/studio/drafts/{draft_id}/review")
        assert time.monotonic() - began < 3 * DRAW_SECONDS
        told = author.client.get(f"/api/v1/path-versions/{draft_id}/difference/{draft_id}")
    confined.close()
    assert (editor.status, review.status, told.status_code) == (200, 200, 422)
    assert "no drawing that can be shown" in editor.says
    assert "cannot be compared" in review.says
    assert "took_too_long" in told.text


def test_errors_are_told_on_the_page_and_nothing_is_asked(office: Office, author: Reader):
    draft_id = drafted(office, 'role="case_handler"', 'role="wizard"')
    page = plain(author.open(f"/studio/drafts/{draft_id}/review"))
    assert "Error:" in page.says
    after = author.send(page, f"{draft_id}/submit")
    assert after.status == 422
    assert "mend the errors" in " ".join(after.alerts)


def test_a_draft_is_sent_back_with_a_word(office: Office, author: Reader, second: Reader):
    draft_id = drafted(office)
    review = f"/studio/drafts/{draft_id}/review"
    author.send(author.open(review), f"{draft_id}/submit")
    second.send(second.open(review), f"{draft_id}/send_back", note="Too long")
    page = author.open(review)
    assert "Too long" in page.says
    assert "Draft" in page.says


def test_comments_stand_below_and_are_settled(office: Office, author: Reader, second: Reader):
    draft_id = drafted(office)
    review = f"/studio/drafts/{draft_id}/review"
    second.send(
        second.open(review), f"{draft_id}/comments", text="Why five days?<script>alert(1)</script>", element="ask"
    )
    page = plain(author.open(review))
    assert "Why five days?<script>alert(1)</script>" in page.says
    assert "<script>alert" not in page.text
    after = author.send(page, "/resolve")
    assert "· settled" in after.says


def test_a_new_path_is_begun_with_a_name_in_each_language(author: Reader):
    page = plain(author.open("/studio"))
    wrong = author.send(page, "/studio/drafts", key="hello", name_en="Tea", name_ar="", name_ckb="چا")
    assert wrong.status == 422
    assert "There is a path with this key already" in wrong.says
    good = author.send(page, "/studio/drafts", key="tea", name_en="Tea", name_ar="شاي", name_ckb="چا")
    assert good.status == 200
    assert "Tea" in good.says


def test_an_older_version_comes_back_through_a_draft(office: Office, author: Reader, second: Reader):
    draft_id = drafted(office)
    review = f"/studio/drafts/{draft_id}/review"
    author.send(author.open(review), f"{draft_id}/submit")
    second.send(second.open(review), f"{draft_id}/publish")
    path = author.open("/studio/paths/hello")
    forms = [form for form in path.forms if ("from_version" in dict(form.fields))]
    assert len(forms) == 1
    answer = author.client.post("/studio/drafts", data=dict(forms[0].fields))
    back = answer.headers["Location"] + "/review"
    assert "was “P5D” and is now “P1D”" in author.open(back).says


def test_a_version_that_cases_need_is_not_retired(second: Reader):
    page = second.open("/studio/paths/reintegration_case")
    after = second.send(page, "/retire")
    assert after.status == 409
    assert "cannot be retired" in after.says


@pytest.mark.parametrize(("language", "word"), [("ar", "استوديو المسارات"), ("ckb", "ستۆدیۆی ڕێڕەوەکان")])
def test_the_studio_speaks_the_readers_language(author: Reader, language: str, word: str):
    page = author.send(author.open("/studio"), "/my-language", language=language)
    page = author.open("/studio")
    assert (page.language, page.direction) == (language, "rtl")
    assert word in page.says


def test_an_outdated_draft_says_what_came_between_and_what_both_change(office: Office, author: Reader, second: Reader):
    first, other = drafted(office), drafted(office, 'time="P1D"', 'time="P9D"')
    third = drafted(office, 'time="PT4H"', 'time="PT6H"')
    author.send(author.open(f"/studio/drafts/{first}/review"), f"{first}/submit")
    second.send(second.open(f"/studio/drafts/{first}/review"), f"{first}/publish")
    page = plain(author.open(f"/studio/drafts/{other}/review"))
    assert "It changes these too" in page.says
    assert "is now “P5D”" in page.says
    assert "It changes nothing that this draft changes." in author.open(f"/studio/drafts/{third}/review").says
    after = author.send(page, f"{other}/take_newest_base")
    assert "It changes these too" not in after.says
    assert "was “P5D” and is now “P9D”" in after.says


def test_a_draft_is_taken_as_a_file_and_brought_in_again(office: Office, author: Reader):
    draft_id = drafted(office)
    taken = author.client.get(f"/studio/drafts/{draft_id}/bundle.zip")
    assert taken.mimetype == "application/zip"
    page = author.open("/studio")
    data = {name: [value] for name, value in page.form("/studio/bundles").fields}
    again = author.post("/studio/bundles", {**data, "bundle": [chosen(taken.data, "hello.zip")]})
    assert "is now “P5D”" in again.says
    wrong = author.post("/studio/bundles", {**data, "bundle": [chosen(b"no zip", "hello.zip")]})
    assert wrong.status == 422
    assert "This is no bundle of a path" in wrong.says
    none = author.post("/studio/bundles", {**data, "bundle": [chosen(b"", "")]})
    assert none.status == 422


def test_what_was_looked_at_is_what_is_decided_on(office: Office):
    actor, reviewer = designer(office.land), designer(office.land, "two")
    draft = begin_draft(actor, path="hello")
    for decide in (submit_draft, publish_draft):
        with pytest.raises(StaleVersion):
            decide(reviewer, draft.id, version=2)
