"""Checks around one planned service: which category it is of, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nrm.actions._action import Work
from nrm.actions.check_calls import CheckCall, CheckResult, Registered
from nrm.engine.failures import StepFailed
from nrm.models import Need, PlanService

_MET: Final = "provided"
_UNMET: Final = "unmet"


def _planned_category(work: Work, call: CheckCall) -> CheckResult:
    """Give the category of the planned service, by which a table chooses the path that serves it."""
    return CheckResult(values={"category": _planned(work, call).category})


def _close_planned_service(work: Work, call: CheckCall) -> CheckResult:
    """Keep what came of a planned service; its need is met, or unmet unless somebody has said why already."""
    planned = _planned(work, call)
    outcome = str(call.params.get("outcome") or _UNMET)
    planned.status, planned.outcome = "closed", outcome
    need = work.session.get(Need, planned.need_id) if planned.need_id else None
    if need is None or outcome not in (_MET, _UNMET):
        return CheckResult()
    status = "met" if outcome == _MET else _UNMET
    if need.status != status:
        need.status, need.updated_at = status, work.now
        if status == _UNMET:
            work.record("need.unmet", stream=call.case.id, subject=("need", need.id), data={"reason": None})
    return CheckResult()


def _planned(work: Work, call: CheckCall) -> PlanService:
    found = work.session.get(PlanService, str(call.values.get("service_id") or ""))
    if found is None or found.case_id != call.case.id:
        raise StepFailed("no_planned_service", call.step)
    return found


CHECKS: Final[Mapping[str, Registered]] = {
    "planned_category": Registered(check=_planned_category, values={"category": str}),
    "close_planned_service": Registered(check=_close_planned_service),
}
"""Name in the diagram → what it does and which values it sets."""
