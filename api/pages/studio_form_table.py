"""A form as a table of cells: written into a page, read back from it, rows moved, mistakes led to their cells.

A question has a place ("0", "3.1": the second question inside the fourth). Cells are named by it: "3.1.label.ar".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from nrm.actions.path_forms import new_question
from nrm.errors import Problem
from nrm.i18n import LANGUAGES
from nrm.rules.form_defaults import WITHOUT_DEFAULT

Json = Any
Content = dict[str, Json]

TEXTS: Final[Mapping[str, str]] = {"label": "label", "hint": "hint", "message": "constraint_message"}
"""Column of a question with a text in each language → its key in a form file."""
_LINES: Final = ("relevant", "constraint", "calculation", "list", "appearance", "class")
_ROUNDS: Final = ("min", "max")
ASKING: Final[Mapping[str, frozenset[str]]] = {
    "list": frozenset({"select_one", "select_multiple"}),
    "calculation": frozenset({"calculate"}),
    "min": frozenset({"repeat"}),
    "max": frozenset({"repeat"}),
    "fields": frozenset({"group", "repeat"}),
}
"""Key of a question → the types that have it; all types have the others."""
_FORM_TEXTS: Final = ("title", "description")
WORDED: Final = frozenset({*TEXTS, *_FORM_TEXTS})
"""Columns that have a text in each language."""


class Filled(Protocol):
    """What a page sent."""

    @property
    def form(self) -> Mapping[str, str]:
        """Everything that was sent."""

    def text(self, name: str) -> str:
        """Give a text without the spaces around it, "" when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where a mistake stands.

    Attributes:
        id: id of the element.
        question: name of the question; "" for what belongs to the whole form.
        column: the column, as the texts of the page name it ("label", "choices").
        language: language of the text; "" when it has none.
        line: line of a list of choices, from 1; 0 for none.
    """

    id: str
    question: str = ""
    column: str = ""
    language: str = ""
    line: int = 0


def rows(fields: Json, place: str = "") -> list[tuple[str, str, Content]]:
    """Give every question with its place and its number for people ("1", "4.2"), in order."""
    found: list[tuple[str, str, Content]] = []
    for number, entry in enumerate(fields if isinstance(fields, list) else ()):
        if isinstance(entry, dict):
            here = f"{place}.{number}" if place else str(number)
            found.append((here, ".".join(str(int(part) + 1) for part in here.split(".")), entry))
            found += rows(entry.get("fields"), here)
    return found


def frame(content: Mapping[str, Json]) -> Content:
    """Give what the cells of a page do not hold: which questions stand inside which, and the names of the lists."""
    kept = {key: content[key] for key in ("form", "version") if key in content}
    lists = content.get("choices")
    names = list(lists) if isinstance(lists, Mapping) else []
    return {**kept, "choices": {name: [] for name in names}, "fields": _frames(content.get("fields"))}


def _frames(fields: Json) -> list[Json]:
    return [
        {"fields": _frames(entry["fields"])} if isinstance(entry, dict) and "fields" in entry else {}
        for entry in (fields if isinstance(fields, list) else ())
    ]


def choice_lines(entries: Json) -> str:
    """Write a choice list as lines: code, and its text in each language."""
    return "\n".join(
        " | ".join([str(each.get("name", "")), *(str((each.get("label") or {}).get(one, "")) for one in LANGUAGES)])
        for each in (entries if isinstance(entries, list) else ())
        if isinstance(each, dict)
    )


def default_text(value: Json) -> str:
    """Write a default into its cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def fill(content: Content, page: Filled) -> None:
    """Put everything that a page sent into a form; the form gives which questions stand inside which."""
    for part in _FORM_TEXTS:
        content[part] = {one: page.text(f"{part}.{one}") for one in LANGUAGES}
    if not any(content["description"].values()):
        del content["description"]
    content["uses"] = page.text("uses").split()
    if not content["uses"]:
        del content["uses"]
    for place, _, entry in rows(content.get("fields")):
        if f"{place}.name" in page.form:
            _fill(page, place, entry)
    lists = dict(content.get("choices") or {})
    for name in list(lists):
        lists[name] = _choices(page.text(f"choices.{name}"))
    if name := page.text("new_list"):
        lists[name] = _choices(page.text("new_choices"))
    content["choices"] = {name: entries for name, entries in lists.items() if entries}


def _fill(page: Filled, place: str, entry: Content) -> None:
    kind, inner = page.text(f"{place}.type"), entry.get("fields", [])
    row: Content = {"type": kind, "name": page.text(f"{place}.name")}
    for column, key in TEXTS.items():
        texts = {one: page.text(f"{place}.{column}.{one}") for one in LANGUAGES}
        row[key] = texts if any(texts.values()) or (column == "label" and kind != "calculate") else None
    row["required"] = True if page.text(f"{place}.required") else None
    row |= {key: page.text(f"{place}.{key}") for key in _LINES}
    row |= {key: _number(page.text(f"{place}.{key}")) for key in _ROUNDS}
    row["default"] = None if kind in WITHOUT_DEFAULT else _default(kind, page.text(f"{place}.default"))
    row["fields"] = inner
    entry.clear()
    entry.update(
        {key: value for key, value in row.items() if value not in ("", None) and kind in ASKING.get(key, {kind})}
    )
    entry.setdefault("name", "")


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 6 else text


