"""The closed loop of a referral: every verb of the normative table, the gate before it leaves, and its end.

All verbs go through `_perform`: lock the case, find out in which part the actor stands, check state, version and
fields, change the row, move the clocks, tell the run, record the fact. What a verb changes beside the state stands in
`nrm.actions.referral_changes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select

from nrm import ids
from nrm.actions import letters, runs
from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work, action
from nrm.actions.access import lock_visible_case, review_access
from nrm.actions.closing import note_plan_service, open_referrals, record_end
from nrm.actions.deliveries import LETTER, tell_organisation, way_to
from nrm.actions.disclosing import Gate, check_gate, disclose
from nrm.actions.numbering import fresh_number
from nrm.actions.referral_changes import Given, apply_fields, release_slot, take_slot
from nrm.actors import Seat
from nrm.errors import IllegalMove, NotAllowed, NotFound, NotValid, Problem, StaleVersion
from nrm.models import Case, Membership, Organisation, PlanService, Referral, ReferralNote, Service, User
from nrm.queries import packs
from nrm.queries.scope import sees_case
from nrm.rules.consent import default_categories, forbidden_categories
from nrm.rules.statuses import (
    CANCELLATION_REQUESTED_EVENT,
    OPEN,
    REFERRAL_VERBS,
    TERMINAL,
    final_outcome,
    find_move,
    is_closed,
    next_state,
    referral_actions,
    referral_parties,
    verb_problems,
)
from nrm.rules.texts import WrongValue, clean_text
from nrm.sealing import seal
from nrm.vocabulary import (
    Channel,
    DataCategory,
    LoopAnswer,
    Party,
    Priority,
    ReferralOutcome,
    ReferralState,
)

MAX_ATTEMPTS: Final = 3
"""How many providers one need is referred to, one after the other (domain reference §6.2)."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralResult:
    """How a referral stands after a verb."""

    id: str
    number: str
    state: str
    version: int
    reply_due_at: datetime | None
    allowed_actions: tuple[str, ...]


@dataclass(slots=True)
class Loaded:
    """A referral under the lock of its case."""

    referral: Referral
    case: Case
    parties: frozenset[Party]
    receiver: Organisation | None

    def actions(self) -> tuple[str, ...]:
        """List the verbs that fit now."""
        referral = self.referral
        return referral_actions(
            ReferralState(referral.state), self.parties, cancellation_requested=referral.cancellation_requested
        )


def load_referral(work: Work, referral_id: str) -> Loaded:
    """Load a referral with its case, both locked, and say in which parts the actor stands to it.

    Raises:
        NotFound: there is no such referral, or it is not the actor's to know of.
    """
    # What was changed and not yet written would be lost when the rows are read again.
    work.session.flush()
    found = work.session.execute(
        select(Case, Referral)
        .join(Referral, Referral.case_id == Case.id)
        .where(Referral.id == referral_id)
        .with_for_update(of=[Case, Referral])
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    case, referral = found
    work.hold(case)
    receiver = (
        work.session.get(Organisation, referral.to_organisation_id) if referral.to_organisation_id is not None else None
    )
    parties = _parties(work, case, referral, receiver)
    if not parties and not _sees(work, case):
        raise NotFound
    return Loaded(referral=referral, case=case, parties=parties, receiver=receiver)


def _parties(work: Work, case: Case, referral: Referral, receiver: Organisation | None) -> frozenset[Party]:
    actor = work.actor
    if actor.is_system:
        return frozenset({Party.SYSTEM})
    if referral.livemode != actor.livemode:
        return frozenset()
    mine = [seat for seat in actor.seats if seat.organisation_id == referral.from_organisation_id]
    theirs = [seat for seat in actor.seats if seat.organisation_id == referral.to_organisation_id]
    sends = bool(mine) and _sees(work, case, writing=True)
    receives = bool(theirs) and referral.state != _S.DRAFT and _at_receiving_desk(referral, theirs)
    return referral_parties(
        sends=sends,
        receives=receives,
        in_national_unit=actor.may("referral.correct") and _sees(work, case),
        channel=Channel(receiver.channel) if receiver else Channel.PORTAL,
        permissions=frozenset().union(*(seat.permissions for seat in actor.seats)),
    )


def _at_receiving_desk(referral: Referral, seats: list[Seat]) -> bool:
    desks = {seat.desk_id for seat in seats}
    return referral.to_desk_id is None or None in desks or referral.to_desk_id in desks


def _sees(work: Work, case: Case, *, writing: bool = False) -> bool:
    condition = sees_case(work.actor, work.now, writing=writing)
    return work.session.execute(select(Case.id).where(Case.id == case.id, condition)).first() is not None


# -- making one ----------------------------------------------------------------------------------------------------


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
) -> ReferralResult:
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


