"""Which entries of the directory the keepers of some governorates may change."""

from __future__ import annotations

import pytest

from nrm.rules.directory_scope import Governorates, keeps, together

NORTH, BOTH = frozenset({"north"}), frozenset({"north", "south"})


@pytest.mark.parametrize(
    ("area", "lies_in", "kept"),
    [
        (None, None, True),
        (None, NORTH, True),
        (NORTH, NORTH, True),
        (BOTH, NORTH, True),
        (NORTH, BOTH, False),
        (NORTH, None, False),
        (NORTH, frozenset(), False),
        (frozenset(), NORTH, False),
        (frozenset(), frozenset(), False),
    ],
)
def test_an_entry_is_kept_by_those_who_keep_all_its_places(area: Governorates, lies_in: Governorates, kept: bool):
    assert keeps(area, lies_in) is kept


def test_parts_of_the_country_are_joined_and_all_of_it_takes_the_rest_in():
    assert together([]) == frozenset()
    assert together([NORTH, frozenset({"south"})]) == BOTH
    assert together([NORTH, None]) is None
