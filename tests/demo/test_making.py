"""The demonstration shows a case in every stage, is made once, and agrees with itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from nrm.actions.sign_in import sign_in
from nrm.actions.users import add_user
from nrm.actors import SYSTEM
from nrm.db import db
from nrm.demo.making import NotForDemo, make_demo
from nrm.demo.stories import BadStory, filled, flat, merged, read_demo
from nrm.installation import installation
from nrm.models import Case, Event, Incident, Person, PersonToken, Referral, Task, User
from nrm.queries.verify import verify_all
from nrm.sealing import unseal
from tests.demo.conftest import PACK, Shown
from tests.installations import Installed


def count(model):
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def steps_open():
    return set(db.session.scalars(select(Task.step).where(Task.status == "open")))


def test_making_it_twice_changes_nothing(shown: Shown):
    before = {model: count(model) for model in (User, Person, Case, Event)}
    again = make_demo(shown.demo)
    assert (again.users, again.stories) == (0, ())
    assert {model: count(model) for model in (User, Person, Case, Event)} == before


def test_every_story_becomes_a_case(shown: Shown):
    assert len(shown.made.stories) == len(shown.demo.stories) == count(Case) >= 20


def test_a_newcomer_finds_a_case_in_every_stage(shown: Shown):
    waiting_for_people = {
        "prepare_arrival", "verify_no_show", "reception", "intake", "compare", "information_only", "skills",
        "needs_family", "plan", "approve_plan", "prepare", "confirm", "contact", "protect",
    }  # fmt: skip
    assert waiting_for_people <= steps_open()
    states = set(db.session.scalars(select(Referral.state)))
    assert {"sent", "info_requested", "in_progress", "declined", "completed"} <= states
    assert set(db.session.scalars(select(Case.level))) == {"standard", "strict"}
    assert set(db.session.scalars(select(Case.jurisdiction))) == {"federal", "kurdistan"}
    assert "closed" in set(db.session.scalars(select(Case.status)))
    assert db.session.scalars(select(Incident.code)).all() == ["referral_not_valid"]
    assert db.session.scalars(select(Task.id).where(Task.status == "on_hold")).first()


def test_somebody_is_late_and_others_were_told(shown: Shown):
    now = installation().clock.now()
    late = db.session.scalars(select(Task).where(Task.status == "open", Task.due_at < now)).all()
    assert any(task.escalation > 0 and task.reminded_at for task in late)
    unanswered = db.session.scalars(select(Referral).where(Referral.state == "sent")).all()
    assert any(referral.escalation >= 3 for referral in unanswered), "nobody above the provider was told"


def test_the_stories_end_today_and_lie_in_the_past(shown: Shown):
    now = datetime.now(UTC)
    moments = db.session.scalars(select(Event.at)).all()
    assert max(moments) <= now
    assert min(moments) < now - timedelta(days=100)


def test_the_records_agree_with_each_other(shown: Shown):
    assert list(verify_all()) == []


def test_every_user_of_the_demonstration_can_sign_in(shown: Shown):
    for user in shown.demo.users:
        actor, _ = sign_in(user.login, shown.demo.password)
        assert actor.seats, user.login


def test_everybody_is_called_an_example(shown: Shown):
    rows = db.session.execute(select(Person.id, Person.identity)).all()
    surnames = {unseal(identity, row=row, column="people.identity")["names"]["surname"] for row, identity in rows}
    assert surnames == {"المثال", "نموونە"}
    assert count(PersonToken) > 0


def test_nothing_is_made_where_people_work_already(installed: Installed):
    add_user(SYSTEM, login="real.person", name="Real Person", password="a long pass phrase")
    with pytest.raises(NotForDemo):
        make_demo(read_demo(PACK))
    assert count(Case) == 0


def test_marks_are_filled_wherever_they_stand():
    known = {("day", "-1"): "2026-03-01", ("person", "latin"): None}
    answers = {"on": "$day:-1", "papers": [{"name": "$person:latin", "kind": "none"}], "plain": None}
    assert filled(answers, lambda kind, name: known[kind, name]) == {
        "on": "2026-03-01",
        "papers": [{"kind": "none"}],
        "plain": None,
    }


def test_a_story_takes_usual_answers_away_with_null():
    assert merged({"a": 1, "b": 2}, {"b": None, "c": 3}) == {"a": 1, "c": 3}


def test_chapters_stand_in_the_place_of_their_names():
    chapters = {"early": [{"wait": "P1D"}], "later": [{"do": "early"}, {"task": "plan"}]}
    assert flat([{"do": "later"}], chapters) == [{"wait": "P1D"}, {"task": "plan"}]


@pytest.mark.parametrize("chapters", [{}, {"round": [{"do": "round"}]}])
def test_a_chapter_that_is_missing_or_contains_itself_is_named(chapters):
    with pytest.raises(BadStory, match="chapter"):
        flat([{"do": "round"}], chapters)


def test_files_that_are_not_json_are_named(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "users.json").write_text("{")
    with pytest.raises(BadStory, match=r"users\.json: line 1"):
        read_demo(tmp_path)


def test_stories_are_named_once():
    keys = [case["key"] for case in json.loads((PACK / "demo" / "cases.json").read_text())["cases"]]
    assert len(keys) == len(set(keys))