def draft_referral(
    work: Work,
    case: Case,
    *,
    service_id: str,
    reason: str,
    urgency: str = Priority.NORMAL,
    expected_result: str | None = None,
    categories: list[str] | None = None,
    plan_service_id: str | None = None,
    external_id: str | None = None,
    run_id: str | None = None,
    parent: Referral | None = None,
) -> Referral:
    """Make the draft of a referral inside an action that has locked the case; arguments as for `create_referral`.

    Args:
        work: the transaction.
        case: the locked case.
        service_id: the service.
        reason: why it is needed.
        urgency: emergency, urgent or normal.
        expected_result: what it should bring about.
        categories: data categories to disclose.
        plan_service_id: the planned service that this serves.
        external_id: the sender's own reference.
        run_id: the run that waits for it.
        parent: the referral that was not served, of which this is the next round.

    Raises:
        NotValid: a field is wrong.
    """
    service = work.session.get(Service, service_id)
    if service is None or not service.active or service.livemode != case.livemode:
        raise NotValid([Problem(pointer="/service_id", code="unknown_service")])
    chosen = sorted(default_categories(service.category)) if categories is None else sorted(set(categories))
    _check_draft(service, urgency=urgency, categories=chosen)
    _check_links(work, case, plan_service_id=plan_service_id, external_id=external_id)
    referral_id = ids.new_id("ref")
    referral = Referral(
        id=referral_id,
        number=fresh_number(work, Referral, "REF"),
        case_id=case.id,
        person_id=case.person_id,
        run_id=run_id,
        plan_service_id=plan_service_id,
        service_id=service.id,
        category=service.category,
        from_organisation_id=case.organisation_id,
        from_desk_id=case.desk_id,
        to_organisation_id=service.organisation_id,
        to_desk_id=_receiving_desk(service, case),
        state=_S.DRAFT,
        urgency=urgency,
        reason=_sealed(reason, "/reason", referral_id, "referrals.reason", longest=2_000),
        expected_result=_sealed(
            expected_result, "/expected_result", referral_id, "referrals.expected_result", longest=2_000
        ),
        categories=chosen,
        parent_id=parent.id if parent else None,
        attempt=parent.attempt + 1 if parent else 1,
        external_id=external_id,
        livemode=case.livemode,
        created_by=work.actor.id,
        created_at=work.now,
        updated_at=work.now,
        escalation=0,
        slot_taken=False,
        no_shows=0,
        cancellation_requested=False,
        version=1,
    )
    work.flush()
    work.session.add(referral)
    work.session.flush()
    clocks.record(work, referral, "referral.drafted", service=service.id, parent=referral.parent_id)
    if parent is not None:
        answer_loop(work, case, parent, LoopAnswer.REREFERRED)
    return referral


def _check_draft(service: Service, *, urgency: str, categories: list[str]) -> None:
    problems = []
    if urgency not in set(Priority):
        problems.append(Problem(pointer="/urgency", code="unknown_code"))
    problems += [
        Problem(pointer=f"/categories/{place}", code="unknown_code")
        for place, code in enumerate(categories)
        if code not in set(DataCategory)
    ]
    if not problems:
        never = forbidden_categories(service.category, categories)
        problems += [
            Problem(pointer=f"/categories/{categories.index(code)}", code="category_not_for_service")
            for code in sorted(never)
        ]
    if problems:
        raise NotValid(problems)


def _check_links(work: Work, case: Case, *, plan_service_id: str | None, external_id: str | None) -> None:
    if plan_service_id is not None:
        planned = work.session.get(PlanService, plan_service_id)
        if planned is None or planned.case_id != case.id:
            raise NotValid([Problem(pointer="/plan_service_id", code="unknown_plan_service")])
    if external_id is not None:
        used = select(Referral.id).where(
            Referral.from_organisation_id == case.organisation_id, Referral.external_id == external_id
        )
        if work.session.execute(used).first() is not None:
            raise NotValid([Problem(pointer="/external_id", code="external_id_used")])


