"""What comes in about the events feed."""

from __future__ import annotations

from typing import Final

from api.transport.fields import Body, Id, Text, Whole

LONGEST_WAIT: Final = 25
"""Seconds; proxies give up on an answer after thirty."""


class EventQuery(Body):
    """Where to go on, what to leave out, and how long to wait when there is nothing.

    Without `after` the feed begins 30 days ago; `types` is a list with commas between.
    """

    after = Id()
    types = Text(longest=1_000)
    wait = Whole(low=0, high=LONGEST_WAIT, from_text=True, load_default=0)
    limit = Whole(low=1, high=100, from_text=True, load_default=50)
    organisation = Id()
