"""The telephone: a call is written down, and what a provider without a screen answered takes effect with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions.referral_calls import BY_TELEPHONE, record_call
from nrm.actions.referral_changes import Given
from nrm.errors import IllegalMove, NotFound, NotValid, StaleVersion
from nrm.models import Delivery, Notification
from nrm.queries import referrals as queries
from nrm.rules.statuses import REFERRAL_VERBS
from tests.actions.test_referrals import Loop
from tests.world import World


@pytest.fixture
def mailed(land: World) -> Loop:
    """A provider that has a mailbox and a telephone only."""
    loop = Loop(land, service="papers_help")
    loop.consent()
    return loop


def call(loop: Loop, referral_id: str, actor=None, **more):
    asked = {
        "called_at": loop.land.clock.now() - timedelta(minutes=5),
        "spoke_with": "the person at the desk",
        "said": "they will look for the file",
        "given": Given(),
        "version": loop.now(referral_id).version,
        **more,
    }
    return record_call(actor or loop.handler, referral_id, **asked)


def test_a_call_without_an_answer_is_kept_for_both_sides_to_read(mailed: Loop):
    sent = mailed.send(categories=["contact", "age"])
    view = call(mailed, sent.id)
    assert (view.state, view.version) == ("sent", sent.version + 1)
    (note,) = queries.messages(mailed.handler, mailed.land.clock.now(), sent.id, after=None, limit=10).items
    assert (note.kind, note.text) == ("call", "the person at the desk: they will look for the file")
    assert mailed.events(sent.id)[-1] == "referral.called"


def test_what_was_answered_on_the_telephone_takes_effect_with_the_call(mailed: Loop):
    sent = mailed.send(categories=["contact", "age"])
    assert call(mailed, sent.id, answer="accept").state == "accepted"
    ended = call(mailed, sent.id, answer="complete", given=Given(outcome="provided"))
    assert (ended.state, ended.outcome.code) == ("completed", "provided")


def test_a_refused_answer_leaves_no_trace_of_the_call(mailed: Loop):
    sent = mailed.send(categories=["contact", "age"])
    with pytest.raises(NotValid):
        call(mailed, sent.id, answer="decline")
    assert queries.messages(mailed.handler, mailed.land.clock.now(), sent.id, after=None, limit=10).items == ()
    assert "referral.called" not in mailed.events(sent.id)


def test_an_organisation_with_a_screen_answers_there(land: World):
    loop = Loop(land)
    loop.consent()
    sent = loop.send()
    assert call(loop, sent.id).state == "sent"
    with pytest.raises(IllegalMove):
        call(loop, sent.id, answer="accept")


def test_calls_of_the_future_of_long_ago_and_of_strangers_are_refused(mailed: Loop):
    sent = mailed.send(categories=["contact", "age"])
    now = mailed.land.clock.now()
    for moment in (now + timedelta(minutes=1), now - timedelta(days=8)):
        with pytest.raises(NotValid):
            call(mailed, sent.id, called_at=moment)
    with pytest.raises(NotFound):
        call(mailed, sent.id, actor=mailed.land.at_desk("case_handler", "hillin"))
    with pytest.raises(StaleVersion):
        call(mailed, sent.id, version=99)


def test_silence_after_acceptance_reaches_the_providers_own_people_and_its_mailbox(mailed: Loop):
    """First contact is late: the mailbox is reminded, then focal point and manager, then the sender's side."""
    sent = mailed.send(categories=["contact", "age"])
    mailed.do(mailed.handler, "accept", sent.id)
    before = len(mailed.land.session.execute(select(Delivery.id)).all())
    done = mailed.run_clock(sent.id, days=60)
    assert done[0] == "reminded"
    assert done.count("escalated") >= 3
    kinds = mailed.events(sent.id)
    assert kinds.index("referral.due_soon") < kinds.index("referral.overdue")
    templates = [row for (row,) in mailed.land.session.execute(select(Delivery.template).order_by(Delivery.created_at))]
    assert templates[before:].count("referral_due_soon") == 1
    assert templates[before:].count("referral_overdue") == 2, "once for the focal point, once for the manager"
    told = select(Notification.desk_id).where(Notification.kind == "referral.overdue")
    desks = set(mailed.land.session.execute(told).scalars())
    for role in ("provider_focal_point", "provider_manager"):
        assert mailed.land.receiver(mailed.service.organisation_id, role).desks[0] in desks
    assert mailed.land.at_desk("national_unit", "norvale").desks[0] in desks
    assert mailed.now(sent.id).state in {"accepted", "not_completed"}


def test_the_doors_verbs_are_verbs_of_the_referral():
    assert set(BY_TELEPHONE) <= set(REFERRAL_VERBS)
