"""What may be done with a plan that moves running runs: one answer for buttons, `allowed_actions` and the actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nrm.vocabulary import MigrationStatus

_VERBS: Final[Mapping[MigrationStatus, tuple[str, ...]]] = {
    MigrationStatus.DRAFT: ("change", "check", "discard"),
    MigrationStatus.CHECKING: ("discard",),
    MigrationStatus.CHECKED: ("change", "check", "approve", "discard"),
    MigrationStatus.RUNNING: ("pause",),
    MigrationStatus.PAUSED: ("resume", "undo"),
    MigrationStatus.DONE: ("undo",),
    MigrationStatus.UNDOING: (),
    MigrationStatus.UNDONE: (),
    MigrationStatus.DISCARDED: (),
}
_OF_EDITORS: Final = frozenset({"change", "check", "discard"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFacts:
    """How a plan stands, and how the actor stands to it.

    Attributes:
        status: how the plan stands.
        edits: the actor may draft paths.
        publishes: the actor may publish what somebody else has drafted.
        own: the actor made the plan or changed it at any time.
        has_errors: the plan itself cannot be carried out.
        stopped: the version that cases would go to was retired while they were being moved.
    """

    status: MigrationStatus
    edits: bool
    publishes: bool
    own: bool
    has_errors: bool = False
    stopped: bool = False


def migration_actions(facts: MigrationFacts) -> tuple[str, ...]:
    """List the verbs that fit.

    Nobody who made or ever changed the plan approves it: two people move the cases of others. To stop and to take back,
    one of those who may publish is enough.
    """
    return tuple(verb for verb in _VERBS[facts.status] if _may(verb, facts))


def _may(verb: str, facts: MigrationFacts) -> bool:
    if facts.has_errors and verb in {"check", "approve"}:
        return False
    if facts.stopped and verb == "resume":
        return False
    if verb in _OF_EDITORS:
        return facts.edits
    return facts.publishes and not (verb == "approve" and facts.own)
