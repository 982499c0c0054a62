"""The closed loop of a referral: every verb of the normative table, the gate before it leaves, and its end.

All verbs go through `_perform`: lock the case, find out in which part the actor stands, check state, version and
fields, change the row, move the clocks, tell the run, record the fact. What a verb changes beside the state stands in
`nrm.actions.referral_changes`.
"""

from __future__ import annotations

from typing import Final

from nrm import ids
from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case
from nrm.actions.referral_changes import Given
from nrm.actions.referral_chasing import do_due
from nrm.actions.referral_loading import load_as_sender, load_referral, result, touch
from nrm.actions.referral_loop import answer_loop, confirm
from nrm.actions.referral_moves import perform_loaded
from nrm.actions.referral_sending import draft_referral, seal_text, send_draft
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, Problem
from nrm.models import ReferralNote
from nrm.queries.referral_shapes import ReferralView
from nrm.queries.referrals import GONE
from nrm.rules.statuses import REFERRAL_VERBS, TERMINAL, is_closed
from nrm.vocabulary import LoopAnswer, Priority, ReferralState, WithdrawReason

_S = ReferralState


_ENDS_OF_CONSENT: Final = frozenset({str(WithdrawReason.CONSENT_WITHDRAWN), str(WithdrawReason.CONSENT_EXPIRED)})
"""Reasons that only the end of a consent itself brings about."""


@action("referral.create", permission="referral.send")
def create_referral(
    work: Work,
    case_id: str,
    *,
    service_id: str,
    reason: str,
    urgency: str = Priority.NORMAL,
    expected_result: str | None = None,
    categories: list[str] | None = None,
    plan_service_id: str | None = None,
    external_id: str | None = None,
    draft: bool = False,
) -> ReferralView:
    """Prepare a referral of a case to a service and, unless it stays a draft, send it.

    Args:
        work: the transaction.
        case_id: a case that the actor works on.
        service_id: the service.
        reason: why it is needed, in a few words; sealed.
        urgency: emergency, urgent or normal.
        expected_result: what the service should bring about; sealed.
        categories: data categories to disclose; None for those that the kind of service gets by default.
        plan_service_id: the planned service that this serves.
        external_id: the sender's own reference, unique for its organisation.
        draft: keep it as a draft.

    Raises:
        NotFound: the case is not the actor's to know of.
        NotValid: a field is wrong, or the consent gate refuses (the problem says what is missing).
        AlreadyDone: the external id stands for another referral; it names that one.
        IllegalMove: the case is closed.
    """
    case = lock_visible_case(work, case_id, writing=True)
    if case.status != "open":
        raise IllegalMove(("reopen",), "case_closed")
    referral = draft_referral(
        work,
        case,
        service_id=service_id,
        reason=reason,
        urgency=urgency,
        expected_result=expected_result,
        categories=categories,
        plan_service_id=plan_service_id,
        external_id=external_id,
    )
    if not draft:
        gate = send_draft(work, case, referral)
        if not gate.ok:
            raise NotValid([Problem(pointer="/service_id", code=gate.code, params={"missing": gate.missing})])
    work.session.flush()
    return result(work, case, referral)


def _perform(
    work: Work, referral_id: str, verb: str, *, version: int | None, given: Given | None = None
) -> ReferralView:
    loaded = load_referral(work, referral_id, version=version)
    if not loaded.parties:
        raise NotAllowed("not_your_referral")
    given = given or Given()
    if verb == "withdraw" and given.reason in _ENDS_OF_CONSENT:
        # Ending the consent itself tells every receiver what it may no longer use; this would end one referral only.
        raise NotValid([Problem(pointer="/reason", code="withdraw_the_consent")])
    perform_loaded(work, loaded, verb, given)
    work.session.flush()
    return result(work, loaded.case, loaded.referral, loaded)


@action("referral.send", permission="referral.send")
def send_referral(work: Work, referral_id: str, *, version: int | None) -> ReferralView:
    """Send a drafted referral through the consent gate.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the gate refuses; the problem says what is missing.
        IllegalMove: it is not a draft.
        StaleVersion: it changed since.
    """
    return _perform(work, referral_id, "send", version=version)


@action("referral.do", permission=None)
def do_verb(work: Work, referral_id: str, verb: str, *, version: int | None, given: Given) -> ReferralView:
    """Carry out a verb of the normative table (`nrm.rules.statuses.REFERRAL_VERBS`).

    Args:
        work: the transaction.
        referral_id: the referral.
        verb: its name, with "_" for "-".
        version: the version that the actor saw.
        given: reason, note, dates and whatever else the verb asks for.

    Raises:
        NotFound: not the actor's to know of, or no such verb.
        NotAllowed: the actor may read it, but stands in no part to it.
        NotValid: fields are missing or wrong; capacity is used up ("no_capacity").
        IllegalMove: the verb does not fit the state or the actor.
        StaleVersion: it changed since.
    """
    if verb not in REFERRAL_VERBS:
        raise NotFound("unknown_verb")
    return _perform(work, referral_id, verb, version=version, given=given)


