"""The files that the rules of the house are checked on."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("nrm", "api")
WRITTEN_BY_TOOLS = frozenset({"requirements.txt", "requirements-test.txt", "requirements-lint.txt"})


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file of the product, without its tests."""
    return tuple(sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")))


@cache
def product_files() -> tuple[Path, ...]:
    """Every text file of the product: sources, templates, texts."""
    endings = {".py", ".json", ".html", ".txt", ".js", ".css", ".po", ".mako", ".xml"}
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in endings)
    return tuple(sorted(path for path in files if "node_modules" not in path.parts))


@cache
def tree(path: Path) -> ast.Module:
    """Parse one Python file."""
    return ast.parse(path.read_text(), str(path))


def name(path: Path) -> str:
    """Name a file as people do: relative to the repository."""
    return path.relative_to(ROOT).as_posix()
