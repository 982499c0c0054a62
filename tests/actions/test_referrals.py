"""The closed loop: the gate, every answer, every silence, and an end with an outcome each time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from nrm.actions import cases, consents, overrides, referrals
from nrm.actions.referral_changes import Given
from nrm.actors import SYSTEM
from nrm.errors import Conflict, IllegalMove, NotAllowed, NotFound, NotValid, StaleVersion
from nrm.models import Case, Delivery, Disclosure, Event, Job, Notification, Outcome, Referral, Service
from nrm.queries import packs
from nrm.queries import referrals as queries
from nrm.queries.referral_shapes import ReferralView
from nrm.rules.deadlines import Calendar, working_between
from tests.world import World

DATA = ["contact", "age", "work"]


class Loop:
    """A handler with a case and its consent, and the provider of one service."""

    def __init__(self, land: World, service: str = "small_shops", place: str = "norvale") -> None:
        self.land = land
        self.handler = land.at_desk("case_handler", place)
        self.case = cases.open_case(self.handler, land.person(), governorate=place, path=None)
        self.service = self.load(service)
        self.provider = land.receiver(self.service.organisation_id)

    def load(self, code: str) -> Service:
        self.land.session.close()
        return self.land.session.execute(select(Service).where(Service.code == code)).scalar_one()

    def consent(self, **more) -> str:
        asked = {"purposes": ["casework", "share_provider"], "categories": DATA, "mode": "written", **more}
        return consents.record_consent(self.handler, self.case.id, **asked)

    def send(self, **more) -> ReferralView:
        asked = {"service_id": self.service.id, "reason": "wants a trade", "categories": DATA, **more}
        return referrals.create_referral(self.handler, self.case.id, **asked)

    def do(self, actor, verb: str, referral_id: str, **given) -> ReferralView:
        version = self.now(referral_id).version
        return referrals.do_verb(actor, referral_id, verb, version=version, given=Given(**given))

    def now(self, referral_id: str) -> Referral:
        self.land.session.close()
        found = self.land.session.get(Referral, referral_id)
        assert found is not None
        return found

    def run_clock(self, referral_id: str, *, days: int = 400) -> list[str]:
        """Let the runner's job go off as often as it asks to, and say what was done each time."""
        done = []
        until = self.land.clock.now() + timedelta(days=days)
        while True:
            self.land.session.close()
            job = self.land.session.execute(
                select(Job.due_at).where(Job.dedup_key == f"referral:{referral_id}")
            ).scalar_one_or_none()
            if job is None or job > until:
                return done
            self.land.clock.at = max(job, self.land.clock.now())
            done += referrals.run_referral_clock(SYSTEM, referral_id)

    def events(self, referral_id: str) -> list[str]:
        self.land.session.close()
        found = select(Event.kind).where(Event.subject_id == referral_id).order_by(Event.seq)
        return list(self.land.session.execute(found).scalars())


@pytest.fixture
def loop(land: World) -> Loop:
    return Loop(land)


def test_a_referral_is_served_confirmed_and_closed(loop: Loop):
    loop.consent()
    sent = loop.send()
    assert sent.state == "sent"
    loop.do(loop.provider, "acknowledge", sent.id)
    loop.do(loop.provider, "accept", sent.id)
    loop.do(loop.provider, "start", sent.id)
    loop.do(loop.provider, "progress", sent.id, note="comes every day")
    ended = loop.do(loop.provider, "complete", sent.id, outcome="provided")
    assert ended.state == "completed"
    assert loop.now(sent.id).closed_at is None, "accepted and served are not yet confirmed"
    referrals.confirm_referral(loop.handler, sent.id, received=True, satisfaction=5, version=ended.version)
    closed = loop.now(sent.id)
    assert closed.closed_at is not None
    assert closed.outcome == "provided"
    outcomes = select(Outcome.code).where(Outcome.subject_id == sent.id)
    assert loop.land.session.execute(outcomes).scalars().all() == ["provided"]
    assert loop.events(sent.id)[-2:] == ["referral.confirmed", "referral.closed"]


def test_nothing_leaves_without_consent(loop: Loop):
    with pytest.raises(NotValid) as refused:
        loop.send()
    assert refused.value.problems[0].code == "no_consent"
    assert loop.land.session.execute(select(Referral)).all() == []
    assert loop.land.session.execute(select(Disclosure)).all() == []