@action("referral.note")
def add_referral_note(work: Work, referral_id: str, *, text: str) -> str:
    """Add a note that sender and receiver both read, and give its id.

    Raises:
        NotFound: not the actor's to know of.
        NotAllowed: the actor stands in no part to it.
        IllegalMove: it was taken back: the receiver reads nothing of it any more.
        NotValid: the text is empty or cannot be stored.
    """
    loaded = load_referral(work, referral_id)
    if not loaded.parties:
        raise NotAllowed("not_your_referral")
    if ReferralState(loaded.referral.state) in GONE:
        raise IllegalMove(loaded.actions(), "referral_taken_back")
    note_id = ids.new_id("rno")
    sealed = seal_text(text, "/text", note_id, "referral_notes.text", longest=5_000)
    if sealed is None:
        raise NotValid([Problem(pointer="/text", code="required")])
    work.add(
        ReferralNote,
        id=note_id,
        referral_id=referral_id,
        kind="message",
        author=work.actor.id,
        organisation_id=work.actor.organisations[0] if work.actor.organisations else None,
        text=sealed,
        created_at=work.now,
    )
    clocks.record(work, loaded.referral, "message.created", note=note_id)
    return note_id


@action("referral.confirm", permission="referral.send")
def confirm_referral(
    work: Work, referral_id: str, *, received: bool, satisfaction: int | None = None, version: int | None
) -> ReferralView:
    """Record what the returnee says about a referral that ended, where no path asks.

    Args:
        work: the transaction.
        referral_id: a completed referral.
        received: the returnee got the service.
        satisfaction: 1 to 5.
        version: the version that the actor saw.

    Raises:
        NotFound: not the actor's to know of.
        IllegalMove: it has not ended, or is closed.
        NotValid: satisfaction out of range.
        StaleVersion: it changed since.
    """
    loaded = load_as_sender(work, referral_id, version=version)
    referral = loaded.referral
    if referral.state != _S.COMPLETED or referral.closed_at is not None:
        raise IllegalMove(loaded.actions(), "nothing_to_confirm")
    if satisfaction is not None and not 1 <= satisfaction <= 5:
        raise NotValid([Problem(pointer="/satisfaction", code="out_of_range", params={"least": 1, "most": 5})])
    confirm(work, referral, received=received, satisfaction=satisfaction)
    if received:
        answer_loop(work, referral, LoopAnswer.CONFIRMED)
    touch(work, referral)
    work.session.flush()
    return result(work, loaded.case, referral, loaded)


@action("referral.close_loop", permission="referral.send")
def close_loop(work: Work, referral_id: str, *, answer: str, version: int | None) -> ReferralView:
    """Answer the loop of a referral that was not served, where no path does: unmet, or no longer needed.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: no such answer for this end.
        IllegalMove: it has not ended, or is closed.
        StaleVersion: it changed since.
    """
    loaded = load_as_sender(work, referral_id, version=version)
    referral = loaded.referral
    state = ReferralState(referral.state)
    if state not in TERMINAL or referral.closed_at is not None:
        raise IllegalMove(loaded.actions(), "nothing_to_close")
    if answer not in set(LoopAnswer) or not is_closed(state, LoopAnswer(answer)):
        raise NotValid([Problem(pointer="/answer", code="unknown_code")])
    answer_loop(work, referral, LoopAnswer(answer))
    touch(work, referral)
    work.session.flush()
    return result(work, loaded.case, referral, loaded)


@action("referral.run_clock")
def run_referral_clock(work: Work, referral_id: str) -> tuple[str, ...]:
    """Do what is due about a referral's clock: remind, escalate, end, resume, review; only the runner asks.

    After a time in which no runner worked, everything that should have been done is done now, in order and once.

    Returns:
        What was done.

    Raises:
        NotFound: when anybody but the system asks.
    """
    if not work.actor.is_system:
        raise NotFound
    loaded = load_referral(work, referral_id)
    referral, case = loaded.referral, loaded.case
    done: list[str] = []
    while (state := ReferralState(referral.state)) not in TERMINAL:
        due = clocks.next_moment(case, referral)
        if due is None or due > work.now:
            break
        done.append(do_due(work, loaded, state))
        work.session.flush()
    clocks.wake(work, case, referral)
    return tuple(done)
