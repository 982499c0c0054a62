"""What comes in about drafts of paths."""

from __future__ import annotations

from typing import Final

from api.transport.fields import Anything, Body, Code, Flag, Id, Text, Versioned
from nrm.actions.path_drafts import LONGEST_DIAGRAM

BODY_LIMIT: Final = 3 * LONGEST_DIAGRAM
"""Most bytes of a body with a diagram: as JSON it takes more than by itself."""


class DraftsQuery(Body):
    """Which drafts to list."""

    path = Code(load_default=None)
    closed = Flag(from_text=True, load_default=False)


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
