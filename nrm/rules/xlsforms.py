"""Forms as XLSForm, the spreadsheet by which surveys are exchanged (xlsform.org), and back.

Columns that begin with "nrm_" keep what XLSForm has no word for: exact types, classes, our own conditions. A
condition that nobody changed in the spreadsheet comes back exactly as it was; a changed one is translated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from nrm.expressions import BadExpression
from nrm.rules.form_schema import CodeLabels
from nrm.rules.forms import LANGUAGES
from nrm.rules.xlsform_words import Questions, names_outside, outer_name, to_words

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
FormJson: TypeAlias = Mapping[str, Json]
Rows: TypeAlias = tuple[tuple[str, ...], ...]

LANGUAGE_NAMES: Final = dict(zip(LANGUAGES, ("Arabic (ar)", "Kurdish Sorani (ckb)", "English (en)"), strict=True))
"""Language → how survey programs write it in the heads of columns."""
TEXT_COLUMNS: Final = ("label", "hint", "constraint_message")
CONDITIONS: Final = ("relevant", "constraint", "calculation")
YES_NO: Final = "nrm_yes_no"
CODE_LIST: Final = "code_list_"
TYPES: Final[Mapping[str, str]] = {
    "text": "text",
    "long": "text",
    "phone": "text",
    "integer": "integer",
    "decimal": "decimal",
    "money": "decimal",
    "date": "date",
    "datetime": "dateTime",
    "select_one": "select_one",
    "select_multiple": "select_multiple",
    "acknowledge": "acknowledge",
    "yes_no": f"select_one {YES_NO}",
    "note": "note",
    "file": "file",
    "geopoint": "geopoint",
    "group": "begin_group",
    "repeat": "begin_repeat",
    "calculate": "calculate",
    "person": "text",
    "organisation": "text",
    "service": "text",
}
"""Our type → theirs."""
_WITHOUT_WORD: Final = frozenset({"phone", "money", "person", "organisation", "service"})
_YES_NO_LABELS: Final = {
    "yes": {"ar": "نعم", "ckb": "بەڵێ", "en": "Yes"},
    "no": {"ar": "لا", "ckb": "نەخێر", "en": "No"},
}
_OTHERS: Final = ("appearance", "default", "nrm_type", "nrm_class", "nrm_list", "nrm_min", "nrm_max", "nrm_default")
_SURVEY: Final = (
    "type",
    "name",
    *(f"{column}::{LANGUAGE_NAMES[name]}" for column in TEXT_COLUMNS for name in LANGUAGES),
    "required",
    *CONDITIONS,
    *(f"nrm_{column}" for column in CONDITIONS),
    *_OTHERS,
)
_CHOICES: Final = ("list_name", "name", *(f"label::{LANGUAGE_NAMES[name]}" for name in LANGUAGES))
_TITLES: Final = tuple(f"nrm_{part}_{name}" for part in ("title", "description") for name in LANGUAGES)
_SETTINGS: Final = ("form_title", "form_id", "version", "default_language", "nrm_uses", *_TITLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something of a form that an XLSForm program will not do; it comes back on import all the same.

    Attributes:
        name: the question.
        what: type (a plain text or number instead), code_list (the codes are a copy), condition (not exported),
            rounds (their number is free) or run_value (a value of the run that is empty there).
        detail: the type, list, condition or value.
    """

    name: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An XLSForm.

    Attributes:
        sheets: survey, choices and settings, each with its header row.
        losses: what XLSForm cannot hold of it.
    """

    sheets: Mapping[str, Rows]
    losses: tuple[Loss, ...]


def questions_of(form: FormJson) -> Questions:
    """Collect what translating conditions needs to know of a form."""
    types: dict[str, str] = {}
    repeats: dict[str, str] = {}
    for entry, inside in walk_fields(form.get("fields")):
        types[str(entry["name"])] = str(entry["type"])
        if inside:
            repeats[str(entry["name"])] = inside[-1]
    return Questions(types=types, repeats=repeats, kept={})


def walk_fields(data: Json, inside: tuple[str, ...] = ()) -> Iterator[tuple[dict[str, Json], tuple[str, ...]]]:
    """Give every question with the repeats around it, the outermost first."""
    for entry in data if isinstance(data, list) else ():
        if isinstance(entry, dict):
            yield entry, inside
            below = (*inside, str(entry["name"])) if entry["type"] == "repeat" else inside
            yield from walk_fields(entry.get("fields"), below)


def export_form(form: FormJson, *, code_lists: CodeLabels) -> Exported:
    """Write a form as an XLSForm.

    Args:
        form: the JSON of a valid form.
        code_lists: the pack's code lists, whose codes become choices.
    """
    export = _Export(form, code_lists)
    export.hidden_values()
    export.fields(form.get("fields"))
    sheets = {
        "survey": (_SURVEY, *export.survey),
        "choices": (_CHOICES, *export.choices()),
        "settings": (_SETTINGS, _settings(form)),
    }
    return Exported(sheets=sheets, losses=tuple(export.losses))


def _settings(form: FormJson) -> tuple[str, ...]:
    parts = {part: _texts(form.get(part)) for part in ("title", "description")}
    uses = form.get("uses")
    values = {
        "form_title": parts["title"].get("en", ""),
        "form_id": str(form["form"]),
        "version": str(form["version"]),
        "default_language": LANGUAGE_NAMES["ar"],
        "nrm_uses": " ".join(map(str, uses)) if isinstance(uses, list) else "",
        **{f"nrm_{part}_{name}": text for part, texts in parts.items() for name, text in texts.items()},
    }
    return tuple(values.get(column, "") for column in _SETTINGS)


def _texts(data: Json) -> dict[str, str]:
    return {name: str(text) for name, text in data.items()} if isinstance(data, dict) else {}


@dataclass(slots=True)
class _Export:
    """One export, and what it has written so far."""

    form: FormJson
    code_lists: CodeLabels
    survey: list[tuple[str, ...]] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def questions(self) -> Questions:
        return questions_of(self.form)

    def row(self, **cells: str) -> None:
        self.survey.append(tuple(cells.get(column, "") for column in _SURVEY))

    def hidden_values(self) -> None:
        """Give each value of the run that a condition reads a hidden place of its name."""
        known = frozenset(self.questions.types)
        found: set[tuple[str, ...]] = set()
        for entry, _ in walk_fields(self.form.get("fields")):
            for column in CONDITIONS:
                if isinstance(text := entry.get(column), str) and text:
                    found |= names_outside(text, known, this=column == "constraint")
        for path in sorted(found):
            self.row(type="hidden", name=outer_name(path, self.questions), nrm_list=".".join(path))
            self.losses.append(Loss(name=path[0], what="run_value", detail=".".join(path)))

    def fields(self, data: Json) -> None:
        for entry in data if isinstance(data, list) else ():
            if not isinstance(entry, dict):
                continue
            self.field(entry)
            if entry["type"] in ("group", "repeat"):
                self.fields(entry.get("fields"))
                self.row(type=f"end_{entry['type']}", name=str(entry["name"]))

    def field(self, entry: dict[str, Json]) -> None:
        kind, name = str(entry["type"]), str(entry["name"])
        cells = {"type": TYPES[kind], "name": name, "nrm_type": kind}
        if kind.startswith("select_"):
            cells["nrm_list"] = str(entry["list"])
            cells["type"] = f"{TYPES[kind]} {self.choice_list(name, str(entry['list']))}"
        if kind in _WITHOUT_WORD:
            self.losses.append(Loss(name=name, what="type", detail=kind))
        for column in TEXT_COLUMNS:
            texts = _texts(entry.get(column)).items()
            cells.update({f"{column}::{LANGUAGE_NAMES[language]}": text for language, text in texts})
        if "required" in entry:
            cells["required"] = "yes" if entry["required"] else "no"
        cells["appearance"] = str(entry.get("appearance", "multiline" if kind == "long" else ""))
        self.rounds(entry, cells)
        self.default(entry, cells)
        if "class" in entry:
            cells["nrm_class"] = str(entry["class"])
        for column in CONDITIONS:
            self.condition(entry, column, cells)
        self.row(**cells)

    def choice_list(self, name: str, wanted: str) -> str:
        if not wanted.startswith("code_list:"):
            return wanted
        key = wanted.removeprefix("code_list:")
        self.used.add(key)
        self.losses.append(Loss(name=name, what="code_list", detail=key))
        return f"{CODE_LIST}{key}"

    def rounds(self, entry: dict[str, Json], cells: dict[str, str]) -> None:
        for key in ("min", "max"):
            if key in entry:
                cells[f"nrm_{key}"] = str(entry[key])
                self.losses.append(Loss(name=str(entry["name"]), what="rounds", detail=f"{key} {entry[key]}"))

    @staticmethod
    def default(entry: dict[str, Json], cells: dict[str, str]) -> None:
        if "default" in entry:
            cells["nrm_default"] = json.dumps(entry["default"], ensure_ascii=False)
            cells["default"] = default_cell(entry["default"])

    def condition(self, entry: dict[str, Json], column: str, cells: dict[str, str]) -> None:
        text = entry.get(column)
        if not isinstance(text, str) or not text:
            return
        cells[f"nrm_{column}"] = text
        this = str(entry["type"]) if column == "constraint" else None
        try:
            cells[column] = to_words(text, self.questions, this=this)
        except BadExpression:
            self.losses.append(Loss(name=str(entry["name"]), what="condition", detail=text))

    def choices(self) -> Iterator[tuple[str, ...]]:
        own = self.form.get("choices")
        for name, entries in own.items() if isinstance(own, dict) else ():
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict):
                    yield _choice(name, str(entry["name"]), _texts(entry.get("label")))
        for key in sorted(self.used):
            for code, labels in self.code_lists.get(key, {}).items():
                yield _choice(f"{CODE_LIST}{key}", code, labels)
        if "yes_no" in self.questions.types.values():
            for code, labels in _YES_NO_LABELS.items():
                yield _choice(YES_NO, code, labels)


def default_cell(value: Json) -> str:
    """Write a default answer as XLSForm does."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _choice(name: str, code: str, labels: Mapping[str, str]) -> tuple[str, ...]:
    return (name, code, *(labels.get(language, "") for language in LANGUAGES))


