"""From the bytes of a diagram to a path that can run: read under limits, checked, made into boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nrm.engine.conditions import Condition
from nrm.engine.effects import SIGNAL
from nrm.engine.extensions import Facts, Flow, read_facts
from nrm.engine.findings import Finding
from nrm.engine.graph import Graph, build_graph
from nrm.engine.reading import processes, read_diagram
from nrm.engine.refusals import refusals
from nrm.engine.steps import Resources, Step, StepKind, Texts
from nrm.engine.tables import Table, read_table
from nrm.errors import BadPath
from nrm.expressions import BadExpression, parse

STRICT: Final = "strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSpec:
    """A parsed path version: read-only, shared between threads, never pickled.

    Attributes:
        key: the path's key, the id of its process.
        names: its name in each language.
        level: confidentiality level of the cases it is for: standard, restricted, strict.
        steps: every step by id, in the order of the file.
        flows: every sequence flow by id.
        messages: the messages and signals that it waits for: name → "run" or "case".
        decisions: every value name that this diagram reads; no other may enter the state of a run.
        called: keys of the paths that it may call.
        sensitive: whether even the decision values may not be shown to those without access to the case.
        graph: the boxes, for the engine only.
    """

    key: str
    names: Texts
    level: str
    steps: Mapping[str, Step]
    flows: Mapping[str, Flow]
    messages: Mapping[str, str]
    decisions: frozenset[str]
    called: frozenset[str]
    sensitive: bool
    graph: Graph = field(repr=False)


def compile_path(xml: bytes, *, resources: Resources) -> PathSpec:
    """Parse a diagram into a path that can run. Cache the result: it takes milliseconds and never changes.

    Args:
        xml: the BPMN file.
        resources: settings, decision tables and call tables that it may name.

    Raises:
        BadPath: something in it cannot run, or would not mean what it shows; `findings` names every such thing.
    """
    process = processes(read_diagram(xml))[0]
    facts = read_facts(process, resources)
    findings = list(refusals(process, facts, resources))
    conditions = _Conditions(facts)
    tables, table_findings = _tables(facts, resources)
    findings += [*conditions.findings, *table_findings]
    if findings:
        raise BadPath(findings)
    decisions = _decisions(facts, conditions.parsed, tables)
    graph = build_graph(
        process, facts, conditions=conditions.parsed, tables=tables, resources=resources, decisions=decisions
    )
    return PathSpec(
        key=facts.key,
        names=facts.names,
        level=facts.level,
        steps=facts.steps,
        flows={flow.id: flow for flow in facts.flows},
        messages=dict(_messages(facts)),
        decisions=decisions,
        called=frozenset(_called(facts, resources)),
        sensitive=facts.level == STRICT,
        graph=graph,
    )


class _Conditions:
    """Every expression of a diagram, parsed; what cannot be parsed becomes a finding."""

    def __init__(self, facts: Facts) -> None:
        self.parsed: dict[str, Condition] = {}
        self.findings: list[Finding] = []
        for flow in facts.flows:
            if flow.condition is not None and not flow.default:
                self._parse(flow.id, flow.condition, flow.id, None)
        for step in facts.steps.values():
            wiring = facts.wiring[step.id]
            for name, text in step.params.items():
                self._parse(f"{step.id}/{name}", text, step.id, wiring.line)
            if step.event == "timer" and wiring.timer_is_date and wiring.timer is not None:
                self._parse(step.id, wiring.timer, step.id, wiring.line)

    def _parse(self, place: str, text: str, element: str, line: int | None) -> None:
        """Parse one expression."""
        try:
            self.parsed[place] = Condition(expression=parse(text), element=element)
        except BadExpression as problem:
            params: dict[str, str | int] = {"reason": problem.code, "position": problem.position + 1}
            self.findings.append(Finding(code="bad_expression", element=element, line=line, params=params))


def _tables(facts: Facts, resources: Resources) -> tuple[dict[str, Table], list[Finding]]:
    """Read the decision tables that the diagram names."""
    tables: dict[str, Table] = {}
    findings: list[Finding] = []
    for step in facts.steps.values():
        key = step.table or ""
        if step.kind is StepKind.TABLE and key in resources.tables and key not in tables:
            try:
                tables[key] = read_table(key, resources.tables[key])
            except BadPath as problem:
                findings += [_at(step.id, finding) for finding in problem.findings if isinstance(finding, Finding)]
    return tables, findings


def _at(step: str, finding: Finding) -> Finding:
    """Put a table's finding at the step that uses the table: its own ids mean nothing in the diagram."""
    return Finding(code=finding.code, element=step, severity=finding.severity, params=finding.params)


def _decisions(facts: Facts, conditions: Mapping[str, Condition], tables: Mapping[str, Table]) -> frozenset[str]:
    """Give every value name that the diagram reads, or passes to whoever called it."""
    names: set[str] = set()
    for condition in conditions.values():
        names |= condition.expression.names
    for table in tables.values():
        names |= table.names
    for step in facts.steps.values():
        passes = facts.wiring[step.id].passes
        names |= set(passes.values())
        if step.kind is StepKind.END and step.event != "message":
            names |= set(passes)
        if step.multi is not None:
            names.add(step.multi.list)
        if step.call is not None and step.call.key is not None:
            names.add(step.call.key)
    return frozenset(names)


def _messages(facts: Facts) -> Iterator[tuple[str, str]]:
    """Give the names that the path subscribes to."""
    for step in facts.steps.values():
        if step.kind in {StepKind.CATCH, StepKind.BOUNDARY}:
            if step.event == "message" and step.message is not None:
                yield step.message, step.correlation
            elif step.event == "signal":
                yield f"{SIGNAL}{step.code}", "case"


def _called(facts: Facts, resources: Resources) -> Iterator[str]:
    """Give the keys of the paths that the path may call."""
    for step in facts.steps.values():
        if step.call is not None and step.call.path is not None:
            yield step.call.path
        elif step.call is not None:
            yield from resources.call_tables.get(step.call.table or "", {}).values()
