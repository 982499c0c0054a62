"""Moving the demonstration's clock moves the cases' time, and nothing that belongs to real time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nrm.actions._action import transact
from nrm.actions.housekeeping import forget_old_sessions
from nrm.actions.sign_in import actor_for_session, sign_in
from nrm.actors import SYSTEM
from nrm.clock import MovableClock
from nrm.errors import NotSignedIn
from nrm.installation import install
from tests.installations import Installed
from tests.seats import PASSWORD, seated


@pytest.fixture
def moving(installed: Installed) -> MovableClock:
    clock = MovableClock(installed.config.data_dir / "demo-clock")
    install(installed.config, clock)
    return clock


def test_whoever_is_signed_in_stays_so_when_months_pass_in_a_second(moving):
    seated("anna", "case_handler", desk="moh_case_handler_norvale")
    _, secret = sign_in("anna", PASSWORD)
    moving.move(timedelta(days=200))
    transact(SYSTEM, forget_old_sessions)
    assert actor_for_session(secret).actor.seats


def test_failed_sign_ins_still_count_when_months_pass_in_a_second(moving):
    seated("anna", "case_handler", desk="moh_case_handler_norvale")
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            sign_in("anna", "not the pass phrase")
    moving.move(timedelta(days=200))
    transact(SYSTEM, forget_old_sessions)
    with pytest.raises(Exception, match="too_many"):
        sign_in("anna", PASSWORD)
