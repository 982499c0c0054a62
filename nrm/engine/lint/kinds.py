"""Check that what must be a list can be one, and that what must be a date can be one: a run stops at anything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from nrm.engine.extensions import list_and_item
from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, children, definition, extension, found
from nrm.engine.lint.known import Known
from nrm.engine.lint.values import given_by
from nrm.expressions import BadExpression, parse
from nrm.expressions.tree import Arithmetic, Call, Compare, Junction, ListOf, Literal, Name, Negate, Not
from nrm.expressions.tree import Node as Part

_UNKNOWN: Final = "calculate"
"""Type of a question of which the answer can be anything."""
_LISTS: Final = frozenset({"select_multiple", _UNKNOWN})
_DATES: Final = frozenset({"date", "datetime", _UNKNOWN})
_DATED: Final = frozenset({"add_days", "add_months", "coalesce", "date", "if_", "max", "min", "today"})
"""Functions that can give a date."""
_EVENTS: Final = {
    "message": ("messageEventDefinition", "messageRef", "message", "name"),
    "signal": ("signalEventDefinition", "signalRef", "signal", "name"),
    "error": ("errorEventDefinition", "errorRef", "error", "errorCode"),
    "escalation": ("escalationEventDefinition", "escalationRef", "escalation", "escalationCode"),
}


def check_kinds(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find repeated steps over what is no list, timers at what is no date, and boundary events that stand twice."""
    types = {} if pack.known is None else types_of_answers(diagram, pack.known)
    for node in diagram.nodes.values():
        for marker in children(node.element, "multiInstanceLoopCharacteristics"):
            name = list_and_item(node.element, marker)[0]
            if name in types and not types[name] & _LISTS:
                yield found(node.element, "multi_not_a_list", value=name)
        for definition_of in children(node.element, "timerEventDefinition"):
            for date in children(definition_of, "timeDate"):
                if _is_no_date((date.text or "").strip(), types):
                    yield found(node.element, "timer_not_a_date", text=(date.text or "").strip())
    for boundaries in diagram.boundaries.values():
        yield from _twice(diagram, boundaries)


def types_of_answers(diagram: Diagram, known: Known) -> dict[str, frozenset[str]]:
    """Give the types of the questions that give a value, of those values that only questions give.

    Args:
        diagram: the path.
        known: the pack, whose forms ask.
    """
    types: dict[str, set[str]] = {}
    others = set(known.values | known.passed.get(diagram.key, frozenset()))
    for node in diagram.nodes.values():
        form = known.forms.get((extension(node.element, "form") or {}).get("key", ""), {})
        for name, kind in form.items():
            types.setdefault(name, set()).add(kind)
        given = Counter(given_by(node, known))
        given.subtract(form.keys())
        others |= set(+given)
    return {name: frozenset(kinds) for name, kinds in types.items() if name not in others}


def _is_no_date(text: str, types: dict[str, frozenset[str]]) -> bool:
    """Tell whether an expression can never be a date."""
    try:
        return _never_date(parse(text).tree, types)
    except BadExpression:
        return False


def _never_date(part: Part, types: dict[str, frozenset[str]]) -> bool:
    if isinstance(part, Name):
        return len(part.path) == 1 and part.path[0] in types and not types[part.path[0]] & _DATES
    if isinstance(part, Call):
        return part.function not in _DATED
    return isinstance(part, Arithmetic | Compare | Junction | ListOf | Literal | Negate | Not)


def _twice(diagram: Diagram, boundaries: list[Node]) -> Iterator[Finding]:
    """Find events at one step that wait for the same thing as an earlier one: it is not known which of them answers."""
    seen: set[tuple[str, str]] = set()
    for node in boundaries:
        what = _what(diagram, node)
        if what is None:
            continue
        if what in seen:
            yield found(node.element, "boundary_twice", event=what[0], name=what[1] or "*")
        seen.add(what)


def _what(diagram: Diagram, node: Node) -> tuple[str, str] | None:
    if node.event not in _EVENTS or len(node.events) != 1:
        return None
    part_name, attribute, element_name, value = _EVENTS[node.event]
    part = next(iter(children(node.element, part_name)), None)
    target = None if part is None else definition(diagram.root, element_name, part.get(attribute))
    if target is None:
        named = part is not None and bool(part.get(attribute))
        return None if named or node.event in {"message", "signal"} else (node.event, "")
    return node.event, (target.get(value) or "").strip()