@pytest.mark.parametrize(
    ("consent", "code"),
    [
        ({"categories": ["contact"]}, "category_not_covered"),
        ({"purposes": ["casework"]}, "purpose_not_covered"),
    ],
)
def test_a_consent_covers_what_it_names_and_nothing_else(loop: Loop, consent: dict, code: str):
    loop.consent(**consent)
    with pytest.raises(NotValid) as refused:
        loop.send()
    assert refused.value.problems[0].code == code


def test_a_consent_that_ran_out_opens_no_gate(loop: Loop):
    loop.consent(expires_at=loop.land.clock.now() + timedelta(days=1))
    loop.land.move(days=2)
    with pytest.raises(NotValid) as refused:
        loop.send()
    assert refused.value.problems[0].code == "expired"


def test_an_organisation_without_a_valid_agreement_gets_nothing(land: World):
    loop = Loop(land, service="old_loans")
    loop.consent(categories=["contact", "age", "household"])
    with pytest.raises(NotValid) as refused:
        loop.send(categories=["contact", "age"])
    assert refused.value.problems[0].code == "agreement_expired"


def test_every_disclosure_has_a_line_in_the_ledger(loop: Loop):
    consent = loop.consent()
    sent = loop.send()
    loop.land.session.close()
    line = loop.land.session.execute(select(Disclosure)).scalar_one()
    assert (line.referral_id, line.consent_id, line.organisation_id) == (sent.id, consent, loop.service.organisation_id)
    assert sorted(line.categories) == sorted(DATA)


@pytest.mark.parametrize(("service", "channel"), [("papers_help", "email"), ("training_coast", "letter")])
def test_an_organisation_without_a_screen_is_told_by_its_own_channel(land: World, service: str, channel: str):
    loop = Loop(land, service=service)
    loop.consent()
    sent = loop.send(categories=["contact", "age"])
    loop.land.session.close()
    delivery = loop.land.session.execute(select(Delivery)).scalar_one()
    assert (delivery.channel, delivery.template, delivery.subject_id) == (channel, "referral_received", sent.id)
    loop.do(loop.handler, "accept", sent.id, note="they answered in writing")
    assert loop.now(sent.id).state == "accepted", "the sender's clerk records the answer of an office without a screen"


def test_a_kind_of_data_that_the_service_never_gets_is_refused(loop: Loop):
    loop.consent(categories=[*DATA, "protection"])
    with pytest.raises(NotValid) as refused:
        loop.send(categories=[*DATA, "protection"])
    assert refused.value.problems[0].code == "category_not_for_service"


def test_the_same_need_is_not_referred_twice_at_once(loop: Loop):
    loop.consent()
    loop.send()
    with pytest.raises(NotValid) as refused:
        loop.send()
    assert refused.value.problems[0].code == "duplicate"


def test_a_stranger_does_not_learn_that_a_referral_exists(loop: Loop):
    loop.consent()
    sent = loop.send()
    stranger = loop.land.receiver_of("open_door")
    other_branch = loop.land.at_desk("case_handler", "hillin")
    for actor in (stranger, other_branch):
        with pytest.raises(NotFound):
            referrals.do_verb(actor, sent.id, "accept", version=1, given=Given())
        with pytest.raises(NotFound):
            referrals.add_referral_note(actor, sent.id, text="hello")


def test_a_draft_does_not_exist_for_its_receiver(loop: Loop):
    loop.consent()
    draft = loop.send(draft=True)
    with pytest.raises(NotFound):
        referrals.do_verb(loop.provider, draft.id, "acknowledge", version=1, given=Given())
    sent = referrals.send_referral(loop.handler, draft.id, version=draft.version)
    assert sent.state == "sent"


def test_the_sender_cannot_accept_for_a_receiver_that_has_a_screen(loop: Loop):
    loop.consent()
    sent = loop.send()
    with pytest.raises(IllegalMove) as refused:
        loop.do(loop.handler, "accept", sent.id)
    assert set(refused.value.allowed_actions) == {"cancel", "withdraw"}


def test_an_old_version_changes_nothing(loop: Loop):
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "acknowledge", sent.id)
    with pytest.raises(StaleVersion):
        referrals.do_verb(loop.provider, sent.id, "accept", version=sent.version, given=Given())
    assert loop.now(sent.id).state == "acknowledged"


