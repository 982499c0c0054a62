"""What comes in about drafts of paths."""

from __future__ import annotations

from typing import Final

from api.transport.fields import Anything, Body, Code, Flag, Id, ListOf, Text, Versioned
from nrm.actions.path_comments import LONGEST_COMMENT
from nrm.actions.path_drafts import LONGEST_DIAGRAM
from nrm.actions.path_publishing import LONGEST_NOTE

BODY_LIMIT: Final = 3 * LONGEST_DIAGRAM
"""Most bytes of a body with a diagram: as JSON it takes more than by itself."""
MOST_MOVES: Final = 500


class DraftsQuery(Body):
    """Which drafts to list."""

    path = Code(load_default=None)
    closed = Flag(from_text=True, load_default=False)
    untouched = Flag(from_text=True, load_default=False)


class BeginDraft(Body):
    """What to draft: a path, an older version of one, or a new path."""

    path = Code(load_default=None)
    from_version = Id(load_default=None)
    key = Code(load_default=None)
    names = Anything(load_default=None)


class SaveDiagram(Versioned):
    """The diagram of a draft."""

    diagram = Text(longest=LONGEST_DIAGRAM, lines=True, required=True)


class LookAtDiagram(Body):
    """A diagram to look at; without one the saved one."""

    diagram = Text(longest=LONGEST_DIAGRAM, lines=True, load_default=None)


class SaveForm(Versioned):
    """A form of a draft."""

    content = Anything(required=True)


class VocabularyQuery(Body):
    """Whose forms to offer beside those installed."""

    draft = Id(load_default=None)


class Decide(Versioned):
    """A decision on a draft, with a word to the others."""

    note = Text(longest=LONGEST_NOTE, lines=True, load_default="")


class _Moves(Body):
    moves = ListOf(Anything(), most=MOST_MOVES, load_default=list)
    start = Anything(load_default=None, allow_none=True)
    checks = Anything(load_default=None, allow_none=True)
    settings = Anything(load_default=None, allow_none=True)


class TryDraft(_Moves):
    """What happens in a trial, from the start; `diagram` for one that is not saved.

    With `every_check` it stops at each asking of a check that has no answer of its own, as in the rounds of a list.
    """

    every_check = Flag(load_default=False)

    diagram = Text(longest=LONGEST_DIAGRAM, lines=True, load_default=None, allow_none=True)


class SaveScenario(_Moves, Versioned):
    """A way through a draft; `expect` is the outcome with which the path ends."""

    expect = Text(longest=64, load_default=None, allow_none=True)
    title = Text(longest=200, load_default="")


class AddComment(Body):
    """What somebody says about a draft."""

    element = Text(longest=64, shortest=1, load_default=None, allow_none=True)
    text = Text(longest=LONGEST_COMMENT, lines=True, shortest=1, required=True)
