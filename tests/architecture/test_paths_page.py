"""The authors' reference names every registered check, its parameters and values, and every message, as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nrm.actions.cases import CASE_MESSAGES
from nrm.actions.checks import CHECK_VALUES, CHECKS
from nrm.actions.path_checks import CHECK_PARAMS
from nrm.actions.referral_moves import TELLS_RUN

PAGE = (Path(__file__).parents[2] / "docs" / "paths.md").read_text()
ROWS = {
    cells[0].strip(" `"): cells
    for line in PAGE.splitlines()
    if line.startswith("| `") and len(cells := line.strip("|").split("|")) == 4
}


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_is_described_as_it_is(name: str):
    cells = ROWS[name]
    assert words(cells[1]) == CHECK_PARAMS.get(name, frozenset())
    assert words(cells[2]) == set(CHECK_VALUES[name])
    assert cells[3].strip()


def test_no_check_is_described_that_is_not_there():
    assert set(ROWS) == set(CHECKS)


def test_every_message_is_named():
    for message in CASE_MESSAGES:
        assert f"`{message}`" in PAGE
    for state in TELLS_RUN:
        assert f"`referral.{state}`" in PAGE or f"`.{state}`" in PAGE