def _receiving_desk(service: Service, case: Case) -> str | None:
    if service.desk_id is not None:
        return service.desk_id
    data = packs.pack()
    for role in ("receiving_desk", "provider_focal_point"):
        desk = data.find_desk(role, organisation_id=service.organisation_id, governorate=case.governorate)
        if desk is not None:
            return desk.id
    return None


def _sealed(text: str | None, pointer: str, row: str, column: str, *, longest: int) -> str | None:
    if text is None:
        return None
    try:
        clean = clean_text(text, longest=longest, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer=pointer, code=error.code, params=error.params)]) from error
    return seal(clean, row=row, column=column) if clean else None


# -- sending -------------------------------------------------------------------------------------------------------


def gate_of(work: Work, case: Case, referral: Referral) -> Gate:
    """Ask the consent gate whether a drafted referral may leave; also whether somebody else serves the same need."""
    if referral.to_organisation_id is None or referral.service_id is None:
        return Gate(code="no_provider")
    same = select(Referral.id).where(
        Referral.case_id == case.id,
        Referral.id != referral.id,
        Referral.category == referral.category,
        Referral.state.in_([str(state) for state in OPEN - {_S.DRAFT}]),
    )
    if work.session.execute(same).first() is not None:
        return Gate(code="duplicate")
    return check_gate(work, case, organisation_id=referral.to_organisation_id, categories=referral.categories)


def send_draft(work: Work, case: Case, referral: Referral) -> Gate:
    """Send a draft through the gate, inside an action that has locked the case.

    Returns:
        The gate's word; when it is not ok, nothing left, and the fact is recorded.
    """
    gate = gate_of(work, case, referral)
    if not gate.ok:
        clocks.record(work, referral, "referral.blocked", code=gate.code)
        return gate
    referral.state = _S.SENT
    referral.sent_at = work.now
    referral.consent_id, referral.override_id = gate.consent_id, gate.override_id
    _touch(work, referral)
    clocks.record(work, referral, "referral.sent", urgency=referral.urgency, attempt=referral.attempt)
    disclosure_id = disclose(work, case, referral, gate)
    receiver = work.session.get(Organisation, referral.to_organisation_id)
    if receiver is not None and way_to(receiver) == LETTER:
        letters.write_for_referral(work, case, referral, disclosure_id=disclosure_id)
    deliver(work, referral, "referral_received", organisation_id=referral.to_organisation_id)
    if referral.to_desk_id is not None:
        clocks.notify(work, "referral.sent", referral, desk=referral.to_desk_id)
    clocks.restart(work, case, referral)
    note_plan_service(work, referral, "referred")
    return gate


def deliver(work: Work, referral: Referral, template: str, *, organisation_id: str | None) -> None:
    """Let an organisation know, by its own channel, that there is something for it: ids only, no names."""
    if organisation_id is not None:
        tell_organisation(work, organisation_id, template=template, subject=("referral", referral.id))


def _touch(work: Work, referral: Referral) -> None:
    referral.updated_at = work.now
    referral.version += 1


# -- the verbs -----------------------------------------------------------------------------------------------------


def _perform(
    work: Work, referral_id: str, verb: str, *, version: int | None, given: Given | None = None
) -> ReferralResult:
    loaded = load_referral(work, referral_id)
    referral = loaded.referral
    if version is not None and referral.version != version:
        raise StaleVersion(referral.version)
    if not loaded.parties:
        raise NotAllowed("not_your_referral")
    perform_loaded(work, loaded, verb, given or Given())
    work.session.flush()
    return result(work, loaded.case, referral, loaded)


def perform_loaded(work: Work, loaded: Loaded, verb: str, given: Given) -> None:
    """Carry out a verb on a loaded referral, with everything that follows from it.

    Raises:
        IllegalMove: the verb does not fit.
        NotValid: fields are missing or wrong.
    """
    referral, case = loaded.referral, loaded.case
    before = ReferralState(referral.state)
    requested = referral.cancellation_requested
    held = ReferralState(referral.resume_state) if referral.resume_state else None
    after = next_state(before, verb, parties=loaded.parties, held_from=held, cancellation_requested=requested)
    problems = verb_problems(verb, given.fields())
    if problems:
        raise NotValid(problems)
    if REFERRAL_VERBS[verb].two_people:
        _check_second_person(work, str(given.approved_by))
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
        clocks.record(work, referral, CANCELLATION_REQUESTED_EVENT, reason=given.reason)
        _touch(work, referral)
        return
    _enter(work, loaded, before=before, after=after, given=given)
    clocks.record(
        work, referral, REFERRAL_VERBS[verb].event, state=str(after), reason=given.reason, outcome=given.outcome
    )
    _touch(work, referral)
    _tell(work, case, referral, before, after)


