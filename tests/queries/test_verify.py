"""Records that agree are left in peace; each way in which they may not is named."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update

from nrm.actions import cases, runs, tasks
from nrm.actions._action import Work, transact
from nrm.actors import SYSTEM, Actor
from nrm.models import Case, Delivery, Event, InboxMessage, Incident, Job, Referral, Run, Subscription, Task
from nrm.queries.verify import CHECKS, verify_all
from tests.actions.test_referrals import Loop
from tests.world import World

NOTE = {"note": "All was done"}


def opened(land: World, path: str) -> tuple[Actor, str]:
    handler = land.at_desk("case_handler", "norvale")
    return handler, cases.open_case(handler, land.person(), governorate="norvale", path=path).id


def complete(land: World, actor: Actor, case_id: str, step: str, answers: dict[str, object]) -> None:
    task = land.open_tasks(case_id)[step]
    version = tasks.claim_task(actor, task.id).version
    tasks.complete_task(actor, task.id, answers=answers, version=version)


def waiting(land: World) -> str:
    """A run that waits for an answer, with a timer."""
    handler, case_id = opened(land, "wait_for_answer")
    complete(land, handler, case_id, "write", NOTE)
    return case_id


def calling(land: World) -> str:
    """A run that waits for a run."""
    return opened(land, "call_with_boundaries")[1]


def reminded(land: World) -> None:
    """A late task, of which one rung of the ladder was told."""
    opened(land, "hello")
    transact(SYSTEM, lambda work: work.session.execute(update(Task).values(reminded_at=work.now, escalation=1)))


def unheard(land: World) -> None:
    """A run that waits for a word, and a word that it once heard."""
    runs.receive_message(SYSTEM, waiting(land), "letter.answered")
    statement = update(InboxMessage).values(correlation=select(Run.id).scalar_subquery(), status="delivered")
    tell_lies(land, statement)


def referred(land: World) -> Loop:
    """A referral that was sent."""
    loop = Loop(land)
    loop.consent()
    loop.send()
    return loop


def declined(land: World) -> None:
    """A referral that was declined, and not yet answered by its sender."""
    loop = referred(land)
    sent = land.session.execute(select(Referral.id)).scalar_one()
    loop.do(loop.provider, "decline", sent, reason="no_capacity")


def overdue(land: World) -> None:
    """A referral of whose silence one rung of the ladder was told: it must still expire."""
    referred(land)
    tell_lies(land, update(Referral).values(escalation=1))


def tell_lies(land: World, *statements: object) -> None:
    land.session.close()
    transact(SYSTEM, lambda work: [work.session.execute(statement) for statement in statements])


def codes() -> set[str]:
    return {found.code for found in verify_all()}


def test_nothing_disagrees_in_an_empty_land(land: World):
    assert list(verify_all()) == []


def test_ordinary_work_agrees_at_every_step(land: World):
    handler, case_id = opened(land, "wait_for_answer")
    assert list(verify_all()) == []
    complete(land, handler, case_id, "write", NOTE)
    assert list(verify_all()) == []
    job = land.session.execute(select(Job).where(Job.kind == "timer")).scalar_one()
    land.move(days=3)
    runs.fire_timer(SYSTEM, job.args["run"], job.args["token"])
    # Here no runner takes the job's row along with what it did.
    tell_lies(land, delete(Job).where(Job.id == job.id))
    assert list(verify_all()) == []
    complete(land, handler, case_id, "ring", NOTE)
    assert list(verify_all()) == []
    calling(land)
    assert list(verify_all()) == []


@pytest.mark.parametrize(
    ("begin", "lie", "code"),
    [
        (waiting, lambda: delete(Job).where(Job.kind == "timer"), "timer_lost"),
        (waiting, lambda: delete(Subscription), "message_lost"),
        (calling, lambda: update(Task).values(status="cancelled"), "task_lost"),
        (calling, lambda: delete(Job).where(Job.kind == "task_clock"), "task_without_clock"),
        (reminded, lambda: delete(Job).where(Job.kind == "task_clock"), "task_without_clock"),
        (calling, lambda: update(Task).values(status="on_hold"), "held_task_without_end"),
        (calling, lambda: update(Task).values(level="strict"), "task_level_wrong"),
        (calling, lambda: update(Case).values(status="closed"), "case_without_outcome"),
        (unheard, lambda: update(InboxMessage).values(status="waiting"), "message_not_delivered"),
        (declined, lambda: update(Referral).values(slot_taken=True), "place_not_given_back"),
        (declined, lambda: update(Referral).values(closed_at=Referral.ended_at), "referral_without_outcome"),
        (referred, lambda: update(Case).values(status="closed", outcome="x"), "referral_of_closed_case"),
        (referred, lambda: delete(Job).where(Job.kind == "referral_clock"), "referral_without_clock"),
        (overdue, lambda: delete(Job).where(Job.kind == "referral_clock"), "referral_without_clock"),
        (calling, lambda: update(Run).where(Run.parent_id.is_not(None)).values(parent_token="x.1"), "child_lost"),
        (calling, lambda: update(Run).where(Run.parent_id.is_not(None)).values(status="failed"), "child_lost"),
        (calling, lambda: update(Run).where(Run.parent_id.is_not(None)).values(status="failed"), "task_of_ended_run"),
        (calling, lambda: update(Run).where(Run.parent_id.is_(None)).values(status="failed"), "child_of_ended_run"),
        (waiting, lambda: update(Run).values(status="cancelled"), "timer_of_ended_run"),
        (waiting, lambda: update(Run).values(status="cancelled"), "subscription_of_ended_run"),
        (waiting, lambda: update(Subscription).values(token="x.1"), "message_unknown_to_run"),
        (waiting, lambda: update(Run).values(state="{}"), "run_unreadable"),
        (waiting, lambda: update(Job).values(state="dead"), "dead_job_unseen"),
        (waiting, lambda: update(Case).values(event_seq=Case.event_seq - 1), "event_head_wrong"),
        (waiting, lambda: update(Case).values(event_hash="0" * 64), "event_head_wrong"),
        (waiting, lambda: update(Job).values(kind="from_an_older_program"), "job_of_unknown_kind"),
    ],
)
def test_a_lie_is_named(land: World, begin, lie, code: str):
    begin(land)
    tell_lies(land, lie())
    assert code in codes()


def test_an_incident_excuses_the_run_that_it_holds(land: World):
    case_id = waiting(land)
    tell_lies(land, delete(Job).where(Job.kind == "timer"))
    run_id = land.session.execute(select(Run.id)).scalar_one()

    def body(work: Work) -> None:
        work.lock_case(case_id)
        work.add(
            Incident,
            id="inc_1",
            case_id=case_id,
            run_id=run_id,
            kind="step",
            code="no_desk",
            params={},
            retry={},
            opened_at=work.now,
        )

    land.session.close()
    transact(SYSTEM, body)
    assert codes() == set()


def test_an_incident_whose_job_is_gone_is_named(land: World):
    def body(work: Work) -> None:
        work.add(
            Incident, id="inc_1", job_id=4711, kind="job", code="job_failed", params={}, retry={}, opened_at=work.now
        )

    transact(SYSTEM, body)
    assert codes() == {"incident_without_job"}


def test_a_delivery_that_nobody_will_send_is_named(land: World):
    def body(work: Work) -> None:
        work.add(
            Delivery,
            id="dlv_1",
            channel="email",
            template="notice",
            subject_kind="task",
            subject_id="tsk_1",
            created_at=work.now,
        )

    transact(SYSTEM, body)
    assert codes() == {"delivery_without_job"}


def without_triggers(land: World, *statements: str) -> None:
    """Change history as a database administrator could."""
    sqlite = land.session.get_bind().dialect.name == "sqlite"
    land.session.close()

    def body(work: Work) -> None:
        kept = []
        if sqlite:
            triggers = work.session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, sql in triggers:
                kept.append(sql)
                work.session.execute(text(f"DROP TRIGGER {name}"))
        else:
            work.session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            work.session.execute(text(statement))
        for sql in kept:
            work.session.execute(text(sql))

    transact(SYSTEM, body)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET actor = 'usr_somebody_else' WHERE seq = 2",
        "UPDATE events SET data = '{}' WHERE kind = 'task.opened'",
        "DELETE FROM events WHERE seq = 2 AND stream LIKE 'cas%'",
        "UPDATE events SET at = '2020-01-01 00:00:00' WHERE seq = 1",
    ],
)
def test_a_changed_history_breaks_the_chain_of_its_stream_only(land: World, change: str):
    case_id = waiting(land)
    other = calling(land)
    without_triggers(land, change + f" AND stream = '{case_id}'")
    (found,) = verify_all()
    assert (found.code, found.subject) == ("event_chain_broken", ("stream", case_id))
    assert other != case_id


def test_a_history_cut_off_at_the_end_is_named(land: World):
    case_id = waiting(land)
    land.session.close()
    last = land.session.get_one(Case, case_id).event_seq
    without_triggers(land, f"DELETE FROM events WHERE stream = '{case_id}' AND seq = {last}")
    assert [(found.code, found.subject[1]) for found in verify_all()] == [("event_head_wrong", case_id)]


def test_all_pages_of_runs_and_events_are_read(land: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nrm.queries.verify._PAGE", 2)
    for _ in range(3):
        waiting(land)
    assert list(verify_all()) == []
    tell_lies(land, delete(Job).where(Job.kind == "timer"))
    assert [found.code for found in verify_all()] == ["timer_lost"] * 3
    assert len(list(land.session.execute(select(Event.stream).distinct()))) > 2


def test_each_check_is_known_by_a_name() -> None:
    assert {"runs", "events", "heads", "jobs", "referrals", "clocks", "ended", "ends"} == set(CHECKS)
