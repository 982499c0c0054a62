"""Which verbs somebody may use on a case; what a page shows and an answer lists."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from nrm.vocabulary import CaseStatus

_OPEN: Final = (
    ("change", "case.work"),
    ("note", "case.work"),
    ("tell", "case.work"),
    ("record_consent", "consent.record"),
    ("ask_override", "consent.override"),
    ("refer", "referral.send"),
    ("start_run", "run.start"),
    ("transfer", "case.transfer"),
    ("set_level", "case.level"),
    ("share", "case.level"),
    ("close", "case.close"),
)
_CLOSED: Final = (("note", "case.work"), ("share", "case.level"), ("reopen", "case.close"))


def case_actions(status: CaseStatus, *, may_work: bool, permissions: Collection[str]) -> tuple[str, ...]:
    """List the verbs that an actor may use on a case now.

    Args:
        status: whether it is open.
        may_work: the actor has access to work on it.
        permissions: the actor's permission names.
    """
    if not may_work:
        return ()
    verbs = _OPEN if status is CaseStatus.OPEN else _CLOSED
    return tuple(verb for verb, permission in verbs if permission in permissions)
