"""The referral and task machines: every state with every verb."""

from __future__ import annotations

import itertools

import pytest

from nrm.errors import IllegalMove
from nrm.rules.statuses import (
    LOOP_ANSWERS,
    NOT_YET_IN_SERVICE,
    OPEN,
    REFERRAL_STATES,
    REFERRAL_VERBS,
    TASK_VERBS,
    TERMINAL,
    UNDECIDED,
    TaskFacts,
    final_outcome,
    find_move,
    is_closed,
    next_state,
    reason_code,
    referral_actions,
    referral_parties,
    task_actions,
    verb_problems,
)
from nrm.vocabulary import Channel, LoopAnswer, Party, ReferralOutcome, ReferralState, TaskStatus

S = ReferralState

# The whole matrix, written down a second time by hand: state → verb → next state ("=" stays).
MATRIX = {
    "draft": "send>sent cancel>cancelled withdraw>withdrawn enter_in_error>entered_in_error",
    "sent": "acknowledge>acknowledged request_info>info_requested waitlist>waitlisted accept>accepted decline>declined"
    " redirect>redirected cancel>cancelled withdraw>withdrawn expire>expired reassign>="
    " enter_in_error>entered_in_error",
    "acknowledged": "request_info>info_requested waitlist>waitlisted accept>accepted decline>declined"
    " redirect>redirected cancel>cancelled withdraw>withdrawn expire>expired reassign>="
    " enter_in_error>entered_in_error",
    "info_requested": "answer>acknowledged waitlist>waitlisted accept>accepted decline>declined redirect>redirected"
    " cancel>cancelled withdraw>withdrawn expire>expired reassign>= enter_in_error>entered_in_error",
    "waitlisted": "request_info>info_requested waitlist>waitlisted accept>accepted decline>declined"
    " redirect>redirected cancel>cancelled withdraw>withdrawn expire>expired reassign>="
    " enter_in_error>entered_in_error",
    "accepted": "schedule>= no_show>= start>in_progress hold>on_hold complete>completed fail>not_completed"
    " cancel>cancelled withdraw>withdrawn reassign>= enter_in_error>entered_in_error",
    "in_progress": "schedule>= no_show>= progress>= hold>on_hold complete>completed fail>not_completed cancel>="
    " withdraw>withdrawn reassign>= enter_in_error>entered_in_error",
    "on_hold": "resume>in_progress fail>not_completed cancel>= withdraw>withdrawn reassign>="
    " enter_in_error>entered_in_error",
    "completed": "enter_in_error>entered_in_error",
    "not_completed": "enter_in_error>entered_in_error",
    "declined": "enter_in_error>entered_in_error",
    "redirected": "enter_in_error>entered_in_error",
    "cancelled": "enter_in_error>entered_in_error",
    "withdrawn": "enter_in_error>entered_in_error",
    "expired": "enter_in_error>entered_in_error",
    "entered_in_error": "",
}
TABLE = {state: dict(pair.split(">") for pair in moves.split()) for state, moves in MATRIX.items()}


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(S, REFERRAL_VERBS)))
def test_every_verb_in_every_state_moves_as_the_table_says_or_is_refused(state: S, verb: str) -> None:
    expected = TABLE[state].get(verb)
    if expected is None:
        with pytest.raises(IllegalMove) as caught:
            next_state(state, verb, held_from=S.IN_PROGRESS)
        assert set(caught.value.allowed_actions) == set(TABLE[state])
        assert verb not in caught.value.allowed_actions
    else:
        assert next_state(state, verb, held_from=S.IN_PROGRESS) == (state if expected == "=" else expected)


def test_the_hand_written_matrix_speaks_of_every_state_and_verb() -> None:
    assert set(TABLE) == set(S) == set(REFERRAL_STATES)
    assert {verb for moves in TABLE.values() for verb in moves} == set(REFERRAL_VERBS)


def test_open_and_terminal_states_share_nothing_and_leave_nothing_out() -> None:
    assert frozenset(S) == OPEN | TERMINAL
    assert not OPEN & TERMINAL
    assert len(TERMINAL) == 8
    assert UNDECIDED < NOT_YET_IN_SERVICE < OPEN


def test_from_every_open_state_an_end_can_be_reached() -> None:
    reached = set(TERMINAL)
    while True:
        more = {s for s in OPEN - reached if any(next_state(s, v, held_from=S.ACCEPTED) in reached for v in TABLE[s])}
        if not more:
            break
        reached |= more
    assert reached == set(S)


def test_a_receiver_is_never_offered_what_is_the_senders() -> None:
    offered = {verb for state in S for verb in referral_actions(state, {Party.RECEIVER})}
    assert offered.isdisjoint({"send", "answer", "withdraw", "expire", "enter_in_error"})
    assert {"accept", "decline", "complete"} <= offered


def test_nobody_without_a_part_is_offered_anything() -> None:
    assert all(referral_actions(state, frozenset()) == () for state in S)


def test_cancelling_during_service_asks_first_and_the_receiver_then_agrees() -> None:
    first = find_move(S.IN_PROGRESS, "cancel", parties={Party.SENDER})
    assert first is not None
    assert first.asks_cancellation
    assert "cancel" not in referral_actions(S.IN_PROGRESS, {Party.RECEIVER})
    assert "cancel" not in referral_actions(S.IN_PROGRESS, {Party.SENDER}, cancellation_requested=True)
    assert "cancel" in referral_actions(S.IN_PROGRESS, {Party.RECEIVER}, cancellation_requested=True)
    after = next_state(S.IN_PROGRESS, "cancel", parties={Party.RECEIVER}, cancellation_requested=True)
    assert after is S.CANCELLED


