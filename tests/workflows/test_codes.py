"""The codes of a pack are the words that the rules know, where the rules must know them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nrm.vocabulary import DataCategory, DeclineReason, NotServedReason, Priority, Purpose

PACKS = sorted(path.parent for path in (Path(__file__).parents[2] / "workflows").glob("*/country.json"))


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("data_category", DataCategory),
        ("consent_purpose", Purpose),
        ("urgency", Priority),
        ("decline_reason", DeclineReason),
        ("not_served_reason", NotServedReason),
    ],
)
def test_a_pack_uses_the_words_of_the_rules(pack: Path, name: str, words: type):
    lists = {entry["key"]: entry["items"] for entry in json.loads((pack / "code_lists.json").read_text())}
    assert {item["code"] for item in lists[name]} == {str(word) for word in words}
