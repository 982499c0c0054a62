"""The referral machine and the task machine, as data.

`allowed_actions` of an answer, the buttons of a page and the check inside an action are the same call:
`referral_actions` and `task_actions`. The states and verbs are the normative table of the partner API; the
columns for FHIR (Gravity SDOH Clinical Care Task), BSeR and Primero stand beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from nrm.errors import IllegalMove, Problem
from nrm.vocabulary import (
    CancelReason,
    Channel,
    DeclineReason,
    ErrorReason,
    HoldReason,
    LoopAnswer,
    NotServedReason,
    Party,
    ReferralOutcome,
    ReferralState,
    TaskStatus,
    WithdrawReason,
)

S = ReferralState

UNDECIDED = frozenset({S.SENT, S.ACKNOWLEDGED, S.INFO_REQUESTED, S.WAITLISTED})
"""Sent, and nobody has said yes or no."""
SERVED_NOW = frozenset({S.IN_PROGRESS, S.ON_HOLD})
OPEN = frozenset({S.DRAFT, S.ACCEPTED}) | UNDECIDED | SERVED_NOW
TERMINAL = frozenset(S) - OPEN
NOT_YET_IN_SERVICE = frozenset({S.DRAFT, S.ACCEPTED}) | UNDECIDED
"""What a withdrawn consent interrupts at once (domain reference §4.2)."""
WITH_RECEIVER = OPEN - {S.DRAFT}
"""The receiving organisation has access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One way in which a verb changes a referral.

    Attributes:
        sources: states it starts from.
        target: the state it leads to; None when the state stays; ignored when `back` is set.
        who: the parties that may do it.
        back: return to the state that was held.
        after_request: True when it needs the flag `cancellation_requested`, False when the flag must not be set,
            None when it does not matter.
        asks_cancellation: it sets the flag `cancellation_requested`.
    """

    sources: frozenset[ReferralState]
    target: ReferralState | None
    who: frozenset[Party]
    back: bool = False
    after_request: bool | None = None
    asks_cancellation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb of the referral machine.

    Attributes:
        moves: the ways it changes a referral; the first that fits counts.
        event: type of the event that it records.
        reasons: codes that `reason` must be one of; None when there is no reason to give.
        needed: fields that must be given beside the reason.
        optional: fields that may be given.
        outcomes: codes that `outcome` must be one of.
        two_people: it takes effect when a second person uses it too.
    """

    moves: tuple[Move, ...]
    event: str
    reasons: type[StrEnum] | None = None
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    outcomes: tuple[ReferralOutcome, ...] = ()
    two_people: bool = False

    @property
    def sources(self) -> frozenset[ReferralState]:
        """All states that the verb starts from."""
        return frozenset().union(*(move.sources for move in self.moves))


def _move(
    sources: Collection[ReferralState],
    target: ReferralState | None,
    *who: Party,
    back: bool = False,
    after_request: bool | None = None,
    asks_cancellation: bool = False,
) -> tuple[Move, ...]:
    return (
        Move(
            sources=frozenset(sources),
            target=target,
            who=frozenset(who),
            back=back,
            after_request=after_request,
            asks_cancellation=asks_cancellation,
        ),
    )


_SENDER, _RECEIVER, _SYSTEM, _UNIT = Party.SENDER, Party.RECEIVER, Party.SYSTEM, Party.NATIONAL_UNIT

