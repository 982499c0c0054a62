"""What waits outside the desks is counted for those who may see to it, without what is their own."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from nrm.actions._action import transact
from nrm.actions.complaint_box import Words, drop_complaint
from nrm.actions.path_drafts import begin_draft
from nrm.actions.seats import ask_role
from nrm.actors import SYSTEM, Actor
from nrm.db import db
from nrm.installation import installation
from nrm.models import PathDraft
from nrm.queries.waiting_elsewhere import waiting_elsewhere
from tests.seats import seated


def waiting(actor: Actor) -> dict[str, int]:
    return {one.kind: one.number for one in waiting_elsewhere(actor, installation().clock.now())}


@pytest.fixture
def supervisor(installed: object) -> Actor:
    return seated("sup", "supervisor", desk="moh_supervisor_norvale")


def test_failures_and_complaints_without_an_answer_are_counted_for_their_desk(supervisor: Actor):
    coordinator = seated("coordinator", "coordinator", desk="moh_coordinator_norvale")
    assert waiting(coordinator) == waiting(supervisor) == {"incidents": 0, "complaints": 0}
    told = Words(category="service", text="An invented complaint.", governorate="norvale")
    drop_complaint(told, address="192.0.2.1")
    assert waiting(coordinator) == {"incidents": 0, "complaints": 1}
    assert waiting(supervisor)["complaints"] == 0
    assert waiting(seated("clerk", "case_handler", desk="moh_case_handler_norvale")) == {}


def test_a_role_waits_for_another_manager_than_the_one_who_asked(supervisor: Actor):
    boss, second = (seated(name, "administrator", organisation="moh") for name in ("boss", "second"))
    ask_role(boss, supervisor.id, organisation_id=boss.organisations[0], role="administrator")
    assert waiting(boss)["roles"] == 0
    assert waiting(second)["roles"] == 1


def test_a_draft_waits_for_a_designer_who_did_not_change_it(installed: object):
    author, other = (seated(name, "path_designer", organisation="moh") for name in ("author", "other"))
    draft = begin_draft(author, path="hello")
    assert waiting(other) == {"reviews": 0, "migrations": 0}
    asked = update(PathDraft).where(PathDraft.id == draft.id)
    transact(SYSTEM, lambda work: work.session.execute(asked.values(status="in_review", submitted_by=author.id)))
    db.session.remove()
    assert waiting(other)["reviews"] == 1
    assert waiting(author)["reviews"] == 0
