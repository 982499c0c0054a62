"""The measures name functions of the product; one that was renamed must be missed here and not in the last step of a run."""

from __future__ import annotations

from tests.load.parts import PARTS


def test_every_part_of_a_completion_is_a_function_that_there_is():
    assert [(owner, name) for places in PARTS.values() for owner, name in places if not hasattr(owner, name)] == []