REFERRAL_VERBS: Mapping[str, Verb] = {
    "send": Verb(moves=_move({S.DRAFT}, S.SENT, _SENDER, _SYSTEM), event="referral.sent"),
    "acknowledge": Verb(moves=_move({S.SENT}, S.ACKNOWLEDGED, _RECEIVER), event="referral.acknowledged"),
    "request_info": Verb(
        moves=_move({S.SENT, S.ACKNOWLEDGED, S.WAITLISTED}, S.INFO_REQUESTED, _RECEIVER),
        event="referral.info_requested",
        needed=("note",),
    ),
    "answer": Verb(
        moves=_move({S.INFO_REQUESTED}, S.ACKNOWLEDGED, _SENDER), event="referral.answered", needed=("note",)
    ),
    "waitlist": Verb(
        moves=_move(UNDECIDED, S.WAITLISTED, _RECEIVER),
        event="referral.waitlisted",
        needed=("review_on",),
        optional=("position", "note"),
    ),
    "accept": Verb(
        moves=_move(UNDECIDED, S.ACCEPTED, _RECEIVER),
        event="referral.accepted",
        optional=("note", "expected_start", "expected_end"),
    ),
    "decline": Verb(
        moves=_move(UNDECIDED, S.DECLINED, _RECEIVER),
        event="referral.declined",
        reasons=DeclineReason,
        optional=("note",),
    ),
    "redirect": Verb(
        moves=_move(UNDECIDED, S.REDIRECTED, _RECEIVER),
        event="referral.redirected",
        reasons=DeclineReason,
        needed=("organisation",),
        optional=("note",),
    ),
    "schedule": Verb(
        moves=_move({S.ACCEPTED, S.IN_PROGRESS}, None, _RECEIVER),
        event="referral.scheduled",
        needed=("at",),
        optional=("place", "note"),
    ),
    "no_show": Verb(
        moves=_move({S.ACCEPTED, S.IN_PROGRESS}, None, _RECEIVER),
        event="referral.no_show",
        optional=("at", "note"),
    ),
    "start": Verb(
        moves=_move({S.ACCEPTED}, S.IN_PROGRESS, _RECEIVER),
        event="referral.started",
        optional=("started_on", "expected_end", "note"),
    ),
    "progress": Verb(moves=_move({S.IN_PROGRESS}, None, _RECEIVER), event="referral.progressed", needed=("note",)),
    "hold": Verb(
        moves=_move({S.ACCEPTED, S.IN_PROGRESS}, S.ON_HOLD, _RECEIVER),
        event="referral.held",
        reasons=HoldReason,
        needed=("until",),
        optional=("note",),
    ),
    "resume": Verb(
        moves=_move({S.ON_HOLD}, None, _RECEIVER, _SYSTEM, back=True), event="referral.resumed", optional=("note",)
    ),
    "complete": Verb(
        moves=_move({S.ACCEPTED, S.IN_PROGRESS}, S.COMPLETED, _RECEIVER),
        event="referral.completed",
        needed=("outcome",),
        optional=("note", "delivered_on", "units", "cost"),
        outcomes=(ReferralOutcome.PROVIDED, ReferralOutcome.PARTLY),
    ),
    "fail": Verb(
        moves=_move({S.ACCEPTED, S.IN_PROGRESS, S.ON_HOLD}, S.NOT_COMPLETED, _RECEIVER, _UNIT, _SYSTEM),
        event="referral.not_completed",
        reasons=NotServedReason,
        optional=("note",),
    ),
    "cancel": Verb(
        moves=_move(NOT_YET_IN_SERVICE, S.CANCELLED, _SENDER, _SYSTEM)
        + _move(SERVED_NOW, None, _SENDER, after_request=False, asks_cancellation=True)
        + _move(SERVED_NOW, S.CANCELLED, _RECEIVER, _UNIT, _SYSTEM, after_request=True),
        event="referral.cancelled",
        reasons=CancelReason,
        optional=("note",),
    ),
    "withdraw": Verb(
        moves=_move(OPEN, S.WITHDRAWN, _SENDER, _SYSTEM),
        event="referral.withdrawn",
        reasons=WithdrawReason,
        optional=("note",),
    ),
    "expire": Verb(moves=_move(UNDECIDED, S.EXPIRED, _SYSTEM), event="referral.expired"),
    "reassign": Verb(
        moves=_move(WITH_RECEIVER, None, _RECEIVER), event="referral.reassigned", needed=("desk",), optional=("note",)
    ),
    "enter_in_error": Verb(
        moves=_move(frozenset(S) - {S.ENTERED_IN_ERROR}, S.ENTERED_IN_ERROR, _UNIT),
        event="referral.entered_in_error",
        reasons=ErrorReason,
        optional=("note",),
        two_people=True,
    ),
}
"""Verb (as in the API, with "_" for "-") → what it does."""

CANCELLATION_REQUESTED_EVENT = "referral.cancellation_requested"
ERROR_REPORTED_EVENT = "referral.error_reported"

