"""Check calls against the paths that they call: versions, values, errors, and outcomes that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, definition, extension, extensions, found, warn
from nrm.engine.lint.known import Known
from nrm.engine.lint.values import given_by
from nrm.expressions import BadExpression, parse
from nrm.expressions.tree import Compare, ListOf, Literal, Name
from nrm.expressions.tree import children as parts_of

_SAME: Final = frozenset({"==", "!=", "in", "not in"})
_EQUAL: Final = frozenset({"==", "!="})


def check_called(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find calls of versions that are not there, and what a called path never gives.

    A call that is bound to an older version is only checked for being there: the newest tells nothing of it.
    """
    if pack.known is None:
        return
    for node in diagram.of("callActivity"):
        yield from _version(pack.known, node)
        paths = _paths(diagram, pack, node)
        if paths:
            yield from _taken(pack.known, node, paths)
            yield from _errors(diagram, pack.known, node, paths)
    yield from _outcomes(diagram, pack, pack.known)
    yield from _lists(diagram, pack.known)


def _version(known: Known, node: Node) -> Iterator[Finding]:
    path, version = node.element.get("calledElement") or "", (extension(node.element, "call") or {}).get("version", "")
    if path in known.versions and version.isascii() and version.isdigit() and int(version) not in known.versions[path]:
        yield found(node.element, "unknown_version", path=path, version=version)


def _paths(diagram: Diagram, pack: Pack, node: Node) -> list[str]:
    """Give the paths that a call may start, none when one of them is not known well enough."""
    call = extension(node.element, "call") or {}
    path = node.element.get("calledElement")
    table = pack.resources.call_tables.get(call.get("table", ""), {})
    paths = [path] if path else sorted(set(table.values()))
    if call.get("version") or pack.known is None:
        return []
    return paths if all(each in pack.known.ends and each != diagram.key for each in paths) else []


def _taken(known: Known, node: Node, paths: list[str]) -> Iterator[Finding]:
    there = frozenset().union(*(known.ends[path].values for path in paths))
    for part in extensions(node.element, "take"):
        value = (part.get("from") or "").strip()
        if value and value not in there:
            yield found(node.element, "take_never_given", value=value, path=", ".join(paths))


def _errors(diagram: Diagram, known: Known, node: Node, paths: list[str]) -> Iterator[Finding]:
    for path in paths:
        for code in sorted(known.ends[path].errors):
            if not is_caught(diagram, node, code):
                yield warn(node.element, "error_not_caught", path=path, error=code)


def is_caught(diagram: Diagram, node: Node, code: str) -> bool:
    """Tell whether an error that comes out of a step is caught there or further out."""
    at: Node | None = node
    while at is not None:
        for boundary in diagram.boundaries.get(at.id, ()):
            if boundary.event == "error" and _code(diagram, boundary) in {code, None}:
                return True
        at = diagram.nodes.get(at.scope)
    return False


def _code(diagram: Diagram, boundary: Node) -> str | None:
    for part in children(boundary.element, "errorEventDefinition"):
        error = definition(diagram.root, "error", part.get("errorRef"))
        return None if error is None else error.get("errorCode")
    return None


def _outcomes(diagram: Diagram, pack: Pack, known: Known) -> Iterator[Finding]:
    """Find conditions that ask a call's outcome for one that the called path never has."""
    outcomes = _outcomes_by_name(diagram, pack, known)
    for flow in diagram.flows.values():
        for name, wanted in asked(flow.condition or ""):
            if name in outcomes and wanted not in outcomes[name]:
                yield found(flow.element, "outcome_never_given", value=name, outcome=wanted)


def _lists(diagram: Diagram, known: Known) -> Iterator[Finding]:
    """Find conditions that compare the outcomes of all rounds of a call, which are a list, with one text."""
    lists, others = set(), set(known.values | known.passed.get(diagram.key, frozenset()))
    for node in diagram.nodes.values():
        rounds = bool(children(node.element, "multiInstanceLoopCharacteristics"))
        result = (extension(node.element, "call") or {}).get("result", "") if rounds else ""
        lists |= {result} - {""}
        others |= set(given_by(node, known)) - {result}
    for flow in diagram.flows.values():
        for name, wanted in asked(flow.condition or "", signs=_EQUAL):
            if name in lists - others:
                yield found(flow.element, "outcomes_are_a_list", value=name, outcome=wanted)


def _outcomes_by_name(diagram: Diagram, pack: Pack, known: Known) -> Mapping[str, frozenset[str]]:
    """Give the outcomes that a value can hold, of those values that hold nothing else."""
    found_outcomes: dict[str, frozenset[str]] = {}
    others = set(known.values | known.passed.get(diagram.key, frozenset()))
    for node in diagram.nodes.values():
        given = set(given_by(node, known))
        result = (extension(node.element, "call") or {}).get("result", "")
        paths = _paths(diagram, pack, node) if result else []
        if paths:
            own = frozenset().union(*(known.ends[path].outcomes for path in paths))
            found_outcomes[result] = found_outcomes.get(result, frozenset()) | own
            given = {(part.get("name") or "") for part in extensions(node.element, "take")}
        others |= given
    return {name: codes for name, codes in found_outcomes.items() if name not in others}


def asked(text: str, *, signs: frozenset[str] = _SAME) -> Iterator[tuple[str, str]]:
    """Give each name that a condition compares with a fixed text, and the text."""
    try:
        waiting = [parse(text).tree] if text else []
    except BadExpression:
        return
    while waiting:
        part = waiting.pop()
        waiting += parts_of(part)
        if isinstance(part, Compare):
            yield from _compared(part, signs)


def _compared(part: Compare, signs: frozenset[str]) -> Iterator[tuple[str, str]]:
    if len(part.rest) != 1 or part.rest[0][0] not in signs:
        return
    one, other = part.first, part.rest[0][1]
    for name, values in ((one, other), (other, one)):
        if isinstance(name, Name) and len(name.path) == 1:
            for value in values.items if isinstance(values, ListOf) else (values,):
                if isinstance(value, Literal) and isinstance(value.value, str) and value.value:
                    yield name.path[0], value.value
