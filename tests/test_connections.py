"""Connections: what a completion costs in statements, and what happens to a connection that died while it rested."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from nrm.actions import cases, tasks
from nrm.db import db
from tests import databases, installations
from tests.counting import QueryCounter
from tests.world import World


def test_completing_a_step_takes_a_dozen_statements(land: World, query_counter: QueryCounter):
    handler = land.at_desk("case_handler", "norvale")
    case = cases.open_case(handler, land.person(), governorate="norvale", path="hello")
    task = land.open_tasks(case.id)["ask"]
    tasks.claim_task(handler, task.id, version=1)
    with query_counter() as count:
        tasks.complete_task(handler, task.id, answers={"wants_tea": True, "tea_kind": "mint"}, version=2)
    assert count() <= 12


def test_a_connection_that_died_while_it_rested_is_replaced(
    postgresql_database: databases.PostgresDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with installations.installed(postgresql_database.url, tmp_path):
        process = text("SELECT pg_backend_pid()")
        before = db.session.execute(process).scalar_one()
        db.session.close()
        url = db.engine.url.render_as_string(hide_password=False)
        with psycopg.connect("postgresql://" + url.partition("://")[2], autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [before])
        monkeypatch.setattr("nrm.db.LONG_REST", 0.0)
        after = db.session.execute(process).scalar_one()
        db.session.close()
        assert after != before
