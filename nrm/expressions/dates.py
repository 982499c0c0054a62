"""Functions over dates. Text becomes a date only through `date()`; a date-time counts as its own calendar date."""

from __future__ import annotations

import calendar
import re
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta

from nrm.expressions.values import Known, Situation, fold

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MOST_DAYS = 4_000_000


def day_of(value: Known) -> date | None:
    """Take the calendar date of a date or date-time (in its own offset); anything else is missing."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def to_date(situation: Situation, value: Known) -> date | None:
    """Read `YYYY-MM-DD`, in any digits."""
    if not isinstance(value, str):
        return day_of(value)
    match = _DATE.fullmatch(fold(value, situation).strip(" \t\r\n"))
    if match is None:
        return None
    return _made(int(match[1]), int(match[2]), int(match[3]))


def _made(year: int, month: int, day: int) -> date | None:
    if not (MINYEAR <= year <= MAXYEAR and 1 <= month <= 12):
        return None
    return date(year, month, day) if 1 <= day <= calendar.monthrange(year, month)[1] else None


def today(situation: Situation) -> date | None:
    """Give the date of the evaluation; missing when the caller gave none."""
    return situation.today


def age(situation: Situation, born: Known, at: Known = None) -> int | None:
    """Count completed years; who is born on 29 February gets older on 1 March. Missing when born after `at`."""
    birth, then = day_of(born), day_of(at)
    if birth is None or then is None or birth > then:
        return None
    return then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))


def days_between(_: Situation, start: Known, end: Known) -> int | None:
    """Count the days from start to end; negative when the end comes first."""
    first, last = day_of(start), day_of(end)
    return None if first is None or last is None else (last - first).days


def add_days(_: Situation, start: Known, days: Known) -> date | None:
    """Move a date by whole days."""
    first = day_of(start)
    if first is None or type(days) is not int or abs(days) > _MOST_DAYS:
        return None
    place = first.toordinal() + days
    return first + timedelta(days=days) if 1 <= place <= date.max.toordinal() else None


def add_months(_: Situation, start: Known, months: Known) -> date | None:
    """Move a date by whole months; the 31st becomes the month's last day."""
    first = day_of(start)
    if first is None or type(months) is not int or abs(months) > _MOST_DAYS:
        return None
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return None
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def year(_: Situation, value: Known) -> int | None:
    """Give the year of a date."""
    found = day_of(value)
    return found.year if found else None


def month(_: Situation, value: Known) -> int | None:
    """Give the month of a date, 1 to 12."""
    found = day_of(value)
    return found.month if found else None
