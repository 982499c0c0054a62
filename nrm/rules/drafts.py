"""What may be done with a draft of a path, and by whom: one person changes it, another one publishes it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from nrm.vocabulary import DraftStatus

MOST_OF_PERSON: Final = 20
"""Open drafts that one person has begun: more are forgotten rather than worked on."""
MOST_OF_PATH: Final = 10
"""Open drafts of one path: whoever publishes first makes all others outdated."""
UNTOUCHED: Final = timedelta(days=60)
"""An open draft that nobody has changed for so long is listed for tidying."""
EDIT: Final = "path.edit"
PUBLISH: Final = "path.publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftState:
    """As much of a draft as decides who may do what.

    Attributes:
        status: one of `DraftStatus`.
        changers: ids of all who began or changed it.
        submitted_by: id of whoever asked for its review; None before that.
    """

    status: str
    changers: Collection[str]
    submitted_by: str | None = None

    def own(self, actor_id: str) -> bool:
        """Say whether somebody's own work is in it: they changed it at any time, or asked for its review."""
        return actor_id in self.changers or actor_id == self.submitted_by


def draft_moves(state: DraftState, *, actor_id: str, may_edit: bool, may_publish: bool) -> tuple[str, ...]:
    """Give the verbs that somebody may use on a draft now, in the order of the buttons.

    Args:
        state: the draft.
        actor_id: who asks; nobody who ever changed it, or asked for its review, publishes it, from no seat.
        may_edit: has the permission "path.edit".
        may_publish: has the permission "path.publish".
    """
    if state.status == DraftStatus.DRAFT:
        return ("save", "submit", "discard") if may_edit else ()
    if state.status != DraftStatus.IN_REVIEW:
        return ()
    second = may_publish and not state.own(actor_id)
    moves = ["publish"] if second else []
    if may_publish or may_edit:
        moves.append("send_back")
    return tuple(moves)