REASON_SYNONYMS: Mapping[str, str] = {
    "client_refused": NotServedReason.RETURNEE_REFUSED,
    "unable_to_contact_client": NotServedReason.UNREACHABLE,
    "unable_to_contact_provider": NotServedReason.PROVIDER_UNREACHABLE,
}
"""Reason codes of other systems (Primero) that partners may send → ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFacts:
    """How other standards call a state; None where they have no word.

    Attributes:
        fhir: FHIR Task.status (Gravity SDOH Clinical Care).
        bser: BSeR TaskBusinessStatus codes.
        primero: Primero transition status.
    """

    fhir: str
    bser: str | None
    primero: str | None


REFERRAL_STATES: Mapping[ReferralState, StateFacts] = {
    S.DRAFT: StateFacts(fhir="draft", bser=None, primero=None),
    S.SENT: StateFacts(fhir="requested", bser="2.0", primero="in_progress"),
    S.ACKNOWLEDGED: StateFacts(fhir="requested", bser="2.0", primero="in_progress"),
    S.INFO_REQUESTED: StateFacts(fhir="requested", bser=None, primero=None),
    S.WAITLISTED: StateFacts(fhir="on-hold", bser=None, primero=None),
    S.ACCEPTED: StateFacts(fhir="accepted", bser="3.0", primero="accepted"),
    S.IN_PROGRESS: StateFacts(fhir="in-progress", bser="5.1", primero="accepted"),
    S.ON_HOLD: StateFacts(fhir="on-hold", bser=None, primero=None),
    S.COMPLETED: StateFacts(fhir="completed", bser="7.0", primero="done"),
    S.NOT_COMPLETED: StateFacts(fhir="failed", bser="6.0", primero="done"),
    S.DECLINED: StateFacts(fhir="rejected", bser="4.0", primero="rejected"),
    S.REDIRECTED: StateFacts(fhir="rejected", bser="4.0", primero=None),
    S.CANCELLED: StateFacts(fhir="cancelled", bser="6.0", primero="revoked"),
    S.WITHDRAWN: StateFacts(fhir="cancelled", bser="6.0", primero="revoked"),
    S.EXPIRED: StateFacts(fhir="failed", bser=None, primero=None),
    S.ENTERED_IN_ERROR: StateFacts(fhir="entered-in-error", bser=None, primero=None),
}

LOOP_ANSWERS: Mapping[ReferralState, frozenset[LoopAnswer]] = {
    S.COMPLETED: frozenset({LoopAnswer.CONFIRMED, LoopAnswer.REREFERRED, LoopAnswer.UNMET_NEED}),
    **{
        state: frozenset({LoopAnswer.REREFERRED, LoopAnswer.UNMET_NEED, LoopAnswer.NO_LONGER_NEEDED})
        for state in (S.NOT_COMPLETED, S.DECLINED, S.REDIRECTED, S.EXPIRED)
    },
}
"""Terminal state → the answers of the sender that close it; a state that is not listed closes by itself."""

_PARTY_PERMISSION: Mapping[Party, str] = {
    Party.SENDER: "referral.send",
    Party.RECEIVER: "referral.receive",
    Party.NATIONAL_UNIT: "referral.correct",
}
_RECORDED_FOR_RECEIVER = frozenset({Channel.EMAIL, Channel.LETTER, Channel.PHONE})


def referral_parties(
    *, sends: bool, receives: bool, in_national_unit: bool, channel: Channel, permissions: Collection[str]
) -> frozenset[Party]:
    """Tell in which parts an actor stands to a referral.

    An organisation that answers by letter, e-mail or phone has nobody at a screen: there the sender's clerk
    records its answers and so also stands in the receiver's part (domain reference §0 fact 2).

    Args:
        sends: the actor works at the referring desk's organisation.
        receives: the actor works at the receiving organisation.
        in_national_unit: the actor works at the national or jurisdiction's central unit.
        channel: the receiving organisation's channel.
        permissions: the actor's permission names.
    """
    parts = {Party.SENDER: sends, Party.RECEIVER: receives, Party.NATIONAL_UNIT: in_national_unit}
    mine = {party for party, stands in parts.items() if stands and _PARTY_PERMISSION[party] in permissions}
    if Party.SENDER in mine and channel in _RECORDED_FOR_RECEIVER:
        mine.add(Party.RECEIVER)
    return frozenset(mine)


def _fits(move: Move, state: ReferralState, parties: Collection[Party] | None, requested: bool) -> bool:
    return (
        state in move.sources
        and (parties is None or not move.who.isdisjoint(parties))
        and (move.after_request is None or move.after_request == requested)
    )


def find_move(
    state: ReferralState, verb: str, *, parties: Collection[Party] | None = None, cancellation_requested: bool = False
) -> Move | None:
    """Find the way in which a verb changes a referral.

    Args:
        state: present state.
        verb: name in `REFERRAL_VERBS`.
        parties: the actor's parts; None to ask for anybody.
        cancellation_requested: the sender asked to cancel while service had begun.

    Returns:
        The move, or None when the verb does not fit or is unknown.
    """
    known = REFERRAL_VERBS.get(verb)
    moves = known.moves if known else ()
    return next((move for move in moves if _fits(move, state, parties, cancellation_requested)), None)


def next_state(
    state: ReferralState,
    verb: str,
    *,
    parties: Collection[Party] | None = None,
    held_from: ReferralState | None = None,
    cancellation_requested: bool = False,
) -> ReferralState:
    """Give the state after a verb.

    Args:
        state: present state.
        verb: name in `REFERRAL_VERBS`.
        parties: the actor's parts; None to ask for anybody.
        held_from: the state in which it was put on hold (accepted or in progress).
        cancellation_requested: the sender asked to cancel while service had begun.

    Raises:
        IllegalMove: the verb does not fit the state or the actor; it lists the verbs that do.
    """
    move = find_move(state, verb, parties=parties, cancellation_requested=cancellation_requested)
    if move is None:
        allowed = referral_actions(
            state, frozenset(Party) if parties is None else parties, cancellation_requested=cancellation_requested
        )
        raise IllegalMove(allowed, None, state=str(state), verb=verb)
    if move.back:
        return held_from or S.ACCEPTED
    return move.target or state


def referral_actions(
    state: ReferralState, parties: Collection[Party], *, cancellation_requested: bool = False
) -> tuple[str, ...]:
    """List the verbs that an actor may use on a referral now, in the order of `REFERRAL_VERBS`.

    Args:
        state: present state.
        parties: the actor's parts (`referral_parties`).
        cancellation_requested: the sender asked to cancel while service had begun.
    """
    return tuple(
        verb
        for verb in REFERRAL_VERBS
        if find_move(state, verb, parties=parties, cancellation_requested=cancellation_requested)
    )


def reason_code(text: str) -> str:
    """Turn a reason code of another system into ours; our own codes stay as they are."""
    return str(REASON_SYNONYMS.get(text, text))


def verb_problems(verb: str, given: Mapping[str, object]) -> tuple[Problem, ...]:
    """Say what is missing or wrong in the fields of a verb.

    Args:
        verb: name in `REFERRAL_VERBS`.
        given: field name → value; None and "" count as not given.

    Returns:
        Problems with JSON pointers; empty when the verb may go on. A reason "other" needs a note. Types of dates and
        ids are not looked at here.

    Raises:
        KeyError: no such verb.
    """
    rule = REFERRAL_VERBS[verb]
    wanted = (("reason",) if rule.reasons else ()) + rule.needed
    present = {name for name, value in given.items() if value not in (None, "")}
    problems = [Problem(pointer=f"/{name}", code="required") for name in wanted if name not in present]
    problems += [
        Problem(pointer=f"/{name}", code="unknown_field")
        for name in sorted(present - {*wanted, *rule.optional, "version"})
    ]
    return (*problems, *_code_problems(rule, given, present))


def _code_problems(rule: Verb, given: Mapping[str, object], present: Collection[str]) -> tuple[Problem, ...]:
    problems = []
    reason = reason_code(str(given.get("reason", "")))
    if rule.reasons and "reason" in present:
        if reason not in set(rule.reasons):
            codes = ", ".join(rule.reasons)
            problems.append(Problem(pointer="/reason", code="not_a_choice", params={"choices": codes}))
        elif reason == "other" and "note" not in present:
            problems.append(Problem(pointer="/note", code="note_required"))
    if rule.outcomes and "outcome" in present and given["outcome"] not in rule.outcomes:
        codes = ", ".join(rule.outcomes)
        problems.append(Problem(pointer="/outcome", code="not_a_choice", params={"choices": codes}))
    return tuple(problems)


def is_closed(state: ReferralState, answer: LoopAnswer | None) -> bool:
    """Tell whether a referral is closed: terminal, and its loop answered where an answer is due."""
    if state not in TERMINAL:
        return False
    wanted = LOOP_ANSWERS.get(state)
    return wanted is None or answer in wanted


def final_outcome(state: ReferralState, reported: ReferralOutcome | None) -> ReferralOutcome | None:
    """Give the final outcome of a referral: what the receiver reported when completed, else not provided.

    Returns:
        None while the referral is open, and for one that was entered in error (it never was).
    """
    if state not in TERMINAL or state is S.ENTERED_IN_ERROR:
        return None
    return (reported or ReferralOutcome.PROVIDED) if state is S.COMPLETED else ReferralOutcome.NOT_PROVIDED


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What decides which verbs an actor may use on a task.

    Attributes:
        status: where the task stands.
        assigned: somebody holds it.
        mine: the actor holds it.
        at_desk: the actor is a member of its desk.
        may_work: the actor has `task.work` there.
        may_assign: the actor has `task.assign` there (a supervisor).
        completed_by_me: the actor completed it.
        undoable: its advance only opened and closed tasks and set timers, and the run has not moved since.
        from_step: it belongs to a step of a run; a task that somebody added by hand does not.
        stands_in: the actor stands in for whoever holds it, who is away.
    """

    status: TaskStatus
    assigned: bool = False
    mine: bool = False
    at_desk: bool = False
    may_work: bool = False
    may_assign: bool = False
    completed_by_me: bool = False
    undoable: bool = False
    from_step: bool = True
    stands_in: bool = False

    @property
    def knows(self) -> bool:
        """Whether the task by itself lets the actor know of it; once it has ended, only whoever ended it."""
        if self.status in {TaskStatus.OPEN, TaskStatus.ON_HOLD}:
            return self.mine or self.at_desk or self.may_assign
        return self.completed_by_me


