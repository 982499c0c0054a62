"""A move of a referral: state, fields, places, clocks, the waiting run and the fact, all together."""

from __future__ import annotations

from typing import Final

from nrm.actions import referral_clocks as clocks
from nrm.actions import runs
from nrm.actions._action import Work
from nrm.actions.access import review_access
from nrm.actions.closing import open_referrals, record_end
from nrm.actions.referral_changes import Given, apply_fields, release_slot, take_slot
from nrm.actions.referral_loading import LoadedReferral, load_referral, replace_parties, touch
from nrm.actions.referral_sending import deliver, send_draft
from nrm.errors import NotAllowed, NotValid, Problem
from nrm.models import Case, Referral
from nrm.rules.statuses import (
    CANCELLATION_REQUESTED_EVENT,
    ERROR_REPORTED_EVENT,
    REFERRAL_VERBS,
    TERMINAL,
    final_outcome,
    find_move,
    is_closed,
    next_state,
    reason_code,
    verb_problems,
)
from nrm.vocabulary import Party, ReferralState

_S = ReferralState


TELLS_RUN: Final = frozenset(
    {
        _S.ACKNOWLEDGED,
        _S.ACCEPTED,
        _S.DECLINED,
        _S.REDIRECTED,
        _S.EXPIRED,
        _S.WITHDRAWN,
        _S.CANCELLED,
        _S.COMPLETED,
        _S.NOT_COMPLETED,
    }
)
"""States whose entry the waiting path is told of, by a message called "referral." and the state."""


def perform_loaded(work: Work, loaded: LoadedReferral, verb: str, given: Given) -> None:
    """Carry out a verb on a loaded referral, with everything that follows from it.

    Raises:
        IllegalMove: the verb does not fit.
        NotValid: fields are missing or wrong.
        NotAllowed: a second person must say the same.
    """
    referral, case = loaded.referral, loaded.case
    before = ReferralState(referral.state)
    requested = referral.cancellation_requested
    held = ReferralState(referral.resume_state) if referral.resume_state else None
    after = next_state(before, verb, parties=loaded.parties, held_from=held, cancellation_requested=requested)
    problems = verb_problems(verb, given.fields())
    if problems:
        raise NotValid(problems)
    if REFERRAL_VERBS[verb].two_people and not _is_second_person(work, referral, given):
        return
    move = find_move(before, verb, parties=loaded.parties, cancellation_requested=requested)
    if verb == "send":
        gate = send_draft(work, case, referral)
        if not gate.ok:
            raise NotValid([Problem(pointer="", code=gate.code, params={"missing": gate.missing})])
        return
    if after is _S.ACCEPTED and before is not _S.ON_HOLD:
        take_slot(work, referral)
    apply_fields(work, referral, verb, given)
    if move is not None and move.asks_cancellation:
        referral.cancellation_requested = True
        touch(work, referral)
        clocks.record(work, referral, CANCELLATION_REQUESTED_EVENT, reason=given.reason)
        return
    touch(work, referral)
    _enter(work, loaded, before=before, after=after, given=given)
    clocks.record(work, referral, REFERRAL_VERBS[verb].event, reason=given.reason, outcome=given.outcome)
    _tell(work, case, referral, before, after)


def _is_second_person(work: Work, referral: Referral, given: Given) -> bool:
    """Say whether somebody else has asked for this before; the first one's word only waits for a second.

    Raises:
        NotAllowed: the actor asked for it.
    """
    if referral.error_asked_by == work.actor.id:
        raise NotAllowed("second_person_needed")
    if referral.error_asked_by is not None:
        return True
    referral.error_reason = reason_code(str(given.reason))
    referral.error_asked_by, referral.error_asked_at = work.actor.id, work.now
    clocks.record(work, referral, ERROR_REPORTED_EVENT, reason=referral.error_reason)
    touch(work, referral)
    return False


