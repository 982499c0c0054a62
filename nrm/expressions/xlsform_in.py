"""Read an expression from the words of XLSForm, with the meaning that XLSForm gives it.

An unguarded `${a} != 'x'` holds in XLSForm for a missing answer, so it becomes `a == None or a != 'x'`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, TypeGuard

from nrm.expressions.limits import BRACKETS, DEPTH, PARTS
from nrm.expressions.mistakes import BadExpression
from nrm.expressions.parsing import parse
from nrm.expressions.tokens import is_name
from nrm.expressions.tree import (
    Arithmetic,
    Call,
    Compare,
    Expression,
    Junction,
    Literal,
    Name,
    Negate,
    Node,
    Not,
    This,
    children,
)
from nrm.expressions.writing import written
from nrm.expressions.xlsform_out import FUNCTION_NAMES, LENGTH, TEMPLATES, never_missing

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<name>\$\{[^{}]{1,200}\})|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<word>[A-Za-z_][A-Za-z_-]*)|(?P<sign>!=|<=|>=|[=<>+*(),.-]))"
)
_FUNCTIONS: Final[Mapping[str, str]] = {xlsform: ours for ours, xlsform in FUNCTION_NAMES.items()} | {"count": "count"}
_MISSING: Final = Literal(None)
_EMPTY: Final = Literal("")


def from_xlsform(text: str, *, this: bool = True) -> Expression:
    """Read what an XLSForm column holds.

    Args:
        text: an expression of the `relevant`, `constraint` or `calculation` column; at most 20,000 characters.
        this: whether `.` may stand for the value under test.

    Returns:
        The expression in our words; its `text` is written anew.

    Raises:
        BadExpression: not XPath, or something that this language has no word for ("not_from_xlsform").
    """
    if not isinstance(text, str):
        raise BadExpression("not_text")
    if len(text) > LENGTH:
        raise BadExpression("too_long", LENGTH, limit=LENGTH)
    xpath = _XPath(text).whole()
    return parse(written(_Translation().of(xpath)), this=this)


class _XPath:
    """Reads the subset of XPath that XLSForm authors write; functions keep their XLSForm names, `=` and `div` too."""

    def __init__(self, text: str) -> None:
        self._tokens = self._cut(text)
        self._place = 0
        self._nesting = 0
        self._parts = 0

    @staticmethod
    def _cut(text: str) -> list[tuple[str, str, int]]:
        tokens, at, end = [], 0, len(text.rstrip(" \t\r\n"))
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise BadExpression("bad_character", at, character=f"U+{ord(text[at]):04X}")
            tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return [*tokens, ("end", "", end)]

    def whole(self) -> Node:
        node = self._chain(0)
        if self._tokens[self._place][0] != "end":
            raise self._unexpected()
        return node

    def _unexpected(self) -> BadExpression:
        kind, text, at = self._tokens[self._place]
        return BadExpression("ends_too_early" if kind == "end" else "unexpected", at, found=text[:40])

    def _sees(self, *texts: str) -> bool:
        kind, text, _ = self._tokens[self._place]
        return kind in ("sign", "word") and text in texts

    def _take(self) -> tuple[str, str, int]:
        token = self._tokens[self._place]
        self._place += 1
        self._parts += 1
        # Guards and templates make an export longer than its expression; the result is held to PARTS by `parse`.
        if self._parts > 20 * PARTS:
            raise BadExpression("too_many_parts", token[2], limit=20 * PARTS)
        return token

    def _expect(self, sign: str) -> None:
        if not self._sees(sign):
            raise self._unexpected()
        self._take()

    def _chain(self, least: int) -> Node:
        node = self._minus()
        links = 0
        while (level := self._level()) >= least:
            sign, at = self._take()[1:]
            links += 1
            if links > DEPTH:
                raise BadExpression("too_deep", at, limit=DEPTH)
            node = self._link(node, sign, self._chain(level + 1), at)
        return node

    def _level(self) -> int:
        kind, text, _ = self._tokens[self._place]
        return _LEVELS.get(text, -1) if kind in ("sign", "word") else -1

    @staticmethod
    def _link(left: Node, sign: str, right: Node, at: int) -> Node:
        if sign in ("and", "or"):
            if isinstance(left, Junction) and left.word == sign and left.at == -1:
                return Junction(sign, (*left.operands, right), -1)
            return Junction(sign, (left, right), -1)
        if sign in ("+", "-", "*", "div", "mod"):
            return Arithmetic(sign, left, right, at)
        return Compare(left, ((sign, right),), at)

    def _minus(self) -> Node:
        if not self._sees("-"):
            return self._primary()
        at = self._take()[2]
        self._deeper(at)
        node = Negate(self._minus(), at)
        self._nesting -= 1
        return node

    def _deeper(self, at: int) -> None:
        self._nesting += 1
        if self._nesting > 2 * BRACKETS:
            raise BadExpression("too_deep", at, limit=2 * BRACKETS)

    def _primary(self) -> Node:
        kind, text, at = self._tokens[self._place]
        if kind == "number":
            self._take()
            return parse(text).tree
        if kind == "text":
            self._take()
            return Literal(text[1:-1], at)
        if kind == "name":
            return self._name()
        if kind == "word":
            return self._call()
        return self._this_or_group()

    def _name(self) -> Node:
        _, text, at = self._take()
        path = tuple(text[2:-1].strip().split("."))
        if not all(map(is_name, path)):
            raise BadExpression("bad_name", at, name=text[:40])
        return Name(path, at)

    def _call(self) -> Node:
        _, word, at = self._take()
        self._expect("(")
        self._deeper(at)
        arguments: list[Node] = []
        while not self._sees(")"):
            arguments.append(self._chain(0))
            if not self._sees(")"):
                self._expect(",")
        self._take()
        self._nesting -= 1
        return Call(word, tuple(arguments), at)

    def _this_or_group(self) -> Node:
        if self._sees("."):
            return This(self._take()[2])
        at = self._tokens[self._place][2]
        self._expect("(")
        self._deeper(at)
        node = self._chain(0)
        self._expect(")")
        self._nesting -= 1
        # A group in brackets is a junction of its own: `_link` must not add to it.
        return Junction(node.word, node.operands, at) if isinstance(node, Junction) else node


_LADDER = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"))
_LEVELS: Final[Mapping[str, int]] = {sign: level for level, signs in enumerate(_LADDER) for sign in signs}


@cache
def _templates() -> tuple[tuple[str, Node], ...]:
    holes = ("${A}", "${B}")
    return tuple((name, _XPath(text.format(*holes)).whole()) for name, text in TEMPLATES.items())


def _fits(template: Node, node: Node, found: dict[str, Node]) -> bool:
    if isinstance(template, Name):
        return found.setdefault(template.path[0], node) == node
    if type(template) is not type(node) or _label(template) != _label(node):
        return False
    parts, others = children(template), children(node)
    return len(parts) == len(others) and all(_fits(*pair, found) for pair in zip(parts, others, strict=True))


def _label(node: Node) -> object:
    match node:
        case Literal(value=value):
            return value
        case Call(function=label) | Arithmetic(sign=label) | Junction(word=label):
            return label
        case Compare(rest=rest):
            return tuple(sign for sign, _ in rest)
        case _:
            return None


class _Translation:
    """Turns an XPath tree into ours; each node once, however often guards repeat it."""

    def __init__(self) -> None:
        self._done: dict[int, Node] = {}
        self._ways: Mapping[type, Callable[..., Node]] = {
            Compare: self._compare,
            Junction: self._junction,
            Arithmetic: self._arithmetic,
            Call: self._call,
            Negate: lambda node: Negate(self.of(node.operand)),
        }

    def of(self, node: Node) -> Node:
        """Translate a node; the caller keeps the tree alive, so that ids stay theirs."""
        if id(node) not in self._done:
            self._done[id(node)] = self._made(node)
        return self._done[id(node)]

    def _made(self, node: Node) -> Node:
        for name, template in _templates():
            found: dict[str, Node] = {}
            if _fits(template, node, found):
                arguments = tuple(self.of(found[hole]) for hole in ("A", "B") if hole in found)
                return Arithmetic("/", arguments[0], arguments[1]) if name == "divide" else Call(name, arguments)
        way = self._ways.get(type(node))
        return node if way is None else way(node)

    def _compare(self, node: Compare, guarded: tuple[Node, ...] = ()) -> Node:
        ((sign, second),) = node.rest
        if _EMPTY in (node.first, second) and sign in ("=", "!="):
            left, right = (_MISSING if part == _EMPTY else self.of(part) for part in (node.first, second))
            return Compare(left, (("==" if sign == "=" else "!=", right),))
        left, right = self.of(node.first), self.of(second)
        if sign not in ("=", "!="):
            return Compare(left, ((sign, right),))
        return _equality(left, "==" if sign == "=" else "!=", right, guarded)

    def _junction(self, node: Junction) -> Node:
        if node.word == "or":
            return Junction("or", tuple(map(self.of, node.operands)))
        guards = {id(part): self.of(part.first) for part in node.operands if _is_guard(part)}
        guarded = tuple(guards.values())
        needed: set[Node] = set()
        parts: list[tuple[int, Node]] = []
        for part in node.operands:
            if isinstance(part, Compare) and id(part) not in guards and part.rest[0][0] in ("=", "!="):
                needed.update((self.of(part.first), self.of(part.rest[0][1])))
                parts.append((id(part), self._compare(part, guarded)))
            else:
                parts.append((id(part), self.of(part)))
        kept = tuple(new for old, new in parts if guards.get(old) not in needed)
        return kept[0] if len(kept) == 1 else Junction("and", kept)

    def _arithmetic(self, node: Arithmetic) -> Node:
        if node.sign == "mod":
            raise BadExpression("not_from_xlsform", node.at, name="mod")
        return Arithmetic("/" if node.sign == "div" else node.sign, self.of(node.left), self.of(node.right))

    def _call(self, node: Call) -> Node:
        arguments = tuple(map(self.of, node.arguments))
        if node.function in ("true", "false") and not arguments:
            return Literal(node.function == "true")
        if node.function == "not" and len(arguments) == 1:
            return Not(arguments[0])
        if node.function in ("coalesce", "round", "sum"):
            return Call(node.function, arguments, node.at)
        if node.function not in _FUNCTIONS:
            raise BadExpression("not_from_xlsform", node.at, name=node.function[:40])
        return Call(_FUNCTIONS[node.function], arguments, node.at)


def _is_guard(node: Node) -> TypeGuard[Compare]:
    return isinstance(node, Compare) and node.rest == (("!=", _EMPTY),)


def _equality(left: Node, sign: str, right: Node, guarded: tuple[Node, ...]) -> Node:
    plain = Compare(left, ((sign, right),))
    loose = [part for part in (left, right) if not never_missing(part) and part not in guarded]
    if not loose or (sign == "==" and len(loose) == 1):
        return plain
    missing = tuple(Compare(part, (("==", _MISSING),)) for part in loose)
    if sign == "==":
        return Junction("or", (plain, Junction("and", missing)))
    return Junction("or", (plain, *missing))
