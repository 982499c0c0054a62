"""What comes in about needs and plans."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Code, Day, Flag, Id, ListOf, Object, Text, Versioned
from nrm.actions.plans import MOST_SERVICES
from nrm.vocabulary import NeedStatus, Priority


class RecordNeed(Body):
    """A need."""

    category = Code(required=True)
    priority = Choice(Priority, load_default="normal")


class ChangeNeed(Versioned):
    """How a need stands now; a field that is not sent stays."""

    status = Choice(NeedStatus)
    priority = Choice(Priority)
    reason = Code()


class PlanService(Body):
    """A service of a plan."""

    category = Code(required=True)
    priority = Choice(Priority, load_default="normal")
    goal = Text(longest=2_000, lines=True, allow_none=True)
    preferred_organisation_id = Id(allow_none=True)
    due_on = Day(allow_none=True)


class RecordPlan(Body):
    """A revision of a plan."""

    services = ListOf(Object(PlanService), most=MOST_SERVICES, least=1, required=True)
    agreed = Flag(required=True)


class AddService(PlanService, Versioned):
    """One more service of a plan."""
