"""Knowing of a case ends with the need to know of it: tasks, lateness, incidents, transfer, a strict level."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import select

from nrm.actions import cases, incidents, runs, task_clocks, tasks
from nrm.actions._action import transact
from nrm.actors import SYSTEM, Actor, Seat
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid
from nrm.models import Case, CaseAccess, Outcome, Path, PathVersion, Person, Run, Task
from nrm.queries import packs
from nrm.queries import tasks as task_queries
from nrm.queries.scope import sees_case
from tests.actions.test_referrals import Loop
from tests.engine.diagrams import chain, end, ext, start, task
from tests.published import publish
from tests.world import World


def sees(land: World, actor: Actor, case_id: str, **more: bool) -> bool:
    land.session.close()
    condition = sees_case(actor, land.clock.now(), **more)
    return land.session.execute(select(Case.id).where(Case.id == case_id, condition)).first() is not None


def complete(land: World, actor: Actor, case_id: str, step: str, **answers: object) -> tasks.TaskDone:
    open_task = land.open_tasks(case_id)[step]
    version = tasks.claim_task(actor, open_task.id).version
    return tasks.complete_task(actor, open_task.id, answers=answers, version=version)


def stored(land: World, case_id: str) -> Case:
    land.session.close()
    found = land.session.get(Case, case_id)
    assert found is not None
    return found


def desks(land: World, *steps: tuple[str, str]) -> str:
    """Publish a path of tasks in a row, each of a role."""
    names = [step for step, _ in steps]
    lanes = "".join(
        f'<bpmn:lane id="lane_{step}">{ext(f"""<nrm:desk role="{role}"/>""")}'
        f"<bpmn:flowNodeRef>{step}</bpmn:flowNodeRef></bpmn:lane>"
        for step, role in steps
    )
    body = f"<bpmn:laneSet>{lanes}</bpmn:laneSet>" + start() + "".join(task(name) for name in names) + end()
    return publish(land, "_".join(["row", *names]), body + chain("start", *names, "end"))


def opened(land: World, path: str, **more: object) -> tuple[Actor, str]:
    handler = land.at_desk("case_handler", "norvale")
    return handler, cases.open_case(handler, land.person(), governorate="norvale", path=path, **more).id


def test_a_desk_knows_of_a_case_while_it_has_a_task_in_it(land: World):
    officer = land.at_desk("followup_officer", "norvale")
    handler, case_id = opened(land, desks(land, ("visit", "followup_officer"), ("decide", "case_handler")))
    assert sees(land, officer, case_id, writing=True)
    done = complete(land, officer, case_id, "visit")
    assert not sees(land, officer, case_id)
    assert sees(land, handler, case_id, writing=True)
    assert done.undo_until is not None
    visit = land.session.execute(select(Task.id).where(Task.step == "visit")).scalar_one()
    assert task_queries.task(officer, land.clock.now(), visit).undo_until, "what one did oneself can be looked at"
    with pytest.raises(NotFound):
        task_queries.task(land.at_desk("followup_officer", "norvale", "two"), land.clock.now(), visit)
    tasks.undo_task(officer, visit)
    assert sees(land, officer, case_id, writing=True)


def test_a_desk_whose_task_is_no_longer_wanted_forgets_the_case(land: World):
    officer = land.at_desk("followup_officer", "norvale")
    _, case_id = opened(land, desks(land, ("visit", "followup_officer")))
    assert sees(land, officer, case_id)
    supervisor = land.at_desk("supervisor", "norvale")
    cases.close_case(
        supervisor, case_id, outcome="not_achieved", reason="left_area", version=stored(land, case_id).version
    )
    assert not sees(land, officer, case_id)


def answered_by(land: World, code: str, case_id: str) -> tuple[Actor, Task]:
    """Start a round in which a receiving organisation fills in a form, and give somebody there and the task."""
    receiver = land.receiver_of(code)
    organisation = receiver.seats[0].organisation_id
    context = {"receiver": organisation}
    transact(SYSTEM, lambda work: runs.begin(work, work.lock_case(case_id), "round_of_answers", context=context))
    land.session.close()
    found = select(Task).where(Task.organisation_id == organisation, Task.status == "open")
    return receiver, land.session.execute(found).scalar_one()


def publish_round(land: World) -> None:
    lane = ext('<nrm:desk role="receiving_desk" organisation="receiving"/>')
    lanes = f'<bpmn:lane id="lane">{lane}<bpmn:flowNodeRef>answer</bpmn:flowNodeRef></bpmn:lane>'
    step = task("answer", ext('<nrm:form key="small_note"/>'))
    body = f"<bpmn:laneSet>{lanes}</bpmn:laneSet>" + start() + step + end() + chain("start", "answer", "end")
    publish(land, "round_of_answers", body)


def test_a_receiving_organisation_with_a_task_knows_the_task_and_not_the_case(land: World):
    publish_round(land)
    _, case_id = opened(land, "hello")
    receiver, answer = answered_by(land, "open_door", case_id)
    assert not sees(land, receiver, case_id)
    assert task_queries.task(receiver, land.clock.now(), answer.id).form is not None


def test_a_second_provider_is_not_shown_what_the_first_one_wrote(land: World):
    publish_round(land)
    _, case_id = opened(land, "hello")
    first, answer = answered_by(land, "open_door", case_id)
    tasks.claim_task(first, answer.id)
    tasks.complete_task(first, answer.id, answers={"note": "she is afraid of her uncle"}, version=2)
    second, other = answered_by(land, "bright_bridge", case_id)
    assert task_queries.task(second, land.clock.now(), other.id).prefilled is None
    again, third = answered_by(land, "open_door", case_id)
    shown = task_queries.task(again, land.clock.now(), third.id).prefilled
    assert shown is not None
    assert shown.answers == {"note": "she is afraid of her uncle"}


def test_whoever_was_told_that_a_task_is_late_forgets_the_case_when_it_is_done(land: World):
    handler, case_id = opened(land, "hello")
    first = land.open_tasks(case_id)["ask"]
    desk = packs.pack().find_desk("national_unit", governorate="norvale", jurisdiction="coast")
    assert desk is not None
    unit = land.seat(desk.id, desk.organisation_id, "national_unit")
    assert not sees(land, unit, case_id)
    for _ in range(12):
        land.move(days=4)
        task_clocks.run_task_clock(SYSTEM, first.id)
    assert sees(land, unit, case_id)
    complete(land, handler, case_id, "ask", wants_tea=False)
    assert not sees(land, unit, case_id)


def test_a_case_that_becomes_strict_is_closed_to_all_but_its_desk_and_team(land: World):
    handler, case_id = opened(land, "hello")
    supervisor, coordinator = land.at_desk("supervisor", "norvale"), land.at_desk("coordinator", "norvale")
    colleague = land.at_desk("supervisor", "norvale", "two")
    assert sees(land, coordinator, case_id)
    cases.set_level(supervisor, case_id, level="strict", version=stored(land, case_id).version)
    assert not sees(land, coordinator, case_id)
    assert not sees(land, colleague, case_id), "only the supervisor who made it strict is in its team"
    assert sees(land, handler, case_id, writing=True)
    cases.set_level(supervisor, case_id, level="restricted", version=stored(land, case_id).version)
    assert sees(land, coordinator, case_id)
    assert sees(land, colleague, case_id, writing=True)


def test_a_run_that_is_sensitive_by_its_path_stays_so_at_every_level(land: World):
    quiet = ext('<nrm:level code="strict"/>')
    publish(land, "quiet", quiet + start() + task("listen") + end() + chain("start", "listen", "end"))
    handler, case_id = opened(land, "hello")
    runs.start_run(handler, case_id, "quiet")
    supervisor = land.at_desk("supervisor", "norvale")
    for level in ("strict", "restricted"):
        cases.set_level(supervisor, case_id, level=level, version=stored(land, case_id).version)
    land.session.close()
    marks = select(Path.key, Run.is_sensitive).join(PathVersion, PathVersion.path_id == Path.id)
    marks = marks.join(Run, Run.path_version_id == PathVersion.id).where(Run.case_id == case_id)
    assert dict(land.session.execute(marks).all()) == {"hello": False, "quiet": True}


def test_what_failed_in_a_strict_case_can_be_mended_by_its_supervisors_and_nothing_more(land: World):
    handler, case_id = opened(land, desks(land, ("ask", "case_handler"), ("lost", "nobody")), level="strict")
    supervisor = land.at_desk("supervisor", "norvale")
    assert not sees(land, supervisor, case_id)
    done = complete(land, handler, case_id, "ask")
    assert done.incident is not None
    assert sees(land, supervisor, case_id, writing=True)
    incidents.cancel_incident(supervisor, done.incident, note="nobody does this here", version=1)
    assert not sees(land, supervisor, case_id)


def test_a_supervisor_gives_out_a_strict_task_without_reading_it(land: World):
    _, case_id = opened(land, "hello", level="strict")
    supervisor, colleague = land.at_desk("supervisor", "norvale"), land.at_desk("case_handler", "norvale", "two")
    ask = land.open_tasks(case_id)["ask"]
    with pytest.raises(NotFound):
        task_queries.task(supervisor, land.clock.now(), ask.id)
    given = tasks.assign_task(supervisor, ask.id, to_user=colleague.id, version=1)
    assert given.assignee_id == colleague.id
    tasks.release_task(colleague, ask.id, version=given.version)
    land.session.close()
    rows = select(CaseAccess.until).where(CaseAccess.holder_id == colleague.id)
    assert all(until is not None for until in land.session.execute(rows).scalars())


def test_a_moved_case_takes_its_referrals_along_and_leaves_its_old_supervisors(land: World):
    loop = Loop(land)
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "request_info", sent.id, note="which day?")
    old, new = land.at_desk("supervisor", "norvale"), land.at_desk("case_handler", "hillin")
    desk = new.seats[0].desk_id
    assert desk is not None
    cases.transfer_case(old, loop.case.id, desk_id=desk, reason="moved", version=stored(land, loop.case.id).version)
    assert not sees(land, old, loop.case.id)
    answered = loop.do(new, "answer", sent.id, note="any day")
    assert answered.state == "acknowledged"
    moved = loop.now(sent.id)
    assert (moved.from_organisation_id, moved.from_desk_id) == (new.seats[0].organisation_id, desk)


def test_a_case_moves_only_to_a_desk_that_works_on_cases(land: World):
    _, case_id = opened(land, "hello")
    receiver = land.receiver_of("open_door").seats[0].desk_id
    assert receiver is not None
    with pytest.raises(NotValid):
        cases.transfer_case(
            land.at_desk("supervisor", "norvale"),
            case_id,
            desk_id=receiver,
            reason="moved",
            version=stored(land, case_id).version,
        )


def test_when_a_returnee_has_died_no_receiver_goes_on(land: World):
    loop = Loop(land)
    loop.consent()
    sent = loop.send()
    cases.tell_case(loop.handler, loop.case.id, message="person.deceased")
    ended = loop.now(sent.id)
    assert (ended.state, ended.end_reason) == ("withdrawn", "deceased")
    person = land.session.get(Person, ended.person_id)
    assert person is not None
    assert person.deceased_on == land.clock.now().date()


def test_a_referral_that_nobody_answered_ends_with_its_case(land: World):
    loop = Loop(land)
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "decline", sent.id, reason="no_capacity")
    cases.close_case(
        land.at_desk("supervisor", "norvale"),
        loop.case.id,
        outcome="not_achieved",
        reason="left_area",
        version=stored(land, loop.case.id).version,
    )
    closed = loop.now(sent.id)
    assert (closed.closed_at, closed.outcome) == (land.clock.now(), "not_provided")
    outcomes = select(Outcome.code).where(Outcome.subject_id == sent.id)
    assert land.session.execute(outcomes).scalars().all() == ["not_provided"]


def test_sharing_again_with_more_gives_more(land: World):
    _, case_id = opened(land, "hello")
    stranger = land.at_desk("case_handler", "lakemar")
    supervisor = land.at_desk("supervisor", "norvale")
    for access, writing in (("overview", False), ("work", True), ("read", False)):
        cases.share_case(supervisor, case_id, holder_kind="user", holder_id=stranger.id, access=access)
        assert sees(land, stranger, case_id)
        assert sees(land, stranger, case_id, writing=True) is writing
    cases.unshare_case(supervisor, case_id, holder_kind="user", holder_id=stranger.id)
    assert not sees(land, stranger, case_id)


def test_a_strict_case_is_shared_only_with_roles_that_may_know_such(land: World):
    _, case_id = opened(land, "hello", level="strict")
    supervisor = land.at_desk("supervisor", "norvale")
    handler = land.at_desk("case_handler", "norvale")
    case = stored(land, case_id)
    give = Seat(organisation_id=case.organisation_id, desk_id=None, role="", permissions=frozenset({"case.level"}))
    owner = dataclasses.replace(handler, seats=(*handler.seats, give))
    specialist = land.seat(case.desk_id, case.organisation_id, "child_specialist")
    for holder, allowed in ((supervisor.id, False), (specialist.id, True)):
        try:
            cases.share_case(owner, case_id, holder_kind="user", holder_id=holder, access="read")
        except NotValid as refused:
            assert not allowed
            assert refused.problems[0].code == "not_for_strict_cases"
        else:
            assert allowed


def test_what_one_desk_may_do_does_not_count_for_the_cases_of_another(land: World):
    """Somebody handles cases in one place and answers referrals in another: two seats, two sights."""
    _, case_id = opened(land, "hello")
    elsewhere = land.at_desk("case_handler", "hillin")
    answering = land.receiver_of("open_door")
    both = dataclasses.replace(answering, seats=(*answering.seats, *elsewhere.seats))
    desk = answering.seats[0].desk_id
    supervisor = land.at_desk("supervisor", "norvale")
    cases.share_case(supervisor, case_id, holder_kind="desk", holder_id=str(desk), access="work")
    assert sees(land, both, case_id)
    assert not sees(land, both, case_id, reading=True)
    assert not sees(land, both, case_id, writing=True)
    with pytest.raises(NotAllowed):
        cases.add_note(both, case_id, text="from the wrong seat")
    cases.share_case(supervisor, case_id, holder_kind="user", holder_id=both.id, access="work")
    assert sees(land, both, case_id, writing=True), "what was given to the person counts with any seat"


def test_a_strict_cases_team_does_what_the_handlers_desk_does_in_other_cases(land: World):
    path = desks(land, ("assess", "child_specialist"), ("prepare", "case_handler"))
    specialist = land.at_desk("child_specialist", "norvale")
    handler, strict = opened(land, path, level="strict")
    complete(land, specialist, strict, "assess")
    assert land.open_tasks(strict)["prepare"].desk_id == specialist.seats[0].desk_id
    with pytest.raises(IllegalMove):
        tasks.claim_task(handler, land.open_tasks(strict)["prepare"].id)
    _, usual = opened(land, path)
    complete(land, specialist, usual, "assess")
    assert land.open_tasks(usual)["prepare"].desk_id == handler.seats[0].desk_id
