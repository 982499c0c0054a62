"""Drafts that pile up are refused and listed for tidying; a review that is opened again plays nothing again."""

from __future__ import annotations

import pytest

from nrm.actions import path_rehearsals, path_scenarios
from nrm.actions.path_drafts import begin_draft, discard_draft
from nrm.actions.path_publishing import publish_draft, submit_draft
from nrm.actions.path_scenarios import draft_coverage, drop_scenario
from nrm.db import db
from nrm.errors import BadPath, NotValid
from nrm.queries.path_drafts import draft_list
from nrm.rules.drafts import MOST_OF_PATH, MOST_OF_PERSON, UNTOUCHED
from tests.drafting import designer
from tests.world import World


def refused(land: World, name: str, path: str) -> str:
    with pytest.raises(NotValid) as problem:
        begin_draft(designer(land, name), path=path)
    (one,) = problem.value.problems
    assert one.params["most"] in {MOST_OF_PATH, MOST_OF_PERSON}
    return one.code


def test_a_path_has_so_many_open_drafts_and_no_more_until_one_is_given_up(land: World):
    drafts = [begin_draft(designer(land, f"d{number % 2}"), path="hello") for number in range(MOST_OF_PATH)]
    assert refused(land, "other", "hello") == "too_many_drafts_of_path"
    begin_draft(designer(land, "other"), path="followup")
    discard_draft(designer(land, "other"), drafts[0].id, version=1)
    begin_draft(designer(land, "other"), path="hello")


def test_a_person_begins_so_many_drafts_and_no_more_while_they_are_open(land: World):
    one = designer(land)
    for number in range(MOST_OF_PERSON):
        begin_draft(one, path=("hello", "followup", "many_visits")[number % 3])
    assert refused(land, "one", "child_step") == "too_many_drafts_of_person"
    begin_draft(designer(land, "two"), path="child_step")


def test_a_draft_that_nobody_touched_for_long_is_listed_for_tidying(land: World):
    old = begin_draft(designer(land), path="hello").id
    land.move(hours=24 * UNTOUCHED.days)
    begin_draft(designer(land), path="hello")
    listed = draft_list(designer(land, "two"), before=land.clock.now() - UNTOUCHED)
    assert listed == ()
    land.move(hours=1)
    (row,) = draft_list(designer(land, "two"), before=land.clock.now() - UNTOUCHED)
    assert (row.id, "discard" in row.actions) == (old, True)


def test_scenarios_are_played_once_for_the_same_content_and_anew_for_a_decision(
    land: World, monkeypatch: pytest.MonkeyPatch
):
    path_rehearsals.forget()
    played: list[str] = []
    rehearse = path_scenarios.rehearse

    def counted(*given, **named):
        played.append("played")
        return rehearse(*given, **named)

    monkeypatch.setattr(path_scenarios, "rehearse", counted)
    author, second = designer(land), designer(land, "two")
    draft_id = begin_draft(author, path="hello").id
    first = draft_coverage(author, draft_id, language="en")
    assert draft_coverage(second, draft_id, language="en") == first
    assert len(played) == 1
    arabic = draft_coverage(second, draft_id, language="ar")
    assert {each.name for each in arabic.scenarios} == {each.name for each in first.scenarios}
    assert len(played) == 1, "the language is put on afterwards"
    version = submit_draft(author, draft_id, version=1).version
    publish_draft(second, draft_id, version=version)
    assert len(played) == 3, "who decides has all played anew"
    db.session.rollback()
    other_id = begin_draft(author, path="hello").id
    draft_coverage(author, other_id, language="en")
    before = len(played)
    version = drop_scenario(author, other_id, name=first.scenarios[0].name, version=1).version
    assert len(draft_coverage(author, other_id, language="en").scenarios) == len(first.scenarios) - 1
    assert len(played) == before + 1, "other content is played"


def test_no_more_rehearsals_are_kept_than_fit_and_none_that_tell_of_the_machine(
    land: World, monkeypatch: pytest.MonkeyPatch
):
    path_rehearsals.forget()
    monkeypatch.setattr(path_rehearsals, "KEPT", 2)
    author = designer(land)
    ids = [begin_draft(author, path=path).id for path in ("hello", "followup", "many_visits")]
    for draft_id in ids:
        draft_coverage(author, draft_id, language="en")
    assert len(path_rehearsals._kept.found) == 2
    path_rehearsals.forget()
    monkeypatch.setattr("nrm.engine.rehearsals.PLAY_SECONDS", 0.0)
    late = draft_coverage(author, ids[0], language="en")
    assert [one.code for one in late.findings] == ["took_too_long"]
    assert not path_rehearsals._kept.found
    with pytest.raises(BadPath):
        submit_draft(author, ids[0], version=1)
