"""Path designers on the pages that move running cases: planned, looked at, approved by another, paused, put back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nrm.actions import cases
from tests.api.conftest import Office
from tests.drafting import designer
from tests.moving import latest_version, next_version, plan_of, work_off
from tests.pages.conftest import Page, Reader

HERE = "/studio/paths/wait_for_answer/migrations"


@pytest.fixture
def versions(office: Office) -> tuple[str, str]:
    """Two versions of a path, with a case in two places on the older one."""
    source = latest_version("wait_for_answer")
    for place in ("norvale", "hillin"):
        handler = office.land.at_desk("case_handler", place)
        cases.open_case(handler, office.land.person(governorate=place), governorate=place, path="wait_for_answer")
    return source, next_version(office.land, "wait_for_answer", ("P2D", "P9D"))


@pytest.fixture
def maker(office: Office, reader: Callable[..., Reader]) -> Reader:
    return reader(designer(office.land, "maker"))


def begun(maker: Reader, versions: tuple[str, str]) -> tuple[str, Page]:
    """Begin a plan on the page, and give its id and its page."""
    listed = maker.open(HERE)
    assert listed.inline == []
    page = maker.send(listed, HERE, source=versions[0], target=versions[1])
    assert page.status == 200, page.says
    return page.form("/check").action.split("/")[-2], page


def press(one: Reader, page: Page, verb: str, plan_id: str) -> Page:
    """Press a button, let the runner work, and look again."""
    pressed = one.send(page, f"/{verb}")
    assert pressed.status == 200, pressed.says
    work_off(plan_id)
    return one.open(f"{HERE}/{plan_id}")


def test_cases_are_moved_by_two_people_and_put_back(
    office: Office, maker: Reader, reader: Callable[..., Reader], versions: tuple[str, str]
):
    plan_id, page = begun(maker, versions)
    assert "Write the letter" in page.says
    assert "keep their deadline" in page.says
    assert not page.leads("/approve")
    checked = press(maker, page, "check", plan_id)
    assert "Can be moved not shown" in checked.says
    assert "Can be moved 2" in reader(office.land.at_desk("national_unit", "norvale")).open(f"{HERE}/{plan_id}").says
    assert not checked.leads("/approve"), "whoever made the plan does not approve it"
    assert "somebody who never changed it must approve" in checked.says
    second = reader(designer(office.land, "second"), "ckb")
    theirs = second.open(f"{HERE}/{plan_id}")
    assert (theirs.language, theirs.direction, theirs.inline) == ("ckb", "rtl", [])
    done = press(second, theirs, "approve", plan_id)
    assert plan_of(plan_id).status == "done"
    assert "گوازراوەتەوە" in done.says
    press(second, done, "undo", plan_id)
    assert plan_of(plan_id).status == "undone"
    assert "put back" in maker.open(HERE).says


def test_the_designer_mends_the_plan_step_by_step(maker: Reader, versions: tuple[str, str]):
    plan_id, page = begun(maker, versions)
    changed = maker.send(page, "/steps", to__write="", to__answered="-", form__ring="keep", desk__ring="keep")
    assert "Do the dry run again" in changed.says
    assert "no longer waited for" in changed.says
    stored = plan_of(plan_id).steps
    assert "write" not in stored
    assert stored["answered"]["to"] is None
    assert stored["ring"] == {"to": "ring", "form": "keep", "desk": "keep"}
    checked = press(maker, changed, "check", plan_id)
    assert "Cannot be moved not shown" in checked.says
    assert "has no place in the plan" in checked.says or "the plan has no place" in checked.says
    wrong = maker.send(checked, "/steps", to__write="nowhere")
    assert wrong.status == 200
    assert "choose another one" in wrong.says
    assert not wrong.leads("/check"), "a plan with an error is not tried"


def test_an_older_page_does_not_overwrite_what_another_window_saved(maker: Reader, versions: tuple[str, str]):
    plan_id, page = begun(maker, versions)
    maker.send(page, "/steps", to__write="")
    late = maker.send(page, "/steps", to__ring="")
    assert late.status == 412
    assert "ring" in plan_of(plan_id).steps


def test_the_cases_of_a_plan_are_named_to_those_who_may_know_of_them(
    office: Office, maker: Reader, reader: Callable[..., Reader], versions: tuple[str, str]
):
    plan_id, page = begun(maker, versions)
    press(maker, page, "check", plan_id)
    assert not [link for link in maker.open(f"{HERE}/{plan_id}/cases").links.values() if link.startswith("/cases/")]
    supervisor = reader(office.land.at_desk("supervisor", "norvale"))
    listed = supervisor.open(f"{HERE}/{plan_id}/cases?status=ready")
    assert len([link for link in listed.links.values() if link.startswith("/cases/")]) == 1
    assert not supervisor.open(f"{HERE}/{plan_id}").leads("/check")


def test_who_may_not_read_paths_and_whoever_guesses_an_address_is_sent_away(
    handler: Reader, maker: Reader, versions: tuple[str, str]
):
    plan_id, _ = begun(maker, versions)
    assert handler.open(HERE).status == 403
    assert handler.open(f"{HERE}/{plan_id}").status == 403
    assert maker.open(f"/studio/paths/hello/migrations/{plan_id}").status == 404
    assert maker.open("/studio/paths/nowhere/migrations").status == 404
    assert maker.open(f"{HERE}/mig_" + "0" * 26).status == 404
    again = maker.send(maker.open(HERE), HERE, source=versions[1], target=versions[1])
    assert (again.status, "Choose another published version" in " ".join(again.alerts)) == (422, True)
