"""Check conditions and the other readers of values: do they parse, and is what they read given before them?

Two classic data-flow analyses over the whole path: which values *may* be there when a token comes to a step (on some
way), and which *must* be (on every way). What may not be there is never given: an error. What only may be there can be
missing: a comparison with it is then false, which is worth a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from nrm.engine.extensions import list_and_item
from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, extension, extensions, found, warn
from nrm.engine.lint.known import Known
from nrm.errors import Params
from nrm.expressions import BadExpression, check, parse

TYPES_FOR_DECISIONS: Final = frozenset(
    {
        "integer",
        "decimal",
        "money",
        "date",
        "datetime",
        "select_one",
        "select_multiple",
        "acknowledge",
        "yes_no",
        "calculate",
    }
    | {"person", "organisation", "service"}
)
"""Form field types whose answers may enter a run: scalars and lists of codes, never what somebody
wrote freely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A place that reads values: the step before which they must be there, and the XML element to show.

    Attributes:
        passed: the values are only handed on, so that one that is missing decides nothing here.
    """

    step: str
    element: etree._Element
    names: frozenset[str]
    passed: bool = False


@dataclass(slots=True, kw_only=True)
class _Ways:
    """The path as one graph: sub-processes are entered and left."""

    before: dict[str, set[str]] = field(default_factory=dict)
    joins: set[str] = field(default_factory=set)
    gives: dict[str, set[str]] = field(default_factory=dict)
    start: str = ""

    def edge(self, source: str, target: str) -> None:
        """Add an arrow."""
        self.before.setdefault(target, set()).add(source)
        self.before.setdefault(source, set())


def check_values(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find conditions that do not parse, and readers of values that nothing before them gives."""
    readings: list[_Reading] = []
    for node in diagram.nodes.values():
        yield from _read(diagram, pack.known, node, readings)
    given = {node.id: set(given_by(node, pack.known)) for node in diagram.nodes.values()}
    yield from _types(diagram, pack.known, readings)
    ways = _ways(diagram, given)
    if pack.known:
        ways.gives[ways.start] = set(pack.known.values | pack.known.passed.get(diagram.key, frozenset()))
    may, must = _may(ways), _must(ways, set().union(*ways.gives.values()))
    for reading in readings:
        place = _in(reading.step)
        for name in sorted(reading.names):
            if name not in may.get(place, set()):
                # Without a pack nobody knows what a form, a check, a table or a start gives.
                make = warn if reading.passed else found
                yield from [make(reading.element, "value_never_given", value=name)] if pack.known else []
            elif name not in must.get(place, set()):
                yield warn(reading.element, "value_may_be_missing", value=name)


def _read(diagram: Diagram, known: Known | None, node: Node, readings: list[_Reading]) -> Iterator[Finding]:
    """Collect what a step and the flows out of it read; report what does not parse."""
    for flow in diagram.out_of(node.id):
        if flow.condition is not None and node.tag in {"exclusiveGateway", "inclusiveGateway"}:
            yield from _expression(node, flow.element, flow.condition, "bad_condition", readings)
    for definition in children(node.element, "timerEventDefinition"):
        for part in children(definition, "timeDate"):
            at = node.host or node.id
            yield from _expression(diagram.nodes.get(at, node), node.element, part.text or "", "bad_date", readings)
    for registered in extensions(node.element, "check"):
        for param in registered:
            yield from _expression(node, node.element, param.get("value") or "", "bad_param", readings)
    handed = {(part.get("from") or part.get("name") or "").strip() for part in extensions(node.element, "pass")}
    for names, passed in ((_names(node, known), False), (handed, True)):
        if names - {""}:
            names_read = frozenset(names - {""})
            readings.append(_Reading(step=node.id, element=node.element, names=names_read, passed=passed))


def _names(node: Node, known: Known | None) -> set[str]:
    """Give the names that a step needs by itself: of its list, its call table, its decision table."""
    names = set(_table_inputs(node, known)) if known else set()
    names.add((extension(node.element, "call") or {}).get("key", ""))
    for marker in children(node.element, "multiInstanceLoopCharacteristics"):
        names.add(list_and_item(node.element, marker)[0])
    return names


def _item(node: Node) -> set[str]:
    """Give the name of the list item that a multi-instance step has."""
    markers = children(node.element, "multiInstanceLoopCharacteristics")
    return {list_and_item(node.element, marker)[1] for marker in markers}


def _expression(
    node: Node,
    element: etree._Element,
    text: str,
    code: str,
    readings: list[_Reading],
) -> Iterator[Finding]:
    try:
        names = parse(text).names
    except BadExpression as problem:
        yield found(element, code, **_about(problem.code, problem.position, problem.params, text))
        return
    for doubt in check(text, names):
        yield warn(element, "doubtful_condition", **_about(doubt.code, doubt.position, doubt.params, text))
    read = frozenset(names)
    if "typename" in read:
        yield found(element, "reserved_name", name="typename")
    if read:
        readings.append(_Reading(step=node.id, element=element, names=read))


