"""Problems for programs that speak FHIR: the same status, code and words as an OperationOutcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import has_request_context, request

from nrm.rules.fhir import SYSTEM

FHIR_TYPE: Final = "application/fhir+json"
_CODES: Final = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    412: "conflict",
    413: "too-long",
    422: "invalid",
    429: "throttled",
    503: "transient",
}
"""HTTP status → FHIR's issue type."""


def wants_outcome() -> bool:
    """Say whether the request names FHIR's JSON as something that it reads."""
    return has_request_context() and any(
        kind == FHIR_TYPE and quality > 0 for kind, quality in request.accept_mimetypes
    )


def outcome_of(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Write a problem (RFC 9457) as an OperationOutcome: one issue for each mistake, else one for the whole."""
    mistakes = problem.get("errors") or [{**problem, "pointer": ""}]
    return {"resourceType": "OperationOutcome", "issue": [_issue(problem, mistake) for mistake in mistakes]}


def _issue(problem: Mapping[str, Any], mistake: Mapping[str, Any]) -> dict[str, Any]:
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _CODES.get(problem["status"], "exception"),
        "details": {"coding": [{"system": SYSTEM + "problem", "code": mistake["code"]}], "text": mistake["detail"]},
        "diagnostics": problem["request_id"],
    }
    pointer = str(mistake["pointer"]).strip("/")
    return {**issue, "expression": [f"http.{pointer}"]} if pointer else issue
