"""Why a step failed is said in words, in every language."""

from __future__ import annotations

import ast
import json
import string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def raised() -> dict[str, set[str]]:
    """Give every code with which the program raises `StepFailed`, and the values that come with it."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "nrm").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="StepFailed"), args=[ast.Constant(value=str(code)), *_], keywords=given):
                    params = {keyword.arg for keyword in given if keyword.arg} | {"element"}
                    found[code] = found.get(code, params) & params
    return found


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
def test_every_failure_has_a_text_whose_gaps_can_be_filled(language):
    texts = json.loads((ROOT / "nrm" / "locale" / language / "steps.json").read_text("utf-8"))
    codes = raised()
    assert len(codes) > 15
    assert codes.keys() <= texts.keys()
    for code, params in codes.items():
        gaps = {name for _, name, _, _ in string.Formatter().parse(texts[code]) if name}
        assert gaps <= params, code