TASK_VERBS = (
    "claim",
    "release",
    "hand_over",
    "assign",
    "draft",
    "complete",
    "hold",
    "resume",
    "comment",
    "undo",
    "reopen",
    "cancel",
)
"""All verbs of a task, in the order in which they are shown."""


def _open_task_actions(facts: TaskFacts) -> set[str]:
    verbs = {"assign"} if facts.may_assign else set()
    if facts.may_work and facts.at_desk and (facts.stands_in or not facts.assigned):
        verbs.add("claim")
    if facts.may_work and facts.mine:
        verbs |= {"release", "hand_over", "draft", "complete", "hold"}
    if facts.may_assign:
        verbs |= {"hold"} | ({"release"} if facts.assigned else set())
    if not facts.from_step and (facts.mine or facts.may_assign):
        verbs.add("cancel")
    return verbs


def _held_task_actions(facts: TaskFacts) -> set[str]:
    verbs = {"resume"} if (facts.mine and facts.may_work) or facts.may_assign else set()
    return verbs | ({"assign"} if facts.may_assign else set())


def _done_task_actions(facts: TaskFacts) -> set[str]:
    may_change = facts.completed_by_me or facts.may_assign
    if not facts.from_step:
        return {"reopen"} if may_change else set()
    return {"undo"} if facts.undoable and may_change else set()


@lru_cache(maxsize=4096)
def task_actions(facts: TaskFacts) -> tuple[str, ...]:
    """List the verbs that an actor may use on a task now, in the order of `TASK_VERBS`.

    Completing needs that the actor holds the task: two people never fill the same form at once.
    """
    by_status = {
        TaskStatus.OPEN: _open_task_actions,
        TaskStatus.ON_HOLD: _held_task_actions,
        TaskStatus.COMPLETED: _done_task_actions,
    }
    verbs = by_status[facts.status](facts) if facts.status in by_status else set()
    if facts.at_desk or facts.mine or facts.may_assign:
        verbs = verbs | {"comment"}
    return tuple(verb for verb in TASK_VERBS if verb in verbs)
