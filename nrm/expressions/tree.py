"""The syntax tree: what an expression says, whatever it was written in (text, JSON, XLSForm)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeAlias

Scalar: TypeAlias = bool | int | Decimal | str | date | None
Value: TypeAlias = Scalar | float | Sequence["Value"] | Mapping[str, "Value"]
"""What a scope may hold; `datetime` is a `date` to the type checker and a kind of its own to the language."""
Constant: TypeAlias = bool | int | Decimal | str | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, True, False or None."""

    value: Constant
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A value of the scope; `path` holds the dotted parts (`family.size` is ("family", "size"))."""

    path: tuple[str, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class This:
    """The value that a constraint or a table cell is about."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list literal."""

    items: tuple[Node, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """True when the operand is not truthy."""

    operand: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    operand: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Junction:
    """`and` or `or` of two or more operands; always True or False."""

    word: str
    operands: tuple[Node, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison or a chain of them: `first op operand [op operand …]`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * /` of two numbers."""

    sign: str
    left: Node
    right: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a function of the fixed list."""

    function: str
    arguments: tuple[Node, ...]
    at: int = field(default=0, compare=False)


Node: TypeAlias = Literal | Name | This | ListOf | Not | Negate | Junction | Compare | Arithmetic | Call


class Program:
    """A place for what the evaluator made of a tree; copies and pickles are empty, so that it is made again."""

    __slots__ = ("run",)

    def __init__(self) -> None:
        """Start empty."""
        self.run: Callable[..., object] | None = None

    def __reduce__(self) -> tuple[type[Program], tuple[()]]:
        return Program, ()


@dataclass(frozen=True, slots=True)
class Expression:
    """A valid expression.

    Attributes:
        text: as it was written (or as it would be, when it came from JSON or XLSForm).
        tree: what it says.
        names: the top-level names that it reads.
    """

    text: str
    tree: Node
    names: frozenset[str]
    program: Program = field(default_factory=Program, compare=False, repr=False)


def children(node: Node) -> tuple[Node, ...]:
    """Give the direct parts of a node, in the order of the text."""
    match node:
        case ListOf(items=parts) | Junction(operands=parts) | Call(arguments=parts):
            return parts
        case Not(operand=part) | Negate(operand=part):
            return (part,)
        case Compare(first=first, rest=rest):
            return (first, *(operand for _, operand in rest))
        case Arithmetic(left=left, right=right):
            return (left, right)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Give a node and everything below it."""
    yield node
    for part in children(node):
        yield from walk(part)


def depth(node: Node) -> int:
    """Count the levels of a tree; a leaf has 1."""
    return 1 + max((depth(part) for part in children(node)), default=0)


def names_of(node: Node) -> frozenset[str]:
    """Collect the top-level names that a tree reads."""
    return frozenset(part.path[0] for part in walk(node) if isinstance(part, Name))