@pytest.mark.parametrize("before", [S.ACCEPTED, S.IN_PROGRESS])
def test_a_hold_goes_back_to_where_it_came_from(before: S) -> None:
    assert next_state(S.ON_HOLD, "resume", held_from=before) is before


def test_a_ministry_that_answers_by_letter_is_recorded_by_the_referring_desk() -> None:
    may = {"referral.send"}
    by_letter = referral_parties(
        sends=True, receives=False, in_national_unit=False, channel=Channel.LETTER, permissions=may
    )
    by_portal = referral_parties(
        sends=True, receives=False, in_national_unit=False, channel=Channel.PORTAL, permissions=may
    )
    assert by_letter == {Party.SENDER, Party.RECEIVER}
    assert by_portal == {Party.SENDER}
    assert not referral_parties(
        sends=True, receives=True, in_national_unit=True, channel=Channel.PHONE, permissions=set()
    )


def test_a_decline_needs_a_reason_from_the_list_and_other_needs_a_note() -> None:
    assert [(p.pointer, p.code) for p in verb_problems("decline", {})] == [("/reason", "required")]
    assert [p.code for p in verb_problems("decline", {"reason": "because"})] == ["not_a_choice"]
    assert [p.pointer for p in verb_problems("decline", {"reason": "other"})] == ["/note"]
    assert verb_problems("decline", {"reason": "no_capacity", "version": 3}) == ()


def test_every_negative_end_needs_a_reason() -> None:
    for verb in ("decline", "redirect", "fail", "cancel", "withdraw", "enter_in_error"):
        assert REFERRAL_VERBS[verb].reasons is not None, verb


def test_unknown_fields_of_a_verb_are_named() -> None:
    (problem,) = verb_problems("acknowledge", {"colour": "red"})
    assert (problem.pointer, problem.code) == ("/colour", "unknown_field")


def test_an_outcome_of_completion_is_provided_or_partly() -> None:
    assert [p.code for p in verb_problems("complete", {"outcome": "not_provided"})] == ["not_a_choice"]
    assert verb_problems("complete", {"outcome": "partly"}) == ()


def test_reason_codes_of_other_systems_are_understood() -> None:
    assert reason_code("unable_to_contact_client") == "unreachable"
    assert reason_code("moved") == "moved"
    assert verb_problems("fail", {"reason": "unable_to_contact_client"}) == ()


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("answer", [None, *LoopAnswer])
def test_a_referral_is_closed_only_when_its_loop_is_answered(state: S, answer: LoopAnswer | None) -> None:
    if state in OPEN:
        assert not is_closed(state, answer)
    elif state in LOOP_ANSWERS:
        assert is_closed(state, answer) == (answer in LOOP_ANSWERS[state])
    else:
        assert is_closed(state, answer)


def test_accepted_and_served_are_different_facts() -> None:
    assert final_outcome(S.ACCEPTED, None) is None
    assert final_outcome(S.COMPLETED, ReferralOutcome.PARTLY) is ReferralOutcome.PARTLY
    assert final_outcome(S.DECLINED, None) is ReferralOutcome.NOT_PROVIDED
    assert final_outcome(S.ENTERED_IN_ERROR, None) is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": "open", "at_desk": True, "may_work": True}, "claim comment"),
        (
            {"status": "open", "at_desk": True, "may_work": True, "assigned": True, "mine": True},
            "release hand_over draft complete hold comment",
        ),
        ({"status": "open", "at_desk": True, "may_work": True, "assigned": True}, "comment"),
        ({"status": "open", "may_work": True}, ""),
        ({"status": "open", "at_desk": True}, "comment"),
        ({"status": "open", "may_assign": True, "assigned": True}, "release assign hold comment"),
        ({"status": "on_hold", "at_desk": True, "may_work": True, "assigned": True, "mine": True}, "resume comment"),
        ({"status": "on_hold", "may_assign": True}, "assign resume comment"),
        ({"status": "completed", "at_desk": True, "completed_by_me": True, "undoable": True}, "comment undo"),
        ({"status": "completed", "at_desk": True, "completed_by_me": True}, "comment"),
        ({"status": "completed", "at_desk": True, "completed_by_me": True, "from_step": False}, "comment reopen"),
        (
            {"status": "open", "at_desk": True, "may_work": True, "assigned": True, "mine": True, "from_step": False},
            "release hand_over draft complete hold comment cancel",
        ),
        ({"status": "cancelled", "at_desk": True, "may_work": True, "may_assign": True}, "comment"),
    ],
)
def test_a_worker_is_offered_what_fits(facts: dict[str, object], expected: str) -> None:
    facts["status"] = TaskStatus(str(facts["status"]))
    assert task_actions(TaskFacts(**facts)) == tuple(expected.split())  # type: ignore[arg-type]


@pytest.mark.parametrize("status", list(TaskStatus))
def test_only_known_verbs_are_offered_whatever_the_facts(status: TaskStatus) -> None:
    names = ("assigned", "mine", "at_desk", "may_work", "may_assign", "completed_by_me", "undoable", "from_step")
    for bits in itertools.product((False, True), repeat=len(names)):
        facts = TaskFacts(status=status, **dict(zip(names, bits, strict=True)))
        offered = task_actions(facts)
        assert set(offered) <= set(TASK_VERBS)
        assert not ("complete" in offered and not facts.mine)
