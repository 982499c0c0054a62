"""What is done when a moment of a referral's clock has come."""

from __future__ import annotations

from datetime import date

from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work
from nrm.actions.referral_changes import Given
from nrm.actions.referral_loading import LoadedReferral, touch
from nrm.actions.referral_moves import perform_loaded
from nrm.queries import packs
from nrm.rules.deadlines import EXPIRING
from nrm.vocabulary import NotServedReason, ReferralState

_S = ReferralState


def do_due(work: Work, loaded: LoadedReferral, state: ReferralState) -> str:
    """Do what is due about a referral, and name it."""
    referral, case = loaded.referral, loaded.case
    if state is _S.ON_HOLD:
        perform_loaded(work, loaded, "resume", Given())
        return "resumed"
    if state is _S.WAITLISTED:
        return _review(work, loaded)
    if state is _S.INFO_REQUESTED:
        # Nobody answered the receiver's question: its clock runs on, so that the referral cannot rest for ever.
        referral.state = _S.ACKNOWLEDGED
        touch(work, referral)
        clocks.record(work, referral, "referral.overdue", clock="answer")
        if referral.from_desk_id is not None:
            clocks.notify(work, "referral.overdue", referral, desk=referral.from_desk_id)
        clocks.go_on(work, case, referral, "decide")
        return "answer_overdue"
    found = clocks.moments(case, referral)
    duty = clocks.next_duty(referral, found)[0] if found is not None else "remind"
    if duty == "end":
        return _end(work, loaded)
    if duty == "escalate":
        clocks.escalate(work, case, referral)
        return "escalated"
    clocks.remind(work, case, referral)
    return "reminded"


def _end(work: Work, loaded: LoadedReferral) -> str:
    """End a referral that nobody answers: expired before it was accepted, not served as far as is known after."""
    if loaded.referral.clock in EXPIRING:
        perform_loaded(work, loaded, "expire", Given())
        return "expired"
    perform_loaded(work, loaded, "fail", Given(reason=NotServedReason.PROVIDER_UNREACHABLE))
    return "given_up"


def _review(work: Work, loaded: LoadedReferral) -> str:
    referral, case = loaded.referral, loaded.case
    longest = int(packs.pack().settings.get("waitlist_days", "60"))
    since = referral.paused_at or referral.updated_at
    if (work.now - since).days >= longest:
        perform_loaded(work, loaded, "expire", Given())
        return "expired"
    if referral.to_desk_id is not None:
        clocks.notify(work, "referral.due_soon", referral, desk=referral.to_desk_id)
    if referral.from_desk_id is not None:
        clocks.notify(work, "referral.waitlisted", referral, desk=referral.from_desk_id)
    clocks.record(work, referral, "referral.due_soon", clock="waitlist")
    referral.review_on = _later(work.now.date(), 7)
    del case
    return "reviewed"


def _later(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days)
