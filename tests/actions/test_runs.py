"""What runs do to the records: children, messages early and late, timers, and failures that stay visible."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions import cases, runs, tasks
from nrm.actions._action import transact
from nrm.actors import SYSTEM
from nrm.errors import IllegalMove, NotFound
from nrm.models import InboxMessage, Incident, Job, Outcome, Run, Service, Subscription, Task, TaskAnswers
from tests.world import World

NOTE = {"note": "All was done"}


def opened(land: World, path: str, place: str = "norvale") -> tuple[object, str]:
    """Open a case on a path, and give its handler and id."""
    handler = land.at_desk("case_handler", place)
    return handler, cases.open_case(handler, land.person(), governorate=place, path=path).id


def complete(land: World, actor, case_id: str, step: str, answers: dict) -> tasks.TaskDone:
    """Take and complete the open task of a step."""
    task = land.open_tasks(case_id)[step]
    version = tasks.claim_task(actor, task.id).version
    return tasks.complete_task(actor, task.id, answers=answers, version=version)


def run_of(land: World, case_id: str, *, child: bool = False) -> Run:
    land.session.close()
    found = select(Run).where(Run.case_id == case_id, Run.parent_id.is_not(None) if child else Run.parent_id.is_(None))
    return land.session.execute(found).scalar_one()


def timers(land: World, case_id: str) -> list[Job]:
    land.session.close()
    return list(land.session.execute(select(Job).where(Job.case_id == case_id, Job.kind == "timer")).scalars())


def tell(case_id: str, name: str, **more) -> None:
    runs.receive_message(SYSTEM, case_id, name, **more)


def send_to_run(land: World, case_id: str, name: str, message_id: str, **values) -> None:
    run_id = run_of(land, case_id).id
    land.session.close()
    transact(
        SYSTEM,
        lambda work: runs.send_message(
            work, work.lock_case(case_id), name, values=values, run_id=run_id, message_id=message_id
        ),
    )


def test_an_answer_ends_the_wait_and_the_timer_with_it(land: World):
    handler, case_id = opened(land, "wait_for_answer")
    complete(land, handler, case_id, "write", NOTE)
    assert [job.due_at for job in timers(land, case_id)] == [land.clock.now() + timedelta(days=3)]
    send_to_run(land, case_id, "letter.answered", "letter-1", answer="yes")
    run = run_of(land, case_id)
    assert (run.status, run.outcome, run.state) == ("finished", "answered", "")
    assert timers(land, case_id) == []
    assert land.session.execute(select(Subscription)).all() == []
    ends = land.session.execute(select(Outcome.code).where(Outcome.subject_id == run.id)).scalars().all()
    assert ends == ["answered"]


def test_an_answer_that_comes_before_anybody_waits_is_kept(land: World):
    handler, case_id = opened(land, "wait_for_answer")
    send_to_run(land, case_id, "letter.answered", "letter-1", answer="yes")
    kept = land.session.execute(select(InboxMessage)).scalar_one()
    assert kept.status == "waiting"
    done = complete(land, handler, case_id, "write", NOTE)
    assert done.incident is None
    assert run_of(land, case_id).outcome == "answered"
    assert land.session.execute(select(InboxMessage.status)).scalar_one() == "delivered"


def test_the_same_answer_twice_is_one_answer(land: World):
    _, case_id = opened(land, "wait_for_answer")
    for _ in range(2):
        send_to_run(land, case_id, "letter.answered", "letter-1", answer="yes")
    assert len(land.session.execute(select(InboxMessage)).all()) == 1


def test_no_answer_in_time_opens_the_next_step(land: World):
    handler, case_id = opened(land, "wait_for_answer")
    complete(land, handler, case_id, "write", NOTE)
    job = timers(land, case_id)[0]
    land.move(days=3)
    assert runs.fire_timer(SYSTEM, job.args["run"], job.args["token"])
    assert set(land.open_tasks(case_id)) == {"ring"}
    complete(land, handler, case_id, "ring", NOTE)
    assert run_of(land, case_id).outcome == "phoned"
    assert not runs.fire_timer(SYSTEM, job.args["run"], job.args["token"])


def test_only_the_runner_fires_timers_and_sends_messages(land: World):
    handler, case_id = opened(land, "wait_for_answer")
    complete(land, handler, case_id, "write", NOTE)
    job = timers(land, case_id)[0]
    with pytest.raises(NotFound):
        runs.fire_timer(handler, job.args["run"], job.args["token"])
    with pytest.raises(NotFound):
        runs.receive_message(handler, case_id, "consent.withdrawn")


def test_a_called_path_is_a_run_of_its_own_and_its_outcome_comes_back(land: World):
    handler, case_id = opened(land, "call_with_boundaries")
    assert set(land.open_tasks(case_id)) == {"work"}
    child = run_of(land, case_id, child=True)
    assert (child.status, child.depth, child.parent_id) == ("running", 1, run_of(land, case_id).id)
    complete(land, handler, case_id, "work", {"work_result": "good"})
    assert run_of(land, case_id, child=True).outcome == "good"
    assert run_of(land, case_id).outcome == "fine"


def test_a_called_path_that_fails_takes_the_other_way(land: World):
    handler, case_id = opened(land, "call_with_boundaries")
    complete(land, handler, case_id, "work", {"work_result": "impossible"})
    assert run_of(land, case_id, child=True).status == "failed"
    assert set(land.open_tasks(case_id)) == {"other_way"}


def test_cancelling_a_run_closes_all_that_it_opened(land: World):
    _, case_id = opened(land, "call_with_boundaries")
    supervisor = land.at_desk("supervisor", "norvale")
    runs.cancel_run(supervisor, run_of(land, case_id).id, reason="started_by_mistake")
    land.session.close()
    assert set(land.session.execute(select(Run.status)).scalars()) == {"cancelled"}
    assert set(land.session.execute(select(Task.status)).scalars()) == {"cancelled"}
    assert land.session.execute(select(Subscription)).all() == []
    with pytest.raises(IllegalMove):
        runs.cancel_run(supervisor, run_of(land, case_id).id, reason="started_by_mistake")


def test_a_path_that_nobody_published_does_not_start_and_leaves_nothing(land: World):
    handler = land.at_desk("case_handler", "norvale")
    person = land.person()
    with pytest.raises(IllegalMove) as refused:
        cases.open_case(handler, person, governorate="norvale", path="no_such_path")
    assert refused.value.code == "path_cannot_start"
    assert land.session.execute(select(Run)).all() == []
    assert cases.open_case(handler, person, governorate="norvale", path="hello").status == "open"


def test_a_step_that_fails_keeps_the_answers_and_waits_visibly(land: World):
    """The handler ticks data that the service never gets: the answers are kept, and the incident says what is wrong."""
    service = land.session.execute(select(Service).where(Service.code == "training_coast")).scalar_one()
    handler, case_id = opened(land, "reintegration_case")
    complete(
        land,
        handler,
        case_id,
        "intake",
        {"consent": True, "consent_purposes": ["casework"], "consent_data": []} | {"consent_data": ["contact"]},
    )
    complete(land, handler, case_id, "screening", {"risk_level": "low", "immediate_danger": False})
    complete(
        land, handler, case_id, "plan", {"services": [{"category": "VT", "goal": "a trade"}], "returnee_agrees": True}
    )
    supervisor = land.at_desk("supervisor", "norvale")
    complete(land, supervisor, case_id, "approve", {"plan_decision": "approve"})
    done = complete(
        land,
        handler,
        case_id,
        "prepare",
        {
            "service": service.id,
            "provider": service.organisation_id,
            "referral_urgency": "normal",
            "reason": "wants to work",
            "expected_result": "a certificate",
            "disclosure": ["protection"],
        },
    )
    assert done.incident is not None
    incident = land.session.get(Incident, done.incident)
    assert incident is not None
    assert (incident.code, incident.status, incident.step) == ("referral_not_valid", "open", "draft")
    assert incident.params == {"field": "/categories/0", "problem": "category_not_for_service"}
    assert incident.retry["kind"] == "complete"
    task = land.session.execute(select(Task).where(Task.step == "prepare")).scalar_one()
    assert task.status == "completed"
    assert land.session.get(TaskAnswers, task.id) is not None
