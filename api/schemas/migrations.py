"""What comes in about plans that move running cases."""

from __future__ import annotations

from api.transport.fields import Anything, Body, Choice, Code, Id, Paged, Versioned
from nrm.vocabulary import MovedStatus


class MigrationsQuery(Body):
    """Which plans to list."""

    path = Code(load_default=None)


class PlanMigration(Body):
    """The version whose running cases are to be moved, and the one to which they go."""

    source = Id(required=True)
    target = Id(required=True)


class ChangeMigration(Versioned):
    """Step → {"to": step or null, "form": "keep" or "new", "desk": "keep" or "new"}; what is left out stays."""

    steps = Anything(required=True)


class MovedQuery(Paged):
    """Which cases of a plan to list."""

    status = Choice(MovedStatus)
