"""What the documentation says is so: its links, its commands, its settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, name, python_files

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "workflows").glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))


def page_ids(path: Path) -> str:
    return name(path)


@pytest.mark.parametrize("page", PAGES, ids=page_ids)
def test_every_link_leads_to_a_file(page):
    targets = [target for target, _ in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_ids)
def test_every_make_command_exists(page):
    code = re.findall(r"`([^`\n]+)`", page.read_text()) + re.findall(
        r"^ {0,4}(make .+)$", page.read_text(), re.MULTILINE
    )
    named = {target for text in code for target in re.findall(r"\bmake ([a-z][a-z-]*)", text)}
    assert named - TARGETS == set()


def test_each_target_is_explained_by_one_line():
    phony = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE).group(1).split())
    assert phony == TARGETS


def test_the_readme_names_the_two_commands_that_everybody_needs():
    text = (ROOT / "README.md").read_text()
    assert "make run" in text
    assert "make test" in text


def test_every_setting_is_documented_and_none_is_invented():
    read = set(re.findall(r"\"(NRM_[A-Z_]+)\"", (ROOT / "nrm" / "config.py").read_text()))
    documented = set(re.findall(r"^\| `(NRM_[A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
    assert documented == read


def test_every_source_file_that_a_page_names_exists():
    named = {
        (name(page), path)
        for page in PAGES
        if page.parent.name != "adr"
        for path in re.findall(r"`((?:nrm|api|tests|docker|workflows)/[\w/]+\.\w+)`", page.read_text())
    }
    assert sorted((page, path) for page, path in named if not (ROOT / path).exists()) == []


def test_decisions_are_numbered_without_gaps_and_short():
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    assert [path.name for path in DECISIONS if len(path.read_text().splitlines()) > 60] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=page_ids)
def test_each_decision_has_its_four_parts(decision):
    headings = re.findall(r"^## (.+)$", decision.read_text(), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "Status"]


def test_every_package_of_the_product_is_on_the_map():
    text = (ROOT / "docs" / "architecture.md").read_text()
    packages = {path.parent.relative_to(ROOT).as_posix() for path in python_files() if path.name == "__init__.py"}
    top = {"/".join(package.split("/")[:2]) for package in packages if package.startswith("nrm/")}
    assert sorted(package for package in top if f"`{package}`" not in text) == []
