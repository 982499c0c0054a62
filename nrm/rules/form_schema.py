"""Publish what a form asks as JSON Schema (2020-12), so that a partner's program can build its own screen.

The schema says what shape answers have. Conditions stand beside it under "x-" keys as the texts of the form: a
program that cannot evaluate them leaves the check to the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from nrm.rules.answer_types import LONG_LENGTH, TEXT_LENGTH
from nrm.rules.forms import Field, Form, Texts

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None
CodeLabels = Mapping[str, Mapping[str, Texts]]
"""Code list name → code → label in each language."""

_POINT: Final[dict[str, Json]] = {
    "type": "object",
    "properties": {"lat": {"type": "string"}, "lon": {"type": "string"}},
    "required": ["lat", "lon"],
}
_MONEY: Final[dict[str, Json]] = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^\d{1,15}(\.\d{1,10})?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount"],
}
_TYPES: Final[Mapping[str, dict[str, Json]]] = {
    "text": {"type": "string", "maxLength": TEXT_LENGTH},
    "long": {"type": "string", "maxLength": LONG_LENGTH},
    "phone": {"type": "string", "maxLength": 40},
    "integer": {"type": "integer"},
    "decimal": {"type": "string", "pattern": r"^[+-]?\d{1,15}(\.\d{1,10})?$"},
    "money": _MONEY,
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "acknowledge": {"const": True},
    "yes_no": {"type": "boolean"},
    "file": {"type": "string"},
    "geopoint": _POINT,
    "person": {"type": "string"},
    "organisation": {"type": "string"},
    "service": {"type": "string"},
}


def form_json_schema(form: Form, language: str, *, code_lists: CodeLabels | None = None) -> dict[str, Json]:
    """Describe the answers of a form.

    Args:
        form: the form.
        language: language of titles and labels; English where a text is missing.
        code_lists: the pack's code lists, to name their codes; a list that is not given stays open.

    Returns:
        A JSON Schema of the answers object. Only questions that are always asked are "required" in it.
    """
    schema = _object(form.fields, form, language, code_lists or {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": _text(form.title, language),
        **({"description": _text(form.description, language)} if form.description else {}),
        "x-form": form.key,
        "x-version": form.version,
        **schema,
    }


def _object(fields: tuple[Field, ...], form: Form, language: str, code_lists: CodeLabels) -> dict[str, Json]:
    properties: dict[str, Json] = {}
    required: list[Json] = []
    for item, always in _questions(fields, always=True):
        properties[item.name] = _field(item, form, language, code_lists)
        if item.required and always:
            required.append(item.name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _questions(fields: tuple[Field, ...], *, always: bool) -> list[tuple[Field, bool]]:
    found = []
    for item in fields:
        asked = always and item.relevant is None
        if item.type == "group":
            found += _questions(item.fields, always=asked)
        elif item.type not in ("note", "calculate"):
            found.append((item, asked))
    return found


def _field(item: Field, form: Form, language: str, code_lists: CodeLabels) -> dict[str, Json]:
    schema: dict[str, Json] = {"title": _text(item.label, language), "x-type": item.type}
    if item.hint:
        schema["description"] = _text(item.hint, language)
    if item.default is not None:
        schema["default"] = item.default
    for key, expression in (("x-relevant", item.relevant), ("x-constraint", item.constraint)):
        if expression is not None:
            schema[key] = expression.text
    if item.type == "repeat":
        rounds = _object(item.fields, form, language, code_lists)
        return {**schema, "type": "array", "items": rounds, "minItems": item.least, "maxItems": item.most}
    if item.type in ("select_one", "select_multiple"):
        return {**schema, **_select(item, form, language, code_lists)}
    return {**schema, **_TYPES[item.type]}


def _select(item: Field, form: Form, language: str, code_lists: CodeLabels) -> dict[str, Json]:
    name = item.list or ""
    wanted = name.removeprefix("code_list:")
    if wanted == name:
        labels: Mapping[str, Texts] | None = {choice.name: choice.label for choice in form.choices[name]}
    else:
        labels = code_lists.get(wanted)
    code: dict[str, Json] = {"type": "string"}
    if labels is not None:
        code = {"oneOf": [{"const": key, "title": _text(label, language)} for key, label in labels.items()]}
    else:
        code["x-code-list"] = wanted
    return code if item.type == "select_one" else {"type": "array", "items": code, "uniqueItems": True}


def _text(texts: Texts, language: str) -> str:
    return texts.get(language) or texts.get("en", "")
