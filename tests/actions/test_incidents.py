"""What people do about a failure, and that nothing is left half done by trying."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from nrm.actions import cases, incidents, runs, tasks
from nrm.actions._action import transact
from nrm.actions.housekeeping import give_up
from nrm.actions.inputs import Input
from nrm.actors import SYSTEM, Actor
from nrm.db import db
from nrm.errors import Conflict, IllegalMove, NotAllowed, NotFound, NotValid, StaleVersion
from nrm.jobs import table
from nrm.jobs.kinds import QUEUES
from nrm.models import Desk, Event, Incident, Job, Run, Task, TaskAnswers
from nrm.queries import packs
from nrm.queries.verify import verify_all
from nrm.sealing import seal
from tests.world import World

NOTE = {"note": "All was done"}


def opened(land: World, path: str) -> tuple[Actor, str]:
    handler = land.at_desk("case_handler", "norvale")
    return handler, cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def complete(land: World, actor: Actor, case_id: str, step: str, answers: dict[str, object]) -> tasks.TaskDone:
    task = land.open_tasks(case_id)[step]
    version = tasks.claim_task(actor, task.id).version
    return tasks.complete_task(actor, task.id, answers=answers, version=version)


def fresh(land: World, model: type, *conditions: object):
    land.session.close()
    return land.session.execute(select(model).where(*conditions)).scalar_one()


def staff_desks(active: bool) -> None:
    """Close all desks, as when an office moves out, or open them again."""

    def body(work) -> None:
        work.session.execute(update(Desk).values(active=active))
        packs.touch(work)

    transact(SYSTEM, body)


@pytest.fixture
def repairer(land: World) -> Actor:
    return land.at_desk("supervisor", "norvale")


def waiting_in_vain(land: World) -> tuple[str, Incident]:
    """A timer goes off, and nobody covers the place where the next step should be done."""
    handler, case_id = opened(land, "wait_for_answer")
    complete(land, handler, case_id, "write", NOTE)
    job = fresh(land, Job, Job.kind == "timer")
    land.move(days=3)
    staff_desks(False)
    runs.fire_timer(SYSTEM, job.args["run"], job.args["token"])
    transact(SYSTEM, lambda work: work.cancel_jobs(job.dedup_key))
    return case_id, fresh(land, Incident)


def test_a_step_that_nobody_covered_goes_on_when_somebody_does(land: World, repairer: Actor):
    case_id, incident = waiting_in_vain(land)
    assert land.open_tasks(case_id) == {}
    assert [found for found in verify_all() if found.subject[0] == "run"] == []
    staff_desks(True)
    done = incidents.retry_incident(repairer, incident.id, version=incident.version)
    assert (done.status, done.version) == ("resolved", incident.version + 1)
    assert set(land.open_tasks(case_id)) == {"ring"}
    ended = fresh(land, Incident)
    assert (ended.status, ended.ending, ended.ended_by) == ("resolved", "retried", repairer.id)
    assert fresh(land, Event, Event.kind == "incident.resolved").subject_id == incident.id
    assert list(verify_all()) == []


def test_trying_again_in_vain_tells_the_cause_and_changes_nothing(land: World, repairer: Actor):
    case_id, incident = waiting_in_vain(land)
    with pytest.raises(IllegalMove) as refused:
        incidents.retry_incident(repairer, incident.id, version=incident.version)
    assert refused.value.code == "still_failing"
    assert refused.value.params["cause"] == incident.code
    after = fresh(land, Incident)
    assert (after.id, after.status, after.version) == (incident.id, "open", incident.version)
    assert land.open_tasks(case_id) == {}


def test_only_those_who_may_repair_and_know_of_the_case_may_try(land: World, repairer: Actor):
    handler, stranger = land.at_desk("case_handler", "norvale"), land.at_desk("supervisor", "lakemar")
    _, incident = waiting_in_vain(land)
    with pytest.raises(NotAllowed):
        incidents.retry_incident(handler, incident.id, version=incident.version)
    with pytest.raises(NotFound):
        incidents.retry_incident(stranger, incident.id, version=incident.version)
    with pytest.raises(NotFound):
        incidents.retry_incident(repairer, "inc_" + "0" * 26, version=1)
    with pytest.raises(StaleVersion):
        incidents.retry_incident(repairer, incident.id, version=incident.version + 1)


def unreadable_list(land: World) -> tuple[str, Incident]:
    """A decision value arrives that the next step cannot use."""
    _, case_id = opened(land, "many_visits")
    task = land.open_tasks(case_id)["choose"]
    land.session.close()

    def body(work) -> None:
        case = work.lock_case(case_id)
        work.session.execute(update(Task).where(Task.id == task.id).values(status="completed"))
        work.cancel_jobs(f"task:{task.id}")
        runs.drive(
            work, case, task.run_id, Input(kind="complete", token=task.token, values={"house_ids": "not a list"})
        )

    transact(SYSTEM, body)
    return case_id, fresh(land, Incident)


def test_a_wrong_decision_value_is_repaired_with_a_reason(land: World, repairer: Actor):
    case_id, incident = unreadable_list(land)
    assert incident.code == "not_a_list"
    reason = "The list was typed as a text"
    incidents.repair_incident(
        repairer, incident.id, values={"house_ids": ["first", "second"]}, reason=reason, version=incident.version
    )
    assert len(fresh_tasks(land, case_id)) == 2
    event = fresh(land, Event, Event.kind == "run.repaired")
    assert event.data == {"names": ["house_ids"]}
    assert reason not in str(event.data)
    assert fresh(land, Incident).ending == "repaired"
    assert list(verify_all()) == []


def fresh_tasks(land: World, case_id: str) -> list[Task]:
    land.session.close()
    found = select(Task).where(Task.case_id == case_id, Task.status == "open")
    return list(land.session.execute(found).scalars())


@pytest.mark.parametrize(
    ("values", "reason", "pointer"),
    [
        ({"house_ids": 1.5}, "why", "/values/house_ids"),
        ({"house_ids": {"date": "no date"}}, "why", "/values/house_ids"),
        ({"house_ids": "x" * 201}, "why", "/values/house_ids"),
        ({"house_ids": {"decimal": "NaN"}}, "why", "/values/house_ids"),
        ({"no_such/value": 1}, "why", "/values/no_such~1value"),
        ({}, "why", "/values"),
        ({"house_ids": ["a"]}, "  ", "/reason"),
    ],
)
def test_a_repair_says_what_is_wrong_with_it(land: World, repairer: Actor, values, reason: str, pointer: str):
    _, incident = unreadable_list(land)
    with pytest.raises(NotValid) as refused:
        incidents.repair_incident(repairer, incident.id, values=values, reason=reason, version=incident.version)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert fresh(land, Incident).status == "open"


def test_a_run_that_cannot_be_helped_is_given_up(land: World, repairer: Actor):
    case_id, incident = unreadable_list(land)
    incidents.cancel_incident(repairer, incident.id, note="The case was opened twice", version=incident.version)
    assert fresh(land, Run, Run.case_id == case_id).status == "cancelled"
    assert fresh(land, Incident).status == "cancelled"
    assert list(verify_all()) == []


def test_an_ended_incident_cannot_be_ended_again(land: World, repairer: Actor):
    _, incident = unreadable_list(land)
    incidents.cancel_incident(repairer, incident.id, note="Enough", version=incident.version)
    for verb in (incidents.retry_incident,):
        with pytest.raises(IllegalMove) as refused:
            verb(repairer, incident.id, version=None)
        assert refused.value.allowed_actions == ()


def die(land: World, kind: str) -> Job:
    """Let the job of a kind fail until it is given up."""
    job_id = fresh(land, Job, Job.kind == kind).id
    with db.session() as session:
        session.execute(update(Job).where(Job.id != job_id).values(due_at=land.clock.now() + timedelta(days=99)))
        session.execute(update(Job).where(Job.id == job_id).values(max_attempts=1, due_at=land.clock.now()))
        session.commit()
    land.session.close()
    (claimed,) = transact(
        SYSTEM, lambda work: table.claim(work.session, owner="one", queues=QUEUES, limit=1, now=work.now)
    )
    assert give_up(SYSTEM, claimed, error="ValueError at somewhere:1")
    return fresh(land, Job, Job.id == job_id)


def test_a_dead_timer_can_be_tried_again_but_not_thrown_away_while_the_run_waits(land: World, repairer: Actor):
    handler, case_id = opened(land, "wait_for_answer")
    complete(land, handler, case_id, "write", NOTE)
    dead = die(land, "timer")
    incident = fresh(land, Incident)
    assert (incident.kind, incident.code, incident.case_id) == ("job", "job_failed", case_id)
    with pytest.raises(IllegalMove) as refused:
        incidents.cancel_incident(repairer, incident.id, note="Go away", version=incident.version)
    assert refused.value.allowed_actions == ("retry",)
    incidents.retry_incident(repairer, incident.id, version=incident.version)
    alive = fresh(land, Job, Job.id == dead.id)
    assert (alive.state, alive.attempts, alive.error) == ("waiting", 0, None)
    assert list(verify_all()) == []


def test_a_dead_timer_of_an_ended_run_can_be_thrown_away(land: World, repairer: Actor):
    handler, case_id = opened(land, "wait_for_answer")
    complete(land, handler, case_id, "write", NOTE)
    dead = die(land, "timer")
    runs.cancel_run(repairer, fresh(land, Run, Run.case_id == case_id).id, reason="mistake")
    incident = fresh(land, Incident)
    incidents.cancel_incident(repairer, incident.id, note="The run is over", version=incident.version)
    land.session.close()
    assert land.session.get(Job, dead.id) is None
    assert list(verify_all()) == []


def test_what_concerns_no_case_is_for_those_who_watch_the_system(land: World, repairer: Actor):
    transact(SYSTEM, lambda work: work.enqueue("schedule", {"name": "forget_keys"}, due_at=work.now))
    die(land, "schedule")
    incident = fresh(land, Incident)
    with pytest.raises(NotFound):
        incidents.cancel_incident(repairer, incident.id, note="Not mine", version=incident.version)
    incidents.cancel_incident(SYSTEM, incident.id, note="Looked at it", version=incident.version)
    assert fresh(land, Incident).status == "cancelled"


def test_an_answer_that_a_step_failed_over_is_corrected_by_somebody_who_was_warned(land: World, repairer: Actor):
    handler, case_id = opened(land, "hello")
    task = land.open_tasks(case_id)["ask"]
    version = tasks.claim_task(handler, task.id).version
    staff_desks(False)
    tasks.complete_task(handler, task.id, answers={"wants_tea": True, "tea_kind": "black"}, version=version)
    staff_desks(True)
    incident = fresh(land, Incident)

    def repair(
        answers: dict[str, object], *, confirmed: bool = True, reason: str = "The guest said no", task_id=task.id
    ):
        return incidents.repair_answers(
            repairer,
            incident.id,
            task_id=task_id,
            answers=answers,
            reason=reason,
            confirmed=confirmed,
            version=incident.version,
        )

    with pytest.raises(Conflict) as warned:
        repair({"wants_tea": False}, confirmed=False)
    assert warned.value.code == "repair_not_confirmed"
    assert warned.value.params["answers"] == "tea_kind, wants_tea"
    with pytest.raises(NotValid):
        repair({"wants_tea": "perhaps"})
    with pytest.raises(NotValid):
        repair({"wants_tea": False}, reason=" ")
    with pytest.raises(NotFound):
        repair({"wants_tea": False}, task_id="tsk_" + "0" * 26)
    assert fresh(land, TaskAnswers).answers == seal({"wants_tea": True, "tea_kind": "black"}, row="", column="")
    repair({"wants_tea": False})
    assert fresh(land, TaskAnswers).answers == seal({"wants_tea": False}, row="", column="")
    assert fresh(land, Event, Event.kind == "task.answers_repaired").data == {"names": ["tea_kind", "wants_tea"]}
    assert fresh_tasks(land, case_id) == []
    assert fresh(land, Run, Run.case_id == case_id).status == "finished"
    assert fresh(land, Incident).ending == "repaired"
    assert list(verify_all()) == []
