"""What comes in about complaints."""

from __future__ import annotations

from api.transport.fields import Body, Choice, Code, Day, Flag, Paged, Text, Versioned
from nrm.vocabulary import ComplaintState


class ComplaintQuery(Paged):
    """Which complaints to list."""

    state = Choice(ComplaintState)


class DropComplaint(Body):
    """A complaint from somebody who is not signed in; no name and no case number is asked for."""

    category = Code(required=True)
    text = Text(longest=10_000, shortest=1, lines=True, required=True)
    threat = Flag(load_default=False)
    governorate = Code(allow_none=True)
    safe_contact = Text(longest=200, load_default="")
    happened_on = Day(allow_none=True)


class AskReceipt(Body):
    """The receipt that was told when the complaint came in."""

    receipt = Text(longest=60, shortest=1, required=True)


class StartComplaint(Body):
    """The number of the case, as on its papers."""

    case_number = Text(longest=40, shortest=1, required=True)


class StartForCase(Versioned):
    """The number of the case that the complaint is about."""

    case_number = Text(longest=40, shortest=1, required=True)


class AnswerComplaint(Versioned):
    """What the holder of the receipt is told; it must name nobody."""

    text = Text(longest=5_000, shortest=1, lines=True, required=True)
