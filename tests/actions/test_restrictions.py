"""Consent is withdrawn: sight ends at once, the holder is told, asked to confirm, and chased until it has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.actions import consents, overrides, restrictions
from nrm.actors import SYSTEM, Actor
from nrm.errors import IllegalMove, NotAllowed, NotFound
from nrm.models import Delivery, Disclosure, Job, Notification, Organisation, Restriction
from nrm.queries import disclosures
from nrm.queries import referrals as queries
from tests.actions.test_referrals import Loop
from tests.world import World


@pytest.fixture
def loop(land: World) -> Loop:
    return Loop(land)


def _with_ledger(actor: Actor) -> Actor:
    """Give the same person with the right to read ledgers."""
    return replace(
        actor, seats=tuple(replace(seat, permissions=seat.permissions | {"disclosure.read"}) for seat in actor.seats)
    )


def served_and_withdrawn(loop: Loop) -> str:
    """A service was given to its end; only then the returnee withdraws the consent."""
    consent = loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "accept", sent.id)
    loop.do(loop.provider, "complete", sent.id, outcome="provided")
    assert queries.referral(loop.provider, loop.land.clock.now(), sent.id).subject.names is not None
    consents.withdraw_consent(loop.handler, consent)
    loop.land.session.close()
    return sent.id


def request(loop: Loop) -> Restriction:
    loop.land.session.close()
    return loop.land.session.execute(select(Restriction)).scalar_one()


def chase(loop: Loop) -> int:
    """Let the clock run as long as it asks to; gives how often it went off."""
    times = 0
    while True:
        loop.land.session.close()
        due = loop.land.session.execute(select(Job.due_at).where(Job.kind == "restriction_clock")).scalar_one_or_none()
        if due is None:
            return times
        loop.land.clock.at = max(due, loop.land.clock.now())
        restrictions.chase_restriction(SYSTEM, request(loop).id)
        times += 1
        assert times < 20


def test_after_the_withdrawal_the_receiver_reads_nothing_more_even_of_a_referral_that_was_served(loop: Loop):
    referral_id = served_and_withdrawn(loop)
    now = loop.land.clock.now()
    view = queries.referral(loop.provider, now, referral_id)
    assert (view.relation, view.reason, view.subject.names) == ("none", None, None)
    assert queries.messages(loop.provider, now, referral_id, after=None, limit=50).items == ()
    (listed,) = queries.referrals(loop.provider, now, came_in=True, only=queries.ReferralFilter()).items
    assert listed.subject.names is None
    assert view.restriction is not None
    assert view.restriction.due_at == now + timedelta(days=7)
    assert view.restriction.confirmed_at is None


def test_the_holder_confirms_once_and_every_line_of_the_ledger_says_so(loop: Loop):
    referral_id = served_and_withdrawn(loop)
    told = select(Notification.kind).where(Notification.subject_kind == "restriction")
    assert set(loop.land.session.execute(told).scalars()) == {"disclosure.restricted"}
    restrictions.confirm_of_referral(loop.provider, referral_id)
    loop.land.session.close()
    line = loop.land.session.execute(select(Disclosure)).scalar_one()
    assert line.restricted_at is not None
    assert line.restriction_confirmed_at == loop.land.clock.now()
    assert request(loop).confirmed_by == loop.provider.id
    with pytest.raises(IllegalMove):
        restrictions.confirm_of_referral(loop.provider, referral_id)
    assert chase(loop) == 0
    kinds = loop.events(referral_id)
    assert kinds.count("disclosure.restriction_confirmed") == 1


def test_who_does_not_confirm_is_reminded_and_then_the_country_hears_of_it(loop: Loop):
    referral_id = served_and_withdrawn(loop)
    assert chase(loop) == 5
    kinds = loop.events(referral_id)
    assert kinds.count("disclosure.unconfirmed") == 4, "the first reminder comes before it is late"
    desks = select(Notification.desk_id).where(Notification.kind == "disclosure.unconfirmed")
    told = set(loop.land.session.execute(desks).scalars())
    national = loop.land.at_desk("national_unit", "norvale").desks[0]
    manager = loop.land.receiver(loop.service.organisation_id, "provider_manager").desks[0]
    focal = loop.land.receiver(loop.service.organisation_id, "provider_focal_point").desks[0]
    assert {national, manager, focal, loop.handler.desks[0]} <= told
    waiting = disclosures.restrictions(loop.provider, loop.land.clock.now(), only_open=True).items
    assert [row.referral_id for row in waiting] == [referral_id], "it stays in the list until it is confirmed"


def test_an_office_without_a_screen_gets_mail_and_the_clerk_records_its_word(land: World):
    loop = Loop(land, service="papers_help")
    consent = loop.consent()
    sent = loop.send(categories=["contact", "age"])
    consents.withdraw_consent(loop.handler, consent)
    loop.land.session.close()
    templates = list(land.session.execute(select(Delivery.template)).scalars())
    assert templates.count("data_restrict") == 1
    stranger = land.at_desk("case_handler", "hillin")
    with pytest.raises(NotFound):
        restrictions.confirm_of_referral(stranger, sent.id)
    restrictions.confirm_of_referral(loop.handler, sent.id)
    assert request(loop).confirmed_by == loop.handler.id


def test_the_sender_does_not_confirm_for_an_organisation_that_has_a_screen(loop: Loop):
    referral_id = served_and_withdrawn(loop)
    with pytest.raises(NotAllowed) as refused:
        restrictions.confirm_of_referral(loop.handler, referral_id)
    assert refused.value.code == "organisation_confirms_itself"
    with pytest.raises(NotFound):
        restrictions.confirm_restriction(loop.land.receiver_of("open_door"), request(loop).id)


def test_withdrawing_for_one_organisation_asks_that_one_only(loop: Loop):
    consent = loop.consent()
    sent = loop.send()
    other = loop.land.session.execute(select(Organisation.id).where(Organisation.code == "open_door")).scalar_one()
    consents.withdraw_consent(loop.handler, consent, scope=[other])
    loop.land.session.close()
    assert loop.land.session.execute(select(Restriction)).all() == []
    assert loop.now(sent.id).state == "sent"


def test_the_ledger_of_a_person_names_fields_organisations_and_grounds(loop: Loop):
    consent = loop.consent()
    sent = loop.send(categories=["age", "work"])
    person = loop.now(sent.id).person_id
    officer = loop.land.at_desk("national_unit", "norvale")
    (line,) = disclosures.of_person(officer, loop.land.clock.now(), person).items
    assert (line.referral_id, line.consent_id, line.ground) == (sent.id, consent, "consent")
    assert line.fields == ("age", "education", "occupation", "sex", "skills")
    assert set(line.organisation_names) == {"ar", "ckb", "en"}
    with pytest.raises(NotAllowed):
        disclosures.of_person(loop.handler, loop.land.clock.now(), person)
    with pytest.raises(NotFound):
        disclosures.of_person(officer, loop.land.clock.now(), "per_" + "0" * 26)


def test_a_strict_cases_lines_are_only_in_the_ledger_of_those_who_know_of_it(loop: Loop):
    loop.consent()
    sent = loop.send()
    person = loop.now(sent.id).person_id
    from nrm.actions.cases import set_level

    supervisor = loop.land.at_desk("supervisor", "norvale")
    set_level(supervisor, loop.case.id, level="strict", version=None)
    officer = loop.land.at_desk("national_unit", "norvale")
    assert disclosures.of_person(officer, loop.land.clock.now(), person).items == ()
    assert len(disclosures.of_person(_with_ledger(supervisor), loop.land.clock.now(), person).items) == 1


def test_those_who_may_approve_hear_of_a_disclosure_without_consent_and_the_asker_of_the_approval(loop: Loop):
    asker = loop.land.at_desk("supervisor", "norvale")
    approver = loop.land.at_desk("coordinator", "norvale")
    asked = overrides.ask_override(
        asker,
        loop.case.id,
        organisation_id=loop.service.organisation_id,
        ground="life_threat",
        reason="an emergency",
        categories=["contact"],
    )
    notices = select(Notification.kind, Notification.desk_id, Notification.user_id)
    of_request = notices.where(Notification.subject_id == asked)
    loop.land.session.close()
    desks = {row.desk_id for row in loop.land.session.execute(of_request)}
    assert approver.desks[0] in desks
    assert loop.provider.desks[0] not in desks
    overrides.approve_override(approver, asked)
    loop.land.session.close()
    told = {(row.kind, row.user_id) for row in loop.land.session.execute(of_request)}
    assert ("consent.overridden", asker.id) in told
