"""Rules that a reader may rely on everywhere in the product."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, name, product_files, python_files, tree

ONE_COMMIT = "nrm/actions/_action.py"
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "services", "misc"}
DANGEROUS = {"eval", "exec", "compile", "__import__", "print", "breakpoint", "input"}
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


def calls(path: Path) -> Iterator[tuple[str, str, int]]:
    """Give object, function and line of every call: ("session", "commit", 12); the object is "" for a plain name."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr, node.lineno
        elif isinstance(node.func, ast.Name):
            yield "", node.func.id, node.lineno


def imported(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno


def test_only_the_action_decorator_commits():
    found = [
        f"{name(path)}:{line}"
        for path in python_files()
        for _, function, line in calls(path)
        if function == "commit" and name(path) != ONE_COMMIT
    ]
    assert found == []


def test_nothing_runs_text_as_code_or_prints():
    found = [
        f"{name(path)}:{line} {owner}.{function}"
        for path in python_files()
        for owner, function, line in calls(path)
        if (owner == "" and function in DANGEROUS) or (owner == "yaml" and function == "load")
    ]
    assert found == []


def test_nothing_unpacks_foreign_objects():
    found = [
        f"{name(path)}:{line} {module}"
        for path in python_files()
        for module, line in imported(path)
        if module in UNSAFE_MODULES
    ]
    assert found == []


def test_every_module_is_named_for_what_it_does():
    found = [name(path) for path in python_files() if {path.stem, *path.relative_to(ROOT).parts[:-1]} & EMPTY_NAMES]
    assert found == []


def test_every_module_says_in_a_sentence_what_it_is():
    def silent(path: Path) -> bool:
        text = ast.get_docstring(tree(path))
        return not text or not text.splitlines()[0].rstrip().endswith((".", ":", "?"))

    skipped = ROOT / "nrm" / "migrations" / "versions"
    assert [name(path) for path in python_files() if skipped not in path.parents and silent(path)] == []


def test_nothing_is_left_to_do_silently():
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b")
    found = [name(path) for path in python_files() if unfinished.search(path.read_text())]
    assert found == []


def country_words() -> dict[str, set[str]]:
    """Give, for each pack, the names that belong to it alone: of its country, its organisations and its places."""
    words: dict[str, set[str]] = {}
    for pack in sorted(path.parent for path in (ROOT / "workflows").glob("*/country.json")):
        country = json.loads((pack / "country.json").read_text())
        names = {country["key"], *country["names"].values()}
        for file in ("organisations.json", "places.json"):
            for row in json.loads((pack / file).read_text()):
                if file == "organisations.json" or row.get("kind") in {"governorate", "region"}:
                    names.update(row["names"].values())
        words[pack.name] = {text for text in names if len(text) > 2}
    return words


@pytest.mark.parametrize("pack", sorted(country_words()))
def test_the_product_names_no_country_and_no_ministry(pack):
    words = sorted(map(re.escape, country_words()[pack]), key=len, reverse=True)
    named = re.compile(rf"(?<!\w)({'|'.join(words)})(?!\w)", re.IGNORECASE)
    found = {name(path): match.group() for path in product_files() if (match := named.search(path.read_text()))}
    assert found == {}


def test_every_package_says_what_it_holds():
    folders = {path.parent for path in python_files() if "versions" not in path.parts}
    packages = [folder for folder in folders if folder.name not in {"versions"}]
    assert sorted(name(folder) for folder in packages if not (folder / "__init__.py").exists()) == []


def test_the_product_is_where_it_is_said_to_be():
    assert {path.parts[0] for path in (file.relative_to(ROOT) for file in python_files())} == set(PACKAGES)
