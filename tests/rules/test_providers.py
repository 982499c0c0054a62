"""Who could serve a need: what past answers teach, and how little one answer proves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nrm.rules.providers import Answer, Need, Offer, learn, rank_providers

TODAY = date(2026, 3, 1)
SENT = datetime(2026, 1, 5, 8, tzinfo=UTC)
HERE = frozenset({("north", None)})
NEED = Need(category="JOB", governorate="north", facts={})


def answers(service: str, yes: int, no: int, days: float = 2) -> list[Answer]:
    decided = SENT + timedelta(days=days)
    return [
        Answer(service=service, accepted=place < yes, sent_at=SENT, decided_at=decided) for place in range(yes + no)
    ]


def order(past: list[Answer], *names: str, **verified: date | None) -> list[str]:
    pool = learn(past)
    offers = [
        Offer(
            id=name,
            organisation=f"org_{name}",
            category="JOB",
            places=HERE,
            record=pool.records.get(name),
            last_verified_on=verified.get(name, TODAY),
        )
        for name in names
    ]
    return [entry.offer.id for entry in rank_providers(offers, NEED, today=TODAY, pool=pool)]


def test_a_provider_that_takes_most_referrals_comes_before_one_that_declines_most():
    past = answers("a_declines", 2, 18) + answers("b_takes", 18, 2)
    assert order(past, "a_declines", "b_takes") == ["b_takes", "a_declines"]


def test_a_new_provider_stands_between_good_and_bad():
    past = answers("a_bad", 1, 19) + answers("z_good", 19, 1)
    assert order(past, "a_bad", "m_new", "z_good") == ["z_good", "m_new", "a_bad"]


def test_one_declined_referral_is_no_reputation():
    past = answers("z_known", 10, 10) + answers("a_once", 0, 1)
    pool = learn(past)
    assert abs(pool.records["a_once"].share - pool.share) < 0.1
    assert pool.records["a_once"].share > 0.35


def test_of_two_alike_the_quicker_answers_first():
    past = answers("a_slow", 10, 2, days=9) + answers("z_quick", 10, 2, days=1)
    assert order(past, "a_slow", "z_quick") == ["z_quick", "a_slow"]


def test_an_entry_that_nobody_confirmed_is_ranked_lower_and_says_why():
    past = answers("a", 5, 5) + answers("b", 5, 5)
    old = TODAY - timedelta(days=91)
    assert order(past, "a", "b", a=old) == ["b", "a"]
    pool = learn(past)
    offer = Offer(id="a", organisation="o", category="JOB", places=HERE, record=pool.records["a"], last_verified_on=old)
    (ranked,) = rank_providers([offer], NEED, today=TODAY, pool=pool)
    assert {reason.code for reason in ranked.reasons} == {"accepts_often", "answers_in_days", "stale"}
    figures = {reason.code: dict(reason.figures) for reason in ranked.reasons}
    assert figures["accepts_often"] == {"accepted": 5, "answers": 10}
    assert figures["answers_in_days"] == {"days": "2"}
    (kept,) = rank_providers([offer], NEED, today=TODAY, pool=pool, stale_days=120)
    assert "stale" not in {reason.code for reason in kept.reasons}


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_shares_stay_shares_and_one_more_yes_never_hurts(yes: int, no: int, others_yes: int, others_no: int):
    others = answers("other", others_yes, others_no)
    less = learn([*answers("mine", yes, no + 1), *others]).records["mine"].share
    more = learn([*answers("mine", yes + 1, no), *others]).records["mine"].share
    assert 0 < less < more < 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 60)), max_size=40))
def test_the_order_is_the_same_however_the_past_is_read(past: list[tuple[str, bool, float]]):
    read = [
        Answer(service=name, accepted=yes, sent_at=SENT, decided_at=SENT + timedelta(days=days))
        for name, yes, days in past
    ]
    assert order(read, "a", "b", "c") == order(read[::-1], "c", "b", "a")
