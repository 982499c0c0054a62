"""What values mean: kinds, equality, order, arithmetic. Total: nothing here raises because of what the data is.

Kinds: boolean, number, text, date, local date-time, date-time with offset, list. A value is *missing* when it is None,
absent, an empty text, an empty list, a group, a number that is not finite or out of range.
Two values compare only within one kind; booleans are not numbers and texts have no order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

from nrm.expressions.limits import (
    BOUND,
    EXACT,
    FRACTION_DIGITS,
    INTEGER_DIGITS,
    QUANTUM,
    STEPS,
    VALUE_ITEMS,
    VALUE_LENGTH,
)
from nrm.expressions.mistakes import LimitExceeded
from nrm.expressions.tokens import DIGITS
from nrm.expressions.tree import Value


class Group:
    """Stands for a group inside a list: it can be counted, but equals nothing."""


GROUP: Final = Group()
Number: TypeAlias = int | Decimal
Item: TypeAlias = bool | int | Decimal | str | date | Group
Known: TypeAlias = bool | int | Decimal | str | date | tuple[Item, ...] | None
"""A value as the evaluator sees it; None is missing, a tuple is never empty and holds nothing missing."""

_NUMERIC = re.compile(r"[+-]?([0-9]+)(?:\.([0-9]+))?")
_BLANK = " \t\r\n"


class Situation:
    """What one evaluation looks at, and how much it may still look at."""

    __slots__ = ("scope", "steps", "this", "today")

    def __init__(self, scope: Mapping[str, Value], this: Value, today: date | None) -> None:
        """Start with all steps left.

        Args:
            scope: values by name.
            this: the value under test.
            today: the date that `today()` gives.
        """
        self.scope = scope
        self.this = this
        self.today = today.date() if isinstance(today, datetime) else today
        self.steps = STEPS

    def spend(self, steps: int) -> None:
        """Count work.

        Args:
            steps: items or tens of characters about to be looked at.

        Raises:
            LimitExceeded: no steps are left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise LimitExceeded("too_many_steps", limit=STEPS)


def read(value: object, situation: Situation) -> Known:
    """Take a value of the scope as the language sees it.

    Raises:
        LimitExceeded: a text or a list is too long.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, list | tuple):
        return _read_list(value, situation)
    return _read_number_or_date(value)


def _read_text(value: str) -> str | None:
    if len(value) > VALUE_LENGTH:
        raise LimitExceeded("value_too_long", limit=VALUE_LENGTH)
    return str.__str__(value) or None


def _read_list(value: list[object] | tuple[object, ...], situation: Situation) -> Known:
    if len(value) > VALUE_ITEMS:
        raise LimitExceeded("list_value_too_long", limit=VALUE_ITEMS)
    situation.spend(len(value))
    return pack(_read_item(item, situation) for item in value)


def _read_item(value: object, situation: Situation) -> Item | None:
    if isinstance(value, Mapping):
        return GROUP
    if isinstance(value, list | tuple):
        return None
    known = read(value, situation)
    return None if isinstance(known, tuple) else known


def _read_number_or_date(value: object) -> Number | date | None:
    if isinstance(value, int):
        return int(value) if -BOUND < value < BOUND else None
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, float):
        return number(Decimal(repr(float(value))))
    return value if isinstance(value, date) else None


def pack(items: Iterable[Item | None]) -> tuple[Item, ...] | None:
    """Make a list of what is not missing; a list of nothing is missing."""
    return tuple(item for item in items if item is not None) or None


def number(value: Decimal) -> Number | None:
    """Bring a number into its one form: an int when whole, else a Decimal with no trailing zero; None out of range."""
    if not value.is_finite() or value.adjusted() > INTEGER_DIGITS:
        return None
    if value.adjusted() < -FRACTION_DIGITS - 1:
        return 0
    rounded = value.quantize(QUANTUM, context=EXACT)
    if not -BOUND < rounded < BOUND:
        return None
    whole = int(rounded)
    return whole if whole == rounded else rounded.normalize(EXACT)


def is_number(value: object) -> bool:
    """Say whether a known value is a number; True and False are not."""
    return type(value) is int or type(value) is Decimal


def add(left: Known, right: Known) -> Number | None:
    """Add two numbers; anything else is missing."""
    if type(left) is int and type(right) is int:
        total = left + right
        return total if -BOUND < total < BOUND else None
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal) and is_number(left) and is_number(right):
        return number(EXACT.add(Decimal(left), Decimal(right)))
    return None


def subtract(left: Known, right: Known) -> Number | None:
    """Subtract two numbers; anything else is missing."""
    return add(left, negate(right))


def multiply(left: Known, right: Known) -> Number | None:
    """Multiply two numbers, rounded to 10 places half away from zero; anything else is missing."""
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal) and is_number(left) and is_number(right):
        return number(EXACT.multiply(Decimal(left), Decimal(right)))
    return None


def divide(left: Known, right: Known) -> Number | None:
    """Divide two numbers, rounded to 10 places half away from zero; anything else, and by zero, is missing."""
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal) and is_number(left) and is_number(right):
        return number(EXACT.divide(Decimal(left), Decimal(right))) if right != 0 else None
    return None


def negate(value: Known) -> Number | None:
    """Change the sign of a number; anything else is missing."""
    if isinstance(value, int | Decimal) and is_number(value):
        return -value if type(value) is int else number(Decimal(value).copy_negate())
    return None


def fold(text: str, situation: Situation) -> str:
    """Write Arabic-Indic and Persian digits as Latin ones."""
    if text.isascii():
        return text
    situation.spend(len(text) // 10)
    return text.translate(DIGITS)


def numeric(text: str, situation: Situation) -> Number | None:
    """Read a number from text: digits of any of the three kinds, a sign, `.` or `٫` before the fraction."""
    match = _NUMERIC.fullmatch(fold(text, situation).strip(_BLANK).replace("٫", "."))
    if match is None or len(match[1]) > INTEGER_DIGITS or len(match[2] or "") > 2 * INTEGER_DIGITS:
        return None
    return number(Decimal(match[0]))


def kind(value: Known | Group) -> str | None:
    """Name the kind of a value; None when it compares with nothing (missing, lists, groups)."""
    if isinstance(value, datetime):
        return "local time" if value.utcoffset() is None else "time"
    return _KINDS.get(type(value))


_KINDS: Final[Mapping[type, str]] = {bool: "boolean", int: "number", Decimal: "number", str: "text", date: "date"}
ORDERED: Final = frozenset({"number", "date", "time", "local time"})


def equal(left: Known | Group, right: Known | Group, situation: Situation) -> bool | None:
    """Say whether two values of one kind are equal; None when they do not compare."""
    if type(left) is str and type(right) is str:
        return left == right or fold(left, situation) == fold(right, situation)
    common = kind(left)
    if common is None or common != kind(right):
        return None
    return left == right


def contains(values: Known, value: Known, situation: Situation) -> bool | None:
    """Say whether a list holds a value; one scalar is a list of one; None when either is missing."""
    if values is None or value is None:
        return None
    items = values if isinstance(values, tuple) else (values,)
    situation.spend(len(items))
    return any(equal(item, value, situation) for item in items)


def plain(value: Known) -> Value:
    """Give a value to the caller: a list without its groups, an empty one as None."""
    if not isinstance(value, tuple):
        return value
    return tuple(item for item in value if not isinstance(item, Group)) or None


def truthy(value: Value) -> bool:
    """Say whether a value counts as true: True, a number that is not 0, a text or list that is not empty, any date."""
    return bool(value) and value == value  # noqa: PLR0124 - a float that is not a number equals nothing
