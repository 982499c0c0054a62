"""What comes in about the demonstration's clock."""

from __future__ import annotations

from api.transport.fields import Body, Text


class Advance(Body):
    """How far to move time: an ISO 8601 duration."""

    advance = Text(longest=40, required=True)
