"""Errors as answers: RFC 9457 problems with a stable code and words in the asker's language.

This is the only place that knows which error has which HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from flask import Response, g, has_request_context, request

from api.transport.outcomes import FHIR_TYPE, outcome_of, wants_outcome
from api.transport.refusals import Refused
from nrm import i18n
from nrm.actions.path_findings import say_finding
from nrm.errors import (
    AlreadyDone,
    BadPath,
    Busy,
    Conflict,
    IllegalMove,
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotValid,
    NrmError,
    Problem,
    StaleVersion,
    TooMany,
)

TYPE: Final = "/docs/problems#"
"""Where the kinds of problems are explained; the code follows."""

STATUSES: Final[tuple[tuple[type[NrmError], int], ...]] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (NotSignedIn, 401),
    (NotValid, 422),
    (StaleVersion, 412),
    (IllegalMove, 409),
    (Conflict, 409),
    (BadPath, 422),
    (TooMany, 429),
    (Busy, 503),
)
"""Kind of error → status; the first that fits counts."""

_BAD_KEY: Final = frozenset({"bad_key", "static_keys_off"})
_BY_CODE: Final = {"changed_since": 412, "idempotency_mismatch": 422, "pdf_not_installed": 406, "pdf_failed": 406}

_CLASS_CODES: Final = {401: "not_signed_in", 403: "not_allowed", 404: "not_found", 422: "validation"}
_TITLES: Final = {
    400: "title_bad_request",
    401: "title_not_signed_in",
    403: "title_not_allowed",
    404: "title_not_found",
    405: "title_method",
    406: "title_not_acceptable",
    409: "title_conflict",
    412: "title_stale",
    413: "title_too_large",
    415: "title_media_type",
    422: "title_validation",
    428: "title_precondition",
    429: "title_too_many",
}
_HTTP_CODES: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "bad_request",
    413: "body_too_large",
    414: "bad_request",
    415: "not_json_type",
    431: "bad_request",
}


def status_of(error: NrmError) -> int:
    """Give the HTTP status of an error."""
    if isinstance(error, Refused):
        return error.status
    known = _BY_CODE.get(error.code)
    return known or next((status for kind, status in STATUSES if isinstance(error, kind)), 503)


def language() -> str:
    """Give the language for words of this answer: what the request accepts, else the user's, else English."""
    if not has_request_context():
        return i18n.DEFAULT
    asked = request.accept_languages
    if asked:
        # "ku" is what many systems still send for Sorani.
        found = asked.best_match(["ar", "ckb", "en", "ku"])
        if found is not None:
            return "ckb" if found == "ku" else found
    return str(g.get("language", i18n.DEFAULT))


def say(code: str, params: Mapping[str, Any] | None = None, *, words: str | None = None) -> str:
    """Say a code in words: errors first, then mistakes in fields, then causes of the engine and the language."""
    words = words or language()
    for catalogue in ("errors", "problems", "findings", "expressions"):
        text = i18n.say(catalogue, code, words, params)
        if text is not None:
            return text
    return i18n.say("errors", "unexplained", words, {"code": code}) or code


def explain_failure(code: str, params: Mapping[str, Any] | None = None, *, words: str | None = None) -> str:
    """Say in words why something failed that waits for help now.

    Args:
        code: of the incident.
        params: its values; "cause", a code itself, is said in words too.
        words: the language; by default that of this answer.
    """
    words = words or language()
    values = dict(params or {})
    if isinstance(values.get("cause"), str):
        values["cause"] = explain_failure(values["cause"], {}, words=words)
    return i18n.say("incidents", code, words, values) or say(code, values, words=words)


def answer_error(error: NrmError) -> Response:
    """Turn an error into an answer."""
    status = status_of(error)
    body = body_of(status, error.code, error.params)
    headers: dict[str, str] = {}
    if isinstance(error, NotValid):
        body["errors"] = [_entry(problem) for problem in error.problems]
    elif isinstance(error, StaleVersion):
        body["current_version"] = error.current
        headers["ETag"] = f'"v{error.current}"'
    elif isinstance(error, IllegalMove):
        body["allowed_actions"] = list(error.allowed_actions)
    elif isinstance(error, AlreadyDone) and error.params.get("id"):
        body["existing_id"] = error.params["id"]
    elif isinstance(error, BadPath):
        body["errors"] = [_finding(finding) for finding in error.findings]
    elif isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = challenge("invalid_token" if error.code in _BAD_KEY else "")
    elif isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    elif error.code == "scope_missing":
        headers["WWW-Authenticate"] = challenge("insufficient_scope", str(error.params.get("scope", "")))
    if status == 503:
        headers["Retry-After"] = "1"
    return respond(status, body, headers)


def challenge(error: str = "", scope: str = "") -> str:
    """Say how one may ask (RFC 9110 §11.6.1, RFC 6750 §3).

    Args:
        error: what was wrong with the key that was sent; "" when none was.
        scope: the scope that it lacks.
    """
    said = ['Bearer realm="nrm"', *([f'error="{error}"'] if error else []), *([f'scope="{scope}"'] if scope else [])]
    return ", ".join(said) if error else said[0] + ', Cookie realm="nrm"'


def answer_http(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Turn an error of the web layer (no such route, wrong method) into an answer."""
    return respond(status, body_of(status, code_of(status), {}), headers or {})


def code_of(status: int) -> str:
    """Give the code of an error of the web layer."""
    return _HTTP_CODES.get(status, "bad_request")


def answer_failure() -> Response:
    """Answer when the program itself is wrong: a number to ask about, and nothing else."""
    return respond(500, body_of(500, "internal", {}), {})


def body_of(status: int, code: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Make the members that every problem has."""
    words = language()
    g.problem = code
    return {
        "type": TYPE + code,
        "title": say(_TITLES.get(status, "title_server"), words=words),
        "status": status,
        "code": code,
        "detail": say(code, params, words=words),
        # A key in the address must not be repeated.
        "instance": request.path[:200] if has_request_context() and code != "key_in_address" else "",
        "request_id": str(g.get("request_id", "")),
    }


def respond(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """Write a problem; for a request that reads FHIR, as FHIR has it."""
    if wants_outcome():
        answer = Response(orjson.dumps(outcome_of(body)), status=status, content_type=FHIR_TYPE)
    else:
        answer = Response(orjson.dumps(body), status=status, content_type="application/problem+json")
    answer.headers["Content-Language"] = language()
    answer.headers["Vary"] = "Accept-Language"
    answer.headers.update(headers)
    return answer


def _entry(problem: Problem) -> dict[str, Any]:
    return {"pointer": problem.pointer, "code": problem.code, "detail": say(problem.code, problem.params)}


def _finding(finding: object) -> dict[str, Any]:
    code = str(getattr(finding, "code", "bad_path"))
    return {"pointer": str(getattr(finding, "element", "")), "code": code, "detail": say_finding(finding, language())}
