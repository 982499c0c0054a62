"""Roles are data, permission names are code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nrm.errors import NotValid
from nrm.rules.permissions import PERMISSIONS, may, parse_roles, permissions_of


def test_a_role_of_the_pack_gives_its_permissions_and_no_more() -> None:
    roles = parse_roles(
        [
            {"code": "reader", "permissions": ["case.read"]},
            {"code": "desk", "permissions": ["task.work", "case.read"]},
        ]
    )
    assert permissions_of(["reader", "desk", "gone"], roles) == {"case.read", "task.work"}
    assert may(roles["reader"], "case.read")
    assert not may(roles["reader"], "task.work")
    assert permissions_of([], roles) == frozenset()


def test_a_misspelt_permission_is_refused_in_a_pack_and_in_the_code() -> None:
    with pytest.raises(NotValid) as caught:
        parse_roles([{"code": "a", "permissions": ["case.raed"]}, {"code": "b"}, {"code": "a", "permissions": []}])
    pointers = [problem.pointer for problem in caught.value.problems]
    assert pointers == ["/0/permissions/0", "/1/permissions", "/2/code"]
    with pytest.raises(KeyError):
        may({"case.raed"}, "case.raed")


def test_every_permission_says_in_a_sentence_what_it_allows() -> None:
    for name, meaning in PERMISSIONS.items():
        noun, _, verb = name.partition(".")
        assert noun.islower()
        assert verb
        assert meaning[0].isupper()
        assert meaning.endswith(".")


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[2] / "workflows").glob("*/roles.json")), ids=lambda file: file.parent.name
)
def test_the_roles_of_every_pack_use_permissions_that_exist(file: Path) -> None:
    roles = parse_roles(json.loads(file.read_text(encoding="utf-8")))
    everything = frozenset().union(*roles.values())
    for needed in ("task.work", "task.assign", "case.work", "referral.send", "referral.receive", "incident.repair"):
        assert needed in everything
