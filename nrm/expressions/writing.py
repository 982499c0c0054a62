"""From tree to text: `parse(written(tree)).tree == tree` for every tree that `parse` makes."""

from __future__ import annotations

from decimal import Decimal

from nrm.expressions.tree import (
    Arithmetic,
    Call,
    Compare,
    Constant,
    Junction,
    ListOf,
    Literal,
    Name,
    Negate,
    Node,
    Not,
    This,
)

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _MINUS, _PRIMARY = range(1, 9)


def written(node: Node, *, this: str = ".") -> str:
    """Write a tree as an expression.

    Args:
        node: the tree.
        this: the sign for the value under test.
    """
    return _write(node, _OR, this)


def constant(value: Constant) -> str:
    """Write a literal."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _write(node: Node, least: int, this: str) -> str:
    text, level = _text(node, this)
    return text if level >= least else f"({text})"


def _text(node: Node, this: str) -> tuple[str, int]:
    match node:
        case Literal(value=value):
            return constant(value), _PRIMARY
        case Name(path=path):
            return ".".join(path), _PRIMARY
        case ListOf(items=items):
            return f"[{_joined(items, this)}]", _PRIMARY
        case Call(function=function, arguments=arguments):
            return f"{function}({_joined(arguments, this)})", _PRIMARY
        case This():
            return this, _PRIMARY
        case _:
            return _operation(node, this)


def _operation(node: Not | Negate | Junction | Compare | Arithmetic, this: str) -> tuple[str, int]:
    if isinstance(node, Not):
        return f"not {_write(node.operand, _NOT, this)}", _NOT
    if isinstance(node, Negate):
        return f"-{_write(node.operand, _MINUS, this)}", _MINUS
    if isinstance(node, Junction):
        level = _AND if node.word == "and" else _OR
        return f" {node.word} ".join(_write(part, level + 1, this) for part in node.operands), level
    if isinstance(node, Compare):
        links = "".join(f" {sign} {_write(operand, _SUM, this)}" for sign, operand in node.rest)
        return _write(node.first, _SUM, this) + links, _COMPARE
    level = _SUM if node.sign in "+-" else _PRODUCT
    return f"{_write(node.left, level, this)} {node.sign} {_write(node.right, level + 1, this)}", level


def _joined(nodes: tuple[Node, ...], this: str) -> str:
    return ", ".join(_write(node, _OR, this) for node in nodes)
