"""The country's words for states, verbs, stages, levels, roles and places, for those who keep them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from flask import Response

from api.pages.directory_admin import names_of, trouble_of
from api.pages.kit.visits import Answer, Pages, Visit, see
from api.pages.records import Blank, filled, read_sent
from api.pages.users import Trouble
from nrm.actions.label_editing import change_label
from nrm.countries import Json
from nrm.countries.editing import differences
from nrm.errors import Conflict, NotValid
from nrm.queries.pack_entries import PACK, EntryView, entry_history
from nrm.queries.pack_labels import LABEL, label_entries, label_entry

pack_labels = Pages("pack_labels")

_NAMED: Final = frozenset(
    {
        *("case_status", "task_status", "run_status", "referral_state", "referral_verb", "task_verb", "stage", "level"),
        *("term", "names.role", "names.jurisdiction", "names.code_list", "names.calendar", "names.setting"),
        "names.place",
    }
)
"""Groups that have a name of their own; a pack may have others, which are called by their code."""
_BLANKS: Final = (Blank(name="names", kind="texts", label="country.words", needed=True),)


@pack_labels.get("/admin/labels", permission=PACK)
def list_labels(visit: Visit) -> Answer:
    """List the groups of labels, and the labels of the one that was chosen."""
    groups = label_entries(visit.actor)
    chosen = visit.query.get("group", "")
    return visit.show(
        "admin/labels.html",
        groups=sorted(((key, _name(visit, key), len(rows)) for key, rows in groups.items()), key=lambda row: row[1]),
        chosen=chosen if chosen in groups else "",
        chosen_name=_name(visit, chosen),
        rows=groups.get(chosen, ()),
    )


def _name(visit: Visit, group: str) -> str:
    return visit.words.t("labels.group_" + group.replace(".", "_")) if group in _NAMED else group


@pack_labels.get("/admin/labels/edit", permission=PACK)
def show_label(visit: Visit) -> Answer:
    """Show a label with its words."""
    found = _label(visit)
    return _page(visit, found, dict(found.data))


def _label(visit: Visit) -> EntryView:
    group, _, code = visit.query.get("key", "").partition("/")
    return label_entry(visit.actor, group, code)


@pack_labels.post("/admin/labels/edit", permission=PACK)
def change(visit: Visit) -> Answer:
    """Change the words of a label."""
    found = _label(visit)
    group, _, code = found.key.partition("/")
    sent = read_sent(_BLANKS, visit.form)
    names = sent["names"] if isinstance(sent["names"], dict) else {}
    words = {language: str(text) for language, text in names.items()}
    try:
        change_label(visit.actor, group, code, names=words, seen=visit.text("seen")[:64])
    except NotValid as error:
        return _page(visit, found, {**sent}, trouble=trouble_of(visit, error.problems))
    except Conflict as error:
        return _page(visit, _label(visit), {**sent}, conflict=error)
    return see("/admin/labels/edit?" + urlencode({"key": found.key, "done": "1"}))


def _page(
    visit: Visit,
    found: EntryView,
    data: dict[str, Json],
    *,
    trouble: Trouble | None = None,
    conflict: Conflict | None = None,
) -> Response:
    return visit.show(
        "admin/entry.html",
        status=409 if conflict else 422 if trouble else 200,
        entry=found,
        title=visit.words.name(names_of(found)) or found.key,
        blanks=_BLANKS,
        filled=filled(_BLANKS, data),
        trouble=trouble,
        conflict=visit.problem(conflict.code, conflict.params) if conflict else "",
        stored=[one for one in differences(data, dict(found.data)) if one.after] if conflict else [],
        action="/admin/labels/edit?" + urlencode({"key": found.key}),
        home="/admin/labels?" + urlencode({"group": found.under}),
        home_text=visit.words.t("admin.labels"),
        inner={},
        history=entry_history(visit.actor, LABEL, found.key),
        done=visit.query.get("done") == "1",
        freezes=False,
    )
