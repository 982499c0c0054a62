"""Making the draft of a referral, and sending it through the consent gate."""

from __future__ import annotations

from sqlalchemy import select

from nrm import ids
from nrm.actions import letters
from nrm.actions import referral_clocks as clocks
from nrm.actions._action import Work
from nrm.actions.closing import note_plan_service
from nrm.actions.deliveries import LETTER, tell_organisation, way_to
from nrm.actions.disclosing import Gate, check_gate, disclose
from nrm.actions.numbering import fresh_number
from nrm.actions.referral_loading import touch
from nrm.actions.referral_loop import answer_loop
from nrm.errors import AlreadyDone, NotValid, Problem
from nrm.models import Case, Organisation, PlanService, Referral, Service
from nrm.queries import packs
from nrm.rules.consent import default_categories, forbidden_categories
from nrm.rules.statuses import OPEN
from nrm.rules.texts import WrongValue, clean_text
from nrm.sealing import seal
from nrm.vocabulary import DataCategory, Level, LoopAnswer, Priority, ReferralState

_S = ReferralState


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
    team_desk: str | None = None,
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
        team_desk: the desk that works on a strict case and so is the sender; None for the case's own.

    Raises:
        NotValid: a field is wrong.
        AlreadyDone: the external id stands for another referral of the organisation.
    """
    service = offered_service(work, case, service_id)
    chosen = sorted(default_categories(service.category)) if categories is None else sorted(set(categories))
    check_draft(service, urgency=urgency, categories=chosen)
    check_links(work, case, plan_service_id=plan_service_id, external_id=external_id)
    team = packs.pack().desk(team_desk) if case.level == Level.STRICT else None
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
        from_organisation_id=team.organisation_id if team else case.organisation_id,
        from_desk_id=team.id if team else case.desk_id,
        to_organisation_id=service.organisation_id,
        to_desk_id=receiving_desk(service, case),
        state=_S.DRAFT,
        urgency=urgency,
        reason=seal_text(reason, "/reason", referral_id, "referrals.reason", longest=2_000),
        expected_result=seal_text(
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
        answer_loop(work, parent, LoopAnswer.REREFERRED)
    return referral


def offered_service(work: Work, case: Case, service_id: str) -> Service:
    """Give the service to which a referral is to go.

    Raises:
        NotValid: there is none that is offered, or it is for tests only.
    """
    service = work.session.get(Service, service_id)
    if service is None or not service.active or service.livemode != case.livemode:
        raise NotValid([Problem(pointer="/service_id", code="unknown_service")])
    return service


def check_draft(service: Service, *, urgency: str, categories: list[str]) -> None:
    """Stop where the codes of a draft are unknown, or the service never gets such data.

    Raises:
        NotValid: by pointer.
    """
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


def check_links(work: Work, case: Case, *, plan_service_id: str | None, external_id: str | None) -> None:
    """Stop where a new referral names a planned service that is not the case's, or a reference that is taken.

    Raises:
        NotValid: there is no such planned service in the case.
        AlreadyDone: the external id stands for another referral of the organisation.
    """
    if plan_service_id is not None:
        planned = work.session.get(PlanService, plan_service_id)
        if planned is None or planned.case_id != case.id:
            raise NotValid([Problem(pointer="/plan_service_id", code="unknown_plan_service")])
    if external_id is not None:
        used = select(Referral.id).where(
            Referral.from_organisation_id == case.organisation_id, Referral.external_id == external_id
        )
        known = work.session.execute(used).scalar_one_or_none()
        if known is not None:
            raise AlreadyDone("external_id_used", id=known)


def receiving_desk(service: Service, case: Case) -> str | None:
    """Give the desk of the provider at which referrals of a case to a service come in."""
    if service.desk_id is not None:
        return service.desk_id
    data = packs.pack()
    for role in ("receiving_desk", "provider_focal_point"):
        desk = data.find_desk(role, organisation_id=service.organisation_id, governorate=case.governorate)
        if desk is not None:
            return desk.id
    return None


def seal_text(text: str | None, pointer: str, row: str, column: str, *, longest: int) -> str | None:
    """Seal a free text of a referral; None for an empty one.

    Raises:
        NotValid: it cannot be stored, or is too long.
    """
    if text is None:
        return None
    try:
        clean = clean_text(text, longest=longest, lines=True)
    except WrongValue as error:
        raise NotValid([Problem(pointer=pointer, code=error.code, params=error.params)]) from error
    return seal(clean, row=row, column=column) if clean else None


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
    touch(work, referral)
    clocks.record(work, referral, "referral.sent", urgency=referral.urgency, attempt=referral.attempt)
    disclosure_id = disclose(work, case, referral, gate)
    receiver = work.session.get(Organisation, referral.to_organisation_id)
    if receiver is not None and referral.livemode and way_to(receiver) == LETTER:
        letters.write_for_referral(work, case, referral, disclosure_id=disclosure_id)
    deliver(work, referral, "referral_received", organisation_id=referral.to_organisation_id)
    if referral.to_desk_id is not None:
        clocks.notify(work, "referral.sent", referral, desk=referral.to_desk_id)
    clocks.restart(work, case, referral)
    note_plan_service(work, referral, "referred")
    if not referral.livemode:
        # A service of the sandbox may answer by itself.
        work.enqueue("sandbox_answer", {"referral": referral.id}, due_at=work.now, case_id=case.id)
    return gate


def deliver(work: Work, referral: Referral, template: str, *, organisation_id: str | None) -> None:
    """Let an organisation know, by its own channel, that there is something for it: ids only, no names."""
    if organisation_id is not None and referral.livemode:
        tell_organisation(work, organisation_id, template=template, subject=("referral", referral.id))
