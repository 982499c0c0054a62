"""A code of the second factor in the middle of a session."""

from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from nrm.actions.second_factor import set_second_factor
from nrm.actions.sign_in import actor_for_session, sign_in
from nrm.actions.step_up import step_up
from nrm.actions.users import add_user
from nrm.actors import SYSTEM
from nrm.credentials import new_otp_secret
from nrm.db import db
from nrm.errors import NotAllowed, NotSignedIn, NotValid, TooMany
from nrm.installation import install
from nrm.models import Event, User
from nrm.rules.step_up import STEP_UP_FOR, STEP_UP_LASTS, is_fresh, require_proof
from tests.seats import PASSWORD, seated


@pytest.fixture
def boss(installed):
    """An administrator with a phone, as a session sees her."""
    actor = seated("boss", "administrator", organisation="moh")
    return Boss(installed.clock, actor)


class Boss:
    def __init__(self, clock, actor):
        self.clock, self.actor, self.secret = clock, actor, new_otp_secret()
        self.papers = set_second_factor(actor, secret=self.secret, code=self.code())
        self.later(minutes=1)

    def later(self, **time) -> None:
        self.clock.move(timedelta(**time))

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now())

    def signed_in(self) -> str:
        _, session = sign_in("boss", PASSWORD, otp=self.code())
        return session


def add(actor, login: str):
    return add_user(actor, login=login, name="Invented One", password=PASSWORD, language="en")


def test_signing_in_with_a_code_counts_for_ten_minutes_and_then_a_new_one_is_asked_for(boss):
    session = boss.signed_in()
    boss.later(minutes=10)
    add(actor_for_session(session).actor, "first.one")
    boss.later(seconds=1)
    with pytest.raises(NotAllowed) as caught:
        add(actor_for_session(session).actor, "second.one")
    assert caught.value.code == "step_up_needed"
    assert db.session.scalar(select(User.id).where(User.login == "second.one")) is None

    fresh = step_up(boss.actor, secret=session, code=boss.code())
    add(actor_for_session(fresh).actor, "second.one")
    with pytest.raises(NotSignedIn):
        actor_for_session(session)


def test_a_code_that_was_used_counts_no_more(boss):
    session = boss.signed_in()
    boss.later(minutes=11)
    code = boss.code()
    fresh = step_up(boss.actor, secret=session, code=code)
    with pytest.raises(NotValid) as caught:
        step_up(boss.actor, secret=fresh, code=code)
    assert [problem.code for problem in caught.value.problems] == ["wrong_otp"]
    assert actor_for_session(fresh).actor.proven


def test_the_code_of_one_session_opens_no_other_one(boss):
    first = boss.signed_in()
    boss.later(minutes=1)
    second = boss.signed_in()
    boss.later(minutes=11)
    step_up(boss.actor, secret=first, code=boss.code())
    assert not actor_for_session(second).actor.proven


def test_somebody_elses_session_is_not_opened_by_ones_own_code(boss):
    seated("sara", "case_handler", desk="moh_case_handler_norvale")
    _, theirs = sign_in("sara", PASSWORD)
    with pytest.raises(NotSignedIn):
        step_up(boss.actor, secret=theirs, code=boss.code())


def test_a_recovery_code_stands_in_once(boss):
    session = boss.signed_in()
    boss.later(minutes=11)
    fresh = step_up(boss.actor, secret=session, code=boss.papers[0])
    assert actor_for_session(fresh).actor.proven
    with pytest.raises(NotValid):
        step_up(boss.actor, secret=fresh, code=boss.papers[0])


def test_who_guesses_codes_has_to_wait(boss):
    session = boss.signed_in()
    with pytest.raises(TooMany):
        for _ in range(7):
            with pytest.raises(NotValid):
                step_up(boss.actor, secret=session, code="000000")
    with pytest.raises(TooMany):
        step_up(boss.actor, secret=session, code=boss.code())


def test_it_is_recorded_without_the_code(boss):
    session = boss.signed_in()
    boss.later(minutes=1)
    step_up(boss.actor, secret=session, code=boss.code())
    event = db.session.execute(select(Event).where(Event.kind == "user.proved")).scalar_one()
    assert sorted(event.data) == ["session", "until"]


def test_a_demonstration_on_its_own_machine_asks_for_nothing(installed):
    install(replace(installed.config, cookie_secure=False), installed.clock)
    seated("boss", "administrator", organisation="moh")
    _, session = sign_in("boss", PASSWORD)
    add(actor_for_session(session).actor, "second.one")


def test_the_system_needs_no_code():
    for permission in STEP_UP_FOR:
        require_proof(SYSTEM, permission)


def test_a_code_of_ten_minutes_ago_is_fresh_and_an_older_one_or_none_is_not(installed):
    now = installed.clock.now()
    assert is_fresh(now - STEP_UP_LASTS, now)
    assert not is_fresh(now - STEP_UP_LASTS - timedelta(seconds=1), now)
    assert not is_fresh(None, now)