@pytest.mark.parametrize(
    ("verb", "given", "pointer"),
    [
        ("decline", {}, "/reason"),
        ("decline", {"reason": "because"}, "/reason"),
        ("decline", {"reason": "other"}, "/note"),
        ("waitlist", {}, "/review_on"),
        ("waitlist", {"review_on": date(2020, 1, 1)}, "/review_on"),
        ("redirect", {"reason": "out_of_scope", "organisation": "org_nobody"}, "/organisation"),
        ("request_info", {}, "/note"),
        ("accept", {"outcome": "provided"}, "/outcome"),
    ],
)
def test_a_verb_says_what_it_misses(loop: Loop, verb: str, given: dict, pointer: str):
    loop.consent()
    sent = loop.send()
    with pytest.raises(NotValid) as wrong:
        loop.do(loop.provider, verb, sent.id, **given)
    assert pointer in {problem.pointer for problem in wrong.value.problems}
    assert loop.now(sent.id).state == "sent"


def test_the_last_place_is_given_once(land: World):
    loop = Loop(land, service="training_one_seat")
    loop.consent()
    first = loop.send()
    second = Loop(land, service="training_one_seat")
    second.consent()
    other = second.send()
    loop.do(loop.provider, "accept", first.id)
    with pytest.raises(Conflict) as full:
        second.do(loop.provider, "accept", other.id)
    assert full.value.code == "no_capacity"
    assert second.load("training_one_seat").open_slots == 0
    loop.do(loop.provider, "fail", first.id, reason="returnee_refused")
    assert second.load("training_one_seat").open_slots == 1
    second.do(loop.provider, "accept", other.id)


def test_a_referral_that_nobody_answers_is_chased_and_expires(loop: Loop):
    loop.consent()
    sent = loop.send()
    done = loop.run_clock(sent.id)
    assert done[0] == "reminded"
    assert done.count("escalated") == 4
    assert done[-1] == "expired"
    ended = loop.now(sent.id)
    assert (ended.state, ended.outcome) == ("expired", "not_provided")
    assert ended.closed_at is None, "an expired referral waits for the sender's answer"
    told = loop.land.session.execute(select(Notification.kind).where(Notification.subject_id == sent.id)).scalars()
    assert {"referral.sent", "referral.due_soon", "referral.overdue", "referral.expired"} <= set(told)
    closed = referrals.close_loop(loop.handler, sent.id, answer="unmet_need", version=ended.version)
    assert loop.now(closed.id).closed_at is not None


def test_after_a_long_silence_of_the_runner_everybody_is_told_once_and_in_order(loop: Loop):
    loop.consent()
    sent = loop.send()
    chased = loop.run_clock(sent.id)
    other = Loop(loop.land, service="small_shops")
    other.consent()
    late = other.send()
    loop.land.move(days=200)
    assert list(referrals.run_referral_clock(SYSTEM, late.id)) == chased, "as if the runner had worked all the time"
    assert referrals.run_referral_clock(SYSTEM, late.id) == ()
    assert other.events(late.id).count("referral.due_soon") == 1
    rungs = select(Event.data).where(Event.subject_id == late.id, Event.kind == "referral.overdue").order_by(Event.seq)
    told = [data["rung"] for data in loop.land.session.execute(rungs).scalars()]
    assert told == list(range(1, len(told) + 1))


@pytest.mark.parametrize("begun", [False, True])
def test_a_provider_that_accepted_and_is_silent_ever_after_does_not_keep_the_referral_open(loop: Loop, begun: bool):
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "accept", sent.id)
    if begun:
        loop.do(loop.provider, "start", sent.id)
    done = loop.run_clock(sent.id)
    assert done[0] == "reminded"
    assert done[-1] == "given_up"
    assert "escalated" in done
    ended = loop.now(sent.id)
    assert (ended.state, ended.end_reason, ended.outcome) == ("not_completed", "provider_unreachable", "not_provided")
    assert ended.closed_at is None, "the sender says what becomes of the need"
    referrals.close_loop(loop.handler, sent.id, answer="unmet_need", version=ended.version)
    assert loop.now(sent.id).closed_at is not None


