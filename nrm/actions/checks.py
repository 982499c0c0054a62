"""The registered checks and effects that a diagram may name on a service or send task.

A check reads answers that an earlier step of the same run gave, does one thing to the records, and answers with
decision values. The contract of names, parameters and values stands in docs/paths.md; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final, TypeAlias

from sqlalchemy import select

from nrm import ids
from nrm.actions import referrals
from nrm.actions._action import Work
from nrm.actions.cases import raise_level, set_priority
from nrm.actions.closing import end_case
from nrm.actions.consents import add_consent
from nrm.actions.intake import change_from_answers
from nrm.actions.referral_changes import Given
from nrm.engine.effects import Values
from nrm.engine.failures import StepFailed
from nrm.errors import NotValid
from nrm.models import (
    Case,
    Need,
    Organisation,
    Person,
    Plan,
    PlanService,
    Referral,
    Service,
    ServiceCoverage,
    TaskAnswers,
)
from nrm.queries import packs
from nrm.queries.people import likely_duplicates
from nrm.rules.statuses import TERMINAL
from nrm.sealing import Json, seal, unseal
from nrm.vocabulary import Level, LoopAnswer, Party, Priority, Purpose, ReferralOutcome, ReferralState

ADULT: Final = 18

URGENT_FLAGS: Final = frozenset({"unaccompanied_child", "suicide_risk", "serious_medical", "threatened_security"})
"""Vulnerabilities that cannot wait for a plan (domain reference §6.1)."""

STRICT_FLAGS: Final = frozenset(
    {"vot", "potential_vot", "gbv_survivor", "unaccompanied_child", "separated_child", "threatened_security"}
)
"""Vulnerabilities that make a case strictly confidential (domain reference §4.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCall:
    """What a check is called with.

    Attributes:
        case: the locked case.
        run_id: the run.
        step: id of the step.
        token: the engine's token.
        params: the step's parameters, evaluated.
        item: the list item in multi-instance.
        context: ids that earlier checks of this run (or its parents) left.
        values: the run's decision values.
    """

    case: Case
    run_id: str
    step: str
    token: str
    params: Values
    item: str | None
    context: Mapping[str, str]
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check answers: decision values for the path, and ids for later checks."""

    values: Values = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


Check: TypeAlias = Callable[[Work, CheckCall], CheckResult]
Answers: TypeAlias = Mapping[str, Json]


def latest_answers(work: Work, call: CheckCall) -> Answers:
    """Give the newest answers of the step that the parameter `from` names, in this run.

    Raises:
        StepFailed: nobody has answered that step in this run.
    """
    step = str(call.params.get("from") or "")
    work.flush()
    row = work.session.execute(
        select(TaskAnswers.task_id, TaskAnswers.answers)
        .where(TaskAnswers.run_id == call.run_id, TaskAnswers.step == step)
        .order_by(TaskAnswers.answered_at.desc(), TaskAnswers.task_id.desc())
    ).first()
    if row is None:
        raise StepFailed("no_answers", call.step, source=step)
    found = unseal(row[1], row=row[0], column="task_answers.answers")
    return found if isinstance(found, dict) else {}


def _find_duplicates(work: Work, call: CheckCall) -> CheckResult:
    return CheckResult(values={"duplicates": len(likely_duplicates(work.session, call.case.person_id))})


def _resolve_duplicate(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    same = answers.get("duplicate_decision", answers.get("decision")) == "same"
    work.record(
        "person.matched",
        stream=call.case.id,
        subject=("person", call.case.person_id),
        data={"decision": "same" if same else "different"},
    )
    return CheckResult(values={"same_person": same})


def _record_intake(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    change_from_answers(work, call.case, answers)
    given = answers.get("consent", answers.get("consent_given")) is True
    if given:
        _consent_from(work, call.case, answers)
    person = work.session.get(Person, call.case.person_id)
    born = person.birth_year if person else None
    minor = born is not None and work.now.year - born < ADULT
    return CheckResult(values={"consent_given": given, "minor": minor})


def _consent_from(work: Work, case: Case, answers: Answers) -> None:
    until = answers.get("consent_until")
    expires = datetime.combine(date.fromisoformat(str(until)), time(20, 59), tzinfo=UTC) if until else None
    add_consent(
        work,
        case,
        purposes=_codes(answers.get("consent_purposes")) or [Purpose.CASEWORK],
        categories=_codes(answers.get("consent_data")),
        mode=str(answers.get("consent_mode") or "written"),
        given_by=str(answers.get("consent_given_by") or "self"),
        assent_child=_flag(answers.get("consent_assent")),
        language=_text(answers.get("consent_language") or answers.get("language")),
        interpreter=answers.get("interpreter") is True,
        expires_at=expires,
    )


def _codes(value: Json | None) -> list[str]:
    return [str(code) for code in value] if isinstance(value, list) else []


def _flag(value: Json | None) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Json | None) -> str | None:
    return str(value) if value not in (None, "") else None


def _record_screening(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    flags = _codes(answers.get("vulnerability"))
    case = call.case
    case.vulnerabilities = seal(list(flags), row=case.id, column="cases.vulnerabilities")
    strict = bool(STRICT_FLAGS & set(flags))
    if strict and case.level != Level.STRICT:
        raise_level(work, case, Level.STRICT)
    urgent = answers.get("immediate_danger") is True or bool(URGENT_FLAGS & set(flags))
    return CheckResult(values={"urgent": urgent, "strict": strict})


def _record_needs(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    needs = _codes(answers.get("needs"))
    for category in needs:
        _add_need(work, call.case, category)
    return CheckResult(values={"needs": len(needs)})


def _add_need(work: Work, case: Case, category: str, priority: str = Priority.NORMAL) -> str:
    work.flush()
    known = select(Need.id).where(Need.case_id == case.id, Need.category == category, Need.status != "met")
    found = work.session.execute(known).scalars().first()
    if found is not None:
        return found
    need_id = ids.new_id("nee")
    work.add(
        Need,
        id=need_id,
        case_id=case.id,
        person_id=case.person_id,
        category=category,
        priority=priority if priority in set(Priority) else Priority.NORMAL,
        created_at=work.now,
        updated_at=work.now,
    )
    work.record("need.recorded", stream=case.id, subject=("need", need_id), data={})
    return need_id


def _record_plan(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    wanted = [entry for entry in _entries(answers) if entry.get("category")]
    plan_id = ids.new_id("pla")
    work.flush()
    earlier = len(work.session.execute(select(Plan.id).where(Plan.case_id == call.case.id)).all())
    work.add(
        Plan,
        id=plan_id,
        case_id=call.case.id,
        number=earlier + 1,
        status="proposed",
        agreed=answers.get("returnee_agrees") is True,
        run_id=call.run_id,
        created_at=work.now,
    )
    services = tuple(_plan_service(work, call.case, plan_id, entry) for entry in wanted)
    work.record("plan.recorded", stream=call.case.id, subject=("plan", plan_id), data={"services": len(services)})
    return CheckResult(values={"service_ids": services, "services": len(services)}, context={"plan": plan_id})


def _entries(answers: Answers) -> list[Mapping[str, Json]]:
    """Give the services of a plan form: a repeat of services, or objectives that hold services."""
    found: list[Mapping[str, Json]] = []
    for name in ("services", "objectives"):
        part = answers.get(name)
        for entry in part if isinstance(part, list) else []:
            if isinstance(entry, dict):
                inner = _entries(entry)
                found += inner or [entry]
    return found


def _plan_service(work: Work, case: Case, plan_id: str, entry: Mapping[str, Json]) -> str:
    service_id = ids.new_id("pls")
    priority = str(entry.get("priority") or entry.get("service_priority") or Priority.NORMAL)
    category = str(entry["category"])
    goal = _text(entry.get("goal"))
    due = entry.get("due")
    work.add(
        PlanService,
        id=service_id,
        plan_id=plan_id,
        case_id=case.id,
        need_id=_add_need(work, case, category, priority),
        category=category,
        priority=priority if priority in set(Priority) else Priority.NORMAL,
        goal=seal(goal, row=service_id, column="plan_services.goal") if goal else None,
        preferred_organisation_id=_organisation(work, entry.get("preferred_org")),
        due_on=date.fromisoformat(str(due)) if due else None,
        created_at=work.now,
    )
    return service_id


def _organisation(work: Work, found: Json | None) -> str | None:
    known = work.session.get(Organisation, str(found)) if found else None
    return known.id if known else None


def _set_priority(work: Work, call: CheckCall) -> CheckResult:
    value = str(call.params.get("value") or "")
    if value in set(Priority):
        set_priority(work, call.case, value)
    return CheckResult()


# -- the referral loop ---------------------------------------------------------------------------------------------


def _draft_referral(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    parent = _referral(work, call, required=False)
    if parent is not None and parent.run_id == call.run_id:
        # The gate refused and the handler prepares again: the earlier draft of this round is dropped.
        _drop_draft(work, call.case, parent)
        parent = work.session.get(Referral, parent.parent_id) if parent.parent_id else None
    planned = str(call.values.get("service_id") or call.context.get("item") or "")
    service_id = str(answers.get("service") or "")
    urgency = str(answers.get("referral_urgency") or answers.get("urgency") or call.case.priority)
    plan_service = work.session.get(PlanService, planned) if planned else None
    try:
        referral = referrals.draft_referral(
            work,
            call.case,
            service_id=service_id,
            reason=str(answers.get("reason") or ""),
            urgency=urgency,
            expected_result=_text(answers.get("expected_result")),
            categories=_codes(answers.get("disclosure")) or None,
            plan_service_id=plan_service.id if plan_service and plan_service.case_id == call.case.id else None,
            run_id=call.run_id,
            parent=parent,
        )
    except NotValid as error:
        first = error.problems[0]
        raise StepFailed("referral_not_valid", call.step, field=first.pointer, problem=first.code) from error
    return CheckResult(
        values={"emergency": urgency == Priority.EMERGENCY, "referral_id": referral.id},
        context={"referral": referral.id, "receiver": referral.to_organisation_id or ""},
    )


def _drop_draft(work: Work, case: Case, referral: Referral) -> None:
    if referral.state == ReferralState.DRAFT:
        loaded = referrals.replace_parties(referrals.load_referral(work, referral.id), frozenset({Party.SYSTEM}))
        referrals.perform_loaded(work, loaded, "cancel", Given(reason="wrong_provider"))
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


def _send_gate(work: Work, call: CheckCall) -> CheckResult:
    referral = _the_referral(work, call)
    gate = referrals.gate_of(work, call.case, referral)
    return CheckResult(values={"gate": _GATE_WORDS.get(gate.code, "no_consent")})


_GATE_WORDS: Final = {
    "ok": "ok",
    "duplicate": "duplicate",
    "no_provider": "no_provider",
    "no_agreement": "no_agreement",
    "agreement_expired": "no_agreement",
    "agreement_not_covering": "no_agreement",
}


def _send_referral(work: Work, call: CheckCall) -> CheckResult:
    referral = _the_referral(work, call)
    gate = referrals.send_draft(work, call.case, referral)
    if not gate.ok:
        raise StepFailed("gate_refused", call.step, gate=gate.code)
    return CheckResult(values={"attempt": referral.attempt})


def _confirm_referral(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    referral = _the_referral(work, call)
    mismatch = referrals.confirm(work, call.case, referral, received=answers.get("received") is True)
    return CheckResult(values={"mismatch": mismatch})


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
        referrals.answer_loop(work, call.case, referral, answer)
    need = _need_of(work, referral)
    if need is not None and referral.outcome == ReferralOutcome.PROVIDED:
        need.status, need.updated_at = "met", work.now
    return CheckResult()


def _need_of(work: Work, referral: Referral) -> Need | None:
    planned = work.session.get(PlanService, referral.plan_service_id) if referral.plan_service_id else None
    return work.session.get(Need, planned.need_id) if planned and planned.need_id else None


def _next_provider(work: Work, call: CheckCall) -> CheckResult:
    referral = _the_referral(work, call)
    most = int(packs.pack().settings.get("max_attempts", str(referrals.MAX_ATTEMPTS)))
    tried = referrals.tried_organisations(work, referral)
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
    reason = _text(answers.get("unmet_reason") or answers.get("reason"))
    need = _need_of(work, referral)
    if need is None:
        need = work.session.get(Need, _unmet_need(work, call.case, referral.category))
    if need is not None:
        need.status, need.reason, need.updated_at = "unmet", reason, work.now
        work.record("need.unmet", stream=call.case.id, subject=("need", need.id), data={"reason": reason})
    if referral.closed_at is None:
        referrals.answer_loop(work, call.case, referral, LoopAnswer.UNMET_NEED)
    return CheckResult()


def _unmet_need(work: Work, case: Case, category: str) -> str:
    need_id = _add_need(work, case, category)
    work.flush()
    return need_id


def _record_followup(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    new_needs = _codes(answers.get("new_needs"))
    for category in new_needs:
        _add_need(work, call.case, category)
    new_need = answers.get("new_need") is True or bool(new_needs)
    concern = answers.get("protection_concern") is True or answers.get("concern") is True
    return CheckResult(values={"new_need": new_need, "concern": concern})


def _close_case(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    if referrals.open_referrals(work, call.case.id):
        raise StepFailed("referrals_open", call.step)
    outcome = str(answers.get("case_outcome") or answers.get("outcome") or "not_achieved")
    reason = str(answers.get("closure_reason") or answers.get("reason") or "other")
    end_case(work, call.case, outcome=outcome, reason=reason)
    return CheckResult()


CHECKS: Final[Mapping[str, Check]] = {
    "find_duplicates": _find_duplicates,
    "record_intake": _record_intake,
    "resolve_duplicate": _resolve_duplicate,
    "record_screening": _record_screening,
    "record_needs": _record_needs,
    "record_plan": _record_plan,
    "set_priority": _set_priority,
    "draft_referral": _draft_referral,
    "send_gate": _send_gate,
    "send_referral": _send_referral,
    "confirm_referral": _confirm_referral,
    "close_referral": _close_referral,
    "next_provider": _next_provider,
    "record_unmet_need": _record_unmet_need,
    "record_followup": _record_followup,
    "close_case": _close_case,
}
"""Name in the diagram → what it does."""

CHECK_VALUES: Final[Mapping[str, Mapping[str, type]]] = {
    "find_duplicates": {"duplicates": int},
    "record_intake": {"consent_given": bool, "minor": bool},
    "resolve_duplicate": {"same_person": bool},
    "record_screening": {"urgent": bool, "strict": bool},
    "record_needs": {"needs": int},
    "record_plan": {"service_ids": tuple, "services": int},
    "set_priority": {},
    "draft_referral": {"emergency": bool, "referral_id": str},
    "send_gate": {"gate": str},
    "send_referral": {"attempt": int},
    "confirm_referral": {"mismatch": bool},
    "close_referral": {},
    "next_provider": {"attempts_left": int, "other_provider": bool},
    "record_unmet_need": {},
    "record_followup": {"new_need": bool, "concern": bool},
    "close_case": {},
}
"""Check → the values that it sets, with their types; what the linter knows of them."""
