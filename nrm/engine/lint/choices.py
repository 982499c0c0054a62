"""Which ways out of a gateway can be taken, and whether several choices can be made in one and the same run.

Values are tried: for each name those that some condition compares it with, values just beside them, and none at all.
For conditions that only compare names with fixed values, what none of these makes true is never true; for others the
trial only proves what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations, product
from typing import Final, TypeAlias

from nrm.engine.lint.diagram import Diagram, Node
from nrm.engine.lint.known import Known
from nrm.engine.lint.values import given_by
from nrm.expressions import BadExpression, Expression, LimitExceeded, Value, evaluate, parse, truthy
from nrm.expressions.tree import Compare, Junction, ListOf, Literal, Name, Not
from nrm.expressions.tree import Node as Part

Ways: TypeAlias = tuple[str, ...]
"""Ids of the flows that a gateway takes at once."""
Event: TypeAlias = tuple[str, Ways]
"""A step that was passed, with the flows that it chose; none where nothing was chosen."""

MAX_SUBSETS: Final = 6
MAX_TRIALS: Final = 2_000
_TODAY: Final = date(2026, 1, 1)
_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_GIVING: Final = frozenset(
    {"userTask", "manualTask", "task", "serviceTask", "sendTask", "scriptTask", "businessRuleTask", "callActivity"}
)
_OTHER: Final = "\u0001"
_ANYTHING: Final[tuple[Value, ...]] = (None, True, False, 0, 1, 1000, _OTHER, (), (_OTHER,), _TODAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    flow: str
    condition: Expression | None
    default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gateway:
    """A gateway that asks: its ways in the order of the file; `exact` when the trial of values misses nothing."""

    ways: tuple[_Way, ...]
    several: bool
    names: tuple[str, ...]
    exact: bool

    def taken(self, values: Mapping[str, Value]) -> Ways:
        """Give the ways that are taken with these values."""
        true = []
        for way in self.ways:
            if way.condition is not None and _is_true(way.condition, values):
                true.append(way.flow)
                if not self.several:
                    break
        return tuple(true) or tuple(way.flow for way in self.ways if way.default)


class Choices:
    """The choices of one diagram."""

    def __init__(self, diagram: Diagram, known: Known | None) -> None:
        """Read every condition of a diagram."""
        self._diagram, self._known = diagram, known
        self._gateways = {
            node.id: gateway
            for node in diagram.nodes.values()
            if len(diagram.out_of(node.id)) > 1 and (gateway := _read(diagram, node)) is not None
        }
        self._values = _candidates(self._gateways.values())
        self._options: dict[str, tuple[tuple[Ways, ...], bool]] = {}

    def options(self, node: Node) -> tuple[tuple[Ways, ...], bool]:
        """Give the sets of flows that a choosing gateway can take, and whether these are surely all."""
        if node.id not in self._options:
            self._options[node.id] = self._find_options(node)
        return self._options[node.id]

    def _find_options(self, node: Node) -> tuple[tuple[Ways, ...], bool]:
        gateway = self._gateways.get(node.id)
        if gateway is not None and gateway.exact:
            trials = self._trials(gateway.names)
            if trials is not None:
                return tuple(sorted({taken for values in trials if (taken := gateway.taken(values))})), True
        flows = tuple(flow.id for flow in self._diagram.out_of(node.id))
        if node.tag != "inclusiveGateway":
            return tuple((flow,) for flow in flows), True
        most = len(flows) if len(flows) <= MAX_SUBSETS else 2
        sizes = sorted({*range(1, most + 1), len(flows)})
        return tuple(ways for size in sizes for ways in combinations(flows, size)), len(flows) <= MAX_SUBSETS

    def _trials(self, names: Sequence[str]) -> Iterator[dict[str, Value]] | None:
        """Give every combination of the values of some names; None when there are too many."""
        lists = [self._values.get(name, _ANYTHING) for name in names]
        count = 1
        for values in lists:
            count *= len(values)
        if count > MAX_TRIALS:
            return None
        return (dict(zip(names, each, strict=True)) for each in product(*lists))

    def together(self, events: Sequence[Event]) -> bool:
        """Tell whether some answers surely lead along these events: a witness was found.

        A value that is given anew between two choices may differ in them.
        """
        versions: dict[str, int] = {}
        asked: list[tuple[_Gateway, Ways, dict[str, str]]] = []
        seen: set[str] = set()
        worked = False
        for step, ways in events:
            gateway = self._gateways.get(step)
            if ways and gateway is not None:
                if self._known is None and step in seen and worked:
                    # Nobody knows what gives the values; a person has answered since this was asked before.
                    versions = {name: versions.get(name, 0) + 1 for name in {*versions, *self._values}}
                    seen.clear()
                seen.add(step)
                worked = False
                asked.append((gateway, ways, {name: f"{name}#{versions.get(name, 0)}" for name in gateway.names}))
                continue
            node = self._diagram.nodes[step]
            worked = worked or node.tag.endswith(("Task", "task", "Activity", "subProcess", "CatchEvent"))
            for name in given_by(node, self._known) if self._known is not None else ():
                versions[name] = versions.get(name, 0) + 1
        return self._solve(asked)

    def asks(self, node: Node) -> frozenset[str] | None:
        """Give the values that a gateway asks; None when it may choose otherwise although none of them has changed."""
        gateway = self._gateways.get(node.id)
        return None if gateway is None or not gateway.exact else frozenset(gateway.names)

    def gives(self, node: Node) -> frozenset[str] | None:
        """Give the values that a step may give; None when that may be any."""
        if self._known is None and node.tag in _GIVING:
            return None
        return frozenset(given_by(node, self._known))

    def _solve(self, asked: list[tuple[_Gateway, Ways, dict[str, str]]]) -> bool:
        """Look for one value of each name that makes every gateway choose as it did."""
        left = [MAX_TRIALS * 5]

        def search(place: int, known: dict[str, Value]) -> bool:
            if place == len(asked):
                return True
            gateway, ways, places = asked[place]
            open_names = [name for name in gateway.names if places[name] not in known]
            for each in product(*(self._values.get(name, _ANYTHING) for name in open_names)):
                left[0] -= 1
                if left[0] < 0:
                    return False
                tried = known | {places[name]: value for name, value in zip(open_names, each, strict=True)}
                values = {name: tried[places[name]] for name in gateway.names}
                if gateway.taken(values) == ways and search(place + 1, tried):
                    return True
            return False

        return search(0, {})


def _read(diagram: Diagram, node: Node) -> _Gateway | None:
    """Read the conditions of a choosing gateway; None when one is missing or cannot be read: then anything may be."""
    if node.tag not in {"exclusiveGateway", "inclusiveGateway"}:
        return None
    default = node.element.get("default")
    ways: list[_Way] = []
    for flow in diagram.out_of(node.id):
        condition = None
        if flow.id != default:
            try:
                condition = parse(flow.condition or "")
            except BadExpression:
                return None
        ways.append(_Way(flow=flow.id, condition=condition, default=flow.id == default))
    conditions = [way.condition for way in ways if way.condition is not None]
    names = sorted({name for condition in conditions for name in condition.names})
    return _Gateway(
        ways=tuple(ways),
        several=node.tag == "inclusiveGateway",
        names=tuple(names),
        exact=all(_is_exact(condition.tree) for condition in conditions),
    )


def _is_exact(part: Part) -> bool:
    """Tell whether an expression only compares names with fixed values."""
    match part:
        case Not(operand=inner):
            return _is_exact(inner)
        case Junction(operands=parts):
            return all(map(_is_exact, parts))
        case Compare(first=Name(path=(_,)), rest=((sign, other),)):
            fixed = _fixed(other)
            return fixed is not None and (sign not in _ORDER or all(map(_is_number, fixed)))
        case Compare(first=Literal(value=value), rest=((sign, Name(path=(_,))),)):
            return sign not in _ORDER or _is_number(value)
    return isinstance(part, Literal) or (isinstance(part, Name) and len(part.path) == 1)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _fixed(part: Part) -> tuple[Value, ...] | None:
    """Give the fixed values of a literal or of a list of literals."""
    match part:
        case Literal(value=value):
            return (value,)
        case ListOf(items=items):
            inner = [_fixed(item) for item in items]
            return None if any(each is None for each in inner) else tuple(v for each in inner if each for v in each)
    return None


def _candidates(gateways: Iterable[_Gateway]) -> dict[str, tuple[Value, ...]]:
    """Give the values worth trying for each name that a condition reads."""
    met: dict[str, list[Value]] = {}
    for gateway in gateways:
        for way in gateway.ways:
            if way.condition is not None:
                for name in way.condition.names:
                    met.setdefault(name, [])
                _collect(way.condition.tree, met)
    return {name: _around(values) for name, values in met.items()}


def _collect(part: Part, met: dict[str, list[Value]]) -> None:
    match part:
        case Compare(first=Name(path=(name, *_)), rest=((_, other), *_)):
            met.setdefault(name, []).extend(_fixed(other) or ())
        case Compare(first=Literal(value=value), rest=((_, Name(path=(name, *_))), *_)):
            met.setdefault(name, []).append((value,))
        case Name(path=(name, *_)):
            met.setdefault(name, []).extend((True, False))
        case Not(operand=inner):
            _collect(inner, met)
        case Junction(operands=parts):
            for each in parts:
                _collect(each, met)


def _around(values: list[Value]) -> tuple[Value, ...]:
    """Give the values, values beside them, one of each other sort, and none."""
    found: list[Value] = [None, True, False, _OTHER]
    within = [value[0] for value in values if isinstance(value, tuple)]
    for size in range(min(len(within), 4) + 1 if within else 0):
        found += [tuple(each) for each in combinations(within[:8], size)]
    for value in values:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):  # as _is_number, for the type checker
            found += [value - 1, value, value + 1, value + Decimal("0.5")]
        elif not isinstance(value, tuple):
            found.append(value)
    if not values:
        found += _ANYTHING
    unique: dict[str, Value] = {repr(value): value for value in found}
    return tuple(unique.values())


def _is_true(condition: Expression, values: Mapping[str, Value]) -> bool:
    try:
        return truthy(evaluate(condition, values, today=_TODAY))
    except LimitExceeded:
        return False
