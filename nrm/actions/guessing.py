"""Slow down those who guess passwords and codes.

Every attempt is counted before it is looked at and taken back when it was right: many guesses at once count as many.
An account (known or not) that has five failures waits 2^n seconds, a quarter of an hour at most, so that nobody can
lock a colleague out for long; an address may fail fifty times in an hour. All of it is in real time, also where a
demonstration moves the clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from nrm.actions._action import Work
from nrm.clock import MovableClock
from nrm.credentials import keyed_hash
from nrm.errors import TooMany
from nrm.installation import installation
from nrm.models import SignInFailure

FREE_FAILURES: Final = 5
LONGEST_WAIT: Final = timedelta(minutes=15)
ADDRESS_FAILURES: Final = 50
ADDRESS_WINDOW: Final = timedelta(hours=1)
ACCOUNT_WINDOW: Final = timedelta(hours=24)


def real_now() -> datetime:
    """Give the real time, also in demo mode."""
    clock = installation().clock
    return clock.now() - clock.offset() if isinstance(clock, MovableClock) else clock.now()


def subjects_of(login: str, address: str) -> tuple[str, str | None]:
    """Give under what attempts are counted: the account, and the network address where it is known."""
    secret = installation().config.secret
    # People type passwords into the wrong box: not even a failed login is stored readable.
    return "account:" + keyed_hash(secret, "login", login), f"address:{address}" if address else None


def count_attempt(work: Work, subjects: tuple[str, str | None]) -> None:
    """Count an attempt as failed, or refuse it.

    Raises:
        TooMany: the account or the address has to wait.
    """
    now = real_now()
    account, address = subjects
    rows = {subject: _failures(work, subject) for subject in subjects if subject}
    waits = [row.locked_until - now for row in rows.values() if row.locked_until and row.locked_until > now]
    if waits:
        raise TooMany(int(max(waits).total_seconds()) + 1)
    failures, first = _counted(rows[account], now, ACCOUNT_WINDOW)
    wait = min(timedelta(seconds=2 ** min(failures, 20)), LONGEST_WAIT)
    _store_failures(work, account, failures, first, now + wait if failures >= FREE_FAILURES else None)
    if address:
        failures, first = _counted(rows[address], now, ADDRESS_WINDOW)
        locked = first + ADDRESS_WINDOW if failures >= ADDRESS_FAILURES else None
        _store_failures(work, address, failures, first, locked)


def _failures(work: Work, subject: str) -> SignInFailure:
    """Load the counter of a subject, made when it is missing, and keep others from counting until the end."""
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = {"subject": subject, "failures": 0, "first_at": real_now(), "locked_until": None}
    work.session.execute(dialect.insert(SignInFailure).values(**fresh).on_conflict_do_nothing())
    return work.session.execute(
        select(SignInFailure)
        .where(SignInFailure.subject == subject)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def _counted(row: SignInFailure, now: datetime, window: timedelta) -> tuple[int, datetime]:
    if row.failures == 0 or row.first_at + window <= now:
        return 1, now
    return row.failures + 1, row.first_at


def _store_failures(work: Work, subject: str, failures: int, first: datetime, locked: datetime | None) -> None:
    change = update(SignInFailure).where(SignInFailure.subject == subject)
    work.session.execute(change.values(failures=failures, first_at=first, locked_until=locked))


def take_back(work: Work, subjects: tuple[str, str | None]) -> None:
    """Forget the account's failures, and this one attempt of the address."""
    account, address = subjects
    forgotten = update(SignInFailure).where(SignInFailure.subject == account)
    work.session.execute(forgotten.values(failures=0, locked_until=None))
    if address:
        change = update(SignInFailure).where(SignInFailure.subject == address, SignInFailure.failures > 0)
        work.session.execute(change.values(failures=SignInFailure.failures - 1))
