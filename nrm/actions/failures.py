"""Failures made visible: the row of an incident, written in the transaction that noticed the failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nrm import ids
from nrm.actions._action import Work
from nrm.actions.access import give_access
from nrm.models import Case, Incident
from nrm.queries import packs
from nrm.sealing import Json
from nrm.vocabulary import Access, Holder, Level

_MENDING: Final = "supervisor"
"""Role of the desk that mends what failed in a case."""


def open_incident(
    work: Work,
    *,
    kind: str,
    code: str,
    case_id: str | None = None,
    run_id: str | None = None,
    step: str | None = None,
    job_id: int | None = None,
    organisation_id: str | None = None,
    params: Mapping[str, Json] | None = None,
    retry: Mapping[str, Json] | None = None,
    is_sensitive: bool = False,
) -> str:
    """Open an incident and say so in the history.

    Args:
        work: the transaction.
        kind: "step", "job" or "delivery".
        code: key of the sentence that explains the cause.
        case_id: the locked case that it is about.
        run_id: the run that waits for it.
        step: element id of the step that failed.
        job_id: the dead job.
        organisation_id: the organisation that a failed delivery was for.
        params: values for the sentence; no personal value.
        retry: what to feed in again (`nrm.actions.inputs`).
        is_sensitive: only people with access to the case may see its details.

    Returns:
        The incident's id.
    """
    incident_id = ids.new_id("inc")
    work.add(
        Incident,
        id=incident_id,
        case_id=case_id,
        run_id=run_id,
        job_id=job_id,
        organisation_id=organisation_id,
        kind=kind,
        code=code,
        step=step,
        params=dict(params or {}),
        retry=dict(retry or {}),
        is_sensitive=is_sensitive,
        opened_at=work.now,
    )
    work.record(
        "incident.opened",
        stream=case_id or "system",
        subject=("incident", incident_id),
        data={"kind": kind, "code": code, "step": step},
    )
    case = work.session.get(Case, case_id) if case_id is not None else None
    if case is not None and case.level == Level.STRICT:
        # Its supervisors do not know of it otherwise, and nobody else may mend what failed.
        desk = packs.pack().find_desk(_MENDING, governorate=case.governorate, jurisdiction=case.jurisdiction)
        if desk is not None:
            give_access(work, case.id, holder=(Holder.DESK, desk.id), access=Access.WORK, reason="incident")
    return incident_id
