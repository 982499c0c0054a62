"""Checks for sharing with desks of other organisations, for handing a person over, and for ending a side case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from nrm.actions._action import Work
from nrm.actions.case_opening import begin_case
from nrm.actions.check_calls import CheckCall, CheckResult, Registered, latest_answers, texts
from nrm.actions.closing import MAIN_PATH, end_case
from nrm.actions.disclosing import Gate, check_gate, disclose_to
from nrm.engine.failures import StepFailed
from nrm.models import Case, Run
from nrm.queries import packs, paths
from nrm.vocabulary import CaseStatus, Purpose

TAKEN_OVER: Final = "transferred"
"""Outcome and reason of a case that only led to the case of the main path."""

_AGREEMENTS: Final = frozenset({"no_agreement", "agreement_expired", "agreement_not_covering"})


def _share_with_desk(work: Work, call: CheckCall) -> CheckResult:
    """Ask whether the desk of a role may get these data, before a task there shows them; note it in the ledger.

    `role` is one role, or several: then all of their desks must be allowed.
    """
    case = call.case
    categories = texts(call.params.get("data"))
    purpose = str(call.params.get("purpose") or Purpose.SHARE_MINISTRY)
    if purpose not in set(Purpose) or not categories:
        raise StepFailed("bad_param", call.step, check="share_with_desk")
    allowed: list[tuple[str, Gate]] = []
    for role in texts(call.params.get("role")):
        desk = packs.pack().find_desk(role, governorate=case.governorate, jurisdiction=case.jurisdiction)
        if desk is None:
            return CheckResult(values={"gate": "no_provider"})
        if desk.organisation_id == case.organisation_id:
            continue
        gate = check_gate(work, case, organisation_id=desk.organisation_id, categories=categories, purpose=purpose)
        if not gate.ok:
            return CheckResult(values={"gate": "no_agreement" if gate.code in _AGREEMENTS else "no_consent"})
        allowed.append((desk.organisation_id, gate))
    for organisation_id, gate in allowed:
        disclose_to(work, case, organisation_id, gate, purpose=purpose, categories=categories)
    return CheckResult(values={"gate": "ok"})


def _hand_over_case(work: Work, call: CheckCall) -> CheckResult:
    """Lead to the main path: the case's own when it runs, else a new case that knows only place and arrival.

    What the desk before has written stays in its own case, which ends here: those who work on the new one do not
    read it, and the desk before does not read the new one.
    """
    case = call.case
    if _runs_main_path(work, case):
        return CheckResult(values={"already_open": True})
    answers = latest_answers(work, call)
    place = answers.get("governorate")
    end_case(work, case, outcome=TAKEN_OVER, reason=TAKEN_OVER)
    work.flush()
    begin_case(
        work,
        case.person_id,
        governorate=str(place) if place else case.governorate,
        return_type=case.return_type,
        host_country=case.host_country,
        programme=case.programme,
        arrived_on=work.now.astimezone(packs.pack().zone).date() if call.params.get("arrived") is True else None,
    )
    return CheckResult(values={"already_open": False})


def _end_side_case(work: Work, call: CheckCall) -> CheckResult:
    """Close a case that was opened for this path alone; a case with a main path stays open."""
    if call.case.status == CaseStatus.OPEN and not _runs_main_path(work, call.case):
        outcome, reason = (str(call.params.get(name) or "not_achieved") for name in ("outcome", "reason"))
        end_case(work, call.case, outcome=outcome, reason=reason)
    return CheckResult()


def _runs_main_path(work: Work, case: Case) -> bool:
    work.flush()
    live = select(Run.path_version_id).where(Run.case_id == case.id, Run.status == "running")
    return any(paths.version(found).spec.key == MAIN_PATH for found in work.session.execute(live).scalars())


CHECKS: Final[Mapping[str, Registered]] = {
    "share_with_desk": Registered(check=_share_with_desk, values={"gate": str}),
    "hand_over_case": Registered(check=_hand_over_case, values={"already_open": bool}),
    "end_side_case": Registered(check=_end_side_case),
}
"""Name in the diagram → what it does and which values it sets."""
