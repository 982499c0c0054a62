"""Due dates on a Friday–Saturday calendar, three hours east of Greenwich."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm.errors import NotValid
from nrm.rules.deadlines import (
    REFERRAL_CLOCKS,
    REFERRAL_LADDER,
    Calendar,
    add_back,
    add_working,
    due_at,
    escalations,
    is_working_moment,
    parse_calendar,
    parse_clocks,
    parse_duration,
    parse_ladder,
    remaining,
    reminder_at,
    running_clock,
    share_at,
    working_between,
)
from nrm.vocabulary import Priority, ReferralState

ZONE = timezone(timedelta(hours=3))
FEAST = frozenset({date(2026, 3, 22), date(2026, 3, 23)})  # Sunday, Monday
OFFICE = Calendar(weekend=frozenset({4, 5}), day_start=time(8), day_end=time(15), zone=ZONE, holidays=FEAST)


def at(day: int, hour: int = 8, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


def test_three_working_days_from_sunday_morning_end_on_wednesday() -> None:
    assert due_at(at(1, 10), "P3D", calendar=OFFICE) == at(4, 10)


def test_work_that_comes_on_thursday_afternoon_goes_on_after_the_weekend() -> None:
    assert due_at(at(5, 14), "PT4H", calendar=OFFICE) == at(8, 11)


def test_a_task_opened_on_friday_starts_when_the_office_opens() -> None:
    assert due_at(at(6, 12), "PT2H", calendar=OFFICE) == at(8, 10)
    assert due_at(at(6, 12), "PT0S", calendar=OFFICE) == at(8, 8)


def test_a_feast_is_no_working_day() -> None:
    assert due_at(at(19, 10), "P1D", calendar=OFFICE) == at(24, 10)


def test_a_region_with_its_own_feast_has_its_own_due_date() -> None:
    region = Calendar(
        weekend=OFFICE.weekend, day_start=time(8), day_end=time(15), zone=ZONE, holidays=FEAST | {date(2026, 3, 24)}
    )
    assert due_at(at(19, 10), "P1D", calendar=region) == at(25, 10)


def test_an_emergency_runs_through_the_weekend() -> None:
    clocks = REFERRAL_CLOCKS[Priority.EMERGENCY]
    assert due_at(at(5, 14), clocks.acknowledge, calendar=OFFICE, kind=clocks.kind) == at(5, 18)
    assert due_at(at(5, 14), clocks.decide, calendar=OFFICE, kind=clocks.kind) == at(6, 14)


def test_a_week_of_work_is_five_working_days_here() -> None:
    assert due_at(at(1, 9), "P1W", calendar=OFFICE) == due_at(at(1, 9), "P5D", calendar=OFFICE) == at(8, 9)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (datetime(2026, 1, 31, 9, tzinfo=ZONE), "P1M", datetime(2026, 2, 28, 9, tzinfo=ZONE)),
        (datetime(2026, 11, 30, 9, tzinfo=ZONE), "P3M", datetime(2027, 2, 28, 9, tzinfo=ZONE)),
        (datetime(2026, 12, 15, 9, tzinfo=ZONE), "P12M", datetime(2027, 12, 15, 9, tzinfo=ZONE)),
        (datetime(2028, 2, 29, 9, tzinfo=ZONE), "P1Y", datetime(2029, 2, 28, 9, tzinfo=ZONE)),
        (datetime(2026, 1, 1, 1, tzinfo=ZONE), "P1M", datetime(2026, 2, 1, 1, tzinfo=ZONE)),
    ],
)
def test_months_keep_the_day_or_take_the_last_one(start: datetime, months: str, expected: datetime) -> None:
    assert due_at(start, months, calendar=OFFICE, kind="clock") == expected


def test_months_on_a_working_calendar_wait_for_the_office() -> None:
    assert due_at(at(6, 9, month=2), "P1M", calendar=OFFICE) == at(8, 8)  # 6 March is a Friday


def test_a_zone_that_changes_its_hour_still_opens_at_eight() -> None:
    berlin = Calendar(weekend=frozenset({5, 6}), day_start=time(8), day_end=time(16), zone=ZoneInfo("Europe/Berlin"))
    due = due_at(datetime(2026, 3, 27, 12, tzinfo=berlin.zone), "P1D", calendar=berlin)
    assert due == datetime(2026, 3, 30, 12, tzinfo=berlin.zone)
    assert due.utcoffset() == timedelta()


def test_due_dates_come_back_in_utc() -> None:
    assert due_at(at(1, 10), "PT1H", calendar=OFFICE).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "P", "PT", "3D", "P3", "P-1D", "p3d", "P1.5D", "P3D ", "P٣D", "PT1M1H", "P1D2"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(NotValid):
        parse_duration(text)


def test_a_duration_of_a_century_is_refused() -> None:
    with pytest.raises(NotValid) as caught:
        parse_duration("P100Y")
    assert caught.value.problems[0].code == "duration_too_long"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        due_at(datetime(2026, 3, 1), "P1D", calendar=OFFICE)
    with pytest.raises(ValueError, match="unknown kind"):
        due_at(at(1), "P1D", calendar=OFFICE, kind="lunar")


def test_a_calendar_without_a_working_day_is_refused() -> None:
    with pytest.raises(NotValid):
        Calendar(weekend=frozenset(range(7)), day_start=time(8), day_end=time(15), zone=ZONE)
    with pytest.raises(NotValid):
        Calendar(weekend=frozenset(), day_start=time(15), day_end=time(8), zone=ZONE)


def test_a_reminder_comes_after_three_quarters_of_the_working_time() -> None:
    due = due_at(at(1, 8), "P4D", calendar=OFFICE)
    assert reminder_at(at(1, 8), due, 75, calendar=OFFICE) == at(3, 15)
    assert reminder_at(at(1, 8), due, None, calendar=OFFICE) is None


def test_the_ladder_climbs_after_the_due_date_in_working_time() -> None:
    opened = at(1, 8)
    due = due_at(opened, "P2D", calendar=OFFICE)
    moments = [moment for _, moment in escalations(opened, due, REFERRAL_LADDER, calendar=OFFICE)]
    assert moments == [at(2, 15), at(3, 15), at(4, 15)]


def test_a_late_task_that_was_held_is_still_late_by_as_much() -> None:
    due = at(4, 10)
    late = remaining(at(5, 10), due, calendar=OFFICE)
    assert late == timedelta(hours=-7)
    assert add_back(at(12, 10), late, calendar=OFFICE) == at(11, 10)


def test_the_clock_rests_while_information_is_asked_for() -> None:
    assert running_clock(ReferralState.SENT) == "acknowledge"
    assert running_clock(ReferralState.ACKNOWLEDGED) == "decide"
    assert running_clock(ReferralState.ACCEPTED) == "first_contact"
    assert running_clock(ReferralState.IN_PROGRESS) == "feedback"
    for state in (ReferralState.INFO_REQUESTED, ReferralState.WAITLISTED, ReferralState.ON_HOLD, ReferralState.DRAFT):
        assert running_clock(state) is None


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda m: m.replace(tzinfo=UTC))
amounts = st.integers(0, 60 * 7 * 40).map(lambda minutes: timedelta(minutes=minutes))
durations = st.one_of(
    st.integers(0, 40).map(lambda n: f"P{n}D"),
    st.integers(0, 200).map(lambda n: f"PT{n}H"),
    st.integers(0, 6).map(lambda n: f"P{n}M"),
    st.tuples(st.integers(0, 5), st.integers(0, 59)).map(lambda p: f"P{p[0]}DT{p[1]}M"),
)


@given(moments, durations)
@settings(max_examples=200, deadline=None)
def test_nothing_is_ever_due_when_the_office_is_closed(start: datetime, duration: str) -> None:
    due = due_at(start, duration, calendar=OFFICE)
    assert is_working_moment(OFFICE, due)
    assert due >= start


@given(moments, moments, durations)
@settings(max_examples=200, deadline=None)
def test_who_starts_later_is_not_due_earlier(one: datetime, other: datetime, duration: str) -> None:
    first, last = sorted((one, other))
    for kind in ("working", "clock"):
        assert due_at(first, duration, calendar=OFFICE, kind=kind) <= due_at(last, duration, calendar=OFFICE, kind=kind)


@given(moments, amounts, amounts)
@settings(max_examples=200, deadline=None)
def test_more_time_is_never_due_earlier(start: datetime, one: timedelta, other: timedelta) -> None:
    less, more = sorted((one, other))
    assert add_working(OFFICE, start, less) <= add_working(OFFICE, start, more)


@given(moments, amounts)
@settings(max_examples=200, deadline=None)
def test_the_working_time_to_the_due_date_is_what_was_given(start: datetime, amount: timedelta) -> None:
    assert working_between(OFFICE, start, add_working(OFFICE, start, amount)) == amount


@given(moments, amounts, st.integers(0, 100), moments)
@settings(max_examples=200, deadline=None)
def test_a_hold_neither_gives_nor_takes_time(
    start: datetime, amount: timedelta, percent: int, resumed: datetime
) -> None:
    due = add_working(OFFICE, start, amount)
    held = share_at(start, due, percent, calendar=OFFICE)
    left = remaining(held, due, calendar=OFFICE)
    back = max(resumed, held)
    new_due = add_back(back, left, calendar=OFFICE)
    assert working_between(OFFICE, start, held) + working_between(OFFICE, back, new_due) == amount
    assert remaining(back, new_due, calendar=OFFICE) == left


@given(moments, amounts)
@settings(max_examples=100, deadline=None)
def test_going_back_by_what_was_gone_forward_loses_no_working_time(start: datetime, amount: timedelta) -> None:
    back = add_working(OFFICE, add_working(OFFICE, start, amount), -amount)
    assert working_between(OFFICE, back, start) == timedelta()


def test_a_calendar_of_the_pack_is_read() -> None:
    calendar = parse_calendar(
        {
            "weekend": ["friday", 5],
            "day_start": "08:00",
            "day_end": "15:00",
            "timezone": "+03:00",
            "holidays": [{"date": "2026-03-22", "names": {}}, "2026-03-23"],
        }
    )
    assert calendar == OFFICE


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"weekend": ["caturday"]}, "/weekend/0"),
        ({"weekend": "friday"}, "/weekend"),
        ({"day_start": "8"}, "/day_start"),
        ({"day_end": "07:00"}, "/day_end"),
        ({"timezone": "Mars/Base"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
        ({"timezone": None}, "/timezone"),
        ({"holidays": ["31/12/2026"]}, "/holidays/0"),
        ({"holidays": {}}, "/holidays"),
    ],
)
def test_a_wrong_calendar_says_where(change: dict[str, object], pointer: str) -> None:
    good: dict[str, object] = {"weekend": [4, 5], "day_start": "08:00", "day_end": "15:00", "timezone": "+03:00"}
    with pytest.raises(NotValid) as caught:
        parse_calendar(good | change)
    assert caught.value.problems[0].pointer == pointer


def test_a_pack_may_change_one_clock_and_keep_the_rest() -> None:
    clocks = parse_clocks({"normal": {"acknowledge": "P2D"}})
    assert clocks[Priority.NORMAL].acknowledge == "P2D"
    assert clocks[Priority.NORMAL].decide == "P7D"
    assert clocks[Priority.URGENT] == REFERRAL_CLOCKS[Priority.URGENT]
    for wrong in (
        {"slow": {}},
        {"normal": {"acknowledge": "soon"}},
        {"normal": {"x": "P1D"}},
        {"normal": {"kind": "x"}},
    ):
        with pytest.raises(NotValid):
            parse_clocks(wrong)


def test_a_ladder_of_the_pack_is_read_in_rising_order() -> None:
    ladder = parse_ladder([{"percent": 200, "roles": ["national_unit"]}, {"percent": 100, "roles": ["supervisor"]}])
    assert [rung.percent for rung in ladder] == [100, 200]
    for wrong in (
        [{"percent": 0, "roles": ["x"]}],
        [{"percent": 100, "roles": []}],
        [{"percent": True, "roles": ["x"]}],
    ):
        with pytest.raises(NotValid):
            parse_ladder(wrong)
