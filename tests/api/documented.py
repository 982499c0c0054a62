"""Compare an answer with what the OpenAPI document says about it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from api.openapi import document

PROBLEM_MEMBERS = {"type", "title", "status", "code", "detail", "instance", "request_id"}


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    return document()


@lru_cache(maxsize=1)
def _routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    # Fixed words before open parts: /tasks/next is not /tasks/{task_id}.
    paths = sorted(described()["paths"].items(), key=lambda entry: entry[0].count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), verbs) for path, verbs in paths]


@lru_cache(maxsize=1)
def _registry() -> Registry[Any]:
    resource = Resource.from_contents(described(), default_specification=DRAFT202012)
    return Registry().with_resource("doc:", resource)


def address(path: str) -> str:
    """Give the whole address: only the open standards stand outside of /api/v1."""
    return path if path.startswith(("/fhir/", "/hsds/")) else "/api/v1" + path


def check(method: str, path: str, answer: TestResponse) -> None:
    """Fail when the answer is not one that the document announces."""
    plain = address(path).partition("?")[0]
    operation = next(
        (verbs[method.lower()] for route, verbs in _routes() if route.fullmatch(plain) and method.lower() in verbs),
        None,
    )
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and not _in_the_shape_of_a_standard(operation, answer):
        check_problem(answer)
    if operation is None:
        assert answer.status_code in (404, 405), f"{method} {path} is not documented"
        return
    announced = operation["responses"].get(str(answer.status_code))
    assert announced is not None, (
        f"{method} {path} answers {answer.status_code}, which is not documented: {answer.text}"
    )
    content = announced.get("content", {})
    schema = content.get(answer.mimetype, next(iter(content.values()), {})).get("schema")
    if schema is None:
        assert not answer.data, f"{method} {path} answers with a content that is not documented"
        return
    assert answer.mimetype in announced["content"], f"{method} {path} answers as {answer.mimetype}"
    found = _errors(schema, answer.get_json(force=True)) if "json" in answer.mimetype else []
    assert not found, f"{method} {path} differs from the document: {found}"


def _in_the_shape_of_a_standard(operation: dict[str, Any] | None, answer: TestResponse) -> bool:
    """Say whether a refusal is one that another standard asks for, and that the document announces so."""
    announced = (operation or {"responses": {}})["responses"].get(str(answer.status_code), {}).get("content", {})
    return "application/json" in announced and answer.mimetype == "application/json"


def _errors(schema: dict[str, Any], value: Any) -> list[str]:
    text = _absolute(schema)
    validator = Draft202012Validator(text, registry=_registry())
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: "doc:" + value if key == "$ref" and str(value).startswith("#") else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(entry) for entry in schema] if isinstance(schema, list) else schema


def check_problem(answer: TestResponse) -> None:
    """Fail when a refusal is not a problem in words."""
    assert answer.mimetype == "application/problem+json", answer.text
    body = answer.get_json(force=True)
    assert body.keys() >= PROBLEM_MEMBERS
    assert body["status"] == answer.status_code
    assert len(body["detail"]) > 5, body
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["detail"] != body["code"], f"{body['code']} has no words"
    for entry in body.get("errors", []):
        assert entry["detail"] != entry["code"], f"{entry['code']} has no words"
        assert "…" not in entry["detail"], f"{entry['code']} lacks a value: {entry['detail']}"
