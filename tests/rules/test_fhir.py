"""A referral said in FHIR and read back is the same referral, and what is said is a FHIR Task."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from fhir.resources.R4B.task import Task
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm.rules.fhir import BSER, SYSTEM, ReferralFacts, from_task, to_task
from nrm.rules.statuses import REFERRAL_STATES
from nrm.vocabulary import Priority, ReferralState

SDOH_STATUSES = {
    "draft", "requested", "accepted", "rejected", "cancelled", "in-progress", "on-hold", "failed", "completed",
    "entered-in-error",
}  # fmt: skip
"""What the SDOH Clinical Care guide allows for a referral: TaskStatus without received and ready."""
REQUEST_STATUSES = {"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"}

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def ids(prefix: str) -> st.SearchStrategy[str]:
    return st.from_regex(rf"{prefix}_[0-9a-hjkmnp-tv-z]{{26}}", fullmatch=True)


codes = st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True)
moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC))
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 1, 1))
texts = st.text(min_size=1, max_size=60)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


referrals = st.builds(
    ReferralFacts,
    id=ids("ref"),
    number=st.from_regex(r"TL-26-[0-9A-Z]{5}-[0-9A-Z]", fullmatch=True),
    version=st.integers(1, 2**31 - 1),
    livemode=st.booleans(),
    state=st.sampled_from(ReferralState),
    urgency=st.sampled_from(Priority),
    category=st.from_regex(r"[A-Z]{2,5}", fullmatch=True),
    subject=st.from_regex(r"P-[0-9A-Z]{8}", fullmatch=True),
    sender=ids("org"),
    created_at=moments,
    updated_at=moments,
    receiver=maybe(ids("org")),
    service=maybe(ids("svc")),
    consent=maybe(ids("con")),
    replaces=maybe(ids("ref")),
    external_id=maybe(texts),
    cancellation_requested=st.booleans(),
    sent_at=maybe(moments),
    reply_due_at=maybe(moments),
    started_at=maybe(moments),
    ended_at=maybe(moments),
    closed_at=maybe(moments),
    appointment_at=maybe(moments),
    no_shows=st.integers(0, 50),
    waitlist_position=maybe(st.integers(1, 500)),
    review_on=maybe(days),
    hold_until=maybe(days),
    redirected_to=maybe(ids("org")),
    end_reason=maybe(codes),
    outcome=maybe(codes),
    delivered_on=maybe(days),
    reason=maybe(texts),
    note=maybe(texts),
)


def plain(**changes: object) -> ReferralFacts:
    values = {
        "id": "ref_" + "0" * 26,
        "number": "TL-26-7F3K9-C",
        "version": 3,
        "livemode": True,
        "state": ReferralState.SENT,
        "urgency": Priority.URGENT,
        "category": "JOB",
        "subject": "P-7F3K9C00",
        "sender": "org_" + "1" * 26,
        "receiver": "org_" + "2" * 26,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return ReferralFacts(**{**values, **changes})


@settings(max_examples=200, deadline=None)
@given(facts=referrals)
def test_nothing_is_lost_on_the_way_there_and_back(facts: ReferralFacts):
    assert from_task(json.loads(json.dumps(to_task(facts, {})))) == facts


@settings(max_examples=60, deadline=None)
@given(facts=referrals)
def test_every_referral_is_a_task_by_structure(facts: ReferralFacts):
    task = to_task(facts, {facts.sender: "Invented Office"}, {"names": "Invented Person", "sex": "female"})
    Task.model_validate_json(json.dumps(task))
    assert task["status"] in SDOH_STATUSES
    assert task["contained"][0]["status"] in REQUEST_STATUSES


@pytest.mark.parametrize("state", ReferralState)
def test_each_state_has_its_status_and_keeps_its_own_name(state: ReferralState):
    task = to_task(plain(state=state), {f"state:{state}": "In words"})
    assert task["status"] == REFERRAL_STATES[state].fhir
    codings = {entry["system"]: entry["code"] for entry in task["businessStatus"]["coding"]}
    assert codings[SYSTEM + "referral-state"] == state
    assert codings.get(BSER) == REFERRAL_STATES[state].bser
    assert task["intent"] == "order"
    assert task["code"]["coding"][0]["code"] == "fulfill"


@pytest.mark.parametrize("state", ReferralState)
def test_what_ended_badly_or_rests_has_a_reason_in_words(state: ReferralState):
    task = to_task(plain(state=state), {})
    if task["status"] in {"rejected", "cancelled", "on-hold", "failed"}:
        assert task["statusReason"]["text"]
    named = to_task(plain(state=state, end_reason="no_capacity"), {"reason:no_capacity": "No room"})
    assert named["statusReason"]["text"] == "No room"


def test_a_wish_to_cancel_what_has_begun_is_seen():
    task = to_task(plain(state=ReferralState.IN_PROGRESS, cancellation_requested=True), {})
    assert {"system": BSER, "code": "5.2"} in task["businessStatus"]["coding"]
    assert task["status"] == "in-progress"


def test_a_test_s_referral_is_marked_as_one():
    assert to_task(plain(livemode=False), {})["meta"]["tag"][0]["code"] == "HTEST"
    assert "tag" not in to_task(plain(), {})["meta"]


def test_the_person_is_a_code_unless_fields_may_be_read():
    without = to_task(plain(), {})
    assert "reference" not in without["for"]
    assert [entry["resourceType"] for entry in without["contained"]] == ["ServiceRequest"]
    person = {"names": "Invented Person", "sex": "unknown", "born": "1990", "phones": ["+9647500000000"], "mother": "M"}
    task = to_task(plain(), {}, person)
    assert task["for"]["reference"] == "#subject"
    patient = task["contained"][1]
    assert patient["name"] == [{"text": "Invented Person"}]
    assert patient["birthDate"] == "1990"
    assert from_task(task) == plain()


def test_a_code_that_is_not_ours_is_refused():
    task = to_task(plain(), {})
    task["businessStatus"]["coding"][0]["code"] = "lost"
    with pytest.raises(ValueError, match="lost"):
        from_task(task)
