"""What a service of the sandbox does with a referral: it answers by itself, a moment after the referral came."""

from __future__ import annotations

from typing import Final

from nrm.actions._action import Work, action
from nrm.actions.referral_changes import Given
from nrm.actions.referral_loading import load_referral, replace_parties
from nrm.actions.referral_moves import perform_loaded
from nrm.errors import IllegalMove
from nrm.models import Service
from nrm.rules.sandbox import ANSWERS
from nrm.vocabulary import Party

_RECEIVER: Final = frozenset({Party.RECEIVER})


@action("sandbox.answer")
def answer_in_sandbox(work: Work, referral_id: str) -> tuple[str, ...]:
    """Do with an invented referral what its service always does.

    Args:
        work: the transaction, the system's own.
        referral_id: a referral to a service of the sandbox.

    Returns:
        The verbs that were done; none when the sender was quicker and ended it.
    """
    loaded = load_referral(work, referral_id)
    service = work.session.get(Service, loaded.referral.service_id or "")
    if service is None or loaded.referral.livemode or service.livemode:
        return ()
    done = []
    for verb, code in ANSWERS[str(service.details.get("sandbox", "own"))].verbs:
        given = Given(outcome=code) if verb == "complete" else Given(reason=code or None)
        try:
            perform_loaded(work, replace_parties(loaded, _RECEIVER), verb, given)
        except IllegalMove:
            break
        done.append(verb)
    return tuple(done)
