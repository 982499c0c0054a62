"""Signing in and staying in, and what those meet who guess."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions.seats import end_membership
from nrm.actions.sign_in import (
    actor_for_session,
    change_password,
    end_all_sessions,
    end_session,
    rotate_session,
    sign_in,
    sign_out,
)
from nrm.actions.users import disable_user, set_password
from nrm.actors import SYSTEM
from nrm.credentials import secret_hash
from nrm.db import db
from nrm.errors import NotAllowed, NotFound, NotSignedIn, NotValid, TooMany
from nrm.models import Event, Membership, Session, SignInFailure
from nrm.queries.users import my_sessions
from tests.seats import PASSWORD, seated


@pytest.fixture
def handler(installed):
    return seated("sara", "case_handler", desk="moh_case_handler_norvale")


def test_a_handler_signs_in_and_sits_at_her_desk(installed, handler):
    actor, secret = sign_in("  SARA ", PASSWORD, address="192.0.2.7", device="Firefox")
    assert actor == handler
    assert actor.may("task.work")
    assert actor_for_session(secret).actor == actor
    (session,) = my_sessions(actor, installed.clock.now())
    assert session.device == "Firefox"
    stored = db.session.scalar(select(Session.token_sha256))
    assert stored == secret_hash(secret)
    assert secret not in stored


def test_the_actor_of_a_session_is_found_in_one_statement(installed, handler, query_counter):
    _, secret = sign_in("sara", PASSWORD)
    actor_for_session(secret)
    with query_counter() as count:
        assert actor_for_session(secret).actor == handler
    assert count() == 1


@pytest.mark.parametrize(("login", "password"), [("sara", "wrong"), ("nobody", PASSWORD), ("", ""), ("sa\0ra", "x")])
def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(installed, handler, login, password):
    with pytest.raises(NotSignedIn) as caught:
        sign_in(login, password)
    assert caught.value.code == "wrong_sign_in"
    assert db.session.scalar(select(SignInFailure.failures)) == 1
    assert db.session.scalar(select(SignInFailure.subject)).startswith("account:")


def test_guessing_at_an_account_gets_slower_and_ends_with_the_right_password(installed, handler):
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            sign_in("sara", "wrong guess")
    with pytest.raises(TooMany) as caught:
        sign_in("sara", PASSWORD)
    assert 30 <= caught.value.retry_after <= 33
    installed.clock.move(timedelta(seconds=33))
    with pytest.raises(NotSignedIn):
        sign_in("sara", "wrong guess")
    with pytest.raises(TooMany) as caught:
        sign_in("sara", PASSWORD)
    assert caught.value.retry_after > 60
    installed.clock.move(timedelta(minutes=15))
    sign_in("sara", PASSWORD)
    for _ in range(4):
        with pytest.raises(NotSignedIn):
            sign_in("sara", "wrong guess")
    sign_in("sara", PASSWORD)


def test_nobody_waits_longer_than_a_quarter_of_an_hour(installed, handler):
    for _ in range(20):
        with pytest.raises((NotSignedIn, TooMany)):
            sign_in("sara", "wrong guess")
        installed.clock.move(timedelta(minutes=15, seconds=1))
    sign_in("sara", PASSWORD)


def test_an_unknown_login_is_slowed_down_too(installed):
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            sign_in("nobody", "guess")
    with pytest.raises(TooMany):
        sign_in("nobody", "guess")


def test_an_address_that_tries_many_accounts_has_to_wait(installed, handler):
    for number in range(50):
        with pytest.raises(NotSignedIn):
            sign_in(f"user{number}", "guess", address="192.0.2.9")
    with pytest.raises(TooMany):
        sign_in("sara", PASSWORD, address="192.0.2.9")
    sign_in("sara", PASSWORD, address="192.0.2.10")
    installed.clock.move(timedelta(hours=1))
    sign_in("sara", PASSWORD, address="192.0.2.9")


def test_guesses_at_the_same_moment_are_all_counted(installed, handler):
    def guess(_):
        with installed.app.app_context():
            try:
                sign_in("sara", "wrong guess")
            except (NotSignedIn, TooMany) as error:
                return type(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(16)))
    assert answers.count(NotSignedIn) == 5
    assert answers.count(TooMany) == 11


def test_a_session_ends_when_nobody_uses_it_and_after_a_working_day(installed, handler):
    _, secret = sign_in("sara", PASSWORD)
    installed.clock.move(timedelta(minutes=29))
    actor_for_session(secret)
    installed.clock.move(timedelta(minutes=29))
    actor_for_session(secret)
    installed.clock.move(timedelta(minutes=31))
    with pytest.raises(NotSignedIn):
        actor_for_session(secret)
    _, secret = sign_in("sara", PASSWORD)
    for _ in range(24):
        installed.clock.move(timedelta(minutes=25))
        alive = True
        try:
            actor_for_session(secret)
        except NotSignedIn:
            alive = False
    assert not alive


def test_a_session_is_written_at_most_once_a_minute(installed, handler, query_counter):
    _, secret = sign_in("sara", PASSWORD)
    installed.clock.move(timedelta(seconds=59))
    with query_counter() as count:
        actor_for_session(secret)
    assert count() == 1
    installed.clock.move(timedelta(seconds=1))
    with query_counter() as count:
        actor_for_session(secret)
        actor_for_session(secret)
    assert count() == 3


def test_signing_out_ends_this_session_only(installed, handler):
    actor, first = sign_in("sara", PASSWORD)
    _, second = sign_in("sara", PASSWORD)
    sign_out(actor, first)
    sign_out(actor, first)
    with pytest.raises(NotSignedIn):
        actor_for_session(first)
    assert actor_for_session(second).actor == actor


def test_all_other_sessions_can_be_ended_and_nobody_elses(installed, handler):
    other, theirs = seated("omar", "case_handler", desk="moh_case_handler_norvale"), sign_in("omar", PASSWORD)[1]
    actor, first = sign_in("sara", PASSWORD)
    _, second = sign_in("sara", PASSWORD)
    keep = actor_for_session(second).session_id
    assert end_all_sessions(actor, but=keep) == 1
    with pytest.raises(NotSignedIn):
        actor_for_session(first)
    with pytest.raises(NotFound):
        end_session(actor, actor_for_session(theirs).session_id)
    assert actor_for_session(theirs).actor == other


def test_a_rotated_secret_replaces_the_old_one(installed, handler):
    actor, old = sign_in("sara", PASSWORD)
    new = rotate_session(old)
    assert actor_for_session(new).actor == actor
    with pytest.raises(NotSignedIn):
        actor_for_session(old)
    with pytest.raises(NotSignedIn):
        rotate_session(old)


def test_a_disabled_user_is_out_at_once(installed, handler):
    _, secret = sign_in("sara", PASSWORD)
    disable_user(SYSTEM, handler.id)
    with pytest.raises(NotSignedIn):
        actor_for_session(secret)
    with pytest.raises(NotSignedIn):
        sign_in("sara", PASSWORD)


def test_a_seat_that_ends_counts_at_the_next_request(installed, handler):
    _, secret = sign_in("sara", PASSWORD)
    end_membership(SYSTEM, db.session.scalar(select(Membership.id).where(Membership.user_id == handler.id)))
    assert actor_for_session(secret).actor.seats == ()


def test_a_new_password_ends_the_other_sessions(installed, handler):
    actor, first = sign_in("sara", PASSWORD)
    _, second = sign_in("sara", PASSWORD)
    keep = actor_for_session(second).session_id
    with pytest.raises(NotValid) as caught:
        change_password(actor, current="wrong", new="eight yellow lamps", session_id=keep)
    assert caught.value.problems[0].pointer == "/current"
    change_password(actor, current=PASSWORD, new="eight yellow lamps", session_id=keep)
    actor_for_session(second)
    with pytest.raises(NotSignedIn):
        actor_for_session(first)
    sign_in("sara", "eight yellow lamps")


def test_an_administrator_sets_a_password_and_a_handler_may_not(installed, handler):
    with pytest.raises(NotAllowed):
        set_password(handler, handler.id, "eight yellow lamps")
    admin = seated("admin1", "administrator", organisation="moh")
    set_password(admin, handler.id, "eight yellow lamps")
    sign_in("sara", "eight yellow lamps")


@pytest.mark.parametrize("password", ["short", "password1234", "aaaaaaaaaaaaaaa", "sara is my name", "x" * 200, ""])
def test_a_weak_password_is_refused(installed, handler, password):
    with pytest.raises(NotValid):
        set_password(SYSTEM, handler.id, password)


def test_what_happened_to_a_user_is_recorded_without_names(installed, handler):
    sign_in("sara", PASSWORD)
    events = db.session.execute(select(Event.kind, Event.data).where(Event.stream == handler.id).order_by(Event.seq))
    kinds = [kind for kind, _ in events]
    assert kinds == ["user.added", "user.signed_in"]
    assert "sara" not in str(db.session.scalars(select(Event.data)).all())
