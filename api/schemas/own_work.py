"""What comes in about one's own working day: absences, hours, the daily mail, saved views; and many tasks at once."""

from __future__ import annotations

from typing import Final

from api.transport.fields import Body, Choice, Code, Day, Flag, Id, ListOf, Moment, Object, Text, Whole
from nrm.actions.absences import DIGESTS
from nrm.actions.task_bulk import AT_ONCE, VERBS
from nrm.queries.inbox import Tab
from nrm.vocabulary import Priority

_DAYS: Final = 7


class AbsenceQuery(Body):
    """Whose absences to list."""

    desk = Flag(from_text=True, load_default=False)


class RecordAbsence(Body):
    """Who is away from when until when, and who stands in; without a user it is the asker."""

    first = Day(required=True)
    last = Day(required=True)
    substitute = Id(load_default=None, allow_none=True)
    user_id = Id(load_default=None, allow_none=True)


class SetHours(Body):
    """In which hours one works; no days for none told. Monday is 0."""

    days = ListOf(Whole(low=0, high=6), most=_DAYS, required=True)
    begin = Text(longest=5, load_default="")
    end = Text(longest=5, load_default="")


class SetDigest(Body):
    """Whether a mail comes on working days."""

    digest = Choice(DIGESTS, required=True)


class ViewFilter(Body):
    """What a saved view shows."""

    tab = Choice(Tab)
    desk = Id()
    priority = Choice(Priority)
    late = Flag()
    free = Flag()


class SaveView(Body):
    """A list under a name, for oneself or for all at a desk."""

    name = Text(longest=60, shortest=1, required=True)
    filter = Object(ViewFilter, required=True)
    desk_id = Id(load_default=None, allow_none=True)


class ChosenTask(Body):
    """A task, and the version that one saw."""

    id = Id(required=True)
    version = Whole(low=1, high=2**31 - 1, load_default=None, allow_none=True)


class ManyTasks(Body):
    """One verb on many tasks."""

    verb = Choice(VERBS, required=True)
    tasks = ListOf(Object(ChosenTask), most=AT_ONCE, least=1, required=True)
    to_user = Id(load_default=None)
    until = Moment(load_default=None, allow_none=True)
    reason = Code(load_default=None)
