"""Evaluate an expression: its tree becomes nested closures once, which are kept for the next evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeAlias

from nrm.expressions.functions import FUNCTIONS
from nrm.expressions.limits import VALUE_ITEMS
from nrm.expressions.mistakes import LimitExceeded
from nrm.expressions.tree import (
    Arithmetic,
    Call,
    Compare,
    Expression,
    Junction,
    ListOf,
    Literal,
    Name,
    Negate,
    Node,
    Not,
    This,
    Value,
)
from nrm.expressions.values import (
    ORDERED,
    Known,
    Situation,
    add,
    contains,
    divide,
    equal,
    kind,
    multiply,
    negate,
    pack,
    plain,
    read,
    subtract,
)

Compiled: TypeAlias = Callable[[Situation], Known]
Test: TypeAlias = Callable[[Known, Known, Situation], bool]


def evaluate(
    expression: Expression, scope: Mapping[str, Value], *, today: date | None = None, this: Value = None
) -> Value:
    """Work out an expression.

    Args:
        expression: from `parse`, `from_json` or `from_xlsform`.
        scope: values by name; a dotted name looks into mappings, and into each mapping of a list.
        today: the date that `today()` and `age()` use; without it they are missing.
        this: the value that `.` stands for.

    Returns:
        A bool, int, Decimal, str, date, a tuple of these, or None for missing. A whole number is an int.

    Raises:
        LimitExceeded: a text or list is too long, or there is too much to look at. Nothing else, whatever the data.
    """
    program = expression.program
    if program.run is None:
        program.run = compile_node(expression.tree)
    return plain(program.run(Situation(scope, this, today)))  # type: ignore[arg-type] # only this module sets it


def compile_node(node: Node) -> Compiled:
    """Turn a node and what is below it into one closure."""
    maker = _MAKERS[type(node)]
    return maker(node)


def _literal(node: Literal) -> Compiled:
    value: Known = node.value if node.value != "" else None
    return lambda _: value


def _name(node: Name) -> Compiled:
    first, rest = node.path[0], node.path[1:]
    if not rest:
        return lambda situation: read(situation.scope.get(first), situation)
    return lambda situation: read(_inside(situation.scope.get(first), rest, situation), situation)


def _inside(value: object, path: tuple[str, ...], situation: Situation) -> object:
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple):
            if len(value) > VALUE_ITEMS:
                raise LimitExceeded("list_value_too_long", limit=VALUE_ITEMS)
            situation.spend(len(value))
            value = [item.get(part) for item in value if isinstance(item, Mapping)]
        else:
            return None
    return value


def _this(_: This) -> Compiled:
    return lambda situation: read(situation.this, situation)


def _list(node: ListOf) -> Compiled:
    parts = tuple(map(compile_node, node.items))

    def made(situation: Situation) -> Known:
        situation.spend(len(parts))
        values = (part(situation) for part in parts)
        return pack(None if isinstance(value, tuple) else value for value in values)

    return made


def _not(node: Not) -> Compiled:
    operand = compile_node(node.operand)
    return lambda situation: not operand(situation)


def _negate(node: Negate) -> Compiled:
    operand = compile_node(node.operand)
    return lambda situation: negate(operand(situation))


def _junction(node: Junction) -> Compiled:
    parts = tuple(map(compile_node, node.operands))

    def both(situation: Situation) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would cost a third more
            if not part(situation):
                return False
        return True

    def either(situation: Situation) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would cost a third more
            if part(situation):
                return True
        return False

    return both if node.word == "and" else either


def _equals(left: Known, right: Known, situation: Situation) -> bool:
    return equal(left, right, situation) is True


def _differs(left: Known, right: Known, situation: Situation) -> bool:
    return equal(left, right, situation) is False


def _is_in(left: Known, right: Known, situation: Situation) -> bool:
    return contains(right, left, situation) is True


def _is_not_in(left: Known, right: Known, situation: Situation) -> bool:
    return contains(right, left, situation) is False


def _ordered(left: Known, right: Known) -> bool:
    common = kind(left)
    return common in ORDERED and common == kind(right)


def _less(left: Known, right: Known, _: Situation) -> bool:
    return _ordered(left, right) and left < right  # type: ignore[operator] # one ordered kind


def _at_most(left: Known, right: Known, _: Situation) -> bool:
    return _ordered(left, right) and left <= right  # type: ignore[operator] # one ordered kind


def _greater(left: Known, right: Known, _: Situation) -> bool:
    return _ordered(left, right) and left > right  # type: ignore[operator] # one ordered kind


def _at_least(left: Known, right: Known, _: Situation) -> bool:
    return _ordered(left, right) and left >= right  # type: ignore[operator] # one ordered kind


def _is_missing(left: Known, right: Known, _: Situation) -> bool:
    return left is None and right is None


def _is_there(left: Known, right: Known, _: Situation) -> bool:
    return (left is None) is not (right is None)


TESTS: Final[Mapping[str, Test]] = {
    "==": _equals,
    "!=": _differs,
    "<": _less,
    "<=": _at_most,
    ">": _greater,
    ">=": _at_least,
    "in": _is_in,
    "not in": _is_not_in,
}


def is_missing_literal(node: Node) -> bool:
    """Say whether a node is None, or the empty text, which means the same."""
    return isinstance(node, Literal) and (node.value is None or node.value == "")


def _test(sign: str, left: Node, right: Node) -> Test:
    if is_missing_literal(left) or is_missing_literal(right):
        return {"==": _is_missing, "!=": _is_there}.get(sign, TESTS[sign])
    return TESTS[sign]


def _compare(node: Compare) -> Compiled:
    operands = (node.first, *(operand for _, operand in node.rest))
    pairs = zip(operands, node.rest, strict=False)
    links = tuple((_test(sign, left, right), compile_node(right)) for left, (sign, right) in pairs)
    first = compile_node(node.first)
    if len(links) == 1:
        test, only = links[0]
        return lambda situation: test(first(situation), only(situation), situation)

    def chain(situation: Situation) -> bool:
        left = first(situation)
        for test, operand in links:
            right = operand(situation)
            if not test(left, right, situation):
                return False
            left = right
        return True

    return chain


_SIGNS: Final = {"+": add, "-": subtract, "*": multiply, "/": divide}


def _arithmetic(node: Arithmetic) -> Compiled:
    left, right, work = compile_node(node.left), compile_node(node.right), _SIGNS[node.sign]
    return lambda situation: work(left(situation), right(situation))


def _call(node: Call) -> Compiled:
    operation = FUNCTIONS[node.function].operation
    parts = tuple(map(compile_node, node.arguments))
    return lambda situation: operation(situation, *[part(situation) for part in parts])


_MAKERS: Final[Mapping[type, Callable[..., Compiled]]] = {
    Literal: _literal,
    Name: _name,
    This: _this,
    ListOf: _list,
    Not: _not,
    Negate: _negate,
    Junction: _junction,
    Compare: _compare,
    Arithmetic: _arithmetic,
    Call: _call,
}
