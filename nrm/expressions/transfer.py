"""The tree as JSON, for the browser: arrays whose first item says what they are.

```
["lit", 5]  ["lit", {"$decimal": "2.5"}]  ["name", "family", "size"]  ["this"]  ["list", …]
["not", x]  ["neg", x]  ["and", …]  ["or", …]  ["compare", x, "<", y, …]  ["+", x, y]  ["call", "selected", …]
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from nrm.expressions.functions import FUNCTIONS
from nrm.expressions.limits import BOUND, DEPTH, LIST_LITERAL, LITERAL_LENGTH, PARTS
from nrm.expressions.mistakes import BadExpression
from nrm.expressions.parsing import parse
from nrm.expressions.tokens import is_name
from nrm.expressions.tree import (
    Arithmetic,
    Call,
    Compare,
    Constant,
    Expression,
    Junction,
    ListOf,
    Literal,
    Name,
    Negate,
    Node,
    Not,
    This,
)
from nrm.expressions.writing import written

Json: TypeAlias = str | int | bool | list["Json"] | dict[str, "Json"] | None
_DECIMAL = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,10}")
_SIGNS: Final = ("+", "-", "*", "/")
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in"})


def to_json(expression: Expression) -> list[Json]:
    """Give the tree of an expression as JSON values."""
    return _encoded(expression.tree)


def from_json(data: object, *, this: bool = False) -> Expression:
    """Read a tree from JSON values that nobody vouches for.

    Args:
        data: what a JSON parser gave.
        this: whether `["this"]` may stand in it.

    Raises:
        BadExpression: this is not the tree of any expression that `parse` would accept.
    """
    tree = _Decoder().node(data, 1)
    expression = parse(written(tree), this=this)
    if expression.tree != tree:
        raise _bad()
    return expression


def _encoded(node: Node) -> list[Json]:
    match node:
        case Literal(value=value):
            return ["lit", {"$decimal": format(value, "f")} if isinstance(value, Decimal) else value]
        case Name(path=path):
            return ["name", *path]
        case This():
            return ["this"]
        case ListOf(items=items):
            return ["list", *map(_encoded, items)]
        case Not(operand=operand) | Negate(operand=operand):
            return ["not" if isinstance(node, Not) else "neg", _encoded(operand)]
        case _:
            return _encoded_operation(node)


def _encoded_operation(node: Junction | Compare | Arithmetic | Call) -> list[Json]:
    match node:
        case Junction(word=word, operands=operands):
            return [word, *map(_encoded, operands)]
        case Compare(first=first, rest=rest):
            links: list[Json] = [part for sign, operand in rest for part in (sign, _encoded(operand))]
            return ["compare", _encoded(first), *links]
        case Arithmetic(sign=sign, left=left, right=right):
            return [sign, _encoded(left), _encoded(right)]
        case Call(function=function, arguments=arguments):
            return ["call", function, *map(_encoded, arguments)]


def _bad() -> BadExpression:
    return BadExpression("bad_tree")


class _Decoder:
    """Counts the parts while it reads, so that no input costs more than an expression may."""

    def __init__(self) -> None:
        self._parts = 0
        self._readers: Mapping[str, Callable[[list[object], int], Node]] = {
            "lit": self._literal,
            "name": self._name,
            "this": self._this,
            "list": self._list,
            "not": self._not,
            "neg": self._negate,
            "and": lambda rest, level: self._junction("and", rest, level),
            "or": lambda rest, level: self._junction("or", rest, level),
            "compare": self._compare,
            "call": self._call,
        }

    def node(self, data: object, level: int) -> Node:
        self._parts += 1
        if self._parts > 2 * PARTS or level > DEPTH:
            raise BadExpression("too_many_parts", limit=PARTS)
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise _bad()
        word, rest = data[0], data[1:]
        if word in _SIGNS and len(rest) == 2:
            return Arithmetic(word, self.node(rest[0], level + 1), self.node(rest[1], level + 1))
        reader = self._readers.get(word)
        if reader is None:
            raise _bad()
        return reader(rest, level + 1)

    def _all(self, items: list[object], level: int) -> tuple[Node, ...]:
        if len(items) > PARTS:
            raise BadExpression("too_many_parts", limit=PARTS)
        return tuple(self.node(item, level) for item in items)

    def _one(self, items: list[object], level: int) -> Node:
        if len(items) != 1:
            raise _bad()
        return self.node(items[0], level)

    def _literal(self, rest: list[object], _: int) -> Node:
        if len(rest) != 1:
            raise _bad()
        return Literal(_constant(rest[0]))

    def _name(self, rest: list[object], _: int) -> Node:
        path = tuple(part for part in rest if isinstance(part, str) and is_name(part))
        if not path or len(path) != len(rest) or len(path) > LIST_LITERAL:
            raise _bad()
        return Name(path)

    def _this(self, rest: list[object], _: int) -> Node:
        if rest:
            raise _bad()
        return This()

    def _list(self, rest: list[object], level: int) -> Node:
        return ListOf(self._all(rest, level))

    def _not(self, rest: list[object], level: int) -> Node:
        return Not(self._one(rest, level))

    def _negate(self, rest: list[object], level: int) -> Node:
        return Negate(self._one(rest, level))

    def _junction(self, word: str, rest: list[object], level: int) -> Node:
        if len(rest) < 2:
            raise _bad()
        return Junction(word, self._all(rest, level))

    def _compare(self, rest: list[object], level: int) -> Node:
        signs = [sign for sign in rest[1::2] if isinstance(sign, str) and sign in _COMPARISONS]
        if len(rest) < 3 or len(rest) % 2 == 0 or len(signs) != len(rest) // 2:
            raise _bad()
        first, *operands = self._all(rest[::2], level)
        return Compare(first, tuple(zip(signs, operands, strict=True)))

    def _call(self, rest: list[object], level: int) -> Node:
        if not rest or not isinstance(rest[0], str):
            raise _bad()
        if rest[0] not in FUNCTIONS:
            raise BadExpression("unknown_function", name=rest[0][:40])
        return Call(rest[0], self._all(rest[1:], level))


def _constant(value: object) -> Constant:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= LITERAL_LENGTH:
        return value
    if isinstance(value, int) and -BOUND < value < BOUND:
        return value
    if isinstance(value, dict) and set(value) == {"$decimal"} and isinstance(value["$decimal"], str):
        text = value["$decimal"]
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    raise _bad()
