"""Decision tables on a page: rows and columns that are checked by the reader that paths decide with."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Response

from api.pages.country import findings_of, said
from api.pages.kit.visits import Answer, Pages, Visit, see
from nrm.actions.country_editing import change_table
from nrm.countries import ItemKind
from nrm.errors import BadPath, Conflict, NotValid
from nrm.queries.decision_tables import table, uses_of_table
from nrm.queries.pack_entries import PACK, entry_history, items
from nrm.rules.decision_grids import POLICIES, Grid, Line, moved_up, with_line, without_line

decision_tables = Pages("decision_tables")

_MOST: Final = 500


@decision_tables.get("/admin/tables", permission=PACK)
def list_tables(visit: Visit) -> Answer:
    """List the decision tables with the paths that decide by them."""
    found = []
    for one in items(visit.actor, ItemKind.TABLE):
        key = one.key.partition("/")[2]
        _, grid = table(visit.actor, key)
        found.append((one, key, grid.name, [visit.words.name(use.names) for use in uses_of_table(key)]))
    return visit.show("admin/tables.html", rows=found)


@decision_tables.get("/admin/tables/<key>", permission=PACK)
def show(visit: Visit, key: str) -> Answer:
    """Show a decision table."""
    _, grid = table(visit.actor, key)
    return _page(visit, key, grid)


@decision_tables.post("/admin/tables/<key>", permission=PACK)
def change(visit: Visit, key: str) -> Answer:
    """Save a table, or add, move or remove a rule on the page without saving."""
    _, stored = table(visit.actor, key)
    grid = _sent(visit, stored)
    wish, _, place = visit.form.get("do", "save").partition(":")
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 4 else -1
    moved = _moved(grid, wish, number)
    if moved is not None:
        return _page(visit, key, moved, note="unsaved")
    try:
        change_table(visit.actor, key, grid=grid, seen=visit.text("seen")[:64])
    except NotValid as error:
        return _page(visit, key, grid, wrong=said(visit, error.problems), status=422)
    except BadPath as error:
        return _page(visit, key, grid, wrong=findings_of(visit, error), status=422)
    except Conflict as error:
        return _page(visit, key, grid, wrong=(visit.problem(error.code, error.params),), status=409)
    return see(f"/admin/tables/{key}?done=1")


def _moved(grid: Grid, wish: str, number: int) -> Grid | None:
    """Give the grid after a button that saves nothing; None for the one that saves."""
    if wish == "add":
        return with_line(grid)
    if wish == "remove":
        return without_line(grid, number)
    return moved_up(grid, number) if wish == "up" else None


def _sent(visit: Visit, stored: Grid) -> Grid:
    """Read the rules as they were filled in; the columns stay."""
    count = visit.form.get("rows", "")
    rows = min(int(count), _MOST) if count.isascii() and count.isdigit() and len(count) < 5 else 0
    policy = visit.form.get("policy", stored.policy)

    def cell(name: str) -> str:
        return " ".join(visit.form.get(name, "").split())[:500]

    lines = tuple(
        Line(
            description=cell(f"d.{row}"),
            cells=tuple(cell(f"i.{row}.{column}") or "-" for column in range(len(stored.inputs))),
            results=tuple(cell(f"o.{row}.{column}") for column in range(len(stored.outputs))),
        )
        for row in range(rows)
    )
    return replace(stored, lines=lines, policy=policy if policy in POLICIES else stored.policy)


def _page(
    visit: Visit, key: str, grid: Grid, *, wrong: tuple[str, ...] = (), status: int = 200, note: str = ""
) -> Response:
    entry, stored = table(visit.actor, key)
    return visit.show(
        "admin/table.html",
        status=status,
        entry=entry,
        key=key,
        grid=grid,
        policies=POLICIES,
        wrong=wrong,
        # Saving after a conflict is saving over what the page shows beside.
        stored=stored if status == 409 else None,
        note=note,
        uses=[visit.words.name(use.names) for use in uses_of_table(key)],
        history=entry_history(visit.actor, "item", entry.key),
        done=visit.query.get("done") == "1" and not note and not wrong,
    )
