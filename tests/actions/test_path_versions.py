"""Versions that others need: what running cases will begin is not retired, and what is not there is not called."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from nrm.actions.cases import open_case
from nrm.actions.path_drafts import begin_draft
from nrm.actions.path_findings import draft_findings
from nrm.actions.path_publishing import retire_version
from nrm.db import db
from nrm.errors import Conflict
from nrm.models import Path, Run
from nrm.queries import path_drafts, paths
from tests.drafting import designer
from tests.engine.diagrams import box, call, chain, end, start
from tests.moving import latest_version, next_version
from tests.published import publish
from tests.world import World

ASK = box("manualTask", "wait")
LATER = start() + ASK + call("later", path="hello") + end() + chain("start", "wait", "later", "end")


def runs_of(path: str) -> list[str]:
    found = select(Run.id).where(Run.path_version_id == latest_version(path))
    ids = list(db.session.scalars(found))
    db.session.rollback()
    return ids


def test_a_path_that_running_cases_will_still_begin_is_not_retired(land: World):
    key = publish(land, "visit_first", LATER)
    handler = land.at_desk("case_handler", "norvale")
    open_case(handler, land.person(), governorate="norvale", path=key)
    (run_id,) = runs_of(key)
    # The newest version begins "hello" no more; the case stays on the one with which it began.
    next_version(land, key, ('calledElement="hello"', 'calledElement="child_step"'))
    hello = latest_version("hello")
    with pytest.raises(Conflict) as refused:
        retire_version(designer(land), hello)
    assert refused.value.code == "path_needed_by_cases"
    assert refused.value.params == {"paths": key}
    assert paths.published("hello") == hello
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(update(Run).where(Run.id == run_id).values(status="finished"))
    retire_version(designer(land), hello)
    assert db.session.scalars(select(Path.latest_id).where(Path.key == "hello")).one() is None


def test_a_draft_that_calls_a_version_that_is_not_there_is_told_so(land: World):
    author = designer(land)
    draft = begin_draft(author, path="call_with_boundaries")
    text = path_drafts.draft(author, draft.id).diagram
    db.session.rollback()
    for version, codes in ((1, set()), (7, {("unknown_version", "call_work")})):
        bound = text.replace("<nrm:call ", f'<nrm:call version="{version}" ')
        found = draft_findings(author, draft.id, diagram=bound, language="en")
        assert {(each.code, each.element) for each in found if each.severity == "error"} == codes
        db.session.rollback()
