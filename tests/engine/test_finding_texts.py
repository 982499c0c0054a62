"""Every finding has a text in every language, and every text has a finding."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import nrm

PACKAGE = Path(nrm.__file__).parent
MAKERS = {"found", "warn", "_bad", "_at", "_find", "Finding"}
LANGUAGES = ("ar", "ckb", "en")


def texts(language: str) -> dict[str, str]:
    return json.loads((PACKAGE / "locale" / language / "findings.json").read_text("utf-8"))


def codes_in(folder: Path, files: str = "*.py") -> set[str]:
    """The codes of the findings that the Python files of a folder make."""
    return {code for path in sorted(folder.rglob(files)) for code in _codes(ast.parse(path.read_text("utf-8")))}


def _codes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
            given = [argument.value for argument in node.keywords if argument.arg == "code"] or node.args[:2]
            for argument in given:
                yield from (
                    part.value for part in ast.walk(argument) if isinstance(part, ast.Constant) and _is_code(part.value)
                )


def _is_code(value: object) -> bool:
    return isinstance(value, str) and value.replace("_", "").isalpha() and value.islower() and "_" in value


def strings_in(folder: Path, files: str = "*.py") -> set[str]:
    found: set[str] = set()
    for path in folder.rglob(files):
        tree = ast.parse(path.read_text("utf-8"))
        found |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_has_a_text(language: str) -> None:
    from nrm.engine.lint.words import REFUSED

    made = codes_in(PACKAGE / "engine") | codes_in(PACKAGE / "actions", "path_*.py") | set(REFUSED.values())
    assert made - set(texts(language)) == set()


def test_no_text_is_without_a_finding() -> None:
    assert set(texts("en")) - strings_in(PACKAGE / "engine") - strings_in(PACKAGE / "actions", "path_*.py") == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_the_same_list_with_the_same_places(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert list(other) == sorted(other)
    assert set(other) == set(english)
    for code, text in other.items():
        assert _places(text) == _places(english[code]), code
        assert text.strip() == text and text.endswith("."), code


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", ["ar", "ckb"])
def test_texts_are_written_in_their_own_letters(language: str) -> None:
    for code, text in texts(language).items():
        letters = [sign for sign in re.sub(r"\{\w+\}", "", text) if sign.isalpha()]
        assert sum("\u0600" <= sign <= "\u06ff" for sign in letters) > len(letters) / 3, code
    if language == "ckb":
        assert not any(sign in "".join(texts("ckb").values()) for sign in "يكة")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_finding_of_a_diagram_is_said_in_words_without_gaps(language: str) -> None:
    from nrm.engine.lint import lint_path
    from nrm.engine.wording import render_finding
    from tests.engine.samples import KNOWN, RESOURCES
    from tests.engine.test_lint import DEFECTS

    for defect in DEFECTS:
        for finding in lint_path(defect.xml, resources=RESOURCES, known=KNOWN):
            text = render_finding(finding, language)
            assert text != finding.code
            assert "…" not in text and "{" not in text.replace("{person_name}", "").replace("${name}", ""), text


def test_one_line_of_json_per_finding() -> None:
    from nrm.engine.findings import Finding
    from nrm.engine.wording import findings_json

    (line,) = findings_json([Finding(code="dead_end", element="visit", line=7)], "ckb", file="a.bpmn")
    entry = json.loads(line)
    assert entry["text"] == texts("ckb")["dead_end"]
    assert (entry["file"], entry["line"], entry["element"], entry["severity"]) == ("a.bpmn", 7, "visit", "error")


def test_a_language_without_texts_falls_back_to_english() -> None:
    from nrm.engine.findings import Finding
    from nrm.engine.wording import render_finding

    assert render_finding(Finding(code="dead_end"), "fr") == texts("en")["dead_end"]
