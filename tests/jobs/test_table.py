"""Jobs: written with the change that wants them, claimed once, ended with their effects."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from nrm.actions._action import Work, transact
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.installation import installation
from nrm.jobs import table
from nrm.jobs.hand import ClaimedJob, LostJob, holding, keep_job
from nrm.jobs.kinds import KINDS, QUEUES
from nrm.models import Job, Notification
from tests.installations import START as MORNING

LATER = MORNING + timedelta(days=3)


def put(kind: str = "timer", **options) -> None:
    options = {"due_at": MORNING} | options
    transact(SYSTEM, lambda work: work.enqueue(kind, options.pop("args", {}), **options))


def take(owner: str = "one", limit: int = 10, queues=QUEUES, lease: timedelta = table.LEASE) -> list[ClaimedJob]:
    return list(
        transact(
            SYSTEM,
            lambda work: table.claim(work.session, owner=owner, queues=queues, limit=limit, now=work.now, lease=lease),
        )
    )


def jobs() -> list[Job]:
    with db.session() as session:
        return list(session.execute(select(Job).order_by(Job.id)).scalars())


def notify(work: Work, name: str) -> None:
    work.add(
        Notification,
        id=f"ntf_{name}",
        kind="test",
        subject_kind="test",
        subject_id=name,
        created_at=work.now,
    )


def notices() -> list[str]:
    with db.session() as session:
        return list(session.execute(select(Notification.subject_id).order_by(Notification.id)).scalars())


pytestmark = pytest.mark.usefixtures("installed")


def test_a_job_is_written_with_the_change_that_wants_it_or_not_at_all():
    def fails(work: Work) -> None:
        work.enqueue("timer", {"run": "run_1"}, due_at=LATER)
        raise LookupError

    with pytest.raises(LookupError):
        transact(SYSTEM, fails)
    assert jobs() == []


def test_a_kind_that_nobody_handles_is_refused_when_it_is_asked_for():
    with pytest.raises(KeyError):
        put("unheard_of")


def test_only_due_jobs_are_claimed_the_oldest_first():
    put(due_at=LATER, args={"n": 3})
    put(due_at=MORNING - timedelta(minutes=1), args={"n": 2})
    put(due_at=MORNING - timedelta(hours=1), args={"n": 1})
    assert [job.args["n"] for job in take()] == [1, 2]
    installation().clock.move(timedelta(days=3))
    assert [job.args["n"] for job in take()] == [3]


def test_a_claimed_job_is_not_claimed_again():
    put()
    assert len(take("one")) == 1
    assert take("two") == []


def test_each_due_job_is_claimed_by_exactly_one_of_several_runners(app: Flask):
    transact(
        SYSTEM,
        lambda work: table.enqueue_many(
            work.session, [{"n": n} for n in range(200)], "timer", due_at=MORNING, now=MORNING
        ),
    )
    taken: list[int] = []

    def claim_all(owner: str) -> None:
        with app.app_context():
            while found := take(owner, limit=7):
                taken.extend(job.id for job in found)

    threads = [threading.Thread(target=claim_all, args=(f"runner {n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 200


def test_a_job_ends_in_the_commit_of_its_effects():
    put()
    (job,) = take()
    with holding(job) as held:
        transact(SYSTEM, lambda work: notify(work, "done"))
    assert held.done
    assert jobs() == []
    assert notices() == ["done"]


def test_effects_are_taken_back_when_the_lease_was_lost():
    put()
    (job,) = take()
    with db.session() as session:
        session.execute(update(Job).values(lease_owner="somebody else"))
        session.commit()
    with holding(job), pytest.raises(LostJob):
        transact(SYSTEM, lambda work: notify(work, "done"))
    assert notices() == []
    assert len(jobs()) == 1


def test_a_handler_that_commits_twice_is_told_so():
    put()
    (job,) = take()
    with holding(job):
        transact(SYSTEM, lambda work: notify(work, "once"))
        with pytest.raises(RuntimeError, match="keep_job"):
            transact(SYSTEM, lambda work: notify(work, "twice"))
    assert notices() == ["once"]


def test_the_first_of_two_transactions_around_a_sending_keeps_the_job():
    put()
    (job,) = take()
    with holding(job):
        with keep_job():
            transact(SYSTEM, lambda work: notify(work, "before"))
        assert len(jobs()) == 1
        transact(SYSTEM, lambda work: notify(work, "sent"))
    assert jobs() == []
    assert notices() == ["before", "sent"]


def test_a_lost_race_is_tried_again_with_the_job_still_in_hand():
    put()
    (job,) = take()
    tries = []

    def body(work: Work) -> None:
        work.finish()
        work.cancel_jobs("nothing")
        tries.append(1)
        if len(tries) == 1:
            from sqlalchemy.orm.exc import StaleDataError

            raise StaleDataError

    with holding(job):
        transact(SYSTEM, body)
    assert len(tries) == 2
    assert jobs() == []


def test_the_same_key_replaces_the_waiting_job():
    for day in (3, 5):
        transact(
            SYSTEM,
            lambda work, day=day: table.enqueue(
                work.session,
                "timer",
                {"day": day},
                due_at=MORNING + timedelta(days=day),
                now=work.now,
                dedup_key="timer:run_1:t",
            ),
        )
    (job,) = jobs()
    assert job.args == {"day": 5}


def test_a_job_replaced_while_it_is_worked_on_does_not_happen():
    put(dedup_key="task:tsk_1")
    (job,) = take()
    transact(
        SYSTEM,
        lambda work: table.enqueue(work.session, "timer", {}, due_at=LATER, now=work.now, dedup_key="task:tsk_1"),
    )
    with holding(job), pytest.raises(LostJob):
        transact(SYSTEM, lambda work: notify(work, "done"))
    assert notices() == []
    assert [row.state for row in jobs()] == ["waiting"]


def test_a_job_writes_its_own_next_run_under_its_own_key():
    put("schedule", dedup_key="schedule:x", args={"name": "x"})
    (job,) = take()

    def body(work: Work) -> None:
        table.enqueue(work.session, "schedule", {"name": "x"}, due_at=LATER, now=work.now, dedup_key="schedule:x")

    with holding(job):
        transact(SYSTEM, body)
    (following,) = jobs()
    assert following.id != job.id
    assert following.state == "waiting"


def test_a_job_that_cancels_itself_has_ended():
    put(dedup_key="task:tsk_1", args={"task": "tsk_1"})
    (job,) = take()

    def body(work: Work) -> None:
        work.cancel_jobs("task:tsk_1", "resume:tsk_1")
        work.enqueue("task_clock", {"task": "tsk_1"}, due_at=LATER, dedup_key="task:tsk_1")

    with holding(job):
        transact(SYSTEM, body)
    assert [row.due_at for row in jobs()] == [LATER]


def test_a_cancelled_job_is_gone_even_when_a_runner_has_it_in_hand():
    put(dedup_key="timer:run_1:t")
    (job,) = take()
    transact(SYSTEM, lambda work: work.cancel_jobs("timer:run_1:t"))
    with holding(job), pytest.raises(LostJob):
        transact(SYSTEM, lambda work: notify(work, "done"))
    assert jobs() == []
    assert notices() == []


def test_a_job_asked_for_and_cancelled_in_one_change_is_never_written():
    def body(work: Work) -> None:
        work.enqueue("timer", {}, due_at=MORNING, dedup_key="timer:run_1:t")
        work.cancel_jobs("timer:run_1:t")

    transact(SYSTEM, body)
    assert jobs() == []


def test_a_failed_job_waits_longer_each_time_and_then_is_dead():
    put("delivery")
    known = KINDS["delivery"]
    pauses = []
    for attempt in range(1, known.max_attempts + 1):
        (job,) = take()
        assert job.attempts == attempt
        dead = transact(SYSTEM, lambda work, job=job: table.fail(work.session, job, error="Away", now=work.now))
        if attempt < known.max_attempts:
            assert dead is None
            (row,) = jobs()
            pauses.append((row.due_at - installation().clock.now()).total_seconds())
            installation().clock.at = row.due_at
    assert dead is not None
    (row,) = jobs()
    assert (row.state, row.error, row.lease_owner) == ("dead", "Away", None)
    assert pauses[1] > pauses[0] * 2
    assert max(pauses) <= known.longest_pause * 1.2
    assert take() == []


def test_pauses_are_spread_so_that_failures_do_not_come_back_together():
    kind = KINDS["delivery"]
    assert kind.pause(1, share=0) == timedelta(seconds=24)
    assert kind.pause(1, share=1) == timedelta(seconds=36)
    assert kind.pause(40, share=0.5) == timedelta(seconds=kind.longest_pause)


def test_putting_off_counts_no_attempt():
    put()
    (job,) = take()
    transact(SYSTEM, lambda work: table.postpone(work.session, job, due_at=work.now + timedelta(seconds=2)))
    assert take() == []
    installation().clock.move(timedelta(seconds=3))
    (again,) = take()
    assert again.attempts == 1


def test_a_stopping_runner_gives_its_jobs_back_uncounted():
    put()
    transact(SYSTEM, lambda work: table.release(work.session, take_in(work)))
    (again,) = take("two")
    assert again.attempts == 1


def take_in(work: Work) -> tuple[ClaimedJob, ...]:
    return table.claim(work.session, owner="one", queues=QUEUES, limit=10, now=work.now)


def test_the_jobs_of_a_silent_runner_are_taken_back():
    put()
    take("silent", lease=timedelta(seconds=-1))
    assert transact(SYSTEM, lambda work: table.sweep(work.session)) == ()
    (job,) = take("other")
    assert job.attempts == 2


def test_a_renewed_lease_is_not_swept():
    put()
    (job,) = take("one", lease=timedelta(seconds=-1))
    transact(SYSTEM, lambda work: table.renew(work.session, owner="one", job_ids=[job.id]))
    transact(SYSTEM, lambda work: table.sweep(work.session))
    assert [row.state for row in jobs()] == ["running"]


def test_somebody_elses_lease_cannot_be_renewed():
    put()
    (job,) = take("one", lease=timedelta(seconds=-1))
    transact(SYSTEM, lambda work: table.renew(work.session, owner="two", job_ids=[job.id]))
    transact(SYSTEM, lambda work: table.sweep(work.session))
    assert [row.state for row in jobs()] == ["waiting"]


def test_a_demo_that_moves_its_clock_does_not_end_leases():
    put()
    take("one")
    installation().clock.move(timedelta(days=30))
    transact(SYSTEM, lambda work: table.sweep(work.session))
    assert [row.state for row in jobs()] == ["running"]


def test_a_job_that_kills_every_runner_ends_dead_and_spares_its_neighbours():
    transact(
        SYSTEM,
        lambda work: table.enqueue_many(
            work.session, [{"deadly": n == 3} for n in range(10)], "timer", due_at=MORNING, now=MORNING
        ),
    )
    survived = 0
    for _ in range(200):
        claimed = take("runner", lease=timedelta(seconds=-1))
        for job in claimed:
            if job.args["deadly"]:
                break  # the process is gone, with whatever it had claimed
            with holding(job):
                transact(SYSTEM, lambda work: None)
            survived += 1
        if transact(SYSTEM, lambda work: table.sweep(work.session)):
            break
    while claimed := take("runner"):
        for job in claimed:
            with holding(job):
                transact(SYSTEM, lambda work: None)
            survived += 1
    assert survived == 9
    assert [(row.state, row.error) for row in jobs()] == [("dead", table.LOST)]


def test_the_number_of_a_deleted_job_is_never_given_again():
    put(dedup_key="timer:run_1:t")
    (job,) = take()
    transact(SYSTEM, lambda work: work.cancel_jobs("timer:run_1:t"))
    put()
    (other,) = take()
    assert other.id > job.id


def test_a_dead_job_can_be_revived_or_discarded():
    put("timer", dedup_key="timer:run_1:t")
    with db.session() as session:
        session.execute(update(Job).values(state="dead", attempts=8))
        session.commit()
    (dead,) = jobs()
    assert transact(SYSTEM, lambda work: table.revive(work.session, dead.id, now=work.now))
    (job,) = take()
    assert job.attempts == 1
    assert not transact(SYSTEM, lambda work: table.discard(work.session, dead.id))


def test_a_dead_job_gives_way_to_a_newer_one_with_its_key():
    put("timer", dedup_key="timer:run_1:t")
    with db.session() as session:
        session.execute(update(Job).values(state="dead"))
        session.commit()
    (dead,) = jobs()
    put("timer", dedup_key="timer:run_1:t", args={"newer": True})
    assert transact(SYSTEM, lambda work: table.revive(work.session, dead.id, now=work.now))
    assert [row.args for row in jobs()] == [{"newer": True}]


def test_bulk_work_is_claimed_one_at_a_time():
    for _ in range(3):
        put("manifest_part")
    assert len(take(limit=10)) == 1


def test_the_look_before_a_claim_names_the_next_moment_of_each_queue():
    put(due_at=LATER)
    put("delivery", due_at=MORNING)
    found = table.next_due(db.session(), QUEUES)
    db.session.remove()
    assert found == {"timers": LATER, "deliveries": MORNING}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_listeners_hear_of_a_due_job_at_commit_and_not_of_a_later_one(database_url: str):
    import psycopg

    with psycopg.connect("postgresql://" + database_url.partition("://")[2], autocommit=True) as listener:
        listener.execute(f"LISTEN {table.CHANNEL}")
        put(due_at=LATER)
        assert list(listener.notifies(timeout=0.2, stop_after=1)) == []
        put(due_at=MORNING)
        assert len(list(listener.notifies(timeout=5, stop_after=1))) == 1


def test_claiming_reads_the_index_of_due_jobs_and_sorts_nothing():
    sqlite = db.engine.dialect.name == "sqlite"
    statement = (
        "SELECT id FROM jobs WHERE queue = 'timers' AND state = 'waiting' AND due_at <= '2031-05-04' "
        "ORDER BY due_at LIMIT 20"
    )
    with db.engine.connect() as connection:
        if not sqlite:
            # The table is empty: reading it whole would be right, and says nothing of a full one.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(text(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement))
        found = "\n".join(str(row) for row in plan)
    assert "ix_jobs_due" in found
    assert "sort" not in found.lower()
    assert "temp b-tree" not in found.lower()
