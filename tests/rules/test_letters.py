"""How days and numbers are written in letters."""

from __future__ import annotations

import pytest

from nrm.rules.letters import write_day


@pytest.mark.parametrize(
    ("known", "written"),
    [("1991-04-02", "2/4/1991"), ("1991-04", "4/1991"), ("1991", "1991"), ("", ""), ("about 1991", "about 1991")],
)
def test_a_birth_date_is_written_day_month_year_as_far_as_it_is_known(known: str, written: str):
    assert write_day(known) == written
