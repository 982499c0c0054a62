"""Checks about the person and the case: duplicates, intake, screening, priority, closing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final

from nrm.actions._action import Work
from nrm.actions.case_sharing import raise_level
from nrm.actions.cases import set_priority
from nrm.actions.check_calls import Answers, CheckCall, CheckResult, Registered, code, codes, flag, latest_answers, text
from nrm.actions.closing import end_case, open_referrals
from nrm.actions.consents import add_consent
from nrm.actions.intake import change_from_answers
from nrm.engine.failures import StepFailed
from nrm.models import Case, Person
from nrm.queries.people import likely_duplicates
from nrm.sealing import seal
from nrm.vocabulary import Level, Priority, Purpose

ADULT: Final = 18

URGENT_FLAGS: Final = frozenset({"unaccompanied_child", "suicide_risk", "serious_medical", "threatened_security"})
"""Vulnerabilities that cannot wait for a plan (domain reference §6.1)."""

STRICT_FLAGS: Final = frozenset(
    {"vot", "potential_vot", "gbv_survivor", "unaccompanied_child", "separated_child", "threatened_security"}
)
"""Vulnerabilities that make a case strictly confidential (domain reference §4.3)."""


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
        purposes=codes(answers.get("consent_purposes")) or [Purpose.CASEWORK],
        categories=codes(answers.get("consent_data")),
        mode=str(answers.get("consent_mode") or "written"),
        given_by=str(answers.get("consent_given_by") or "self"),
        assent_child=flag(answers.get("consent_assent")),
        language=text(answers.get("consent_language") or answers.get("language")),
        interpreter=answers.get("interpreter") is True,
        expires_at=expires,
    )


def _record_screening(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    flags = codes(answers.get("vulnerability"))
    case = call.case
    case.vulnerabilities = seal(list(flags), row=case.id, column="cases.vulnerabilities")
    strict = bool(STRICT_FLAGS & set(flags))
    if strict and case.level != Level.STRICT:
        raise_level(work, case, Level.STRICT)
    urgent = answers.get("immediate_danger") is True or bool(URGENT_FLAGS & set(flags))
    return CheckResult(values={"urgent": urgent, "strict": strict})


def _set_priority(work: Work, call: CheckCall) -> CheckResult:
    value = str(call.params.get("value") or "")
    if value in set(Priority):
        set_priority(work, call.case, value)
    return CheckResult()


def _close_case(work: Work, call: CheckCall) -> CheckResult:
    answers = latest_answers(work, call)
    if open_referrals(work, call.case.id):
        raise StepFailed("referrals_open", call.step)
    outcome = code(answers.get("case_outcome") or answers.get("outcome")) or "not_achieved"
    reason = code(answers.get("closure_reason") or answers.get("reason")) or "other"
    end_case(work, call.case, outcome=outcome, reason=reason)
    return CheckResult()


CHECKS: Final[Mapping[str, Registered]] = {
    "find_duplicates": Registered(check=_find_duplicates, values={"duplicates": int}),
    "resolve_duplicate": Registered(check=_resolve_duplicate, values={"same_person": bool}),
    "record_intake": Registered(check=_record_intake, values={"consent_given": bool, "minor": bool}),
    "record_screening": Registered(check=_record_screening, values={"urgent": bool, "strict": bool}),
    "set_priority": Registered(check=_set_priority),
    "close_case": Registered(check=_close_case),
}
"""Name in the diagram → what it does."""
