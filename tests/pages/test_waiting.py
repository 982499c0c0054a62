"""Where cases wait, on its page: the drawing, the table, and the way to the cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nrm.actions import cases
from tests.api.conftest import Office
from tests.drafting import designer
from tests.pages.conftest import Reader

HERE = "/studio/paths/wait_for_answer/waiting"


@pytest.fixture
def waiting_at_two_places(office: Office) -> None:
    for place, many in (("norvale", 6), ("hillin", 2)):
        handler = office.land.at_desk("case_handler", place)
        for _ in range(many):
            cases.open_case(handler, office.land.person(governorate=place), governorate=place, path="wait_for_answer")


@pytest.mark.usefixtures("waiting_at_two_places")
def test_a_supervisor_goes_from_the_number_to_the_cases(office: Office, reader: Callable[..., Reader]):
    supervisor = reader(office.land.at_desk("supervisor", "norvale"), "ar")
    page = supervisor.open(HERE)
    assert (page.status, page.direction, page.inline) == (200, "rtl", [])
    assert "أين تنتظر الحالات" in page.says
    listed = supervisor.open(f"{HERE}/write")
    assert len([link for link in listed.links.values() if link.startswith("/cases/")]) == 6
    asked = supervisor.open(f"{HERE}?first=2026-02-01&last=2026-03-01")
    assert asked.status == 200
    for wrong in ("first=2026-03-05&last=2026-03-01", "first=x", "first=0001-01-01", "last=9999-12-31"):
        refused = supervisor.open(f"{HERE}?{wrong}")
        assert (refused.status, bool(refused.alerts)) == (422, True), wrong


@pytest.mark.usefixtures("waiting_at_two_places")
def test_a_designer_sees_numbers_and_no_case(office: Office, reader: Callable[..., Reader]):
    maker = reader(designer(office.land))
    page = maker.open(HERE)
    assert "Numbers below five are not shown" in page.says
    assert not [link for link in page.links.values() if link.startswith(f"{HERE}/")]
    assert not [link for link in maker.open(f"{HERE}/write").links.values() if link.startswith("/cases/")]
    assert maker.open("/studio/paths/nowhere/waiting").status == 404


@pytest.mark.usefixtures("waiting_at_two_places")
def test_a_handler_reads_no_statistics(handler: Reader):
    assert handler.open(HERE).status == 403


@pytest.mark.usefixtures("waiting_at_two_places")
def test_the_same_numbers_come_over_the_api(office: Office):
    supervisor = office.browser(office.land.at_desk("supervisor", "norvale"))
    unit = office.browser(office.land.at_desk("national_unit", "norvale"))
    for one, exact in ((supervisor, False), (unit, True)):
        found = one.get("/paths/wait_for_answer/waiting").get_json()
        write = next(step for step in found["steps"] if step["id"] == "write")
        assert (write["figures"]["waiting"], found["exact"]) == (8, exact)
    rows = supervisor.get("/paths/wait_for_answer/waiting/write/cases?limit=4").get_json()
    assert len(rows["data"]) == 4
    bad = supervisor.get("/paths/wait_for_answer/waiting?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z")
    assert (bad.status_code, bad.get_json()["errors"][0]["code"]) == (422, "period")
    assert office.handler().get("/paths/wait_for_answer/waiting").status_code == 403
