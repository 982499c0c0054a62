"""Every problem that a rule may report has a text in all three languages."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from nrm.rules import consent, matching
from nrm.rules.forms import LANGUAGES

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"\{(\w+)\}")
CALLS = {"WrongValue": 0, "_refuse": 0, "_digits": 1, "_find": 2, "wrong": 1}

OF_PACKS = ("indicators.py", "surveys.py")
"""Rules about files of a pack: what they find is said by the check of packs."""


def texts(language: str, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((ROOT / "nrm" / "locale" / language / f"{name}.json").read_text("utf-8"))
    return found


def named(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def strings(node: ast.AST) -> set[str]:
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def results(node: ast.AST) -> set[str]:
    """Collect the texts that an expression may give: both branches of a condition, not what it tests."""
    if isinstance(node, ast.IfExp):
        return results(node.body) | results(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def codes_in(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        place = CALLS.get(named(node))
        if place is not None and len(node.args) > place:
            found |= results(node.args[place])
        if named(node) in ("Problem", "Refused"):
            for keyword in node.keywords:
                found |= results(keyword.value) if keyword.arg == "code" else set()
    return found


def used() -> set[str]:
    found = set(consent._NEAREST)
    for file in (ROOT / "nrm" / "rules").glob("*.py"):
        if file.name not in OF_PACKS:
            found |= codes_in(file)
    return found


def test_what_is_wrong_with_a_packs_file_has_words_among_those_of_packs() -> None:
    told = set(texts("en", "packs"))
    assert told >= set().union(*(codes_in(ROOT / "nrm" / "rules" / name) for name in OF_PACKS))


def test_every_code_that_a_rule_uses_has_a_text_and_every_text_a_use() -> None:
    told = set(texts("en", "problems"))
    assert used() <= told
    sources = [file.read_text(encoding="utf-8") for part in ("nrm", "api") for file in (ROOT / part).rglob("*.py")]
    assert [code for code in told - used() if not any(f'"{code}"' in source for source in sources)] == []


@pytest.mark.parametrize("name", ["problems", "reasons"])
def test_all_three_languages_say_the_same_with_the_same_places(name: str) -> None:
    english = texts("en", name)
    for language in LANGUAGES:
        said = texts(language, name)
        assert list(said) == sorted(english)
        for code, text in said.items():
            assert text.strip() == text
            assert text
            assert set(PLACE.findall(text)) == set(PLACE.findall(english[code])), (language, code)
            if language != "en":
                assert re.search("[\u0600-\u06ff]", text), (language, code)
                assert text != english[code]


def test_arabic_and_sorani_are_not_the_same_text() -> None:
    for name in ("problems", "reasons"):
        arabic, sorani = texts("ar", name), texts("ckb", name)
        assert all(arabic[code] != sorani[code] for code in arabic)
        for code, text in sorani.items():
            assert not re.search("[ةىيك]", text), code  # Arabic forms of letters that Sorani writes otherwise


def test_every_reason_of_a_match_and_of_a_provider_has_a_text() -> None:
    known = set(texts("en", "reasons"))
    assert set(matching.POINTS) <= known
    tree = ast.parse((ROOT / "nrm" / "rules" / "providers.py").read_text(encoding="utf-8"))
    firsts = {
        node.elts[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant | ast.IfExp)
    }
    firsts |= {
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args
    }
    firsts |= {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp)
    }
    codes = {code for first in firsts for code in results(first)} - {"slots_unknown", "hidden", "other_category"}
    assert {"stale", "paused", "open_slots", "accepts_often"} <= codes
    assert codes | set(matching.POINTS) | {"not_eligible"} == known


def test_the_values_that_a_text_needs_are_given_where_it_is_used() -> None:
    """Read each use of a code that has places in its text: all of them are passed."""
    places = {code: set(PLACE.findall(text)) for code, text in texts("en", "problems").items()}
    lacking = []
    for file in (ROOT / "nrm" / "rules").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and named(node) in (*CALLS, "Problem"):
                lacking += [(file.name, node.lineno, code) for code in _lacking(node, places)]
    assert lacking == []


def _lacking(node: ast.Call, places: dict[str, set[str]]) -> list[str]:
    if named(node) == "Problem":
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        codes = results(given["code"]) if "code" in given else set()
        passed = strings(given["params"]) if isinstance(given.get("params"), ast.Dict) else set()
    else:
        place = CALLS[named(node)]
        codes = results(node.args[place]) if len(node.args) > place else set()
        passed = {keyword.arg or "" for keyword in node.keywords}
    return [code for code in codes if not places.get(code, set()) <= passed]
