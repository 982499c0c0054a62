"""The runner: does what is due, survives what dies, and stops when asked."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from nrm.actions._action import Work, transact
from nrm.actors import SYSTEM
from nrm.clock import SystemClock
from nrm.db import db
from nrm.errors import Busy
from nrm.installation import install, installation
from nrm.jobs import table
from nrm.jobs.hand import ClaimedJob
from nrm.jobs.kinds import KINDS
from nrm.models import Event, Incident, Job, Notification, Schedule
from nrm.models import Runner as RunnerRow
from nrm.worker.handlers import HANDLERS, Handler
from nrm.worker.loop import Runner, describe

PATIENCE = 20.0


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def put(app: Flask, n: int, *, kind: str = "timer", due_at=None) -> None:
    with app.app_context():
        transact(SYSTEM, lambda work: work.enqueue(kind, {"n": n}, due_at=due_at or work.now, dedup_key=f"test:{n}"))


def count(app: Flask, *conditions: object, of=Job) -> int:
    with app.app_context():
        return int(db.session.execute(select(func.count()).select_from(of).where(*conditions)).scalar_one())


def note(job: ClaimedJob) -> None:
    """Do something that shows: one row per job, which a second time would be refused."""

    def body(work: Work) -> None:
        work.add(
            Notification,
            id=f"ntf_{job.args['n']}",
            kind="test",
            subject_kind="test",
            subject_id=str(job.args["n"]),
            created_at=work.now,
        )

    transact(SYSTEM, body)


@contextmanager
def running(app: Flask, handler: Handler, **options) -> Iterator[Runner]:
    handlers: Mapping[str, Handler] = {**HANDLERS, "timer": handler, "delivery": handler}
    runner = Runner(app.app_context, handlers=handlers, **{"poll_seconds": 0.2, **options})
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield runner
    finally:
        runner.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def real_time(app: Flask) -> None:
    install(installation().config, SystemClock())


def test_due_jobs_are_done_once_and_their_rows_are_gone(app: Flask):
    for n in range(50):
        put(app, n)
    with running(app, note) as runner:
        until(lambda: count(app, of=Notification) == 50)
        until(lambda: count(app, Job.kind == "timer") == 0)
    assert runner.counts["failed"] == 0


def test_a_job_that_comes_to_an_idle_runner_is_done_at_once(app: Flask):
    with running(app, note, poll_seconds=30):
        until(lambda: count(app, of=RunnerRow) == 1)
        until(lambda: count(app, Job.kind == "schedule", Job.due_at <= installation().clock.now()) == 0)
        time.sleep(0.3)
        took = []
        for n in range(5):
            begun = time.monotonic()
            put(app, n)
            until(lambda n=n: count(app, of=Notification) == n + 1)
            took.append(time.monotonic() - begun)
        # A poll would take up to 30 seconds.
        assert sorted(took)[2] < 2


def test_a_job_that_is_due_in_a_moment_is_done_in_that_moment(app: Flask):
    due_at = installation().clock.now() + timedelta(seconds=1)
    put(app, 1, due_at=due_at)
    with running(app, note, poll_seconds=30):
        until(lambda: count(app, of=Notification) == 1)
        with app.app_context():
            done_at = db.session.execute(select(Notification.created_at)).scalar_one()
    assert timedelta() <= done_at - due_at < timedelta(seconds=3)


def test_a_failing_job_leaves_nothing_and_is_tried_again_later(app: Flask):
    def half(job: ClaimedJob) -> None:
        def body(work: Work) -> None:
            work.add(Notification, id="ntf_x", kind="t", subject_kind="t", subject_id="x", created_at=work.now)
            work.flush()
            raise ValueError("a secret of a person")

        transact(SYSTEM, body)

    put(app, 1)
    with running(app, half) as runner:
        until(lambda: runner.counts["failed"] == 1)
        until(lambda: count(app, Job.error.is_not(None)) == 1)
    assert count(app, of=Notification) == 0
    with app.app_context():
        job = db.session.execute(select(Job).where(Job.kind == "timer")).scalar_one()
        assert job.state == "waiting"
        assert job.error is not None
        assert job.error.startswith("ValueError at tests.worker")
        assert "secret" not in job.error
        assert job.due_at > installation().clock.now()


def test_a_job_that_fails_for_the_last_time_becomes_an_incident(app: Flask):
    put(app, 1)
    with app.app_context():
        transact(SYSTEM, lambda work: work.session.execute(text("UPDATE jobs SET max_attempts = 1")))
    with running(app, lambda job: 1 / 0):
        until(lambda: count(app, Incident.status == "open", of=Incident) == 1)
    with app.app_context():
        incident = db.session.execute(select(Incident)).scalar_one()
        job = db.session.get_one(Job, incident.job_id)
        assert (incident.kind, incident.code, job.state) == ("job", "job_failed", "dead")
        assert incident.params["job"] == "timer"
        assert db.session.execute(select(Event).where(Event.kind == "incident.opened")).scalar_one()


@pytest.mark.parametrize("excuse", [table.Later(0.05), Busy()])
def test_a_job_that_cannot_be_done_just_now_is_put_off_without_a_failure(app: Flask, excuse: Exception, monkeypatch):
    tries: list[int] = []

    def later(job: ClaimedJob) -> None:
        tries.append(job.attempts)
        if len(tries) < 2:
            raise excuse
        note(job)

    put(app, 1)
    with running(app, later) as runner:
        until(lambda: count(app, of=Notification) == 1)
    assert tries == [1, 1]
    assert runner.counts["failed"] == 0


def test_a_handler_that_finds_nothing_to_do_ends_its_job(app: Flask):
    put(app, 1)
    with running(app, lambda job: None):
        until(lambda: count(app, Job.kind == "timer") == 0)


def test_a_job_cancelled_while_it_is_worked_on_has_no_effect(app: Flask):
    begun, cancelled = threading.Event(), threading.Event()

    def slow(job: ClaimedJob) -> None:
        begun.set()
        cancelled.wait(PATIENCE)
        note(job)

    put(app, 1)
    with running(app, slow):
        begun.wait(PATIENCE)
        with app.app_context():
            transact(SYSTEM, lambda work: work.cancel_jobs("test:1"))
        cancelled.set()
    assert count(app, of=Notification) == 0
    assert count(app, Job.kind == "timer") == 0


def test_a_stopping_runner_ends_the_job_in_hand_and_gives_the_others_back(app: Flask):
    begun = threading.Event()

    def slow(job: ClaimedJob) -> None:
        begun.set()
        time.sleep(0.5)
        note(job)

    for n in range(10):
        put(app, n)
    with running(app, slow, threads=1):
        begun.wait(PATIENCE)
    assert count(app, of=Notification) == 1
    assert count(app, Job.kind == "timer", Job.state == "waiting", Job.attempts == 0) == 9
    assert count(app, of=RunnerRow) == 0


def test_a_long_job_keeps_its_lease(app: Flask):
    tries: list[int] = []

    def long(job: ClaimedJob) -> None:
        tries.append(job.attempts)
        time.sleep(2.5)
        note(job)

    put(app, 1)
    with running(app, long, lease=timedelta(seconds=1)):
        until(lambda: count(app, of=Notification) == 1)
    assert tries == [1]


def test_the_jobs_of_a_killed_runner_are_done_by_the_next(app: Flask):
    put(app, 1)
    with app.app_context():
        transact(
            SYSTEM,
            lambda work: table.claim(
                work.session,
                owner="killed",
                queues=("timers",),
                limit=5,
                now=work.now,
                lease=timedelta(milliseconds=500),
            ),
        )
    with running(app, note, lease=timedelta(seconds=1)):
        until(lambda: count(app, of=Notification) == 1)


def test_periodic_work_is_planned_at_the_start_and_plans_its_next_run(app: Flask):
    with running(app, note):
        until(lambda: count(app, Schedule.last_run_at.is_not(None), of=Schedule) > 0)
        until(lambda: count(app, Job.kind == "schedule", Job.due_at <= installation().clock.now()) == 0)
    with app.app_context():
        names = {job.args["name"] for job in db.session.execute(select(Job).where(Job.kind == "schedule")).scalars()}
        planned = set(db.session.execute(select(Schedule.name)).scalars())
    assert names == planned != set()


def test_a_run_missed_while_everything_was_down_runs_once_at_the_start(app: Flask):
    with running(app, note):
        until(lambda: count(app, Schedule.last_run_at.is_not(None), of=Schedule) > 0)
        until(lambda: count(app, Job.kind == "schedule", Job.due_at <= installation().clock.now()) == 0)
    with app.app_context():
        past = installation().clock.now() - timedelta(days=5)

        def rewind(work: Work) -> None:
            for job in work.session.execute(select(Job).where(Job.kind == "schedule")).scalars():
                job.due_at = past

        transact(SYSTEM, rewind)
    with running(app, note) as runner:
        until(lambda: count(app, Job.kind == "schedule", Job.due_at <= installation().clock.now()) == 0)
        time.sleep(0.5)
    assert runner.counts["done"] == count(app, Job.kind == "schedule")


def test_a_runner_gives_signs_of_life(app: Flask):
    with running(app, note, name="the one"):
        until(lambda: count(app, RunnerRow.name == "the one", of=RunnerRow) == 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_runner_survives_that_its_connections_are_cut(app: Flask, database_url: str):
    import psycopg

    with running(app, note) as runner:
        for n in range(60):
            put_again(app, n)
            if n % 20 == 10:
                with psycopg.connect("postgresql://" + database_url.partition("://")[2], autocommit=True) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND application_name = 'nrm'"
                    )
        until(lambda: count_again(app) == 60)
    assert runner.counts["failed"] == 0


def put_again(app: Flask, n: int) -> None:
    """Ask again until it is acknowledged, as a client of the service would; the key keeps it single."""
    from sqlalchemy.exc import DBAPIError

    for _ in range(20):
        try:
            if count(app, Notification.id == f"ntf_{n}", of=Notification) == 0:
                put(app, n)
        except DBAPIError as error:
            if "uq_jobs_dedup_key" in str(error.orig) or "UNIQUE" in str(error.orig):
                return
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the database did not come back")


def count_again(app: Flask) -> int:
    from sqlalchemy.exc import DBAPIError

    try:
        return count(app, of=Notification)
    except DBAPIError:
        return -1


def test_an_error_is_described_without_its_words():
    try:
        raise KeyError("Zirak Example")
    except KeyError as error:
        words = describe(error)
    assert words.startswith("KeyError at tests.worker.test_loop:")
    assert "Zirak" not in words


def test_every_kind_of_job_has_a_handler():
    assert set(HANDLERS) == set(KINDS)
