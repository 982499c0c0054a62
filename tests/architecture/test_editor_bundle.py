"""The built editor belongs to its sources: seen without node, by what the build wrote down."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

SOURCE = ROOT / "api" / "editor"
BUILT = ROOT / "api" / "static" / "editor"
BUILD = json.loads((BUILT / "build.json").read_text())
SINGLE = (
    "package.json",
    "package-lock.json",
    "vite.config.js",
    "simulation_words.js",
    "../../workflows/nrm-moddle.json",
)
SCRIPTS = sorted((SOURCE / "src").rglob("*.js"))
MOST_PACKED = 300_000


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_bundle_was_built_from_these_sources():
    inside = [path.relative_to(SOURCE).as_posix() for path in (SOURCE / "src").rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for name in sorted([*SINGLE, *inside]):
        digest.update(f"{name}\0{sha256(SOURCE / name)}\n".encode())
    assert digest.hexdigest() == BUILD["sources"], (
        "the editor's sources changed: run `make editor` and commit the bundle"
    )


def test_nobody_changed_the_bundle_by_hand():
    there = {path.name: sha256(path) for path in BUILT.iterdir() if path.name != "build.json"}
    assert there == {name: file["sha256"] for name, file in BUILD["files"].items()}


def test_the_bundle_is_small_enough_for_a_thin_line():
    assert BUILD["files"]["editor.js"]["gzip"] + BUILD["files"]["editor.css"]["gzip"] < MOST_PACKED


def test_the_bundle_asks_no_other_host_and_holds_no_inline_style():
    script = (BUILT / "editor.js").read_text()
    assert re.findall(r"""(?<!-)style=\\?["'`]""", script) == []
    assert re.findall(r"\b(?:eval|new Function)\(", script) == []
    assert set(re.findall(r"""url\(["']?(?!data:|#|\.)([^"')]+)""", (BUILT / "editor.css").read_text())) == set()


def test_every_bundled_package_is_named_with_its_licence():
    notices = (BUILT / "licences.txt").read_text()
    packages = json.loads((SOURCE / "package.json").read_text())["dependencies"]
    assert [name for name in packages if f"{name} {packages[name]} (" not in notices] == []
    assert "bpmn.io" in notices and "MUST NOT be removed or changed" in " ".join(notices.split())


def test_packages_are_pinned_and_no_host_of_a_registry_is_named():
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "integrity" not in entry or "resolved" in entry] == []
    manifest = json.loads((SOURCE / "package.json").read_text())
    pins = [*manifest["dependencies"].values(), *manifest["devDependencies"].values()]
    assert [pin for pin in pins if not re.fullmatch(r"\d+\.\d+\.\d+", pin)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_every_text_that_the_editor_names_is_there(path: Path):
    texts = json.loads((ROOT / "nrm" / "locale" / "en" / "pages" / "editor.json").read_text())
    named = re.findall(r"""\bt\("(\w+)"[,)]""", path.read_text())
    assert [code for code in named if code not in texts and f"{code}.other" not in texts] == []


def test_every_text_of_a_library_has_a_word_in_our_languages():
    texts = json.loads((ROOT / "nrm" / "locale" / "en" / "pages" / "editor.json").read_text())
    codes = re.findall(r'^  "?[^\n]+?"?: "(\w+)",$', (SOURCE / "src" / "bpmn_words.js").read_text(), re.MULTILINE)
    assert len(codes) > 100
    assert [code for code in codes if code not in texts] == []


def test_each_source_file_is_short():
    assert [path.name for path in SCRIPTS if len(path.read_text().splitlines()) > 400] == []


def test_what_is_sent_as_brotli_is_worth_it():
    for name in ("editor.js", "editor.css"):
        assert BUILD["files"][f"{name}.br"]["bytes"] < 0.9 * BUILD["files"][name]["gzip"]
