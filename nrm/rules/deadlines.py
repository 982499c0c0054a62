"""Due dates: working calendars, durations, pauses, reminders, escalation, and the clocks of a referral.

Two kinds of time. On the *clock* every hour counts. On a *working* calendar only the hours in which the offices
are open count: a day is one working day (`day_end - day_start` of working time), a week is as many working days
as the week has, and months and years move the date and then wait for the office to open. All moments are aware;
results are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nrm.errors import NotValid, Problem
from nrm.vocabulary import Priority, ReferralState

WORKING: Final = "working"
CLOCK: Final = "clock"
_LONGEST_DAYS: Final = 3660
_SHAPE: Final = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,4})D)?"
    r"(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?"
)
_OFFSET: Final = re.compile(r"(?:UTC)?([+-])(\d{2}):(\d{2})")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A length of time as it was written; `time` is its hours, minutes and seconds."""

    months: int = 0
    weeks: int = 0
    days: int = 0
    time: timedelta = timedelta()


@lru_cache(maxsize=1_000)
def parse_duration(text: str) -> Duration:
    """Read an ISO 8601 duration of whole numbers ("P3D", "PT4H", "P1M", "P1DT12H").

    Raises:
        NotValid: it is not one (code "bad_duration"), or it is longer than ten years.
    """
    found = _SHAPE.fullmatch(text) if text.isascii() else None
    if found is None:
        raise NotValid([Problem(pointer="", code="bad_duration", params={"value": text[:40]})])
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = Duration(
        months=years * 12 + months,
        weeks=weeks,
        days=days,
        time=timedelta(hours=hours, minutes=minutes, seconds=seconds),
    )
    if length.months * 30.5 + weeks * 7 + days + length.time / timedelta(days=1) > _LONGEST_DAYS:
        raise NotValid([Problem(pointer="", code="duration_too_long", params={"value": text[:40]})])
    return length


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When the offices of a place are open.

    Attributes:
        weekend: weekday numbers that are free, Monday 0 … Sunday 6.
        day_start: local opening time.
        day_end: local closing time, later than `day_start`.
        zone: the place's time zone.
        holidays: local dates that are free.
    """

    weekend: frozenset[int]
    day_start: time
    day_end: time
    zone: tzinfo
    holidays: frozenset[date] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        """Refuse a calendar on which nothing would ever be due.

        Raises:
            NotValid: no working day in the week, or the day ends before it starts.
        """
        if len(self.weekend & set(range(7))) == 7:
            raise NotValid([Problem(pointer="/weekend", code="no_working_day")])
        if self.day_end <= self.day_start:
            raise NotValid([Problem(pointer="/day_end", code="day_ends_before_it_starts")])

    @property
    def day_length(self) -> timedelta:
        """Working time of one working day."""
        return datetime.combine(date.min, self.day_end) - datetime.combine(date.min, self.day_start)

    def is_working_day(self, day: date) -> bool:
        """Tell whether the offices open on a local date."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def hours_of(self, day: date) -> tuple[datetime, datetime]:
        """Give the opening and closing moments of a local date, in UTC."""
        opens = datetime.combine(day, self.day_start, self.zone).astimezone(UTC)
        return opens, datetime.combine(day, self.day_end, self.zone).astimezone(UTC)


def is_working_moment(calendar: Calendar, moment: datetime) -> bool:
    """Tell whether a deadline may fall on a moment: on a working day, from opening to closing time inclusive."""
    day = _aware(moment).astimezone(calendar.zone).date()
    opens, closes = calendar.hours_of(day)
    return calendar.is_working_day(day) and opens <= moment <= closes


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC)


