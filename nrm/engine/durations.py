"""ISO 8601 durations, added to a moment the way a calendar does it."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_DURATION = re.compile(
    r"P(?!$)(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A length of time: whole months, and then an exact rest.

    Attributes:
        months: years and months, in months; their length depends on the calendar.
        rest: weeks, days, hours, minutes and seconds.
    """

    months: int
    rest: timedelta

    def after(self, moment: datetime) -> datetime:
        """Give the moment this much later, aware, in UTC.

        31 January and one month is the last day of February, as in the calendars that people use.

        Raises:
            OverflowError: the sum lies after the year 9999.
        """
        month = moment.month - 1 + self.months
        year = moment.year + month // 12
        if year > 9999:
            raise OverflowError
        last = calendar.monthrange(year, month % 12 + 1)[1]
        moved = moment.replace(year=year, month=month % 12 + 1, day=min(moment.day, last))
        return (moved + self.rest).astimezone(UTC)


def parse_duration(text: str) -> Duration | None:
    """Read an ISO 8601 duration such as `P3D`, `PT2H30M`, `P1Y6M` or `P2W`; None when it is not one."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    part = {name: int(digits or 0) for name, digits in match.groupdict().items()}
    rest = timedelta(
        weeks=part["weeks"],
        days=part["days"],
        hours=part["hours"],
        minutes=part["minutes"],
        seconds=part["seconds"],
    )
    return Duration(months=part["years"] * 12 + part["months"], rest=rest)


def start_of(day: date) -> datetime:
    """Give the first moment of a day in UTC: dates in a path carry no time and no zone."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
