"""Needs, the plan and its services, in a browser without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from nrm.actions.cases import share_case
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.models import Need, Plan, PlanService, Run, Task
from tests.api.conftest import Office
from tests.pages.conftest import Page, Reader


@pytest.fixture
def boss(office: Office, reader: Callable[..., Reader]) -> Callable[[str], Reader]:
    """Give a supervisor who works on a case."""

    def one(case_id: str) -> Reader:
        actor = office.land.at_desk("supervisor", "norvale")
        share_case(SYSTEM, case_id, holder_kind="user", holder_id=actor.id, access="work")
        return reader(actor)

    return one


def written(one: Reader, case_id: str, *categories: str, agreed: str = "yes") -> Page:
    lines = {}
    for place, category in enumerate(categories):
        lines |= {f"services-{place}-category": category, f"services-{place}-goal": "Own income"}
    return one.send(one.open(f"/cases/{case_id}/plan/new"), "/plan/new", agreed=agreed, **lines)


def test_a_need_is_recorded_and_later_cannot_be_met_for_a_reason(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    page = handler.open(f"/cases/{case_id}/plan")
    assert "No need is recorded yet." in page.says
    page = handler.send(page, "/needs", category="HOU", priority="urgent")
    assert "The need is recorded." in page.says
    twice = handler.send(page, "/needs", category="HOU")
    assert twice.status == 409
    db.session.remove()
    need = db.session.scalars(select(Need)).one()
    stale = page
    wrong = handler.send(page, f"/needs/{need.id}", status="unmet", reason="")
    assert wrong.status == 422
    assert f"#{need.id}-reason" in wrong.links.values()
    page = handler.send(wrong, f"/needs/{need.id}", status="unmet", reason="no_provider")
    assert "The need is changed." in page.says
    assert handler.send(stale, f"/needs/{need.id}", status="met").status == 412
    page = handler.send(page, f"/needs/{need.id}", status="met")
    assert page.status == 200, "a reason that stays chosen is not in the way"
    db.session.remove()
    need = db.session.scalars(select(Need)).one()
    assert (need.status, need.reason, need.priority) == ("met", None, "urgent")
    db.session.remove()


def test_a_plan_is_written_line_by_line_and_approved_by_somebody_else(
    handler: Reader, boss: Callable[[str], Reader], opened: Callable[..., str]
):
    case_id = opened()
    form = handler.open(f"/cases/{case_id}/plan/new")
    more = handler.send(form, "/plan/new", do="more", **{"services-2-category": "JOB", "services-2-goal": "A shop"})
    sent = dict(more.form("/plan/new").fields)
    assert (sent["services-0-category"], sent["services-0-goal"], sent["rows"]) == ("JOB", "A shop", "4")
    page = handler.send(more, "/plan/new", agreed="yes", **{"services-1-category": "HOU"})
    assert "waits for the approval of a second person" in page.says
    assert not page.leads("/approve"), "who may not approve has no button"

    supervisor = boss(case_id)
    page = supervisor.open(f"/cases/{case_id}/plan")
    done = supervisor.send(page, "/approve")
    assert "its services have started" in done.says
    assert supervisor.send(page, "/approve").status == 412
    db.session.remove()
    assert len(db.session.scalars(select(Run.id)).all()) == 3, "the case's own path and one for each service"
    db.session.remove()


def test_who_wrote_the_plan_does_not_approve_it(boss: Callable[[str], Reader], opened: Callable[..., str]):
    case_id = opened()
    supervisor = boss(case_id)
    page = written(supervisor, case_id, "JOB")
    refused = supervisor.send(page, "/approve")
    assert refused.status == 403


def test_a_plan_without_the_persons_agreement_waits_for_a_revision(
    handler: Reader, boss: Callable[[str], Reader], opened: Callable[..., str]
):
    case_id = opened()
    assert written(handler, case_id, "JOB", agreed="").status == 422
    written(handler, case_id, "JOB", agreed="no")
    page = boss(case_id).open(f"/cases/{case_id}/plan")
    assert "does not agree" in page.says
    assert not page.leads("/approve")
    revised = handler.open(f"/cases/{case_id}/plan/new")
    assert dict(revised.form("/plan/new").fields)["services-0-goal"] == "Own income"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"services-0-category": "MOON"}, "#services-0-category"),
        ({"services-0-category": "JOB", "services-0-due_on": "soon"}, "#services-0-due_on"),
        ({"services-0-category": "JOB", "services-0-preferred_organisation_id": "org_no"}, "#services-0-preferred"),
        ({"services-0-goal": "A goal of no service"}, "#services-0-category"),
        ({}, "#services"),
    ],
)
def test_a_wrong_line_is_told_at_its_place_and_nothing_is_lost(
    handler: Reader, opened: Callable[..., str], line: dict[str, str], field: str
):
    case_id = opened()
    page = handler.send(handler.open(f"/cases/{case_id}/plan/new"), "/plan/new", agreed="yes", **line)
    assert page.status == 422
    assert any(link.startswith(field) for link in page.links.values())
    if "services-0-goal" in line:
        assert line["services-0-goal"] in page.text
    db.session.remove()
    assert db.session.scalars(select(Plan.id)).all() == []


def test_a_service_is_added_after_a_look_at_who_can_serve_it(
    handler: Reader, boss: Callable[[str], Reader], opened: Callable[..., str]
):
    case_id = opened()
    written(handler, case_id, "JOB")
    supervisor = boss(case_id)
    supervisor.send(supervisor.open(f"/cases/{case_id}/plan"), "/approve")
    here, there = (handler.open(f"/cases/{case_id}/service?category=VT&place={one}") for one in ("norvale", "hillin"))
    assert ("on the Coast" in here.says, "in the Hills" in here.says) == (True, False)
    assert ("on the Coast" in there.says, "in the Hills" in there.says) == (False, True)
    page = handler.open(f"/cases/{case_id}/service?category=JOB")
    assert "can be asked" in page.says
    wrong = handler.send(page, f"/cases/{case_id}/service", due_on="never", goal="A course")
    assert wrong.status == 422
    assert "#due_on" in wrong.links.values()
    started = handler.send(wrong, f"/cases/{case_id}/service", due_on="2031-01-05")
    assert "Where the case stands" in started.says
    db.session.remove()
    rows = db.session.scalars(select(PlanService).order_by(PlanService.created_at)).all()
    assert {(row.category, row.due_on.isoformat() if row.due_on else "") for row in rows} == {
        ("JOB", ""),
        ("JOB", "2031-01-05"),
    }
    db.session.remove()


def test_without_a_plan_a_service_starts_by_itself(handler: Reader, opened: Callable[..., str]):
    case_id = opened()
    page = handler.open(f"/cases/{case_id}/service?category=DOC")
    assert "There is no approved plan" in page.says
    started = handler.send(page, f"/cases/{case_id}/service")
    assert "Service referral" in started.says
    about = select(Task.service_category).where(Task.case_id == case_id, Task.step == "prepare")
    assert db.session.execute(about).scalar_one() == "DOC"
    db.session.remove()
    assert handler.open(f"/cases/{case_id}/service?category=nonsense").status == 200
    token = dict(page.form("/service").fields)["token"]
    assert handler.post(f"/cases/{case_id}/service", {"token": token, "category": "MOON"}).status == 422


def test_another_offices_plan_is_not_there(office: Office, reader: Callable[..., Reader], opened: Callable[..., str]):
    case_id = opened()
    outside = reader(office.land.at_desk("supervisor", "lakemar", "far"))
    token = dict(outside.open("/work").form("/sign-out").fields)["token"]
    for address in ("plan", "plan/new", "service", "service?category=JOB"):
        assert outside.open(f"/cases/{case_id}/{address}").status == 404, address
    for address in ("needs", "needs/nee_x", "plan/new", "plan/pla_x/approve", "service"):
        assert outside.post(f"/cases/{case_id}/{address}", {"token": token, "category": "JOB"}).status == 404, address


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_a_plan_reads_in_the_readers_language(
    office: Office, reader: Callable[..., Reader], opened: Callable[..., str], language: str
):
    case_id = opened()
    one = reader(office.land.at_desk("case_handler", "norvale", "one"), language)
    written(one, case_id, "JOB")
    for address in ("plan", "plan/new", "service?category=JOB"):
        page = one.open(f"/cases/{case_id}/{address}")
        assert (page.status, page.language, page.inline) == (200, language, [])