def _check_second_person(work: Work, user_id: str) -> None:
    """Stop unless the second person is another one, who may do this too.

    Raises:
        NotValid: it is the actor, nobody, or somebody without the permission.
    """
    rows = work.session.execute(
        select(Membership.role)
        .join(User, User.id == Membership.user_id)
        .where(Membership.user_id == user_id, User.id != work.actor.id, User.disabled_at.is_(None))
        .where(Membership.until.is_(None) | (Membership.until > work.now))
    ).scalars()
    roles = packs.pack().roles
    if not any("referral.correct" in roles.get(role, frozenset()) for role in rows):
        raise NotValid([Problem(pointer="/approved_by", code="second_person_needed")])


def _enter(work: Work, loaded: Loaded, *, before: ReferralState, after: ReferralState, given: Given) -> None:
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


def result(work: Work, case: Case, referral: Referral, loaded: Loaded | None = None) -> ReferralResult:
    """Say how a referral stands."""
    receiver = (
        work.session.get(Organisation, referral.to_organisation_id) if referral.to_organisation_id is not None else None
    )
    fresh = Loaded(
        referral=referral,
        case=case,
        parties=loaded.parties if loaded else _parties(work, case, referral, receiver),
        receiver=receiver,
    )
    return ReferralResult(
        id=referral.id,
        number=referral.number,
        state=str(referral.state),
        version=referral.version,
        reply_due_at=referral.reply_due_at,
        allowed_actions=fresh.actions(),
    )


@action("referral.send", permission="referral.send")
def send_referral(work: Work, referral_id: str, *, version: int | None) -> ReferralResult:
    """Send a drafted referral through the consent gate.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: the gate refuses; the problem says what is missing.
        IllegalMove: it is not a draft.
        StaleVersion: it changed since.
    """
    return _perform(work, referral_id, "send", version=version)


