"""Arrival lists: looked at before they go in, followed while they do, and what became of each row."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Response

from api.pages.kit.visits import Answer, Pages, Told, Visit, see
from nrm.actions import manifest_checks as checks
from nrm.actions.manifest_checks import CheckedList, RefusedLine
from nrm.actions.reading import note_read
from nrm.errors import NotFound, NotValid
from nrm.queries import manifests as queries
from nrm.queries.manifests import ManifestView
from nrm.rules.manifest_files import LARGEST
from nrm.rules.workbooks import write_workbook

manifests = Pages("manifests")

_IMPORT: Final = "manifest.import"
_ROWS: Final = 100
_SHOWN: Final = 50
"""Refused rows on a page; all of them are in the file to take home."""

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@manifests.get("/manifests", permission=_IMPORT)
def show_lists(visit: Visit) -> Answer:
    """List the arrival lists, with the form to send one."""
    return _lists(visit)


def _lists(visit: Visit, *, problems: Told = ()) -> Response:
    rows = queries.manifests(visit.actor)
    return visit.show(
        "manifests/lists.html",
        status=422 if problems else 200,
        rows=tuple((row, _stand(row), row.imported_by == visit.actor.id) for row in rows),
        largest=LARGEST // (1024 * 1024),
        problems=problems,
        dropped="dropped" in visit.query,
    )


def _stand(row: ManifestView) -> str:
    """Say how a list stands: importing, waiting to be looked at or gone on with, or done."""
    if row.waiting:
        return "importing"
    return "waiting" if checks.waits_for_import(row.id) else "done"


@manifests.post("/manifests", permission=_IMPORT)
def send_list(visit: Visit) -> Answer:
    """Look at a list that was sent; nothing of it is taken before somebody says so."""
    sent = visit.files.get("file")
    if sent is None or not sent.filename:
        return _lists(visit, problems=(("file", visit.problem("required")),))
    try:
        manifest_id = checks.check_list(visit.actor, sent.read(LARGEST + 1), name=sent.filename)
    except NotValid as error:
        return _lists(visit, problems=tuple(("file", visit.problem(one.code, one.params)) for one in error.problems))
    checked = checks.checked_list(visit.actor, manifest_id)
    if checked is not None and checked.headless:
        return see(f"/manifests/{manifest_id}/columns")
    return see(f"/manifests/{manifest_id}")


@manifests.get("/manifests/<manifest_id>", permission=_IMPORT)
def show_list(visit: Visit, manifest_id: str) -> Answer:
    """Show what a look at a list found, how far its import is, or what became of its rows."""
    view = queries.manifest(visit.actor, manifest_id)
    mine = view.imported_by == visit.actor.id
    checked = checks.checked_list(visit.actor, manifest_id) if mine else None
    stand = _stand(view)
    after = visit.query.get("after", "")
    first = int(after) if after.isascii() and after.isdigit() and len(after) < 7 else 0
    taken = queries.taken_rows(visit.actor, manifest_id, visit.now, after=first, limit=_ROWS)
    return visit.show(
        "manifests/list.html",
        view=view,
        stand=stand,
        mine=mine,
        checked=checked,
        done=view.accepted + view.known,
        refused=tuple((row, _reasons(visit, row)) for row in checked.refused[:_SHOWN]) if checked else (),
        codes=() if checked else _codes(visit, manifest_id),
        taken=taken,
        more=taken[-1].number if len(taken) == _ROWS else None,
    )


def _reasons(visit: Visit, row: RefusedLine) -> tuple[tuple[str, str], ...]:
    return tuple((column, visit.problem(code, params)) for column, code, params in row.reasons)


def _codes(visit: Visit, manifest_id: str) -> tuple[tuple[int, str], ...]:
    """Give what is known of refused rows once their content is gone: number and reason."""
    lines = queries.refused_rows(visit.actor, manifest_id)
    return tuple((line.number, visit.problem(line.code)) for line in lines[:_SHOWN])


@manifests.post("/manifests/<manifest_id>/import", permission=_IMPORT)
def import_list(visit: Visit, manifest_id: str) -> Answer:
    """Import a list that was looked at; where it was broken off, go on."""
    checks.start_import(visit.actor, manifest_id)
    return see(f"/manifests/{manifest_id}")


@manifests.post("/manifests/<manifest_id>/drop", permission=_IMPORT)
def drop_list(visit: Visit, manifest_id: str) -> Answer:
    """Give up a list; what was imported of it stays."""
    checks.drop_list(visit.actor, manifest_id)
    return see("/manifests?dropped=1")


@manifests.get("/manifests/<manifest_id>/refused", permission=_IMPORT)
def refused_rows(visit: Visit, manifest_id: str) -> Answer:
    """Give the refused rows as a workbook, to be corrected and sent again; that they were taken is recorded."""
    checked = checks.checked_list(visit.actor, manifest_id)
    if checked is None or not checked.refused:
        raise NotFound
    note_read(visit.actor, "manifest", manifest_id)
    answer = Response(_workbook(visit, checked), mimetype=_XLSX)
    name = visit.words.t("manifests.refused_file")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}.xlsx"
    return answer


def _workbook(visit: Visit, checked: CheckedList) -> bytes:
    """Write the refused rows as they came, with a last column that says why; all cells are texts, never formulas."""
    width = max(len(checked.head), *(len(row.cells) for row in checked.refused))

    def wide(cells: tuple[str, ...]) -> list[str]:
        return [*cells, *([""] * (width - len(cells)))]

    rows = [[*wide(checked.head), visit.words.t("manifests.reason")]]
    for row in checked.refused:
        said = "\n".join(f"{column}: {words}" if column else words for column, words in _reasons(visit, row))
        rows.append([*wide(row.cells), said])
    return write_workbook({"refused": rows})
