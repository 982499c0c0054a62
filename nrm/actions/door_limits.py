"""How often somebody who is not signed in may knock: counted per address, without keeping the address.

The counters stand beside those of failed sign-ins and are cleared with them. They count in real time, also where a
demonstration moves the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from nrm.actions._action import Work, transact
from nrm.actions.guessing import real_now
from nrm.actors import SYSTEM
from nrm.credentials import keyed_hash
from nrm.errors import TooMany
from nrm.installation import installation
from nrm.models import SignInFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLimit:
    """What one door lets through.

    Attributes:
        door: its name.
        each: most knocks of one address in the time.
        together: most knocks of all addresses in the time.
        within: the time.
    """

    door: str
    each: int
    together: int
    within: timedelta = timedelta(hours=1)


def count_knock(limit: DoorLimit, address: str) -> None:
    """Count a knock, in a transaction of its own.

    Args:
        limit: what the door lets through.
        address: network address, "" when unknown; only a keyed hash of it is kept.

    Raises:
        TooMany: the address, or all together, have to wait.
    """
    hashed = keyed_hash(installation().config.secret, "door", address)
    subjects = ((f"{limit.door}:{hashed}", limit.each), (f"{limit.door}:all", limit.together))

    def count(work: Work) -> None:
        for subject, most in subjects:
            _count(work, subject, most, limit.within)

    transact(SYSTEM, count)


def _count(work: Work, subject: str, most: int, within: timedelta) -> None:
    now = real_now()
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = {"subject": subject, "failures": 0, "first_at": now, "locked_until": None}
    work.session.execute(dialect.insert(SignInFailure).values(**fresh).on_conflict_do_nothing())
    row = work.session.execute(
        select(SignInFailure)
        .where(SignInFailure.subject == subject)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    if row.first_at + within <= now:
        row.failures, row.first_at = 0, now
    if row.failures >= most:
        raise TooMany(int((row.first_at + within - now).total_seconds()) + 1)
    row.failures += 1
