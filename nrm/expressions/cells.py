"""The cells of decision tables: DMN's unary tests, over the same values and functions.

`-` or nothing: anything, also a missing value · `"x"`, `5`, `name`: equal · `>= 5` · `[1..5]`, `(1..5]`, `]1..5[` ·
a comma list: any of them · `not(…)`: there is a value and none of them · an expression with `?`: `? > 3 and x == 1`.
(OMG DMN 1.5, 9.2 "Unary tests"; `true`, `false` and `null` may be written as there.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from nrm.expressions.evaluation import evaluate
from nrm.expressions.mistakes import BadExpression
from nrm.expressions.parsing import Reader
from nrm.expressions.tokens import tokens_of
from nrm.expressions.tree import Compare, Expression, Junction, Literal, Node, Not, This, Value, names_of, walk
from nrm.expressions.writing import written

_ORDER: Final = ("<", "<=", ">", ">=", "==", "!=")


@dataclass(frozen=True, slots=True)
class Cell:
    """A valid cell.

    Attributes:
        text: as it was written.
        test: what must hold, with the input as "this value"; None when anything will do.
        names: the top-level names that it reads besides the input.
    """

    text: str
    test: Expression | None
    names: frozenset[str]


def parse_cell(text: str) -> Cell:
    """Read a cell of a decision table's input.

    Args:
        text: at most 2,000 characters.

    Raises:
        BadExpression: not a unary test of the language; code and position say why and where.
    """
    reader = Reader(tokens_of(text), this="?", cell=True)
    kinds = [token.text for token in reader.tokens]
    if kinds in ([""], ["-", ""]):
        return Cell(text, None, frozenset())
    tree = _negation(reader) if _is_negation(reader) else _any_of(reader)
    reader.end()
    names = names_of(tree)
    return Cell(text, Expression(written(tree, this="?"), tree, names), names)


def match_cell(cell: Cell, value: Value, scope: Mapping[str, Value], *, today: date | None = None) -> bool:
    """Say whether a value fits a cell.

    Args:
        cell: from `parse_cell`.
        value: the value of the column's input; None when it is missing.
        scope: other values by name.
        today: the date that `today()` gives.

    Raises:
        LimitExceeded: a text or list is too long. Nothing else, whatever the data.
    """
    return cell.test is None or evaluate(cell.test, scope, today=today, this=value) is True


def _is_negation(reader: Reader) -> bool:
    """Say whether `not(` opens the cell and its bracket closes it."""
    signs = [(token.kind, token.text) for token in reader.tokens]
    if signs[:2] != [("word", "not"), ("sign", "(")]:
        return False
    depth = 0
    for at, (kind, text) in enumerate(signs):
        depth += {"(": 1, ")": -1}.get(text, 0) if kind == "sign" else 0
        if at and depth == 0:
            return at == len(signs) - 2
    return False


def _negation(reader: Reader) -> Node:
    reader.advance()
    reader.expect("(")
    inner = _any_of(reader)
    reader.expect(")")
    return Junction("and", (Compare(This(), (("!=", Literal(None)),)), Not(inner)))


def _any_of(reader: Reader) -> Node:
    tests = [_one(reader)]
    while reader.sees(","):
        reader.advance()
        tests.append(_one(reader))
    return tests[0] if len(tests) == 1 else Junction("or", tuple(tests))


def _one(reader: Reader) -> Node:
    if reader.now.kind == "sign" and reader.now.text in _ORDER:
        sign = reader.advance()
        return Compare(This(sign.at), ((sign.text, reader.sum()),), sign.at)
    if _is_range(reader):
        return _range(reader)
    node = reader.expression()
    if any(isinstance(part, This) for part in walk(node)):
        # A comparison already gives True or False; anything else counts by its truth, as in `and`.
        return Not(Not(node))
    return _equal(node)


def _equal(node: Node) -> Node:
    if isinstance(node, Literal):
        return Compare(This(node.at), (("==", node),), node.at)
    # `in` also takes a list, and one value as a list of one.
    return Compare(This(node.at), (("in", node),), node.at)


def _is_range(reader: Reader) -> bool:
    if not reader.sees("[", "(", "]"):
        return False
    depth = 0
    for token in reader.tokens[reader.place + 1 :]:
        if token.kind != "sign":
            continue
        if token.text == ".." and depth == 0:
            return True
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if depth < 0 or (depth == 0 and token.text == ","):
            return False
    return False


def _range(reader: Reader) -> Node:
    opened = reader.advance()
    low = reader.sum()
    reader.expect("..")
    high = reader.sum()
    if not reader.sees("]", ")", "["):
        raise reader.unexpected()
    closed = reader.advance()
    if Literal(None) in (low, high):
        raise BadExpression("unexpected", opened.at, found="None")
    above = ">=" if opened.text == "[" else ">"
    below = "<=" if closed.text == "]" else "<"
    this = This(opened.at)
    return Junction("and", (Compare(this, ((above, low),)), Compare(this, ((below, high),))), opened.at)
