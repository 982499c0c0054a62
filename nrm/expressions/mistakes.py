"""What can be wrong with an expression: stable codes, a position, and values for the message.

The texts stand in `nrm/locale/<language>/expressions.json`, code → text with {named} places.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nrm.errors import NrmError, Params


class BadExpression(NrmError):
    """The text is not an expression of the language.

    Attributes:
        position: index of the offending character, 0-based; the length of the text when it ended too early.
    """

    code = "bad_expression"

    def __init__(self, code: str, position: int = 0, /, **params: str | int | None) -> None:
        """Keep where it went wrong.

        Args:
            code: key of the message catalogue.
            position: index of the offending character, 0-based.
            params: values for the message.
        """
        super().__init__(code, **params)
        self.position = position


class LimitExceeded(NrmError):
    """An evaluation met a text or list that is too long, or had too much to look at."""

    code = "limit_exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionProblem:
    """One thing that is wrong, or surely not meant, in an expression.

    Attributes:
        code: key of the message catalogue.
        position: index of the first character it is about, 0-based.
        params: values for the message.
    """

    code: str
    position: int = 0
    params: Params = field(default_factory=dict)
