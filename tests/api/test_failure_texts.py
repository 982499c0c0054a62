"""Whatever can fail and wait for help is explained in every language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from api.transport.problems import explain_failure
from nrm.i18n import LANGUAGES, catalogue

ROOT = Path(__file__).parents[2]


def codes() -> set[str]:
    """Collect the codes with which steps fail and incidents are opened."""
    found: set[str] = set()
    for file in (ROOT / "nrm").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if not isinstance(node, ast.Call) or name not in {"StepFailed", "open_incident"}:
                continue
            given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
            parts = [part for one in given for part in ast.walk(one) if isinstance(part, ast.Constant)]
            found |= {part.value for part in parts if isinstance(part.value, str)}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_failure_is_explained(language: str):
    assert len(codes()) > 30
    assert sorted(codes() - set(catalogue("incidents", language))) == []


def test_the_cause_of_a_cause_is_said_in_words_too():
    words = explain_failure("check_failed", {"check": "send_gate", "cause": "no_desk"}, words="en")
    assert "No active desk" in words
