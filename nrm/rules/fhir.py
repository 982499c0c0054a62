"""A referral as FHIR R4: a Task of the SDOH Clinical Care guide that holds its ServiceRequest; and back again.

Sources: HL7 FHIR R4 (4.0.1) Task and ServiceRequest; Gravity SDOH Clinical Care, "Task for referral management":
which statuses a referral may have, intent order, code fulfill, and a reason wherever it ended badly or rests. FHIR
has fewer states than we have, so ours stands in `businessStatus` beside the status, with BSeR's code as a second
coding. What FHIR has no place for stands in extensions: `from_task(to_task(facts)) == facts`, for every referral.

Organisations and the person are named by identifiers, not by addresses: nothing here can be followed to a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias

from nrm.rules.statuses import REFERRAL_STATES
from nrm.vocabulary import Priority, ReferralState

Fhir: TypeAlias = dict[str, Any]

SYSTEM: Final = "urn:nrm-engine:"
"""Begins the names of our code systems, identifiers and extensions."""
BSER: Final = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
_TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"
_TEST: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
_REQUEST: Final = "request"
_SUBJECT: Final = "subject"
_CANCELLATION: Final = "5.2"
"""BSeR: the sender asked to cancel, and service had begun."""

_PRIORITIES: Final[Mapping[str, str]] = {
    Priority.EMERGENCY: "stat",
    Priority.URGENT: "urgent",
    Priority.NORMAL: "routine",
}
_REASONED: Final = frozenset({"rejected", "cancelled", "on-hold", "failed"})
"""Statuses of Task for which the guide wants a reason in words."""
_REQUEST_STATUS: Final[Mapping[str, str]] = {
    "draft": "draft",
    "requested": "active",
    "accepted": "active",
    "in-progress": "active",
    "on-hold": "on-hold",
    "completed": "completed",
    "failed": "revoked",
    "rejected": "revoked",
    "cancelled": "revoked",
    "entered-in-error": "entered-in-error",
}
"""Status of the Task → status of the ServiceRequest."""
_GENDERS: Final = frozenset({"female", "male", "other", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFacts:
    """What a Task says of a referral; ids and codes, and free texts only for those who may read them.

    Attributes:
        subject: the code under which the receiver knows the person.
        service: id of the service.
        sender: id of the referring organisation.
        receiver: id of the receiving one.
        replaces: id of the referral that this one follows.
        no_shows: appointments to which nobody came.
        reason: why the service is needed.
        note: what the receiver said at the end.
    """

    id: str
    number: str
    version: int
    livemode: bool
    state: ReferralState
    urgency: Priority
    category: str
    subject: str
    sender: str
    created_at: datetime
    updated_at: datetime
    receiver: str | None = None
    service: str | None = None
    consent: str | None = None
    replaces: str | None = None
    external_id: str | None = None
    cancellation_requested: bool = False
    sent_at: datetime | None = None
    reply_due_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    appointment_at: datetime | None = None
    no_shows: int = 0
    waitlist_position: int | None = None
    review_on: date | None = None
    hold_until: date | None = None
    redirected_to: str | None = None
    end_reason: str | None = None
    outcome: str | None = None
    delivered_on: date | None = None
    reason: str | None = None
    note: str | None = None


Labels: TypeAlias = Mapping[str, str]
"""Id of an organisation or service, "state:", "reason:", "category:" or "outcome:" and a code → its words."""

_EXTRA: Final[Mapping[str, str]] = {
    "sent_at": "valueDateTime",
    "closed_at": "valueDateTime",
    "no_shows": "valueInteger",
    "waitlist_position": "valueInteger",
    "review_on": "valueDate",
    "hold_until": "valueDate",
    "redirected_to": "valueString",
}
"""Facts that FHIR has no place for → the kind of their extension."""


def to_task(facts: ReferralFacts, labels: Labels, person: Mapping[str, object] | None = None) -> Fhir:
    """Make the Task of a referral.

    Args:
        facts: the referral.
        labels: words for its codes and ids; what has none stands as its code.
        person: the fields of the person that the asker may read; none for the code alone.
    """
    status = REFERRAL_STATES[facts.state].fhir
    patient = _patient(facts, person) if person else None
    task: Fhir = {
        "resourceType": "Task",
        "id": facts.id.replace("_", "-"),
        "meta": _meta(facts),
        "contained": [_service_request(facts, labels, status, patient), *([patient] if patient else [])],
        "extension": list(_extensions(facts)),
        "identifier": _identifiers(facts),
        "status": status,
        "statusReason": _status_reason(facts, labels, status),
        "businessStatus": _business_status(facts, labels),
        "intent": "order",
        "priority": _PRIORITIES[facts.urgency],
        "code": {"coding": [{"system": _TASK_CODE, "code": "fulfill"}]},
        "focus": {"reference": f"#{_REQUEST}", "type": "ServiceRequest"},
        "for": _for(facts, patient),
        "executionPeriod": _period(facts.started_at, facts.ended_at),
        "authoredOn": _moment(facts.created_at),
        "lastModified": _moment(facts.updated_at),
        "requester": _named("organisation", facts.sender, labels, "Organization"),
        "owner": _named("organisation", facts.receiver, labels, "Organization"),
        "note": [{"text": facts.note}] if facts.note else None,
        "restriction": {"period": _period(None, facts.reply_due_at)} if facts.reply_due_at else None,
        "output": list(_outputs(facts, labels)),
    }
    return _said(task)


def from_task(task: Fhir) -> ReferralFacts:
    """Read the referral out of its Task.

    Raises:
        KeyError: a member is missing that `to_task` always writes.
        ValueError: a code or moment is not one of ours.
    """
    request = next(entry for entry in task["contained"] if entry["id"] == _REQUEST)
    numbers = {entry["system"]: entry["value"] for entry in task["identifier"]}
    states = {entry["system"]: entry["code"] for entry in task["businessStatus"]["coding"]}
    urgency = next(ours for ours, theirs in _PRIORITIES.items() if theirs == task["priority"])
    outputs = {entry["type"]["coding"][0]["code"]: entry for entry in task.get("output", [])}
    outcome = outputs.get("outcome", {}).get("valueCodeableConcept")
    period = task.get("executionPeriod", {})
    due = task.get("restriction", {}).get("period", {}).get("end")
    return ReferralFacts(
        id=task["id"].replace("-", "_"),
        number=numbers[SYSTEM + "referral-number"],
        external_id=numbers.get(SYSTEM + "external-id"),
        version=int(task["meta"]["versionId"]),
        livemode="tag" not in task["meta"],
        state=ReferralState(states[SYSTEM + "referral-state"]),
        cancellation_requested=states.get(BSER) == _CANCELLATION,
        urgency=Priority(urgency),
        category=request["code"]["coding"][0]["code"],
        subject=task["for"]["identifier"]["value"],
        sender=task["requester"]["identifier"]["value"],
        receiver=_id_in(task.get("owner")),
        service=_id_in(_of_type(request, "supportingInfo", "HealthcareService")),
        consent=_id_in(_of_type(request, "supportingInfo", "Consent")),
        replaces=_id_in(_of_type(request, "replaces", "ServiceRequest")),
        created_at=_read_moment(task["authoredOn"]),
        updated_at=_read_moment(task["lastModified"]),
        started_at=_maybe_moment(period.get("start")),
        ended_at=_maybe_moment(period.get("end")),
        reply_due_at=_maybe_moment(due),
        appointment_at=_maybe_moment(request.get("occurrenceDateTime")),
        end_reason=_code_in(task.get("statusReason")),
        outcome=_code_in(outcome),
        delivered_on=_maybe_day(outputs.get("delivered", {}).get("valueDate")),
        reason=next((entry["text"] for entry in request.get("reasonCode", [])), None),
        note=next((entry["text"] for entry in task.get("note", [])), None),
        **_read_extensions(task),
    )


def _said(content: Mapping[str, Any]) -> Fhir:
    """Leave out what has no value: FHIR allows neither null nor an empty list or object."""
    return {name: value for name, value in content.items() if value is not None and value not in ("", [], {})}


def _meta(facts: ReferralFacts) -> Fhir:
    tag = None if facts.livemode else [_TEST]
    return _said({"versionId": str(facts.version), "lastUpdated": _moment(facts.updated_at), "tag": tag})


def _identifiers(facts: ReferralFacts) -> list[Fhir]:
    own = [{"system": SYSTEM + "referral-number", "value": facts.number}]
    return own + ([{"system": SYSTEM + "external-id", "value": facts.external_id}] if facts.external_id else [])


def _coded(system: str, code: str, text: str | None) -> Fhir:
    return _said({"coding": [{"system": SYSTEM + system, "code": code}], "text": text or code})


def _status_reason(facts: ReferralFacts, labels: Labels, status: str) -> Fhir | None:
    if facts.end_reason:
        return _coded("referral-reason", facts.end_reason, labels.get(f"reason:{facts.end_reason}"))
    return {"text": labels.get(f"state:{facts.state}", str(facts.state))} if status in _REASONED else None


def _business_status(facts: ReferralFacts, labels: Labels) -> Fhir:
    found = _coded("referral-state", str(facts.state), labels.get(f"state:{facts.state}"))
    bser = _CANCELLATION if facts.cancellation_requested else REFERRAL_STATES[facts.state].bser
    if bser is not None:
        found["coding"].append({"system": BSER, "code": bser})
    return found


def _named(kind: str, value: str | None, labels: Labels, fhir: str) -> Fhir | None:
    if value is None:
        return None
    reference = {"type": fhir, "identifier": {"system": SYSTEM + kind, "value": value}, "display": labels.get(value)}
    return _said(reference)


def _for(facts: ReferralFacts, patient: Fhir | None) -> Fhir:
    identifier = {"type": "Patient", "identifier": {"system": SYSTEM + "subject", "value": facts.subject}}
    return {**identifier, "reference": f"#{_SUBJECT}"} if patient else identifier


def _service_request(facts: ReferralFacts, labels: Labels, status: str, patient: Fhir | None) -> Fhir:
    information = [
        _named("service", facts.service, labels, "HealthcareService"),
        _named("consent", facts.consent, {}, "Consent"),
    ]
    replaced = _named("referral", facts.replaces, {}, "ServiceRequest")
    receiver = _named("organisation", facts.receiver, labels, "Organization")
    request: Fhir = {
        "resourceType": "ServiceRequest",
        "id": _REQUEST,
        "status": _REQUEST_STATUS[status],
        "intent": "order",
        "priority": _PRIORITIES[facts.urgency],
        "code": _coded("service-category", facts.category, labels.get(f"category:{facts.category}")),
        "subject": _for(facts, patient),
        "occurrenceDateTime": _moment(facts.appointment_at) if facts.appointment_at else None,
        "authoredOn": _moment(facts.created_at),
        "requester": _named("organisation", facts.sender, labels, "Organization"),
        "performer": [receiver] if receiver else None,
        "reasonCode": [{"text": facts.reason}] if facts.reason else None,
        "replaces": [replaced] if replaced else None,
        "supportingInfo": [entry for entry in information if entry is not None],
    }
    return _said(request)


def _patient(facts: ReferralFacts, person: Mapping[str, object]) -> Fhir:
    sex, born, names, phones = (person.get(name) for name in ("sex", "born", "names", "phones"))
    numbers = [str(number) for number in phones] if isinstance(phones, list) else []
    patient: Fhir = {
        "resourceType": "Patient",
        "id": _SUBJECT,
        "identifier": [{"system": SYSTEM + "subject", "value": facts.subject}],
        "name": [{"text": str(names)}] if names else None,
        "gender": sex if sex in _GENDERS else None,
        "birthDate": born if isinstance(born, str) and len(born) in (4, 7, 10) else None,
        "telecom": [{"system": "phone", "value": number} for number in numbers],
    }
    return _said(patient)


def _period(start: datetime | None, end: datetime | None) -> Fhir | None:
    if start is None and end is None:
        return None
    return _said({"start": _moment(start) if start else None, "end": _moment(end) if end else None})


def _outputs(facts: ReferralFacts, labels: Labels) -> Iterator[Fhir]:
    if facts.outcome:
        words = _coded("referral-outcome", facts.outcome, labels.get(f"outcome:{facts.outcome}"))
        yield {"type": _coded("output", "outcome", None), "valueCodeableConcept": words}
    if facts.delivered_on:
        yield {"type": _coded("output", "delivered", None), "valueDate": facts.delivered_on.isoformat()}


def _extensions(facts: ReferralFacts) -> Iterator[Fhir]:
    for name, kind in _EXTRA.items():
        value = getattr(facts, name)
        if value is not None and not (name == "no_shows" and value == 0):
            shown = _moment(value) if isinstance(value, datetime) else value
            yield {"url": SYSTEM + name, kind: shown.isoformat() if isinstance(shown, date) else shown}


def _read_extensions(task: Fhir) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for extension in task.get("extension", []):
        name = str(extension["url"]).removeprefix(SYSTEM)
        kind = _EXTRA[name]
        value = extension[kind]
        found[name] = (
            _read_moment(value) if kind == "valueDateTime" else _maybe_day(value) if kind == "valueDate" else value
        )
    return found


def _of_type(content: Fhir, member: str, kind: str) -> Fhir | None:
    return next((entry for entry in content.get(member, []) if entry["type"] == kind), None)


def _id_in(reference: Fhir | None) -> str | None:
    return None if reference is None else str(reference["identifier"]["value"])


def _code_in(concept: Fhir | None) -> str | None:
    return None if concept is None or "coding" not in concept else str(concept["coding"][0]["code"])


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe_moment(text: str | None) -> datetime | None:
    return None if text is None else _read_moment(text)


def _maybe_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
