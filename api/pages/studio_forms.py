"""A form of a draft as a table of questions: changed, moved, looked at in three languages; a spreadsheet and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from flask import Response

from api.pages.forms.asking import Asked, Question, ask
from api.pages.kit.visits import Answer, Pages, Visit, see
from nrm.actions.path_drafts import save_form
from nrm.actions.path_forms import DraftForm, form_of_draft, form_sheet, new_question, read_sheet
from nrm.errors import NotFound, NotValid, Problem
from nrm.i18n import LANGUAGES
from nrm.rules.forms import TYPES, parse_form
from nrm.rules.texts import is_code

studio_forms = Pages("studio_forms")

LARGEST: Final = 2_000_000
_PLACE: Final = "/studio/drafts/<draft_id>/forms/<key>"
_TEXTS: Final = ("relevant", "constraint", "list", "class")
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Json = Any
Told = tuple[tuple[str, str], ...]


@studio_forms.get(_PLACE)
def edit(visit: Visit, draft_id: str, key: str) -> Answer:
    """Show a form as a table."""
    form = _form(visit, draft_id, key)
    return _page(visit, form, form.content)


def _form(visit: Visit, draft_id: str, key: str) -> DraftForm:
    if not is_code(key):
        raise NotFound
    return form_of_draft(visit.actor, draft_id, key)


def _page(
    visit: Visit,
    form: DraftForm,
    content: Mapping[str, Json],
    *,
    problems: Told = (),
    difference: tuple[str, ...] | None = None,
    status: int = 200,
) -> Answer:
    language = visit.text("preview") if visit.text("preview") in LANGUAGES else visit.language
    return visit.show(
        "studio/form.html",
        status=status,
        form=form,
        draft=form.view.draft,
        content=content,
        written=json.dumps(content, ensure_ascii=False),
        rows=_rows(content.get("fields"), ""),
        choices={name: _lines(entries) for name, entries in dict(content.get("choices") or {}).items()},
        types=sorted(TYPES),
        languages=LANGUAGES,
        problems=problems,
        difference=difference,
        preview=_preview(visit, form, content, language),
        preview_language=language,
        writable="save" in form.view.draft.actions,
    )


def _preview(visit: Visit, form: DraftForm, content: Mapping[str, Json], language: str) -> tuple[Question, ...]:
    """Ask the form as a handler would see it; nothing while it has mistakes."""
    try:
        parsed = parse_form(dict(content))
    except NotValid:
        return ()
    today = visit.now.date()
    return ask(Asked(form=parsed, language=language, labels=form.labels, pick=lambda _: (), today=today), {})


def _rows(fields: Json, place: str) -> list[tuple[str, str, Mapping[str, Json]]]:
    """Give every question with its place ("0", "3.1") and its number for people ("1", "4.2"), in order."""
    found: list[tuple[str, str, Mapping[str, Json]]] = []
    for number, entry in enumerate(fields if isinstance(fields, list) else ()):
        if isinstance(entry, dict):
            here = f"{place}.{number}" if place else str(number)
            found.append((here, _number(here), entry))
            found += _rows(entry.get("fields"), here)
    return found


def _number(place: str) -> str:
    return ".".join(str(int(part) + 1) for part in place.split("."))


def _lines(entries: Json) -> str:
    """Write a choice list as lines: code, and its text in each language."""
    rows = entries if isinstance(entries, list) else []
    return "\n".join(
        " | ".join([str(each.get("name", "")), *(str(each.get("label", {}).get(one, "")) for one in LANGUAGES)])
        for each in rows
        if isinstance(each, dict)
    )


@studio_forms.post(_PLACE, permission="path.edit")
def change(visit: Visit, draft_id: str, key: str) -> Answer:
    """Change the table as a button says: move, take away, add, look, or save."""
    form = _form(visit, draft_id, key)
    content = _filled(visit)
    verb, _, place = visit.text("do").partition(" ")
    if verb != "save":
        _arrange(content, verb, place)
        return _page(visit, form, content)
    try:
        save_form(visit.actor, draft_id, key=key, content=content, version=visit.version() or 0)
    except NotValid as error:
        return _page(visit, form, content, problems=_told(visit, error, content), status=422)
    return see(f"/studio/drafts/{draft_id}/forms/{key}")


def _told(visit: Visit, error: NotValid, content: Mapping[str, Json]) -> Told:
    """Say each mistake with the question that has it."""
    names = {place: str(entry.get("name", "")) for place, _, entry in _rows(content.get("fields"), "")}
    told = []
    for problem in error.problems:
        parts = problem.pointer.strip("/").split("/")
        place = ".".join(part for part in parts if part.isdigit()) if parts[0] == "fields" else ""
        where = names.get(place) or parts[0]
        anchor = f"f{place}" if place in names else "table"
        told.append((anchor, f"{where} {'/'.join(parts[-2:])}: {visit.problem(problem.code, problem.params)}"))
    return tuple(told)


def _filled(visit: Visit) -> dict[str, Json]:
    """Give the content that the page was made from, with everything that was filled in."""
    try:
        content = json.loads(visit.form.get("content", ""))
    except ValueError:
        raise NotValid([Problem(pointer="/content", code="required")]) from None
    if not isinstance(content, dict):
        raise NotValid([Problem(pointer="/content", code="required")])
    content["title"] = {one: visit.text(f"title.{one}") for one in LANGUAGES}
    for place, _, entry in _rows(content.get("fields"), ""):
        if f"{place}.name" in visit.form:
            _fill(visit, place, entry)
    lists = dict(content.get("choices") or {})
    for name in [*lists, visit.text("new_list")]:
        text = visit.text("new_choices" if name == visit.text("new_list") else f"choices.{name}")
        if name and text:
            lists[name] = _entries(text)
        elif f"choices.{name}" in visit.form:
            lists.pop(name, None)
    content["choices"] = lists
    return content


def _fill(visit: Visit, place: str, entry: Mapping[str, Json]) -> None:
    row = dict(entry)
    row["type"], row["name"] = visit.text(f"{place}.type"), visit.text(f"{place}.name")
    row["label"] = {one: visit.text(f"{place}.label.{one}") for one in LANGUAGES}
    row["required"] = bool(visit.text(f"{place}.required"))
    for name in _TEXTS:
        row[name] = visit.text(f"{place}.{name}")
    message = {one: visit.text(f"{place}.message.{one}") for one in LANGUAGES}
    row["constraint_message"] = message if any(message.values()) else None
    empty = {name for name, value in row.items() if value in ("", None, False)}
    if row["type"] == "calculate" and not any(row["label"].values()):
        empty.add("label")
    if isinstance(entry, dict):
        entry.clear()
        entry.update({name: value for name, value in row.items() if name not in empty})


def _entries(text: str) -> list[Json]:
    """Read the lines of a choice list."""
    found = []
    for line in text.splitlines():
        if line.strip():
            name, *labels = (part.strip() for part in line.split("|"))
            texts = [*labels, "", "", ""][: len(LANGUAGES)]
            found.append({"name": name, "label": dict(zip(LANGUAGES, texts, strict=True))})
    return found


def _arrange(content: dict[str, Json], verb: str, place: str) -> None:
    """Move a question among its neighbours, take it away, or add one; nothing for a place that is not there."""
    *around, last = [int(part) for part in place.split(".") if part.isascii() and part.isdigit()] or [-1]
    fields = content.setdefault("fields", [])
    for number in around:
        inside = fields[number] if isinstance(fields, list) and number < len(fields) else {}
        fields = inside.get("fields") if isinstance(inside, dict) else None
    if not isinstance(fields, list):
        return
    if verb == "add":
        names = [str(entry.get("name")) for _, _, entry in _rows(content["fields"], "")]
        fields.insert(last + 1 if 0 <= last < len(fields) else len(fields), new_question(names))
    elif verb == "delete" and 0 <= last < len(fields):
        del fields[last]
    elif verb in {"up", "down"}:
        to = last + (1 if verb == "down" else -1)
        if 0 <= last < len(fields) and 0 <= to < len(fields):
            fields[last], fields[to] = fields[to], fields[last]


@studio_forms.get("/studio/drafts/<draft_id>/forms/<key>.xlsx")
def take_sheet(visit: Visit, draft_id: str, key: str) -> Answer:
    """Give the form as an XLSForm workbook."""
    answer = Response(form_sheet(_form(visit, draft_id, key)), content_type=_XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}.xlsx"'
    return answer


@studio_forms.post("/studio/drafts/<draft_id>/forms/<key>/sheet", permission="path.edit")
def bring_sheet(visit: Visit, draft_id: str, key: str) -> Answer:
    """Show what an XLSForm workbook would change; saving the table takes it."""
    form = _form(visit, draft_id, key)
    given = visit.files.get("file")
    sheet = given.stream.read(LARGEST) if given is not None else b""
    if not sheet:
        return _page(visit, form, form.content, problems=(("file", visit.problem("required")),), status=422)
    try:
        content, difference = read_sheet(form, sheet)
    except NotValid as error:
        told = tuple(("file", f"{each.pointer} {visit.problem(each.code, each.params)}") for each in error.problems)
        return _page(visit, form, form.content, problems=told or (("file", visit.problem(error.code)),), status=422)
    return _page(visit, form, content, difference=difference)
