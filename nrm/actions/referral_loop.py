"""The end of the loop: what the returnee says, how the sender answers, and who was asked before."""

from __future__ import annotations

from typing import Final

from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work
from nrm.actions.closing import record_end
from nrm.models import Referral
from nrm.rules.statuses import is_closed
from nrm.vocabulary import LoopAnswer, ReferralOutcome, ReferralState

_S = ReferralState


MAX_ATTEMPTS: Final = 3
"""How many providers one need is referred to, one after the other (domain reference §6.2)."""


def answer_loop(work: Work, referral: Referral, answer: LoopAnswer) -> None:
    """Answer the loop of an ended referral: confirmed, referred again, unmet, or no longer needed."""
    referral.confirmed = str(answer)
    referral.confirmed_at = referral.confirmed_at or work.now
    if referral.closed_at is None and is_closed(ReferralState(referral.state), answer):
        record_end(work, referral)
    referral.updated_at = work.now


def confirm(work: Work, referral: Referral, *, received: bool, satisfaction: int | None = None) -> bool:
    """Note the returnee's word on an ended referral and say whether it differs from the receiver's.

    Args:
        work: the transaction.
        referral: the referral.
        received: the returnee got the service.
        satisfaction: 1 to 5; None when it was not asked.
    """
    served = referral.outcome in {str(ReferralOutcome.PROVIDED), str(ReferralOutcome.PARTLY)}
    mismatch = served != received
    referral.confirmed_at = work.now
    referral.satisfaction = satisfaction if satisfaction is not None else referral.satisfaction
    kind = "referral.disputed" if mismatch else "referral.confirmed"
    clocks.record(work, referral, kind, received=received)
    return mismatch


def tried_organisations(work: Work, referral: Referral) -> frozenset[str]:
    """List the organisations that were asked for the same need already, over all rounds."""
    tried: set[str] = set()
    current: Referral | None = referral
    while current is not None:
        if current.to_organisation_id is not None:
            tried.add(current.to_organisation_id)
        current = work.session.get(Referral, current.parent_id) if current.parent_id else None
    return frozenset(tried)
