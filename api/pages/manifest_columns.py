"""The columns of an arrival list, matched with ours by whoever sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from flask import Response

from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from nrm.actions import manifest_checks as checks
from nrm.actions.manifest_checks import CheckedList, ColumnView
from nrm.errors import NotFound, NotValid
from nrm.queries import packs
from nrm.rules.manifest_columns import HEADER_ROWS, NAME_COLUMNS, NEEDED

manifest_columns = Pages("manifest_columns")

_IMPORT: Final = "manifest.import"
_SHORT: Final = 60


@manifest_columns.get("/manifests/<manifest_id>/columns", permission=_IMPORT)
def show(visit: Visit, manifest_id: str) -> Answer:
    """Show the columns of a list with their first values, and what each was recognised as."""
    checked = _checked(visit, manifest_id)
    head = _head(visit.query.get("head", ""), checked)
    return _page(visit, manifest_id, checked, head, checks.columns_of(checked, head))


def _checked(visit: Visit, manifest_id: str) -> CheckedList:
    checked = checks.checked_list(visit.actor, manifest_id)
    if checked is None or not checked.top or not checks.waits_for_import(manifest_id):
        raise NotFound
    return checked


def _head(text: str, checked: CheckedList) -> int:
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else checked.head_row
    return wanted if 1 <= wanted <= min(HEADER_ROWS, len(checked.top)) else checked.head_row


@manifest_columns.post("/manifests/<manifest_id>/columns", permission=_IMPORT)
def match(visit: Visit, manifest_id: str) -> Answer:
    """Look at a list again with the columns as they were chosen."""
    checked = _checked(visit, manifest_id)
    head = _head(visit.text("head"), checked)
    columns = checks.columns_of(checked, head)
    chosen = {one.place: visit.text(f"column.{one.place}")[:64] for one in columns}
    try:
        checks.match_columns(visit.actor, manifest_id, head=head, chosen=chosen)
    except NotValid as error:
        sent = tuple(replace(one, key=chosen[one.place]) for one in columns)
        problems = tuple(
            (one.pointer.strip("/").replace("/", "-"), visit.problem(one.code, one.params)) for one in error.problems
        )
        return _page(visit, manifest_id, checked, head, sent, problems=problems)
    return see(f"/manifests/{manifest_id}")


def _page(
    visit: Visit,
    manifest_id: str,
    checked: CheckedList,
    head: int,
    columns: tuple[ColumnView, ...],
    *,
    problems: Told = (),
) -> Response:
    fields = our_fields(visit)
    keys = {one.key for one in columns if one.key}
    keys |= set(NEEDED) & NAME_COLUMNS if keys & NAME_COLUMNS else set()
    return visit.show(
        "manifests/columns.html",
        status=422 if problems else 200,
        manifest_id=manifest_id,
        name=checked.name,
        headless=checked.headless,
        head=head,
        heads=tuple(_heads(checked)),
        columns=columns,
        fields=fields,
        needed=frozenset(NEEDED),
        missing=tuple(fields[key] for key in NEEDED if key in fields and key not in keys),
        problems=problems,
    )


def our_fields(visit: Visit) -> Mapping[str, str]:
    """Give the columns that a list can have, by key, as the country calls them."""
    entries = packs.pack().manifest.get("columns")
    found: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            names = entry.get("names")
            words = {str(key): str(text) for key, text in names.items()} if isinstance(names, dict) else {}
            found[str(entry.get("key"))] = visit.words.name(words) or str(entry.get("key"))
    return found


def _heads(checked: CheckedList) -> list[tuple[int, str]]:
    """Give the rows in which the titles may stand, each with its first words."""
    rows = enumerate(checked.top[:HEADER_ROWS], start=1)
    return [(number, " · ".join(cell for cell in row if cell)[:_SHORT]) for number, row in rows if any(row)]
