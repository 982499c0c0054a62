"""Reads that leave a trace: who opened an unmasked person or a strictly confidential case."""

from __future__ import annotations

from nrm.actions._action import Work, action


@action("record.note_read")
def note_read(work: Work, kind: str, row_id: str, *, purpose: str | None = None) -> None:
    """Record that the actor has read something sensitive; in the actor's own stream, so that reading locks no case.

    Args:
        work: the transaction.
        kind: what was read: person, case, task or referral.
        row_id: its id.
        purpose: what a partner's program said that it reads it for; None when it did not say.
    """
    stream = work.actor.id if work.actor.id.startswith(("usr_", "key_", "lnk_")) else "system"
    data = {"purpose": purpose} if purpose is not None else {}
    work.record("record.read", stream=stream, subject=(kind, row_id), data=data)
