"""What comes in about the country's data."""

from __future__ import annotations

from typing import Final

from api.transport.fields import Anything, Body, Choice, Code, Day, Flag, ListOf, Object, Stamped, Text
from nrm.actions.directory_editing import KINDS
from nrm.rules.decision_grids import POLICIES

LONGEST_CELL: Final = 500
MOST_RULES: Final = 500
_MOST_COLUMNS: Final = 50
HISTORIES: Final = (*KINDS, "code", "label", "item")
"""Kinds of entries whose changes can be read."""


class EntryQuery(Body):
    """Whose entries to list."""

    under = Code(load_default=None)


class AddEntry(Body):
    """A new entry of the directory; `under` is the code of its organisation."""

    data = Anything(required=True)
    under = Code(load_default=None)


class ChangeEntry(Stamped):
    """New values of an entry; null takes a value away."""

    changes = Anything(required=True)


class AddCode(Body):
    """A new code of a code list."""

    code = Code(required=True)
    names = Anything(required=True)


class ChangeCode(Stamped):
    """New words of a code, or whether it may still be chosen."""

    names = Anything()
    active = Flag()


class LabelQuery(Body):
    """Which group of labels to list."""

    group = Code(load_default=None)


class ChangeLabel(Stamped):
    """New words of a label, in each language."""

    names = Anything(required=True)


class AddHoliday(Body):
    """A day without work."""

    day = Day(required=True)
    names = Anything(required=True)


class ChangeSetting(Stamped):
    """A new value of a setting."""

    value = Text(longest=200, required=True)


class Rule(Body):
    """A rule of a decision table: a test for each input, a value for each output."""

    description = Text(longest=LONGEST_CELL, load_default="")
    cells = ListOf(Text(longest=LONGEST_CELL), most=_MOST_COLUMNS, required=True)
    results = ListOf(Text(longest=LONGEST_CELL), most=_MOST_COLUMNS, required=True)


class ChangeTable(Stamped):
    """All rules of a decision table; its columns stay."""

    policy = Choice(POLICIES)
    lines = ListOf(Object(Rule), most=MOST_RULES, required=True)


class HistoryQuery(Body):
    """Whose changes to read."""

    kind = Choice(HISTORIES, required=True)
    key = Text(longest=200, shortest=1, required=True)
