"""Which parts of a path no scenario comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nrm.engine.findings import Finding, Severity
from nrm.engine.parsing import PathSpec
from nrm.engine.scenarios import Played
from nrm.engine.steps import StepKind


def uncovered(spec: PathSpec, played: Iterable[Played]) -> tuple[Finding, ...]:
    """Name the ends, boundary events and flows that no scenario takes; `no_scenario` alone when there is none.

    Args:
        spec: the path.
        played: its scenarios that passed: one that failed proves nothing.
    """
    passed = [each for each in played if each.passed]
    if not passed:
        return (Finding(code="no_scenario", element=spec.key, severity=Severity.WARNING),)
    steps = frozenset().union(*(each.steps for each in passed))
    ways = frozenset().union(*(each.ways for each in passed))
    return tuple(_gaps(spec, steps, ways))


def _gaps(spec: PathSpec, steps: frozenset[str], ways: frozenset[str]) -> Iterator[Finding]:
    named = set()
    for step in spec.steps.values():
        if step.id in steps:
            continue
        if step.kind is StepKind.END:
            yield _gap("end_not_covered", step.id)
        elif step.kind is StepKind.BOUNDARY:
            yield _gap("boundary_not_covered", step.id)
        named.add(step.id)
    for flow in spec.flows.values():
        # A flow out of a step that nothing comes to is no news of its own; nor is one to an end just named.
        if flow.id not in ways and flow.source not in named and flow.target not in named:
            yield _gap("flow_not_covered", flow.id)
    for step in spec.steps.values():
        if step.id in named and step.kind not in {StepKind.END, StepKind.BOUNDARY}:
            yield _gap("step_not_covered", step.id)


def _gap(code: str, element: str) -> Finding:
    return Finding(code=code, element=element, severity=Severity.WARNING)
