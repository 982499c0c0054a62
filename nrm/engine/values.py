"""Decision values: the only data that may enter the state of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from nrm.engine.effects import Value, Values
from nrm.engine.failures import StepFailed

MAX_TEXT: Final = 200
MAX_LIST: Final = 50
MAX_DIGITS: Final = 18
MAX_NAMES: Final = 200

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


def is_name(text: str) -> bool:
    """Tell whether a text can name a decision value: an ASCII identifier of at most 64 characters."""
    return _NAME.fullmatch(text) is not None


def checked(values: Mapping[str, object], *, keep: frozenset[str], element: str) -> dict[str, Value]:
    """Give those of the values that the diagram reads, checked.

    What the diagram does not read is dropped: the state holds nothing that no decision needs.

    Args:
        values: name to value, as a form, a check, a message or a child run gave them.
        keep: the names that the diagram reads (`PathSpec.decisions`).
        element: id of the step that brings them, for the message.

    Raises:
        StepFailed: `bad_value` when a value that is kept is no scalar or list of short texts, or too large.
    """
    return {name: _checked(value, name, element) for name, value in values.items() if name in keep}


def _checked(value: object, name: str, element: str) -> Value:
    """Give one value in the shape that the state keeps, or refuse it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and _is_short_text(value):
        return value
    if isinstance(value, (int, Decimal)) and _is_small_number(value):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, (list, tuple)) and len(value) <= MAX_LIST and all(_is_short_text(item) for item in value):
        return tuple(value)
    raise StepFailed("bad_value", element, name=name)


def _is_short_text(value: object) -> bool:
    """Tell whether a value is a text that every database and every JSON reader can keep."""
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\x00" in value:
        return False
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _is_small_number(value: int | Decimal) -> bool:
    """Tell whether a number is finite and of a size that a path can mean."""
    if isinstance(value, int):
        return -(10**MAX_DIGITS) < value < 10**MAX_DIGITS
    if not value.is_finite():
        return False
    exponent = int(value.as_tuple().exponent)
    return -MAX_DIGITS <= exponent <= MAX_DIGITS and value.adjusted() < MAX_DIGITS


def merged(old: Values, new: Mapping[str, Value]) -> dict[str, Value]:
    """Give the old values with the new ones over them; a value that is None is taken away.

    A run has one set of values. Two parallel branches that write the same name do so in the order in which they are
    completed, and the last one stands.
    """
    both = {**old, **new}
    return {name: value for name, value in both.items() if value is not None}
