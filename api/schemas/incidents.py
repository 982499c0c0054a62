"""What comes in about incidents."""

from __future__ import annotations

from api.transport.fields import Anything, Choice, Flag, Id, Paged, Text, Versioned
from nrm.vocabulary import IncidentStatus


class IncidentQuery(Paged):
    """Which incidents to list."""

    status = Choice(IncidentStatus)
    case = Id()


class Repair(Versioned):
    """Decision values to change, and why."""

    values = Anything(required=True)
    reason = Text(longest=2_000, lines=True, shortest=1, required=True)


class RepairAnswers(Versioned):
    """The answers of a completed task as they should have been, and why."""

    task_id = Id(required=True)
    answers = Anything(required=True)
    reason = Text(longest=2_000, lines=True, shortest=1, required=True)
    confirmed = Flag(load_default=False)


class GiveUp(Versioned):
    """Why a failed run or job is given up."""

    note = Text(longest=2_000, lines=True, shortest=1, required=True)