def _forward(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    day = start.astimezone(calendar.zone).date()
    while True:
        if calendar.is_working_day(day):
            opens, closes = calendar.hours_of(day)
            begins = max(start, opens)
            left = closes - begins
            if left >= amount and left > timedelta():
                return begins + amount
            amount -= max(left, timedelta())
        day += timedelta(days=1)


def _backward(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    day = start.astimezone(calendar.zone).date()
    while True:
        if calendar.is_working_day(day):
            opens, closes = calendar.hours_of(day)
            ends = min(start, closes)
            left = ends - opens
            if left >= amount and left > timedelta():
                return ends - amount
            amount -= max(left, timedelta())
        day -= timedelta(days=1)


def add_working(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """Go `amount` of working time forward (or back, when it is negative) from a moment; the result is UTC.

    Raises:
        ValueError: the moment has no time zone.
    """
    moment = _aware(start)
    return _forward(calendar, moment, amount) if amount >= timedelta() else _backward(calendar, moment, -amount)


def working_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Measure the working time between two moments; negative when `end` is the earlier one."""
    first, last = _aware(start), _aware(end)
    if last < first:
        return -working_between(calendar, last, first)
    total = timedelta()
    day, stop = first.astimezone(calendar.zone).date(), last.astimezone(calendar.zone).date()
    while day <= stop:
        if calendar.is_working_day(day):
            opens, closes = calendar.hours_of(day)
            total += max(min(last, closes) - max(first, opens), timedelta())
        day += timedelta(days=1)
    return total


def _add_months(moment: datetime, months: int, zone: tzinfo) -> datetime:
    local = moment.astimezone(zone)
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last_day = (following - timedelta(days=1)).day
    return local.replace(year=year, month=month + 1, day=min(local.day, last_day)).astimezone(UTC)


def due_at(start: datetime, duration: str, *, calendar: Calendar, kind: str = WORKING) -> datetime:
    """Say when something that began at `start` is due.

    Args:
        start: when the time begins to run, aware.
        duration: ISO 8601 duration.
        calendar: working calendar of the place; on the clock only its zone counts (months, years).
        kind: "working" or "clock".

    Returns:
        The due moment in UTC; on a working calendar always a working moment.

    Raises:
        NotValid: the duration is not one.
        ValueError: the moment has no time zone, or `kind` is unknown.
    """
    if kind not in (WORKING, CLOCK):
        raise ValueError(f"unknown kind of time: {kind}")
    length = parse_duration(duration)
    moment = _aware(start)
    if length.months:
        moment = _add_months(moment, length.months, calendar.zone)
    if kind == CLOCK:
        return moment + timedelta(weeks=length.weeks, days=length.days) + length.time
    days = length.days + length.weeks * (7 - len(calendar.weekend))
    return add_working(calendar, moment, days * calendar.day_length + length.time)


def remaining(now: datetime, due: datetime, *, calendar: Calendar, kind: str = WORKING) -> timedelta:
    """Measure how much time is left: what to keep when a task is put on hold; negative when it is late."""
    return working_between(calendar, now, due) if kind == WORKING else _aware(due) - _aware(now)


def add_back(now: datetime, left: timedelta, *, calendar: Calendar, kind: str = WORKING) -> datetime:
    """Give the due moment of a task that is resumed with `left` time: a hold neither gives nor takes time."""
    return add_working(calendar, now, left) if kind == WORKING else _aware(now) + left


def share_at(opened: datetime, due: datetime, percent: int, *, calendar: Calendar, kind: str = WORKING) -> datetime:
    """Give the moment at which a share of the time has run; more than 100 per cent lies after the due moment.

    Args:
        opened: when the time began to run.
        due: when it is due.
        percent: whole per cent of the time, ≥ 0.
        calendar: working calendar.
        kind: "working" or "clock".
    """
    if kind == CLOCK:
        return _aware(opened) + (_aware(due) - _aware(opened)) * percent / 100
    return add_working(calendar, opened, working_between(calendar, opened, due) * percent / 100)


def reminder_at(
    opened: datetime, due: datetime, percent: int | None, *, calendar: Calendar, kind: str = WORKING
) -> datetime | None:
    """Give the moment of the reminder; None when there is none to send."""
    return None if percent is None else share_at(opened, due, percent, calendar=calendar, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of an escalation ladder.

    Attributes:
        percent: share of the time after which it is told; 100 is the due moment itself.
        roles: desk roles that are told.
    """

    percent: int
    roles: tuple[str, ...]


Ladder = tuple[Rung, ...]


def parse_ladder(data: Sequence[Mapping[str, object]]) -> Ladder:
    """Read a ladder of the pack: a list of {"percent": 100, "roles": […]}; it comes back in rising order.

    Raises:
        NotValid: a rung without a share of 1 to 1000 or without roles.
    """
    rungs = []
    for place, entry in enumerate(data):
        percent, roles = entry.get("percent"), entry.get("roles")
        if not isinstance(percent, int) or isinstance(percent, bool) or not 1 <= percent <= 1000:
            raise NotValid([Problem(pointer=f"/{place}/percent", code="bad_percent")])
        if not isinstance(roles, list) or not roles:
            raise NotValid([Problem(pointer=f"/{place}/roles", code="required")])
        rungs.append(Rung(percent=percent, roles=tuple(str(role) for role in roles)))
    return tuple(sorted(rungs, key=lambda rung: rung.percent))


def escalations(
    opened: datetime, due: datetime, ladder: Ladder, *, calendar: Calendar, kind: str = WORKING
) -> tuple[tuple[Rung, datetime], ...]:
    """Give each rung of a ladder with its moment."""
    return tuple((rung, share_at(opened, due, rung.percent, calendar=calendar, kind=kind)) for rung in ladder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The clocks of a referral of one urgency.

    Attributes:
        kind: "working" or "clock".
        acknowledge: sent → acknowledged.
        decide: sent → accepted or declined.
        first_contact: accepted → first contact with the returnee.
        feedback: end of service → outcome reported.
        reminder: per cent of the time after which to remind.
        expire: per cent of the time after which no answer means expiry.
        give_up: per cent of the time after which a service that nobody reports on has ended without one.
        call: a person also telephones the provider.
    """

    kind: str
    acknowledge: str
    decide: str
    first_contact: str
    feedback: str
    reminder: int
    expire: int = 200
    give_up: int = 300
    call: bool = False


REFERRAL_CLOCKS: Mapping[Priority, Clocks] = {
    Priority.EMERGENCY: Clocks(
        kind=CLOCK,
        acknowledge="PT4H",
        decide="PT24H",
        first_contact="PT24H",
        feedback="P2D",
        reminder=50,
        call=True,
    ),
    Priority.URGENT: Clocks(
        kind=CLOCK, acknowledge="PT24H", decide="PT72H", first_contact="PT72H", feedback="P5D", reminder=50
    ),
    Priority.NORMAL: Clocks(
        kind=WORKING, acknowledge="P3D", decide="P7D", first_contact="P14D", feedback="P14D", reminder=75
    ),
}
"""Defaults of domain reference §3.3 (24 and 72 hours stand on the inter-agency form and so run on the clock); a pack
may replace each of them."""

REFERRAL_LADDER: Ladder = (
    Rung(percent=100, roles=("provider_focal_point", "case_handler")),
    Rung(percent=150, roles=("provider_manager", "coordinator")),
    Rung(percent=200, roles=("national_unit",)),
)
"""Default ladder of domain reference §3.3: provider's people first, then the coordinator, then the national unit."""

_CLOCK_OF: Mapping[ReferralState, str] = {
    ReferralState.SENT: "acknowledge",
    ReferralState.ACKNOWLEDGED: "decide",
    ReferralState.ACCEPTED: "first_contact",
    ReferralState.IN_PROGRESS: "feedback",
}


EXPIRING = frozenset({"acknowledge", "decide"})
"""Clocks of a referral whose end means that nobody answered. The others run on past every rung of the ladder and end
what was accepted only at `Clocks.give_up`: by then the national unit has known for as long as the service had."""


def running_clock(state: ReferralState) -> str | None:
    """Name the clock that runs in a state: acknowledge, decide, first_contact or feedback; None when none does.

    The decision clock rests while information is asked for and while a referral waits on a list: there the date
    of the review counts. In service, `feedback` begins at the expected end.
    """
    return _CLOCK_OF.get(state)


def parse_clocks(
    data: Mapping[str, Mapping[str, object]], base: Mapping[Priority, Clocks] = REFERRAL_CLOCKS
) -> Mapping[Priority, Clocks]:
    """Lay a pack's own clocks over the defaults.

    Args:
        data: urgency → some of the fields of `Clocks`.
        base: what holds where the pack is silent.

    Raises:
        NotValid: unknown urgency or field, or a duration that is none.
    """
    clocks = dict(base)
    for urgency, fields in data.items():
        if urgency not in set(Priority):
            raise NotValid([Problem(pointer=f"/{urgency}", code="unknown_field")])
        clocks[Priority(urgency)] = _overlay(clocks[Priority(urgency)], fields, urgency)
    return clocks


def _overlay(base: Clocks, fields: Mapping[str, object], urgency: str) -> Clocks:
    known = {name: getattr(base, name) for name in Clocks.__slots__}
    for name, value in fields.items():
        pointer = f"/{urgency}/{name}"
        if name not in known:
            raise NotValid([Problem(pointer=pointer, code="unknown_field")])
        if type(value) is not type(known[name]):
            raise NotValid([Problem(pointer=pointer, code="wrong_type")])
        if isinstance(value, str) and name != "kind":
            parse_duration(value)
        known[name] = value
    if known["kind"] not in (WORKING, CLOCK):
        raise NotValid([Problem(pointer=f"/{urgency}/kind", code="not_a_choice", params={"choices": "working, clock"})])
    return Clocks(**known)


def parse_calendar(data: Mapping[str, object]) -> Calendar:
    """Read a calendar of the pack.

    Args:
        data: {"weekend": ["friday", …] or numbers (Monday 0), "day_start": "08:00", "day_end": "15:00",
            "timezone": "+03:00" or a zone name, "holidays": [{"date": "2026-01-01", …} or "2026-01-01"]}.

    Raises:
        NotValid: a part is missing or wrong, by pointer.
    """
    return Calendar(
        weekend=_weekend(data.get("weekend")),
        day_start=_time(data.get("day_start"), "/day_start"),
        day_end=_time(data.get("day_end"), "/day_end"),
        zone=parse_zone(data.get("timezone")),
        holidays=_holidays(data.get("holidays", [])),
    )


def _weekend(data: object) -> frozenset[int]:
    if not isinstance(data, list):
        raise NotValid([Problem(pointer="/weekend", code="not_a_list")])
    days = set()
    for place, entry in enumerate(data):
        name = str(entry).lower()
        number = int(name) if name in {"0", "1", "2", "3", "4", "5", "6"} else None
        if number is None and name not in _WEEKDAYS:
            raise NotValid([Problem(pointer=f"/weekend/{place}", code="not_a_weekday")])
        days.add(_WEEKDAYS.index(name) if number is None else number)
    return frozenset(days)


def _time(data: object, pointer: str) -> time:
    if not isinstance(data, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", data, re.ASCII):
        raise NotValid([Problem(pointer=pointer, code="not_a_time")])
    return time.fromisoformat(data)


def parse_zone(data: object) -> tzinfo:
    """Read a time zone: a fixed offset ("+03:00") or a zone name.

    Raises:
        NotValid: there is no such zone.
    """
    found = _OFFSET.fullmatch(data) if isinstance(data, str) else None
    if found:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if offset < timedelta(hours=15):
            return timezone(offset if found[1] == "+" else -offset)
    try:
        return ZoneInfo(str(data))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotValid([Problem(pointer="/timezone", code="not_a_timezone")]) from None


def _holidays(data: object) -> frozenset[date]:
    if not isinstance(data, list):
        raise NotValid([Problem(pointer="/holidays", code="not_a_list")])
    days = set()
    for place, entry in enumerate(data):
        text = entry.get("date") if isinstance(entry, Mapping) else entry
        try:
            days.add(date.fromisoformat(str(text)))
        except ValueError:
            raise NotValid([Problem(pointer=f"/holidays/{place}", code="not_a_date")]) from None
    return frozenset(days)