def form_difference(before: FormJson, after: FormJson) -> tuple[str, ...]:
    """Say line by line how two forms differ; questions and choices are told by their names."""
    return tuple(_difference(dict(before), dict(after), ""))


def _difference(before: Json, after: Json, place: str) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _difference(before.get(key), after.get(key), f"{place}.{key}" if place else key)
    elif isinstance(before, list) and isinstance(after, list) and _named(before) and _named(after):
        yield from _entries(_named(before), _named(after), place)
    else:
        if before is not None:
            yield f"- {place}: {json.dumps(before, ensure_ascii=False)}"
        if after is not None:
            yield f"+ {place}: {json.dumps(after, ensure_ascii=False)}"


def _entries(before: dict[str, Json], after: dict[str, Json], place: str) -> Iterator[str]:
    for name in dict.fromkeys((*before, *after)):
        yield from _difference(before.get(name), after.get(name), f"{place}[{name}]")
    stayed = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    if stayed != moved:
        yield f"  {place}: order was {', '.join(stayed)}; is {', '.join(moved)}"


def _named(entries: list[Json]) -> dict[str, Json]:
    return {str(entry["name"]): entry for entry in entries if isinstance(entry, dict) and "name" in entry}


def arranged(form: Json, like: Json) -> Json:
    """Put the keys of a form into the order that another has, so that files differ only where they must."""
    if isinstance(form, dict) and isinstance(like, dict):
        order = [key for key in like if key in form] + [key for key in form if key not in like]
        return {key: arranged(form[key], like.get(key)) for key in order}
    if isinstance(form, list) and isinstance(like, list):
        names = _named(like)
        return [
            arranged(entry, names.get(str(entry.get("name"))) if isinstance(entry, dict) else None) for entry in form
        ]
    return form
