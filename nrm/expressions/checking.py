"""Find what is wrong, or surely not meant, in an expression before anybody relies on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from nrm.expressions.evaluation import evaluate, is_missing_literal
from nrm.expressions.mistakes import BadExpression, ExpressionProblem
from nrm.expressions.parsing import parse
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
    walk,
)
from nrm.expressions.values import ORDERED, kind

_GIVES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        "abs age count count_selected days_between decimal int len month round sum year".split(),  # noqa: SIM905
        "number",
    ),
    **dict.fromkeys(("contains", "ends_with", "is_digits", "is_missing", "selected", "starts_with"), "boolean"),
    **dict.fromkeys(("concat", "lower", "text"), "text"),
    **dict.fromkeys(("add_days", "add_months", "date", "today"), "date"),
}


def check(text: str, names: Collection[str], *, this: bool = False) -> tuple[ExpressionProblem, ...]:
    """List the problems of an expression; an empty answer means that it can be used.

    Args:
        text: the expression.
        names: the top-level names that exist where it will be evaluated.
        this: whether `.` may stand for the value under test.

    Returns:
        Syntax errors, unknown functions and wrong numbers of arguments (the first of these only); or unknown names,
        comparisons that can never, or must always, be true, dates that do not exist, divisions by zero.
    """
    try:
        expression = parse(text, this=this)
    except BadExpression as mistake:
        return (ExpressionProblem(code=mistake.code, position=mistake.position, params=mistake.params),)
    return check_tree(expression.tree, names)


def check_tree(tree: Node, names: Collection[str]) -> tuple[ExpressionProblem, ...]:
    """List what is surely not meant in a tree, in the order of the text.

    Args:
        tree: a valid tree.
        names: the top-level names that exist.
    """
    found = [problem for node in walk(tree) for problem in _problems(node, names)]
    return tuple(sorted(found, key=lambda problem: problem.position))


def _problems(node: Node, names: Collection[str]) -> Iterator[ExpressionProblem]:
    if isinstance(node, Name) and node.path[0] not in names:
        yield ExpressionProblem(code="unknown_name", position=node.at, params={"name": node.path[0]})
    elif isinstance(node, Compare):
        left = node.first
        for sign, right in node.rest:
            yield from _comparison(left, sign, right)
            left = right
    elif isinstance(node, Arithmetic) and node.sign == "/" and node.right == Literal(0):
        yield ExpressionProblem(code="divides_by_zero", position=node.at)
    elif isinstance(node, Call) and node.function == "date":
        yield from _date(node)


def _date(node: Call) -> Iterator[ExpressionProblem]:
    argument = node.arguments[0]
    if isinstance(argument, Literal) and _value(node) is None:
        yield ExpressionProblem(code="not_a_date", position=argument.at, params={"found": str(argument.value)[:40]})


def _comparison(left: Node, sign: str, right: Node) -> Iterator[ExpressionProblem]:
    if _constant(left) and _constant(right):
        outcome = _value(Compare(left, ((sign, right),)))
        yield ExpressionProblem(code="always_true" if outcome else "never_true", position=_start(left))
    elif sign in ("==", "!="):
        if is_missing_literal(left) or is_missing_literal(right):
            return
        kinds = {_kind(left), _kind(right)}
        if len(kinds - {None}) > 1 or "list" in kinds:
            yield ExpressionProblem(code="never_true", position=_start(left))
    elif sign in ("in", "not in"):
        if is_missing_literal(left) or is_missing_literal(right) or (isinstance(right, ListOf) and not right.items):
            yield ExpressionProblem(code="never_true", position=_start(left))
    else:
        yield from _order(left, right)


def _order(left: Node, right: Node) -> Iterator[ExpressionProblem]:
    kinds = {_kind(left), _kind(right)} - {None}
    if is_missing_literal(left) or is_missing_literal(right):
        yield ExpressionProblem(code="never_true", position=_start(left))
    elif kinds - ORDERED:
        yield ExpressionProblem(code="no_order", position=_start(left))
    elif len(kinds) > 1:
        yield ExpressionProblem(code="never_true", position=_start(left))


def _start(node: Node) -> int:
    return min(part.at for part in walk(node))


def _constant(node: Node) -> bool:
    if isinstance(node, ListOf):
        return all(isinstance(item, Literal) for item in node.items)
    return isinstance(node, Literal)


def _value(node: Node) -> object:
    return evaluate(Expression("", node, frozenset()), {})


def _kind(node: Node) -> str | None:
    if isinstance(node, Literal):
        return kind(node.value)
    if isinstance(node, ListOf):
        return "list"
    if isinstance(node, Arithmetic | Negate):
        return "number"
    if isinstance(node, Not | Junction | Compare):
        return "boolean"
    return _GIVES.get(node.function) if isinstance(node, Call) else None
