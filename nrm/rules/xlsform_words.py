"""Carry conditions between our words and XLSForm's, where a form's yes/no questions are lists of "yes" and "no".

A yes/no question is a condition by itself here (`reached`), there it is compared (`${reached} = 'yes'`). A question
of a repeat is read from outside by its repeat here (`visits.cost`), there by its own name (`${cost}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from nrm.expressions import BadExpression, Expression, from_xlsform, parse, to_xlsform
from nrm.expressions.tree import (
    Arithmetic,
    Call,
    Compare,
    Junction,
    ListOf,
    Literal,
    Name,
    Negate,
    Node,
    Not,
    This,
    walk,
)
from nrm.expressions.writing import written

_TRUE: Final = {"yes_no": "yes", "acknowledge": "OK"}
_PATH: Final = "__"
_AMOUNT: Final = "amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What the translation must know of a form.

    Attributes:
        types: question → type.
        repeats: question → the repeat that it stands in.
        kept: name in the XLSForm → dotted path of a value of the run.
    """

    types: Mapping[str, str]
    repeats: Mapping[str, str]
    kept: Mapping[str, tuple[str, ...]]


def outer_name(path: tuple[str, ...], questions: Questions) -> str:
    """Give the name that a value has in the XLSForm.

    Raises:
        BadExpression: it is a part of an answer that XLSForm has no name for.
    """
    if len(path) > 1 and path[-1] == _AMOUNT and questions.types.get(path[-2]) == "money":
        path = path[:-1]
    if len(path) > 1 and questions.repeats.get(path[-1]) == path[-2]:
        return path[-1]
    if len(path) > 1 and path[0] in questions.types:
        raise BadExpression("not_in_xlsform", what=".".join(path))
    return _PATH.join(path)


def to_words(text: str, questions: Questions, *, this: str | None = None) -> str:
    """Write a condition for an XLSForm.

    Args:
        text: our words.
        questions: the form.
        this: for a constraint, the type of the question that it stands at.

    Raises:
        BadExpression: XLSForm cannot say it.
    """
    expression = parse(text, this=this is not None)
    return to_xlsform(replace(expression, tree=_Outward(questions, this).of(expression.tree)))


def from_words(text: str, questions: Questions, *, inside: frozenset[str], this: str | None = None) -> str:
    """Read a condition of an XLSForm.

    Args:
        text: its words.
        questions: the form.
        inside: the repeats around the question.
        this: for a constraint, the type of the question that it stands at.

    Raises:
        BadExpression: it cannot be read, or has a function that is not known here.
    """
    expression: Expression = from_xlsform(text, this=this is not None)
    return written(_Inward(questions, this, inside).of(expression.tree))


def names_outside(text: str, known: frozenset[str], *, this: bool) -> set[tuple[str, ...]]:
    """Collect the values that a condition reads and no question of the form gives."""
    tree = parse(text, this=this).tree
    return {part.path for part in walk(tree) if isinstance(part, Name) and part.path[0] not in known}


class _Mapping:
    """Makes a tree anew, part by part."""

    def __init__(self, questions: Questions, this: str | None) -> None:
        self.questions, self.this = questions, this

    def of(self, node: Node) -> Node:
        """Give the node in the other words."""
        return self.parts(node)

    def kind(self, node: Node) -> str | None:
        """Say that a node is a yes/no question or an acknowledgement."""
        if isinstance(node, This):
            found = self.this
        else:
            found = self.questions.types.get(node.path[-1]) if isinstance(node, Name) else None
        return found if found in _TRUE else None

    def parts(self, node: Node) -> Node:
        made: Node
        match node:
            case ListOf(items=items):
                made = ListOf(tuple(map(self.of, items)), node.at)
            case Junction(word=word, operands=operands):
                made = Junction(word, tuple(map(self.of, operands)), node.at)
            case Call(function=function, arguments=arguments):
                made = Call(function, tuple(map(self.of, arguments)), node.at)
            case Not(operand=operand):
                made = Not(self.of(operand), node.at)
            case Negate(operand=operand):
                made = Negate(self.of(operand), node.at)
            case Compare(first=first, rest=rest):
                made = Compare(self.of(first), tuple((sign, self.of(part)) for sign, part in rest), node.at)
            case Arithmetic(sign=sign, left=left, right=right):
                made = Arithmetic(sign, self.of(left), self.of(right), node.at)
            case _:
                made = self.leaf(node)
        return made

    def leaf(self, node: Node) -> Node:
        return node


class _Outward(_Mapping):
    """From our words to XLSForm's."""

    def of(self, node: Node) -> Node:
        kind = self.kind(node)
        if kind is not None:
            return Compare(self.leaf(node), (("==", Literal(_TRUE[kind])),), node.at)
        if isinstance(node, Call) and node.function == "is_missing" and self.kind(node.arguments[0]):
            return Call(node.function, (self.leaf(node.arguments[0]),), node.at)
        if isinstance(node, Compare) and (kind := self.kind(node.first)):
            return self.compared(node, kind)
        return self.parts(node)

    def compared(self, node: Compare, kind: str) -> Node:
        match node.rest:
            case ((("==" | "!=") as sign, Literal(value=bool() as value)),):
                return Compare(self.leaf(node.first), ((sign, Literal(_TRUE[kind] if value else "no")),), node.at)
            case ((("==" | "!=") as sign, Literal(value=None)),):
                return Compare(self.leaf(node.first), ((sign, Literal(None)),), node.at)
            case ((("==" | "!=") as sign, (Name() | This()) as other),) if self.kind(other) == kind:
                return Compare(self.leaf(node.first), ((sign, self.leaf(other)),), node.at)
        raise BadExpression("not_in_xlsform", node.at, what=kind)

    def leaf(self, node: Node) -> Node:
        return Name((outer_name(node.path, self.questions),), node.at) if isinstance(node, Name) else node


class _Inward(_Mapping):
    """From XLSForm's words to ours."""

    def __init__(self, questions: Questions, this: str | None, inside: frozenset[str]) -> None:
        super().__init__(questions, this)
        self.inside = inside

    def of(self, node: Node) -> Node:
        if isinstance(node, Compare) and (kind := self.kind(node.first)):
            match node.rest:
                case ((("==" | "!=") as sign, Literal(value=str() as value)),) if value in (_TRUE[kind], "no"):
                    return self.compared(self.leaf(node.first), sign, holds=value != "no")
        return self.parts(node)

    @staticmethod
    def compared(node: Node, sign: str, *, holds: bool) -> Node:
        return node if sign == "==" and holds else Compare(node, ((sign, Literal(holds)),))

    def leaf(self, node: Node) -> Node:
        if not isinstance(node, Name):
            return node
        name = node.path[-1]
        repeat = self.questions.repeats.get(name)
        path = self.questions.kept.get(name, node.path)
        if repeat is not None and repeat not in self.inside:
            path = (repeat, name)
        return Name((*path, _AMOUNT) if self.questions.types.get(name) == "money" else path, node.at)
