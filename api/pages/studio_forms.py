"""A form of a draft as a table of questions: changed, moved, looked at in three languages; a spreadsheet and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response

from api.pages import studio_form_table as table
from api.pages.forms.asking import Asked, Question, ask
from api.pages.kit.visits import Answer, Pages, Visit, own_names, see
from nrm.actions.path_drafts import save_form
from nrm.actions.path_forms import DraftForm, form_of_draft, form_sheet, read_sheet
from nrm.errors import NotFound, NotValid, Problem
from nrm.i18n import LANGUAGES
from nrm.rules.answers import first_answers
from nrm.rules.forms import TYPES, parse_form
from nrm.rules.texts import is_code

studio_forms = Pages("studio_forms")

LARGEST: Final = 2_000_000
OK: Final = 200
_PLACE: Final = "/studio/drafts/<draft_id>/forms/<key>"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A mistake as the page says it: its cell, what the cell's column is called, and what is wrong."""

    cell: table.Cell
    column: str
    words: str


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
    problems: Sequence[Problem] = (),
    difference: tuple[str, ...] | None = None,
    file_problems: tuple[str, ...] = (),
    status: int = OK,
) -> Answer:
    language = visit.text("preview") if visit.text("preview") in LANGUAGES else visit.language
    told = tuple(_told(visit, problem, content) for problem in problems)
    return visit.show(
        "studio/form.html",
        status=status,
        form=form,
        draft=form.view.draft,
        content=content,
        frame=json.dumps(table.frame(content), ensure_ascii=False),
        rows=table.rows(content.get("fields")),
        choices={name: table.choice_lines(entries) for name, entries in dict(content.get("choices") or {}).items()},
        default_text=table.default_text,
        types=sorted(TYPES, key=lambda kind: visit.words.t(f"studio_forms.type_{kind}")),
        languages=LANGUAGES,
        status_bad=status != OK,
        joinable=table.joinable(content.get("fields")),
        told=told,
        wrong={one.cell.id: one for one in reversed(told)},
        file_problems=file_problems,
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
    asked = Asked(form=parsed, language=language, labels=form.labels, pick=lambda _: (), today=today)
    return ask(asked, first_answers(parsed.fields))


def _told(visit: Visit, problem: Problem, content: Mapping[str, Json]) -> Told:
    """Say a mistake with the cell that has it."""
    cell = table.cell_of(problem, content)
    params = dict(problem.params)
    if reason := params.get("reason"):
        params["reason"] = visit.problem(str(reason), params).rstrip(".")
    if str(params.get("language")) in LANGUAGES:
        params["language"] = own_names()[str(params["language"])]
    return Told(cell=cell, column=_column(visit, cell), words=visit.problem(problem.code, params))


def _column(visit: Visit, cell: table.Cell) -> str:
    """Give what a cell's column is called."""
    if cell.line:
        return visit.words.t("studio_forms.choice_line", list=cell.id.partition(".")[2], n=cell.line)
    if cell.column in table.WORDED:
        return visit.words.t(f"studio_forms.{cell.column}_in", language=own_names()[cell.language])
    return visit.words.t(f"studio_forms.{cell.column}") if cell.column else ""


@studio_forms.post(_PLACE, permission="path.edit")
def change(visit: Visit, draft_id: str, key: str) -> Answer:
    """Change the table as a button says: move, take away, add, look, or save."""
    form = _form(visit, draft_id, key)
    content = _filled(visit)
    verb, _, place = visit.text("do").partition(" ")
    if verb == "look":
        return _page(visit, form, content, problems=_mistakes(form, content))
    if verb != "save":
        table.arrange(content, verb, place)
        return _page(visit, form, content)
    try:
        save_form(visit.actor, draft_id, key=key, content=content, version=visit.version() or 0)
    except NotValid as error:
        return _page(visit, form, content, problems=error.problems, status=422)
    return see(f"/studio/drafts/{draft_id}/forms/{key}")


def _mistakes(form: DraftForm, content: Mapping[str, Json]) -> Sequence[Problem]:
    try:
        parse_form(dict(content), code_lists=form.labels.keys())
    except NotValid as error:
        return error.problems
    return ()


def _filled(visit: Visit) -> dict[str, Json]:
    """Give the form that was filled in."""
    try:
        content = json.loads(visit.form.get("content", ""))
    except ValueError:
        raise NotValid([Problem(pointer="/content", code="required")]) from None
    if not isinstance(content, dict):
        raise NotValid([Problem(pointer="/content", code="required")])
    table.fill(content, visit)
    return content


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
        return _page(visit, form, form.content, file_problems=(visit.problem("required"),), status=422)
    try:
        content, difference = read_sheet(form, sheet)
    except NotValid as error:
        told = tuple(f"{each.pointer} {visit.problem(each.code, each.params)}" for each in error.problems)
        return _page(visit, form, form.content, file_problems=told or (visit.problem(error.code),), status=422)
    return _page(visit, form, content, difference=difference)