def _about(reason: str, position: int, params: Params, text: str) -> dict[str, str | int]:
    """Give the values for the text of a finding about an expression, those of the reason's own text included."""
    more = {name: value for name, value in params.items() if value is not None}
    return {**more, "reason": reason, "position": position + 1, "text": text.strip()}


def given_by(node: Node, known: Known | None) -> Iterator[str]:
    """Give the names of the values that a step may give to its run."""
    for part in extensions(node.element, "take"):
        yield part.get("name") or ""
    call = extension(node.element, "call")
    if call and call.get("result"):
        yield call["result"]
    if known is None:
        return
    form, registered, table = (extension(node.element, name) or {} for name in ("form", "check", "table"))
    yield from known.forms.get(form.get("key", ""), ())
    if registered.get("name") in known.checks:
        yield from known.checks[registered["name"]].values
    if table.get("key") in known.tables:
        yield from known.tables[table["key"]].outputs


def _types(diagram: Diagram, known: Known | None, readings: list[_Reading]) -> Iterator[Finding]:
    """Find decisions on what a person writes freely: such an answer never enters a run."""
    if known is None:
        return
    read = {name for reading in readings for name in reading.names}
    for node in diagram.of("userTask"):
        fields = known.forms.get((extension(node.element, "form") or {}).get("key", ""), {})
        for name in sorted(read & set(fields)):
            if fields[name] in {"text", "long", "phone"}:
                yield found(node.element, "free_text_decision", field=name)
            elif fields[name] not in TYPES_FOR_DECISIONS:
                yield found(node.element, "type_not_for_decisions", field=name, type=fields[name])


def _table_inputs(node: Node, known: Known) -> frozenset[str]:
    table = known.tables.get((extension(node.element, "table") or {}).get("key", ""))
    return table.inputs if table else frozenset()


def _in(node: str) -> str:
    return f"{node} in"


def _out(node: str) -> str:
    return f"{node} out"


def _ways(diagram: Diagram, given: dict[str, set[str]]) -> _Ways:
    """Build the graph; each step has a place before and a place after it, and gives its values between them."""
    ways = _Ways(start="start")
    for scope, nodes in diagram.scopes.items():
        entry = "start" if scope == diagram.key else _in(scope)
        for node in nodes:
            if node.tag == "startEvent":
                ways.edge(entry, _in(node.id))
            if node.tag == "endEvent" and scope != diagram.key and node.event != "error":
                ways.edge(_out(node.id), _out(scope))
            if node.id not in diagram.scopes:
                ways.edge(_in(node.id), _out(node.id))
            if node.tag == "parallelGateway":
                ways.joins.add(_in(node.id))
            ways.gives[_in(node.id)] = _item(node)
            ways.gives[_out(node.id)] = given[node.id]
            _boundary_ways(diagram, ways, node)
    for flow in diagram.flows.values():
        ways.edge(_out(flow.source), _in(flow.target))
    return ways


def _boundary_ways(diagram: Diagram, ways: _Ways, node: Node) -> None:
    """A boundary event sees what was there when its host was entered, and perhaps what was done inside."""
    for boundary in diagram.boundaries.get(node.id, ()):
        ways.edge(_in(node.id), _in(boundary.id))
        if node.id not in diagram.scopes:
            continue
        inside = [node.id]
        while inside:
            for inner in diagram.scopes.get(inside.pop(), ()):
                ways.edge(_out(inner.id), _in(boundary.id))
                inside.append(inner.id)


def _may(ways: _Ways) -> dict[str, set[str]]:
    """Give what may be there at each place: the union over the ways."""
    there: dict[str, set[str]] = {place: set() for place in ways.before}
    moved = True
    while moved:
        moved = False
        for place, sources in ways.before.items():
            new = set(ways.gives.get(place, ())).union(*(there[source] for source in sources))
            if new != there[place]:
                there[place], moved = new, True
    return there


def _must(ways: _Ways, everything: set[str]) -> dict[str, set[str]]:
    """Give what must be there at each place: the intersection over the ways, the union where all branches join."""
    there = {place: set(everything) for place in ways.before}
    moved = True
    while moved:
        moved = False
        for place, sources in ways.before.items():
            if place == ways.start or not sources:
                new = set(ways.gives.get(place, ()))
            else:
                arriving = [there[source] for source in sources]
                new = set.union(*arriving) if place in ways.joins else set.intersection(*arriving)
                new = new | ways.gives.get(place, set())
            if new != there[place]:
                there[place], moved = new, True
    return there
