"""Lint: everything that is wrong, or doubtful, about a path, found without running it.

`lint_path` never raises on a file, whatever is in it: what cannot be read is a finding too. An error stops publishing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nrm.engine.findings import Finding, Severity
from nrm.engine.lint.called import check_called
from nrm.engine.lint.callers import check_callers
from nrm.engine.lint.comparing import check_comparisons
from nrm.engine.lint.deadlines import check_deadlines
from nrm.engine.lint.diagram import Pack, build
from nrm.engine.lint.events import check_events
from nrm.engine.lint.kinds import check_kinds
from nrm.engine.lint.known import CASE_MESSAGES, Known, KnownCall, KnownCheck, KnownPath, KnownTable
from nrm.engine.lint.sound import check_soundness_of
from nrm.engine.lint.spelling import check_spelling
from nrm.engine.lint.steps import check_steps
from nrm.engine.lint.structure import check_structure
from nrm.engine.lint.texts import check_texts
from nrm.engine.lint.values import check_values
from nrm.engine.lint.waits import check_waits
from nrm.engine.reading import read_diagram
from nrm.engine.steps import Resources
from nrm.errors import BadPath

__all__ = ["CASE_MESSAGES", "Known", "KnownCall", "KnownCheck", "KnownPath", "KnownTable", "has_errors", "lint_path"]

MAX_FINDINGS: Final = 500
_CHECKS = (
    check_spelling,
    check_structure,
    check_events,
    check_deadlines,
    check_steps,
    check_values,
    check_kinds,
    check_comparisons,
    check_called,
    check_callers,
    check_waits,
    check_texts,
    check_soundness_of,
)
_RANK: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def lint_path(xml: bytes, *, resources: Resources, known: Known | None) -> tuple[Finding, ...]:
    """Find everything that is wrong, or doubtful, about a diagram.

    Args:
        xml: the file's bytes.
        resources: the pack's settings and tables.
        known: what the pack has; None checks only what the diagram itself can tell.

    Returns:
        At most `MAX_FINDINGS` findings, by line, element, severity and code; the same file always gives the same list.
    """
    try:
        root = read_diagram(xml)
    except BadPath as problem:
        return ordered(finding for finding in problem.findings if isinstance(finding, Finding))
    diagram = build(root)
    pack = Pack(resources=resources, known=known)
    findings = list(diagram.problems)
    for check in _CHECKS:
        findings += check(diagram, pack)
    return ordered(findings)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Give findings in a stable order, each once; errors are kept first when there are too many."""
    unique = {_key(finding): finding for finding in findings}
    worst = sorted(unique, key=lambda key: (_RANK[unique[key].severity], key))[:MAX_FINDINGS]
    return tuple(unique[key] for key in sorted(worst))


def _key(finding: Finding) -> tuple[int, str, int, str, str]:
    params = "\n".join(f"{name}={value}" for name, value in sorted(finding.params.items()))
    return (finding.line or 0, finding.element, _RANK[finding.severity], finding.code, params)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether one of the findings stops publishing."""
    return any(finding.severity is Severity.ERROR for finding in findings)