def test_what_was_given_what_it_cost_and_how_it_was_liked_is_kept(loop: Loop):
    loop.consent()
    sent = loop.send()
    day = loop.land.clock.now().date() + timedelta(days=3)
    loop.do(loop.provider, "accept", sent.id, expected_start=day)
    ended = loop.do(loop.provider, "complete", sent.id, outcome="partly", units=12, cost="450 000 dinars")
    referrals.confirm_referral(loop.handler, sent.id, received=True, satisfaction=4, version=ended.version)
    loop.land.session.close()
    shown = queries.referral(loop.handler, loop.land.clock.now(), sent.id)
    assert shown.outcome is not None
    outcome = shown.outcome
    assert (shown.expected_start, outcome.units, outcome.cost, outcome.satisfaction) == (day, 12, "450 000 dinars", 4)
    of_provider = queries.referral(loop.provider, loop.land.clock.now(), sent.id).outcome
    assert of_provider is not None
    assert of_provider.satisfaction is None


def test_a_rested_clock_reminds_when_the_same_share_of_working_time_has_run(loop: Loop):
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "acknowledge", sent.id)
    before = loop.now(sent.id)
    whole = working_between(calendar_of(loop), before.clock_started_at, before.reply_due_at)
    loop.land.move(days=1)
    loop.do(loop.provider, "request_info", sent.id, note="Which trade?")
    loop.land.move(days=2, hours=5)
    loop.do(loop.handler, "answer", sent.id, note="Pumps")
    after = loop.now(sent.id)
    assert working_between(calendar_of(loop), after.clock_started_at, after.reply_due_at) == whole


def calendar_of(loop: Loop) -> Calendar:
    pack = packs.pack()
    return pack.calendar_for(pack.jurisdiction_of("norvale"))


def test_acknowledging_does_not_buy_time_for_the_decision(loop: Loop):
    loop.consent()
    sent = loop.send()
    at_once = loop.now(sent.id).sent_at
    loop.land.move(days=2)
    loop.do(loop.provider, "acknowledge", sent.id)
    deciding = loop.now(sent.id)
    assert deciding.clock_started_at == at_once
    assert loop.run_clock(sent.id)[-1] == "expired"


def test_the_clock_rests_while_a_question_is_open_but_not_for_ever(loop: Loop):
    loop.consent()
    sent = loop.send()
    before = loop.now(sent.id).reply_due_at
    loop.do(loop.provider, "request_info", sent.id, note="Which trade?")
    loop.land.move(days=2)
    loop.do(loop.handler, "answer", sent.id, note="Pumps")
    after = loop.now(sent.id)
    assert after.state == "acknowledged"
    assert after.reply_due_at is not None
    assert before is not None
    assert after.reply_due_at > before

    loop.do(loop.provider, "request_info", sent.id, note="Which pumps?")
    assert loop.run_clock(sent.id)[0] == "answer_overdue"
    assert loop.now(sent.id).state == "expired"


def test_a_held_referral_goes_on_by_itself(loop: Loop):
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "accept", sent.id)
    until = (loop.land.clock.now() + timedelta(days=10)).date()
    loop.do(loop.provider, "hold", sent.id, reason="other", note="in another town", until=until)
    assert loop.now(sent.id).state == "on_hold"
    assert loop.run_clock(sent.id, days=11)[0] == "resumed"
    assert loop.now(sent.id).state == "accepted"


def test_a_place_on_the_waiting_list_is_looked_at_and_given_up_in_the_end(loop: Loop):
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "waitlist", sent.id, review_on=(loop.land.clock.now() + timedelta(days=14)).date())
    done = loop.run_clock(sent.id)
    assert done[0] == "reviewed"
    assert done[-1] == "expired"


def test_cancelling_a_service_that_has_begun_asks_first(loop: Loop):
    loop.consent()
    sent = loop.send()
    loop.do(loop.provider, "accept", sent.id)
    loop.do(loop.provider, "start", sent.id)
    asked = loop.do(loop.handler, "cancel", sent.id, reason="moved")
    assert asked.state == "in_progress"
    assert loop.now(sent.id).cancellation_requested
    assert loop.do(loop.provider, "cancel", sent.id, reason="moved").state == "cancelled"


def test_withdrawing_consent_ends_referrals_and_restricts_what_was_disclosed(loop: Loop):
    consent = loop.consent()
    sent = loop.send()
    assert consents.withdraw_consent(loop.handler, consent) == 1
    ended = loop.now(sent.id)
    assert (ended.state, ended.end_reason) == ("withdrawn", "consent_withdrawn")
    assert ended.closed_at is not None
    line = loop.land.session.execute(select(Disclosure)).scalar_one()
    assert line.restricted_at == loop.land.clock.now()
    with pytest.raises(IllegalMove):
        consents.withdraw_consent(loop.handler, consent)
    with pytest.raises(NotValid) as refused:
        loop.send()
    assert refused.value.problems[0].code == "withdrawn"


