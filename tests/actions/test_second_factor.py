"""The second factor: set up, asked for, lost and found again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from nrm.actions.second_factor import renew_recovery_codes, set_second_factor
from nrm.actions.sign_in import actor_for_session, sign_in
from nrm.actions.users import reset_second_factor
from nrm.actors import SYSTEM
from nrm.credentials import new_otp_secret
from nrm.db import db
from nrm.errors import AlreadyDone, NotAllowed, NotFound, NotSignedIn, NotValid, TooMany
from nrm.models import Event, RecoveryCode, User
from nrm.queries.users import recovery_codes_left
from tests.seats import PASSWORD, seated

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.fixture
def handler(installed):
    return seated("sara", "case_handler", desk="moh_case_handler_norvale")


@pytest.fixture
def phone(installed, handler):
    """The handler's phone; what she wrote on paper is in `papers`."""
    one = Phone(installed.clock)
    one.papers = set_second_factor(handler, secret=one.secret, code=one.code())
    installed.clock.move(timedelta(minutes=1))
    return one


class Phone:
    def __init__(self, clock):
        self.clock, self.secret, self.papers = clock, new_otp_secret(), ()

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now())


def test_a_code_is_asked_for_and_works_once(installed, handler, phone):
    with pytest.raises(NotSignedIn) as caught:
        sign_in("sara", PASSWORD)
    assert caught.value.code == "otp_required"
    _, session = sign_in("sara", PASSWORD, otp=phone.code())
    found = actor_for_session(session)
    assert (found.second_factor_at, found.has_second_factor) == (installed.clock.now(), True)
    with pytest.raises(NotSignedIn) as caught:
        sign_in("sara", PASSWORD, otp=phone.code())
    assert caught.value.code == "wrong_otp"


def test_a_code_may_be_typed_in_arabic_digits_and_with_a_space(phone):
    code = phone.code().translate(ARABIC)
    sign_in("sara", PASSWORD, otp=f"{code[:3]} {code[3:]}")


@pytest.mark.parametrize("secret", [None, "", "not base 32", "A" * 31])
def test_a_code_that_does_not_fit_sets_nothing_up(handler, secret):
    with pytest.raises(NotValid) as caught:
        set_second_factor(handler, secret=new_otp_secret() if secret is None else secret, code="000000")
    assert caught.value.problems[0].pointer == "/code"
    sign_in("sara", PASSWORD)


def test_a_handler_without_her_phone_signs_in_with_a_recovery_code_once(handler, phone):
    first, *others = phone.papers
    assert len({first, *others}) == 10
    sign_in("sara", PASSWORD, otp=first.upper().replace("-", " "))
    assert recovery_codes_left(handler) == 9
    with pytest.raises(NotSignedIn):
        sign_in("sara", PASSWORD, otp=first)
    sign_in("sara", PASSWORD, otp=others[0])


def test_one_recovery_code_lets_nobody_in_twice_at_the_same_moment(installed, phone):
    def enter(_):
        with installed.app.app_context():
            try:
                return sign_in("sara", PASSWORD, otp=phone.papers[0])[0].id
            except (NotSignedIn, TooMany) as error:
                return type(error)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(enter, range(4)))
    assert sum(isinstance(answer, str) for answer in answers) == 1


def test_recovery_codes_belong_to_one_person(phone):
    colleague = seated("omar", "case_handler", desk="moh_case_handler_norvale")
    theirs = Phone(phone.clock)
    set_second_factor(colleague, secret=theirs.secret, code=theirs.code())
    with pytest.raises(NotSignedIn):
        sign_in("omar", PASSWORD, otp=phone.papers[0])


def test_fresh_recovery_codes_take_the_password_and_end_the_old_ones(handler, phone):
    with pytest.raises(NotValid):
        renew_recovery_codes(handler, password="not this one")
    fresh = renew_recovery_codes(handler, password=PASSWORD)
    with pytest.raises(NotSignedIn):
        sign_in("sara", PASSWORD, otp=phone.papers[0])
    sign_in("sara", PASSWORD, otp=fresh[0])


def test_there_is_nothing_to_recover_without_a_second_factor(handler):
    with pytest.raises(NotFound):
        renew_recovery_codes(handler, password=PASSWORD)


def test_another_phone_takes_the_password_and_ends_the_other_sessions(handler, phone):
    _, elsewhere = sign_in("sara", PASSWORD, otp=phone.code())
    other = Phone(phone.clock)
    with pytest.raises(NotValid) as caught:
        set_second_factor(handler, secret=other.secret, code=other.code())
    assert caught.value.problems[0].pointer == "/password"
    set_second_factor(handler, secret=other.secret, code=other.code(), password=PASSWORD)
    with pytest.raises(NotSignedIn):
        actor_for_session(elsewhere)
    phone.clock.move(timedelta(minutes=1))
    with pytest.raises(NotSignedIn):
        sign_in("sara", PASSWORD, otp=phone.code())
    sign_in("sara", PASSWORD, otp=other.code())


def test_guessing_codes_gets_slower_too(handler):
    for _ in range(5):
        with pytest.raises(NotValid):
            set_second_factor(handler, secret=new_otp_secret(), code="000000")
    with pytest.raises(TooMany):
        set_second_factor(handler, secret=new_otp_secret(), code="000000")


def test_who_lost_phone_and_paper_is_helped_by_an_administrator_of_the_own_organisation(handler, phone):
    _, session = sign_in("sara", PASSWORD, otp=phone.code())
    elsewhere = seated("boss", "supervisor", desk="moh_case_handler_norvale")
    ours = seated("admin1", "administrator", organisation="moh")
    for actor in (handler, elsewhere):
        with pytest.raises(NotAllowed):
            reset_second_factor(actor, handler.id)
    reset_second_factor(ours, handler.id)
    with pytest.raises(NotSignedIn):
        actor_for_session(session)
    sign_in("sara", PASSWORD)
    with pytest.raises(AlreadyDone):
        reset_second_factor(SYSTEM, handler.id)


def test_neither_secret_nor_codes_are_stored_readable_or_told_in_events(handler, phone):
    stored = str(db.session.scalars(select(RecoveryCode.code_sha256)).all())
    told = str(db.session.scalars(select(Event.data).where(Event.stream == handler.id)).all())
    for code in phone.papers:
        assert code not in stored + told
        assert code.replace("-", "") not in stored
    assert phone.secret not in told
    assert db.session.scalar(select(User.otp_secret).where(User.id == handler.id)) is not None
