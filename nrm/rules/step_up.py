"""When a code of the second factor is asked for once more, in the middle of a session.

A stolen or forgotten session must not be enough to make users, keys or exports, or to change what the whole country
works by (OWASP ASVS 5.0.0, 7.5.3).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from nrm.actors import Actor
from nrm.errors import NotAllowed

STEP_UP_LASTS: Final = timedelta(minutes=10)
"""How long a code counts."""

STEP_UP_FOR: Final = frozenset({"user.manage", "key.manage", "directory.edit", "pack.load", "path.publish"})
"""Permissions whose changes need a fresh code."""

STEP_UP_TO_READ: Final = frozenset({"export.read"})
"""Permissions of which even reading needs one: what leaves the building."""

NEEDED: Final = "step_up_needed"
"""Code of the refusal."""


def is_fresh(checked_at: datetime | None, now: datetime) -> bool:
    """Say whether a code that was checked at some moment still counts.

    Args:
        checked_at: when; None for never.
        now: the present moment, of the same clock.
    """
    return checked_at is not None and now - checked_at <= STEP_UP_LASTS


def require_proof(actor: Actor, permission: str | None, *, reading: bool = False) -> None:
    """Stop whoever uses such a permission without a fresh code.

    Args:
        actor: who asks; the system, programs with keys, and a demonstration on its own machine need none.
        permission: what is asked for; None for nothing special.
        reading: nothing is changed.

    Raises:
        NotAllowed: "step_up_needed".
    """
    needs = permission in STEP_UP_TO_READ or (permission in STEP_UP_FOR and not reading)
    if needs and not actor.proven:
        raise NotAllowed(NEEDED)
