"""Telephone calls about a referral: what was said is recorded, and what was answered takes effect with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from nrm import ids
from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work, action
from nrm.actions.referral_changes import Given
from nrm.actions.referral_loading import load_as_sender, result, touch
from nrm.actions.referral_moves import perform_loaded
from nrm.actions.referral_sending import seal_text
from nrm.errors import NotValid, Problem
from nrm.models import ReferralNote
from nrm.queries.referral_shapes import ReferralView
from nrm.rules.texts import WrongValue, clean_text

OLDEST_CALL: Final = timedelta(days=7)

BY_TELEPHONE: Final = ("acknowledge", "accept", "decline", "schedule", "start", "complete", "fail")
"""What a receiver may answer on the telephone."""


@action("referral.call", permission="referral.send")
def record_call(
    work: Work,
    referral_id: str,
    *,
    called_at: datetime,
    spoke_with: str,
    said: str,
    answer: str | None = None,
    given: Given,
    version: int | None,
) -> ReferralView:
    """Record a call to the receiver, and its answer where it gave one and has no screen of its own.

    Args:
        work: the transaction.
        referral_id: a referral of the actor's organisation.
        called_at: when it was, at most seven days ago.
        spoke_with: with whom; sealed with what was said.
        said: what was said, in a few words; sealed.
        answer: what the receiver answered, a verb of `BY_TELEPHONE`; None when it gave no answer.
        given: the fields of that verb.
        version: the version that the actor saw.

    Raises:
        NotFound: not the actor's to know of.
        NotAllowed: the actor does not send it.
        NotValid: a field is wrong.
        IllegalMove: the answer does not fit the state, or the receiver has a screen and answers there.
        StaleVersion: it changed since.
    """
    loaded = load_as_sender(work, referral_id, version=version)
    referral = loaded.referral
    if not work.now - OLDEST_CALL <= called_at <= work.now:
        raise NotValid([Problem(pointer="/called_at", code="moment_out_of_range")])
    _keep(work, referral_id, f"{_line(spoke_with)}: {said}")
    if answer is not None:
        perform_loaded(work, loaded, answer, given)
    else:
        touch(work, referral)
    clocks.record(work, referral, "referral.called", answer=answer)
    work.session.flush()
    return result(work, loaded.case, referral, loaded)


def _line(spoke_with: str) -> str:
    try:
        return clean_text(spoke_with, longest=120)
    except WrongValue as error:
        raise NotValid([Problem(pointer="/spoke_with", code=error.code, params=error.params)]) from error


def _keep(work: Work, referral_id: str, text: str) -> None:
    note_id = ids.new_id("rno")
    sealed = seal_text(text, "/said", note_id, "referral_notes.text", longest=5_200)
    actor = work.actor
    work.add(
        ReferralNote,
        id=note_id,
        referral_id=referral_id,
        kind="call",
        author=actor.id,
        organisation_id=actor.organisations[0] if actor.organisations else None,
        text=sealed,
        created_at=work.now,
    )
