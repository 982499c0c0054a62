"""What comes in about tasks."""

from __future__ import annotations

from api.transport.fields import Anything, Body, Choice, Code, Flag, Id, Moment, Paged, Text, Versioned, Whole
from nrm.queries.inbox import Tab
from nrm.rules.letters import DIGITS
from nrm.vocabulary import HoldReason, Language, Priority


class InboxQuery(Paged):
    """Which tasks to list."""

    tab = Choice(Tab, load_default="mine")
    desk = Id()
    priority = Choice(Priority)
    overdue = Flag(from_text=True, load_default=False)
    unclaimed = Flag(from_text=True, load_default=False)
    case = Id()


class PrintQuery(Body):
    """How to print a form."""

    language = Choice(Language)
    digits = Choice(list(DIGITS))


class Release(Versioned):
    """Put a task back."""

    reason = Text(longest=2_000, allow_none=True)


class Give(Versioned):
    """Give a task to somebody."""

    to_user = Id(required=True)
    note = Text(longest=2_000, lines=True, allow_none=True)


class Hold(Versioned):
    """Put a task on hold."""

    until = Moment(required=True)
    reason = Choice(HoldReason, required=True)


class AddText(Body):
    """A comment or note."""

    text = Text(longest=10_000, lines=True, shortest=1, required=True)


class SaveDraft(Body):
    """Answers typed so far; `version` is the draft's own, to notice a second window."""

    answers = Anything(required=True)
    version = Whole(low=1, high=2**31 - 1, allow_none=True)


class Complete(Versioned):
    """The answers to a task's form."""

    answers = Anything(load_default=dict)
    outcome = Code(allow_none=True)


class TakeNext(Body):
    """Take the most pressing task."""

    desk = Id(allow_none=True)
