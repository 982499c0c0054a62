"""From text to tree: a recursive descent parser over the tokens, with Python's precedence.

`or` < `and` < `not` < comparisons < `+ -` < `* /` < unary minus < literals, names, calls, brackets.
"""

from __future__ import annotations

from decimal import Decimal

from nrm.expressions.functions import FUNCTIONS
from nrm.expressions.limits import BRACKETS, DEPTH, LIST_LITERAL, PARTS
from nrm.expressions.mistakes import BadExpression
from nrm.expressions.tokens import Token, tokens_of
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
    depth,
    names_of,
)

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_CONSTANTS = {"True": True, "False": False, "None": None}
_CELL_CONSTANTS = {"true": True, "false": False, "null": None}


def parse(text: str, *, this: bool = False) -> Expression:
    """Read an expression.

    Args:
        text: at most 2,000 characters.
        this: whether `.` may stand for the value under test, as in a form's constraint (`. > 3`).

    Returns:
        The expression, safe to evaluate.

    Raises:
        BadExpression: the text is not an expression of the language; code and position say why and where.
    """
    reader = Reader(tokens_of(text), this="." if this else None)
    if reader.now.kind == "end":
        raise BadExpression("empty")
    tree = reader.expression()
    reader.end()
    return Expression(text, tree, names_of(tree))


