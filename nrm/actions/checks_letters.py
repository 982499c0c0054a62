"""Checks about letters: write one to an office, through the gate; the path then waits for `letter.answered`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from nrm.actions import letters
from nrm.actions._action import Work
from nrm.actions.check_calls import CheckCall, CheckResult, Registered
from nrm.engine.failures import StepFailed
from nrm.errors import NotValid
from nrm.models import Organisation, Service
from nrm.queries import packs

_AGREEMENTS: Final = frozenset({"no_agreement", "agreement_expired", "agreement_not_covering"})


def _register_letter(work: Work, call: CheckCall) -> CheckResult:
    """Write a letter to the organisation of a code, of a service, or of the desk that has a role in this place."""
    receiver = _receiver(work, call)
    if receiver is None:
        return _refused("no_provider")
    wish = letters.Wish(template=str(call.params.get("template") or ""), organisation_id=receiver, run_id=call.run_id)
    try:
        letter, gate = letters.write(work, call.case, wish)
    except NotValid as error:
        first = error.problems[0]
        raise StepFailed("letter_not_valid", call.step, field=first.pointer, problem=first.code) from error
    if letter is None:
        return _refused("no_agreement" if gate.code in _AGREEMENTS else "no_consent")
    return CheckResult(values={"gate": "ok", "letter_id": letter.id, "letter_number": str(letter.number)})


def _refused(gate: str) -> CheckResult:
    return CheckResult(values={"gate": gate, "letter_id": "", "letter_number": ""})


def _receiver(work: Work, call: CheckCall) -> str | None:
    code, service, role = (str(call.params.get(name) or "") for name in ("organisation", "service", "role"))
    if code:
        found = select(Organisation.id).where(Organisation.code == code, Organisation.active)
        return work.session.execute(found).scalar_one_or_none()
    if service:
        offered = work.session.get(Service, service)
        return offered.organisation_id if offered is not None and offered.active else None
    desk = packs.pack().find_desk(role, governorate=call.case.governorate, jurisdiction=call.case.jurisdiction)
    return desk.organisation_id if desk is not None else None


CHECKS: Final[Mapping[str, Registered]] = {
    "register_letter": Registered(check=_register_letter, values={"gate": str, "letter_id": str, "letter_number": str}),
}
"""Name in the diagram → what it does."""
