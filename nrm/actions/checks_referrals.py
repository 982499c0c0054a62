"""Checks about the referral loop: prepare, pass the gate, send, confirm, close, try the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select, update

from nrm.actions import referral_loading, referral_loop, referral_moves, referral_sending
from nrm.actions._action import Work
from nrm.actions.check_calls import CheckCall, CheckResult, Registered, code, codes, latest_answers, text
from nrm.actions.checks_plans import add_need
from nrm.actions.referral_changes import Given
from nrm.engine.failures import StepFailed
from nrm.errors import NotValid
from nrm.models import Case, Document, Need, PlanService, Referral, Service, ServiceCoverage
from nrm.queries import packs
from nrm.rules.statuses import TERMINAL
from nrm.vocabulary import TEAM_DESK, LoopAnswer, Party, Priority, ReferralOutcome, ReferralState


def _draft_referral(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    parent = _referral(work, call, required=False)
    if parent is not None and parent.run_id == call.run_id:
        # The gate refused and the handler prepares again: the earlier draft of this round is dropped.
        _drop_draft(work, call.case, parent)
        parent = work.session.get(Referral, parent.parent_id) if parent.parent_id else None
    service_id = str(answers.get("service") or "")
    urgency = str(answers.get("referral_urgency") or answers.get("urgency") or call.case.priority)
    plan_service = _plan_service_of(work, call, service_id)
    try:
        referral = referral_sending.draft_referral(
            work,
            call.case,
            service_id=service_id,
            reason=str(answers.get("reason") or ""),
            urgency=urgency,
            expected_result=text(answers.get("expected_result")),
            categories=codes(answers.get("disclosure")) or None,
            plan_service_id=plan_service.id if plan_service else None,
            run_id=call.run_id,
            parent=parent,
            team_desk=call.context.get(TEAM_DESK),
        )
    except NotValid as error:
        first = error.problems[0]
        raise StepFailed("referral_not_valid", call.step, field=first.pointer, problem=first.code) from error
    _attach(work, call.case, answers.get("attachment"), referral)
    return CheckResult(
        values={"emergency": urgency == Priority.EMERGENCY, "referral_id": referral.id},
        context={"referral": referral.id, "receiver": referral.to_organisation_id or ""},
    )


def _attach(work: Work, case: Case, document_id: object, referral: Referral) -> None:
    """Let the file that was added while preparing go with the referral; in a next round, with that one."""
    if isinstance(document_id, str):
        work.flush()
        named = update(Document).where(
            Document.id == document_id, Document.case_id == case.id, Document.error_at.is_(None)
        )
        work.session.execute(named.values(referral_id=referral.id).execution_options(synchronize_session=False))


def _plan_service_of(work: Work, call: CheckCall, service_id: str) -> PlanService | None:
    """Give the planned service that a referral serves: the one that the run was given, else that of a run above it.

    A run above may serve something else with this referral (a course on the way to a grant): then the categories
    differ, and the planned service is not served by it.
    """
    given = str(call.values.get("service_id") or "")
    planned = work.session.get(PlanService, given or call.context.get("item", ""))
    if planned is None or planned.case_id != call.case.id:
        return None
    if given:
        return planned
    service = work.session.get(Service, service_id)
    return planned if service is not None and service.category == planned.category else None


def _drop_draft(work: Work, case: Case, referral: Referral) -> None:
    if referral.state == ReferralState.DRAFT:
        loaded = referral_loading.replace_parties(
            referral_loading.load_referral(work, referral.id), frozenset({Party.SYSTEM})
        )
        referral_moves.perform_loaded(work, loaded, "cancel", Given(reason="wrong_provider"))
    del case


def _referral(work: Work, call: CheckCall, *, required: bool = True) -> Referral | None:
    found = work.session.get(Referral, call.context.get("referral", ""))
    if found is None and required:
        raise StepFailed("no_referral", call.step)
    return found


def _the_referral(work: Work, call: CheckCall) -> Referral:
    found = _referral(work, call)
    if found is None:
        raise StepFailed("no_referral", call.step)
    return found


_GATE_WORDS: Final = {
    "ok": "ok",
    "duplicate": "duplicate",
    "no_provider": "no_provider",
    "no_agreement": "no_agreement",
    "agreement_expired": "no_agreement",
    "agreement_not_covering": "no_agreement",
}


def _send_gate(work: Work, call: CheckCall) -> CheckResult:
    referral = _the_referral(work, call)
    gate = referral_sending.gate_of(work, call.case, referral)
    return CheckResult(values={"gate": _GATE_WORDS.get(gate.code, "no_consent")})


def _send_referral(work: Work, call: CheckCall) -> CheckResult:
    referral = _the_referral(work, call)
    gate = referral_sending.send_draft(work, call.case, referral)
    if not gate.ok:
        raise StepFailed("gate_refused", call.step, gate=gate.code)
    return CheckResult(values={"attempt": referral.attempt})


def _confirm_referral(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    referral = _the_referral(work, call)
    mismatch = referral_loop.confirm(
        work, referral, received=answers.get("received") is True, satisfaction=_stars(answers.get("satisfaction"))
    )
    return CheckResult(values={"mismatch": mismatch})


def _stars(answer: object) -> int | None:
    """Read how content the returnee is, as a form says it: a number of 1 to 5, perhaps as a choice's code."""
    text = str(answer)
    return int(text) if text in {"1", "2", "3", "4", "5"} else None