def test_an_override_needs_a_ground_and_a_second_person(loop: Loop):
    supervisor = loop.land.at_desk("supervisor", "norvale")
    asked = overrides.ask_override(
        supervisor,
        loop.case.id,
        organisation_id=loop.service.organisation_id,
        ground="life_threat",
        reason="in danger tonight",
        categories=DATA,
    )
    with pytest.raises((NotAllowed, NotFound)):
        overrides.approve_override(supervisor, asked)
    with pytest.raises(NotValid):
        loop.send()
    second = loop.land.at_desk("coordinator", "norvale")
    overrides.approve_override(second, asked)
    sent = loop.send()
    assert loop.now(sent.id).override_id == asked
    loop.land.move(days=8)
    referrals.do_verb(loop.provider, sent.id, "decline", version=sent.version, given=Given(reason="no_capacity"))
    with pytest.raises(NotValid):
        loop.send()


def test_a_refused_override_opens_nothing_and_is_not_approved_after(loop: Loop):
    supervisor = loop.land.at_desk("supervisor", "norvale")
    asked = overrides.ask_override(
        supervisor,
        loop.case.id,
        organisation_id=loop.service.organisation_id,
        ground="life_threat",
        reason="in danger tonight",
        categories=DATA,
    )
    with pytest.raises((NotAllowed, NotFound)):
        overrides.refuse_override(supervisor, asked, reason="I changed my mind")
    second = loop.land.at_desk("coordinator", "norvale")
    overrides.refuse_override(second, asked, reason="the danger is over")
    with pytest.raises(IllegalMove) as late:
        overrides.approve_override(second, asked)
    assert late.value.code == "refused_before"
    with pytest.raises(NotValid):
        loop.send()


def test_a_case_does_not_close_while_a_referral_is_open(loop: Loop):
    loop.consent()
    loop.send()
    supervisor = loop.land.at_desk("supervisor", "norvale")
    with pytest.raises(IllegalMove) as refused:
        cases.close_case(supervisor, loop.case.id, outcome="progressing", reason="support_period_ended", version=None)
    assert refused.value.code == "referrals_open"
    assert loop.land.session.get(Case, loop.case.id).status == "open"


def test_a_question_from_the_waiting_list_leaves_the_sender_its_days_to_answer(loop: Loop):
    loop.consent()
    sent = loop.send()
    start = loop.land.clock.now()
    loop.do(loop.provider, "acknowledge", sent.id)
    loop.do(loop.provider, "waitlist", sent.id, review_on=start.date() + timedelta(days=20))
    loop.land.move(days=10)
    loop.do(loop.provider, "request_info", sent.id, note="which trade?")
    assert loop.run_clock(sent.id, days=2) == []
    assert loop.now(sent.id).state == "info_requested"
    answered = loop.do(loop.handler, "answer", sent.id, note="the small one")
    assert answered.state == "acknowledged"
    assert answered.reply_due_at is not None
    assert answered.reply_due_at > loop.land.clock.now()


def test_a_waiting_list_cannot_be_prolonged_for_ever(loop: Loop):
    loop.consent()
    sent = loop.send()
    for _ in range(8):
        if loop.now(sent.id).state != "expired":
            day = loop.land.clock.now().date() + timedelta(days=9)
            loop.do(loop.provider, "waitlist", sent.id, review_on=day)
            loop.run_clock(sent.id, days=9)
            loop.land.clock.at = loop.land.clock.now() + timedelta(days=1)
    assert loop.now(sent.id).state == "expired"


@pytest.mark.parametrize("reason", ["consent_withdrawn", "consent_expired"])
def test_the_end_of_a_consent_is_no_reason_that_somebody_types(loop: Loop, reason: str):
    loop.consent()
    sent = loop.send()
    with pytest.raises(NotValid) as refused:
        loop.do(loop.handler, "withdraw", sent.id, reason=reason)
    assert [problem.code for problem in refused.value.problems] == ["withdraw_the_consent"]
    assert loop.now(sent.id).state == "sent"
