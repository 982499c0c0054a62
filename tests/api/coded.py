"""Collect from the sources every code that an answer of the API may carry."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ERRORS = {
    "NotFound",
    "NotAllowed",
    "NotSignedIn",
    "NotValid",
    "Conflict",
    "IllegalMove",
    "AlreadyDone",
    "NrmError",
    "Refused",
    "WrongValue",
    "_wrong",
    "Coded",
    "conflict",
    "Problem",
    "Gate",
}
LEFT_OUT = (
    "nrm/engine",
    "nrm/expressions",
    "nrm/countries",
    "nrm/migrations",
    "nrm/rules/indicators",
    "nrm/rules/surveys",
    "api/partner_client",
)
"""Their codes have catalogues and tests of their own, or come from the API itself."""


def used_codes() -> dict[str, str]:
    """Code → one place where it is raised."""
    found: dict[str, str] = {}
    for folder in ("nrm", "api"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            place = file.relative_to(ROOT).as_posix()
            if not place.startswith(LEFT_OUT):
                for code, line in _codes(ast.parse(file.read_text(encoding="utf-8"))):
                    found.setdefault(code, f"{place}:{line}")
    return found


def _codes(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in ERRORS:
            for argument in _arguments(node):
                for part in ast.walk(argument):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and _looks_like(part.value):
                        yield part.value, node.lineno
        if isinstance(node, ast.ClassDef) and any(_name(base) in ERRORS for base in node.bases):
            for statement in node.body:
                if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                    yield str(statement.value.value), statement.lineno


def _arguments(node: ast.Call) -> Iterator[ast.expr]:
    name = _name(node.func)
    positional = {"NotValid": slice(1, 2), "IllegalMove": slice(1, 2), "Refused": slice(1, 2), "Problem": slice(1, 2)}
    yield from node.args[positional.get(name, slice(0, 1))]
    yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _looks_like(text: str) -> bool:
    return text.isascii() and text.replace("_", "").isalnum() and text == text.lower() and len(text) > 2
