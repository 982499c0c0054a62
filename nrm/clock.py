"""The clock: real time, or in demo mode real time moved by an offset that all processes share.

Everything below `nrm/actions` takes `now` as an argument; only actions, jobs and sign-in ask a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        return datetime.now(UTC)


class MovableClock:
    """Real time plus an offset kept in a file, so that web and worker move together; for demo mode only."""

    def __init__(self, file: Path) -> None:
        """Use `file`, which holds the offset in whole seconds; no file means no offset."""
        self._file = file
        self._seen: tuple[int, int] = (-1, 0)

    def offset(self) -> timedelta:
        """Give how far this clock is ahead of real time."""
        try:
            stamp = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return timedelta()
        if stamp != self._seen[0]:
            self._seen = (stamp, int(self._file.read_text() or "0"))
        return timedelta(seconds=self._seen[1])

    def now(self) -> datetime:
        """Give real time plus the offset, aware, in UTC."""
        return datetime.now(UTC) + self.offset()

    def move(self, by: timedelta) -> datetime:
        """Move this clock forward and give the new time.

        Args:
            by: not negative.

        Raises:
            ValueError: when `by` is negative: rows that carry later times exist already.
        """
        if by < timedelta():
            raise ValueError("the demo clock only moves forward")
        seconds = int((self.offset() + by).total_seconds())
        temporary = self._file.with_suffix(".new")
        temporary.write_text(str(seconds))
        temporary.replace(self._file)
        return self.now()


class FixedClock:
    """A clock that stands until it is moved; for tests and scenario runs."""

    def __init__(self, at: datetime) -> None:
        """Stand at `at`, an aware moment."""
        self.at = at

    def now(self) -> datetime:
        """Give the moment at which this clock stands."""
        return self.at

    def move(self, by: timedelta) -> datetime:
        """Move forward by `by` and give the new time."""
        self.at += by
        return self.at
