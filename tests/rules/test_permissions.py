"""Roles are data, permission names are code."""

from __future__ import annotations

import pytest

from nrm.errors import NotValid
from nrm.rules.permissions import PERMISSIONS, may, parse_roles, permissions_of


def test_a_role_of_the_pack_gives_its_permissions_and_no_more() -> None:
    roles = parse_roles({"reader": {"permissions": ["case.read"]}, "desk": {"permissions": ["task.work", "case.read"]}})
    assert permissions_of(["reader", "desk", "gone"], roles) == {"case.read", "task.work"}
    assert may(roles["reader"], "case.read")
    assert not may(roles["reader"], "task.work")
    assert permissions_of([], roles) == frozenset()


def test_a_misspelt_permission_is_refused_in_a_pack_and_in_the_code() -> None:
    with pytest.raises(NotValid) as caught:
        parse_roles({"a": {"permissions": ["case.raed"]}, "b": {}})
    assert [problem.pointer for problem in caught.value.problems] == ["/a/permissions/0", "/b/permissions"]
    with pytest.raises(KeyError):
        may({"case.raed"}, "case.raed")


def test_every_permission_says_in_a_sentence_what_it_allows() -> None:
    for name, meaning in PERMISSIONS.items():
        noun, _, verb = name.partition(".")
        assert noun.islower()
        assert verb
        assert meaning[0].isupper()
        assert meaning.endswith(".")
