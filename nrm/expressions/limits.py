"""How large anything in the language may be; the browser's evaluator has the same figures.

A parsed expression has no loops, so its cost is bounded by its parts times the length of the lists and texts it reads.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

TEXT_LENGTH: Final = 2_000
"""Characters of an expression."""
BRACKETS: Final = 30
"""Nesting of brackets, `not` and unary minus in the text."""
DEPTH: Final = 100
"""Levels of a tree (a chain of `+` is as deep as it is long)."""
PARTS: Final = 400
"""Nodes of a tree."""
LITERAL_LENGTH: Final = 500
"""Characters of a text literal."""
LIST_LITERAL: Final = 100
"""Items of a list literal."""
NAME_LENGTH: Final = 64
"""Characters of one name."""
INTEGER_DIGITS: Final = 15
"""Digits before the point: every whole number is exact in JavaScript too (15 < log10(2**53))."""
FRACTION_DIGITS: Final = 10
"""Digits after the point; what lies beyond is rounded half away from zero."""
VALUE_LENGTH: Final = 10_000
"""Characters of a text that an expression reads or makes."""
VALUE_ITEMS: Final = 1_000
"""Items of a list that an expression reads."""
STEPS: Final = 20_000
"""Items of lists, and tens of non-Latin characters, that one evaluation may look at."""

BOUND: Final = 10**INTEGER_DIGITS
"""Numbers lie strictly between −BOUND and BOUND; what lies outside is missing."""
QUANTUM: Final = Decimal(1).scaleb(-FRACTION_DIGITS)
EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)
"""Wide enough for every sum and product of two numbers; quotients are rounded to FRACTION_DIGITS at once."""
