"""What machines that watch the service are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, text

from nrm.actions._action import transact
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.jobs.kinds import QUEUES
from nrm.models import Runner
from nrm.queries.health import COUNTED, numbers, readiness
from tests.installations import Installed


def seen(seconds_ago: float) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    row = {"name": f"runner {seconds_ago}", "started_at": moment, "seen_at": moment, "done": 7, "failed": 1}
    with db.engine.begin() as connection:
        connection.execute(insert(Runner.__table__), [row])


def test_the_web_is_ready_without_a_runner_but_says_so(installed: Installed):
    found = readiness()
    assert found.ready
    assert (found.database, found.tables, found.runner, found.runner_seen) == (True, True, False, None)


def test_a_silent_runner_is_told_from_a_living_one(installed: Installed):
    seen(installed.config.worker_silent_seconds + 5)
    assert not readiness().runner
    seen(1)
    assert readiness().runner


def test_tables_of_another_version_are_not_ready(installed: Installed):
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert not readiness().ready
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def test_numbers_tell_what_is_due_how_late_and_who_works(installed: Installed):
    now = installed.clock.now()
    transact(SYSTEM, lambda work: work.enqueue("timer", {}, due_at=now - timedelta(minutes=5)))
    transact(SYSTEM, lambda work: work.enqueue("timer", {}, due_at=now + timedelta(minutes=5)))
    seen(1)
    found = numbers()
    assert set(found.due) == set(QUEUES)
    assert (found.due["timers"], found.lag["timers"]) == (1, 300.0)
    assert (found.running, found.dead, found.incidents) == (0, 0, 0)
    assert (found.runners, found.done, found.failed) == (1, 7, 1)
    assert COUNTED >= 1_000
