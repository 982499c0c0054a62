"""Who is told exact numbers of cases: those who may see how many there are; all others hear no small ones."""

from __future__ import annotations

from nrm.actors import Actor
from nrm.vocabulary import Level


def sees_exact_counts(actor: Actor, level: str) -> bool:
    """Say whether somebody may know how many cases exactly are on a path.

    Args:
        actor: who asks.
        level: the path's level of confidentiality.
    """
    return actor.may("case.overview") and (level != Level.STRICT or actor.may("case.read_strict"))
