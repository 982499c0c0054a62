"""The check for what leaves without consent: on a legal ground, behind which two people stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nrm.actions._action import Work
from nrm.actions.check_calls import CheckCall, CheckResult, Registered, text, texts, who_answered
from nrm.actions.disclosing import TwoPeople, disclose_to, override
from nrm.engine.failures import StepFailed
from nrm.queries import packs
from nrm.vocabulary import Ground, Purpose


def _share_on_ground(work: Work, call: CheckCall) -> CheckResult:
    """Share without consent on the ground of one task that another task approved, and write both into the records.

    `from` names the task that gives `report_ground` and `report_why`, `approved_in` the one that says
    `report_approved`. Nothing leaves when it was refused, when one person answered both tasks, or when the role has
    no desk in another organisation.
    """
    asked_by, asked = who_answered(work, call, "from")
    approved_by, approved = who_answered(work, call, "approved_in")
    ground, categories = text(asked.get("report_ground")), texts(call.params.get("data"))
    if ground not in set(Ground) or not categories:
        raise StepFailed("bad_param", call.step, check="share_on_ground")
    case, role = call.case, str(call.params.get("role") or "")
    desk = packs.pack().find_desk(role, governorate=case.governorate, jurisdiction=case.jurisdiction)
    agreed = approved.get("report_approved") is True and asked_by != approved_by
    if not agreed or desk is None or desk.organisation_id == case.organisation_id:
        return CheckResult(values={"disclosed": False})
    people = TwoPeople(
        asked_by=asked_by, approved_by=approved_by, ground=str(ground), reason=text(asked.get("report_why")) or ""
    )
    gate = override(work, case, desk.organisation_id, people, categories=categories)
    purpose = str(Purpose.SHARE_MINISTRY)
    disclose_to(work, case, desk.organisation_id, gate, purpose=purpose, categories=categories)
    return CheckResult(values={"disclosed": True})


CHECKS: Final[Mapping[str, Registered]] = {
    "share_on_ground": Registered(check=_share_on_ground, values={"disclosed": bool}),
}
"""Name in the diagram → what it does and which values it sets."""
