"""Numbers that people read out and write down: random, so that they tell nothing, and therefore checked for use.

25 random bits a year meet one of the numbers in use after a few thousand cases (the birthday problem), so a number is
looked up before it is given; two transactions that pick the same one at once are told apart by the unique index, and
the later one is tried again.
"""

from __future__ import annotations

import secrets
from functools import cache
from typing import Final

from sqlalchemy import Select, bindparam, select

from nrm.actions._action import Work
from nrm.errors import Busy
from nrm.models import Case, Referral
from nrm.rules.numbers import case_number

_TRIES: Final = 50


@cache
def _with_number(model: type[Case | Referral]) -> Select[str]:
    return select(model.id).where(model.number == bindparam("number"))


def fresh_number(work: Work, model: type[Case | Referral], prefix: str) -> str:
    """Make a number that no row of a table has.

    Args:
        work: the transaction.
        model: the table.
        prefix: two to four capital letters.

    Raises:
        Busy: no free number was found; nearly all numbers of this year are in use.
    """
    for _ in range(_TRIES):
        number = case_number(prefix, work.now.year, secrets.token_bytes(8))
        if work.session.connection().execute(_with_number(model), {"number": number}).first() is None:
            return number
    raise Busy
