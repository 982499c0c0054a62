"""Write an expression in the words of XLSForm (XPath 1.0 with the functions of the ODK XForms specification).

XPath reads an empty answer as an empty text, so that `${a} != 'x'` holds for a missing answer; here it does not.
Where the two would differ the export adds the guard that makes them agree: `${a} != '' and ${a} != 'x'`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nrm.expressions.evaluation import is_missing_literal
from nrm.expressions.functions import CAPITALS, SMALL
from nrm.expressions.mistakes import BadExpression
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
from nrm.expressions.writing import constant

LENGTH: Final = 20_000
"""Characters of an exported expression: guards repeat what they guard."""

TEMPLATES: Final[Mapping[str, str]] = {
    "age": "int((number(format-date({1}, '%Y%m%d')) - number(format-date({0}, '%Y%m%d'))) div 10000)",
    "year": "int(format-date({0}, '%Y'))",
    "month": "int(format-date({0}, '%m'))",
    "days_between": "int(decimal-date-time({1}) - decimal-date-time({0}))",
    "add_days": "date(decimal-date-time({0}) + {1})",
    "lower": f"translate({{0}}, '{CAPITALS}', '{SMALL}')",
    "is_digits": "regex({0}, '^[0-9٠-٩۰-۹]+$')",
    "divide": "if({1} != 0, {0} div {1}, '')",
}
"""What has no function of its own in XLSForm; the import knows these shapes again."""

FUNCTION_NAMES: Final[Mapping[str, str]] = {
    "abs": "abs",
    "concat": "concat",
    "contains": "contains",
    "count_selected": "count-selected",
    "date": "date",
    "decimal": "number",
    "ends_with": "ends-with",
    "if_": "if",
    "int": "int",
    "len": "string-length",
    "max": "max",
    "min": "min",
    "selected": "selected",
    "starts_with": "starts-with",
    "text": "string",
    "today": "today",
}
_BOOLEAN: Final = frozenset({"contains", "ends_with", "is_digits", "is_missing", "selected", "starts_with"})
_NUMERIC: Final = frozenset({"abs", "age", "count", "count_selected", "days_between", "decimal", "int", "len", "round"})


def to_xlsform(expression: Expression) -> str:
    """Write an expression for XLSForm's `relevant`, `constraint` and `calculation` columns.

    Raises:
        BadExpression: XLSForm cannot say it ("not_in_xlsform": add_months, a list outside `in`, a sum of what is no
            number, a text with "${" in it, or an export beyond 20,000 characters).
    """
    text = _write(expression.tree)
    return text[1:-1] if _is_bracketed(text) else text


def _is_bracketed(text: str) -> bool:
    depth, quote = 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0 and at < len(text) - 1:
                return False
        elif depth == 0:
            return False
    return text.startswith("(")


def _refuse(node: Node, what: str) -> BadExpression:
    return BadExpression("not_in_xlsform", node.at, what=what)


def _write(node: Node) -> str:
    text = _WRITERS[type(node)](node)
    if len(text) > LENGTH:
        raise _refuse(node, "length")
    return text


def _literal(node: Literal) -> str:
    value: Constant = node.value
    if value is None:
        return "''"
    if isinstance(value, bool):
        return "true()" if value else "false()"
    if not isinstance(value, str):
        return constant(value)
    if "${" in value:
        raise _refuse(node, "${")
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    return "concat(" + ', "\'", '.join(f"'{part}'" for part in value.split("'")) + ")"


def _name(node: Name) -> str:
    return "${" + ".".join(node.path) + "}"


def _list(node: ListOf) -> str:
    raise _refuse(node, "list")


def _not(node: Not) -> str:
    return f"not({_write(node.operand)})"


def _negate(node: Negate) -> str:
    return f"(-{_write(node.operand)})"


def _joined(word: str, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else "(" + f" {word} ".join(parts) + ")"


def _junction(node: Junction) -> str:
    return _joined(node.word, [_write(part) for part in node.operands])


def _compare(node: Compare) -> str:
    operands = [node.first, *(operand for _, operand in node.rest)]
    return _joined("and", [_pair(left, sign, right) for left, (sign, right) in zip(operands, node.rest, strict=False)])


def never_missing(node: Node) -> bool:
    """Say whether a node has a value whatever the answers are."""
    if isinstance(node, Call):
        return node.function in _BOOLEAN
    return isinstance(node, Compare | Not | Junction) or (isinstance(node, Literal) and not is_missing_literal(node))


def _pair(left: Node, sign: str, right: Node) -> str:
    if is_missing_literal(left) or is_missing_literal(right):
        if sign not in ("==", "!="):
            return "false()"
        return f"({_write(left)} {'=' if sign == '==' else '!='} {_write(right)})"
    if sign in ("in", "not in"):
        return _membership(left, sign, right)
    if sign == "==":
        return _equality(left, right)
    if sign == "!=":
        return _joined("and", [*_guards((left, right)), f"({_write(left)} != {_write(right)})"])
    return f"({_write(left)} {sign} {_write(right)})"


def _guards(nodes: tuple[Node, ...]) -> list[str]:
    return [f"{_write(node)} != ''" for node in nodes if not never_missing(node)]


def _equality(left: Node, right: Node) -> str:
    same = f"{_write(left)} = {_write(right)}"
    if never_missing(left) or never_missing(right):
        return f"({same})"
    return f"({_write(left)} != '' and {same})"


def _membership(left: Node, sign: str, right: Node) -> str:
    if not isinstance(right, ListOf):
        chosen = f"selected({_write(right)}, {_write(left)})"
        if sign == "in":
            return chosen
        return _joined("and", [*_guards((left, right)), f"not({chosen})"])
    items = [item for item in right.items if not is_missing_literal(item)]
    if not items:
        return "false()"
    anyone = _joined("or", [_equality(left, item) for item in items])
    if sign == "in":
        return anyone
    there = [] if any(map(never_missing, items)) else [_joined("or", [f"{_write(item)} != ''" for item in items])]
    return _joined("and", [*_guards((left,)), *there, f"not({anyone})"])


def _arithmetic(node: Arithmetic) -> str:
    left, right = _write(node.left), _write(node.right)
    if node.sign != "/":
        return f"({left} {node.sign} {right})"
    if isinstance(node.right, Literal) and node.right.value != 0 and never_missing(node.right):
        return f"({left} div {right})"
    return TEMPLATES["divide"].format(left, right)


def _call(node: Call) -> str:
    special = _SPECIAL.get(node.function)
    if special is not None:
        return special(node)
    if node.function in TEMPLATES:
        arguments = [_write(argument) for argument in node.arguments]
        return TEMPLATES[node.function].format(*arguments, "today()")
    if node.function not in FUNCTION_NAMES:
        raise _refuse(node, node.function)
    return f"{FUNCTION_NAMES[node.function]}({', '.join(map(_write, node.arguments))})"


def _selected(node: Call) -> str:
    values, code = node.arguments
    if is_missing_literal(values) or is_missing_literal(code):
        return "false()"
    return _membership(code, "in", values)


def _coalesce(node: Call) -> str:
    *firsts, last = map(_write, node.arguments)
    text = last if firsts else f"coalesce({last}, '')"
    for first in reversed(firsts):
        text = f"coalesce({first}, {text})"
    return text


def _round(node: Call) -> str:
    places = _write(node.arguments[1]) if len(node.arguments) == 2 else "0"
    return f"round({_write(node.arguments[0])}, {places})"


def _spread(node: Call) -> list[Node]:
    found: list[Node] = []
    for argument in node.arguments:
        found.extend(argument.items if isinstance(argument, ListOf) else (argument,))
    if not found:
        raise _refuse(node, "list")
    return found


def _sum(node: Call) -> str:
    return _joined("+", [_summand(item) for item in _spread(node)])


def _summand(node: Node) -> str:
    if isinstance(node, Name):
        return f"sum({_write(node)})"
    if isinstance(node, Arithmetic | Negate | Literal) or (isinstance(node, Call) and node.function in _NUMERIC):
        return f"coalesce({_write(node)}, 0)"
    raise _refuse(node, "sum")


def _extreme(node: Call) -> str:
    return f"{node.function}({', '.join(map(_write, _spread(node)))})"


def _count(node: Call) -> str:
    if not isinstance(node.arguments[0], Name):
        raise _refuse(node, "count")
    return f"count({_write(node.arguments[0])})"


def _is_missing(node: Call) -> str:
    return f"({_write(node.arguments[0])} = '')"


_SPECIAL: Final[Mapping[str, Callable[[Call], str]]] = {
    "coalesce": _coalesce,
    "count": _count,
    "is_missing": _is_missing,
    "max": _extreme,
    "min": _extreme,
    "round": _round,
    "selected": _selected,
    "sum": _sum,
}
_WRITERS: Final[Mapping[type, Callable[..., str]]] = {
    Literal: _literal,
    Name: _name,
    This: lambda _: ".",
    ListOf: _list,
    Not: _not,
    Negate: _negate,
    Junction: _junction,
    Compare: _compare,
    Arithmetic: _arithmetic,
    Call: _call,
}