@action("referral.do", permission=None)
def do_verb(work: Work, referral_id: str, verb: str, *, version: int | None, given: Given) -> ReferralResult:
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
        NotValid: the text is empty or cannot be stored.
    """
    loaded = load_referral(work, referral_id)
    if not loaded.parties:
        raise NotAllowed("not_your_referral")
    note_id = ids.new_id("rno")
    sealed = _sealed(text, "/text", note_id, "referral_notes.text", longest=5_000)
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


# -- the end of the loop -------------------------------------------------------------------------------------------


def answer_loop(work: Work, case: Case, referral: Referral, answer: LoopAnswer) -> None:
    """Answer the loop of an ended referral: confirmed, referred again, unmet, or no longer needed."""
    referral.confirmed = str(answer)
    referral.confirmed_at = referral.confirmed_at or work.now
    if referral.closed_at is None and is_closed(ReferralState(referral.state), answer):
        record_end(work, referral)
    referral.updated_at = work.now
    del case


@action("referral.confirm", permission="referral.send")
def confirm_referral(
    work: Work, referral_id: str, *, received: bool, satisfaction: int | None = None, version: int | None
) -> ReferralResult:
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
    loaded = load_referral(work, referral_id)
    referral = loaded.referral
    if version is not None and referral.version != version:
        raise StaleVersion(referral.version)
    if Party.SENDER not in loaded.parties:
        raise NotAllowed("not_your_referral")
    if referral.state != _S.COMPLETED or referral.closed_at is not None:
        raise IllegalMove(loaded.actions(), "nothing_to_confirm")
    if satisfaction is not None and not 1 <= satisfaction <= 5:
        raise NotValid([Problem(pointer="/satisfaction", code="out_of_range", params={"least": 1, "most": 5})])
    confirm(work, loaded.case, referral, received=received)
    if received:
        answer_loop(work, loaded.case, referral, LoopAnswer.CONFIRMED)
    _touch(work, referral)
    work.session.flush()
    return result(work, loaded.case, referral, loaded)


def confirm(work: Work, case: Case, referral: Referral, *, received: bool) -> bool:
    """Note the returnee's word on an ended referral and say whether it differs from the receiver's."""
    served = referral.outcome in {str(ReferralOutcome.PROVIDED), str(ReferralOutcome.PARTLY)}
    mismatch = served != received
    referral.confirmed_at = work.now
    kind = "referral.disputed" if mismatch else "referral.confirmed"
    clocks.record(work, referral, kind, received=received)
    del case
    return mismatch


@action("referral.close_loop", permission="referral.send")
def close_loop(work: Work, referral_id: str, *, answer: str, version: int | None) -> ReferralResult:
    """Answer the loop of a referral that was not served, where no path does: unmet, or no longer needed.

    Raises:
        NotFound: not the actor's to know of.
        NotValid: no such answer for this end.
        IllegalMove: it has not ended, or is closed.
        StaleVersion: it changed since.
    """
    loaded = load_referral(work, referral_id)
    referral = loaded.referral
    if version is not None and referral.version != version:
        raise StaleVersion(referral.version)
    if Party.SENDER not in loaded.parties:
        raise NotAllowed("not_your_referral")
    state = ReferralState(referral.state)
    if state not in TERMINAL or referral.closed_at is not None:
        raise IllegalMove(loaded.actions(), "nothing_to_close")
    if answer not in set(LoopAnswer) or not is_closed(state, LoopAnswer(answer)):
        raise NotValid([Problem(pointer="/answer", code="unknown_code")])
    answer_loop(work, loaded.case, referral, LoopAnswer(answer))
    _touch(work, referral)
    work.session.flush()
    return result(work, loaded.case, referral, loaded)


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


def replace_parties(loaded: Loaded, parties: frozenset[Party]) -> Loaded:
    """Give the same referral as it looks in another part."""
    return Loaded(referral=loaded.referral, case=loaded.case, parties=parties, receiver=loaded.receiver)


# -- clocks --------------------------------------------------------------------------------------------------------


@action("referral.run_clock")
def run_referral_clock(work: Work, referral_id: str) -> str | None:
    """Do what is due about a referral's clock: remind, escalate, expire, resume, review; only the runner asks.

    Returns:
        What was done, None when nothing was due.

    Raises:
        NotFound: when anybody but the system asks.
    """
    if not work.actor.is_system:
        raise NotFound
    loaded = load_referral(work, referral_id)
    referral, case = loaded.referral, loaded.case
    state = ReferralState(referral.state)
    due = clocks.next_moment(case, referral)
    if state in TERMINAL or due is None or due > work.now:
        clocks.wake(work, case, referral)
        return None
    done = _due(work, loaded, state)
    work.session.flush()
    if referral.state not in TERMINAL:
        clocks.wake(work, case, referral)
    return done


def _due(work: Work, loaded: Loaded, state: ReferralState) -> str:
    referral, case = loaded.referral, loaded.case
    if state is _S.ON_HOLD:
        perform_loaded(work, loaded, "resume", Given())
        return "resumed"
    if state is _S.WAITLISTED:
        return _review(work, loaded)
    if state is _S.INFO_REQUESTED:
        # Nobody answered the receiver's question: its clock runs on, so that the referral cannot rest for ever.
        referral.state = _S.ACKNOWLEDGED
        clocks.record(work, referral, "referral.overdue", clock="answer")
        if referral.from_desk_id is not None:
            clocks.notify(work, "referral.overdue", referral, desk=referral.from_desk_id)
        clocks.go_on(work, case, referral, "decide")
        _touch(work, referral)
        return "answer_overdue"
    found = clocks.moments(case, referral)
    if found is not None and found.expiry is not None and found.expiry <= work.now:
        perform_loaded(work, loaded, "expire", Given())
        return "expired"
    if found is not None and referral.escalation < len(found.rungs) and found.rungs[referral.escalation] <= work.now:
        clocks.escalate(work, case, referral)
        return "escalated"
    clocks.remind(work, case, referral)
    return "reminded"


def _review(work: Work, loaded: Loaded) -> str:
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


def tried_organisations(work: Work, referral: Referral) -> frozenset[str]:
    """List the organisations that were asked for the same need already, over all rounds."""
    tried: set[str] = set()
    current: Referral | None = referral
    while current is not None:
        if current.to_organisation_id is not None:
            tried.add(current.to_organisation_id)
        current = work.session.get(Referral, current.parent_id) if current.parent_id else None
    return frozenset(tried)