class Reader:
    """The parser's place in the tokens of one text."""

    def __init__(self, tokens: tuple[Token, ...], *, this: str | None, cell: bool = False) -> None:
        """Start at the first token.

        Args:
            tokens: ends with one of kind "end".
            this: the sign that stands for the value under test ("." or "?"), or None when there is no such value.
            cell: whether the text is a table cell, where `true`, `false` and `null` are words too.
        """
        self.tokens = tokens
        self.place = 0
        self._this = this
        self._cell = cell
        self._parts = 0
        self._nesting = 0

    @property
    def now(self) -> Token:
        """The token to read next."""
        return self.tokens[self.place]

    def advance(self) -> Token:
        """Take the next token."""
        token = self.now
        self.place += 1
        return token

    def sees(self, *signs: str) -> bool:
        """Say whether the next token is one of these signs or words."""
        return self.now.kind in ("sign", "word") and self.now.text in signs

    def expect(self, sign: str) -> Token:
        """Take this sign.

        Raises:
            BadExpression: something else stands there.
        """
        if not self.sees(sign):
            raise self.unexpected()
        return self.advance()

    def end(self) -> None:
        """Make sure that the text ends here.

        Raises:
            BadExpression: it does not.
        """
        if self.now.kind != "end":
            raise self.unexpected()

    def unexpected(self) -> BadExpression:
        """Say what stands here although it cannot."""
        token = self.now
        if token.kind == "end":
            return BadExpression("ends_too_early", token.at)
        if token.text == "[" and self.place and self.tokens[self.place - 1].kind in ("name", "text"):
            return BadExpression("index_not_allowed", token.at)
        return BadExpression("unexpected", token.at, found=token.text[:40])

    def expression(self) -> Node:
        """Read a whole expression.

        Raises:
            BadExpression: there is none, or it is too large.
        """
        tree = self._junction("or")
        if depth(tree) > DEPTH:
            raise BadExpression("too_deep", tree.at, limit=DEPTH)
        return tree

    def sum(self) -> Node:
        """Read an operand of a comparison."""
        node = self._product()
        while self.sees("+", "-"):
            sign = self.advance()
            node = self._count(Arithmetic(sign.text, node, self._product(), sign.at))
        return node

    def _count(self, node: Node) -> Node:
        self._parts += 1
        if self._parts > PARTS:
            raise BadExpression("too_many_parts", node.at, limit=PARTS)
        return node

    def _deeper(self, at: int) -> None:
        self._nesting += 1
        if self._nesting > BRACKETS:
            raise BadExpression("too_deep", at, limit=BRACKETS)

    def _junction(self, word: str) -> Node:
        first = self._junction("and") if word == "or" else self._not()
        if not self.sees(word):
            return first
        operands = [first]
        while self.sees(word):
            self.advance()
            operands.append(self._junction("and") if word == "or" else self._not())
        return self._count(Junction(word, tuple(operands), first.at))

    def _not(self) -> Node:
        if not self.sees("not"):
            return self._comparison()
        at = self.advance().at
        self._deeper(at)
        node = self._count(Not(self._not(), at))
        self._nesting -= 1
        return node

    def _comparison(self) -> Node:
        first = self.sum()
        rest: list[tuple[str, Node]] = []
        while (sign := self._comparison_sign()) is not None:
            rest.append((sign, self.sum()))
        return self._count(Compare(first, tuple(rest), first.at)) if rest else first

    def _comparison_sign(self) -> str | None:
        if self.now.kind == "sign" and self.now.text in _COMPARISONS:
            return self.advance().text
        if self.sees("in"):
            self.advance()
            return "in"
        if self.sees("not"):
            self.advance()
            self.expect("in")
            return "not in"
        return None

    def _product(self) -> Node:
        node = self._negation()
        while self.sees("*", "/"):
            sign = self.advance()
            node = self._count(Arithmetic(sign.text, node, self._negation(), sign.at))
        return node

    def _negation(self) -> Node:
        if not self.sees("-"):
            return self._primary()
        at = self.advance().at
        self._deeper(at)
        operand = self._negation()
        self._nesting -= 1
        # A negative number is one literal, so that it looks the same in every form that an expression can take.
        value = operand.value if isinstance(operand, Literal) else None
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0:
            return Literal(-value, at)
        return self._count(Negate(operand, at))

    def _primary(self) -> Node:
        token = self.now
        if token.kind == "number":
            return self._count(Literal(self.advance().number, token.at))
        if token.kind == "text":
            return self._count(Literal(self.advance().text, token.at))
        if token.kind == "word" and token.text in _CONSTANTS:
            return self._count(Literal(_CONSTANTS[self.advance().text], token.at))
        if token.kind == "name":
            return self._count(self._name())
        if self.sees("(", "["):
            return self._bracket()
        if self.sees(".", "?"):
            return self._count(self._value_under_test())
        raise self.unexpected()

    def _value_under_test(self) -> Node:
        token = self.advance()
        if token.text != self._this:
            raise BadExpression("this_not_allowed" if self._this is None else "unexpected", token.at, found=token.text)
        return This(token.at)

    def _name(self) -> Node:
        token = self.advance()
        if self.sees("("):
            return self._call(token)
        if self._cell and token.text in _CELL_CONSTANTS:
            return Literal(_CELL_CONSTANTS[token.text], token.at)
        path = [token.text]
        while self.sees("."):
            self.advance()
            if self.now.kind != "name":
                raise self.unexpected()
            path.append(self.advance().text)
        if self.sees("("):
            raise BadExpression("method_not_allowed", self.now.at, name=path[-1])
        if self.sees("["):
            raise BadExpression("index_not_allowed", self.now.at)
        return Name(tuple(path), token.at)

    def _call(self, token: Token) -> Node:
        function = FUNCTIONS.get(token.text)
        if function is None:
            raise BadExpression("unknown_function", token.at, name=token.text)
        self._deeper(self.advance().at)
        arguments = self._items(")")
        self._nesting -= 1
        if not function.least <= len(arguments) <= function.most:
            raise BadExpression(
                "wrong_number_of_arguments",
                token.at,
                name=token.text,
                found=len(arguments),
                least=function.least,
                most=function.most,
            )
        return Call(token.text, arguments, token.at)

    def _items(self, close: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self.sees(close):
            items.append(self._junction("or"))
            if len(items) > LIST_LITERAL:
                raise BadExpression("list_too_long", items[0].at, limit=LIST_LITERAL)
            if not self.sees(close):
                self.expect(",")
        self.expect(close)
        return tuple(items)

    def _bracket(self) -> Node:
        opened = self.advance()
        self._deeper(opened.at)
        node = self._list(opened) if opened.text == "[" else self._group(opened)
        self._nesting -= 1
        if self.sees("(", "["):
            raise self.unexpected()
        return node

    def _list(self, opened: Token) -> Node:
        return self._list_of(self._items("]"), opened)

    def _group(self, opened: Token) -> Node:
        if self.sees(")"):
            self.advance()
            return self._list_of((), opened)
        first = self._junction("or")
        if not self.sees(","):
            self.expect(")")
            return first
        self.advance()
        return self._list_of((first, *self._items(")")), opened)

    def _list_of(self, items: tuple[Node, ...], opened: Token) -> Node:
        if len(items) > LIST_LITERAL:
            raise BadExpression("list_too_long", opened.at, limit=LIST_LITERAL)
        for item in items:
            if isinstance(item, ListOf):
                raise BadExpression("list_in_list", item.at)
        return self._count(ListOf(items, opened.at))
