"""Numbers of the registers of letters: one register each for what leaves and what comes in, without gaps."""

from __future__ import annotations

from sqlalchemy import select, update

from nrm.actions._action import Work
from nrm.models import LetterCounter


def next_number(work: Work, organisation_id: str, year: int, *, livemode: bool, direction: str = "out") -> int:
    """Give the next number; the counter's row stays locked until the end, so a letter that fails leaves no gap.

    Args:
        work: the transaction.
        organisation_id: whose register.
        year: the year, each begins with 1.
        livemode: False for the register of practice cases.
        direction: out or in.
    """
    work.flush()
    mine = (
        LetterCounter.organisation_id == organisation_id,
        LetterCounter.year == year,
        LetterCounter.livemode.is_(livemode),
        LetterCounter.direction == direction,
    )
    done = work.session.execute(update(LetterCounter).where(*mine).values(last=LetterCounter.last + 1))
    if done.rowcount == 0:  # type: ignore[attr-defined]  # an update gives a cursor result
        # Two first letters of a year meet in the primary key; the later transaction is tried again.
        first = {"organisation_id": organisation_id, "year": year, "livemode": livemode, "direction": direction}
        work.add(LetterCounter, **first, last=1)
        work.flush()
        return 1
    return int(work.session.execute(select(LetterCounter.last).where(*mine)).scalar_one())
