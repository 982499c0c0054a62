"""A path changes hands: one designer drafts, another publishes, cases follow, and what is outdated is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path as File

import pytest
from sqlalchemy import select

from nrm.actions.cases import open_case
from nrm.actions.path_checks import play_pack
from nrm.actions.path_drafts import DiagramSaved, begin_draft, save_diagram, save_form
from nrm.actions.path_findings import draft_findings
from nrm.actions.path_imports import draft_of_import, look_at_import
from nrm.actions.path_publishing import (
    Published,
    publish_draft,
    retire_version,
    send_back_draft,
    submit_draft,
    take_newest_base,
)
from nrm.actions.path_scenarios import drop_scenario, save_scenario
from nrm.actions.seeding import export_pack
from nrm.actors import SYSTEM, Actor
from nrm.db import db
from nrm.errors import BadPath, Conflict, IllegalMove, NotAllowed, StaleVersion, TooMany
from nrm.models import Event, FormVersion, Notification, Path, PathVersion, Run
from nrm.queries import path_drafts, paths
from nrm.queries.path_turns import turn
from tests.actions.test_races import at_once
from tests.drafting import designer
from tests.world import World

HELLO = (File(__file__).parents[2] / "workflows" / "testland" / "paths" / "hello.bpmn").read_bytes()


def edited(actor: Actor, draft_id: str, old: str, new: str) -> int:
    view = path_drafts.draft(actor, draft_id)
    assert old in view.diagram
    text = view.diagram.replace(old, new)
    db.session.rollback()
    return save_diagram(actor, draft_id, diagram=text, version=view.draft.version, language="en").version


def in_review(author: Actor, path: str = "hello", old: str = "Serve", new: str = "Pour") -> tuple[str, int]:
    draft = begin_draft(author, path=path)
    version = edited(author, draft.id, old, new)
    return draft.id, submit_draft(author, draft.id, version=version, note="Friendlier").version


def latest(path: str = "hello") -> tuple[int, str]:
    found = select(PathVersion.number, PathVersion.id).join(Path, Path.latest_id == PathVersion.id)
    number, version_id = db.session.execute(found.where(Path.key == path)).one()
    db.session.rollback()
    return number, version_id


def test_a_second_person_publishes_and_new_cases_follow_while_old_ones_stay(land: World):
    author, reviewer = designer(land), designer(land, "two")
    handler = land.at_desk("case_handler", "norvale")
    before = open_case(handler, land.person(), governorate="norvale", path="hello").id
    draft_id, version = in_review(author)
    published = publish_draft(reviewer, draft_id, version=version)
    assert (published.path, published.number) == ("hello", 2)
    assert latest() == (2, published.id)
    after = open_case(handler, land.person(), governorate="norvale", path="hello").id
    runs = dict(db.session.execute(select(Run.case_id, PathVersion.number).join(PathVersion)).all())
    assert (runs[before], runs[after]) == (1, 2)
    spec = paths.version(published.id).spec
    assert any("Pour" in step.names["en"] for step in spec.steps.values())
    kinds = db.session.scalars(select(Event.kind).where(Event.stream == "system").order_by(Event.seq)).all()
    assert [kind for kind in kinds if kind.startswith("path.")][-3:] == [
        "path.draft_begun",
        "path.submitted",
        "path.published",
    ]


def test_reviewers_are_told_and_the_author_hears_of_the_decision(land: World):
    author, reviewer = designer(land), designer(land, "two")
    draft_id, version = in_review(author)
    told = select(Notification.user_id, Notification.kind).where(Notification.subject_id == draft_id)
    assert [tuple(row) for row in db.session.execute(told)] == [(reviewer.id, "path.submitted")]
    db.session.rollback()
    back = send_back_draft(reviewer, draft_id, version=version, note="Say it in Sorani too")
    assert (author.id, "path.sent_back") in {tuple(row) for row in db.session.execute(told)}
    db.session.rollback()
    view = path_drafts.draft(author, draft_id)
    assert (view.draft.status, view.draft.note, view.draft.version) == ("draft", "Say it in Sorani too", back.version)


def test_nobody_publishes_what_they_changed_last_from_whatever_seat(land: World):
    author, reviewer = designer(land), designer(land, "two")
    draft_id, version = in_review(author)
    other_seat = Actor(kind=author.kind, id=author.id, seats=(*author.seats, *reviewer.seats))
    for actor in (author, other_seat):
        with pytest.raises(IllegalMove) as refused:
            publish_draft(actor, draft_id, version=version)
        assert refused.value.code == "second_person_publishes"
    # Who asked for the review of somebody else's change is no second person either.
    back = send_back_draft(reviewer, draft_id, version=version)
    asked = submit_draft(reviewer, draft_id, version=back.version)
    for actor in (author, reviewer):
        with pytest.raises(IllegalMove):
            publish_draft(actor, draft_id, version=asked.version)
    assert publish_draft(designer(land, "three"), draft_id, version=asked.version).number == 2


def test_an_earlier_author_publishes_neither_though_others_changed_the_draft_since(land: World):
    first, second, third = designer(land), designer(land, "two"), designer(land, "three")
    draft_id = begin_draft(first, path="hello").id
    edited(first, draft_id, "Serve", "Pour")
    edited(second, draft_id, "Pour", "Fill")
    version = edited(third, draft_id, "Fill", "Hand")
    asked = submit_draft(third, draft_id, version=version)
    for author in (first, second, third):
        assert "publish" not in path_drafts.draft(author, draft_id).draft.actions
        db.session.rollback()
        with pytest.raises(IllegalMove) as refused:
            publish_draft(author, draft_id, version=asked.version)
        assert refused.value.code == "second_person_publishes"
    told = select(Notification.user_id).where(
        Notification.subject_id == draft_id, Notification.kind == "path.submitted"
    )
    assert {first.id, second.id, third.id}.isdisjoint(db.session.scalars(told))
    db.session.rollback()
    assert publish_draft(designer(land, "four"), draft_id, version=asked.version).number == 2


def test_a_reader_of_paths_neither_drafts_nor_publishes(land: World):
    reader = land.at_desk("supervisor", "norvale")
    draft_id, version = in_review(designer(land))
    with pytest.raises(NotAllowed):
        publish_draft(reader, draft_id, version=version)
    with pytest.raises(NotAllowed):
        send_back_draft(reader, draft_id, version=version)
    with pytest.raises(NotAllowed):
        begin_draft(reader, path="hello")


def test_a_draft_with_an_error_does_not_even_get_to_a_reviewer(land: World):
    author = designer(land)
    draft = begin_draft(author, path="hello")
    version = edited(author, draft.id, 'role="case_handler"', 'role="wizard"')
    with pytest.raises(BadPath) as refused:
        submit_draft(author, draft.id, version=version)
    assert "unknown_role" in {getattr(finding, "code", "") for finding in refused.value.findings}


def test_a_scenario_that_does_not_pass_stops_publishing_and_so_does_none(land: World):
    author = designer(land)
    draft = begin_draft(author, path="hello")
    saved = save_scenario(
        author,
        draft.id,
        name="wrong",
        moves=[{"complete": "ask", "answers": {"wants_tea": False}}],
        expect="served",
        version=1,
    )
    with pytest.raises(BadPath) as refused:
        submit_draft(author, draft.id, version=saved.version)
    (finding,) = refused.value.findings
    assert (getattr(finding, "code", ""), getattr(finding, "params", {})["scenario"]) == ("scenario_fails", "wrong")
    version = saved.version
    for name in ("wrong", "tea", "no_tea"):
        version = drop_scenario(author, draft.id, name=name, version=version).version
    with pytest.raises(BadPath) as refused:
        submit_draft(author, draft.id, version=version)
    assert [getattr(finding, "code", "") for finding in refused.value.findings] == ["scenario_wanted"]


def test_a_changed_form_is_frozen_with_the_path_and_open_tasks_keep_theirs(land: World):
    author, reviewer = designer(land), designer(land, "two")
    old = paths.version(latest()[1]).forms["hello_ask"]
    content = db.session.execute(select(FormVersion.content).where(FormVersion.id == old)).scalar_one()
    db.session.rollback()
    draft = begin_draft(author, path="hello")
    changed = {**content, "title": {**content["title"], "en": "Ask kindly"}}
    saved = save_form(author, draft.id, key="hello_ask", content=changed, version=1)
    asked = submit_draft(author, draft.id, version=saved.version)
    published = publish_draft(reviewer, draft.id, version=asked.version)
    new = paths.version(published.id).forms["hello_ask"]
    assert new != old
    assert paths.form(new).title["en"] == "Ask kindly"
    assert paths.form(old).title["en"] != "Ask kindly"


def test_the_second_of_two_drafts_is_outdated_until_it_takes_the_newest_as_its_base(land: World):
    author, reviewer = designer(land), designer(land, "two")
    first, first_version = in_review(author, new="Pour")
    second, second_version = in_review(author, new="Bring")
    publish_draft(reviewer, first, version=first_version)
    with pytest.raises(Conflict) as refused:
        publish_draft(reviewer, second, version=second_version)
    assert (refused.value.code, refused.value.params) == ("draft_outdated", {"number": 2})
    assert path_drafts.draft(author, second).draft.is_outdated
    db.session.rollback()
    back = send_back_draft(author, second, version=second_version)
    based = take_newest_base(author, second, version=back.version)
    asked = submit_draft(author, second, version=based.version)
    assert publish_draft(reviewer, second, version=asked.version).number == 3


def test_going_back_to_an_older_version_is_a_draft_of_it_and_needs_a_second_person_too(land: World):
    author, reviewer = designer(land), designer(land, "two")
    _, first = latest()
    draft_id, version = in_review(author)
    publish_draft(reviewer, draft_id, version=version)
    old = begin_draft(author, from_version=first)
    asked = submit_draft(author, old.id, version=1)
    published = publish_draft(reviewer, old.id, version=asked.version)
    assert published.number == 3
    assert paths.version(published.id).diagram == paths.version(first).diagram


def test_a_version_that_others_begin_is_not_retired_and_a_retired_path_begins_no_more(land: World):
    reviewer = designer(land)
    for path in ("reintegration_case", "child_step"):
        with pytest.raises(Conflict) as refused:
            retire_version(reviewer, latest(path)[1])
        assert refused.value.code == "path_still_needed"
    _, version_id = latest("hello")
    retire_version(reviewer, version_id)
    assert paths.published("hello") is None
    with pytest.raises(IllegalMove):
        retire_version(reviewer, version_id)
    draft = begin_draft(reviewer, path="hello")
    assert path_drafts.draft(reviewer, draft.id).draft.base_version_id is None


def test_a_new_path_is_published_as_its_first_version(land: World):
    author, reviewer = designer(land), designer(land, "two")
    names = {"ar": "مسار الشاي", "ckb": "ڕێڕەوی چا", "en": "Tea path"}
    draft = begin_draft(author, key="tea_path", names=names)
    hello = paths.version(latest()[1]).diagram
    text = hello.replace('"hello"', '"tea_path"')
    saved = save_diagram(author, draft.id, diagram=text, version=1, language="en")
    assert [each.code for each in saved.findings if each.severity == "error"] == []
    kept = save_scenario(
        author,
        draft.id,
        name="no_tea",
        moves=[{"complete": "ask", "answers": {"wants_tea": False}}],
        expect="no_tea",
        version=saved.version,
    )
    asked = submit_draft(author, draft.id, version=kept.version)
    published = publish_draft(reviewer, draft.id, version=asked.version)
    assert (published.path, published.number) == ("tea_path", 1)
    assert paths.published("tea_path") == published.id


def test_of_several_reviewers_at_once_only_one_publishes(installed, land: World):
    author = designer(land)
    reviewers = [designer(land, name) for name in ("two", "three", "four")]
    draft_id, version = in_review(author)
    verbs = [partial(publish_draft, reviewer, draft_id, version=version) for reviewer in reviewers]
    answers = at_once(installed, *verbs)
    assert sum(isinstance(answer, Published) for answer in answers) == 1, answers
    assert all(isinstance(answer, Published | IllegalMove | StaleVersion) for answer in answers), answers
    assert latest()[0] == 2


def test_ten_designers_who_save_at_once_are_heard_one_by_one(installed, land: World):
    draft = begin_draft(designer(land), path="hello")
    text = path_drafts.draft(designer(land), draft.id).diagram
    db.session.rollback()
    authors = [designer(land, f"author {number}") for number in range(10)]
    verbs = [
        partial(save_diagram, author, draft.id, diagram=text.replace("Serve", f"Bring {n}"), version=1, language="en")
        for n, author in enumerate(authors)
    ]
    answers = at_once(installed, *verbs)
    assert sum(isinstance(answer, DiagramSaved) for answer in answers) == 1, answers
    assert sum(isinstance(answer, StaleVersion) for answer in answers) == 9, answers
    assert path_drafts.draft(designer(land), draft.id).draft.version == 2


def test_whoever_wrote_a_draft_does_not_publish_it_after_somebody_else_took_the_newest_base(land: World):
    author, other = designer(land), designer(land, "two")
    draft = begin_draft(author, path="hello")
    version = edited(author, draft.id, "Serve", "Pour")
    version = take_newest_base(other, draft.id, version=version).version
    version = submit_draft(other, draft.id, version=version).version
    for nobody in (author, other):
        with pytest.raises(IllegalMove) as refused:
            publish_draft(nobody, draft.id, version=version)
        assert refused.value.code == "second_person_publishes"
    assert publish_draft(designer(land, "three"), draft.id, version=version).number == 2


def test_a_save_is_repeated_when_its_answer_was_lost_on_the_way(land: World):
    author = designer(land)
    draft = begin_draft(author, path="hello")
    text = path_drafts.draft(author, draft.id).diagram.replace("Serve", "Pour")
    db.session.rollback()
    saved = [save_diagram(author, draft.id, diagram=text, version=1, language="en").version for _ in range(2)]
    assert saved == [2, 2]
    with pytest.raises(StaleVersion):
        save_diagram(designer(land, "two"), draft.id, diagram=text, version=1, language="en")
    with pytest.raises(StaleVersion):
        save_diagram(author, draft.id, diagram=text.replace("Pour", "Bring"), version=1, language="en")


def test_imports_count_into_a_designers_share(land: World):
    author = designer(land)
    with turn(author), turn(author), turn(author):
        with pytest.raises(TooMany):
            look_at_import(author, HELLO, process=None, language="en")
        with pytest.raises(TooMany):
            draft_of_import(author, diagram=HELLO.decode(), key="taken_over", names={})
    assert look_at_import(author, HELLO, process=None, language="en").key == "hello"


def test_the_system_publishes_nothing_that_it_drafted(land: World):
    draft = begin_draft(SYSTEM, path="hello")
    asked = submit_draft(SYSTEM, draft.id, version=1)
    with pytest.raises(IllegalMove):
        publish_draft(SYSTEM, draft.id, version=asked.version)


def test_one_designer_does_not_keep_everybody_elses_pages_waiting(land: World):
    author, other = designer(land), designer(land, "two")
    draft = begin_draft(author, path="hello")
    with turn(author), turn(author), turn(author):
        with pytest.raises(TooMany):
            draft_findings(author, draft.id, diagram=None, language="en")
        assert draft_findings(other, draft.id, diagram=None, language="en") is not None
    assert draft_findings(author, draft.id, diagram=None, language="en") is not None


def test_a_path_that_another_one_starts_is_used_in_its_new_version_at_once(land: World):
    author, reviewer = designer(land), designer(land, "two")
    handler = land.at_desk("case_handler", "norvale")
    draft_id, version = in_review(
        author, "child_step", 'name="A piece of work" isExecutable', 'name="One piece of work" isExecutable'
    )
    published = publish_draft(reviewer, draft_id, version=version)
    case = open_case(handler, land.person(), governorate="norvale", path="call_with_boundaries")
    runs = select(Run.path_version_id).where(Run.case_id == case.id, Run.parent_id.is_not(None))
    assert db.session.scalars(runs).all() == [published.id]


def test_what_is_written_back_as_a_pack_is_what_was_published_and_no_draft(land: World, tmp_path: File):
    author, reviewer = designer(land), designer(land, "two")
    draft_id, version = in_review(author, new="Pour")
    publish_draft(reviewer, draft_id, version=version)
    draft = begin_draft(author, path="hello")
    edited(author, draft.id, "Pour", "Spill")
    export_pack(tmp_path)
    written = (tmp_path / "paths" / "hello.bpmn").read_text("utf-8")
    assert "Pour" in written
    assert "Spill" not in written
    assert (tmp_path / "scenarios" / "hello" / "tea.json").is_file()
    assert play_pack(tmp_path).ok
