"""The fixed list of functions. Each is total: an argument that does not fit makes the result missing (or False)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final, TypeAlias

from nrm.expressions import dates
from nrm.expressions.limits import EXACT, FRACTION_DIGITS, LIST_LITERAL, VALUE_LENGTH
from nrm.expressions.mistakes import LimitExceeded
from nrm.expressions.values import (
    ORDERED,
    Item,
    Known,
    Number,
    Situation,
    add,
    contains,
    fold,
    is_number,
    kind,
    negate,
    number,
    numeric,
)

Operation: TypeAlias = Callable[..., Known]

CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZÇÊÎŞÛ"
SMALL: Final = "abcdefghijklmnopqrstuvwxyzçêîşû"
"""The Latin alphabet and the letters that Kurdish in Latin script adds: what `lower` changes, in every runtime."""
_LOWER = str.maketrans(CAPITALS, SMALL)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    Attributes:
        operation: takes the situation and the values of the arguments.
        least: the smallest number of arguments.
        most: the greatest number of arguments.
    """

    operation: Operation
    least: int
    most: int


def _selected(situation: Situation, values: Known, code: Known) -> bool:
    return contains(values, code, situation) or False


def _count(_: Situation, values: Known) -> int:
    if values is None:
        return 0
    return len(values) if isinstance(values, tuple) else 1


def _items(situation: Situation, values: Iterable[Known]) -> list[Item]:
    found: list[Item] = []
    for value in values:
        if isinstance(value, tuple):
            situation.spend(len(value))
            found.extend(value)
        elif value is not None:
            found.append(value)
    return found


def _sum(situation: Situation, *values: Known) -> Number | None:
    total: Number | None = 0
    for item in _items(situation, values):
        if not isinstance(item, int | Decimal) or not is_number(item):
            return None
        total = add(total, item)
        if total is None:
            return None
    return total


def _extreme(situation: Situation, values: tuple[Known, ...], choose: Callable[[list[Item]], Item]) -> Known:
    found = _items(situation, values)
    kinds = {kind(item) for item in found}
    if len(kinds) != 1 or not kinds <= ORDERED:
        return None
    chosen = choose(found)
    return chosen if isinstance(chosen, int | Decimal | date) else None


def _min(situation: Situation, *values: Known) -> Known:
    return _extreme(situation, values, min)  # type: ignore[arg-type] # one ordered kind: made sure above


def _max(situation: Situation, *values: Known) -> Known:
    return _extreme(situation, values, max)  # type: ignore[arg-type] # one ordered kind: made sure above


def _abs(_: Situation, value: Known) -> Number | None:
    if isinstance(value, int | Decimal) and is_number(value):
        return negate(value) if value < 0 else value
    return None


def _round(_: Situation, value: Known, places: Known = 0) -> Number | None:
    if not isinstance(value, int | Decimal) or not is_number(value):
        return None
    if type(places) is not int or not 0 <= places <= FRACTION_DIGITS:
        return None
    return number(Decimal(value).quantize(Decimal(1).scaleb(-places), context=EXACT))


def _int(situation: Situation, value: Known) -> int | None:
    found = _decimal(situation, value)
    return None if found is None else int(Decimal(found).to_integral_value(rounding=ROUND_DOWN))


def _decimal(situation: Situation, value: Known) -> Number | None:
    if isinstance(value, str):
        return numeric(value, situation)
    return value if isinstance(value, int | Decimal) and is_number(value) else None


def _text(_: Situation, value: Known) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, date):
        return None if isinstance(value, datetime) else value.isoformat()
    return value if isinstance(value, str) else None


def _concat(situation: Situation, *values: Known) -> str | None:
    parts: list[str] = []
    for value in values:
        text = _text(situation, value)
        if text is None and value is not None:
            return None
        parts.append(text or "")
    if sum(map(len, parts)) > VALUE_LENGTH:
        raise LimitExceeded("value_too_long", limit=VALUE_LENGTH)
    return "".join(parts) or None


def _len(_: Situation, value: Known) -> int | None:
    return len(value) if isinstance(value, str | tuple) else None


def _lower(situation: Situation, value: Known) -> str | None:
    if not isinstance(value, str):
        return None
    situation.spend(len(value) // 10)
    return value.translate(_LOWER)


def _pair(situation: Situation, text: Known, part: Known) -> tuple[str, str] | None:
    if not isinstance(text, str) or not isinstance(part, str):
        return None
    return fold(text, situation), fold(part, situation)


def _contains(situation: Situation, text: Known, part: Known) -> bool:
    pair = _pair(situation, text, part)
    return pair is not None and pair[1] in pair[0]


def _starts_with(situation: Situation, text: Known, part: Known) -> bool:
    pair = _pair(situation, text, part)
    return pair is not None and pair[0].startswith(pair[1])


def _ends_with(situation: Situation, text: Known, part: Known) -> bool:
    pair = _pair(situation, text, part)
    return pair is not None and pair[0].endswith(pair[1])


def _is_digits(situation: Situation, value: Known) -> bool:
    if not isinstance(value, str):
        return False
    folded = fold(value, situation)
    return folded.isascii() and folded.isdigit()


def _coalesce(_: Situation, *values: Known) -> Known:
    return next((value for value in values if value is not None), None)


def _if(_: Situation, condition: Known, then: Known, otherwise: Known) -> Known:
    return then if condition else otherwise


def _is_missing(_: Situation, value: Known) -> bool:
    return value is None


def _age(situation: Situation, *values: Known) -> int | None:
    return dates.age(situation, values[0], values[1] if len(values) > 1 else situation.today)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": Function(_abs, 1, 1),
    "add_days": Function(dates.add_days, 2, 2),
    "add_months": Function(dates.add_months, 2, 2),
    "age": Function(_age, 1, 2),
    "coalesce": Function(_coalesce, 1, LIST_LITERAL),
    "concat": Function(_concat, 1, LIST_LITERAL),
    "contains": Function(_contains, 2, 2),
    "count": Function(_count, 1, 1),
    "count_selected": Function(_count, 1, 1),
    "date": Function(dates.to_date, 1, 1),
    "days_between": Function(dates.days_between, 2, 2),
    "decimal": Function(_decimal, 1, 1),
    "ends_with": Function(_ends_with, 2, 2),
    "if_": Function(_if, 3, 3),
    "int": Function(_int, 1, 1),
    "is_digits": Function(_is_digits, 1, 1),
    "is_missing": Function(_is_missing, 1, 1),
    "len": Function(_len, 1, 1),
    "lower": Function(_lower, 1, 1),
    "max": Function(_max, 1, LIST_LITERAL),
    "min": Function(_min, 1, LIST_LITERAL),
    "month": Function(dates.month, 1, 1),
    "round": Function(_round, 1, 2),
    "selected": Function(_selected, 2, 2),
    "starts_with": Function(_starts_with, 2, 2),
    "sum": Function(_sum, 1, LIST_LITERAL),
    "text": Function(_text, 1, 1),
    "today": Function(dates.today, 0, 0),
    "year": Function(dates.year, 1, 1),
}
