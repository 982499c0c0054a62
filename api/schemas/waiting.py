"""What comes in about where cases wait."""

from __future__ import annotations

from api.transport.fields import Body, Moment, Paged


class WaitingQuery(Body):
    """The period in which tasks were completed; the last 90 days where it is not given."""

    since = Moment(load_default=None)
    until = Moment(load_default=None)


class WaitingCasesQuery(Paged):
    """Which page of the list."""
