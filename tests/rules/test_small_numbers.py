"""Numbers that could point at single people are not shown."""

from __future__ import annotations

from nrm.rules.small_numbers import shown, shown_part


def test_a_number_from_which_a_small_one_follows_is_not_shown_either():
    assert shown({"a": 2, "b": 9, "c": 0}, exact=False) == {"a": None, "b": None, "c": 0}
    assert shown({"a": 2, "b": 9}, exact=True) == {"a": 2, "b": 9}
    assert [shown_part(part, 20, exact=False) for part in (0, 4, 5, 15, 16, 20)] == [0, None, 5, 15, None, 20]
    assert shown_part(4, 20, exact=True) == 4