def _enter(work: Work, loaded: LoadedReferral, *, before: ReferralState, after: ReferralState, given: Given) -> None:
    case, referral = loaded.case, loaded.referral
    referral.state = after
    if referral.escalation:
        review_access(work, case.id)
    if after is _S.INFO_REQUESTED:
        clocks.pause(work, case, referral)
        if referral.from_desk_id is not None:
            clocks.notify(work, "referral.info_requested", referral, desk=referral.from_desk_id)
    elif before is _S.INFO_REQUESTED and after is _S.ACKNOWLEDGED:
        clocks.go_on(work, case, referral, "decide")
    elif after is _S.WAITLISTED and before is _S.WAITLISTED:
        # A new day of review: the longest wait still counts from the first one.
        clocks.wake(work, case, referral)
    elif after is _S.WAITLISTED:
        clocks.pause(work, case, referral)
    elif after is not before:
        _enter_plainly(work, case, referral, after, given)
    elif given.until is not None or given.expected_end is not None:
        clocks.restart(work, case, referral, expected_end=given.expected_end)


def _enter_plainly(work: Work, case: Case, referral: Referral, after: ReferralState, given: Given) -> None:
    if after is _S.ACKNOWLEDGED:
        referral.acknowledged_at = referral.acknowledged_at or work.now
    if after in {_S.ACCEPTED, _S.DECLINED, _S.REDIRECTED, _S.EXPIRED}:
        referral.decided_at = referral.decided_at or work.now
    if after is _S.IN_PROGRESS:
        referral.started_at = referral.started_at or work.now
    if after in TERMINAL:
        _end(work, case, referral, after)
    clocks.restart(work, case, referral, expected_end=given.expected_end or referral.expected_end)


def _end(work: Work, case: Case, referral: Referral, after: ReferralState) -> None:
    referral.ended_at = work.now
    release_slot(work, referral)
    if after is not _S.COMPLETED:
        reported = final_outcome(after, None)
        referral.outcome = str(reported) if reported else None
    if referral.from_desk_id is not None and work.actor.id != referral.created_by:
        clocks.notify(work, f"referral.{after}", referral, desk=referral.from_desk_id)
    if after in {_S.WITHDRAWN, _S.CANCELLED} and referral.sent_at is not None:
        deliver(work, referral, "referral_ended", organisation_id=referral.to_organisation_id)
    if is_closed(after, None):
        record_end(work, referral)


def _tell(work: Work, case: Case, referral: Referral, before: ReferralState, after: ReferralState) -> None:
    if after is before or after not in TELLS_RUN or referral.run_id is None:
        return
    work.session.flush()
    runs.send_message(
        work,
        case,
        f"referral.{after}",
        values={"reason": referral.end_reason, "outcome": referral.outcome},
        run_id=referral.run_id,
        message_id=f"{referral.id}:{referral.version}",
    )


def withdraw_all(
    work: Work,
    case: Case,
    *,
    reason: str,
    organisation_ids: frozenset[str] | None = None,
    consent_id: str | None = None,
) -> int:
    """End the open referrals of a case at once: consent ended, or the returnee died.

    Args:
        work: the transaction.
        case: the locked case.
        reason: code of `WithdrawReason`.
        organisation_ids: only referrals to these organisations; None for all.
        consent_id: only referrals that stand on this consent, and drafts, which stand on none yet; None for all.

    Returns:
        How many ended.
    """
    count = 0
    for referral_id in open_referrals(work, case.id):
        loaded = load_referral(work, referral_id)
        if organisation_ids is not None and loaded.referral.to_organisation_id not in organisation_ids:
            continue
        if consent_id is not None and loaded.referral.sent_at and loaded.referral.consent_id != consent_id:
            continue
        forced = replace_parties(loaded, frozenset({Party.SYSTEM}))
        perform_loaded(work, forced, "withdraw", Given(reason=reason))
        count += 1
    return count
