"""Somebody's own working day: hours, absence with a substitute, the daily mail; in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from nrm.actions.tasks import claim_task
from nrm.actors import Actor
from nrm.queries import inbox
from nrm.queries.inbox import InboxFilter, Tab
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader


def day(office: Office, after: int) -> str:
    return (office.clock.now() + timedelta(days=after)).date().isoformat()


def take_one(office: Office, actor: Actor) -> str:
    found = inbox.inbox(actor, office.clock.now(), tab=Tab.DESK, only=InboxFilter(unclaimed=True)).items[0].id
    claim_task(actor, found)
    return found


@pytest.fixture
def two(office: Office, reader: Callable[..., Reader], handler: Reader) -> Reader:
    """A colleague at the desk of the handler."""
    del handler
    return reader(office.land.at_desk("case_handler", "norvale", "two"))


def away(office: Office, handler: Reader, substitute: Reader, first: int = 0, last: int = 3) -> Page:
    page = handler.open(handler.open("/me").links["See and change"])
    return handler.send(
        page,
        "/me/absence",
        first=day(office, first),
        last=day(office, last),
        substitute=substitute.actor.id if substitute.actor else "",
    )


def test_whoever_stands_in_sees_the_tasks_of_the_absent_in_a_group_of_their_own_and_takes_one(
    office: Office, handler: Reader, two: Reader, opened: Callable[..., str]
):
    opened()
    assert handler.actor
    task = take_one(office, handler.actor)
    before = two.open("/work")
    assert not before.leads(f"/tasks/{task}/take")

    recorded = away(office, handler, two)

    assert "Your absence is recorded." in recorded.says
    page = two.open("/work")
    assert "For Invented Person" in page.says
    opened_by_two = two.send(page, f"/tasks/{task}/take", back=f"/tasks/{task}")
    assert opened_by_two.leads("/answers")
    assert not handler.open(f"/tasks/{task}").leads("/answers")


def test_an_absence_ends_by_itself_and_so_does_standing_in(
    office: Office, handler: Reader, two: Reader, reader: Callable[..., Reader], opened: Callable[..., str]
):
    opened()
    assert handler.actor
    task = take_one(office, handler.actor)
    away(office, handler, two, last=1)
    office.clock.move(timedelta(days=3))
    later = reader(two.actor)
    assert "For Invented Person" not in later.open("/work").says
    assert not later.open(f"/tasks/{task}").leads("/take")
    assert "away until" not in reader(office.land.at_desk("supervisor", "norvale")).open("/desk").says


def test_an_absence_that_has_not_begun_lets_nobody_stand_in_and_can_be_taken_back(
    office: Office, handler: Reader, two: Reader, opened: Callable[..., str]
):
    opened()
    assert handler.actor
    take_one(office, handler.actor)
    page = away(office, handler, two, first=2, last=4)
    assert "For Invented Person" not in two.open("/work").says
    end = next(form.action for form in page.forms if form.action.endswith("/end"))
    gone = handler.send(page, end)
    assert "The absence has ended." in gone.says
    assert not any(form.action.endswith("/end") for form in gone.forms)
    assert handler.send(page, end).status == 200  # a second click is no mistake


@pytest.mark.parametrize(
    ("days", "field"), [((3, 1), "#last"), ((-9, -5), "#last"), ((0, 500), "#last"), ((1, 2), "#first")]
)
def test_days_that_do_not_fit_are_told_at_their_field(
    office: Office, handler: Reader, two: Reader, days: tuple[int, int], field: str
):
    away(office, handler, two, first=0, last=2)
    refused = away(office, handler, two, first=days[0], last=days[1])
    assert refused.status == 422
    assert field in refused.links.values()


def test_what_is_no_day_is_told(handler: Reader):
    refused = handler.send(handler.open("/me/times"), "/me/absence", first="soon", last="")
    assert refused.status == 422
    assert 'href="#first"' in refused.text
    assert 'href="#last"' in refused.text
    after_all = handler.send(handler.open("/me/times"), "/me/absence", first="9999-12-30", last="9999-12-31")
    assert after_all.status == 422
    assert "#last" in after_all.links.values()


def test_only_somebody_of_the_same_desk_stands_in(office: Office, handler: Reader, reader: Callable[..., Reader]):
    elsewhere = reader(office.land.at_desk("case_handler", "lakemar"))
    refused = away(office, handler, elsewhere)
    assert refused.status == 422
    assert "same desk" in refused.says


def test_a_supervisor_records_that_a_handler_is_ill_and_sees_who_stands_in(
    office: Office, handler: Reader, two: Reader, reader: Callable[..., Reader], opened: Callable[..., str]
):
    opened()
    assert handler.actor
    assert two.actor
    task = take_one(office, handler.actor)
    supervisor = reader(office.land.at_desk("supervisor", "norvale"))
    sent = {"user": handler.actor.id, "substitute": two.actor.id, "first": day(office, 0), "last": day(office, 5)}
    page = supervisor.send(supervisor.open("/desk"), "/desk/absence", **sent)
    assert "away until" in page.says
    assert two.open("/work").leads(f"/tasks/{task}/take")
    again = supervisor.send(page, "/desk/absence", **sent)
    assert again.status == 422
    end = next(form.action for form in page.forms if form.action.endswith("/end"))
    assert "away until" not in supervisor.send(page, end).says


def test_nobody_sends_the_colleague_of_another_office_away(
    office: Office, handler: Reader, reader: Callable[..., Reader]
):
    other = reader(office.land.at_desk("supervisor", "lakemar"))
    assert handler.actor
    sent = {"user": handler.actor.id, "first": day(office, 0), "last": day(office, 5)}
    assert other.send(other.open("/desk"), "/desk/absence", **sent).status == 404


def test_working_hours_are_kept_and_shown_to_the_supervisor(
    office: Office, handler: Reader, reader: Callable[..., Reader]
):
    page = handler.send(handler.open("/me/times"), "/me/hours", days=["6", "0"], begin="09:30", end="13:00")
    assert "Your working hours are saved." in page.says
    assert "09:30–13:00" in reader(office.land.at_desk("supervisor", "norvale")).open("/desk").says
    none = handler.send(page, "/me/hours", days=[])
    assert none.status == 200
    assert "09:30" not in reader(office.land.at_desk("supervisor", "norvale", "two")).open("/desk").says


@pytest.mark.parametrize(
    "sent",
    [
        {"days": ["9"], "begin": "08:00", "end": "15:00"},
        {"days": ["1"], "begin": "morning", "end": "15:00"},
        {"days": ["1"], "begin": "15:00", "end": "08:00"},
    ],
)
def test_hours_that_make_no_sense_are_told(handler: Reader, sent):
    assert handler.send(handler.open("/me/times"), "/me/hours", **sent).status == 422


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_the_working_day_is_there_in_each_language(
    office: Office, reader: Callable[..., Reader], handler: Reader, two: Reader, language: str
):
    away(office, handler, two)
    one = reader(handler.actor, language)
    page = one.open("/me/times")
    assert (page.status, page.language, page.direction, page.inline) == (200, language, "rtl", [])
