"""Check what conditions compare questions with: a choice that the form offers, and a value of the same kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from nrm.engine.findings import Finding
from nrm.engine.lint.diagram import Diagram, Node, Pack, extension, extensions, found
from nrm.engine.lint.kinds import types_of_answers
from nrm.engine.lint.known import Known
from nrm.expressions import BadExpression, parse
from nrm.expressions.tree import Call, Compare, ListOf, Literal, Name, walk
from nrm.expressions.tree import Node as Part
from nrm.expressions.values import kind

_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("integer", "decimal", "money"), "number"),
    **dict.fromkeys(("yes_no", "acknowledge"), "boolean"),
    **dict.fromkeys(("date", "datetime"), "date"),
    "select_one": "text",
    "select_multiple": "list",
}
"""Type of a question → kind of its answer in the language of conditions."""
_ALIKE: Final = frozenset({"==", "!="})
_AMONG: Final = frozenset({"in", "not in"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is known of the values that only questions give.

    Attributes:
        kinds: value → kind of its answers, where all questions of that name have the same.
        types: value → type of its question, for people.
        choices: value → codes of the choices that some question of that name offers; not there when unknown.
    """

    kinds: Mapping[str, str]
    types: Mapping[str, str]
    choices: Mapping[str, frozenset[str]]


def check_comparisons(diagram: Diagram, pack: Pack) -> Iterator[Finding]:
    """Find comparisons with a choice that no form offers, and with values of another kind: none can ever be true."""
    if pack.known is None:
        return
    asked = _asked(diagram, pack.known)
    for element, text in _expressions(diagram):
        try:
            tree = parse(text).tree
        except BadExpression:
            continue
        for name, literal, sign in _comparisons(tree):
            yield from _judge(element, asked, name, literal, sign)


def _asked(diagram: Diagram, known: Known) -> _Asked:
    types = types_of_answers(diagram, known)
    kinds = {name: {_KINDS.get(one, "") for one in each} for name, each in types.items()}
    offered: dict[str, list[frozenset[str] | None]] = {}
    for node in diagram.nodes.values():
        key = (extension(node.element, "form") or {}).get("key", "")
        for name in known.forms.get(key, {}):
            offered.setdefault(name, []).append(known.choices.get(key, {}).get(name))
    return _Asked(
        kinds={name: next(iter(each)) for name, each in kinds.items() if len(each) == 1 and "" not in each},
        types={name: ", ".join(sorted(each)) for name, each in types.items()},
        choices={
            name: frozenset().union(*(codes for codes in each if codes is not None))
            for name, each in offered.items()
            if all(each)
        },
    )


def _expressions(diagram: Diagram) -> Iterator[tuple[etree._Element, str]]:
    """Give every expression of a diagram, with the element that it is shown at."""
    for node in diagram.nodes.values():
        yield from _conditions(diagram, node)
        for registered in extensions(node.element, "check"):
            for param in registered:
                yield node.element, param.get("value") or ""


def _conditions(diagram: Diagram, node: Node) -> Iterator[tuple[etree._Element, str]]:
    if node.tag in {"exclusiveGateway", "inclusiveGateway"}:
        for flow in diagram.out_of(node.id):
            if flow.condition is not None:
                yield flow.element, flow.condition


def _comparisons(tree: Part) -> Iterator[tuple[str, Literal, str]]:
    """Give each comparison of a value with something fixed: name, what it is compared with, and how."""
    for part in walk(tree):
        if isinstance(part, Compare):
            left = part.first
            for sign, right in part.rest:
                yield from _pair(left, right, sign)
                left = right
        elif isinstance(part, Call) and part.function == "selected" and len(part.arguments) > 1:
            yield from _pair(part.arguments[1], part.arguments[0], "in")


def _pair(left: Part, right: Part, sign: str) -> Iterator[tuple[str, Literal, str]]:
    if sign in _AMONG and isinstance(left, Name) and isinstance(right, ListOf):
        # A choice among several fixed ones: each of them is compared.
        yield from (found for item in right.items for found in _pair(left, item, "=="))
    elif isinstance(left, Name) and isinstance(right, Literal) and sign not in _AMONG and len(left.path) == 1:
        yield left.path[0], right, sign
    elif isinstance(right, Name) and isinstance(left, Literal) and len(right.path) == 1:
        yield right.path[0], left, sign


def _judge(element: etree._Element, asked: _Asked, name: str, literal: Literal, sign: str) -> Iterator[Finding]:
    """Say what is wrong with one comparison, if anything is."""
    own = asked.kinds.get(name)
    if own is None or literal.value is None:
        return
    shown = str(literal.value)[:80]
    if own not in {"list", "text"} or sign not in _AMONG:
        fits = own == kind(literal.value)
    else:
        # One choice among those that were chosen.
        fits = isinstance(literal.value, str)
    if not fits:
        yield found(element, "compared_with_other_kind", value=name, type=asked.types[name], found=shown)
    elif own in {"text", "list"} and name in asked.choices and literal.value not in asked.choices[name]:
        yield found(element, "choice_not_offered", value=name, choice=shown)
