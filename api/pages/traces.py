"""Reading of strictly confidential cases leaves a trace, whichever of their pages is opened."""

from __future__ import annotations

from api.pages.kit.visits import Visit
from nrm.actions.reading import note_read
from nrm.queries.cases import CaseView
from nrm.vocabulary import Level


def note_strict(visit: Visit, case: CaseView) -> None:
    """Record that a visitor opened a page of a case, where the case is strictly confidential."""
    if case.level == Level.STRICT:
        note_read(visit.actor, "case", case.id)
