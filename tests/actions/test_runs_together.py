"""Runs that touch each other, or fall over half-way: nothing is half written, nothing waits without a cause."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from nrm.actions import cases, incidents, runs, tasks
from nrm.actions._action import transact
from nrm.actors import SYSTEM, Actor
from nrm.errors import IllegalMove
from nrm.models import Event, Incident, Run, Task
from nrm.queries.verify import verify_all
from tests.engine.diagrams import box, chain, end, ext, flow, message, ref, start, task
from tests.published import publish
from tests.world import World


def opened(land: World, path: str) -> tuple[Actor, str]:
    handler = land.at_desk("case_handler", "norvale")
    return handler, cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def complete(land: World, actor: Actor, case_id: str, step: str) -> tasks.TaskDone:
    open_task = land.open_tasks(case_id)[step]
    version = tasks.claim_task(actor, open_task.id).version
    return tasks.complete_task(actor, open_task.id, answers={}, version=version)


def desk(role: str, *steps: str) -> str:
    """Write a lane whose steps a role does."""
    lines = "".join(f"<bpmn:flowNodeRef>{step}</bpmn:flowNodeRef>" for step in steps)
    return f'<bpmn:lane id="lane_{role}">{ext(f"""<nrm:desk role="{role}"/>""")}{lines}</bpmn:lane>'


def test_a_called_run_that_is_cancelled_does_not_leave_its_caller_waiting(land: World):
    _, case_id = opened(land, "call_with_boundaries")
    land.session.close()
    child = land.session.execute(select(Run.id).where(Run.parent_id.is_not(None))).scalar_one()
    runs.cancel_run(land.at_desk("supervisor", "norvale"), child, reason="started_by_mistake")
    land.session.close()
    assert dict(land.session.execute(select(Run.id, Run.status)).all())[child] == "cancelled"
    assert "running" not in land.session.execute(select(Run.status)).scalars().all()
    incident = land.session.execute(select(Incident)).scalar_one()
    assert (incident.code, incident.params) == ("uncaught_error", {"error": "given_up"})
    assert land.open_tasks(case_id) == {}
    assert list(verify_all()) == []


def test_two_runs_that_answer_each_other_for_ever_are_stopped_with_a_cause(land: World):
    """Each waits for the other's word and says its own: nobody would ever be asked again."""
    words = message("ping_word", "test.ping", "case") + message("pong_word", "test.pong", "case")

    def echo(key: str, hears: str, says: str) -> str:
        body = (
            start()
            + box("exclusiveGateway", "again")
            + box("intermediateCatchEvent", "hear", ref("message", hears))
            + box("intermediateThrowEvent", "say", ref("message", says))
            + chain("start", "again", "hear", "say", "again")
        )
        return publish(land, key, body, root=words)

    _, case_id = opened(land, echo("echo_one", "ping_word", "pong_word"))
    runs.start_run(land.at_desk("case_handler", "norvale"), case_id, echo("echo_two", "pong_word", "ping_word"))
    runs.receive_message(SYSTEM, case_id, "test.ping")
    land.session.close()
    incident = land.session.execute(select(Incident)).scalar_one()
    assert (incident.code, incident.status) == ("too_many_effects", "open")


def test_a_step_that_opens_work_for_nobody_takes_all_of_it_back(land: World):
    """One of two parallel steps has a desk that did not know of the case, the other has none."""
    body = (
        f"<bpmn:laneSet>{desk('case_handler', 'ask')}{desk('reception', 'welcome')}{desk('nobody', 'lost')}</bpmn:laneSet>"
        + start()
        + task("ask")
        + box("parallelGateway", "fork")
        + task("welcome")
        + task("lost")
        + end("end_one")
        + end("end_two")
        + chain("start", "ask", "fork", "welcome", "end_one")
        + flow("fork", "lost")
        + flow("lost", "end_two")
    )
    handler, case_id = opened(land, publish(land, "half_a_fork", body))
    done = complete(land, handler, case_id, "ask")
    assert done.incident is not None
    land.session.close()
    assert set(land.session.execute(select(Task.step)).scalars()) == {"ask"}
    told = land.session.execute(select(Event.kind).where(Event.stream == case_id)).scalars().all()
    assert told.count("task.opened") == 1
    assert list(verify_all()) == []


def test_a_word_to_the_case_does_not_reach_runs_that_begin_long_after_it(land: World):
    """Consent was withdrawn while nothing ran; a year later another consent is given and a path is started."""
    handler, case_id = opened(land, "hello")
    runs.receive_message(SYSTEM, case_id, "consent.withdrawn")
    land.move(days=3)
    words = message("withdrawn_word", "consent.withdrawn", "case")
    body = (start() + box("intermediateCatchEvent", "hear", ref("message", "withdrawn_word")) + end()) + chain(
        "start", "hear", "end"
    )
    run_id = runs.start_run(handler, case_id, publish(land, "listening", body, root=words))
    land.session.close()
    run = land.session.get(Run, run_id)
    assert run is not None
    assert run.status == "running"


def test_a_stage_that_was_entered_stays_when_the_same_input_drops_a_draft(land: World):
    """Loading a referral under the case's lock must not throw away what was not yet written of the case."""
    _, case_id = opened(land, "hello")

    def body(work) -> None:
        case = work.lock_case(case_id)
        case.stage = "planning"
        work.lock_case(case_id)
        assert case.stage == "planning"

    transact(SYSTEM, body)


def test_an_incident_about_a_step_that_is_no_longer_open_can_be_ended_without_giving_up_the_run(land: World):
    """The input failed; meanwhile the run went another way: nothing is left to try again."""
    words = message("stop_word", "test.stop", "case")
    inside = (
        start("inner_start")
        + task("ask")
        + task("lost")
        + end("inner_end")
        + chain("inner_start", "ask", "lost", "inner_end")
    )
    body = (
        f"<bpmn:laneSet>{desk('case_handler', 'whole', 'after')}</bpmn:laneSet>"
        + start()
        + box("subProcess", "whole", f"<bpmn:laneSet>{desk('nobody', 'lost')}</bpmn:laneSet>" + inside)
        + box("boundaryEvent", "stopped", ref("message", "stop_word"), attachedToRef="whole", cancelActivity="true")
        + task("after")
        + end()
        + end("other_end")
        + chain("start", "whole", "end")
        + chain("stopped", "after", "other_end")
    )
    handler, case_id = opened(land, publish(land, "stopped_meanwhile", body, root=words))
    done = complete(land, handler, case_id, "ask")
    assert done.incident is not None
    runs.receive_message(SYSTEM, case_id, "test.stop")
    assert set(land.open_tasks(case_id)) == {"after"}
    supervisor = land.at_desk("supervisor", "norvale")
    ended = incidents.retry_incident(supervisor, done.incident, version=1)
    assert ended.status == "resolved"
    assert set(land.open_tasks(case_id)) == {"after"}


def test_the_main_path_of_a_case_runs_once(land: World):
    handler, case_id = opened(land, "reintegration_case")
    with pytest.raises(IllegalMove) as refused:
        runs.start_run(handler, case_id, "reintegration_case")
    assert refused.value.code == "path_is_running"
