"""Two at the same moment: the first fact of a stream, an approval, a place of a service, one open case for a person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from nrm.actions import cases, overrides, tasks
from nrm.actions._action import Work, transact
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.errors import Conflict, IllegalMove, NrmError
from nrm.jobs.hand import holding
from nrm.jobs.kinds import QUEUES
from nrm.jobs.table import claim, enqueue
from nrm.models import Case, ConsentOverride, Event, Job, Service, Task
from tests.actions.test_referrals import DATA, Loop
from tests.world import World


def at_once(installed, *verbs: Callable[[], object]) -> list[object]:
    """Let several people act at the same moment, and give what each got: an answer, or the refusal."""
    ready = threading.Barrier(len(verbs))

    def act(verb: Callable[[], object]) -> object:
        with installed.app.app_context():
            ready.wait()
            try:
                return verb()
            except NrmError as error:
                return error

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(act, verbs))


def test_two_first_facts_of_a_stream_follow_each_other(installed, land: World):
    """Both find no head; the slower one's insert meets the faster one's."""

    def fact(work: Work) -> None:
        work.record("user.changed", stream="usr_new", subject=("user", "usr_new"), data={})
        time.sleep(0.05)

    answers = at_once(installed, *[lambda: transact(SYSTEM, fact)] * 4)
    assert answers == [None] * 4
    numbers = land.session.execute(select(Event.seq).where(Event.stream == "usr_new").order_by(Event.seq))
    assert list(numbers.scalars()) == [1, 2, 3, 4]


def test_a_person_gets_one_case_however_many_open_one(installed, land: World):
    handler, person = land.at_desk("case_handler", "norvale"), land.person()
    answers = at_once(installed, *[lambda: cases.open_case(handler, person, governorate="norvale", path="hello")] * 4)
    assert sum(isinstance(answer, IllegalMove) for answer in answers) == 3
    land.session.close()
    assert land.session.execute(select(func.count()).select_from(Case)).scalar_one() == 1
    assert land.session.execute(select(func.count()).select_from(Task)).scalar_one() == 1


def test_the_last_place_of_a_service_is_given_once(installed, land: World):
    loops = []
    for _ in range(4):
        loop = Loop(land)
        loop.consent()
        loops.append((loop, loop.send()))
    service = loops[0][0].service.id
    with db.engine.begin() as connection:
        connection.execute(Service.__table__.update().where(Service.__table__.c.id == service).values(open_slots=1))
    for loop, sent in loops:
        loop.do(loop.provider, "acknowledge", sent.id)
    land.session.close()
    answers = at_once(
        installed, *[lambda loop=loop, sent=sent: loop.do(loop.provider, "accept", sent.id) for loop, sent in loops]
    )
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert [error.code for error in refused] == ["no_capacity"] * 3
    land.session.close()
    assert land.session.execute(select(Service.open_slots).where(Service.id == service)).scalar_one() == 0


def test_two_who_approve_at_once_are_one_approval(installed, land: World):
    loop = Loop(land)
    asker = land.at_desk("supervisor", "norvale")
    people = [land.at_desk("supervisor", "norvale", name) for name in ("two", "three", "four")]
    asked = overrides.ask_override(
        asker,
        loop.case.id,
        organisation_id=loop.service.organisation_id,
        ground="life_threat",
        reason="an emergency",
        categories=DATA,
    )
    land.session.close()
    answers = at_once(installed, *[lambda who=who: overrides.approve_override(who, asked) for who in people])
    assert sum(isinstance(answer, IllegalMove) for answer in answers) == 2
    kinds = select(func.count()).where(Event.kind == "consent.overridden", Event.subject_id == asked)
    assert land.session.execute(kinds).scalar_one() == 1
    assert land.session.get(ConsentOverride, asked) is not None


def test_a_task_is_completed_once_however_often_it_is_clicked(installed, land: World):
    handler = land.at_desk("case_handler", "norvale")
    case_id = cases.open_case(handler, land.person(), governorate="norvale", path="hello").id
    ask = land.open_tasks(case_id)["ask"]
    tasks.claim_task(handler, ask.id)
    tea = {"wants_tea": True, "tea_kind": "mint"}
    answers = at_once(installed, *[lambda: tasks.complete_task(handler, ask.id, answers=tea, version=2)] * 4)
    assert sum(isinstance(answer, tasks.TaskDone) for answer in answers) == 1
    assert set(land.open_tasks(case_id)) == {"serve"}


def test_a_notice_after_the_commit_that_fails_does_not_do_the_work_again(land: World):
    done = []

    def body(work: Work) -> None:
        work.record("user.changed", stream="usr_one", subject=("user", "usr_one"), data={})
        done.append(1)
        work.after_commit.append(fail)

    def fail() -> None:
        raise db_error()

    def db_error() -> Exception:
        from sqlalchemy.exc import OperationalError

        return OperationalError("SELECT 1", {}, Exception("database is locked"))

    with pytest.raises(Exception, match="database is locked"):
        transact(SYSTEM, body)
    assert len(done) == 1
    assert land.session.execute(select(func.count()).where(Event.stream == "usr_one")).scalar_one() == 1


def test_a_job_whose_end_was_taken_back_ends_with_its_transaction(land: World):
    now = land.clock.now()
    transact(
        SYSTEM, lambda work: enqueue(work.session, "schedule", {"name": "none"}, due_at=now, now=now, dedup_key="k")
    )
    (job,) = transact(SYSTEM, lambda work: claim(work.session, owner="me", queues=list(QUEUES), limit=1, now=now))

    def body(work: Work) -> None:
        try:
            with work.savepoint():
                work.cancel_jobs("k")
                raise ValueError("the path cannot go on")
        except ValueError:
            work.record("user.changed", stream="usr_two", subject=("user", "usr_two"), data={})

    with holding(job):
        transact(SYSTEM, body)
    land.session.close()
    assert land.session.execute(select(Job).where(Job.dedup_key == "k")).all() == []