def _default(kind: str, text: str) -> Json:
    """Read the cell of a default as a form file would have it; what cannot be read stays as it was written."""
    if kind in {"yes_no", "acknowledge"}:
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    if kind == "integer":
        return _number(text)
    if kind == "select_multiple":
        return text.split() or None
    if text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _choices(text: str) -> list[Json]:
    """Read the lines of a choice list."""
    found = []
    for line in text.splitlines():
        if line.strip():
            name, *labels = (part.strip() for part in line.split("|"))
            texts = [*labels, *[""] * len(LANGUAGES)][: len(LANGUAGES)]
            found.append({"name": name, "label": dict(zip(LANGUAGES, texts, strict=True))})
    return found


def arrange(content: Content, verb: str, place: str) -> None:
    """Move a question, take it away, or add one; nothing for a place that is not there.

    Args:
        content: the form.
        verb: up, down, delete, add (below, or at the end), inside (add one within a group or repeat), into (the group
            or repeat just above) or out (of the group or repeat around it).
        place: the question.
    """
    numbers = [int(part) for part in place.split(".") if part.isascii() and part.isdigit()]
    *around, last = numbers or [-1]
    fields = _inside(content.setdefault("fields", []), around)
    if fields is None or not -1 <= last < len(fields):
        return
    names = [str(entry.get("name")) for _, _, entry in rows(content["fields"])]
    if verb == "add":
        fields.insert(last + 1 if last >= 0 else len(fields), new_question(names))
    elif last < 0:
        return
    elif verb == "delete":
        del fields[last]
    elif verb == "inside" and isinstance(fields[last], dict) and fields[last].get("type") in ASKING["fields"]:
        fields[last].setdefault("fields", []).append(new_question(names))
    elif verb in {"up", "down"} and 0 <= (to := last + (1 if verb == "down" else -1)) < len(fields):
        fields[last], fields[to] = fields[to], fields[last]
    elif verb == "into" and last and isinstance(fields[last - 1], dict) and "fields" in fields[last - 1]:
        fields[last - 1]["fields"].append(fields.pop(last))
    elif verb == "out" and around:
        outer = _inside(content["fields"], around[:-1])
        if outer is not None:
            outer.insert(around[-1] + 1, fields.pop(last))


def _inside(fields: Json, way: list[int]) -> list[Json] | None:
    """Give the questions inside a group or repeat; None where there is none."""
    for number in way:
        entry = fields[number] if isinstance(fields, list) and number < len(fields) else None
        fields = entry.get("fields") if isinstance(entry, dict) else None
    return fields if isinstance(fields, list) else None


def joinable(fields: Json) -> frozenset[str]:
    """Give the places of the questions that stand just below a group or repeat and could become a part of it."""
    known = {place: entry for place, _, entry in rows(fields)}
    found = set()
    for place in known:
        around, _, last = place.rpartition(".")
        above = known.get(f"{around}.{int(last) - 1}" if around else str(int(last) - 1), {})
        if above.get("type") in ASKING["fields"]:
            found.add(place)
    return frozenset(found)


def cell_of(problem: Problem, content: Mapping[str, Json]) -> Cell:
    """Give the cell that a mistake stands in; the table itself for what has none."""
    first, *rest = problem.pointer.strip("/").split("/")
    if first in _FORM_TEXTS:
        language = rest[0] if rest and rest[0] in LANGUAGES else LANGUAGES[0]
        return Cell(id=f"{first}.{language}", column=first, language=language)
    if first == "choices" and rest:
        line = int(rest[1]) + 1 if len(rest) > 1 and rest[1].isdigit() else 0
        return Cell(id=f"choices.{rest[0]}", column="choices", language=_language(rest), line=line)
    if first == "fields":
        return _cell_of_question(rest, {place: entry for place, _, entry in rows(content.get("fields"))})
    return Cell(id="uses", column="uses") if first == "uses" else Cell(id="table")


def _cell_of_question(parts: list[str], known: Mapping[str, Content]) -> Cell:
    numbers: list[str] = []
    while parts and (parts[0].isdigit() or (parts[0] == "fields" and len(parts) > 1)):
        numbers += [parts[0]] if parts[0].isdigit() else []
        parts = parts[1:]
    place = ".".join(numbers)
    if place not in known:
        return Cell(id="table")
    name = str(known[place].get("name", ""))
    columns = {key: column for column, key in TEXTS.items()}
    if not parts or parts[0] == "fields":
        return Cell(id=f"f{place}", question=name)
    if parts[0] in columns:
        language = _language(parts) or LANGUAGES[0]
        return Cell(
            id=f"{place}.{columns[parts[0]]}.{language}", question=name, column=columns[parts[0]], language=language
        )
    return Cell(id=f"{place}.{parts[0]}", question=name, column=parts[0])


def _language(parts: list[str]) -> str:
    return parts[-1] if parts[-1] in LANGUAGES else ""
