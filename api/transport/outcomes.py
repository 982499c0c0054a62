"""Errors for programs that speak FHIR: an OperationOutcome where the request accepts FHIR's JSON, else a problem."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Response, request

from api.transport.problems import answer_error
from nrm.errors import NrmError
from nrm.rules.fhir import SYSTEM

FHIR_TYPE: Final = "application/fhir+json"
_CODES: Final = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    406: "not-supported",
    409: "conflict",
    412: "conflict",
    422: "invalid",
    429: "throttled",
    503: "transient",
}
"""HTTP status → FHIR's issue type."""


def answer_outcome(error: NrmError) -> Response:
    """Turn an error into an answer; the status, the headers and the stable code are those of the problem."""
    answer = answer_error(error)
    if not any(kind == FHIR_TYPE and quality > 0 for kind, quality in request.accept_mimetypes):
        return answer
    problem: dict[str, Any] = orjson.loads(answer.get_data())
    issues = [_issue(problem, entry["code"], entry["detail"], entry["pointer"]) for entry in problem.get("errors", [])]
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": issues or [_issue(problem, problem["code"], problem["detail"], "")],
    }
    answer.set_data(orjson.dumps(outcome))
    answer.content_type = FHIR_TYPE
    return answer


def _issue(problem: dict[str, Any], code: str, detail: str, pointer: str) -> dict[str, Any]:
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _CODES.get(problem["status"], "exception"),
        "details": {"coding": [{"system": SYSTEM + "problem", "code": code}], "text": detail},
        "diagnostics": problem["request_id"],
    }
    return {**issue, "expression": [f"http.{pointer.strip('/')}"]} if pointer else issue
