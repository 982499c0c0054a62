"""Endpoints on their way out: since when one should not begin to use them, and when they go.

Both moments stand in the declaration of an operation, in the document and in the headers of each of its answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

from flask import Response

LEAST_NOTICE: Final = timedelta(days=365)
"""How long an operation goes on to work after it was called deprecated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """The end of an operation.

    Attributes:
        deprecated: since when something else should be used, in UTC.
        sunset: when it stops to answer, in UTC; None where that is not decided.
        successor: the path to use instead; "" for none.
    """

    deprecated: datetime
    sunset: datetime | None = None
    successor: str = ""

    def __post_init__(self) -> None:
        """Check the notice.

        Raises:
            ValueError: programs get less than `LEAST_NOTICE` to change over.
        """
        if self.sunset is not None and self.sunset - self.deprecated < LEAST_NOTICE:
            raise ValueError("a deprecated operation works for twelve months more")


def announce_end(answer: Response, lifetime: Lifetime) -> None:
    """Say in an answer's headers that its operation ends (RFC 9745, RFC 8594).

    Args:
        answer: the answer, a refusal too.
        lifetime: the operation's.
    """
    answer.headers["Deprecation"] = f"@{int(lifetime.deprecated.timestamp())}"
    if lifetime.sunset is not None:
        answer.headers["Sunset"] = format_datetime(lifetime.sunset, usegmt=True)
    if lifetime.successor:
        answer.headers.add("Link", f'<{lifetime.successor}>; rel="successor-version"')
