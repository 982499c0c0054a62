"""Forms of a draft: seen, changed row by row, checked, taken from and given as a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nrm.actions.path_facts import installed
from nrm.actors import Actor
from nrm.countries import Json
from nrm.queries import path_drafts as queries
from nrm.queries.path_drafts import DraftView
from nrm.rules.forms import LANGUAGES
from nrm.rules.manifest_files import read_tables
from nrm.rules.workbooks import write_workbook
from nrm.rules.xlsform_reading import import_form
from nrm.rules.xlsforms import arranged, export_form, form_difference

Labels = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Code list → code → its name in each language."""
_NAMED: Final = re.compile(r"<(?:\w+:)?form\s[^<>]*?\bkey=\"([a-z][a-z0-9_]{0,63})\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftForm:
    """A form as a draft has it.

    Attributes:
        view: the draft.
        key: the form's key.
        content: the form, as in a form file; a new one has a single question without texts.
        changed: the draft has content of its own for it.
        known: the form exists, here or in the country's pack.
        labels: code lists, which questions may name.
    """

    view: DraftView
    key: str
    content: dict[str, Json]
    changed: bool
    known: bool
    labels: Labels


def form_of_draft(actor: Actor, draft_id: str, key: str) -> DraftForm:
    """Give a form of a draft: its own content, else the newest, else a beginning.

    Raises:
        NotFound: there is no such draft.
        NotAllowed: the actor may not see drafts.
    """
    view = queries.draft(actor, draft_id)
    pack = installed().pack
    own, newest = view.forms.get(key), pack.forms.get(key)
    found = own if own is not None else newest
    labels: dict[str, dict[str, Mapping[str, str]]] = {}
    for code in pack.codes:
        labels.setdefault(code.list, {})[code.code] = code.names
    return DraftForm(
        view=view,
        key=key,
        content=dict(found) if isinstance(found, Mapping) else _beginning(key),
        changed=own is not None,
        known=found is not None,
        labels=labels,
    )


def _beginning(key: str) -> dict[str, Json]:
    nothing: dict[str, Json] = dict.fromkeys(LANGUAGES, "")
    return {"form": key, "version": 1, "title": {**nothing}, "choices": {}, "fields": [new_question([])]}


def new_question(names: list[str]) -> dict[str, Json]:
    """Give a question without texts, with a name that is free."""
    number = 1
    while f"question_{number}" in names:
        number += 1
    return {"type": "text", "name": f"question_{number}", "label": dict.fromkeys(LANGUAGES, ""), "class": "personal"}


def forms_named(view: DraftView) -> tuple[str, ...]:
    """Give the keys of the forms that a draft's diagram names, and of those that the draft changes."""
    return tuple(dict.fromkeys((*_NAMED.findall(view.diagram), *view.forms)))


def form_sheet(form: DraftForm) -> bytes:
    """Write a form as an XLSForm workbook."""
    return write_workbook(export_form(form.content, code_lists=form.labels).sheets)


def read_sheet(form: DraftForm, sheet: bytes) -> tuple[dict[str, Json], tuple[str, ...]]:
    """Read an XLSForm workbook in the place of a form; nothing is kept.

    Args:
        form: the form as it is.
        sheet: the file's bytes, from anybody.

    Returns:
        The new content, and line by line how it differs.

    Raises:
        NotValid: it is no workbook, no XLSForm, or the form in it has mistakes.
    """
    read = import_form(read_tables(sheet))
    new = arranged({**read, "form": form.key}, form.content)
    content = dict(new) if isinstance(new, dict) else {}
    return content, form_difference(form.content, content)