def _close_referral(work: Work, call: CheckCall) -> CheckResult:
    referral = _the_referral(work, call)
    outcome = str(call.params.get("outcome") or referral.outcome or "")
    state = ReferralState(referral.state)
    if state is ReferralState.DRAFT:
        _drop_draft(work, call.case, referral)
        return CheckResult()
    if state not in TERMINAL:
        raise StepFailed("referral_still_open", call.step, state=str(state))
    if outcome in set(ReferralOutcome):
        referral.outcome = outcome
    answer = LoopAnswer.CONFIRMED if referral.outcome != ReferralOutcome.NOT_PROVIDED else LoopAnswer.UNMET_NEED
    if referral.closed_at is None:
        referral_loop.answer_loop(work, referral, answer)
    need = _need_of(work, referral)
    if need is not None and referral.outcome == ReferralOutcome.PROVIDED:
        need.status, need.updated_at = "met", work.now
    return CheckResult()


def _need_of(work: Work, referral: Referral) -> Need | None:
    planned = work.session.get(PlanService, referral.plan_service_id) if referral.plan_service_id else None
    return work.session.get(Need, planned.need_id) if planned and planned.need_id else None


def _next_provider(work: Work, call: CheckCall) -> CheckResult:
    referral = _the_referral(work, call)
    most = int(packs.pack().settings.get("max_attempts", str(referral_loop.MAX_ATTEMPTS)))
    tried = referral_loop.tried_organisations(work, referral)
    place = call.case.governorate
    found = (
        select(Service.id)
        .join(ServiceCoverage, ServiceCoverage.service_id == Service.id)
        .where(
            Service.category == referral.category,
            Service.active,
            Service.accepting,
            Service.livemode == call.case.livemode,
            ServiceCoverage.governorate == place,
            Service.organisation_id.not_in(tried),
            Service.paused_until.is_(None) | (Service.paused_until < work.now.date()),
            Service.open_slots.is_(None) | (Service.open_slots > 0),
        )
    )
    other = work.session.execute(found).first() is not None
    return CheckResult(values={"attempts_left": max(0, most - referral.attempt), "other_provider": other})


def _record_unmet_need(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    referral = _the_referral(work, call)
    reason = code(answers.get("unmet_reason") or answers.get("reason"))
    need = _need_of(work, referral)
    if need is None:
        need = work.session.get(Need, _unmet_need(work, call.case, referral.category))
    if need is not None:
        need.status, need.reason, need.updated_at = "unmet", reason, work.now
        work.record("need.unmet", stream=call.case.id, subject=("need", need.id), data={"reason": reason})
    if referral.closed_at is None:
        referral_loop.answer_loop(work, referral, LoopAnswer.UNMET_NEED)
    return CheckResult()


def _unmet_need(work: Work, case: Case, category: str) -> str:
    need_id = add_need(work, case, category)
    work.flush()
    return need_id


CHECKS: Final[Mapping[str, Registered]] = {
    "draft_referral": Registered(check=_draft_referral, values={"emergency": bool, "referral_id": str}),
    "send_gate": Registered(check=_send_gate, values={"gate": str}),
    "send_referral": Registered(check=_send_referral, values={"attempt": int}),
    "confirm_referral": Registered(check=_confirm_referral, values={"mismatch": bool}),
    "close_referral": Registered(check=_close_referral),
    "next_provider": Registered(check=_next_provider, values={"attempts_left": int, "other_provider": bool}),
    "record_unmet_need": Registered(check=_record_unmet_need),
}
"""Name in the diagram → what it does."""
