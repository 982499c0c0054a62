"""Read an XLSForm, one that was exported here or one that another program made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nrm.errors import NotValid, Problem
from nrm.expressions import BadExpression
from nrm.rules.forms import LANGUAGES, parse_form
from nrm.rules.manifest_files import Table
from nrm.rules.texts import WrongValue, clean_text
from nrm.rules.xlsform_words import Questions, from_words, to_words
from nrm.rules.xlsforms import (
    CODE_LIST,
    CONDITIONS,
    TEXT_COLUMNS,
    TYPES,
    YES_NO,
    Json,
    default_cell,
    questions_of,
    walk_fields,
)

_LONGEST: Final = 4900
_LONGEST_HEADER: Final = 200
_HEADER: Final = re.compile(r"(\w+)\s*::?\s*(?:[^():]*\(\s*(\w+)\s*\)|(\w+))")
_OURS: Final[Mapping[str, str]] = {
    **{theirs.lower(): ours for ours, theirs in reversed(list(TYPES.items()))},
    "image": "file",
    "audio": "file",
    "video": "file",
    "trigger": "acknowledge",
    "string": "text",
    "int": "integer",
    "begin group": "group",
    "begin repeat": "repeat",
}
_ENDS: Final = {
    "end_group": "group",
    "end group": "group",
    "end_repeat": "repeat",
    "end repeat": "repeat",
}
_YES: Final = frozenset({"yes", "true", "true()", "1"})
_RECORD_KEEPING: Final = frozenset({"hidden", "start", "end", "deviceid", "username", "today", "audit"})

Cells = dict[str, str]


def import_form(tables: tuple[Table, ...]) -> dict[str, Json]:
    """Read an XLSForm.

    Args:
        tables: its sheets, as `read_tables` gives them.

    Returns:
        The JSON of a valid form.

    Raises:
        NotValid: a sheet or column is missing, groups do not close, a type or condition is not known here
            ("bad_xlsform", pointers are /sheet/row/column), or the form has mistakes ("bad_form").
    """
    sheets = {table.name.strip().lower(): table for table in tables}
    reading = _Import()
    survey, choices, settings = (reading.rows(sheets, name) for name in ("survey", "choices", "settings"))
    reading.stop()
    form = reading.form(survey, choices, settings)
    reading.stop()
    parse_form(form)
    return form


@dataclass(slots=True)
class _Import:
    """One reading, and what is wrong so far."""

    problems: list[Problem] = field(default_factory=list)
    kept: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows_of: dict[str, tuple[int, Cells]] = field(default_factory=dict)

    def wrong(self, pointer: str, code: str, **params: str | int | None) -> None:
        self.problems.append(Problem(pointer=pointer, code=code, params=params))

    def stop(self) -> None:
        if self.problems:
            raise NotValid(self.problems, "bad_xlsform")

    def rows(self, sheets: Mapping[str, Table], name: str) -> list[tuple[int, Cells]]:
        table = sheets.get(name)
        if table is None:
            if name != "choices":
                self.wrong(f"/{name}", "sheet_missing", name=name)
            return []
        header = [_column(str(cell or "")) for cell in table.rows[0]]
        found = []
        for number, row in enumerate(table.rows[1:], start=2):
            cells = {
                column: self.text(f"/{name}/{number}/{column}", "" if cell is None else str(cell))
                for column, cell in zip(header, row, strict=False)
            }
            if any(cells.values()):
                found.append((number, cells))
        return found

    def text(self, pointer: str, text: str) -> str:
        try:
            return clean_text(text, longest=_LONGEST, lines=True)
        except WrongValue as wrong:
            self.wrong(pointer, wrong.code, **wrong.params)
            return ""

    def form(
        self, survey: list[tuple[int, Cells]], choices: list[tuple[int, Cells]], settings: list[tuple[int, Cells]]
    ) -> dict[str, Json]:
        told = settings[0][1] if settings else {}
        version = told.get("version", "")
        form: dict[str, Json] = {
            "form": told.get("form_id", ""),
            "version": int(version) if version.isascii() and version.isdigit() else 1,
        }
        for part in ("title", "description"):
            texts = {name: told[f"nrm_{part}_{name}"] for name in LANGUAGES if told.get(f"nrm_{part}_{name}")}
            if part == "title" and told.get("form_title"):
                texts["en"] = told["form_title"]
            if texts:
                form[part] = {**texts}
        if told.get("nrm_uses"):
            form["uses"] = [*told["nrm_uses"].split()]
        form["choices"] = self.choices(choices)
        form["fields"] = self.fields(survey)
        self.conditions(form)
        return form

    def choices(self, rows: list[tuple[int, Cells]]) -> dict[str, Json]:
        lists: dict[str, list[Json]] = {}
        for _, cells in rows:
            name = cells.get("list_name") or cells.get("list name", "")
            if name != YES_NO and not name.startswith(CODE_LIST):
                lists.setdefault(name, []).append({"name": cells.get("name", ""), "label": _labels(cells, "label")})
        return {**lists}

    def fields(self, rows: list[tuple[int, Cells]]) -> list[Json]:
        top: list[Json] = []
        opened: list[tuple[str, int, list[Json]]] = [("", 0, top)]
        for number, cells in rows:
            kind = " ".join(cells.get("type", "").split())
            if kind.lower() in _ENDS:
                if opened[-1][0] != _ENDS[kind.lower()]:
                    self.wrong(f"/survey/{number}/type", "unexpected_end")
                    return top
                opened.pop()
            elif kind.lower() == "hidden":
                self.kept[cells.get("name", "")] = tuple((cells.get("nrm_list") or cells.get("name", "")).split("."))
            elif kind and kind.lower() not in _RECORD_KEEPING:
                entry = self.entry(number, cells, kind)
                opened[-1][2].append(entry)
                if entry["type"] in ("group", "repeat"):
                    inner: list[Json] = []
                    entry["fields"] = inner
                    opened.append((str(entry["type"]), number, inner))
        if len(opened) > 1:
            self.wrong(f"/survey/{opened[-1][1]}/type", "group_not_closed", row=opened[-1][1])
        return top

    def entry(self, number: int, cells: Cells, kind: str) -> dict[str, Json]:
        word, _, name = kind.partition(" ")
        choice_list = name if word.startswith("select_") and name != YES_NO else ""
        ours = _OURS.get((word if choice_list else kind).lower())
        told = cells.get("nrm_type", "")
        if told in TYPES and ours is not None and TYPES[told] == TYPES[ours]:
            ours = told
        elif ours == "text" and cells.get("appearance") == "multiline":
            ours = "long"
        if ours is None:
            self.wrong(f"/survey/{number}/type", "unknown_type", type=kind[:40])
        entry: dict[str, Json] = {"type": ours or "text", "name": cells.get("name", "")}
        for column in TEXT_COLUMNS:
            if texts := _labels(cells, column):
                entry[column] = {**texts}
        if cells.get("required"):
            entry["required"] = cells["required"].lower() in _YES
        if choice_list:
            is_code_list = choice_list.startswith(CODE_LIST)
            entry["list"] = f"code_list:{choice_list.removeprefix(CODE_LIST)}" if is_code_list else choice_list
        self.more(number, cells, entry)
        self.rows_of[str(entry["name"])] = (number, cells)
        return entry

    def more(self, number: int, cells: Cells, entry: dict[str, Json]) -> None:
        if cells.get("nrm_class"):
            entry["class"] = cells["nrm_class"]
        if cells.get("appearance") and (entry["type"], cells["appearance"]) != ("long", "multiline"):
            entry["appearance"] = cells["appearance"]
        if cells.get("default"):
            entry["default"] = _default(cells)
        for key in ("min", "max"):
            text = cells.get(f"nrm_{key}", "")
            if text.isascii() and text.isdigit():
                entry[key] = int(text)
            elif text:
                self.wrong(f"/survey/{number}/nrm_{key}", "not_an_integer")

    def conditions(self, form: dict[str, Json]) -> None:
        known = questions_of(form)
        questions = Questions(types=known.types, repeats=known.repeats, kept=self.kept)
        for entry, inside in walk_fields(form["fields"]):
            number, cells = self.rows_of[str(entry["name"])]
            for column in CONDITIONS:
                this = str(entry["type"]) if column == "constraint" else None
                try:
                    text = _condition(cells, column, questions, frozenset(inside), this)
                except BadExpression as wrong:
                    pointer = f"/survey/{number}/{column}"
                    self.wrong(pointer, "bad_expression", reason=wrong.code, position=wrong.position)
                    continue
                if text:
                    entry[column] = text


def _column(header: str) -> str:
    header = header.strip()
    found = _HEADER.fullmatch(header) if len(header) <= _LONGEST_HEADER else None
    return f"{found[1]}::{(found[2] or found[3]).lower()}" if found else header


def _labels(cells: Cells, column: str) -> dict[str, Json]:
    return {name: cells[f"{column}::{name}"] for name in LANGUAGES if cells.get(f"{column}::{name}")}


def _default(cells: Cells) -> Json:
    try:
        ours: Json = json.loads(cells.get("nrm_default", ""))
    except json.JSONDecodeError:
        return cells["default"]
    return ours if default_cell(ours) == cells["default"] else cells["default"]


def _condition(cells: Cells, column: str, questions: Questions, inside: frozenset[str], this: str | None) -> str:
    """Keep our own words when they still say what the cell says; translate the cell otherwise."""
    ours, theirs = cells.get(f"nrm_{column}", ""), cells.get(column, "")
    if ours:
        try:
            if to_words(ours, questions, this=this) == theirs:
                return ours
        except BadExpression:
            # What XLSForm cannot say was not exported; an empty cell beside it means that nobody said otherwise.
            if not theirs:
                return ours
    return from_words(theirs, questions, inside=inside, this=this) if theirs else ""
